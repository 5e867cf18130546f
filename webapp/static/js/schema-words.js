// What can stand at a place of a YAML file, by its JSON Schema. The place is found by how far
// the lines before it are indented, so that it works while the file is not finished.

/**
 * @typedef {{key?: string, indent: number}} Step
 * @typedef {{label: string, type: string, detail?: string, info?: string, apply?: string}} Word
 */

const KEY = /^(\s*)((?:- +)*)("?[\w-]+"?):(?:\s+(.*))?$/;
const ITEM = /^(\s*)-(?:\s|$)/;

/**
 * The keys from the top down to a line, "[]" for a list.
 * @param {string[]} lines those before the cursor, without its own
 * @param {number} indent of the cursor's line
 */
export function pathAbove(lines, indent) {
  const path = [];
  let limit = indent;
  for (let at = lines.length - 1; at >= 0 && limit > 0; at -= 1) {
    const line = lines[at];
    if (!line.trim() || line.trim().startsWith("#")) continue;
    const here = line.length - line.trimStart().length;
    const item = ITEM.exec(line);
    const found = KEY.exec(line);
    if (item && found) {
      const inner = here + found[2].length;
      if (inner < limit && found[4] === undefined) path.unshift(found[3].replaceAll('"', ""));
      if (here < limit) {
        path.unshift("[]");
        limit = here;
      }
    } else if (item && here < limit) {
      path.unshift("[]");
      limit = here;
    } else if (found && (here < limit || (here === limit && path[0] === "[]"))) {
      path.unshift(found[3].replaceAll('"', ""));
      limit = here;
    }
  }
  return path;
}

/**
 * All shapes that a part of a schema may have, with what it refers to.
 * @param {object} schema
 * @param {object | boolean | undefined} part
 * @returns {object[]}
 */
function shapes(schema, part) {
  if (!part || typeof part !== "object") return [];
  if (part.$ref) {
    const steps = part.$ref.replace("#/", "").split("/");
    return shapes(schema, steps.reduce((found, step) => found?.[step], schema));
  }
  const inner = [...(part.anyOf ?? []), ...(part.oneOf ?? []), ...(part.allOf ?? [])];
  return [part, ...inner.flatMap((one) => shapes(schema, one))];
}

/**
 * @param {object} schema
 * @param {object[]} here
 * @param {string} step
 */
function below(schema, here, step) {
  return here.flatMap((part) => {
    if (step === "[]") return shapes(schema, part.items);
    const named = part.properties?.[step];
    const others = [...Object.values(part.patternProperties ?? {}), part.additionalProperties];
    return named ? shapes(schema, named) : others.flatMap((one) => shapes(schema, one));
  });
}

/** @param {unknown} value */
function written(value) {
  return value === null ? "null" : String(value);
}

/**
 * @param {object} schema the whole document
 * @param {object} start where its file begins, such as the definition of a panel
 * @param {string[]} path
 * @returns {{keys: Word[], values: Word[]}}
 */
export function wordsAt(schema, start, path) {
  const here = path.reduce((found, step) => below(schema, found, step), shapes(schema, start));
  const keys = new Map();
  const values = new Map();
  for (const part of here) {
    for (const [name, inner] of Object.entries(part.properties ?? {})) {
      const [described] = shapes(schema, inner).filter((one) => one.description);
      const info = inner.description ?? described?.description ?? part.description;
      if (!keys.has(name)) keys.set(name, { label: name, type: "property", apply: `${name}: `, info });
    }
    const given = [...(part.enum ?? []), ...("const" in part ? [part.const] : [])];
    if (part.type === "boolean") given.push(true, false);
    for (const value of given) {
      const label = written(value);
      if (!values.has(label)) values.set(label, { label, type: "enum", info: part.description });
    }
  }
  return { keys: [...keys.values()], values: [...values.values()] };
}

/**
 * The lines of the YAML around a place, and the definition it follows: the front matter of a
 * lesson, a panel or a question. Null between them.
 * @param {string[]} lines up to the cursor, its own included
 */
export function blockOf(lines) {
  const fence = lines.findLastIndex((line) => /^ {0,3}(```|~~~)/.test(line));
  if (fence >= 0) {
    const kind = /^ {0,3}(?:`{3,}|~{3,})\s*(panel|question)\b/.exec(lines[fence])?.[1];
    if (!kind) return null;
    return { part: kind === "panel" ? "Panel" : "Question", lines: lines.slice(fence + 1) };
  }
  const rules = lines.filter((line) => line.trimEnd() === "---").length;
  if (lines[0]?.trimEnd() !== "---" || rules !== 1) return null;
  return { part: "LessonInfo", lines: lines.slice(1) };
}

/**
 * Return what CodeMirror asks for completions.
 * @param {() => object | null} schemaNow
 * @param {boolean} isLesson
 */
export function completer(schemaNow, isLesson) {
  return (context) => {
    const schema = schemaNow();
    const typed = context.matchBefore(/[\w-]*/);
    if (!schema || (!context.explicit && typed.from === typed.to)) return null;
    const upTo = context.state.sliceDoc(0, context.pos).split("\n");
    const block = isLesson ? blockOf(upTo) : { part: "", lines: upTo };
    if (!block) return null;
    const start = block.part ? schema.$defs[block.part] : schema;
    const line = block.lines.at(-1);
    const value = /^\s*(?:- +)*"?([\w-]+)"?:\s+[\w-]*$/.exec(line);
    const isItem = ITEM.test(line);
    const bare = line.replace(/^(\s*)((?:- +)*)/, (_, space, dashes) => space + " ".repeat(dashes.length));
    const indent = bare.length - bare.trimStart().length;
    const base = isItem ? line.length - line.trimStart().length : indent;
    const above = pathAbove(block.lines.slice(0, -1), isItem ? Math.max(base, 1) : indent);
    const path = isItem ? [...above.filter((step, at) => step !== "[]" || at < above.length - 1), "[]"] : above;
    const found = wordsAt(schema, start, value ? [...path, value[1]] : path);
    const options = value ? found.values : [...found.keys, ...(isItem ? found.values : [])];
    return options.length ? { from: typed.from, options, validFor: /^[\w-]*$/ } : null;
  };
}

// CodeMirror in place of a textarea. It lives in a shadow tree: there it brings its styles
// as style sheets of the document, which the policy of the site allows.
import {
  EditorState,
  EditorView,
  HighlightStyle,
  LanguageDescription,
  autocompletion,
  basicSetup,
  indentUnit,
  indentWithTab,
  keymap,
  lintGutter,
  markdown,
  setDiagnostics,
  syntaxHighlighting,
  tags,
  yaml,
  yamlFrontmatter,
} from "../vendor/codemirror/codemirror.min.js";

const look = EditorView.theme({
  "&": { backgroundColor: "var(--color-surface)", color: "var(--color-text)", maxHeight: "70vh" },
  "&.cm-focused": { outline: "2px solid var(--color-focus)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "var(--font-code)", fontSize: "var(--size-small)", lineHeight: "1.5", minHeight: "16rem" },
  ".cm-content": { caretColor: "var(--color-text)" },
  ".cm-cursor": { borderLeftColor: "var(--color-text)" },
  ".cm-gutters": { backgroundColor: "var(--color-sunken)", color: "var(--color-text-soft)", borderRight: "1px solid var(--color-line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--color-sunken)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--color-info-tint)" },
  ".cm-selectionMatch, .cm-searchMatch": { backgroundColor: "var(--color-notice-tint)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--color-success-tint)" },
  ".cm-panels, .cm-tooltip": { backgroundColor: "var(--color-surface)", color: "var(--color-text)", border: "1px solid var(--color-edge)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--color-accent)", color: "var(--color-on-accent)" },
  ".cm-completionInfo": { maxWidth: "24rem", fontSize: "var(--size-small)" },
  ".cm-completionIcon": { display: "none" },
  // Their pictures are data in the style sheet, which the policy of the site forbids.
  ".cm-lintRange": { backgroundImage: "none" },
  ".cm-lintRange-error": { textDecoration: "underline wavy var(--color-danger)" },
  ".cm-lintRange-warning": { textDecoration: "underline wavy var(--color-notice)" },
  ".cm-lint-marker-error, .cm-lint-marker-warning": { content: "normal", lineHeight: "1" },
  ".cm-lint-marker-error::before": { content: '"✖"', color: "var(--color-danger)" },
  ".cm-lint-marker-warning::before": { content: '"▲"', color: "var(--color-notice)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--color-sunken)", color: "var(--color-text-soft)", border: "1px solid var(--color-line)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--color-surface)", backgroundImage: "none", color: "var(--color-text)", border: "1px solid var(--color-edge)" },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--color-info)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--color-success)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--color-notice)" },
  { tag: [tags.comment, tags.meta, tags.processingInstruction], color: "var(--color-text-soft)" },
  { tag: tags.heading, fontWeight: "bold" },
  { tag: tags.strong, fontWeight: "bold" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: [tags.link, tags.url], color: "var(--color-link)" },
]);

/** @param {string} name */
function languageOf(name) {
  if (name.endsWith(".yaml")) return [yaml()];
  if (!name.endsWith(".md")) return [];
  // The bodies of panels and questions are YAML.
  const blocks = LanguageDescription.of({ name: "panel", support: yaml() });
  const codeLanguages = (info) => (/^(panel|question)\b/.test(info) ? blocks : null);
  return [yamlFrontmatter({ content: markdown({ codeLanguages }) })];
}

/**
 * Put an editor in the place of a textarea, which keeps the text for the form.
 * @param {HTMLTextAreaElement} area
 * @param {{name: string, describedBy: string, complete: Function, onChange: (text: string) => void}} wanted
 */
export function openEditor(area, { name, describedBy, complete, onChange }) {
  const box = document.createElement("div");
  box.className = "code-box";
  area.before(box);
  const root = box.attachShadow({ mode: "open" });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        basicSetup,
        keymap.of([indentWithTab]),
        indentUnit.of("  "),
        EditorState.readOnly.of(area.readOnly),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": describedBy }),
        languageOf(name),
        autocompletion({ override: [complete] }),
        lintGutter(),
        look,
        syntaxHighlighting(colours),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          onChange(area.value);
        }),
      ],
    }),
  });
  area.hidden = true;
  return {
    /** @param {string} text */
    setText(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    /** @param {{line: number, message: string, suggestion: string, is_error: boolean}[]} lines */
    show(lines) {
      const { doc } = view.state;
      const found = lines.map(({ line, message, suggestion, is_error }) => {
        const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
        const said = suggestion ? `${message}; ${suggestion}` : message;
        return { from, to, severity: is_error ? "error" : "warning", message: said };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    /** @param {number} number */
    goTo(number) {
      const line = view.state.doc.line(Math.min(Math.max(number, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
  };
}

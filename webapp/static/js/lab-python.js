// Python in a worker: it reads functions as tools, and runs one. The page ends the worker
// when it takes too long. The policy that this file is sent with lets it load Python's own
// files and reach nothing else.
import { loadPyodide } from "./pyodide.mjs";

/**
 * @typedef {{id: number, functions: string, act: "describe" | "call", given: string[]}} Order
 */

/** @type {Promise<any>} */
let starting;

/** @param {string} functions - the source of tool_functions.py */
async function start(functions) {
  const python = await loadPyodide({ indexURL: new URL("./", import.meta.url).href });
  python.runPython(functions);
  return python;
}

addEventListener("message", async (event) => {
  /** @type {Order} */
  const { id, functions, act, given } = event.data;
  try {
    const python = await (starting ??= start(functions));
    // From here on it is their code that takes the time.
    postMessage({ id, begun: true });
    const answer = python.globals.get(act)(...given);
    postMessage({ id, answer });
  } catch (error) {
    const lines = String(error.message ?? error).trim().split("\n");
    postMessage({ id, error: lines.at(-1).replace(/^ValueError: /, "") });
  }
});

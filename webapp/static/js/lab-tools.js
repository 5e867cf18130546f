// The tools bench: Python reads the functions and runs the one that the model asks for,
// once a person has said yes. Without it, everything can be typed by hand.
import { part } from "./markup.js";

// Reading and starting Python takes seconds on a slow machine; their code may not.
const START_MS = 60_000;
const RUN_MS = 5_000;
const TOO_LONG = "It ran for more than five seconds, so it was ended. Is there a loop without an end?";
const NOT_STARTED = "Python did not start in this browser. You can type the list of tools and the result.";

/** A worker with Python in it, which is ended and begun again when it takes too long. */
class Python {
  /**
   * @param {string} worker
   * @param {string} functions
   */
  constructor(worker, functions) {
    this.place = worker;
    this.functions = fetch(functions).then((answer) => answer.text());
    this.count = 0;
    /** @type {Worker | null} */
    this.worker = null;
  }

  /**
   * Return what a function of tool_functions.py gives back; throw an Error with a sentence.
   * @param {"describe" | "call"} act
   * @param {string[]} given
   * @returns {Promise<string>}
   */
  async ask(act, ...given) {
    const functions = await this.functions;
    const worker = (this.worker ??= new Worker(this.place, { type: "module" }));
    const id = (this.count += 1);
    return new Promise((resolve, reject) => {
      const end = (/** @type {string} */ words) => {
        this.stop();
        reject(new Error(words));
      };
      let timer = setTimeout(() => end(NOT_STARTED), START_MS);
      worker.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        end(NOT_STARTED);
      };
      worker.onmessage = ({ data }) => {
        if (data.id !== id) return;
        clearTimeout(timer);
        if (data.begun) timer = setTimeout(() => end(TOO_LONG), RUN_MS);
        else if (data.error !== undefined) reject(new Error(data.error));
        else resolve(data.answer);
      };
      worker.postMessage({ id, functions, act, given });
    });
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
  }
}

class Bench {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.python = new Python(form.dataset.worker, form.dataset.functions);
    this.isBusy = false;
    form.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("[data-read], [data-run]");
      if (button) this.act(button.hasAttribute("data-run") ? this.run : this.read);
    });
    document.addEventListener("htmx:load", () => this.reveal());
    this.reveal();
  }

  /** Show the buttons that need Python where it is. */
  reveal() {
    const isThere = this.form.querySelector("[data-python]") !== null;
    for (const button of this.form.querySelectorAll("[data-read], [data-run]"))
      button.hidden = !isThere;
  }

  /** @param {() => Promise<void>} what */
  async act(what) {
    if (this.isBusy) return;
    this.isBusy = true;
    await what.call(this);
    this.isBusy = false;
  }

  async read() {
    const status = part(this.form, "[data-python-status]", HTMLElement);
    status.textContent = "Python is reading your functions…";
    try {
      const tools = await this.python.ask("describe", this.value("#code"));
      part(this.form, "#tools", HTMLTextAreaElement).value = tools;
      part(this.form, "#tool-list", HTMLDetailsElement).open = true;
      const names = JSON.parse(tools).map((/** @type {{name: string}} */ { name }) => name);
      const word = names.length === 1 ? "One tool" : `${names.length} tools`;
      status.textContent = `${word}: ${names.join(", ")}.`;
    } catch (error) {
      status.textContent = error.message;
    }
  }

  async run() {
    const status = part(this.form, "[data-run-status]", HTMLElement);
    const name = part(this.form, "[data-tool]", HTMLInputElement).value;
    const result = part(this.form, "[data-result]", HTMLInputElement);
    status.textContent = "Python is running it…";
    result.value = "";
    try {
      const given = this.value("[data-arguments]");
      const told = JSON.parse(await this.python.ask("call", this.value("#code"), name, given));
      const printed = told.printed ? ` It printed: ${told.printed.trim()}` : "";
      result.value = told.error ? `error: ${told.error}` : told.result;
      status.textContent = told.error
        ? `It failed. The model can be told that, too.${printed}`
        : `It has run.${printed}`;
    } catch (error) {
      status.textContent = error.message;
    }
  }

  /** @param {string} selector */
  value(selector) {
    return part(this.form, selector, HTMLTextAreaElement).value;
  }
}

for (const form of document.querySelectorAll("form[data-tools]")) new Bench(form);

// One turn of the conversation while it happens. What people and models write is only
// ever set as text, never as HTML.
import { part } from "./markup.js";

export class LiveTurn {
  /**
   * @param {HTMLTemplateElement} template
   * @param {string} prompt
   */
  constructor(template, prompt) {
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.root = part(copy, "*", HTMLElement);
    this.slot("message").textContent = prompt;
    this.slot("body").setAttribute("aria-busy", "true");
  }

  /** @param {string} name */
  slot(name) {
    return part(this.root, `[data-slot=${name}]`, HTMLElement);
  }

  /** @param {string} words */
  wait(words) {
    this.slot("wait").textContent = words;
  }

  /** @param {string} text */
  append(text) {
    this.slot("reply").append(text);
  }

  /** @param {string} text */
  reply(text) {
    this.slot("reply").textContent = text;
  }

  /** @param {string} text */
  failed(text) {
    this.slot("failed").hidden = false;
    this.slot("failure").textContent = text;
  }

  /** @param {string} text */
  answered(text) {
    this.slot("who").textContent = "Wordkeep";
    this.slot("uncounted").hidden = false;
    this.reply(text);
  }

  stopped() {
    this.slot("cut").hidden = false;
  }

  done() {
    this.wait("");
    this.slot("body").removeAttribute("aria-busy");
  }
}

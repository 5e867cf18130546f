// <show-attempt> goes through an attempt step by step: by button, by key, or by itself.
// Without this script all steps are there at once.
import { part } from "./markup.js";

const PAUSE_MS = 2500;

class ShowAttempt extends HTMLElement {
  connectedCallback() {
    this.steps = [...this.querySelectorAll("[data-step]")];
    this.told = part(this, "[data-told]", HTMLElement);
    this.auto = part(this, "[data-auto]", HTMLButtonElement);
    part(this, "[data-controls]", HTMLElement).hidden = false;
    this.at("[data-next]", () => this.next());
    this.at("[data-all]", () => this.show(this.steps.length));
    this.at("[data-again]", () => this.show(1));
    this.at("[data-auto]", () => (this.timer ? this.rest() : this.run()));
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.show(1);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    this.rest();
  }

  /** @param {string} selector @param {() => void} act */
  at(selector, act) {
    part(this, selector, HTMLButtonElement).addEventListener("click", act);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const isButton = event.target instanceof HTMLElement && event.target.closest("a, button, input");
    if (event.key === "ArrowRight" || (event.key === " " && !isButton)) this.next();
    else if (event.key === "ArrowLeft") this.show(Math.max(1, this.count - 1));
    else return;
    event.preventDefault();
  }

  next() {
    if (this.count < this.steps.length) this.show(this.count + 1);
    if (this.count === this.steps.length) this.rest();
  }

  run() {
    if (this.count === this.steps.length) this.show(1);
    this.timer = setInterval(() => this.next(), PAUSE_MS);
    this.auto.setAttribute("aria-pressed", "true");
  }

  rest() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.auto.setAttribute("aria-pressed", "false");
  }

  /** @param {number} count - of the steps that are shown */
  show(count) {
    this.count = count;
    this.steps.forEach((step, n) => (step.hidden = n >= count));
    const last = this.steps[count - 1];
    this.told.textContent = last.textContent;
    last.scrollIntoView({ block: "nearest" });
  }
}

customElements.define("show-attempt", ShowAttempt);

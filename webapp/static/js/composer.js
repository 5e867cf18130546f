// The form of a conversation: the box and how much fits into it, beside what every form
// of a panel has.
import { part, wordsOf } from "./markup.js";
import { isEnter, SendForm } from "./send-form.js";

// Milliseconds without a keystroke before the server is asked.
const PAUSE = 400;
// From which share of the limit on it is near.
const NEAR = 0.8;
// A keyboard on the screen has no Shift + Enter, so there Enter begins a new line.
const onScreenKeys = matchMedia("(pointer: coarse)");

export class Composer extends SendForm {
  /** @type {number | undefined} */
  counting;

  /**
   * @param {HTMLElement} panel
   * @param {{send: () => void, stop: () => void}} actions
   */
  constructor(panel, actions) {
    super(panel, actions);
    this.box = part(this.form, "[data-prompt]", HTMLTextAreaElement);
    this.box.addEventListener("input", () => this.count());
    this.count();
  }

  get text() {
    return this.box.value;
  }

  get home() {
    return this.box;
  }

  /** @param {KeyboardEvent} event */
  meansSend(event) {
    if (!isEnter(event)) return false;
    if (event.ctrlKey || event.metaKey) return true;
    return !event.shiftKey && !event.altKey && !onScreenKeys.matches;
  }

  /** Say how much of the limit is used, where the form has a place for it. */
  count() {
    const counter = this.form.querySelector("[data-count]");
    if (!counter) return;
    // The server counts characters, not the pairs that JavaScript makes of some.
    const used = [...this.box.value].length;
    const limit = Number(this.panel.dataset.limit);
    this.tell(counter, used > limit ? "over" : "used", { limit, used });
    this.countTokens(used <= limit);
  }

  /**
   * Say how many tokens a long text has; only the server can count them.
   * @param {boolean} fits - whether its characters do
   */
  countTokens(fits) {
    clearTimeout(this.counting);
    const counter = this.form.querySelector("[data-count-tokens]");
    if (!counter) return;
    const limit = Number(this.panel.dataset.tokens);
    this.tell(counter, "tokens", { limit, used: 0 });
    // No token is shorter than a byte.
    const text = this.box.value;
    if (!fits || new TextEncoder().encode(text).length <= limit) return;
    this.counting = setTimeout(async () => {
      const used = await this.measure();
      if (used === null || this.box.value !== text) return;
      this.tell(counter, used > limit ? "tokens-over" : "tokens-used", { limit, used });
    }, PAUSE);
  }

  /** @returns {Promise<number | null>} Tokens of the text; null if they are not known. */
  async measure() {
    try {
      const body = new FormData(this.form);
      const answer = await fetch(this.panel.dataset.measure, { method: "POST", body });
      return answer.ok ? (await answer.json()).tokens : null;
    } catch {
      return null; // The text can be sent all the same; then the server says it.
    }
  }

  /**
   * @param {Element} counter
   * @param {string} name
   * @param {{limit: number, used: number}} values
   */
  tell(counter, name, { limit, used }) {
    counter.toggleAttribute("data-over", used > limit);
    counter.toggleAttribute("data-far", used < limit * NEAR);
    counter.textContent = wordsOf(this.panel, name, {
      limit: limit.toLocaleString("en-GB"),
      used: used.toLocaleString("en-GB"),
      over: (used - limit).toLocaleString("en-GB"),
    });
  }

  begin() {
    super.begin();
    this.box.removeAttribute("aria-invalid");
  }

  /**
   * Free the box for the next prompt, unless something new is in it already.
   * @param {string} prompt
   */
  clear(prompt) {
    if (this.box.value === prompt) this.box.value = "";
    this.count();
  }

  /**
   * Put a prompt back into the box, unless something new is in it already.
   * @param {string} prompt
   */
  giveBack(prompt) {
    if (!this.box.value) this.box.value = prompt;
    this.count();
  }

  /** @param {string} text */
  refuse(text) {
    super.refuse(text);
    this.problem.firstElementChild.id = `${this.box.id}-error`;
  }
}

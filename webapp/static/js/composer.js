// The form of a panel: the box and how much fits into it, Send and Stop, the status that
// is read out, and the place for a problem.
import { part, wordsOf } from "./markup.js";

export class Composer {
  /**
   * @param {HTMLElement} panel
   * @param {{send: () => void, stop: () => void}} actions
   */
  constructor(panel, { send, stop }) {
    this.panel = panel;
    this.form = part(panel, "[data-composer]", HTMLFormElement);
    this.box = part(this.form, "[data-prompt]", HTMLTextAreaElement);
    this.sendButton = part(this.form, "[data-send]", HTMLButtonElement);
    this.stopButton = part(this.form, "[data-stop]", HTMLButtonElement);
    this.status = part(this.form, "[data-status]", HTMLElement);
    this.problem = part(this.form, "[data-problem]", HTMLElement);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        send();
      }
    });
    this.box.addEventListener("input", () => this.count());
    this.stopButton.addEventListener("click", stop);
    this.count();
  }

  /** Say how much of the limit is used, where the form has a place for it. */
  count() {
    const counter = this.form.querySelector("[data-count]");
    if (!counter) return;
    // The server counts characters, not the pairs that JavaScript makes of some.
    const used = [...this.box.value].length;
    const limit = Number(this.panel.dataset.limit);
    counter.toggleAttribute("data-over", used > limit);
    counter.textContent = wordsOf(this.panel, used > limit ? "over" : "used", {
      limit: limit.toLocaleString("en-GB"),
      used: used.toLocaleString("en-GB"),
      over: (used - limit).toLocaleString("en-GB"),
    });
  }

  begin() {
    this.problem.replaceChildren();
    this.box.removeAttribute("aria-invalid");
    this.sendButton.setAttribute("aria-disabled", "true");
    this.stopButton.hidden = false;
  }

  finish() {
    this.sendButton.removeAttribute("aria-disabled");
    if (document.activeElement === this.stopButton)
      this.box.focus({ preventScroll: true });
    this.stopButton.hidden = true;
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
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

  /**
   * Show why nothing came, beside the box, where the text still is.
   * @param {string} text
   */
  refuse(text) {
    const line = document.createElement("p");
    line.className = "note note--danger";
    line.id = `${this.box.id}-error`;
    line.setAttribute("role", "alert");
    line.textContent = text;
    this.problem.replaceChildren(line);
    this.say("");
  }

  /** A reader who is elsewhere on the page, perhaps at another panel, stays there. */
  isNearView() {
    const { top, bottom } = this.form.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight + 200;
  }

  follow() {
    this.form.scrollIntoView({ block: "nearest" });
  }
}

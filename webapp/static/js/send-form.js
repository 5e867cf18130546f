// The form of a panel: Send and Stop, the status that is read out, and the place for a
// problem. A button with an address of its own (formaction) sends the form there, as
// without scripts.
import { part } from "./markup.js";

// Between a turn and the form over it, in pixels.
const GAP = 8;

export class SendForm {
  /**
   * @param {HTMLElement} panel
   * @param {{send: () => void, stop: () => void}} actions
   */
  constructor(panel, { send, stop }) {
    this.panel = panel;
    this.form = part(panel, "[data-composer]", HTMLFormElement);
    this.sendButton = part(this.form, "[data-send]", HTMLButtonElement);
    this.stopButton = part(this.form, "[data-stop]", HTMLButtonElement);
    this.status = part(this.form, "[data-status]", HTMLElement);
    this.problem = part(this.form, "[data-problem]", HTMLElement);
    this.form.addEventListener("submit", (event) => {
      if (event.submitter?.hasAttribute("formaction")) return;
      event.preventDefault();
      send();
    });
    this.form.addEventListener("keydown", (event) => {
      if (!(event.target instanceof HTMLTextAreaElement) || !this.meansSend(event)) return;
      event.preventDefault();
      if (!event.repeat) send();
    });
    this.stopButton.addEventListener("click", stop);
  }

  /** What was typed, as one text. */
  get text() {
    return "";
  }

  /** Where the focus goes when its button disappears. @returns {HTMLElement} */
  get home() {
    return this.sendButton;
  }

  /** @param {KeyboardEvent} event */
  meansSend(event) {
    return isEnter(event) && (event.ctrlKey || event.metaKey);
  }

  begin() {
    this.problem.replaceChildren();
    this.sendButton.setAttribute("aria-disabled", "true");
    this.stopButton.hidden = false;
  }

  finish() {
    this.sendButton.removeAttribute("aria-disabled");
    if (document.activeElement === this.stopButton)
      this.home.focus({ preventScroll: true });
    this.stopButton.hidden = true;
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }

  /**
   * Let a screen reader read out what others see in the conversation.
   * @param {string} text
   */
  announce(text) {
    const line = document.createElement("span");
    line.className = "visually-hidden";
    line.textContent = text;
    this.status.replaceChildren(line);
  }

  /**
   * The server has what was typed.
   * @param {string} _prompt
   */
  clear(_prompt) {}

  /**
   * Nothing came of what was typed.
   * @param {string} _prompt
   */
  giveBack(_prompt) {}

  /**
   * Show why nothing came, beside what was typed.
   * @param {string} text
   */
  refuse(text) {
    const line = document.createElement("p");
    line.className = "note note--danger";
    line.setAttribute("role", "alert");
    line.textContent = text;
    this.problem.replaceChildren(line);
    this.say("");
  }

  /**
   * Keep the end of a turn in view, and this form below it.
   * @param {HTMLElement} turn
   */
  follow(turn) {
    const { top } = this.form.getBoundingClientRect();
    const covered = turn.getBoundingClientRect().bottom + GAP - top;
    // It stays at the foot of the window, and the turn has grown below it.
    if (covered > 0) window.scrollBy(0, covered);
    else this.form.scrollIntoView({ block: "nearest" });
  }
}

/**
 * Enter also ends the writing of a word in Japanese, Chinese or Korean.
 * @param {KeyboardEvent} event
 */
export function isEnter(event) {
  return event.key === "Enter" && !event.isComposing && event.keyCode !== 229;
}

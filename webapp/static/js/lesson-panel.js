// <lesson-panel> is the panel of a lesson: a prompt with boxes in it, asked several times,
// and each reply is judged.
import { LiveRun } from "./live-run.js";
import { wordsOf } from "./markup.js";
import { PromptPanel } from "./prompt-panel.js";
import { SendForm } from "./send-form.js";

/**
 * @typedef {import("./event-stream.js").StreamEvent} StreamEvent
 * @typedef {import("./live-run.js").Judged} Judged
 * @typedef {import("./live-run.js").Outcome} Outcome
 */

class LessonForm extends SendForm {
  get home() {
    const box = this.form.querySelector("textarea, input[type=text], select");
    return box instanceof HTMLElement ? box : this.sendButton;
  }
}

class LessonPanel extends PromptPanel {
  connectedCallback() {
    // The answer to a form lies at an address that cannot be opened again.
    if (this.dataset.address) history.replaceState(null, "", this.dataset.address);
    super.connectedCallback();
  }

  /** @param {{send: () => void, stop: () => void}} actions */
  compose(actions) {
    return new LessonForm(this, actions);
  }

  /** @returns {LiveRun | null} */
  get run() {
    return this.turn instanceof LiveRun ? this.turn : null;
  }

  /** @param {HTMLTemplateElement} template */
  makeTurn(template) {
    return new LiveRun(template, this.prompt, Number(this.dataset.samples));
  }

  /** @param {HTMLElement} turn */
  put(turn) {
    this.log.replaceChildren(turn);
  }

  /** @param {StreamEvent} event */
  show(event) {
    const isFollowed = this.isFollowed();
    if (event.name === "before") this.run?.before(event.data);
    else if (event.name === "sample") this.sample(event.data);
    else if (event.name === "judged") this.judged(event.data);
    else if (event.name === "outcome") this.outcome(event.data);
    else super.show(event);
    if (isFollowed && event.name !== "start" && this.turn) this.follow();
  }

  /** @param {{number: number, of: number, start: string}} data */
  sample({ number, of, start }) {
    this.run?.begin(number, start);
    this.turn?.wait(of > 1 ? wordsOf(this, "reply-of", { number, of }) : "");
  }

  /** @param {Judged} data */
  judged(data) {
    this.run?.judged(data);
    const { passed, failed, ungraded, of } = data.tally;
    const done = passed + failed + ungraded;
    if (of > 1 && done < of) this.say("so-far", { done, of, passed });
  }

  /** @param {Outcome} data */
  outcome(data) {
    this.run?.outcome(data);
    // Once, and as others read it: what came of it, what was seen, and what to do next.
    const told = [`${data.title}.`, data.message, data.why, data.next];
    this.composer.announce(told.filter(Boolean).join(" "));
  }

  finish() {
    const isRecorded = this.number !== null;
    super.finish();
    if (!isRecorded) return;
    this.composer.sendButton.textContent = wordsOf(this, "again");
    // Hints, the history and the way on depend on what has just happened.
    for (const part of document.querySelectorAll("[data-after-run]"))
      part.dispatchEvent(new CustomEvent("run-over"));
  }

  follow() {
    this.turn?.root.scrollIntoView({ block: "nearest" });
  }
}

customElements.define("lesson-panel", LessonPanel);

// <gate-panel> is the panel of a gate: guards stand between the player and the warden,
// and a visit may have limits.
import { part } from "./markup.js";
import { Passage } from "./passage.js";
import { PromptPanel } from "./prompt-panel.js";

/**
 * @typedef {import("./event-stream.js").StreamEvent} StreamEvent
 * @typedef {import("./live-turn.js").LiveTurn} LiveTurn
 * @typedef {{guard: string, stage: string, allowed: boolean, reason: string | null}} Seen
 * @typedef {{blocked_by: string | null, blocked_text: string | null}} Blocking
 * @typedef {{text: string | null} & Blocking} Reply
 * @typedef {{turns_left: number | null, suspicion_left: number | null}} Left
 */

class GatePanel extends PromptPanel {
  /** @type {Passage} */
  passage;

  connectedCallback() {
    super.connectedCallback();
    this.passage = new Passage(this);
  }

  begin() {
    super.begin();
    this.passage.clear();
  }

  /** @param {StreamEvent} event */
  show(event) {
    if (event.name === "guard") this.guard(event.data);
    else super.show(event);
  }

  wait() {
    const name = this.passage.at("guard", "input")?.dataset.guard;
    if (name) {
      this.turn.wait(`${guardName(name)} is reading your message…`);
      return;
    }
    this.passage.at("warden");
    super.wait();
  }

  /** @param {{position: number}} data */
  queue(data) {
    this.passage.at("warden");
    super.queue(data);
  }

  /** @param {Seen} seen */
  guard(seen) {
    this.passage.judge(seen);
    addVerdict(this.turn, seen);
    if (!seen.allowed) this.turn.wait("");
    else if (seen.stage === "output") {
      this.passage.at("guard", "output");
      this.turn.wait("The guards are reading the reply…");
    } else this.wait();
  }

  /** @param {Reply} data */
  reply(data) {
    if (!data.blocked_by) {
      super.reply(data);
      this.passage.at("reply");
      return;
    }
    this.passage.leave();
    this.turn.slot("stopped").hidden = false;
    this.turn.reply(data.blocked_text ?? "");
    this.composer.say("A guard stopped this.");
  }

  /** @param {Left & {id: number, notice: string | null}} data */
  end(data) {
    super.end(data);
    this.turn.root.id = `attempt-${data.id}`;
    showLeft(data);
    if (data.notice) this.composer.problem.replaceChildren(noticeOf(data.notice));
  }
}

/** @param {string} name */
function guardName(name) {
  const words = name.replace(/[_-]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {LiveTurn} turn @param {Seen} seen */
function addVerdict(turn, seen) {
  const kind = seen.allowed ? "allowed" : "stopped";
  const mark = part(turn.root, `template[data-verdict=${kind}]`, HTMLTemplateElement);
  const line = document.createElement("li");
  const what = seen.stage === "input" ? "your message" : "the reply";
  line.append(`${guardName(seen.guard)} read ${what} and `, mark.content.cloneNode(true));
  if (seen.reason) line.append(` ${seen.reason}`);
  turn.slot("stages").append(line);
}

/**
 * Show how many messages and how much patience a visit has left.
 * @param {Left} data
 */
function showLeft({ turns_left, suspicion_left }) {
  const turns = document.querySelector("[data-turns-left]");
  if (turns && turns_left !== null)
    turns.textContent = `${turns_left} ${turns_left === 1 ? "message" : "messages"}`;
  const meter = document.querySelector("[data-suspicion]");
  if (!(meter instanceof HTMLElement) || suspicion_left === null) return;
  const most = Number(meter.dataset.suspicion);
  const used = most - suspicion_left;
  [...meter.children].forEach((pip, n) => pip.classList.toggle("is-used", n < used));
  part(document, "[data-suspicion-text]", HTMLElement).textContent = `${used} of ${most}`;
}

/**
 * Return a note on a visit that has ended, with the way to the next.
 * @param {string} text
 */
function noticeOf(text) {
  const line = document.createElement("p");
  line.className = "note note--warn";
  const link = document.createElement("a");
  link.href = location.pathname;
  link.textContent = "Go to the new visit";
  line.append(`${text} `, link);
  return line;
}

customElements.define("gate-panel", GatePanel);

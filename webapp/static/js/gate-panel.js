// <gate-panel> is the panel of a gate: guards stand between the player and the warden,
// and a visit may have limits.
import { part } from "./markup.js";
import { Passage } from "./passage.js";
import { PromptPanel } from "./prompt-panel.js";

/**
 * @typedef {import("./event-stream.js").StreamEvent} StreamEvent
 * @typedef {{guard: string, guard_name: string, stage: string, allowed: boolean, reason: string | null}} Seen
 * @typedef {{blocked_by: string | null, blocked_text: string | null}} Blocking
 * @typedef {{text: string | null} & Blocking} Reply
 * @typedef {{turns_left: number | null, suspicion_left: number | null}} Left
 */

// The one that begins with the next message.
const NO_VISIT = 0;

class GatePanel extends PromptPanel {
  /** @type {Passage} */
  passage;

  /** @type {Seen | null} Of the guard that stopped the last message or reply. */
  block = null;

  connectedCallback() {
    this.passage ??= new Passage(this);
    // The answer to a form lies at an address that cannot be opened again.
    if (this.dataset.address) history.replaceState(null, "", this.dataset.address);
    super.connectedCallback();
  }

  /** @param {string} prompt */
  begin(prompt) {
    super.begin(prompt);
    this.passage.clear();
    this.block = null;
  }

  /** @param {{id: number}} data */
  start(data) {
    this.passage.clear();
    super.start(data);
    this.turn.root.id = `attempt-${data.id}`;
  }

  /** @param {StreamEvent} event */
  show(event) {
    if (event.name === "start") nameVisit(event.data.visit);
    if (event.name === "guard") this.guard(event.data);
    else super.show(event);
  }

  /** @param {string} code */
  refused(code) {
    if (code === "visit_ended") nameVisit(NO_VISIT);
  }

  wait() {
    const name = this.passage.at("guard", "input")?.dataset.name;
    if (name) {
      this.turn.wait(`${name} is reading your message…`);
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
    const isFollowed = this.isFollowed();
    this.passage.judge(seen);
    this.addVerdict(seen);
    if (!seen.allowed) {
      this.block = seen;
      this.turn.wait("");
    } else if (seen.stage === "output") {
      this.passage.at("guard", "output");
      this.turn.wait("The guards are reading the reply…");
    } else this.wait();
    if (isFollowed) this.follow();
  }

  /** @param {Seen} seen */
  addVerdict(seen) {
    const kind = seen.allowed ? "allowed" : "stopped";
    const mark = part(this.turn.root, `template[data-verdict=${kind}]`, HTMLTemplateElement);
    const line = document.createElement("li");
    line.append(`${sentenceOf(seen)} and `, mark.content.cloneNode(true));
    if (seen.reason) line.append(` ${seen.reason}`);
    this.turn.slot(kind).append(line);
    if (!seen.allowed) return;
    const n = this.turn.slot(kind).children.length;
    this.turn.slot("passed").hidden = false;
    this.turn.slot("passed-count").textContent =
      `${n === 1 ? "1 guard" : `${n} guards`} let it through`;
  }

  /** @param {Reply} data */
  reply(data) {
    if (!data.blocked_by) {
      super.reply(data);
      this.passage.at("reply");
      return;
    }
    const isFollowed = this.isFollowed();
    this.passage.leave();
    this.turn.slot("blocked").hidden = false;
    this.turn.reply(data.blocked_text ?? "");
    this.composer.announce(
      [whoStopped(this.block), data.blocked_text].filter(Boolean).join(" "),
    );
    if (isFollowed) this.follow();
  }

  /** @param {{text: string}} data */
  answer(data) {
    // No guard and no warden has read it.
    this.passage.clear();
    super.answer(data);
  }

  /** @param {Left & {id: number, status: string, notice: string | null}} data */
  end(data) {
    const isFollowed = this.isFollowed();
    super.end(data);
    this.showLeft(data);
    if (data.notice) {
      nameVisit(NO_VISIT);
      this.tellEnd("visit-over", data.notice);
    } else if (data.turns_left === 0) this.tellEnd("turns-used");
    if (isFollowed) this.follow();
  }

  /**
   * Show how many messages and how much patience a visit has left.
   * @param {Left} data
   */
  showLeft({ turns_left, suspicion_left }) {
    const turns = this.querySelector("[data-turns]");
    if (turns instanceof HTMLElement && turns_left !== null) {
      fill(turns, turns_left);
      const words = turns_left === 1 ? "1 message" : `${turns_left} messages`;
      part(this, "[data-turns-left]", HTMLElement).textContent = words;
    }
    const meter = document.querySelector("[data-suspicion]");
    if (!(meter instanceof HTMLElement) || suspicion_left === null) return;
    const most = meter.children.length;
    fill(meter, most - suspicion_left);
    part(document, "[data-suspicion-text]", HTMLElement).textContent =
      `${most - suspicion_left} of ${most}`;
  }

  /**
   * Say beside the box that the conversation is over, with the button to the next.
   * @param {string} kind
   * @param {string} [text]
   */
  tellEnd(kind, text) {
    const template = part(this, `template[data-${kind}]`, HTMLTemplateElement);
    const note = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    if (text) part(note, "[data-slot=text]", HTMLElement).textContent = text;
    part(this, "[data-ended]", HTMLElement).replaceChildren(note);
  }
}

/** @param {Seen} seen */
function sentenceOf({ guard_name: name, stage }) {
  const what = stage === "input" ? "your message" : "the reply";
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} read ${what}`;
}

/** @param {Seen | null} block */
function whoStopped(block) {
  if (!block) return "A guard stopped this.";
  return [`${sentenceOf(block)} and stopped it.`, block.reason].filter(Boolean).join(" ");
}

/** @param {HTMLElement} row @param {number} count */
function fill(row, count) {
  [...row.children].forEach((pip, n) => pip.classList.toggle("is-full", n < count));
}

/**
 * Let every form of the page say which visit it means.
 * @param {number} visit
 */
function nameVisit(visit) {
  for (const field of document.querySelectorAll("input[name=visit]"))
    /** @type {HTMLInputElement} */ (field).value = String(visit);
}

customElements.define("gate-panel", GatePanel);

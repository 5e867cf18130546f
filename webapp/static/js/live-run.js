// A run of a lesson's panel while it happens: a row of marks, one for each sample, the
// replies, and what came of it. The page of a run that is over has the same parts.
import { LiveTurn } from "./live-turn.js";
import { part } from "./markup.js";

/**
 * @typedef {"passed" | "failed" | "ungraded"} Status
 * @typedef {{passed: number, failed: number, ungraded: number, needed: number, of: number}} Tally
 * @typedef {[number, number] | null} Span
 * @typedef {{status: Status, message: string}} Check
 * @typedef {{number: number, reply: string, status: Status, message: string, span: Span, checks: Check[], tally: Tally}} Judged
 * @typedef {{counts: boolean, message: string}} Before
 * @typedef {{status: Status, title: string, message: string, why: string | null, next: string | null, help: string | null}} Outcome
 */

export class LiveRun extends LiveTurn {
  /**
   * @param {HTMLTemplateElement} template
   * @param {string} prompt
   * @param {number} samples
   */
  constructor(template, prompt, samples) {
    super(template, prompt);
    /** @type {Judged[]} */
    this.replies = [];
    const marks = this.slot("marks");
    marks.hidden = samples < 2;
    for (let number = 1; number <= samples; number += 1)
      marks.append(this.mark("pending", number));
  }

  /**
   * Return the mark of a sample: an icon and, for those who do not see it, a word.
   * @param {Status | "pending" | "now"} status
   * @param {number} number
   */
  mark(status, number) {
    const template = part(this.root, `template[data-mark=${status}]`, HTMLTemplateElement);
    const mark = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    part(mark, "[data-number]", HTMLElement).textContent = String(number);
    return mark;
  }

  /**
   * @param {Status | "pending" | "now"} status
   * @param {number} number
   */
  setMark(status, number) {
    this.slot("marks").children[number - 1]?.replaceWith(this.mark(status, number));
  }

  /**
   * Tell at once if what was typed cannot count; the model is asked all the same.
   * @param {Before} before
   */
  before({ counts, message }) {
    this.slot("before").hidden = counts;
    this.slot("before-text").textContent = message;
  }

  /**
   * @param {number} number
   * @param {string} start - what was written of the reply for the model
   */
  begin(number, start) {
    this.setMark("now", number);
    this.reply(start);
    this.slot("now").hidden = false;
  }

  /** @param {Judged} judged */
  judged(judged) {
    this.replies.push(judged);
    this.setMark(judged.status, judged.number);
    this.slot("now").hidden = false;
    this.write(this.slot("reply"), judged);
    this.wait("");
    this.tally(judged.tally);
  }

  /** @param {Tally} tally */
  tally({ passed, failed, ungraded, of, needed }) {
    if (of < 2) return;
    const done = passed + failed + ungraded;
    const so = done < of ? `${done} of ${of} so far` : `All ${of}`;
    this.slot("tally").textContent = `${so}: ${passed} right, ${needed} needed.`;
  }

  /** @param {Outcome} outcome */
  outcome({ status, title, message, why, next, help }) {
    const box = part(this.root, `template[data-outcome=${status}]`, HTMLTemplateElement);
    this.slot("outcome").replaceChildren(box.content.cloneNode(true));
    this.slot("before").hidden = true;
    this.slot("tally").textContent = "";
    this.fill("title", title);
    this.fill("seen", message);
    this.fill("why", why);
    this.fill("next", next);
    this.slot("help").hidden = !help;
    this.sort(status);
  }

  /**
   * Show the reply that decided, and fold the others.
   * @param {Status} status
   */
  sort(status) {
    if (!this.replies.length) return;
    const shown = this.replies.find((item) => item.status === status) ?? this.replies[0];
    this.write(this.slot("reply"), shown);
    this.listChecks(shown.checks);
    const others = this.replies.filter((item) => item !== shown);
    this.slot("others").hidden = others.length === 0;
    this.slot("others-count").textContent =
      others.length === 1 ? "The other reply" : `The other ${others.length} replies`;
    this.slot("others-list").replaceChildren(...others.map((item) => this.line(item)));
  }

  /**
   * Fold what each check has found in the reply that is shown.
   * @param {Check[]} checks
   */
  listChecks(checks) {
    const told = checks.filter(({ message }) => message);
    this.slot("checks").hidden = told.length < 2;
    this.slot("checks-list").replaceChildren(
      ...told.map(({ status, message }) => {
        const line = document.createElement("li");
        const word = part(this.root, `template[data-check=${status}]`, HTMLTemplateElement);
        line.append(word.content.cloneNode(true), ` ${message}`);
        return line;
      }),
    );
  }

  /** @param {Judged} judged */
  line(judged) {
    const template = part(this.root, "template[data-reply]", HTMLTemplateElement);
    const line = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    part(line, "[data-place=mark]", HTMLElement).append(this.mark(judged.status, judged.number));
    this.write(part(line, "[data-place=reply]", HTMLElement), judged);
    part(line, "[data-place=message]", HTMLElement).textContent = judged.message;
    return line;
  }

  /**
   * Write a reply, with the piece that its check found underlined.
   * @param {HTMLElement} place
   * @param {Judged} judged
   */
  write(place, { reply, span }) {
    const [start, end] = span ?? [0, 0];
    // The server counts characters, not the pairs that JavaScript makes of some.
    const characters = [...reply];
    const piece = (/** @type {number} */ from, /** @type {number} */ to) =>
      characters.slice(from, to).join("");
    if (!reply) {
      place.textContent = "(Nothing at all.)";
      return;
    }
    if (end <= start) {
      place.textContent = reply;
      return;
    }
    const mark = document.createElement("mark");
    mark.textContent = piece(start, end);
    place.replaceChildren(piece(0, start), mark, piece(end, characters.length));
  }

  /**
   * @param {string} name
   * @param {string | null} text
   */
  fill(name, text) {
    const place = this.slot(name);
    place.textContent = text ?? "";
    place.hidden = !text;
  }
}

// <prompt-panel> upgrades a form that sends a prompt: it sends it with fetch, shows the
// reply while it is written, and can stop it. One request is one run of a model.
//
// It knows nothing of what the prompt is for. Its markup has
//   [data-log]           the conversation so far; [data-empty] stands there before it
//   [data-running]       in it, a turn that was still being answered as the page came
//   template[data-turn]  one turn with the slots of live-turn.js
//   [data-composer]      the form with the parts of composer.js
//   [data-with-script]   what is hidden for those without scripts
// and as attributes the limit of characters (data-limit), whether the reply is shown
// word by word (data-stream="off": all at once) and all that it says (data-say-…). Where
// runs go on without their readers, data-follow-at is the address of one's events, from
// its start, and data-stop-at that at which it stops; {id} stands for its number.
// Elsewhere a run ends when its stream is closed.
import { Composer } from "./composer.js";
import { readEvents } from "./event-stream.js";
import { LiveTurn } from "./live-turn.js";
import { part, wordsOf } from "./markup.js";

/**
 * @typedef {import("./event-stream.js").StreamEvent} StreamEvent
 * @typedef {import("./send-form.js").SendForm} SendForm
 */

const AS_STREAM = { Accept: "text/event-stream" };
// How long to wait before each try to read on after the connection broke.
const PAUSES_MS = [500, 2000, 5000];

export class PromptPanel extends HTMLElement {
  /** @type {SendForm} */
  composer;
  /** @type {AbortController | null} While a prompt is on its way. */
  controller = null;
  /** @type {LiveTurn | null} The turn of the last prompt, once the server has it. */
  turn = null;

  connectedCallback() {
    this.composer ??= this.compose({
      send: () => this.send(),
      stop: () => this.stop(),
    });
    for (const item of this.querySelectorAll("[data-with-script]"))
      /** @type {HTMLElement} */ (item).hidden = false;
    const running = [...this.querySelectorAll("[data-running]")].at(-1);
    if (running instanceof HTMLElement) this.readOn(running);
  }

  /**
   * @param {{send: () => void, stop: () => void}} actions
   * @returns {SendForm}
   */
  compose(actions) {
    return new Composer(this, actions);
  }

  /** A panel that leaves the page has no reader any more. */
  disconnectedCallback() {
    this.controller?.abort();
  }

  stop() {
    if (!this.controller) return;
    if (!this.dataset.stopAt) {
      this.controller.abort();
      return;
    }
    this.wantsStop = true;
    this.say("stopping");
    if (this.number !== null) this.requestStop();
  }

  async requestStop() {
    const body = new FormData(this.composer.form);
    const where = addressOf(this.dataset.stopAt, this.number);
    const answer = await fetch(where, { method: "POST", body }).catch(() => null);
    if (!answer?.ok && this.controller) this.say("not-stopped");
  }

  async send() {
    if (this.controller) return;
    const { form } = this.composer;
    const body = new FormData(form);
    this.begin(this.composer.text);
    await this.receive((signal) =>
      fetch(form.action, {
        method: "POST",
        body,
        headers: AS_STREAM,
        signal,
        redirect: "manual",
      }),
    );
  }

  /**
   * Show the rest of a run that the page found going on.
   * @param {HTMLElement} turn
   */
  async readOn(turn) {
    if (this.controller) return;
    this.begin(part(turn, "[data-prompt-of]", HTMLElement).textContent);
    this.number = Number(turn.dataset.running);
    this.place = turn;
    await this.receive((signal) => this.askAgain(signal));
  }

  /** @param {string} prompt */
  begin(prompt) {
    this.controller = new AbortController();
    this.prompt = prompt;
    this.turn = null;
    this.number = null; // of the run, once it is known
    this.place = null; // what the turn takes the place of
    this.wantsStop = false;
    this.isAnswered = false;
    this.isOver = false; // the server has said how it ended
    this.composer.begin();
    this.say("sending");
  }

  /** @param {(signal: AbortSignal) => Promise<Response>} ask */
  async receive(ask) {
    await this.hear(ask);
    for (const pause of this.dataset.followAt ? PAUSES_MS : []) {
      if (this.isOver || this.number === null || this.isAborted) break;
      await new Promise((go) => setTimeout(go, pause));
      await this.hear((signal) => this.askAgain(signal));
    }
    if (!this.isOver) this.broken();
    this.finish();
  }

  get isAborted() {
    return this.controller.signal.aborted;
  }

  /** @param {AbortSignal} signal */
  askAgain(signal) {
    this.place = this.turn?.root ?? this.place;
    const where = addressOf(this.dataset.followAt, this.number);
    return fetch(where, { headers: AS_STREAM, signal, redirect: "manual" });
  }

  /** @param {(signal: AbortSignal) => Promise<Response>} ask */
  async hear(ask) {
    try {
      await this.read(await ask(this.controller.signal));
    } catch (error) {
      // fetch reports a broken connection as a TypeError; anything else is a bug here.
      if (!this.isAborted && !(error instanceof TypeError)) reportError(error);
    }
  }

  /** @param {Response} response */
  async read(response) {
    this.isAnswered = true;
    const type = response.headers.get("Content-Type") ?? "";
    if (!response.ok || !type.startsWith("text/event-stream")) {
      this.isOver = true;
      this.composer.refuse(await this.refusal(response));
      return;
    }
    for await (const event of readEvents(response)) this.show(event);
  }

  /** @param {Response} response */
  async refusal(response) {
    if (response.type === "opaqueredirect") return wordsOf(this, "signed-out");
    try {
      const { error } = await response.json();
      this.refused(error.code);
      return error.message;
    } catch {
      return wordsOf(this, "refused");
    }
  }

  /**
   * A panel may act on why a prompt was refused.
   * @param {string} _code
   */
  refused(_code) {}

  /** @param {StreamEvent} event */
  show({ name, data }) {
    if (name === "start") this.start(data);
    else if (name === "queue") this.queue(data);
    else if (name === "delta") this.delta(data);
    else if (name === "reply") this.reply(data);
    else if (name === "answer") this.answer(data);
    else if (name === "error") this.fail(data);
    else if (name === "end") this.end(data);
  }

  /** @param {{id: number}} data */
  start({ id }) {
    this.number = id;
    if (this.wantsStop) this.requestStop();
    const isFollowed = this.isFollowed();
    this.querySelector("[data-empty]")?.remove();
    this.turn = this.makeTurn(part(this, "template[data-turn]", HTMLTemplateElement));
    if (this.place) this.place.replaceWith(this.turn.root);
    else this.put(this.turn.root);
    // Recorded on the server from here on.
    this.composer.clear(this.prompt);
    this.say("generating");
    this.wait();
    if (isFollowed) this.follow();
  }

  /**
   * @param {HTMLTemplateElement} template
   * @returns {LiveTurn}
   */
  makeTurn(template) {
    return new LiveTurn(template, this.prompt);
  }

  /**
   * Show the turn of a new run.
   * @param {HTMLElement} turn
   */
  put(turn) {
    this.log.append(turn);
  }

  /** Tell the reader of the turn what it is waiting for. */
  wait() {
    this.turn.wait(wordsOf(this, "waiting"));
  }

  /** @param {{position: number}} data */
  queue({ position }) {
    this.turn.wait(wordsOf(this, "place", { position }));
    this.say("queued", { position });
  }

  /** @param {{text: string}} data */
  delta({ text }) {
    if (this.dataset.stream === "off") return;
    const isFollowed = this.isFollowed();
    this.turn.wait("");
    this.turn.append(text);
    if (isFollowed) this.follow();
  }

  /** @param {{text: string | null}} data */
  reply({ text }) {
    const isFollowed = this.isFollowed();
    const shown = text || wordsOf(this, "nothing");
    this.turn.reply(shown);
    this.composer.announce(shown);
    if (isFollowed) this.follow();
  }

  /**
   * The site itself has answered, because the message needs a person.
   * @param {{text: string}} data
   */
  answer({ text }) {
    const isFollowed = this.isFollowed();
    this.turn.wait("");
    this.turn.answered(text);
    this.composer.announce(text);
    if (isFollowed) this.follow();
  }

  /** @param {{message: string}} data */
  fail({ message }) {
    this.isOver = true;
    this.turn?.failed(message);
    if (this.turn) this.composer.giveBack(this.prompt);
    this.composer.refuse(message);
  }

  /** @param {{status?: string}} data */
  end({ status }) {
    this.isOver = true;
    if (status === "stopped") this.stopped();
  }

  stopped() {
    this.turn?.stopped();
    this.say("stopped");
  }

  lose() {
    this.turn?.failed(wordsOf(this, "lost"));
    this.composer.refuse(wordsOf(this, "lost"));
  }

  /** No end was told. */
  broken() {
    if (this.isAborted) this.stopped();
    else if (this.isAnswered) this.lose();
    else this.composer.refuse(wordsOf(this, "unreachable"));
  }

  finish() {
    this.turn?.done();
    this.controller = null;
    this.composer.finish();
  }

  get log() {
    return part(this, "[data-log]", HTMLElement);
  }

  /** A reader who is elsewhere on the page, perhaps at another panel, stays there. */
  isFollowed() {
    const last = this.log.lastElementChild ?? this.composer.form;
    const { top, bottom } = last.getBoundingClientRect();
    return bottom > 0 && Math.min(top, bottom - 200) < window.innerHeight;
  }

  follow() {
    this.composer.follow(this.turn.root);
  }

  /** @param {string} name @param {Record<string, string | number>} [values] */
  say(name, values) {
    this.composer.say(wordsOf(this, name, values));
  }
}

/** @param {string} pattern @param {number} id */
function addressOf(pattern, id) {
  return pattern.replace("{id}", String(id));
}

customElements.define("prompt-panel", PromptPanel);

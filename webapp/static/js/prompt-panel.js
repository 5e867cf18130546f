// <prompt-panel> upgrades a form that sends a prompt: it sends it with fetch, shows the
// reply while it is written, and can stop it. One request is one run of a model.
//
// It knows nothing of what the prompt is for. Its markup has
//   [data-log]           the conversation so far; [data-empty] stands there before it
//   template[data-turn]  one turn with the slots of live-turn.js
//   [data-composer]      the form with the parts of composer.js
//   [data-with-script]   what is hidden for those without scripts
// and as attributes the limit of characters (data-limit), whether the reply is shown
// word by word (data-stream="off": all at once) and all that it says (data-say-…).
import { Composer } from "./composer.js";
import { readEvents } from "./event-stream.js";
import { LiveTurn } from "./live-turn.js";
import { part, wordsOf } from "./markup.js";

/** @typedef {import("./event-stream.js").StreamEvent} StreamEvent */

export class PromptPanel extends HTMLElement {
  /** @type {Composer} */
  composer;
  /** @type {AbortController | null} While a prompt is on its way. */
  controller = null;
  /** @type {LiveTurn | null} The turn of the last prompt, once the server has it. */
  turn = null;

  connectedCallback() {
    this.composer ??= new Composer(this, {
      send: () => this.send(),
      stop: () => this.stop(),
    });
    for (const item of this.querySelectorAll("[data-with-script]"))
      /** @type {HTMLElement} */ (item).hidden = false;
  }

  /** A panel that leaves the page has no reader any more. */
  disconnectedCallback() {
    this.stop();
  }

  stop() {
    this.controller?.abort();
  }

  async send() {
    if (this.controller) return;
    this.controller = new AbortController();
    const { box, form } = this.composer;
    this.prompt = box.value;
    const body = new FormData(form);
    this.begin();
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body,
        headers: { Accept: "text/event-stream" },
        signal: this.controller.signal,
        redirect: "manual",
      });
      await this.read(response);
    } catch (error) {
      this.broken(error);
    } finally {
      this.finish();
    }
  }

  begin() {
    this.turn = null;
    this.isAnswered = false;
    this.sawEnd = false;
    this.composer.begin();
    this.say("sending");
  }

  /** @param {Response} response */
  async read(response) {
    this.isAnswered = true;
    const type = response.headers.get("Content-Type") ?? "";
    if (!response.ok || !type.startsWith("text/event-stream")) {
      this.composer.refuse(await this.refusal(response));
      return;
    }
    for await (const event of readEvents(response)) this.show(event);
    if (!this.sawEnd) this.lose();
  }

  /** @param {Response} response */
  async refusal(response) {
    if (response.type === "opaqueredirect") return wordsOf(this, "signed-out");
    try {
      return (await response.json()).error.message;
    } catch {
      return wordsOf(this, "refused");
    }
  }

  /** @param {StreamEvent} event */
  show({ name, data }) {
    if (name === "start") this.start();
    else if (name === "queue") this.queue(data);
    else if (name === "delta") this.delta(data);
    else if (name === "reply") this.reply(data);
    else if (name === "error") this.fail(data);
    else if (name === "end") this.end(data);
  }

  start() {
    const isNear = this.composer.isNearView();
    this.querySelector("[data-empty]")?.remove();
    const template = part(this, "template[data-turn]", HTMLTemplateElement);
    this.turn = new LiveTurn(template, part(this, "[data-log]", HTMLElement), this.prompt);
    // Recorded on the server from here on.
    this.composer.clear(this.prompt);
    this.say("generating");
    this.wait();
    if (isNear) this.turn.root.scrollIntoView({ block: "nearest" });
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
    const isNear = this.composer.isNearView();
    this.turn.wait("");
    this.turn.append(text);
    if (isNear) this.composer.follow();
  }

  /** @param {{text: string | null}} data */
  reply({ text }) {
    this.turn.reply(text || wordsOf(this, "nothing"));
    const words = (text ?? "").split(/\s+/).filter(Boolean).length;
    this.say(words === 1 ? "ready-one" : "ready", { words });
  }

  /** @param {{message: string}} data */
  fail({ message }) {
    this.sawEnd = true; // the server has said how it ended
    this.turn?.failed(message);
    if (this.turn) this.composer.giveBack(this.prompt);
    this.composer.refuse(message);
  }

  /** @param {object} _data */
  end(_data) {
    this.sawEnd = true;
  }

  lose() {
    this.turn?.failed(wordsOf(this, "lost"));
    this.composer.refuse(wordsOf(this, "lost"));
  }

  /** @param {unknown} error */
  broken(error) {
    if (this.controller.signal.aborted) {
      this.turn?.stopped();
      this.say("stopped");
      return;
    }
    // fetch reports a broken connection as a TypeError; anything else is a bug here.
    const isOffline = error instanceof TypeError;
    if (!isOffline) reportError(error);
    if (this.isAnswered || !isOffline) this.lose();
    else this.composer.refuse(wordsOf(this, "unreachable"));
  }

  finish() {
    this.turn?.done();
    this.controller = null;
    this.composer.finish();
  }

  /** @param {string} name @param {Record<string, string | number>} [values] */
  say(name, values) {
    this.composer.say(wordsOf(this, name, values));
  }
}

customElements.define("prompt-panel", PromptPanel);

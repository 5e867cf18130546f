// <prompt-panel> upgrades the form of a conversation: it sends the message with fetch,
// shows each stage as it happens, and can stop. One request is one attempt.
import { readEvents } from "./event-stream.js";
import { guardName, LiveTurn } from "./live-turn.js";
import { Passage } from "./passage.js";

const LOST =
  "The connection broke off, so the end of the reply is missing. Your message is in your notebook. Load the page again to see what came of it.";
const UNREACHABLE =
  "The site cannot be reached. Nothing was sent and your text is still here. Check the connection and send it again.";

class PromptPanel extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("[data-composer]");
    this.box = this.form.querySelector("textarea");
    this.sendButton = this.form.querySelector("[data-send]");
    this.stopButton = this.form.querySelector("[data-stop]");
    this.status = this.form.querySelector("[data-status]");
    this.problem = this.form.querySelector("[data-problem]");
    this.log = this.querySelector("[data-log]");
    this.passage = new Passage(this);
    for (const item of this.querySelectorAll("[data-with-script]")) item.hidden = false;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.send();
      }
    });
    this.box.addEventListener("input", () => this.count());
    this.stopButton.addEventListener("click", () => this.stop());
    this.count();
  }

  get limit() {
    return Number(this.dataset.limit);
  }

  count() {
    // The server counts characters, not the pairs that JavaScript makes of some.
    const used = [...this.box.value].length;
    const counter = this.form.querySelector("[data-count]");
    const most = this.limit.toLocaleString("en-GB");
    const over = used - this.limit;
    counter.toggleAttribute("data-over", over > 0);
    counter.textContent =
      over > 0
        ? `${most} characters: ${over.toLocaleString("en-GB")} too many`
        : `${most} characters (${used.toLocaleString("en-GB")} used)`;
  }

  stop() {
    this.wasStopped = true;
    this.controller?.abort();
  }

  async send() {
    if (this.controller) return;
    this.controller = new AbortController();
    this.wasStopped = false;
    this.sawEnd = false;
    const message = this.box.value;
    const body = new FormData(this.form);
    this.begin();
    try {
      const response = await fetch(this.form.action, {
        method: "POST",
        body,
        headers: { Accept: "text/event-stream" },
        signal: this.controller.signal,
        redirect: "manual",
      });
      await this.read(response, message);
    } catch (error) {
      this.broken(error);
    } finally {
      this.finish();
    }
  }

  begin() {
    this.turn = null;
    this.problem.replaceChildren();
    this.box.removeAttribute("aria-invalid");
    this.sendButton.setAttribute("aria-disabled", "true");
    this.stopButton.hidden = false;
    this.passage.clear();
    this.say("Sending…");
  }

  async read(response, message) {
    const type = response.headers.get("Content-Type") ?? "";
    if (!response.ok || !type.startsWith("text/event-stream")) {
      this.refuse(await refusal(response));
      return;
    }
    for await (const event of readEvents(response)) this.show(event, message);
    if (!this.sawEnd) this.lose(LOST);
  }

  show({ name, data }, message) {
    if (name === "start") this.start(message);
    else if (name === "queue") this.queue(data.position);
    else if (name === "guard") this.guard(data);
    else if (name === "delta") this.delta(data.text);
    else if (name === "reply") this.reply(data);
    else if (name === "error") this.fail(data.message);
    else if (name === "end") this.end(data);
  }

  start(message) {
    const near = this.isNearEnd();
    this.querySelector("[data-empty]")?.remove();
    this.turn = new LiveTurn(this.querySelector("template[data-turn]"), this.log, message);
    // Recorded on the server from here on: the box is free for the next message.
    if (this.box.value === message) this.box.value = "";
    this.count();
    this.say("Generating…");
    if (this.passage.hasGuards("input")) this.wait("guard", "input");
    else this.wait("warden");
    if (near) this.turn.root.scrollIntoView({ block: "nearest" });
  }

  wait(kind, stage) {
    const stop = this.passage.at(kind, stage);
    const name = stop?.dataset.guard && guardName(stop.dataset.guard);
    if (name && stage === "input") this.turn.wait(`${name} is reading your message…`);
    else if (this.dataset.guarded === "yes")
      this.turn.wait("The warden is writing. A guard reads the whole reply before you do…");
    else this.turn.wait("The warden is writing…");
  }

  queue(position) {
    this.passage.at("warden");
    this.turn.wait(`You are number ${position} in the queue…`);
    this.say(`Waiting: number ${position} in the queue.`);
  }

  guard(seen) {
    this.passage.judge(seen);
    this.turn.verdict(seen);
    if (!seen.allowed) this.turn.wait("");
    else if (seen.stage === "output") {
      this.passage.at("guard", "output");
      this.turn.wait("The guards are reading the reply…");
    } else if (this.passage.at("guard", "input")) this.wait("guard", "input");
    else this.wait("warden");
  }

  delta(text) {
    if (this.dataset.stream === "off") return;
    const near = this.isNearEnd();
    this.passage.at("warden");
    this.turn.wait("");
    this.turn.append(text);
    if (near) this.form.scrollIntoView({ block: "nearest" });
  }

  reply(data) {
    if (data.blocked_by) {
      this.passage.leave();
      this.turn.blocked(data.blocked_text ?? "");
      this.say("A guard stopped this.");
      return;
    }
    this.turn.reply(data.text ?? "");
    if (!data.text) this.turn.reply("(The warden said nothing at all.)");
    this.passage.at("reply");
    const words = (data.text ?? "").split(/\s+/).filter(Boolean).length;
    this.say(`Reply ready, ${words} ${words === 1 ? "word" : "words"}.`);
  }

  fail(text) {
    this.sawEnd = true; // the server has said how it ended
    this.turn?.failed(text);
    this.giveBack();
    this.refuse(text);
  }

  end(data) {
    this.sawEnd = true;
    this.turn.root.id = `attempt-${data.id}`;
    this.showLeft(data);
    if (data.notice) this.notice(data.notice);
  }

  showLeft(data) {
    const turns = document.querySelector("[data-turns-left]");
    if (turns && data.turns_left !== null)
      turns.textContent = `${data.turns_left} ${data.turns_left === 1 ? "message" : "messages"}`;
    const meter = document.querySelector("[data-suspicion]");
    if (!meter || data.suspicion_left === null) return;
    const most = Number(meter.dataset.suspicion);
    const used = most - data.suspicion_left;
    [...meter.children].forEach((pip, n) => pip.classList.toggle("is-used", n < used));
    document.querySelector("[data-suspicion-text]").textContent = `${used} of ${most}`;
  }

  notice(text) {
    const line = document.createElement("p");
    line.className = "note note--warn";
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = "Go to the new visit";
    line.append(`${text} `, link);
    this.problem.replaceChildren(line);
  }

  /** Show why nothing came, beside the form, where the text still is. */
  refuse(text) {
    const line = document.createElement("p");
    line.className = "note note--danger";
    line.id = "message-error";
    line.setAttribute("role", "alert");
    line.textContent = text;
    this.problem.replaceChildren(line);
    this.say("");
  }

  lose(text) {
    this.turn?.failed(text);
    this.refuse(text);
  }

  broken(error) {
    if (this.wasStopped) {
      this.turn?.stopped();
      this.say("Stopped.");
    } else if (this.turn) this.lose(LOST);
    else this.refuse(error instanceof TypeError ? UNREACHABLE : String(error.message));
  }

  /** Put the message back into the box, unless something new is in it already. */
  giveBack() {
    if (!this.box.value && this.turn) this.box.value = this.turn.slot("message").textContent;
    this.count();
  }

  finish() {
    this.turn?.done();
    this.controller = null;
    this.sendButton.removeAttribute("aria-disabled");
    if (document.activeElement === this.stopButton) this.box.focus({ preventScroll: true });
    this.stopButton.hidden = true;
  }

  say(text) {
    this.status.textContent = text;
  }

  isNearEnd() {
    return this.form.getBoundingClientRect().top < window.innerHeight + 200;
  }
}

/** @param {Response} response */
async function refusal(response) {
  if (response.type === "opaqueredirect")
    return "You are no longer signed in. Copy your text, then load the page again.";
  try {
    return (await response.json()).error.message;
  } catch {
    return "The site refused the message. Copy your text, then load the page again.";
  }
}

customElements.define("prompt-panel", PromptPanel);

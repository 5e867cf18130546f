// <lab-playground> asks the models of the playground one after the other and shows what
// they write. Where the replies then belong, the server says: it sends the form back with
// them in their place. Without this script the same form is sent, and the page comes whole.
//
// The form has [data-ask] on the buttons that ask, [data-stop], [data-status],
// [data-problem], [data-live] for what is being written, one [data-pane] for each model,
// and template[data-live-reply] for a reply.
import { readEvents } from "./event-stream.js";
import { part, wordsOf } from "./markup.js";
import { isEnter } from "./send-form.js";
import { replace } from "./swap.js";

const AS_STREAM = { Accept: "text/event-stream" };
const AS_PART = { "HX-Request": "true" };
// A keyboard on the screen has no Shift + Enter, so there Enter begins a new line.
const onScreenKeys = matchMedia("(pointer: coarse)");

/** @typedef {{id: number, seed: number}} Run */

class LabPlayground extends HTMLElement {
  isAsking = false;
  wantsStop = false;
  /** @type {number | null} The reply that is being written. */
  number = null;

  connectedCallback() {
    this.addEventListener("submit", (event) => this.submitted(event));
    this.addEventListener("keydown", (event) => this.pressed(event));
    this.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("[data-stop]")) this.stop();
    });
  }

  get form() {
    return part(this, "form", HTMLFormElement);
  }

  /** @param {SubmitEvent} event */
  submitted(event) {
    const button = event.submitter;
    const asks = button instanceof HTMLButtonElement && button.hasAttribute("data-ask");
    if (!asks && !this.isAsking) return;
    event.preventDefault();
    event.stopPropagation();
    // Another button's answer is on its way, and brings the form anew.
    const isSending = this.form.hasAttribute("data-sending");
    if (asks && !this.isAsking && !isSending) this.ask(button);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const box = event.target;
    if (!(box instanceof HTMLTextAreaElement) || !isEnter(event)) return;
    const isPlain = !event.shiftKey && !event.altKey && !onScreenKeys.matches;
    const sends = box.dataset.prompt === "chat" && isPlain;
    if (!sends && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    if (!event.repeat) this.form.requestSubmit(part(this.form, "#send", HTMLButtonElement));
  }

  /** @param {HTMLButtonElement} button */
  async ask(button) {
    this.begin();
    // What is written into the form meanwhile has not been sent.
    const sent = new FormData(this.form);
    const panes = [...this.form.querySelectorAll("[data-pane]")];
    /** @type {Run[]} */
    const runs = [];
    for (const [index, pane] of panes.entries()) {
      const body = copyOf(sent);
      body.set("do", button.value);
      body.set("pane", String(index + 1));
      if (runs.length) {
        // All of them go by the seed of the first one, whoever chose it.
        body.set("seed", String(runs[0].seed));
        if (button.value === "fresh") body.set("do", "retry");
      }
      const many = panes.length > 1 ? "asking-of" : "asking";
      this.say(wordsOf(this, many, { number: index + 1, of: panes.length }));
      const run = await this.hear(button.formAction, body, this.place(pane));
      if (!run) break;
      runs.push(run);
      if (this.wantsStop) break;
    }
    const words = this.problem;
    if (runs.length) await this.settle(button.value, runs, sent);
    this.finish(runs.length > 0);
    if (words) this.refuse(words);
  }

  begin() {
    this.isAsking = true;
    this.wantsStop = false;
    this.problem = "";
    part(this.form, "[data-problem]", HTMLElement).replaceChildren();
    for (const one of this.form.querySelectorAll("[data-ask]"))
      one.setAttribute("aria-disabled", "true");
    part(this.form, "[data-stop]", HTMLButtonElement).hidden = false;
    part(this.form, "[data-replies]", HTMLElement).hidden = true;
    const live = this.live;
    live.replaceChildren();
    live.hidden = false;
    live.classList.toggle("replies--many", this.form.querySelectorAll("[data-pane]").length > 1);
    live.setAttribute("aria-busy", "true");
  }

  /** @param {boolean} isSettled */
  finish(isSettled) {
    this.isAsking = false;
    this.number = null;
    const stop = part(this.form, "[data-stop]", HTMLButtonElement);
    const hadFocus = document.activeElement === stop || document.activeElement === document.body;
    stop.hidden = true;
    part(this.form, "[data-replies]", HTMLElement).hidden = false;
    this.live.removeAttribute("aria-busy");
    for (const one of this.form.querySelectorAll("[data-ask]")) one.removeAttribute("aria-disabled");
    if (!isSettled) this.live.hidden = true;
    if (hadFocus) this.form.querySelector("[data-prompt]")?.focus({ preventScroll: true });
  }

  /** Where the next message is written; raw text has none. */
  get box() {
    const box = this.form.querySelector("[data-prompt=chat]");
    return box instanceof HTMLTextAreaElement ? box : null;
  }

  get live() {
    return part(this.form, "[data-live]", HTMLElement);
  }

  /**
   * Return the box of a reply that is about to come.
   * @param {Element} pane
   */
  place(pane) {
    const template = part(this.form, "template[data-live-reply]", HTMLTemplateElement);
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const box = part(copy, "*", HTMLElement);
    const model = part(pane, "select", HTMLSelectElement).selectedOptions[0];
    part(box, "[data-slot=who]", HTMLElement).textContent = model?.dataset.title ?? "";
    this.live.append(box);
    box.scrollIntoView({ block: "nearest" });
    return box;
  }

  /**
   * Send a request and show its reply; return its run, or null if there is none.
   * @param {string} where
   * @param {FormData} body
   * @param {HTMLElement} box
   * @returns {Promise<Run | null>}
   */
  async hear(where, body, box) {
    let run = null;
    try {
      const answer = await fetch(where, {
        method: "POST",
        body,
        headers: AS_STREAM,
        redirect: "manual",
      });
      const type = answer.headers.get("Content-Type") ?? "";
      if (!answer.ok || !type.startsWith("text/event-stream")) {
        this.problem = await this.refusal(answer);
        return null;
      }
      for await (const { name, data } of readEvents(answer)) {
        if (name === "start") {
          run = { id: data.id, seed: data.seed };
          this.number = data.id;
          if (this.wantsStop) this.requestStop();
        } else this.show(box, name, data);
      }
    } catch (error) {
      if (!(error instanceof TypeError)) reportError(error);
      this.problem = wordsOf(this, run ? "lost" : "unreachable");
    }
    return run;
  }

  /**
   * @param {HTMLElement} box
   * @param {string} name
   * @param {any} data
   */
  show(box, name, data) {
    const said = part(box, "[data-slot=reply]", HTMLElement);
    const wait = part(box, "[data-slot=wait]", HTMLElement);
    if (name === "queue") wait.textContent = wordsOf(this, "place", data);
    else if (name === "delta") {
      if (this.dataset.stream === "off") return;
      wait.textContent = "";
      const { bottom } = box.getBoundingClientRect();
      const isSeen = bottom > 0 && bottom < window.innerHeight + 40;
      said.append(data.text);
      if (isSeen) box.scrollIntoView({ block: "nearest" });
    } else if (name === "answer") said.textContent = data.text;
    else if (name === "error") wait.textContent = data.message;
  }

  /** @param {Response} answer */
  async refusal(answer) {
    if (answer.type === "opaqueredirect") return wordsOf(this, "signed-out");
    try {
      return (await answer.json()).error.message;
    } catch {
      return wordsOf(this, "refused");
    }
  }

  /**
   * Let the server put the replies in their place.
   * @param {string} what
   * @param {Run[]} runs
   * @param {FormData} sent - the form as it was when they were asked for
   */
  async settle(what, runs, sent) {
    const body = copyOf(sent);
    body.set("do", `took.${what}`);
    body.set("seed", String(runs[0].seed));
    body.delete("run");
    for (const run of runs) body.append("run", String(run.id));
    try {
      const answer = await fetch(this.form.action, { method: "POST", body, headers: AS_PART });
      const text = await answer.text();
      if (answer.headers.has("HX-Retarget")) throw new TypeError(text);
      const typed = this.box?.value;
      replace(this.form, text);
      if (this.box && typed !== undefined && typed !== sent.get("message")) this.box.value = typed;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.refuse(wordsOf(this, "lost"));
      return;
    }
    const { address } = this.form.dataset;
    if (address) history.replaceState(null, "", address);
    this.announce();
  }

  /** Say that it is done, and read out what came. */
  announce() {
    const line = document.createElement("span");
    line.className = "visually-hidden";
    const last = this.form.querySelector("[data-role=assistant]:last-child textarea");
    const one = last instanceof HTMLTextAreaElement ? last.value : "";
    line.textContent = ` ${one.slice(0, 1000)}`;
    part(this.form, "[data-status]", HTMLElement).replaceChildren(wordsOf(this, "ready"), line);
  }

  stop() {
    if (!this.isAsking || this.wantsStop) return;
    this.wantsStop = true;
    this.say(wordsOf(this, "stopping"));
    if (this.number !== null) this.requestStop();
  }

  async requestStop() {
    const ask = part(this.form, "[data-ask]", HTMLButtonElement);
    const body = new FormData(this.form);
    const where = `${ask.formAction}/${this.number}/stop`;
    const answer = await fetch(where, { method: "POST", body }).catch(() => null);
    if (!answer?.ok && this.isAsking) this.say(wordsOf(this, "not-stopped"));
  }

  /** @param {string} words */
  say(words) {
    part(this.form, "[data-status]", HTMLElement).textContent = words;
  }

  /** @param {string} words */
  refuse(words) {
    const line = document.createElement("p");
    line.className = "note note--danger";
    line.setAttribute("role", "alert");
    line.textContent = words;
    const place = part(this.form, "[data-problem]", HTMLElement);
    place.replaceChildren(line);
    place.scrollIntoView({ block: "nearest" });
    this.say("");
  }
}

/** @param {FormData} form */
function copyOf(form) {
  const copy = new FormData();
  for (const [name, value] of form) copy.append(name, value);
  return copy;
}

customElements.define("lab-playground", LabPlayground);

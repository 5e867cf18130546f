// One turn of the conversation while it happens. What people and models write is only
// ever set as text, never as HTML.

/** @param {string} name */
export function guardName(name) {
  const words = name.replace(/[_-]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export class LiveTurn {
  /**
   * @param {HTMLTemplateElement} template
   * @param {HTMLElement} log
   * @param {string} message
   */
  constructor(template, log, message) {
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.root = /** @type {HTMLElement} */ (copy.querySelector(".turn"));
    this.slot("message").textContent = message;
    this.slot("body").setAttribute("aria-busy", "true");
    log.append(copy);
  }

  /** @param {string} name */
  slot(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`[data-slot=${name}]`));
  }

  /** @param {string} words */
  wait(words) {
    this.slot("wait").textContent = words;
  }

  /** @param {string} text */
  append(text) {
    this.slot("reply").append(text);
  }

  /** @param {string} text */
  reply(text) {
    this.slot("reply").textContent = text;
  }

  /** @param {{guard: string, stage: string, allowed: boolean, reason: string|null}} seen */
  verdict(seen) {
    const kind = seen.allowed ? "allowed" : "stopped";
    const mark = this.root.querySelector(`template[data-verdict=${kind}]`);
    const line = document.createElement("li");
    const what = seen.stage === "input" ? "your message" : "the reply";
    line.append(`${guardName(seen.guard)} read ${what} and `);
    line.append(/** @type {HTMLTemplateElement} */ (mark).content.cloneNode(true));
    if (seen.reason) line.append(` ${seen.reason}`);
    this.slot("stages").append(line);
  }

  /** @param {string} text */
  blocked(text) {
    this.slot("stopped").hidden = false;
    this.reply(text);
  }

  /** @param {string} text */
  failed(text) {
    this.slot("failed").hidden = false;
    this.slot("failure").textContent = text;
  }

  stopped() {
    this.slot("cut").hidden = false;
  }

  done() {
    this.wait("");
    this.slot("body").removeAttribute("aria-busy");
  }

  remove() {
    this.root.remove();
  }
}

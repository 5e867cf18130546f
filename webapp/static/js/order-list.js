// <order-list> upgrades lines whose places are chosen from menus: they move by buttons and
// by dragging. The menus keep the order for the form.
import { part } from "./markup.js";

class OrderList extends HTMLElement {
  /** @type {HTMLElement | null} */
  dragged = null;

  connectedCallback() {
    this.list = part(this, "ol", HTMLElement);
    for (const item of this.querySelectorAll("[data-place]"))
      /** @type {HTMLElement} */ (item).hidden = true;
    for (const item of this.querySelectorAll("[data-moves]"))
      /** @type {HTMLElement} */ (item).hidden = false;
    for (const line of this.lines) line.draggable = true;
    this.addEventListener("click", (event) => this.pressed(event));
    this.addEventListener("dragstart", (event) => this.lift(event));
    this.addEventListener("dragover", (event) => this.carry(event));
    this.addEventListener("drop", (event) => event.preventDefault());
    this.addEventListener("dragend", () => this.put());
    this.count();
  }

  get lines() {
    return /** @type {HTMLElement[]} */ ([...this.list.children]);
  }

  /** @param {MouseEvent} event */
  pressed(event) {
    const button = event.target instanceof Element && event.target.closest("[data-move]");
    if (!(button instanceof HTMLButtonElement)) return;
    const line = button.closest("li");
    const isUp = button.dataset.move === "up";
    if (isUp) line.previousElementSibling?.before(line);
    else line.nextElementSibling?.after(line);
    button.focus();
    this.count();
    const place = this.lines.indexOf(line) + 1;
    part(this, "[data-told]", HTMLElement).textContent = `Now line ${place} of ${this.lines.length}.`;
  }

  /** @param {DragEvent} event */
  lift(event) {
    const line = event.target instanceof Element ? event.target.closest("li") : null;
    if (!line || line.parentElement !== this.list) return;
    this.dragged = line;
    event.dataTransfer.effectAllowed = "move";
    line.toggleAttribute("data-dragged", true);
  }

  /** @param {DragEvent} event */
  carry(event) {
    const over = event.target instanceof Element ? event.target.closest("li") : null;
    if (!this.dragged || !over || over.parentElement !== this.list) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    if (over === this.dragged) return;
    if (event.clientY < top + height / 2) over.before(this.dragged);
    else over.after(this.dragged);
  }

  put() {
    this.dragged?.removeAttribute("data-dragged");
    this.dragged = null;
    this.count();
  }

  /** Write the places into the menus, and what the buttons can do. */
  count() {
    const { lines } = this;
    lines.forEach((line, n) => {
      part(line, "select", HTMLSelectElement).value = String(n + 1);
      const able = { up: n > 0, down: n < lines.length - 1 };
      for (const button of line.querySelectorAll("[data-move]")) {
        const move = /** @type {HTMLElement} */ (button).dataset.move;
        button.setAttribute("aria-disabled", String(!able[move]));
      }
    });
  }
}

customElements.define("order-list", OrderList);

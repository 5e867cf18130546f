// Pages about what may come next: values of sliders, tokens that are walked with arrows and
// tell their rivals under the pointer, and the line of surprise. Everything also works
// without it: a press opens a token.
import "./surprise-line.js";

for (const slider of document.querySelectorAll("input[type=range]")) {
  const shown = document.querySelector(`output[for="${slider.id}"]`);
  slider.addEventListener("input", () => {
    shown.textContent = slider.value;
  });
}

for (const list of document.querySelectorAll("[data-roving]")) {
  walk(list);
  peek(list, document.querySelector("[data-peek]"));
}

/**
 * One stop for the Tab key; arrows, Home and End go from token to token.
 * @param {Element} list
 */
function walk(list) {
  const heads = [...list.querySelectorAll("summary")];
  if (!heads.length) return;
  /** @param {HTMLElement} head */
  const stopAt = (head) => {
    for (const other of heads) other.tabIndex = other === head ? 0 : -1;
  };
  stopAt(heads.at(-1));
  list.addEventListener("focusin", ({ target }) => {
    if (!heads.includes(target)) return;
    stopAt(target);
    // Only where somebody walks: a press opens it by itself.
    if (target.matches(":focus-visible")) target.parentElement.open = true;
  });
  list.addEventListener("keydown", (event) => {
    const place = heads.indexOf(event.target);
    if (place < 0) return;
    const steps = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: heads.length - 1 };
    if (event.key === "Escape") event.target.parentElement.open = false;
    const next = heads[steps[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

/**
 * The rivals of the token under the pointer, in a line that has its place already.
 * @param {Element} list
 * @param {HTMLElement} line
 */
function peek(list, line) {
  const words = line.textContent;
  line.hidden = false;
  list.addEventListener("pointerover", (event) => {
    const chip = event.target.closest(".chip");
    if (!chip || event.pointerType !== "mouse") return;
    const rivals = [...chip.querySelectorAll(".rival")].map((rival) => {
      const [text, share] = [".rival__text", ".rival__share"].map((name) => rival.querySelector(name).cloneNode(true));
      for (const hidden of text.querySelectorAll(".visually-hidden")) hidden.remove();
      return `${text.textContent.trim()} ${share.textContent.trim()}`;
    });
    line.textContent = rivals.length ? rivals.join(" · ") : words;
  });
  list.addEventListener("pointerleave", () => {
    line.textContent = words;
  });
}

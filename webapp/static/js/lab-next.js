// Pages about what may come next: values of sliders, tokens that are walked with arrows and
// open under the pointer, and the line of surprise. Everything also works without it.
import "./surprise-line.js";

for (const slider of document.querySelectorAll("input[type=range]")) {
  const shown = document.querySelector(`output[for="${slider.id}"]`);
  slider.addEventListener("input", () => {
    shown.textContent = slider.value;
  });
}

for (const list of document.querySelectorAll("[data-roving]")) walk(list);

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

// A form that is on its way is not sent a second time, however often its button is
// clicked. Scripts that send a form themselves look after their own.
const PATIENCE_MS = 15_000;

/** @type {Set<EventTarget>} */
const underway = new Set();

document.addEventListener(
  "submit",
  (event) => {
    if (!underway.has(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  { capture: true },
);

// Last of all listeners, so that it knows whether the browser will send the form.
window.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  underway.add(form);
  // The page stays if its reader stopped the answer.
  setTimeout(() => underway.delete(form), PATIENCE_MS);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  underway.add(event.detail.elt);
});

document.addEventListener("htmx:afterRequest", (event) => {
  underway.delete(event.detail.elt);
});

// "Back" brings the page as it was left.
window.addEventListener("pageshow", () => underway.clear());

// The moment after a win: points that count up, and a line for those who listen.
const COUNT_MS = 1500;
// A screen reader first reads the heading, which has the focus.
const PAUSE_MS = 600;

for (const place of document.querySelectorAll("[data-tell-later]"))
  setTimeout(() => (place.textContent = place.dataset.tellLater), PAUSE_MS);

if (!matchMedia("(prefers-reduced-motion: reduce)").matches)
  for (const place of document.querySelectorAll("[data-count-up]")) countUp(place);

/** @param {HTMLElement} place */
function countUp(place) {
  const words = place.textContent;
  const points = place.dataset.countUp;
  const started = performance.now();
  const step = (/** @type {number} */ now) => {
    const share = Math.min(1, (now - started) / COUNT_MS);
    const shown = Math.round(share * Number(points));
    place.textContent = share < 1 ? words.replace(/[\d,]+/, String(shown)) : words;
    if (share < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

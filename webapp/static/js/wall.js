// The wall asks for news and puts them in place. What was there before moves to its new
// place by a transform alone, and not at all for those who want less motion.
const POLL_MS = 3000;
const NEWS_MS = 7000;
// More wins at once are on the list of the last ones anyway.
const MOST_NEWS = 5;
const MOVE = { duration: 700, easing: "ease-in-out" };
const SHUT = "This wall has a new link. Open it again from the page of the class.";

const news = document.getElementById("wall-news");
/** @type {string[]} */
const waiting = [];
let etag = "";
let lastWin = newest();
let isTelling = false;

setTimeout(look, POLL_MS);

async function look() {
  const answer = await fetch(location.href, {
    cache: "no-store",
    headers: { "HX-Request": "true", ...(etag && { "If-None-Match": etag }) },
  }).catch(() => null);
  if (answer?.status === 200) {
    etag = answer.headers.get("ETag") ?? "";
    put(await answer.text());
  }
  if (answer?.status === 403) {
    say(SHUT);
    return;
  }
  setTimeout(look, POLL_MS);
}

/** @param {string} html */
function put(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const before = places();
  document.getElementById("wall").replaceWith(template.content.firstElementChild);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) move(before);
  const fresh = [...document.querySelectorAll("[data-win]")]
    .filter((win) => Number(win.dataset.win) > lastWin)
    .map((win) => win.textContent.trim())
    .reverse();
  lastWin = Math.max(lastWin, newest());
  waiting.push(...fresh);
  waiting.splice(0, waiting.length - MOST_NEWS);
  if (!isTelling) tell();
}

function tell() {
  const words = waiting.shift();
  isTelling = words !== undefined;
  news.hidden = !isTelling;
  if (words === undefined) return;
  say(words);
  setTimeout(tell, NEWS_MS);
}

/** @param {string} words */
function say(words) {
  news.hidden = false;
  news.textContent = words;
}

/** @returns {number} the newest win on the wall, 0 if there is none */
function newest() {
  const wins = [...document.querySelectorAll("[data-win]")];
  return Math.max(0, ...wins.map((win) => Number(win.dataset.win)));
}

/** @returns {Map<string, number>} how far down each row is */
function places() {
  const rows = [...document.querySelectorAll("[data-key]")];
  return new Map(rows.map((row) => [row.dataset.key, row.offsetTop]));
}

/** @param {Map<string, number>} before */
function move(before) {
  for (const row of document.querySelectorAll("[data-key]")) {
    const way = (before.get(row.dataset.key) ?? row.offsetTop) - row.offsetTop;
    if (way) row.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], MOVE);
  }
}

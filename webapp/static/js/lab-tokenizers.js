// The bench of tokenizers: results follow what is typed, and tokens that share a part of
// the text show each other, by mouse, by keyboard and by touch. All also works without it.
import "./swap.js";

const PAUSE_MS = 400;
const FORWARD = new Map([["ArrowRight", 1], ["ArrowDown", 1], ["ArrowLeft", -1], ["ArrowUp", -1]]);

for (const form of document.querySelectorAll("form[data-live]")) follow(form);
for (const result of document.querySelectorAll("[data-pairing]")) pair(result);
document.addEventListener("htmx:load", (event) => {
  const fresh = /** @type {HTMLElement} */ (event.target);
  if (fresh instanceof HTMLElement && fresh.matches("[data-pairing]")) pair(fresh);
});

/**
 * Send a form by itself when it was changed and rests.
 * @param {HTMLFormElement} form
 */
function follow(form) {
  let timer = 0;
  const send = () => {
    // One at a time: the answers would overtake each other.
    if (form.hasAttribute("data-sending")) later();
    else form.requestSubmit();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE_MS);
  };
  form.addEventListener("input", later);
}

/**
 * Connect the tokens of the rows of one text.
 * @param {HTMLElement} result
 */
function pair(result) {
  const told = /** @type {HTMLElement} */ (result.querySelector("[data-told]"));
  const rows = [...result.querySelectorAll("[data-row]")];
  if (!told) return;
  const hint = told.textContent;
  let pinned = null;
  let focused = null;
  told.hidden = false;
  for (const row of rows) {
    const pieces = piecesOf(row);
    pieces.forEach((piece, place) => {
      piece.setAttribute("role", "button");
      piece.setAttribute("aria-pressed", "false");
      piece.tabIndex = place ? -1 : 0;
    });
    row.addEventListener("keydown", (event) => move(event, pieces));
  }
  result.addEventListener("pointerover", (event) => show(pieceAt(event.target)));
  result.addEventListener("pointerleave", () => show(null));
  result.addEventListener("focusin", (event) => {
    focused = pieceAt(event.target);
    show(focused);
  });
  result.addEventListener("focusout", () => {
    focused = null;
    show(null);
  });
  result.addEventListener("click", (event) => pin(pieceAt(event.target)));
  result.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(null);
    const piece = event.key === "Enter" || event.key === " " ? pieceAt(event.target) : null;
    if (!piece) return;
    event.preventDefault();
    pin(piece);
  });

  /** @param {HTMLElement | null} piece */
  function pin(piece) {
    pinned?.setAttribute("aria-pressed", "false");
    pinned = piece === pinned ? null : piece;
    pinned?.setAttribute("aria-pressed", "true");
    focused = null;
    show(pinned);
  }

  /**
   * Where the pointer is on no token, the one of the keyboard counts: a page that scrolls
   * below a resting pointer tells it so too.
   * @param {HTMLElement | null} piece
   */
  function show(piece) {
    const chosen = piece ?? focused ?? pinned;
    for (const old of result.querySelectorAll(".is-paired")) old.classList.remove("is-paired");
    if (!chosen) {
      told.textContent = hint;
      return;
    }
    const lines = rows.map((row) => {
      const shared = piecesOf(row).filter((other) => other === chosen || share(other, chosen));
      for (const other of shared) other.classList.add("is-paired");
      return `${nameOf(row)}: ${shared.map(words).join(", ") || "nothing"}`;
    });
    const size = chosen.dataset.bytes ? chosen.dataset.bytes.split(" ").length : 0;
    const bytes = size ? ` · ${size} ${size === 1 ? "byte" : "bytes"}: ${chosen.dataset.bytes}` : "";
    told.textContent = `${lines.join(" · ")}${bytes}`;
  }

  /** @param {EventTarget | null} target */
  function pieceAt(target) {
    const piece = target instanceof Element ? target.closest("[data-row] [data-piece]") : null;
    return /** @type {HTMLElement | null} */ (piece);
  }
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} pieces
 */
function move(event, pieces) {
  const at = pieces.indexOf(/** @type {HTMLElement} */ (event.target));
  const step = FORWARD.get(event.key);
  const next = event.key === "Home" ? 0 : event.key === "End" ? pieces.length - 1 : step && at + step;
  if (at < 0 || next === undefined || !pieces[next]) return;
  event.preventDefault();
  pieces[at].tabIndex = -1;
  pieces[next].tabIndex = 0;
  pieces[next].focus();
}

/** @param {Element} row */
function piecesOf(row) {
  return /** @type {HTMLElement[]} */ ([...row.querySelectorAll("[data-piece]")]);
}

/** @param {Element} row */
function nameOf(row) {
  return /** @type {HTMLElement} */ (row.closest("[data-tokenizer]")).dataset.tokenizer;
}

/**
 * Whether two tokens have a byte of the text in common.
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
function share(one, other) {
  const start = Math.max(Number(one.dataset.from), Number(other.dataset.from));
  return start < Math.min(Number(one.dataset.to), Number(other.dataset.to));
}

/** @param {HTMLElement} piece */
function words(piece) {
  return `“${piece.textContent}” ${piece.dataset.piece}`;
}

// Buttons and forms with data-swap send their form in the background and put the answer in
// the place that they name, so that what is typed elsewhere on the page stays. Parts with
// data-refresh are fetched again when they hear of a run that is over.
const AS_PART = { "HX-Request": "true" };
const SILENT =
  "The site did not answer, so this may or may not have been saved. What you typed is still here: send it again.";

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const button = event.submitter;
  const target = button?.dataset.swap ?? form.dataset.swap;
  if (!target || (button?.hasAttribute("formaction") && !button.dataset.swap)) return;
  event.preventDefault();
  if (form.hasAttribute("data-sending")) return;
  form.toggleAttribute("data-sending", true);
  const place = button?.getAttribute("formaction") ?? form.action;
  const body = new FormData(form, button);
  try {
    const answer = await fetch(place, { method: "POST", body, headers: AS_PART });
    await put(answer, target);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    tell(SILENT);
  } finally {
    form.removeAttribute("data-sending");
  }
});

document.addEventListener(
  "run-over",
  async (event) => {
    const part = event.target;
    if (!(part instanceof HTMLElement) || !part.dataset.refresh) return;
    const answer = await fetch(part.dataset.refresh, { headers: AS_PART }).catch(() => null);
    // Otherwise it stays as it was, and the next page brings the news.
    if (answer?.ok) replace(part, await answer.text());
  },
  { capture: true },
);

/**
 * @param {Response} answer
 * @param {string} target
 */
async function put(answer, target) {
  const text = await answer.text();
  const elsewhere = answer.headers.get("HX-Retarget");
  if (elsewhere) {
    const place = document.querySelector(elsewhere);
    place.innerHTML = text;
    place.scrollIntoView({ block: "nearest" });
    return;
  }
  const place = document.querySelector(target);
  if (!place) return;
  replace(place, text);
  for (const other of document.querySelectorAll("[data-after-answer]"))
    other.dispatchEvent(new CustomEvent("run-over"));
}

/**
 * Put a part of a page, as the server made it, in the place of the one before.
 * @param {Element} place
 * @param {string} html
 */
export function replace(place, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  const opened = [...place.querySelectorAll("details[open][id]")].map(({ id }) => id);
  // Open folds stay open.
  for (const id of opened) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  const focus = document.activeElement;
  const home = place.contains(focus) ? focus.id : "";
  place.replaceWith(fresh);
  // Times and copy buttons in it are told as htmx tells them on other pages.
  fresh.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  const next = fresh.querySelector("[data-focus]") ?? (home && document.getElementById(home));
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

/** @param {string} words */
function tell(words) {
  const line = document.createElement("p");
  line.className = "note note--danger";
  line.setAttribute("role", "alert");
  line.textContent = words;
  const place = document.getElementById("messages");
  place.replaceChildren(line);
  place.scrollIntoView({ block: "nearest" });
}

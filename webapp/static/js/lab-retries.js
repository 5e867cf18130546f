// Asks the pretend weather service, and tries again in the way that was chosen.
import { part } from "./markup.js";

const MOST_TRIES = 8;
const FIRST_WAIT = 0.5;

/**
 * Return the seconds until the next try; null to give up.
 * @type {Record<string, (tries: number, told: number | null) => number | null>}
 */
const WAYS = {
  never: () => null,
  "at-once": () => 0,
  longer: (tries) => FIRST_WAIT * 2 ** (tries - 1),
  "as-told": (tries, told) => told ?? FIRST_WAIT * 2 ** (tries - 1),
};

/** @param {HTMLElement} place */
function connect(place) {
  const form = part(place, "form", HTMLFormElement);
  const status = part(place, "[data-retries-status]", HTMLElement);
  const table = part(place, "[data-retries-table]", HTMLElement);
  let isBusy = false;
  part(place, "[data-with-script]", HTMLElement).hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    const rows = part(table, "tbody", HTMLElement);
    rows.replaceChildren();
    table.hidden = false;
    const given = new FormData(form);
    try {
      status.textContent = await ask(place.dataset.retries, given, rows, status);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      status.textContent = "The site did not answer at all.";
    }
    isBusy = false;
  });
}

/**
 * @param {string} address
 * @param {FormData} given
 * @param {HTMLElement} rows
 * @param {HTMLElement} status
 */
async function ask(address, given, rows, status) {
  const place = `${address}?${new URLSearchParams({ city: String(given.get("city")) })}`;
  const next = WAYS[String(given.get("way"))];
  let waited = 0;
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    status.textContent = `Try ${tries}…`;
    const answer = await fetch(place, { headers: { Accept: "application/json" } });
    const body = await answer.json();
    const told = answer.headers.get("Retry-After");
    if (answer.ok) {
      rows.append(row(tries, answer.status, `${body.degrees} °C, ${body.sky}`, "–"));
      return `It answered after ${count(tries, "try", "tries")} and ${seconds(waited)} of waiting.`;
    }
    const wait = next(tries, told === null ? null : Number(told));
    const isLast = wait === null || tries === MOST_TRIES || answer.status === 400;
    rows.append(row(tries, answer.status, body.error ?? "…", isLast ? "–" : seconds(wait)));
    if (isLast) break;
    waited += wait;
    await new Promise((go) => setTimeout(go, 1000 * wait));
  }
  return `Given up after ${seconds(waited)} of waiting.`;
}

/** @param {(string | number)[]} cells */
function row(...cells) {
  const line = document.createElement("tr");
  line.append(
    ...cells.map((text) => {
      const cell = document.createElement("td");
      cell.textContent = String(text);
      return cell;
    }),
  );
  return line;
}

/** @param {number} number */
function seconds(number) {
  return `${number} s`;
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} many
 */
function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

for (const place of document.querySelectorAll("[data-retries]")) connect(place);

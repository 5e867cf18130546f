// The editor of a file: what is wrong is told as one types, and nothing that was typed is
// lost, whether one is signed out, closes the page or somebody else was quicker.
import { openEditor } from "./code-editor.js";
import { completer } from "./schema-words.js";

const WAIT = 600;

/** @param {HTMLFormElement} form */
function start(form) {
  const area = form.querySelector("textarea[name=text]");
  const status = form.querySelector("[data-status]");
  const trouble = form.querySelector("[data-trouble]");
  const kept = form.querySelector("[data-kept]");
  const list = document.querySelector("[data-problems]");
  const fine = document.querySelector("[data-fine]");
  const line = document.querySelector("[data-problem-of]");
  const key = `draft:${form.dataset.name}`;
  const saved = { text: "unsaved" in form.dataset ? null : area.value };
  let schema = null;
  let timer = 0;
  let asked = 0;

  const editor = openEditor(area, {
    name: form.dataset.name,
    describedBy: `The file ${form.dataset.name}`,
    complete: completer(() => schema, form.dataset.name.endsWith(".md")),
    onChange: changed,
  });
  for (const hint of document.querySelectorAll("[data-with-script]")) hint.hidden = false;
  for (const part of document.querySelectorAll("[data-without-script]")) part.hidden = true;
  document.getElementById("text-label").addEventListener("click", () => editor.focus());
  if (form.dataset.schema) {
    fetch(form.dataset.schema).then((answer) => (answer.ok ? answer.json() : null)).then((found) => (schema = found));
  }

  function isUnsaved() {
    return !area.readOnly && area.value !== saved.text;
  }

  /** @param {string} text */
  function changed(text) {
    if (area.readOnly) return;
    try {
      const seen = form.elements.seen.value;
      if (isUnsaved()) sessionStorage.setItem(key, JSON.stringify({ text, seen }));
      else sessionStorage.removeItem(key);
    } catch {
      // A full or forbidden store: the page itself still has the text.
    }
    if (status) status.textContent = isUnsaved() ? "Not saved yet." : "";
    clearTimeout(timer);
    timer = setTimeout(check, WAIT);
  }

  /** @param {string} address @param {Record<string, string>} fields */
  function send(address, fields) {
    const body = new FormData();
    body.set("csrf_token", form.elements.csrf_token.value);
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  }

  async function check() {
    asked += 1;
    const mine = asked;
    let answer;
    try {
      answer = await send(form.dataset.check, { name: form.dataset.name, text: area.value });
    } catch {
      return;
    }
    if (mine === asked && answer.ok) show(await answer.json());
  }

  /** @param {{lines: object[], elsewhere: string[]}} checked */
  function show(checked) {
    editor.show(checked.lines);
    list.replaceChildren(...checked.lines.map(item), ...checked.elsewhere.map(other));
    fine.hidden = Boolean(checked.lines.length + checked.elsewhere.length);
  }

  function entry(isError) {
    const made = line.content.firstElementChild.cloneNode(true);
    made.querySelector(isError ? "[data-warning]" : "[data-error]").remove();
    return made;
  }

  function item({ line: number, message, suggestion, is_error }) {
    const made = entry(is_error);
    const link = made.querySelector("[data-line]");
    link.dataset.line = number;
    link.textContent = `Line ${number}`;
    made.querySelector("[data-said]").textContent = `: ${message}${suggestion ? `; ${suggestion}` : ""}`;
    return made;
  }

  function other(text) {
    const made = entry(true);
    made.querySelector("[data-line]").remove();
    made.querySelector("[data-said]").textContent = `In another file: ${text}`;
    return made;
  }

  /** A page that has been open over night carries a seal that is no longer good. */
  async function freshSeal() {
    const page = await fetch(location.pathname);
    const found = new DOMParser().parseFromString(await page.text(), "text/html");
    const mine = found.querySelector("[data-editor] [name=csrf_token]");
    if (!mine) return false;
    for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = mine.value;
    return true;
  }

  function tell(text) {
    trouble.textContent = text;
    trouble.className = "note note--danger";
    trouble.hidden = !text;
  }

  function tellSignedOut() {
    tell("…");
    const link = document.createElement("a");
    link.href = form.dataset.join;
    link.target = "_blank";
    link.textContent = "Sign in in another tab";
    const words = document.createElement("span");
    words.append("You have been signed out, so nothing was saved. Your text is still here. ", link, ", then press “Save the draft” again.");
    trouble.replaceChildren(words);
  }

  async function save(again = true) {
    tell("");
    status.textContent = "Saving…";
    const sent = area.value;
    let answer;
    try {
      answer = await send(form.action, { text: sent, seen: form.elements.seen.value });
    } catch {
      status.textContent = "";
      return tell("The site does not answer. Your text is still here: try again in a moment.");
    }
    if (answer.ok && !answer.redirected) return done(await answer.json(), sent);
    status.textContent = "";
    if (answer.status === 409) return leave();
    if (answer.status === 400 || answer.status === 401) {
      const told = await answer.json().catch(() => null);
      if (told?.code === "invalid_input") return tell(told.message);
      if (again && (await freshSeal())) return save(false);
    }
    return tellSignedOut();
  }

  /** The page that comes shows both texts. */
  function leave() {
    form.dataset.leaving = "yes";
    form.submit();
  }

  function done(told, sent) {
    const before = form.elements.seen.value;
    for (const field of document.querySelectorAll("[name=seen]")) {
      if (field.value === before) field.value = told.seen;
    }
    saved.text = sent;
    changed(area.value);
    status.textContent = isUnsaved() ? "Saved, and you have written more since." : "Saved. Players do not see it yet.";
    document.querySelector("[data-state]").textContent = told.state;
    show(told.checked);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    editor.goTo(Number(link.dataset.line));
  });
  addEventListener("beforeunload", (event) => {
    if (isUnsaved() && !form.dataset.leaving) event.preventDefault();
  });
  for (const act of document.querySelectorAll("[data-act]")) {
    act.addEventListener("submit", (event) => {
      if (!isUnsaved()) return;
      event.preventDefault();
      tell("Save the draft first: what you have written since is not saved yet.");
      trouble.scrollIntoView({ block: "center" });
    });
  }

  /** A text that was typed here and never saved; what it began from comes with it. */
  function restoreKept() {
    const before = JSON.parse(sessionStorage.getItem(key) ?? "null");
    if (!before || before.text === saved.text) return;
    const seen = form.elements.seen.value;
    form.elements.seen.value = before.seen;
    editor.setText(before.text);
    kept.hidden = false;
    kept.querySelector("[data-drop]").addEventListener("click", () => {
      form.elements.seen.value = seen;
      editor.setText(saved.text);
      kept.hidden = true;
      editor.focus();
    });
  }

  if (!area.readOnly && saved.text !== null) restoreKept();
  check();
}

for (const form of document.querySelectorAll("[data-editor]")) start(form);

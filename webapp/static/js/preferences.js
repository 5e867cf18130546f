// Colours and the way replies appear change at once, without reloading the page.
for (const form of document.querySelectorAll("[data-preferences]")) {
  form.addEventListener("submit", async (event) => {
    const { name, value } = event.submitter ?? {};
    if (!name) return;
    event.preventDefault();
    const body = new FormData(form);
    body.set(name, value);
    const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
    if (!answer?.ok) {
      location.reload();
      return;
    }
    apply(name, value);
    for (const choice of form.querySelectorAll(`[name=${name}]`))
      choice.setAttribute("aria-pressed", String(choice.value === value));
  });
}

/** @param {string} name @param {string} value */
function apply(name, value) {
  if (name === "theme") document.documentElement.dataset.theme = value;
  for (const panel of document.querySelectorAll("[data-stream]"))
    if (name === "stream") panel.dataset.stream = value;
}

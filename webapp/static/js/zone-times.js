// Fields for a moment are in UTC. Where this runs, they show the reader's own time, and
// send UTC all the same.

/** @param {HTMLInputElement} field */
function show(field) {
  if (field.defaultValue) field.value = local(new Date(`${field.defaultValue}Z`));
  const zone = field.labels[0]?.querySelector("[data-zone]");
  if (zone) zone.textContent = "(your time)";
}

/** @param {Date} moment */
function local(moment) {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

for (const field of document.querySelectorAll("input[data-utc]"))
  show(/** @type {HTMLInputElement} */ (field));

document.addEventListener("formdata", (event) => {
  for (const field of event.target.querySelectorAll("input[data-utc]")) {
    if (!field.value) continue;
    event.formData.set(field.name, new Date(field.value).toISOString().slice(0, 16));
  }
});

// Times are sent in UTC; here they become the reader's own.
const shown = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** @param {ParentNode} root */
function localise(root) {
  for (const item of root.querySelectorAll("time[data-local-time]")) {
    item.title = item.textContent;
    item.textContent = shown.format(new Date(item.dateTime));
    item.removeAttribute("data-local-time");
  }
}

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.target));

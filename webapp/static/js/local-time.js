// Times are sent in UTC; here they become the reader's own.
const shown = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const date = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

/**
 * The time of a moment of today, the date of any other.
 * @param {Date} moment
 */
function short(moment) {
  const now = new Date();
  if (moment.toDateString() === now.toDateString()) return time.format(moment);
  return (moment.getFullYear() === now.getFullYear() ? day : date).format(moment);
}

/** @param {ParentNode} root */
function localise(root) {
  for (const item of root.querySelectorAll("time[data-local-time]")) {
    const moment = new Date(item.dateTime);
    const isShort = item.dataset.localTime === "short";
    item.title = isShort ? shown.format(moment) : item.textContent;
    item.textContent = isShort ? short(moment) : shown.format(moment);
    item.removeAttribute("data-local-time");
  }
}

localise(document);
document.addEventListener("htmx:load", (event) => localise(event.target));

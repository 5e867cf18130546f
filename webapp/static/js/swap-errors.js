// When a part of the page cannot be fetched, say so instead of doing nothing. Polling
// (the leaderboard) stays silent: it simply tries again.
let line = null;

document.addEventListener("htmx:beforeRequest", () => {
  line?.remove();
});

document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.requestConfig.verb === "get") return;
  line = document.createElement("p");
  line.className = "note note--danger";
  line.setAttribute("role", "alert");
  line.textContent =
    "The site did not answer, so this may or may not have been saved. What you typed is still here: send it again.";
  document.getElementById("messages").replaceChildren(line);
});

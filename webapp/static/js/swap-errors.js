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
    "The site cannot be reached, so nothing was saved. What you typed is still here.";
  document.getElementById("messages").replaceChildren(line);
});

// A button with data-copy="ID" copies the text of that element.

/** @param {ParentNode} root */
function reveal(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

/** @param {HTMLElement} source */
function select(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

/** @param {HTMLElement} source */
async function copy(source) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(source.textContent);
    return;
  }
  // A page without HTTPS has no clipboard, but may copy what is selected.
  select(source);
  if (!document.execCommand("copy")) throw new Error("not allowed");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const words = (button.dataset.words ??= button.textContent);
  try {
    await copy(source);
    button.textContent = "Copied";
  } catch {
    // No permission: the reader can still press Ctrl+C.
    select(source);
    button.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => (button.textContent = words), 2000);
});

reveal(document);
document.addEventListener("htmx:load", (event) => reveal(event.target));

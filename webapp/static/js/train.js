// The pages about training: curves, the slider of the learning rate, choices that belong
// together. Everything also works without it, but for the drawing of curves.
import "./loss-chart.js";

for (const slider of document.querySelectorAll("[data-log-of]")) connect(slider);
for (const form of document.querySelectorAll("#new-run")) matchMethods(form);

/**
 * A slider over powers of ten, beside the number that is sent.
 * @param {HTMLInputElement} slider
 */
function connect(slider) {
  const number = /** @type {HTMLInputElement} */ (document.getElementById(slider.dataset.logOf));
  const follow = () => {
    const rate = Number(number.value.replace(",", "."));
    if (rate > 0) slider.value = String(Math.log10(rate));
  };
  slider.hidden = false;
  slider.addEventListener("input", () => {
    const rate = 10 ** Number(slider.value);
    number.value = plain(rate);
  });
  number.addEventListener("input", follow);
  number.addEventListener("follow", follow);
  follow();
}

/**
 * Two digits, written out: 0.0005 and not 5e-4.
 * @param {number} rate
 */
function plain(rate) {
  const places = Math.max(0, 1 - Math.floor(Math.log10(rate)));
  return rate.toFixed(places).replace(/0+$/, "");
}

/**
 * An empty model can only be trained from nothing, and no other one can. Each way of
 * training comes with its usual learning rate.
 * @param {HTMLFormElement} form
 */
function matchMethods(form) {
  const rate = /** @type {HTMLInputElement} */ (form.elements.namedItem("learning_rate"));
  form.addEventListener("change", (event) => {
    let changed = /** @type {HTMLInputElement} */ (event.target);
    if (changed.name === "hub_base") {
      // Whoever types the name of a model means that one.
      changed = form.querySelector("[name=base][value=hub]");
      changed.checked = true;
    }
    if (changed.name === "base") {
      // An empty model learns from more at a time: it is small.
      form.elements.namedItem("rows").value = changed.dataset.rows;
      const isFresh = changed.hasAttribute("data-fresh");
      const now = form.querySelector("[name=method]:checked");
      if ((now?.value === "fresh") === isFresh) return;
      choose(form.querySelector(`[name=method][value=${isFresh ? "fresh" : "lora"}]`));
    } else if (changed.name === "method") choose(changed);
  });

  /** @param {HTMLInputElement} method */
  function choose(method) {
    method.checked = true;
    rate.value = method.dataset.rate;
    rate.dispatchEvent(new CustomEvent("follow"));
  }
}

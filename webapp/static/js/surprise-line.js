// <surprise-line>: the bits of surprise of each token of a text, as a curve.
const HEIGHT = 220;
const FONT = "13px sans-serif";

class SurpriseLine extends HTMLElement {
  #chart = null;
  #watch = new ResizeObserver(() => this.#fit());

  connectedCallback() {
    const bits = JSON.parse(this.dataset.bits);
    const texts = JSON.parse(this.dataset.texts);
    const places = bits.map((_, place) => place + 1);
    const axis = { stroke: () => this.#colour("--color-text-soft"), grid: { stroke: () => this.#colour("--color-line"), width: 1 }, ticks: { show: false }, font: FONT };
    this.#chart = new uPlot(
      {
        width: this.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 28, incrs: [1, 2, 5, 10, 20, 50, 100], values: (_, ticks) => ticks.map((tick) => short(texts[tick - 1])) },
          { ...axis, size: 44, label: "bits", labelFont: FONT, labelSize: 18 },
        ],
        series: [{}, { stroke: () => this.#colour("--line-1"), width: 2, points: { show: bits.length < 60, size: 6 } }],
      },
      [places, bits],
      this,
    );
    // The sentence below it and the tokens say the same in words.
    this.#chart.root.setAttribute("aria-hidden", "true");
    this.#watch.observe(this);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#redraw);
  }

  disconnectedCallback() {
    this.#watch.disconnect();
    this.#chart?.destroy();
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.#redraw);
  }

  #redraw = () => this.#chart?.redraw();

  #fit() {
    if (this.#chart && this.clientWidth) this.#chart.setSize({ width: this.clientWidth, height: HEIGHT });
  }

  /**
   * A colour of the page's theme: a canvas knows no custom properties.
   * @param {string} name
   */
  #colour(name) {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    this.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }
}

/** @param {string | undefined} text */
function short(text) {
  const plain = (text ?? "").trim();
  return plain.length > 9 ? `${plain.slice(0, 8)}…` : plain;
}

customElements.define("surprise-line", SurpriseLine);

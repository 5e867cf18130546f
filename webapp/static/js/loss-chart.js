// <loss-chart>: curves of one run, asked for again while it lasts, or of several.
const AGAIN_MS = 2_000;
const SLOWER_MS = 10_000;
const HEIGHT = 300;
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4];
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 5], [1, 5]];

class LossChart extends HTMLElement {
  #chart = null;
  #shape = "";
  #timer = 0;
  #watch = new ResizeObserver(() => this.#fit());

  connectedCallback() {
    this.#watch.observe(this);
    if (this.dataset.curves) this.#draw(JSON.parse(this.dataset.curves));
    else this.#ask();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#redraw);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#watch.disconnect();
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.#redraw);
  }

  async #ask() {
    let isOver = false;
    let wait = AGAIN_MS;
    try {
      const answer = await fetch(this.dataset.url);
      if (answer.ok) {
        const data = await answer.json();
        isOver = data.is_over;
        this.#draw(data);
      } else wait = SLOWER_MS;
    } catch {
      // The site is away for a moment: it is asked again.
      wait = SLOWER_MS;
    }
    if (!isOver && this.isConnected) this.#timer = setTimeout(() => this.#ask(), wait);
  }

  /** @param {{runs: {title: string, train: number[][], heldout: number[][]}[]}} data */
  #draw({ runs }) {
    const curves = "compare" in this.dataset ? runs.map((run) => run.heldout) : [runs[0].train, runs[0].heldout];
    if (!curves.some((points) => points.length)) return;
    const steps = [...new Set(curves.flat().map(([step]) => step))].sort((a, b) => a - b);
    const lines = curves.map((points) => {
      const known = new Map(points);
      return steps.map((step) => known.get(step));
    });
    const shape = String(curves.length);
    if (this.#chart && this.#shape === shape) {
      this.#chart.setData([steps, ...lines]);
      return;
    }
    this.#chart?.destroy();
    this.replaceChildren();
    this.#shape = shape;
    const isAlone = curves.length === 2 && !("compare" in this.dataset);
    const axis = { stroke: () => this.#colour("--color-text-soft"), grid: { stroke: () => this.#colour("--color-line"), width: 1 }, ticks: { show: false }, font: "13px sans-serif" };
    this.#chart = new uPlot(
      {
        width: this.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 28, label: "step", labelFont: "13px sans-serif", labelSize: 18, labelGap: 0, incrs: WHOLE_STEPS },
          { ...axis, size: 52 },
        ],
        series: [
          {},
          ...lines.map((_, n) => ({
            stroke: () => this.#colour(`--line-${n + 1}`),
            width: isAlone && n === 0 ? 1.25 : 2.5,
            dash: isAlone ? [] : DASHES[n % DASHES.length],
            spanGaps: true,
            points: { show: lines[n].filter((y) => y !== undefined && y !== null).length < 12, size: 6 },
          })),
        ],
      },
      [steps, ...lines],
      this,
    );
    this.#chart.root.setAttribute("aria-hidden", "true");
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

customElements.define("loss-chart", LossChart);

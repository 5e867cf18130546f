// The row of stops that a message passes: marks where it is and what each guard said.

export class Passage {
  /** @param {HTMLElement} panel */
  constructor(panel) {
    this.stops = /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("[data-kind]")]);
  }

  clear() {
    for (const stop of this.stops) {
      stop.removeAttribute("data-verdict");
      stop.removeAttribute("data-now");
    }
  }

  /**
   * Go to the next stop of a kind, if there is one; the stop before is left.
   * @param {string} kind
   * @param {string} [stage]
   */
  at(kind, stage) {
    this.leave();
    const here = this.stops.find(
      (stop) =>
        stop.dataset.kind === kind &&
        (!stage || stop.dataset.stage === stage) &&
        !stop.dataset.verdict,
    );
    here?.setAttribute("data-now", "");
    return here;
  }

  leave() {
    for (const stop of this.stops) stop.removeAttribute("data-now");
  }

  /** @param {{guard: string, stage: string, allowed: boolean}} seen */
  judge(seen) {
    const stop = this.stops.find(
      (item) =>
        item.dataset.guard === seen.guard &&
        item.dataset.stage === seen.stage &&
        !item.dataset.verdict,
    );
    stop?.setAttribute("data-verdict", seen.allowed ? "allowed" : "stopped");
  }
}

// <class-bar> keeps up to date what a class sees below the header: a sentence that
// everybody is to look at, and a clock that counts down. Seconds are shown and not read
// out: a screen reader hears of five minutes, of one, and of the end.
import { part } from "./markup.js";

// Milliseconds between two looks, and how much later some browsers of a class look.
const EVERY = 5000;
const SPREAD = 1000;
const TOLD_AT = [300, 60, 0];

class ClassBar extends HTMLElement {
  connectedCallback() {
    this.shown = part(this, "[data-shown]", HTMLElement);
    this.told = part(this, "[data-told]", HTMLElement);
    this.version = `"${this.dataset.version}"`;
    // The clock of the site against the one here.
    this.ahead = Date.parse(this.dataset.now) - Date.now();
    this.ticking = setInterval(() => this.tick(), 1000);
    this.looking = setInterval(() => this.look(), EVERY + Math.random() * SPREAD);
    this.onReturn = () => this.look();
    document.addEventListener("visibilitychange", this.onReturn);
    this.left = this.seconds();
    this.tick();
  }

  disconnectedCallback() {
    clearInterval(this.ticking);
    clearInterval(this.looking);
    document.removeEventListener("visibilitychange", this.onReturn);
  }

  get timer() {
    const timer = this.shown.querySelector("[data-ends-at]");
    return timer instanceof HTMLElement ? timer : null;
  }

  /** Seconds that are left; null without a clock. */
  seconds() {
    if (!this.timer) return null;
    const ends = Date.parse(this.timer.dataset.endsAt);
    return Math.max(0, Math.ceil((ends - Date.now() - this.ahead) / 1000));
  }

  tick() {
    const left = this.seconds();
    if (left === null) {
      this.left = null;
      return;
    }
    this.timer.textContent = left ? inDigits(left) : "Time is up";
    this.timer.toggleAttribute("data-soon", left <= 60);
    const passed = TOLD_AT.find((at) => this.left !== null && this.left > at && left <= at);
    if (passed !== undefined) this.say(inWords(passed));
    this.left = left;
  }

  async look() {
    if (document.hidden) return;
    const headers = { "If-None-Match": this.version };
    const answer = await fetch(this.dataset.at, { headers, cache: "no-store" }).catch(() => null);
    // Nothing new, or no answer: the next look tries again. 204: no class any more.
    if (answer?.status !== 200 && answer?.status !== 204) return;
    this.version = answer.headers.get("ETag") ?? "";
    const before = this.sentence;
    this.shown.innerHTML = await answer.text();
    const after = this.sentence;
    if (after && after !== before) this.say(`Everybody look here: ${after}`);
    else if (before && !after) this.say("You can go on.");
    this.left = this.seconds();
    this.tick();
  }

  get sentence() {
    return this.shown.querySelector("[data-look]")?.textContent ?? "";
  }

  /** @param {string} words */
  say(words) {
    this.told.textContent = words;
  }
}

/** @param {number} seconds */
function inDigits(seconds) {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const parts = hours ? [hours, pad(minutes)] : [minutes];
  return [...parts, pad(seconds % 60)].join(":");
}

/** @param {number} number */
function pad(number) {
  return String(number).padStart(2, "0");
}

/** @param {number} seconds */
function inWords(seconds) {
  if (!seconds) return "Time is up.";
  return seconds === 60 ? "One minute left." : `${seconds / 60} minutes left.`;
}

customElements.define("class-bar", ClassBar);

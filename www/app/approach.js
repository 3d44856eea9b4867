// @ts-check
// Shows how something breaks: goes to shortly before it, and plays into it, slower and slower.

/** @typedef {import('./clock.js').Clock} Clock */
/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */

import { byId, lessMotion } from '../kit/dom.js';
import { hideTrouble, showTrouble } from '../kit/errors.js';
import * as common from '../words/common.js';
import * as strings from '../words/app.js';
import { toast } from '../kit/toast.js';

const { approach } = strings;
/** From how long before it on it is shown, in virtual microseconds. */
export const BEFORE = { first: 2_000_000, again: 1_000_000 };
/** How slow it becomes: what is left would be over in this time, in real microseconds. */
const EASING = 8_000_000;
/** Virtual time per real time: where it is far, and where it is near. */
const SPEED = { far: 1 / 15, near: 1 / 60 };
/** Where nothing happens any more, nothing is missed at full speed. */
const STANDSTILL = 'Liveness';

export class Approach {
  #clock;
  /**
   * What is being shown, or null.
   * @type {{ simulated: SimulatedRun, branch: number, until: number, usual: number, slowly:
   * boolean } | null}
   */
  #on = null;
  /** The speed that it has chosen: if there is another, a person has. */
  #chosen = 0;
  /** Whether it says what comes. */
  #told = false;

  /** Whether it is showing something. */
  get on() {
    return this.#on !== null;
  }

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * Goes back from what breaks in this run, and plays into it. Who has asked for less motion is
   * told how to.
   * @param {SimulatedRun} simulated @param {number} before how far back
   */
  begin(simulated, before) {
    const { violation } = simulated.frame;
    const broken = violation ?? simulated.claim;
    if (!broken) return;
    this.#end();
    this.#on = {
      simulated,
      branch: simulated.frame.branch,
      until: broken.time,
      usual: this.#clock.speed,
      slowly: broken.property !== STANDSTILL,
    };
    this.#chosen = 0;
    this.#clock.pause();
    // It isn't broken yet; what was said of that goes.
    document.documentElement.dataset.state = 'running';
    hideTrouble();
    simulated.seek(Math.max(0, broken.time - before));
    if (!lessMotion.matches) {
      this.#clock.play();
      toast(approach.plays(broken.property, broken.time));
      return;
    }
    const play = () => this.#clock.play();
    const goThere = () => simulated.seek(broken.time);
    const what = { title: approach.title(broken.property, broken.time), text: approach.still };
    const actions = /** @type {[string, () => void][]} */ ([
      [approach.play, play],
      [common.goThere, goThere],
    ]);
    showTrouble(what, actions, byId('violation', HTMLElement));
    this.#told = true;
  }

  /**
   * Makes the run slower as it comes nearer.
   * @param {SimulatedRun} simulated
   * @param {boolean} playing
   */
  update(simulated, playing) {
    const on = this.#on;
    if (!on) return;
    const { now, branch } = simulated.frame;
    if (on.simulated !== simulated || on.branch !== branch || now >= on.until) return this.#end();
    const taken = this.#chosen && this.#clock.speed !== this.#chosen;
    if (taken) this.#on = null;
    if (taken || !playing) return;
    this.#hide();
    const eased = Math.min(SPEED.far, Math.max(SPEED.near, (on.until - now) / EASING));
    this.#chosen = on.slowly ? eased : 1;
    this.#clock.speed = this.#chosen;
  }

  /** The run has its usual speed again, unless a person has chosen another. */
  #end() {
    if (this.#on && this.#clock.speed === this.#chosen) this.#clock.speed = this.#on.usual;
    this.#on = null;
    this.#hide();
  }

  /** What it has said was about what comes. */
  #hide() {
    if (this.#told) hideTrouble();
    this.#told = false;
  }
}

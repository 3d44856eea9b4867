// @ts-check
// A task: whether what somebody has done has come to what is wanted, its hint, and the link by
// which a solution is handed in.

/** @typedef {import('../../lab/lessons.d.ts').LessonView} LessonView */
/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */
/** @typedef {import('./card.js').TaskState} TaskState */

import { lessMotion } from '../kit/dom.js';
import { wordsOf } from '../kit/errors.js';
import { toast } from '../kit/toast.js';
import { task as words } from '../words/lessons.js';

/** After so long, a hint shows itself, in ms. */
const HINT_AFTER = 45_000;
/** A task is judged this often at most, in ms. */
const JUDGE_EVERY = 250;

/**
 * What it is about: the lesson as it is shown and as a file, the step, from 0, and the run in which
 * somebody does it.
 * @typedef {object} Asked
 * @property {LessonView} view
 * @property {() => Promise<string>} source
 * @property {number} step
 * @property {SimulatedRun} run
 * @property {string} hash how an address names the step; empty where it can't
 * @property {boolean} handedIn whether a link brought the run
 */

export class Task {
  #lab;
  #clock;
  #show;
  /** @type {Asked | null} */ #asked = null;
  /** @type {TaskState} */ #state = NOT_DONE;
  #hintComes = 0;
  /** How much had been done to the run when it was looked at last. */
  #acts = 0;
  /** The moment that was judged last, and when that was. */
  #judged = '';
  #judgedAt = 0;
  #judging = false;
  /** The run that has come to it, as what follows `#run=` in a link. */
  #solution = '';

  /**
   * @param {object} around
   * @param {import('../lab/client.js').Lab} around.lab
   * @param {{ play: () => void, invalidate: () => void }} around.clock
   * @param {(step: number, state: TaskState) => void} around.show
   */
  constructor({ lab, clock, show }) {
    this.#lab = lab;
    this.#clock = clock;
    this.#show = show;
  }

  /** Whether it has been done. */
  get solved() {
    return this.#state.said !== '';
  }

  /** @param {Asked} asked */
  begin(asked) {
    this.end();
    this.#asked = asked;
    this.#acts = asked.run.acts;
    this.#set({ note: asked.handedIn ? words.checking : '' });
    this.#hintComes = setTimeout(() => this.solved || this.hint(), HINT_AFTER);
    // The judge comes while the task is being read.
    this.#judge();
  }

  end() {
    clearTimeout(this.#hintComes);
    this.#asked = null;
    this.#state = NOT_DONE;
    this.#judged = '';
  }

  hint() {
    this.#set({ hint: true });
  }

  /** @param {Partial<TaskState>} change */
  #set(change) {
    if (!this.#asked) return;
    this.#state = { ...this.#state, ...change };
    this.#show(this.#asked.step, this.#state);
  }

  /** With every frame. @param {boolean} playing */
  follow(playing) {
    const run = this.#asked?.run;
    if (!run || this.solved) return;
    if (run.acts > this.#acts) {
      this.#acts = run.acts;
      // Whoever does something sees what comes of it.
      if (!playing && !lessMotion.matches) this.#clock.play();
    }
    if (momentOf(run) !== this.#judged && performance.now() - this.#judgedAt > JUDGE_EVERY) this.#judge();
  }

  async #judge() {
    const asked = this.#asked;
    if (this.#judging || !asked || asked.run.dead) return;
    const { view, source, step, run, hash, handedIn } = asked;
    const moment = momentOf(run);
    this.#judging = true;
    try {
      const lesson = { text: await source(), seed: view.seed, language: view.language };
      if (run.dead || this.#asked !== asked) return;
      const link = run.link();
      const reached = await this.#lab.judgeTask(lesson, step, link);
      if (this.#asked !== asked || this.solved) return;
      if (reached) this.#solution = link;
      if (reached) this.#set({ said: reached.said, note: handedIn ? words.handedIn : '', canHandIn: hash !== '' });
      else if (handedIn && run.acts === 0) this.#set({ note: words.refuted });
      else if (this.#state.note) this.#set({ note: '' });
    } catch (error) {
      if (this.#asked !== asked) return;
      this.#set({ note: run.acts > 0 || handedIn ? words.elsewhere : words.unjudged(wordsOf(error)) });
    } finally {
      this.#judging = false;
      if (this.#asked === asked) {
        this.#judged = moment;
        this.#judgedAt = performance.now();
      }
      // While the run is paused, nothing else has it looked at again.
      if (this.#asked && momentOf(this.#asked.run) !== this.#judged)
        setTimeout(() => this.#clock.invalidate(), 2 * JUDGE_EVERY);
    }
  }

  /**
   * Copies the link by which the solution is handed in; the hash of it, where it can't be copied.
   */
  async handIn() {
    if (!this.#asked?.hash) return '';
    const url = new URL(location.href);
    url.hash = `${this.#asked.hash}&run=${this.#solution}`;
    try {
      await navigator.clipboard.writeText(url.href);
      toast(words.copied);
      return '';
    } catch {
      toast(words.inAddress);
      return url.hash.slice(1);
    }
  }
}

/** @type {TaskState} */
const NOT_DONE = { hint: false, said: '', note: '', canHandIn: false };

/** A text that changes with the moment, and with what was done. @param {SimulatedRun} run */
const momentOf = ({ frame: { now, events, branch }, changes }) => `${now} ${events} ${branch} ${changes}`;

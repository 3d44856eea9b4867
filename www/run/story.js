// @ts-check
// What happened in the source, in sentences: read once for all who show some of them.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */
/** @typedef {import('./source.js').Source} Source */

/** Lines that are kept. */
const KEPT = 400;

export class Story {
  /** The newest, oldest first. @type {StoryLine[]} */
  lines = [];
  /** The number of the newest line. */
  read = 0;
  /**
   * Grows whenever the lines are others: after going back, on another branch, in another source.
   */
  told = 0;

  /** @type {Source | null} */ #source = null;
  #revision = -1;
  #epoch = 0;

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#begin(source.frame.epoch);
  }

  /** @param {number} epoch */
  #begin(epoch) {
    this.lines = [];
    this.read = 0;
    this.told++;
    this.#revision = -1;
    this.#epoch = epoch;
  }

  /** Reads what has been said up to this frame. @param {Frame} frame */
  update({ storyRevision, epoch }) {
    if (!this.#source || storyRevision === this.#revision) return;
    if (epoch !== this.#epoch) this.#begin(epoch);
    this.#revision = storyRevision;
    const fresh = this.#source.story(this.read, KEPT);
    this.read = fresh.at(-1)?.number ?? this.read;
    this.lines = [...this.lines, ...fresh].slice(-KEPT);
  }
}

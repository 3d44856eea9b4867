// @ts-check
// The sentence under the ring, which says what just happened and why, and the live region, which
// reads turning points out.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */
/** @typedef {import('../run/story.js').Story} Story */

import { byId, setText, withNames } from '../kit/dom.js';
import { sources } from '../kit/explained.js';
import * as strings from '../words/strings.js';

/**
 * How long a sentence stays at least while the run plays, in ms: before a turning point may replace
 * it, and before another sentence may.
 */
const DWELL = { turning: 600, lesser: 1800 };
/** The least time between two announcements, in ms. */
const ANNOUNCE_EVERY = 2500;

export class Sentence {
  #why = byId('why', HTMLElement);
  #live = byId('live', HTMLElement);
  #story;
  #told = -1;
  /** The newest line that was seen here. */
  #seen = 0;
  /** @type {StoryLine | null} */ #shown = null;
  #shownAt = 0;
  #announcedAt = 0;
  /** @type {StoryLine | null} */ #toAnnounce = null;

  /** @param {Story} story */
  constructor(story) {
    this.#story = story;
  }

  /** The sentence that is shown. */
  get words() {
    return this.#why.querySelector('q')?.textContent ?? '';
  }

  reset() {
    this.#told = -1;
  }

  /** @param {Frame} _frame @param {boolean} playing */
  update(_frame, playing) {
    const { told, lines, read } = this.#story;
    if (told !== this.#told) {
      this.#told = told;
      this.#shown = this.#toAnnounce = null;
      this.#say(null);
    } else {
      const turning = lines.findLast(({ weight }) => weight === 'turning');
      if (turning && turning.number > this.#seen) this.#toAnnounce = turning;
    }
    this.#seen = read;
    const clock = performance.now();
    this.#choose(clock, playing);
    this.#announce(clock, playing);
  }

  /**
   * Shows the newest line that is more than a detail. While the run plays, one that was just shown
   * stays long enough to be read.
   * @param {number} clock @param {boolean} playing
   */
  #choose(clock, playing) {
    const { lines } = this.#story;
    const newest = lines.findLast(({ weight }) => weight !== 'detail');
    if (!newest || newest.number === this.#shown?.number) return;
    const turning = lines.findLast(({ weight }) => weight === 'turning');
    const unseen = turning && turning.number > (this.#shown?.number ?? 0) ? turning : newest;
    const dwell = unseen.weight === 'turning' ? DWELL.turning : DWELL.lesser;
    if (playing && this.#shown && clock - this.#shownAt < dwell) return;
    const line = playing ? unseen : newest;
    this.#shown = line;
    this.#shownAt = clock;
    this.#say(line);
  }

  /** @param {StoryLine | null} line */
  #say(line) {
    const [time, sentence, section] = this.#why.children;
    setText(time, line ? strings.seconds(line.time) : '');
    sentence.replaceChildren(...(line ? withNames(line.text) : [strings.waitingForFirst]));
    // Somebody may be on it: it stays while it is the same.
    if (section.textContent !== (line?.section ?? '')) section.replaceChildren(...sources(line?.section ?? ''));
  }

  /** @param {number} clock @param {boolean} playing */
  #announce(clock, playing) {
    if (!this.#toAnnounce || (playing && clock - this.#announcedAt < ANNOUNCE_EVERY)) return;
    setText(this.#live, this.#toAnnounce.text);
    this.#toAnnounce = null;
    this.#announcedAt = clock;
  }
}

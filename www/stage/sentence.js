// @ts-check
// The sentence under the ring, which says what just happened and why, with the last ones before it
// above it; and the live region, which reads turning points out.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */
/** @typedef {import('../run/story.js').Story} Story */

import { byId, make, setText, withNames } from '../kit/dom.js';
import { sources } from '../kit/explained.js';
import * as common from '../words/common.js';
import * as strings from '../words/stage.js';

/**
 * How long a sentence stays at least while the run plays, in ms: before a turning point may replace
 * it, and before another sentence may.
 */
const DWELL = { turning: 600, lesser: 1800 };
/**
 * By how much a sentence may be behind the clock, in virtual microseconds: a fast run doesn't wait
 * for readers.
 */
const LAG_MAX = 1e6;
/** From this speed on, a turning point isn't replaced by what is less, for this long, in ms. */
const FAST = 1;
const FAST_DWELL = 500;
/** How many sentences stay above the newest. */
const EARLIER = 3;
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
  /**
   * What a step did, which stays until something else happens: after which events, in which epoch.
   */
  #stepped = '';
  #pace;
  #earlier = Array.from({ length: EARLIER }, () => make('p', {}, make('time'), make('span')));

  /** @param {Story} story @param {() => number} pace how fast the run plays now */
  constructor(story, pace) {
    this.#story = story;
    this.#pace = pace;
    byId('earlier', HTMLElement).append(...this.#earlier);
  }

  /** The sentence that is shown. */
  get words() {
    return this.#why.querySelector('q')?.textContent ?? '';
  }

  reset() {
    this.#told = -1;
    this.#stepped = '';
  }

  /**
   * Says what a step did, or undid, and lets it be read out.
   * @param {Frame} before @param {Frame} after @param {readonly StoryLine[]} lines the lines that
   * came or went with it
   */
  step(before, after, lines) {
    const back = after.epoch !== before.epoch || after.now < before.now;
    const line = ['turning', 'notable', 'detail']
      .map((weight) => lines.findLast((line) => line.weight === weight))
      .find(Boolean);
    const text = line?.text ?? (back ? whatHappened(after, before) : whatHappened(before, after));
    const same = after.events === before.events && after.now === before.now;
    const { stepped } = strings;
    const said = !same ? (back ? stepped.undone(text) : text) : before.events === 0 ? stepped.beginning : stepped.end;
    this.#stepped = keyOf(after);
    this.#shown = null;
    this.#toAnnounce = null;
    this.#say({ time: (back ? before : after).now, text: said, section: line?.section ?? '' }, back ? undefined : line);
    setText(this.#live, said);
  }

  /** @param {Frame} frame @param {boolean} playing */
  update(frame, playing) {
    if (this.#stepped) {
      if (!playing && this.#stepped === keyOf(frame)) {
        // It has been said. What came with it isn't said again when the run plays on.
        this.#told = this.#story.told;
        this.#seen = this.#story.read;
        return;
      }
      this.#stepped = '';
    }
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
    const line = playing ? unseen : newest;
    if (playing && this.#shown && clock - this.#shownAt < this.#dwell(line)) return;
    this.#shown = line;
    this.#shownAt = clock;
    this.#say(line, line);
  }

  /** How long the sentence that is shown stays before this one. @param {StoryLine} next */
  #dwell(next) {
    const pace = this.#pace();
    const lag = LAG_MAX / 1e3 / pace;
    if (next.weight === 'turning') return Math.min(DWELL.turning, lag);
    // One can't read everything of a fast run, but its turning points.
    if (pace >= FAST) return this.#shown?.weight === 'turning' ? FAST_DWELL : Math.min(FAST_DWELL, lag);
    return Math.min(DWELL.lesser, lag);
  }

  /**
   * @param {Pick<StoryLine, 'time' | 'text' | 'section'> | null} said
   * @param {StoryLine} [line] the line that it is: those before it stand above it
   */
  #say(said, line) {
    const [time, sentence, section] = this.#why.children;
    setText(time, said ? common.seconds(said.time) : '');
    sentence.replaceChildren(...(said ? withNames(said.text) : [strings.waitingForFirst]));
    // Somebody may be on it: it stays while it is the same.
    if (section.textContent !== (said?.section ?? '')) section.replaceChildren(...sources(said?.section ?? ''));
    const { lines } = this.#story;
    const earlier = lines.filter(({ weight, number }) => weight !== 'detail' && number < (line?.number ?? Infinity));
    const last = said ? earlier.slice(-EARLIER) : [];
    this.#earlier.forEach((box, i) => {
      const old = last[i - EARLIER + last.length];
      setText(box.children[0], old ? common.seconds(old.time) : '');
      setText(box.children[1], old?.text ?? '');
    });
  }

  /** @param {number} clock @param {boolean} playing */
  #announce(clock, playing) {
    if (!this.#toAnnounce || (playing && clock - this.#announcedAt < ANNOUNCE_EVERY)) return;
    setText(this.#live, this.#toAnnounce.text);
    this.#toAnnounce = null;
    this.#announcedAt = clock;
  }
}

/** The moment of a frame. @param {Frame} frame */
const keyOf = ({ events, epoch, now }) => `${events} ${epoch} ${now}`;

/**
 * What happened between two frames, of which no sentence tells: what became of messages and disks.
 * @param {Frame} before @param {Frame} after
 */
export function whatHappened(before, after) {
  const { messageName } = common;
  const { stepped } = strings;
  const [old, fresh] = [before, after].map(({ messages }) => new Map(messages.map((message) => [message.id, message])));
  const gone = before.messages.filter(({ id }) => !fresh.has(id));
  const sent = after.messages.filter(({ id }) => !old.has(id));
  const arrived = gone.find(({ lost }) => !lost);
  if (arrived) return stepped.arrived(messageName(arrived));
  if (sent.length) return stepped.sent(messageName(sent[0]), sent.length - 1);
  for (const { id, writing } of after.servers) {
    const was = before.servers[id - 1]?.writing;
    if (was && !writing) return stepped.written(id);
    if (!was && writing) return stepped.writing(id);
  }
  return gone.length ? stepped.lost(messageName(gone[0])) : stepped.nothing;
}

// @ts-check
// The tape: the whole run as a strip. The cluster follows a drag along it, which neither plays on
// nor changes anything. A tip says what is under the pointer; for a screen reader, the tape is a
// slider whose value says it.

/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./data.js').Mark} Mark */
/** @typedef {import('./data.js').Sight} Sight */

import { byId, lessMotion, make, setAttribute, setText } from '../kit/dom.js';
import { pressKey } from '../kit/keys.js';
import { readPalette } from '../draw/palette.js';
import { blank, partedAt, readTape, toTime, toX } from './data.js';
import { niceStep } from '../draw/ticks.js';
import { frameTime } from '../kit/frame-time.js';
import * as common from '../words/common.js';
import * as strings from '../words/tape.js';
import { TapeGestures } from './gestures.js';
import { BAND, LANE, SIGNED, SIGNS, TRACK, paintLane, paintPlayhead, paintTrack } from './paint.js';

/**
 * The shortest stretch that one can zoom in to, in virtual microseconds, and the shortest that a
 * new run's tape shows.
 */
const SHORTEST = 2_000;
const LEAST = 2_000_000;
/**
 * While the run plays, what happened is read anew this often, in ms; and a screen reader is told
 * this often.
 */
const READ_EVERY = 200;
const TELL_EVERY = 1_000;
/** How near the pointer must be to a mark, in px. */
const NEAR = 6;
/** Where there is room for one lane only. css/tape.css keeps as much room before there are any. */
const narrow = matchMedia('(max-width: 820px), (max-height: 799px)');
/**
 * How many lanes stand under the tape: those of the branches begun last. All branches are in the
 * list of branches; the embedded player has none.
 */
function lanesMax() {
  if (document.documentElement.dataset.mode === 'embed') return 1;
  return narrow.matches ? 1 : 2;
}

/**
 * @typedef {{ branch: BranchView, from: number, button: HTMLButtonElement, name: HTMLElement }}
 * Lane
 */

export class Tape {
  #box = byId('tape', HTMLElement);
  #slider = byId('tape-track', HTMLElement);
  #lanesBox = byId('tape-lanes', HTMLElement);
  #canvas = byId('tape-canvas', HTMLCanvasElement);
  #tip = byId('tape-tip', HTMLElement);
  #c;
  #palette = readPalette();
  #actions;
  #gestures;
  /** The tape without the playhead: painted again only when something has changed. */
  #painted = document.createElement('canvas');
  #paintedKey = '';
  #shownKey = '';
  #news = 0;
  #readAt = 0;
  #toldAt = 0;
  #state;
  /** @type {Source | null} */ #source = null;
  /** Whether nothing of this source was shown yet. */ #fresh = true;
  #data = blank();
  #branches = '';
  /** @type {Lane[]} */ #lanes = [];
  /** The latest end of any branch but the one being played. */
  #furthest = 0;
  /**
   * What is in sight now. It moves smoothly to what was chosen, or to the whole run.
   * @type {Sight}
   */
  #sight = { from: 0, to: LEAST, width: 1 };
  /** Where a drag or a key has led since the last frame. @type {number | null} */ #wanted = null;
  /** @type {number | null} */ #hover = null;
  /**
   * Where the playhead was when it was last brought into sight. One may pan away from it while it
   * stands still.
   */
  #keptUp = -1;
  #lit = 0;
  #ratio = 0;
  /**
   * The box's width, kept from its last change: to ask for it in a frame would make the browser lay
   * out the whole page at once.
   */
  #width = 0;

  /**
   * @param {PageState} state
   * @param {object} actions
   * @param {() => void} actions.changed
   * @param {(held: boolean) => void} actions.hold somebody has begun or ended a gesture
   * @param {(branch: BranchView, button: HTMLElement) => void} actions.press on a lane
   */
  constructor(state, actions) {
    this.#state = state;
    const c = this.#canvas.getContext('2d');
    if (!c) throw new Error('this browser has no 2D canvas');
    this.#c = c;
    this.#actions = actions;
    this.#gestures = new TapeGestures(this.#slider, {
      sight: () => this.#sight,
      scrub: (time) => this.#want(time),
      show: (from, length) => this.#choose(from, length),
      zoom: (by, x) => this.zoom(by, x),
      hold: actions.hold,
      point: (x) => this.#point(x),
    });
    byId('tape-in', HTMLButtonElement).addEventListener('click', () => this.zoom(1.6));
    byId('tape-out', HTMLButtonElement).addEventListener('click', () => this.zoom(1 / 1.6));
    byId('tape-fit', HTMLButtonElement).addEventListener('click', () => this.fit());
    this.#slider.addEventListener('keydown', (event) => this.#key(event));
    this.#slider.addEventListener('focus', () => this.#tell(true));
    new ResizeObserver(() => {
      this.#width = this.#box.clientWidth;
      this.recolour();
    }).observe(this.#box);
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#fresh = true;
    this.#wanted = this.#hover = null;
    this.#branches = '';
    this.#sight = { ...this.#sight, from: 0, to: LEAST };
  }

  /** Its colours or its size have changed. */
  recolour() {
    this.#palette = readPalette();
    this.#paintedKey = '';
    this.#actions.changed();
  }

  /** Before a frame: goes where a drag or a key has led. */
  follow() {
    const source = this.#source;
    if (!source || this.#wanted === null) return;
    const time = Math.round(Math.min(this.#wanted, source.frame.end));
    this.#wanted = null;
    if (time !== source.now) source.scrub(time);
  }

  /**
   * Zooms in (over 1) or out, around a place; without one, around the playhead if that is in sight.
   * @param {number} by @param {number} [x]
   */
  zoom(by, x) {
    const sight = this.#target();
    const { from, to, width } = sight;
    const now = this.#source?.now ?? 0;
    const about = x === undefined ? (now >= from && now <= to ? now : (from + to) / 2) : toTime({ from, to, width }, x);
    this.#choose(about - (about - from) / by, (to - from) / by);
  }

  /** Shows the whole run again. */
  fit() {
    this.#state.tape = null;
    this.#actions.changed();
  }

  /** @param {number} from @param {number} length */
  #choose(from, length) {
    const whole = this.#whole();
    const long = Math.max(SHORTEST, Math.min(length, whole));
    const start = Math.max(0, Math.min(from, whole - long));
    this.#state.tape = long >= whole ? null : { from: start, to: start + long };
    this.#actions.changed();
  }

  /** How long the tape is when it shows everything: a round number, so that it changes seldom. */
  #whole() {
    const end = Math.max(this.#source?.frame.end ?? 0, this.#furthest);
    return Math.max(LEAST, 2 * niceStep(end * 0.51));
  }

  /** @returns {Sight} */
  #target() {
    const { width } = this.#sight;
    return this.#state.tape ? { ...this.#state.tape, width } : { from: 0, to: this.#whole(), width };
  }

  /** @param {Frame} frame @param {boolean} playing */
  update(frame, playing) {
    const source = this.#source;
    // Presenter mode has no tape.
    if (!source || this.#width === 0) return;
    const other = this.#fresh;
    this.#fresh = false;
    const { now } = frame;
    const branches = `${frame.branch} ${frame.branches} ${source.renamed} ${lanesMax()}`;
    const fresh = other || branches !== this.#branches;
    this.#branches = branches;
    if (fresh) this.#readLanes(source);
    this.#fitCanvas();
    this.#keepUp(now, playing);
    this.#ease(other);
    const { from, to, width } = this.#sight;
    // Something new can have happened only at the end of what is known.
    if (now === frame.end) this.#news = frame.events;
    const key = `${branches} ${from} ${to} ${width} ${this.#lit} ${frame.end} ${this.#news}`;
    const clock = performance.now();
    if (
      key !== this.#paintedKey &&
      (!playing || fresh || !this.#paintedKey || (clock - this.#readAt > READ_EVERY && frameTime.has(this)))
    ) {
      this.#paintedKey = key;
      this.#readAt = clock;
      this.#paint(source);
      this.#shownKey = '';
    }
    const shown = `${now} ${this.#hover}`;
    if (shown !== this.#shownKey) {
      this.#shownKey = shown;
      this.#show(now);
      this.#tellPointer();
    }
    if (!playing || clock - this.#toldAt > TELL_EVERY) this.#tell(!playing);
  }

  /** @param {Source} source */
  #readLanes({ frame, branching }) {
    const all = branching && frame.branches > 1 ? branching.branches() : [];
    const playing = all.find((branch) => branch.playing);
    const others = playing ? all.filter((branch) => branch !== playing && branch.id !== branching?.deleted) : [];
    this.#furthest = Math.max(0, ...others.map(({ end }) => end));
    const focused = this.#lanes.find(({ button }) => button === document.activeElement)?.branch.id;
    const more = others.length - lanesMax();
    const rest = byId('more-branches', HTMLButtonElement);
    rest.hidden = more <= 0;
    rest.title = common.branches.more(more);
    rest.setAttribute('aria-label', rest.title);
    setText(byId('more-count', HTMLElement), `+${more}`);
    this.#lanes = others.slice(-lanesMax()).map((branch, place) => {
      const name = make('span', {}, branch.name);
      const words = strings.tape.lane(branch);
      const button = make('button', { 'aria-label': words, title: words, 'aria-haspopup': 'menu' }, name);
      button.style.top = `${place * LANE}px`;
      button.addEventListener('click', () => this.#actions.press(branch, button));
      const light = (/** @type {number} */ id) => () => {
        this.#lit = id;
        this.#actions.changed();
      };
      for (const type of ['pointerenter', 'focus']) button.addEventListener(type, light(branch.id));
      for (const type of ['pointerleave', 'blur']) button.addEventListener(type, light(0));
      return { branch, from: partedAt(all, branch, /** @type {BranchView} */ (playing)), button, name };
    });
    this.#lit = 0;
    this.#lanesBox.replaceChildren(...this.#lanes.map(({ button }) => button));
    this.#lanesBox.hidden = this.#lanes.length === 0;
    document.documentElement.style.setProperty('--lanes', String(this.#lanes.length));
    this.#lanesBox.style.height = `${this.#lanes.length * LANE}px`;
    if (focused === undefined) return;
    const again = this.#lanes.find(({ branch }) => branch.id === focused)?.button;
    (again ?? byId('open-branches', HTMLButtonElement)).focus();
  }

  #fitCanvas() {
    const width = this.#width;
    const height = TRACK + this.#lanes.length * LANE;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#painted.width === w && this.#painted.height === h && this.#ratio === ratio) return;
    this.#ratio = ratio;
    this.#sight.width = Math.max(1, width);
    for (const canvas of [this.#canvas, this.#painted]) [canvas.width, canvas.height] = [w, h];
    this.#canvas.style.height = `${height}px`;
    this.#paintedKey = '';
  }

  /**
   * While zoomed in, keeps the playhead in sight.
   * @param {number} now
   * @param {boolean} playing
   */
  #keepUp(now, playing) {
    if (!this.#state.tape || this.#gestures.busy || now === this.#keptUp) return;
    this.#keptUp = now;
    const { from, to } = this.#state.tape;
    const long = to - from;
    if (now >= from && now <= (playing ? from + 0.85 * long : to)) return;
    const start = Math.max(0, now < from ? now - 0.15 * long : now - (playing ? 0.85 : 0.5) * long);
    this.#state.tape = { from: start, to: start + long };
  }

  /** Moves what is in sight smoothly to what should be. @param {boolean} atOnce */
  #ease(atOnce) {
    const { from, to } = this.#target();
    const sight = this.#sight;
    const off = Math.max(Math.abs(from - sight.from), Math.abs(to - sight.to));
    if (atOnce || lessMotion.matches || off < (to - from) / sight.width / 2) {
      this.#sight = { from, to, width: sight.width };
      return;
    }
    sight.from += (from - sight.from) * 0.35;
    sight.to += (to - sight.to) * 0.35;
    this.#actions.changed();
  }

  /** @param {Source} source */
  #paint(source) {
    const c = this.#painted.getContext('2d');
    if (!c) return;
    const sight = this.#sight;
    const { from, to, width } = sight;
    const buckets = Math.ceil(width);
    this.#data = readTape(source.tape(source.frame.branch, from, to, buckets), source.momentKinds);
    c.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    c.clearRect(0, 0, width, TRACK + this.#lanes.length * LANE);
    paintTrack(c, this.#palette, sight, this.#data, source.frame.end);
    this.#lanes.forEach(({ branch, from: since, name }, place) => {
      const until = Math.min(branch.end, to);
      const start = Math.max(since, from);
      const data =
        start < until ? readTape(source.tape(branch.id, start, until, buckets), source.momentKinds) : blank();
      paintLane(c, this.#palette, sight, data, { from: since, to: branch.end, place, lit: branch.id === this.#lit });
      // The name stands after the lane, before it, or on it, wherever there is room.
      const [left, right] = [since, branch.end].map((time) => Math.max(0, Math.min(width, toX(sight, time))));
      const long = name.offsetWidth;
      const x = right + long < width ? right : left - long >= 0 ? left - long : (width - long) / 2;
      name.style.left = `${Math.round(x)}px`;
    });
  }

  /** @param {number} now */
  #show(now) {
    const c = this.#c;
    const { width } = this.#sight;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    c.drawImage(this.#painted, 0, 0);
    c.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    // What was played since the tape was last read is shown as a part of the last term.
    const last = this.#data.bands.at(-1);
    if (last && now > last.to) {
      c.fillStyle = this.#palette.term(last.term);
      c.globalAlpha = 0.2;
      const x = toX(this.#sight, last.to);
      c.fillRect(x, SIGNS + BAND / 2, Math.max(0, Math.min(width - 1, toX(this.#sight, now)) - x), BAND / 2 - 1);
      c.globalAlpha = 1;
    }
    if (this.#hover !== null && !this.#gestures.busy) {
      c.fillStyle = this.#palette.ink2;
      c.fillRect(Math.round(this.#hover), SIGNS - 4, 1, BAND + 8);
    }
    const x = toX(this.#sight, now);
    if (x < -6 || x > width + 6) return;
    paintPlayhead(c, this.#palette, Math.min(width - 1, Math.max(1, x)), SIGNS + BAND + 4);
  }

  // ---------------------------------------------------------------- in words

  /** How far a time may be from a mark to be near it. */
  #near() {
    return (NEAR * (this.#sight.to - this.#sight.from)) / this.#sight.width;
  }

  /** What happened near a time, the most important first. @param {number} time */
  #marksNear(time) {
    const within = this.#near();
    const weight = (/** @type {Mark} */ { kind }) => (SIGNED.indexOf(kind) + SIGNED.length + 1) % (SIGNED.length + 1);
    const near = this.#data.marks.filter((mark) => Math.abs(mark.time - time) <= within);
    return near.sort((a, b) => weight(a) - weight(b) || Math.abs(a.time - time) - Math.abs(b.time - time));
  }

  /** @param {number} time */
  #bandWords(time) {
    const band = this.#data.bands.findLast(({ from }) => from <= time);
    return strings.tape.band(band && { ...band, led: band.leader > 0 && band.since <= time && time <= band.until });
  }

  /**
   * The same for this moment, which may have come since the tape was read.
   * @param {Source} source
   */
  #bandWordsNow({ frame: { servers } }) {
    const term = Math.max(...servers.map((server) => server.term));
    const leader = servers.find((server) => server.role === 'leader' && server.term === term)?.id ?? 0;
    return strings.tape.band(term ? { term, leader, led: leader > 0 } : undefined);
  }

  /**
   * Says where the playhead is. While it moves, it isn't read out to those who have the focus on
   * it.
   * @param {boolean} still
   */
  #tell(still) {
    if (!this.#source || (!still && document.activeElement === this.#slider)) return;
    this.#toldAt = performance.now();
    const { now, frame } = this.#source;
    const marks = this.#marksNear(now).slice(0, 2).map(strings.tape.moment);
    setAttribute(this.#slider, 'aria-valuemax', String(Math.round(frame.end / 1e3)));
    setAttribute(this.#slider, 'aria-valuenow', String(Math.round(now / 1e3)));
    setAttribute(
      this.#slider,
      'aria-valuetext',
      [common.seconds(now), this.#bandWordsNow(this.#source), ...marks].join(', '),
    );
  }

  #tellPointer() {
    const x = this.#hover;
    this.#tip.hidden = x === null;
    if (x === null || !this.#source) return;
    const { end } = this.#source.frame;
    const pointed = Math.max(0, toTime(this.#sight, x));
    // Those who point a little beyond the end mean the end.
    const time = pointed > end && pointed - end <= this.#near() ? end : pointed;
    const known = time <= end;
    const marks = known ? this.#marksNear(time).slice(0, 4) : [];
    const lines = [
      `${common.seconds(time)} · ${known ? this.#bandWords(time) : strings.tape.notYet}`,
      ...marks.map((mark) => `${common.seconds(mark.time)} ${strings.tape.moment(mark)}`),
    ];
    setText(this.#tip, lines.join('\n'));
    const half = this.#tip.offsetWidth / 2;
    this.#tip.style.left = `${Math.max(half, Math.min(this.#sight.width - half, x))}px`;
  }

  // ---------------------------------------------------------------- gestures

  /** @param {number} time */
  #want(time) {
    this.#wanted = Math.max(0, time);
    this.#actions.changed();
  }

  /** @param {number | null} x */
  #point(x) {
    this.#hover = x;
    this.#actions.changed();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#source) return;
    const { frame, now } = this.#source;
    const { from, to } = this.#sight;
    const by = (/** @type {number} */ part) => () => this.#want((this.#wanted ?? now) + (to - from) * part);
    const [small, large] = [event.shiftKey ? 1 / 20 : 1 / 200, 1 / 10];
    pressKey(event, {
      ArrowRight: by(small),
      ArrowUp: by(small),
      ArrowLeft: by(-small),
      ArrowDown: by(-small),
      PageUp: by(large),
      PageDown: by(-large),
      Home: () => this.#want(0),
      End: () => this.#want(frame.end),
    });
  }
}

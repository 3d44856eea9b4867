// @ts-check
// The run in the page's address: `#run=…` holds all of it; with `&watch`, it is played into what
// breaks at its end. A seed and a few settings, after a `#`
// or a `?`, start a new one.

/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */
/**
 * The run that an address asks for: one that is in a link, or a new one.
 * @typedef {{ seed: string, servers: number, without?: string, settings?: string, shared?: string,
 * found?: { what: string, at: string | undefined, first: string, second: string },
 * watch?: boolean }} Wanted
 */

import * as strings from '../words/share.js';
import { toast } from '../kit/toast.js';

/**
 * How often the address may change, in ms: browsers refuse more than some hundred changes a minute.
 */
const PUT_EVERY = { playing: 2_000, paused: 400 };
/** The parts of an address that make a run from a seed. */
const RECIPE = ['seed', 'servers', 'without', 'settings'];

/** How many servers a run has that was given no number. */
export const USUAL_SERVERS = 5;

/** @param {URL | Location} address @returns {Wanted} */
export function readAddress(address) {
  const query = new URLSearchParams(address.search);
  const hash = new URLSearchParams(address.hash.replace(/^#/, ''));
  const read = (/** @type {string} */ name) => hash.get(name) ?? query.get(name);
  const servers = read('servers');
  const what = hash.get('found');
  const [at, first, second] = ['at', 'first', 'second'].map((name) => hash.get(name));
  return {
    shared: hash.get('run') ?? undefined,
    watch: hash.has('watch'),
    found: what === null ? undefined : { what, at: at ?? undefined, first: first ?? '', second: second ?? '' },
    seed: (read('seed') ?? '').trim(),
    servers: servers === null || servers === '' ? USUAL_SERVERS : Number(servers),
    without: read('without') ?? '',
    settings: read('settings') ?? '',
  };
}

/**
 * The lesson that an address asks for, if any: one of ours by its name, or one that is packed into
 * it; its step, from 0, and a run that somebody hands in.
 * @param {URL | Location} address
 */
export function readLesson(address) {
  const hash = new URLSearchParams(address.hash.replace(/^#/, ''));
  const [name, packed, run] = ['lesson', 'teach', 'run'].map((field) => hash.get(field) ?? '');
  const step = Math.max(1, Math.floor(Number(hash.get('step') ?? 1)) || 1) - 1;
  return name || packed ? { name, packed, step, run } : null;
}

/** Whether an address asks for nothing but the page. @param {URL | Location} address */
export const isPlain = (address) =>
  !address.hash.replace('#', '') && !RECIPE.some((name) => new URLSearchParams(address.search).has(name));

/** Whether the part after the `#` is about a run at all. @param {string} hash */
export const namesRun = (hash) => /(^#|&)(run|seed|servers|without|settings)=/.test(hash);

/**
 * The address of this page with another hash; without what `?embed` and `?present` say of the page,
 * if wanted.
 * @param {string} hash @param {boolean} plain
 */
export function pageAddress(hash, plain) {
  const url = new URL(location.href);
  for (const name of [...RECIPE, ...(plain ? ['embed', 'present'] : [])]) url.searchParams.delete(name);
  // A name without a value is written as people write it.
  url.search = url.search.replace(/=(?=&|$)/g, '');
  url.hash = hash;
  return url.href;
}

/** The link, and what was found in the run. @param {SimulatedRun} simulated */
function hashOf(simulated) {
  const { handedOn } = simulated;
  if (!handedOn) return `run=${simulated.link()}`;
  const { property, at, first, second } = handedOn;
  const facts = { ...(first && { first }), ...(second && { second }) };
  return `run=${simulated.link()}&${new URLSearchParams({ found: property, at, ...facts })}`;
}

/**
 * The address of this run at this moment; throws an Error with a sentence where that is too long.
 * @param {SimulatedRun} simulated
 */
export const addressOf = (simulated) => pageAddress(hashOf(simulated), true);

/**
 * The same; where it is too long, the address with the seed alone.
 * @param {SimulatedRun} simulated
 */
export function anyAddressOf(simulated) {
  try {
    return addressOf(simulated);
  } catch {
    return pageAddress(seedOf(simulated), true);
  }
}

/** This run at this moment as a player in another page. @param {SimulatedRun} simulated */
export function frameOf(simulated) {
  const source = anyAddressOf(simulated).replace('#', '?embed#').replace(/&/g, '&amp;');
  const style = 'width: 100%; height: 36rem; border: 0';
  return `<iframe src="${source}" title="${strings.frameTitle}" style="${style}" loading="lazy"></iframe>`;
}

/**
 * What the run began with, where no link holds all that was done.
 * @param {SimulatedRun} simulated
 */
const seedOf = ({ seed, servers, without, settings }) => {
  const others = { ...(without && { without }), ...(settings && { settings }) };
  return String(new URLSearchParams({ seed, servers: String(servers), ...others }));
};

/** Keeps the page's address up to date with the run. */
export class AddressBar {
  #shown = '';
  #putAt = -Infinity;
  #timer = 0;
  #told = false;

  /**
   * Writes the run's address if it has changed: at once, or as soon as the browser allows it.
   * @param {SimulatedRun} simulated @param {boolean} playing
   */
  update(simulated, playing) {
    if (stateOf(simulated) === this.#shown) return;
    clearTimeout(this.#timer);
    const wait = this.#putAt + PUT_EVERY[playing ? 'playing' : 'paused'] - performance.now();
    // While the run plays, this is called again anyway. It isn't written within a frame, since that
    // takes the browser long.
    if (wait <= 0 && !playing) this.put(simulated);
    else if (wait <= 0 || !playing) this.#timer = setTimeout(() => this.put(simulated), Math.max(0, wait));
  }

  /** @param {SimulatedRun} simulated */
  put(simulated) {
    if (simulated.dead) return;
    this.#shown = stateOf(simulated);
    this.#putAt = performance.now();
    let hash;
    try {
      hash = hashOf(simulated);
      this.#told = false;
    } catch {
      hash = seedOf(simulated);
      if (!this.#told) toast(strings.linkTooLong);
      this.#told = true;
    }
    try {
      history.replaceState(history.state, '', pageAddress(hash, false));
    } catch {
      // The browser takes no more changes for now: the next one will do.
    }
  }
}

/** A text that changes when the link does. @param {SimulatedRun} simulated */
const stateOf = ({ frame: { now, events, branch }, changes, handedOn }) =>
  `${now} ${events} ${branch} ${changes} ${handedOn?.property}`;

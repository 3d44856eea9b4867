// @ts-check
// Runs that were shown in this tab, with all their branches, in the tab's session storage: a
// reload, Back and Forward return to them. Each has a key, which is the state of its entry in the
// browser's history.

/** @typedef {typeof import('../pkg/raft_web.js').Run} RunClass */
/** @typedef {import('../run/simulated-run.js').Claim} Claim */
/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */

import { SimulatedRun } from '../run/simulated-run.js';
import { longestRun } from '../pkg/tables.js';
import { branches as words } from '../words/common.js';

/**
 * A run as it is kept. Bytes are those of `Run.bytes`, in base64: `here` has the branch played and
 * the moment.
 * @typedef {Pick<BranchView, 'id' | 'name' | 'origin' | 'leftAfter' | 'end'>} Way
 * @typedef {{ here: string, now: number, events: number, playing: number, deleted: number, note:
 * string, claim: Claim | null, branches: (Way & { bytes: string })[] }} Kept
 */

/** Where the keys of all runs are, the one that began last at the end. */
const KEYS = 'raftarium runs';

const toText = (/** @type {Uint8Array} */ bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
const toBytes = (/** @type {string} */ text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export class KeptRuns {
  #Run;
  /** The key of the run that is shown. */
  #key = '';

  /** @param {RunClass} Run */
  constructor(Run) {
    this.#Run = Run;
    this.#hold(history.state?.run ?? newKey());
  }

  /**
   * Another run is about to be shown. It gets an entry of its own in the history, so that Back
   * returns to the one that there was.
   * @param {SimulatedRun | null} before what isn't a simulated run isn't kept
   */
  replace(before) {
    this.keep(before);
    history.pushState(null, '');
    this.#hold(newKey());
  }

  /**
   * The browser has come to another entry: the run that was shown there, if it is kept.
   * @param {SimulatedRun | null} before what isn't a simulated run isn't kept
   */
  arrive(before) {
    this.keep(before);
    return this.find();
  }

  /** The entry at which the browser is belongs to the run that is shown from now on. */
  settle() {
    this.#hold(history.state?.run ?? newKey());
  }

  /** The entry at which the browser is belongs to the run that is shown already. */
  stay() {
    this.#hold(this.#key);
  }

  /** The run of this entry of the history, if it is kept. */
  find() {
    try {
      const text = read(history.state?.run);
      return text ? this.#grown(JSON.parse(text)) : null;
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      return null;
    }
  }

  /**
   * Keeps a run as it is now, or lets go of it where there is no room.
   * @param {SimulatedRun | null} simulated
   */
  keep(simulated) {
    if (!simulated || simulated.dead) return;
    const all = simulated.branches();
    /** @type {Kept} */
    const kept = {
      here: toText(simulated.bytes()),
      now: simulated.now,
      events: simulated.frame.events,
      playing: simulated.frame.branch,
      deleted: simulated.deleted,
      note: simulated.note,
      claim: simulated.claim && { ...simulated.claim, state: '' },
      branches: all.map(({ id, name, origin, leftAfter, end }) => {
        return { id, name, origin, leftAfter, end, bytes: toText(simulated.bytes(id)) };
      }),
    };
    write(this.#key, JSON.stringify(kept));
  }

  /** @param {string} key */
  #hold(key) {
    this.#key = key;
    history.replaceState({ run: key }, '');
  }

  /** @param {Kept} kept */
  #grown(kept) {
    const Run = this.#Run;
    if (![kept.now, ...kept.branches.map(({ end }) => end)].every((time) => time >= 0 && time <= longestRun))
      return null;
    let run = Run.fromBytes(toBytes(kept.here));
    let { note, claim, deleted } = kept;
    const whole = allBranches(Run, kept);
    // Otherwise it plays differently here: then there is the one branch, and the page says so.
    if (whole && toText(whole.run.bytes()) === toText(run.bytes())) {
      run.free();
      run = whole.run;
      deleted = whole.ids.get(deleted) ?? 0;
      claim = claim && { ...claim, branch: whole.ids.get(claim.branch) ?? 0 };
    } else {
      whole?.run.free();
      deleted = 0;
      claim = claim && !run.differs ? { ...claim, branch: 1 } : null;
      if (kept.branches.length > 1) note = words.notKept;
    }
    const simulated = Object.assign(new SimulatedRun(run, Run.usualSettings()), {
      origin: /** @type {'moment'} */ ('moment'),
      note,
      claim,
      deleted,
    });
    // Amid an instant, which was played whole.
    while (simulated.now === kept.now && simulated.frame.events > kept.events) simulated.stepBack();
    return simulated;
  }
}

/**
 * The run with all its branches, and their new numbers; null if it can't be had.
 * @param {RunClass} Run @param {Kept} kept
 */
function allBranches(Run, { branches, playing, now }) {
  const waiting = [...branches];
  /** By their old numbers. @type {Map<number, number>} */
  const ids = new Map();
  let run;
  try {
    while (waiting.length) {
      const next = waiting.findIndex(({ origin }) => origin === 0 || ids.has(origin));
      const [{ id, name, origin, leftAfter, end, bytes }] = waiting.splice(next, 1);
      if (run) {
        run.switchTo(ids.get(origin) ?? 0);
        run.graft(toBytes(bytes), leftAfter);
      } else {
        run = Run.fromBytes(toBytes(bytes));
      }
      run.seek(end);
      const all = run.branches();
      ids.set(id, all[all.length - 1].id);
      run.renameBranch(all[all.length - 1].id, name);
    }
    run?.switchTo(ids.get(playing) ?? 0);
    run?.seek(now);
    return run && { run, ids };
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    run?.free();
    return null;
  }
}

const newKey = () => `raftarium run ${Date.now().toString(36)} ${Math.random().toString(36).slice(2)}`;

// Storage may be forbidden, or full.

/** @returns {string[]} the keys of the runs that are kept */
const keys = () => JSON.parse(sessionStorage.getItem(KEYS) ?? '[]');

/** @param {string} [key] */
function read(key) {
  try {
    return key ? sessionStorage.getItem(key) : null;
  } catch {
    return null;
  }
}

/**
 * Where there is no room, the runs that began first go, even this one: else going back to it would
 * cost the newest.
 * @param {string} key @param {string} text
 */
function write(key, text) {
  try {
    const all = [...new Set([...keys(), key])].sort();
    // What was kept of this run before is of an earlier moment.
    sessionStorage.removeItem(key);
    while (all.includes(key)) {
      try {
        sessionStorage.setItem(KEYS, JSON.stringify(all));
        sessionStorage.setItem(key, text);
        return;
      } catch {
        sessionStorage.removeItem(all.shift() ?? key);
      }
    }
  } catch {
    // It is forbidden. Then the address has the branch that is played.
  }
}

// @ts-check
// The run that the page shows: the simulator's handle, the frame last read from it, and what can be
// done to it. All calls into WebAssembly go through here, so that a panic is noticed in one place.

/** @typedef {import('../pkg/raft_web.js').Run} Run */
/** @typedef {import('../pkg/tables.js').Action} Action */
/** @typedef {import('../lab/client.js').FoundView} FoundView */
/** @typedef {import('../lab/client.js').VerdictView} VerdictView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').LogView} LogView */
/** @typedef {import('../../web/view.d.ts').StoreView} StoreView */
/** @typedef {import('../../web/view.d.ts').OperationView} OperationView */
/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */
/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */

import { unpacked } from './messages.js';
import { fields, moments } from '../pkg/tables.js';

/**
 * What a link or a file says was found in its run, and in which branch; once the page has come to
 * that moment, whether it finds it, too: `asked` as long as it is being judged, `open` if the page
 * can't tell.
 * @typedef {FoundView & { branch: number, state: '' | 'asked' | 'agrees' | 'open' | 'refuted' }}
 * Claim
 */

/** Which of `Run.settings` says how many clients there are besides the person. */
const CLIENTS = 6;

/**
 * Does something to a run. Fields that an action doesn't have are left out.
 * @param {Run} run @param {Action} action
 */
const act = (run, action) =>
  run.act(
    action.do,
    (fields[action.do] ?? []).map((name) => /** @type {Record<string, any>} */ (action)[name]),
  );

const CUT = /** @type {const} */ ('cut');
const HEAL = /** @type {const} */ ('heal');

/** A simulated run: a source that can do everything. */
export class SimulatedRun {
  /** @type {string} */ seed;
  /** How many servers there were at the beginning; `frame.servers` has those that there are. @type {number} */ servers;
  /** The rules that are switched off, with commas between them. @type {string} */ without;
  /** Timing and clients as `Run.settings` says, or empty where they are the usual ones. @type {string} */ settings;
  /** How many clients there are, the person at the command line among them. @type {number} */ clients;
  /** How long messages took at the beginning, at least and at most. @type {[number, number]} */ latency;
  /** The frame last read. @type {Frame} */ frame;
  /**
   * Where it comes from: it is new, or it was opened at a certain moment, or at its beginning.
   * @type {'fresh' | 'moment' | 'beginning'}
   */
  origin = 'fresh';
  /** What the run is about, for people. */
  note = '';
  /** Whether it was opened to see how it breaks. */
  watch = false;
  /** Counts everything that was done to it, and every journey through it. */
  changes = 0;
  /** Counts what was done to its cluster. */
  acts = 0;
  /** Where playing stops, in virtual microseconds. */
  stop = Infinity;
  /** The simulator panicked: nothing can be asked of it any more. */
  dead = false;
  /** @type {Claim | null} */ claim = null;

  #run;
  #onChange = () => {};
  #onPanic = (/** @type {unknown} */ _error) => {};
  #onRefusal = (/** @type {string} */ _sentence) => {};
  /** @type {(bytes: Uint8Array) => Promise<VerdictView>} */
  #judge = () => Promise.reject(new Error());
  /** The part of a microsecond that is still to be played. */
  #rest = 0;

  /** The names of the kinds of moments. */
  momentKinds = moments;
  /** Grows when a branch is renamed, deleted or brought back. */
  renamed = 0;
  /**
   * The branch that was deleted last, which is among `branches` until another one is: it can be
   * brought back. 0: none.
   */
  deleted = 0;

  /** @param {Run} run @param {string} usual the settings that need no mention */
  constructor(run, usual) {
    this.#run = run;
    this.seed = run.seed;
    this.servers = run.servers;
    this.without = run.without;
    this.onlyHarm = run.onlyHarm;
    this.settings = run.settings === usual ? '' : run.settings;
    this.clients = 1 + Number(run.settings.split(',')[CLIENTS]);
    const { latencyMin, latencyMax } = run.dials();
    this.latency = [latencyMin, latencyMax];
    this.frame = this.#read();
  }

  /**
   * @param {{ change: () => void, panic: (error: unknown) => void, refusal: (sentence: string) =>
   * void, judge: (bytes: Uint8Array) => Promise<VerdictView> }} listeners who are told, and whoever
   * judges what clients have seen in a run
   */
  listen({ change, panic, refusal, judge }) {
    this.#judge = judge;
    this.#onChange = change;
    this.#onPanic = panic;
    this.#onRefusal = refusal;
  }

  /** The handle itself, for debugging in the console. */
  get run() {
    return this.#run;
  }

  // What it can do is everything: it is each of its parts itself. See source.js.

  get acting() {
    return this;
  }

  get branching() {
    return this;
  }

  get repeating() {
    return this;
  }

  /** @type {import('./source.js').Pacing} */
  pacing = { fastest: 10 };
  /** @type {import('./source.js').Source['lacks']} */
  lacks = {};

  get name() {
    return this.seed;
  }

  get now() {
    return this.frame.now;
  }

  #read() {
    return unpacked(this.#run.frame());
  }

  /** Whether it was opened with a trace hash that it doesn't have here. */
  get differs() {
    return this.#run.differs;
  }

  /**
   * What follows `#run=` in a link to this moment; throws an Error with a sentence where it is too
   * long for one.
   */
  link() {
    return this.#guard(() => this.#run.link()) ?? '';
  }

  /** The same as bytes, of any length; or another branch. @param {number} [branch] */
  bytes(branch) {
    return this.#guard(() => this.#run.bytes(branch)) ?? new Uint8Array();
  }

  /** Plays a new run until there is something to see. */
  open() {
    if (this.origin !== 'fresh') return;
    this.#guard(() => {
      this.#run.open();
      this.frame = this.#read();
    });
  }

  /** Plays on by a stretch of virtual time. @param {number} micros */
  advance(micros) {
    this.#rest += micros;
    const whole = Math.floor(this.#rest);
    if (whole < 1) return;
    this.#rest -= whole;
    const { claim, frame } = this;
    const to = frame.now + whole;
    // Nothing ends the run where that was found, as a violation does: whoever plays stops there.
    const found = claim && claim.branch === frame.branch ? claim.time : Infinity;
    const stops = [found, this.stop].filter((time) => frame.now < time);
    this.advanceTo(Math.min(to, ...stops));
  }

  /** What is said to have been found at this very moment, where no violation shows. */
  get claimed() {
    const { claim, frame } = this;
    if (!claim || claim.branch !== frame.branch || claim.time !== frame.now || frame.violation) return null;
    if (!claim.state) this.#judgeClaim(claim);
    return claim;
  }

  /** What is said to have been found by now, to be handed on with the run. */
  get handedOn() {
    const { claim, claimed, frame } = this;
    const by = claimed ?? (claim && claim.branch === frame.branch && claim.time <= frame.now ? claim : null);
    return by?.state === 'refuted' ? null : by;
  }

  /** @param {Claim} claim */
  async #judgeClaim(claim) {
    if (claim.property === 'Liveness') claim.state = 'open';
    // Of every other, the run would have shown a violation.
    else if (claim.property !== 'Linearizability') claim.state = 'refuted';
    if (claim.state) return;
    claim.state = 'asked';
    try {
      const { state } = await this.#judge(this.bytes());
      claim.state = state === 'broken' ? 'agrees' : state === 'linearizable' ? 'refuted' : 'open';
    } catch {
      claim.state = 'open';
    }
    if (!this.dead) this.#onChange();
  }

  /** @param {number} time */
  advanceTo(time) {
    this.#guard(() => {
      this.#run.advanceTo(time);
      this.frame = this.#read();
    });
  }

  step() {
    this.#attempt((run) => run.stepEvent());
  }

  // Acting

  /**
   * Does these things at this moment, one after the other. If one can't be done, says why, and
   * leaves out the rest.
   * @param {...Action} actions
   */
  act(...actions) {
    this.acts++;
    this.#attempt((run) => {
      for (const action of actions) act(run, action);
    });
  }

  /** @param {number} server */
  toggleServer(server) {
    const crashed = this.frame.servers[server - 1].role === 'crashed';
    this.act({ do: crashed ? 'restart' : 'crash', server });
  }

  /** @param {number} from @param {number} to */
  toggleDirection(from, to) {
    this.act({ do: this.#isCut(from, to) ? HEAL : CUT, from, to });
  }

  /** @param {number} from @param {number} to */
  #isCut(from, to) {
    return this.frame.cuts.some(([f, t]) => f === from && t === to);
  }

  /** @param {number[][]} links from, to */
  cutLinks(links) {
    const sound = links.filter(([from, to]) => !this.#isCut(from, to));
    this.act(...sound.map(([from, to]) => ({ do: CUT, from, to })));
  }

  healAll() {
    this.act({ do: 'heal-all' });
  }

  /**
   * Enters a command as the person at the command line; the operation's number. Throws an Error
   * with a sentence when the line can't be read.
   * @param {string} command
   */
  submit(command) {
    this.acts++;
    return (
      this.#change((run) => {
        act(run, { do: 'submit', command });
        return run.operations(1)[0].id;
      }) ?? 0
    );
  }

  // Travelling

  /** Goes to a moment, back or forward. @param {number} time */
  seek(time) {
    this.#rest = 0;
    this.#attempt((run) => run.seek(time));
  }

  /**
   * Goes to a known moment. Called while a frame is being made: asks for no other.
   * @param {number} time
   */
  scrub(time) {
    this.#rest = 0;
    this.#guard(() => {
      this.#run.seek(time);
      this.frame = this.#read();
    });
  }

  stepBack() {
    this.#rest = 0;
    this.#attempt((run) => run.stepBack());
  }

  /**
   * Goes to the next moment of one of these kinds, or to the previous one; false if there is none.
   * @param {readonly string[]} kinds @param {boolean} forward
   * @param {number} within how far to look beyond what is known, in virtual microseconds
   */
  jump(kinds, forward, within) {
    this.#rest = 0;
    const set = kinds.reduce((bits, kind) => bits | (1 << this.momentKinds.indexOf(kind)), 0);
    return this.#attempt((run) => (forward ? run.jumpForward(set, within) : run.jumpBack(set))) ?? false;
  }

  /**
   * All branches; the `deleted` one is among them, since others may have begun on it.
   * @returns {BranchView[]}
   */
  branches() {
    return this.#guard(() => this.#run.branches()) ?? [];
  }

  /** @param {number} branch */
  switchTo(branch) {
    this.#rest = 0;
    this.#attempt((run) => run.switchTo(branch));
  }

  /** @param {number} branch @param {string} name */
  renameBranch(branch, name) {
    this.renamed++;
    this.#attempt((run) => run.renameBranch(branch, name));
  }

  /** @param {number} branch */
  deleteBranch(branch) {
    this.renamed++;
    const before = this.deleted;
    this.deleted = branch;
    this.#attempt((run) => before && run.deleteBranch(before));
  }

  /** Brings back the branch that was deleted last. */
  undelete() {
    this.renamed++;
    this.deleted = 0;
    this.#attempt(() => {});
  }

  /** Another branch at this moment. @param {number} branch @returns {Frame | undefined} */
  beside(branch) {
    return this.#guard(() => unpacked(this.#run.beside(branch)));
  }

  /** @param {number} branch @param {number} first @param {number} count @returns {LogView[]} */
  besideLogs(branch, first, count) {
    return this.#guard(() => this.#run.besideLogs(branch, first, count)) ?? [];
  }

  /**
   * A stretch of a branch as plain numbers; see `tape` in web/src/travel.rs.
   * @param {number} branch @param {number} from @param {number} to @param {number} buckets
   */
  tape(branch, from, to, buckets) {
    return this.#guard(() => this.#run.tape(branch, from, to, buckets)) ?? new Float64Array(2);
  }

  /** @param {number} first @param {number} count @returns {LogView[]} */
  logs(first, count) {
    return this.#guard(() => this.#run.logs(first, count)) ?? [];
  }

  /** @returns {StoreView[]} */
  stores() {
    return this.#guard(() => this.#run.stores()) ?? [];
  }

  /** @param {number} limit @returns {OperationView[]} */
  operations(limit) {
    return this.#guard(() => this.#run.operations(limit)) ?? [];
  }

  /** @param {number} after @param {number} limit @returns {StoryLine[]} */
  story(after, limit) {
    return this.#guard(() => this.#run.story(after, limit)) ?? [];
  }

  // Reading

  /** @param {number} server */
  inspect(server) {
    return this.#guard(() => this.#run.inspect(server));
  }

  /** @param {number} message @returns {[string, string][]} */
  messageFacts(message) {
    return this.#guard(() => this.#run.messageFacts(message)) ?? [];
  }

  /** @param {number} from @param {number} to */
  traffic(from, to) {
    return this.#guard(() => unpacked(this.#run.traffic(from, to)));
  }

  dials() {
    return this.#guard(() => this.#run.dials());
  }

  /** Goes to what a sentence is about. @param {number} line */
  seekNews(line) {
    this.#rest = 0;
    this.#attempt((run) => run.seekNews(line));
  }

  traceHash() {
    return this.#guard(() => this.#run.traceHash()) ?? '';
  }

  /** Frees the simulator's memory. */
  free() {
    if (!this.dead) this.#run.free();
    this.dead = true;
  }

  /**
   * As `#change`; but if it can't be done, tells the person why.
   * @template T
   * @param {(run: Run) => T} action
   * @returns {T | undefined}
   */
  #attempt(action) {
    try {
      return this.#change(action);
    } catch (error) {
      this.#onRefusal(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /**
   * Does something to the run, reads the frame after it, and says that it changed; throws an Error
   * with a sentence if it can't be done.
   * @template T
   * @param {(run: Run) => T} action
   * @returns {T | undefined}
   */
  #change(action) {
    return this.#guard(() => {
      const result = action(this.#run);
      this.changes++;
      this.frame = this.#read();
      this.#onChange();
      return result;
    });
  }

  /**
   * After a trap in WebAssembly the simulator can't be used any more. Any other error is a refusal,
   * which is passed on.
   * @template T
   * @param {() => T} work
   * @returns {T | undefined}
   */
  #guard(work) {
    if (this.dead) return undefined;
    try {
      return work();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.dead = true;
      this.#onPanic(error);
      return undefined;
    }
  }
}

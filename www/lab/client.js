// @ts-check
// The lab, as the page asks it: files, logs, verdicts and hunts. The worker with its module is
// fetched when something is asked for the first time, and begun anew after a failure.

/** @typedef {import('../../lab/lab.d.ts').FileView} FileView */
/** @typedef {import('../../lab/lab.d.ts').FindingView} FindingView */
/** @typedef {import('../../lab/lab.d.ts').FoundView} FoundView */
/** @typedef {import('../../lab/lab.d.ts').ShrunkView} ShrunkView */
/** @typedef {import('../../lab/lab.d.ts').VerdictView} VerdictView */
/** @typedef {import('../../lab/lessons.d.ts').LessonView} LessonView */
/** @typedef {import('../../lab/lessons.d.ts').ReachedView} ReachedView */
/**
 * A lesson's file, the seed from which it is played, and the language that is asked for.
 * @typedef {{ text: string, seed: string, language: string }} LessonSource
 */
/**
 * So many seeds from the first on, in clusters of so many servers (0: as each seed draws), each run
 * of so many virtual microseconds. Unless it is to play `all`, it ends with the first finding.
 * @typedef {object} HuntOptions
 * @property {string} first
 * @property {number} count
 * @property {number} servers
 * @property {number} length
 * @property {string} faults
 * @property {string[]} without names of rules
 * @property {boolean} all
 */
/**
 * What came of a hunt: how many seeds, events and virtual microseconds were played, and which runs
 * failed.
 * @typedef {object} HuntResult
 * @property {number} seeds
 * @property {number} events
 * @property {number} time
 * @property {{ seed: string, finding: FindingView, bytes: Uint8Array }[]} failed
 * @property {boolean} stopped before all seeds were played
 */
/** @typedef {ShrunkView & { tries: number, stopped: boolean }} ShrinkResult */
/**
 * How far it is, and a signal that ends it with what there is.
 * @template P
 * @typedef {{ progress?: (progress: P) => void, signal?: AbortSignal }} Watch
 */
/**
 * @typedef {object} Waiting
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {((progress: any) => void) | undefined} progress
 */

import { lab as words } from '../words/common.js';
import workerName from './worker.js?name';

export class Lab {
  /** @type {Worker | null} */ #worker = null;
  /** What is asked, by its number. @type {Map<number, Waiting>} */ #waiting = new Map();
  #asked = 0;
  /** Whether it has answered: then it is there. */
  ready = false;

  /** Reads a scenario file. @param {Blob} file @returns {Promise<FileView>} */
  readFile(file) {
    return this.#ask('readFile', [file]);
  }

  /**
   * A run, which is the bytes within a link, as a scenario file.
   * @param {Uint8Array} bytes @param {string} note @param {FoundView | null} found
   * @returns {Promise<string>}
   */
  writeFile(bytes, note, found) {
    return this.#ask('writeFile', [bytes, note, plain(found)]);
  }

  /**
   * What happened, an event a line.
   * @param {Uint8Array} bytes @param {Omit<FoundView, 'at'> | null} found
   * @returns {Promise<string>}
   */
  trace(bytes, found) {
    return this.#ask('trace', [bytes, plain(found)]);
  }

  /** @param {Uint8Array} bytes @returns {Promise<string>} */
  shiviz(bytes) {
    return this.#ask('shiviz', [bytes]);
  }

  /** What clients asked and were answered. @param {Uint8Array} bytes @returns {Promise<string>} */
  history(bytes) {
    return this.#ask('history', [bytes]);
  }

  /**
   * Whether what clients have seen is linearizable.
   * @param {Uint8Array} bytes @returns {Promise<VerdictView>}
   */
  judge(bytes) {
    return this.#ask('judge', [bytes]);
  }

  /**
   * Plays and judges storms.
   * @param {HuntOptions} options
   * @param {Watch<{ seeds: number, events: number, time: number, failed: number }>} [watch]
   * @returns {Promise<HuntResult>}
   */
  hunt(options, watch) {
    return this.#ask('hunt', [options], watch);
  }

  /**
   * Makes a failing run small, in at most so many tries.
   * @param {Uint8Array} bytes @param {number} tries
   * @param {Watch<{ tries: number, actions: number }>} [watch]
   * @returns {Promise<ShrinkResult>}
   */
  shrink(bytes, tries, watch) {
    return this.#ask('shrink', [bytes, tries], watch);
  }

  /**
   * Reads a lesson, plays it, and asserts all that it claims.
   * @param {LessonSource} lesson @returns {Promise<LessonView>}
   */
  readLesson(lesson) {
    return this.#ask('readLesson', [lesson]);
  }

  /**
   * Whether a task has been done in a run.
   * @param {LessonSource} lesson @param {number} step from 0
   * @param {string} run what follows `#run=` in a link to it
   * @returns {Promise<ReachedView | null>}
   */
  judgeTask(lesson, step, run) {
    return this.#ask('judgeTask', [lesson, step, run]);
  }

  /**
   * @param {string} what @param {unknown[]} args @param {Watch<any>} [watch]
   * @returns {Promise<any>}
   */
  #ask(what, args, { progress, signal } = {}) {
    const id = ++this.#asked;
    const worker = (this.#worker ??= this.#begin());
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, progress });
      const stop = () => worker.postMessage({ stop: id });
      // Before it begins.
      if (signal?.aborted) stop();
      worker.postMessage({ id, what, args });
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  #begin() {
    const worker = new Worker(new URL(workerName, document.baseURI), { type: 'module' });
    worker.addEventListener('message', ({ data }) => this.#hear(data));
    // Its script can't be fetched, or has failed outside of any work.
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#end(words.unloaded(event.message ?? ''));
    });
    return worker;
  }

  /**
   * @param {{ id: number, value?: unknown, refusal?: string, progress?: unknown, trap?: string,
   * unloaded?: string }} data
   */
  #hear({ id, value, refusal, progress, trap, unloaded }) {
    if (trap !== undefined) return this.#end(words.stopped(trap));
    if (unloaded !== undefined) return this.#end(words.unloaded(unloaded));
    this.ready = true;
    const waiting = this.#waiting.get(id);
    if (progress !== undefined) return waiting?.progress?.(progress);
    this.#waiting.delete(id);
    if (refusal === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(refusal));
  }

  /** The worker is of no use any more: the next request begins another. @param {string} why */
  #end(why) {
    this.#worker?.terminate();
    this.#worker = null;
    this.ready = false;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(new Error(why));
  }
}

/** Nothing else of it is sent. @param {Omit<FoundView, 'at'> | null} found */
const plain = (found) =>
  found && { property: found.property, time: found.time, first: found.first, second: found.second };

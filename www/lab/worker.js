// @ts-check
// The worker in which the lab works, so that the page never waits for it. It gets
// `{ id, what, args }`, and answers with `{ id, value }` or, if that can't be done,
// `{ id, refusal }` with a sentence. Work that takes long tells how far it is, `{ id, progress }`,
// and goes on in pieces: in between comes what else is asked, or `{ stop: id }`, which ends it with
// what there is. What isn't a refusal is the end of the module: `{ trap }`.

/** @typedef {import('../../lab/lab.d.ts').FoundView} FoundView */
/** @typedef {import('../../lab/lab.d.ts').TrialView} TrialView */
/** @typedef {import('../../lab/lessons.d.ts').LessonView} LessonView */
/** @typedef {import('../../lab/lessons.d.ts').ReachedView} ReachedView */
/** @typedef {import('./client.js').HuntOptions} HuntOptions */
/** @typedef {import('./client.js').HuntResult} HuntResult */
/** @typedef {import('./client.js').LessonSource} LessonSource */

import * as lab from '../pkg/raft_lab.js';
import moduleName from '../pkg/raft_lab_bg.wasm';
import * as judging from '../pkg/raft_lessons.js';
import judgingName from '../pkg/raft_lessons_bg.wasm';

/** How long a piece of work takes before the worker looks up, in ms. */
const PIECE = 30;

/** The work that is to stop. @type {Set<number>} */
const stopped = new Set();

// A message to itself comes after those that wait already; a timer would come late.
const { port1, port2 } = new MessageChannel();
port1.start();
const lookUp = () =>
  new Promise((done) => {
    port1.addEventListener('message', done, { once: true });
    port2.postMessage(null);
  });

/** Work that is under way. */
class Job {
  #id;
  #since = performance.now();

  /** @param {number} id */
  constructor(id) {
    this.#id = id;
  }

  /** Lets others in if it is time to. False if this work is to stop. */
  async goesOn() {
    if (performance.now() - this.#since >= PIECE) {
      await lookUp();
      this.#since = performance.now();
    }
    return !stopped.has(this.#id);
  }

  /** @param {unknown} progress */
  tell(progress) {
    postMessage({ id: this.#id, progress });
  }
}

/** Who judges runs, once that is asked for. @type {{ of: lab.Judge | null }} */
const judge = { of: null };

/**
 * What was found, as the module takes it.
 * @param {Omit<FoundView, 'at'> | null} found
 * @returns {[string | undefined, number, string, string]}
 */
const parts = (found) => (found ? [found.property, found.time, found.first, found.second] : [undefined, 0, '', '']);

/** What can be asked of the lab. @type {Record<string, (job: Job, ...args: any[]) => unknown>} */
const tasks = {
  readFile: async (_, /** @type {Blob} */ file) => {
    lab.checkSize(file.size);
    return lab.readFile(await file.text());
  },
  writeFile: (_, bytes, note, found) => lab.writeFile(bytes, note, ...parts(found)),
  trace: (_, bytes, found) => lab.trace(bytes, ...parts(found)),
  shiviz: (_, bytes) => lab.shiviz(bytes),
  history: (_, bytes) => lab.history(bytes),
  judge: (_, bytes) => (judge.of ??= new lab.Judge()).judge(bytes),
  hunt,
  shrink,
};

/** The lesson that was asked about last. @type {{ known: string, of: judging.Lessons | null }} */
const lesson = { known: '', of: null };

/** @param {LessonSource} source */
function lessonOf({ text, seed, language }) {
  const known = `${seed} ${language} ${text}`;
  if (lesson.of && lesson.known === known) return lesson.of;
  lesson.of?.free();
  lesson.of = null;
  const read = new judging.Lessons(text, seed, language);
  Object.assign(lesson, { known, of: read });
  return read;
}

/**
 * What can be asked about lessons, of a module of its own, which is smaller.
 * @type {typeof tasks}
 */
const lessonTasks = {
  readLesson: (_, source) => /** @type {LessonView} */ (JSON.parse(lessonOf(source).view())),
  judgeTask: (_, source, step, run) => {
    const reached = lessonOf(source).done(step, run);
    return reached === undefined ? null : /** @type {ReachedView} */ (JSON.parse(reached));
  },
};

/** @param {Job} job @param {HuntOptions} options @returns {Promise<HuntResult>} */
async function hunt(job, { first, count, servers, length, faults, without, all }) {
  const hunt = new lab.Hunt(servers, length, faults, without.join(','));
  /** @type {HuntResult} */
  const result = { seeds: 0, events: 0, time: 0, failed: [], stopped: false };
  try {
    for (; result.seeds < count && (all || !result.failed.length); result.seeds++) {
      const seed = String(BigInt(first) + BigInt(result.seeds));
      hunt.begin(seed);
      /** @type {TrialView | undefined} */
      let trial;
      while (!trial) {
        if (!(await job.goesOn())) return { ...result, stopped: true };
        trial = hunt.playOn();
      }
      result.events += trial.events;
      result.time += trial.played;
      if (trial.finding && trial.bytes) result.failed.push({ seed, finding: trial.finding, bytes: trial.bytes });
      job.tell({ seeds: result.seeds + 1, events: result.events, time: result.time, failed: result.failed.length });
    }
    return result;
  } finally {
    hunt.free();
  }
}

/** @param {Job} job @param {Uint8Array} bytes @param {number} tries at most */
async function shrink(job, bytes, tries) {
  const shrinking = new lab.Shrinking(bytes, tries);
  try {
    let over = false;
    for (let piece = 1; !over && (await job.goesOn());) {
      const began = performance.now();
      over = shrinking.work(piece);
      const took = performance.now() - began;
      if (took < PIECE) piece *= 2;
      else if (took > 2 * PIECE) piece = Math.ceil(piece / 2);
      job.tell({ tries: shrinking.tries, actions: shrinking.actions });
    }
    return { ...shrinking.smallest(), tries: shrinking.tries, stopped: !over };
  } finally {
    shrinking.free();
  }
}

/** By its name in the page: when a module is there. @type {Record<string, Promise<unknown>>} */
const loaded = {};

/**
 * @param {{ default: (from: { module_or_path: URL }) => Promise<unknown> }} glue
 * @param {string} name
 */
const load = (glue, name) => (loaded[name] ??= glue.default({ module_or_path: new URL(name, location.href) }));

/** @param {number} id @param {string} what @param {unknown[]} args */
async function answer(id, what, args) {
  try {
    await (what in lessonTasks ? load(judging, judgingName) : load(lab, moduleName));
  } catch (error) {
    postMessage({ unloaded: String(error) });
    return;
  }
  try {
    postMessage({ id, value: await (tasks[what] ?? lessonTasks[what])(new Job(id), ...args) });
  } catch (error) {
    // The module refuses with plain errors. Anything else is a bug, and perhaps its end.
    if (error instanceof Error && error.constructor === Error) postMessage({ id, refusal: error.message });
    else postMessage({ trap: /** @type {any} */ (globalThis).raftariumPanic ?? String(error) });
  }
  stopped.delete(id);
}

addEventListener('message', ({ data }) => {
  if (data.stop) stopped.add(data.stop);
  else answer(data.id, data.what, data.args);
});

// @ts-check
// How far somebody has come: which lessons are done, and where they are. It stays in this browser.

const STORED = 'raftarium.lessons';

/** @typedef {{ name: string, step: number }} Place the step from 0 */
/**
 * Where somebody is; how far they were in each lesson, by its name; which are done; the language
 * that they chose.
 * @typedef {object} Known
 * @property {Place | null} at
 * @property {Record<string, number>} steps
 * @property {string[]} done
 * @property {string} language
 */

/** Where nothing can be stored, it lasts as long as the page. @type {Known | null} */
let known = null;

/** @returns {Known} */
export function progress() {
  if (known) return known;
  /** @type {any} */
  let stored = {};
  try {
    stored = JSON.parse(localStorage.getItem(STORED) ?? '{}');
  } catch {
    // It is forbidden, or somebody else’s.
  }
  const { at, steps, done, language } = stored ?? {};
  const isPlace = typeof at?.name === 'string' && Number.isInteger(at.step) && at.step >= 0;
  known = {
    at: isPlace ? { name: at.name, step: at.step } : null,
    steps: Object.fromEntries(
      Object.entries(typeof steps === 'object' && steps ? steps : {}).filter(([, step]) => Number.isInteger(step)),
    ),
    done: Array.isArray(done) ? done.filter((/** @type {unknown} */ name) => typeof name === 'string') : [],
    language: typeof language === 'string' ? language : '',
  };
  return known;
}

/** @param {Partial<Known>} change */
export function note(change) {
  known = { ...progress(), ...change };
  try {
    localStorage.setItem(STORED, JSON.stringify(known));
  } catch {
    // As above.
  }
}

export function forget() {
  known = null;
  try {
    localStorage.removeItem(STORED);
  } catch {
    known = { at: null, steps: {}, done: [], language: '' };
  }
}

// @ts-check
// A playlist: moments of runs with notes, as a file, and as what is shown of a lesson.

/** @typedef {import('../../lab/lessons.d.ts').LessonView} LessonView */
/**
 * What is shown: `run` is what follows `#run=` in a link.
 * @typedef {{ run: string, time: number, note: string }} Moment
 */
/** @typedef {{ title: string, moments: Moment[] }} Playlist */

import { playlist as words, wrong } from '../words/playlist.js';
import { PARTS } from './spotlight.js';

const VERSION = 1;
const MOST = 500;
const STORED = 'raftarium.playlist';

/** The parts of the page that are there while one plays: all but the legend. */
const SHOWN = PARTS.filter((part) => part !== 'legend');

/** @param {Playlist} playlist */
export const write = ({ title, moments }) =>
  `${JSON.stringify({ 'raftarium-playlist': VERSION, title, moments }, null, 2)}\n`;

/** Throws an Error with a sentence where it is none. @param {string} text @returns {Playlist} */
export function read(text) {
  /** @type {any} */
  let form;
  try {
    form = JSON.parse(text);
  } catch {
    throw new Error(wrong.json);
  }
  if (form?.['raftarium-playlist'] === undefined) throw new Error(wrong.form);
  if (form['raftarium-playlist'] !== VERSION) throw new Error(wrong.version);
  if (!Array.isArray(form.moments) || form.moments.length === 0) throw new Error(wrong.empty);
  if (form.moments.length > MOST) throw new Error(wrong.tooMany(MOST));
  const moments = form.moments.map((/** @type {any} */ moment, /** @type {number} */ i) => {
    const { run, note, time } = moment ?? {};
    if (typeof run !== 'string' || typeof note !== 'string') throw new Error(wrong.moment(i + 1));
    return { run, note, time: Number.isFinite(time) && time >= 0 ? time : 0 };
  });
  return { title: typeof form.title === 'string' ? form.title : '', moments };
}

/** The one that somebody is making in this browser. @returns {Playlist} */
export function draft() {
  try {
    return read(localStorage.getItem(STORED) ?? '');
  } catch {
    return { title: '', moments: [] };
  }
}

/** Keeps it, where that can be. @param {Playlist} playlist */
export function keep(playlist) {
  try {
    if (playlist.moments.length) localStorage.setItem(STORED, write(playlist));
    else localStorage.removeItem(STORED);
  } catch {
    // Then it lasts as long as the page.
  }
}

/**
 * As a lesson shows it: a step for each moment.
 * @param {Playlist} playlist @returns {LessonView}
 */
export function shown({ title, moments }) {
  return {
    chapter: '',
    minutes: 0,
    seed: '',
    language: document.documentElement.lang,
    languages: [document.documentElement.lang],
    title: title || words.unnamed,
    aim: '',
    runs: moments.map(({ run }) => run),
    steps: moments.map(({ note, time }, i) => {
      const [heading, ...sentences] = note.split(/\n+/).map((line) => line.trim());
      return {
        kind: 'told',
        run: i,
        from: time,
        to: time,
        heading: heading || words.moments(i + 1),
        sentences: sentences.filter(Boolean),
        answers: [],
        right: null,
        hint: '',
        look: [],
        show: i === 0 ? SHOWN : [],
      };
    }),
  };
}

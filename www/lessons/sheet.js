// @ts-check
// A sheet of paper for each lesson: its aim, its questions with boxes, its tasks with room for
// notes, its terms; and the answers on a page of their own.

/** @typedef {import('../../lab/lessons.d.ts').LessonView} LessonView */
/** @typedef {import('../../lab/lessons.d.ts').StepView} StepView */

import { make } from '../kit/dom.js';
import { sameAs, terms } from '../words/terms.js';
import * as strings from '../words/lessons.js';

/** A text without the names of its terms' entries. @param {string} text */
const plain = (text) => text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');

/** The entries of a lesson's terms, in the order of their coming. @param {LessonView} lesson */
function termsOf({ steps }) {
  const texts = steps.flatMap(({ sentences, answers, hint }) => [
    ...sentences,
    ...answers.flatMap(({ answer, reply }) => [answer, reply]),
    hint,
  ]);
  const names = texts.flatMap((text) => [...text.matchAll(/\[[^\]]+\]\(([^)]+)\)/g)].map(([, name]) => name));
  return [...new Set(names.map((name) => sameAs[name] ?? name))].filter((name) => terms[name]);
}

/** @param {StepView} step @param {number} i */
function stepOf({ kind, heading, sentences, answers }, i) {
  /** @type {HTMLElement[]} */
  const text = [make('h3', {}, `${i + 1}. ${heading}`), make('p', {}, sentences.map(plain).join(' '))];
  if (kind === 'predicted') {
    text.push(make('ul', { class: 'boxes' }, ...answers.map(({ answer }) => make('li', {}, plain(answer)))));
  }
  if (kind === 'done') text.push(make('div', { class: 'room' }));
  return make('section', { class: kind }, ...text);
}

/** @param {LessonView} lesson @param {string} address where the lesson is */
function sheetOf(lesson, address) {
  const { sheet, chapters } = strings;
  const known = termsOf(lesson);
  const meanings = known.flatMap((name) => [make('dt', {}, name), make('dd', {}, terms[name])]);
  return make(
    'article',
    { lang: lesson.language },
    make('small', {}, `Raftarium · ${chapters[lesson.chapter] ?? lesson.chapter} · ${sheet.minutes(lesson.minutes)}`),
    make('h2', {}, lesson.title),
    make('p', { class: 'aim' }, lesson.aim),
    make('small', {}, address),
    ...lesson.steps.map(stepOf),
    ...(known.length ? [make('h3', {}, sheet.terms), make('dl', {}, ...meanings)] : []),
  );
}

/** @param {LessonView} lesson */
function answersOf({ title, language, steps }) {
  const lines = steps.flatMap(({ right, answers }, i) => {
    const one = right === null ? null : answers[right];
    return one ? [make('li', { value: i + 1 }, make('b', {}, plain(one.answer)), `: ${plain(one.reply)}`)] : [];
  });
  return make('section', { lang: language }, make('h3', {}, title), make('ol', {}, ...lines));
}

/**
 * Prints the sheets of some lessons; the page is as it was afterwards.
 * @param {{ view: LessonView, address: string }[]} lessons
 */
export function printSheets(lessons) {
  const box = make(
    'main',
    { id: 'sheets' },
    ...lessons.map(({ view, address }) => sheetOf(view, address)),
    make('article', {}, make('h2', {}, strings.sheet.answers), ...lessons.map(({ view }) => answersOf(view))),
  );
  document.body.append(box);
  addEventListener('afterprint', () => box.remove(), { once: true });
  print();
}

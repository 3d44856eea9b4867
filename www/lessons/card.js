// @ts-check
// The card beside the ring: what a step says, asks or sets as a task, and the way on and back.

/** @typedef {import('../../lab/lessons.d.ts').LessonView} LessonView */
/** @typedef {import('../../lab/lessons.d.ts').StepView} StepView */

import { make, setAttribute, withNames } from '../kit/dom.js';
import { withLinkedTerms } from '../kit/explained.js';
import { sideways } from '../kit/swipe.js';
import * as strings from '../words/lessons.js';

/**
 * What the card has to tell.
 * @typedef {object} Actions
 * @property {(step: number) => void} goTo
 * @property {() => void} back
 * @property {() => void} next
 * @property {(answer: number) => void} answer
 * @property {() => void} again
 * @property {() => void} hint
 * @property {() => void} skip to where the step ends
 * @property {() => void} contents
 * @property {() => void} playOn
 * @property {() => void} handIn
 * @property {(language: string) => void} speak
 */

/**
 * A task: whether its hint is to be seen, what is said when it is done, what else there is to say,
 * and whether there can be a link to its solution.
 * @typedef {{ hint: boolean, said: string, note: string, canHandIn: boolean }} TaskState
 */

/** A sentence, with its terms and servers. @param {string} text */
const words = (text) => withLinkedTerms(text).flatMap((part) => (typeof part === 'string' ? withNames(part) : [part]));

/** For those who hear the page. @param {string} text */
const unseen = (text) => make('span', { class: 'unseen' }, text);

export class Card {
  #actions;
  #where = make('button', {
    class: 'lesson-where',
    'aria-haspopup': 'dialog',
    onclick: () => this.#actions.contents(),
  });
  #count = make('span', { class: 'lesson-count' });
  #steps = make('div', { class: 'lesson-steps' });
  #speaks = make('select', { 'aria-label': strings.card.language });
  #skip = make('button', { class: 'quiet', onclick: () => this.#actions.skip() }, strings.card.skip);
  #text = make('div', { class: 'lesson-text', 'aria-live': 'polite' });
  #more = make('div', { class: 'lesson-more' });
  #back = make('button', { onclick: () => this.#actions.back() }, `‹ ${strings.card.back}`);
  #next = make('button', { class: 'primary', onclick: () => this.#actions.next() });
  #again = make('button', { class: 'quiet', onclick: () => this.#actions.again() });
  #playOn = make(
    'button',
    { class: 'quiet', title: strings.card.playOnTitle, onclick: () => this.#actions.playOn() },
    strings.card.playOn,
  );
  dom = make(
    'section',
    { id: 'lesson', 'aria-label': strings.card.name },
    make('header', {}, this.#where, this.#speaks, this.#count),
    this.#steps,
    this.#text,
    this.#more,
    make('div', { class: 'lesson-asides' }, this.#again, this.#playOn),
    make('footer', {}, this.#back, this.#next),
  );

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#speaks.addEventListener('change', () => actions.speak(this.#speaks.value));
    sideways(this.dom, (on) => (on ? actions.next() : actions.back()));
  }

  /** Another lesson. @param {LessonView} lesson */
  begin(lesson) {
    const { chapters, card } = strings;
    this.#where.textContent = card.where(chapters[lesson.chapter] ?? lesson.chapter, lesson.title);
    this.#where.title = card.all;
    const buttons = lesson.steps.map(({ heading }, i) =>
      make('button', { 'aria-label': card.goTo(i + 1, heading), title: heading, onclick: () => this.#actions.goTo(i) }),
    );
    this.#steps.replaceChildren(...buttons);
    this.#speaks.hidden = lesson.languages.length < 2;
    const name = (/** @type {string} */ language) => {
      try {
        return new Intl.DisplayNames(language, { type: 'language' }).of(language) ?? language;
      } catch {
        // It is no language that anybody knows.
        return language;
      }
    };
    this.#speaks.replaceChildren(
      ...lesson.languages.map((language) =>
        make('option', { value: language, selected: language === lesson.language, lang: language }, name(language)),
      ),
    );
    this.#text.lang = lesson.language;
  }

  /**
   * Another step.
   * @param {LessonView} lesson @param {number} at
   * @param {string} next what the button of what comes next says
   * @param {string} note what else there is to say
   */
  show(lesson, at, next, note) {
    const step = lesson.steps[at];
    const { card } = strings;
    this.#count.textContent = card.step(at + 1, lesson.steps.length);
    [...this.#steps.children].forEach((button, i) => {
      button.classList.toggle('passed', i < at);
      if (i === at) button.setAttribute('aria-current', 'step');
      else button.removeAttribute('aria-current');
    });
    setAttribute(this.dom, 'data-kind', step.kind);
    // A task's heading says that it is one.
    const label = step.kind === 'predicted' ? strings.predicted.label : '';
    setAttribute(this.dom, 'data-coming', 'false');
    this.#text.replaceChildren(
      ...(label ? [make('small', { class: 'lesson-label' }, label)] : []),
      make('h2', {}, step.heading),
      make(
        'div',
        { class: 'lesson-sentences' },
        ...step.sentences.map((sentence) => make('p', {}, ...words(sentence))),
        ...(note ? [make('small', {}, note)] : []),
        make('div', { class: 'lesson-coming' }, card.coming, ' ', this.#skip),
      ),
    );
    this.#more.replaceChildren();
    this.#more.lang = lesson.language;
    this.#back.disabled = at === 0;
    this.#next.classList.add('primary');
    this.#next.textContent = `${next} ›`;
    this.#again.textContent = step.kind === 'done' ? card.again : card.watchAgain;
  }

  /**
   * What a step tells comes to pass only now: until it has, it isn't said.
   * @param {boolean} coming
   */
  wait(coming) {
    setAttribute(this.dom, 'data-coming', String(coming));
  }

  /** Something else is to be said about the step. @param {string} said */
  remark(said) {
    this.#more.append(make('p', { class: 'lesson-note', role: 'status' }, said));
  }

  /**
   * A prediction: what can be answered and, once it has been watched, what is said to the answer.
   * @param {StepView} step @param {number | null} chosen @param {boolean} watched
   */
  ask({ answers, right }, chosen, watched) {
    const { predicted } = strings;
    // Who hasn't answered yet isn't drawn past the question.
    this.#next.classList.toggle('primary', watched);
    const buttons = answers.map(({ answer, reply }, i) => {
      const is = !watched ? '' : i === right ? 'right' : i === chosen ? 'wrong' : '';
      const button = make(
        'button',
        { class: `answer ${is}`, 'aria-pressed': String(i === chosen), onclick: () => this.#actions.answer(i) },
        ...words(answer),
      );
      if (is) button.append(unseen(` (${predicted[is]})`));
      const said = watched && i === chosen && make('div', { class: `reply ${is}` }, ...words(reply));
      return make('li', {}, button, ...(said ? [said] : []));
    });
    const focused = this.#focusedAnswer();
    const waits = chosen !== null && !watched;
    this.#more.replaceChildren(
      make('ul', { class: 'answers' }, ...buttons),
      make('p', { class: 'lesson-status', role: 'status' }, waits ? predicted.watching : ''),
    );
    // On a phone it may lie under the way on.
    if (watched && chosen !== null) this.#more.querySelector('.reply')?.scrollIntoView({ block: 'nearest' });
    if (focused >= 0) this.#more.querySelectorAll('button')[focused]?.focus({ preventScroll: true });
  }

  #focusedAnswer() {
    return [...this.#more.querySelectorAll('.answers .answer')].findIndex(
      (button) => button === document.activeElement,
    );
  }

  /**
   * A task: its hint, if it is to be seen, and what is said when it is done.
   * @param {StepView} step @param {TaskState} state
   */
  set({ hint }, state) {
    const { task } = strings;
    const parts = [];
    if (state.said) {
      parts.push(make('div', { class: 'reply right' }, make('b', {}, '✓ ', unseen(task.done)), ...words(state.said)));
      if (state.canHandIn)
        parts.push(make('button', { class: 'quiet', onclick: () => this.#actions.handIn() }, task.link));
    } else if (state.hint) {
      parts.push(make('p', { class: 'lesson-hint' }, make('b', {}, `${task.hint}: `), ...words(hint)));
    } else {
      parts.push(make('button', { class: 'quiet', onclick: () => this.#actions.hint() }, task.hint));
    }
    if (state.note) parts.push(make('p', { class: 'lesson-note' }, state.note));
    this.#more.replaceChildren(make('div', { role: 'status' }, ...parts));
    if (state.said) this.#more.scrollIntoView({ block: 'nearest' });
  }
}

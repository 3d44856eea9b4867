// @ts-check
// The list of all lessons, by chapters, with what has been done.

import { fillDialog } from '../kit/dialog.js';
import { make } from '../kit/dom.js';
import { lessons } from '../pkg/lessons.js';
import * as strings from '../words/lessons.js';
import { wordsIn } from './listed.js';
import { forget, progress } from './progress.js';

export class Contents {
  #actions;
  #dialog = make('dialog', { id: 'lessons-dialog' });
  #body = make('div');
  #which = make('select');
  #said = make('p', { class: 'said', role: 'status' });
  #file = make('input', {
    type: 'file',
    accept: '.json,application/json',
    class: 'unseen',
    tabindex: -1,
    'aria-hidden': 'true',
  });

  /**
   * @param {{ open: (name: string, step: number) => void, file: (file: File) => void, print:
   * (names: string[]) => void }} actions
   */
  constructor(actions) {
    this.#actions = actions;
    document.body.append(this.#dialog);
    fillDialog(this.#dialog, strings.contents.title, this.#body, this.#said);
    this.#file.addEventListener('change', () => {
      const [file] = this.#file.files ?? [];
      this.#file.value = '';
      if (!file) return;
      this.#dialog.close();
      actions.file(file);
    });
  }

  open() {
    this.#fill();
    this.#said.textContent = '';
    this.#dialog.showModal();
    const [here] = this.#dialog.querySelectorAll('[aria-current]');
    if (here instanceof HTMLElement) here.focus();
  }

  #fill() {
    const { contents, chapters } = strings;
    const { at, steps, done, language } = progress();
    /** @type {HTMLElement[]} */
    const parts = [];
    for (const chapter of new Set(lessons.map((lesson) => lesson.chapter))) {
      const items = lessons
        .filter((lesson) => lesson.chapter === chapter)
        .map((listed) => {
          const { name, minutes } = listed;
          const { title, aim } = wordsIn(listed, language);
          const isHere = at?.name === name;
          const isDone = done.includes(name);
          const step = isHere ? at.step : isDone ? 0 : (steps[name] ?? 0);
          const begun = step ? contents.step(step + 1) : contents.minutes(minutes);
          const state = isHere ? contents.here : isDone ? contents.done : begun;
          const open = () => {
            this.#dialog.close();
            this.#actions.open(name, step);
          };
          const button = make(
            'button',
            {
              class: isDone ? 'lesson-item done' : 'lesson-item',
              ...(isHere && { 'aria-current': 'true' }),
              onclick: open,
            },
            make('b', {}, title),
            make('small', {}, state),
            make('span', {}, aim),
          );
          return make('li', {}, button);
        });
      parts.push(make('h3', {}, chapters[chapter] ?? chapter), make('ol', { class: 'lesson-list' }, ...items));
    }
    const print = make('button', { onclick: () => this.#print() }, contents.print);
    const which = make('select', { 'aria-label': contents.printWhich });
    which.append(
      make('option', { value: '' }, contents.printAll),
      ...lessons.map((listed) =>
        make('option', { value: listed.name, selected: listed.name === at?.name }, wordsIn(listed, language).title),
      ),
    );
    this.#which = which;
    const own = make('button', { onclick: () => this.#file.click() }, contents.own);
    const clear = make('button', { class: 'quiet', onclick: () => this.#forget() }, contents.clear);
    clear.disabled = done.length === 0 && !at;
    this.#body.replaceChildren(
      make('p', { class: 'hint' }, contents.intro),
      ...parts,
      make('p', { class: 'hint' }, contents.progress(done.length, lessons.length)),
      make('p', { class: 'lesson-own' }, own, clear, this.#file),
      make('p', { class: 'lesson-own' }, which, print),
      make('p', { class: 'hint' }, contents.ownHint),
    );
  }

  #print() {
    const { value } = this.#which;
    this.#dialog.close();
    this.#actions.print(lessons.flatMap(({ name }) => (!value || value === name ? [name] : [])));
  }

  #forget() {
    forget();
    this.#fill();
    this.#said.textContent = strings.contents.cleared;
  }
}

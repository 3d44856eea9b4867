// @ts-check
// The dialog in which somebody makes a playlist.

/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */
/** @typedef {import('./playlist.js').Playlist} Playlist */

import { fillDialog } from '../kit/dialog.js';
import { make, setText } from '../kit/dom.js';
import { wordsOf } from '../kit/errors.js';
import { save } from '../kit/save.js';
import { playlist as words } from '../words/playlist.js';
import { draft, keep, read, write } from './playlist.js';

/**
 * @typedef {object} Actions
 * @property {() => SimulatedRun} simulated the run that is shown
 * @property {(playlist: Playlist, moment: number) => void} play from a moment on
 */

export class PlaylistDialog {
  #actions;
  #dialog = make('dialog', { id: 'playlist-dialog' });
  #playlist = draft();
  #title = make('input', { type: 'text', 'aria-label': words.name, placeholder: words.name });
  #list = make('ol', { class: 'playlist' });
  #said = make('p', { class: 'said', role: 'status' });
  #file = make('input', { type: 'file', accept: '.json,application/json', hidden: true });
  #play = make('button', { onclick: () => this.#go(0) }, words.play);
  #save = make('button', { onclick: () => this.#saveFile() }, words.save);
  #clear = make('button', { onclick: () => this.#set({ title: '', moments: [] }) }, words.clear);

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#title.addEventListener('input', () => {
      this.#playlist = { ...this.#playlist, title: this.#title.value };
      keep(this.#playlist);
    });
    this.#file.addEventListener('change', async () => {
      const [file] = this.#file.files ?? [];
      this.#file.value = '';
      if (!file) return;
      try {
        this.#set(read(await file.text()));
        setText(this.#said, words.opened);
      } catch (error) {
        setText(this.#said, `${file.name}: ${wordsOf(error)}.`);
      }
    });
    const add = make('button', { class: 'primary', onclick: () => this.#add() }, words.add);
    const open = make('button', { onclick: () => this.#file.click() }, words.open);
    fillDialog(
      this.#dialog,
      words.title,
      make('p', { class: 'hint' }, words.intro),
      make('p', { class: 'row' }, add, this.#play, this.#save, open, this.#clear, this.#file),
      this.#said,
      this.#title,
      this.#list,
    );
    document.body.append(this.#dialog);
  }

  open() {
    setText(this.#said, '');
    this.#fill();
    this.#dialog.showModal();
  }

  #add() {
    const simulated = this.#actions.simulated();
    try {
      const moment = { run: simulated.link(), time: simulated.now, note: simulated.note };
      this.#set({ ...this.#playlist, moments: [...this.#playlist.moments, moment] });
      setText(this.#said, words.added);
      this.#list.querySelector('li:last-child textarea')?.scrollIntoView({ block: 'nearest' });
    } catch (error) {
      setText(this.#said, wordsOf(error));
    }
  }

  /** @param {Playlist} playlist */
  #set(playlist) {
    this.#playlist = playlist;
    keep(playlist);
    this.#fill();
  }

  /** @param {number} at */
  #go(at) {
    this.#dialog.close();
    this.#actions.play(this.#playlist, at);
  }

  #saveFile() {
    save('raftarium-playlist.json', 'application/json', write(this.#playlist));
    setText(this.#said, words.saved);
  }

  /** Puts a moment before the one that precedes it. @param {number} at */
  #earlier(at) {
    const moments = [...this.#playlist.moments];
    [moments[at - 1], moments[at]] = [moments[at], moments[at - 1]];
    this.#set({ ...this.#playlist, moments });
    this.#buttonOf(at - 1, '.earlier')?.focus();
  }

  /** @param {number} at */
  #remove(at) {
    this.#set({ ...this.#playlist, moments: this.#playlist.moments.filter((_, i) => i !== at) });
    (this.#buttonOf(Math.min(at, this.#playlist.moments.length - 1), '.remove') ?? this.#play).focus();
  }

  /** @param {number} at @param {string} which @returns {HTMLButtonElement | null} */
  #buttonOf(at, which) {
    return this.#list.children[at]?.querySelector(which) ?? null;
  }

  #fill() {
    const { title, moments } = this.#playlist;
    this.#title.value = title;
    for (const button of [this.#play, this.#save, this.#clear]) button.disabled = moments.length === 0;
    const lines = moments.map(({ note, time }, i) => {
      const text = make('textarea', { rows: 3, 'aria-label': words.note(i + 1), placeholder: words.note(i + 1) });
      text.value = note;
      text.addEventListener('input', () => {
        this.#playlist.moments[i].note = text.value;
        keep(this.#playlist);
      });
      const earlier = { class: 'icon earlier', 'aria-label': words.up(i + 1), disabled: i === 0 };
      return make(
        'li',
        {},
        make('b', {}, words.moment(i + 1, time)),
        make('button', { 'aria-label': words.go(i + 1), onclick: () => this.#go(i) }, words.goShort),
        make('button', { ...earlier, onclick: () => this.#earlier(i) }, '↑'),
        make(
          'button',
          { class: 'icon remove', 'aria-label': words.remove(i + 1), onclick: () => this.#remove(i) },
          '×',
        ),
        text,
      );
    });
    this.#list.replaceChildren(...lines);
    if (!moments.length) this.#list.replaceChildren(make('li', { class: 'empty' }, words.none));
  }
}

// @ts-check
// The dialog that shares a run: as a link, a file, a picture, or a record of what happened.

/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */

import { fillDialog } from '../kit/dialog.js';
import { byId, make, setText } from '../kit/dom.js';
import { wordsOf } from '../kit/errors.js';
import { addressOf, frameOf } from './link.js';
import { save } from '../kit/save.js';
import * as common from '../words/common.js';
import * as strings from '../words/share.js';

const { share: words } = strings;

/**
 * @typedef {object} Means
 * @property {import('../lab/client.js').Lab} lab
 * @property {() => SimulatedRun} simulated
 * @property {(file: File) => void} open
 * @property {(kind: 'png' | 'svg') => void} picture of the ring
 * @property {() => void} present
 * @property {() => void} collect opens the playlist, into which moments are put
 */

export class ShareDialog {
  #dialog = byId('share-dialog', HTMLDialogElement);
  #link = make('input', { type: 'text', readonly: true, id: 'share-link', 'aria-label': words.link });
  #note = make('input', { type: 'text', id: 'share-note', autocomplete: 'off', 'aria-describedby': 'share-file-help' });
  #said = make('p', { class: 'said', role: 'status' });
  #file = make('input', { type: 'file', accept: '.json,application/json', hidden: true });
  #means;

  /** @param {Means} means */
  constructor(means) {
    this.#means = means;
    const button = (/** @type {string} */ name, /** @type {() => void | Promise<void>} */ act) => {
      const made = make('button', { type: 'button', onclick: () => this.#try(act, made) }, name);
      return made;
    };
    const copy = button(words.copy, () => this.#copy(this.#link.value));
    copy.className = 'primary';
    copy.autofocus = true;
    this.#link.addEventListener('focus', () => this.#link.select());
    this.#note.addEventListener('input', () => (this.#means.simulated().note = this.#note.value));
    this.#file.addEventListener('change', () => {
      const [file] = this.#file.files ?? [];
      this.#file.value = '';
      if (!file) return;
      this.#dialog.close();
      means.open(file);
    });
    const section = (/** @type {string} */ name, /** @type {Node[]} */ ...content) =>
      make('section', {}, make('h3', {}, name), ...content);
    const group = (/** @type {string} */ name, /** @type {string} */ help, /** @type {Node[]} */ ...content) =>
      section(name, make('p', { class: 'hint' }, help), make('p', { class: 'row' }, ...content));
    const fileHelp = make('p', { class: 'hint', id: 'share-file-help' }, words.fileHelp);
    fillDialog(
      this.#dialog,
      words.title,
      make('p', { class: 'hint' }, words.linkHelp),
      make('p', { class: 'row link-row' }, this.#link, copy),
      this.#said,
      section(
        words.file,
        fileHelp,
        make('p', { class: 'row link-row' }, make('label', { for: 'share-note' }, words.note), this.#note),
        make(
          'p',
          { class: 'row' },
          button(words.saveFile, () => this.#saveFile()),
          button(words.openFile, () => this.#file.click()),
          this.#file,
        ),
      ),
      group(
        words.picture,
        words.pictureHelp,
        button('PNG', () => means.picture('png')),
        button('SVG', () => means.picture('svg')),
      ),
      group(
        words.records,
        words.recordsHelp,
        button(words.trace, () => this.#saveLog('trace', 'jsonl')),
        button('ShiViz', () => this.#saveLog('shiviz', 'log')),
        button(words.history, () => this.#saveLog('history', 'jsonl')),
      ),
      group(
        words.show,
        words.showHelp,
        button(words.present, () => {
          this.#dialog.close();
          means.present();
        }),
        button(words.playlist, () => means.collect()),
        button(words.frame, () => this.#copy(frameOf(this.#means.simulated()))),
      ),
    );
  }

  open() {
    const simulated = this.#means.simulated();
    setText(this.#said, '');
    this.#note.value = simulated.note;
    this.#try(() => {
      this.#link.value = addressOf(simulated);
    });
    this.#dialog.showModal();
  }

  /**
   * Does something. If that takes a while, the button says so, and can't be pressed again until
   * then.
   * @param {() => void | Promise<void>} act @param {HTMLButtonElement} [button]
   */
  async #try(act, button) {
    if (button?.hasAttribute('aria-busy')) return;
    setText(this.#said, '');
    try {
      const done = act();
      if (!done) return;
      button?.setAttribute('aria-busy', 'true');
      await done;
    } catch (error) {
      setText(this.#said, wordsOf(error));
    } finally {
      button?.removeAttribute('aria-busy');
    }
  }

  /** @param {string} text */
  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      setText(this.#said, strings.copied);
    } catch {
      // The person can copy it by hand.
      this.#link.value = text;
      this.#link.select();
      setText(this.#said, words.copyByHand);
    }
  }

  async #saveFile() {
    const simulated = this.#means.simulated();
    simulated.note = this.#note.value;
    const text = this.#means.lab.writeFile(simulated.bytes(), simulated.note, simulated.handedOn);
    await this.#save(text, `raftarium-${simulated.seed}.json`, 'application/json');
  }

  /** @param {'trace' | 'shiviz' | 'history'} kind @param {string} ending */
  async #saveLog(kind, ending) {
    const { lab, simulated } = this.#means;
    const { seed, frame, handedOn } = simulated();
    const text = lab[kind](simulated().bytes(), frame.violation ?? handedOn);
    await this.#save(text, `raftarium-${seed}-${kind}.${ending}`, 'text/plain');
  }

  /**
   * Saves what the lab writes, and says that it is at work meanwhile.
   * @param {Promise<string>} text @param {string} name @param {string} type
   */
  async #save(text, name, type) {
    setText(this.#said, this.#means.lab.ready ? common.lab.working : common.lab.loading);
    save(name, type, await text);
    setText(this.#said, words.saved);
  }
}

// @ts-check
// Sharing and opening runs: the address, the dialog, and files that are opened or dropped.

/** @typedef {import('../run/model.js').Model} Model */
/** @typedef {import('../draw/picture.js').Scene} Scene */
/** @typedef {typeof import('../pkg/raft_web.js').Run} RunClass */

import { byId, setText } from '../kit/dom.js';
import { hideTrouble, showTrouble, wordsOf } from '../kit/errors.js';
import { AddressBar, addressOf } from './link.js';
import { savePicture } from '../draw/picture.js';
import { lastLine, shivizOf, traceOf } from './text-logs.js';
import { BYTES_MAX, FileError, readFile } from '../run/scenario.js';
import { ShareDialog } from './share-dialog.js';
import * as strings from '../words/strings.js';
import { toast } from '../kit/toast.js';

/**
 * @typedef {object} Surroundings
 * @property {RunClass} Run
 * @property {() => Model} model
 * @property {(run: InstanceType<RunClass>, origin: 'moment' | 'beginning', note: string, found:
 * import('../run/scenario.js').Found | null) => void} take it in place of this one
 * @property {() => Scene} scene the ring as a picture
 * @property {() => void} present
 * @property {(error: unknown) => void} stop the simulator panicked
 */

export class Sharing {
  #around;
  #bar = new AddressBar();
  #dialog;

  /** @param {Surroundings} around */
  constructor(around) {
    this.#around = around;
    const { model, scene, present } = around;
    this.#dialog = new ShareDialog({
      model,
      open: (file) => this.openFile(file),
      picture: (kind) => savePicture(scene(), kind),
      record: (kind) => this.#record(kind),
      present,
    });
    byId('open-share', HTMLButtonElement).addEventListener('click', () => this.open());
    this.#wireSeed();
    this.#wireDrop();
  }

  open() {
    this.#dialog.open();
  }

  /** Another run is shown; null: something else, which no address names. @param {Model | null} model */
  show(model) {
    if (!model) return;
    this.#bar.put(model);
    if (model.differs) showTrouble(strings.trouble.differs, [[strings.close, hideTrouble]]);
    else if (model.note) toast(model.note);
  }

  /** @param {Model | null} model @param {boolean} playing */
  update(model, playing) {
    if (model) this.#bar.update(model, playing);
  }

  /** The address bar names no run: writes the one that is shown into it again. */
  restore() {
    this.#bar.put(this.#around.model());
  }

  /**
   * Opens a scenario file. If something is wrong with it, says what, and keeps the run.
   * @param {File} file
   */
  async openFile(file) {
    try {
      if (file.size > BYTES_MAX) throw new FileError(strings.scenario.tooLarge(file.size, BYTES_MAX));
      const { bytes, note, found, until } = readFile(await file.text());
      this.#around.take(this.#around.Run.fromBytes(bytes), until ? 'moment' : 'beginning', note, found);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.#around.stop(error);
      else showTrouble({ title: strings.badFile(file.name), text: wordsOf(error) }, [[strings.close, hideTrouble]]);
    }
  }

  /** @param {'trace' | 'shiviz'} kind */
  #record(kind) {
    const model = this.#around.model();
    const copy = this.#around.Run.fromBytes(model.bytes());
    try {
      if (kind === 'shiviz') return shivizOf(copy, model.now);
      const found = model.frame.violation ?? model.handedOn;
      return traceOf(copy, model.now) + (found ? lastLine(found) : '');
    } finally {
      copy.free();
    }
  }

  /** The chip with the seed copies the link. */
  #wireSeed() {
    const seed = byId('seed', HTMLButtonElement);
    const unsay = () => delete seed.dataset.said;
    seed.addEventListener('blur', unsay);
    seed.addEventListener('pointerleave', unsay);
    seed.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(addressOf(this.#around.model()));
        seed.dataset.said = strings.copied;
        setText(byId('live', HTMLElement), strings.copied);
      } catch {
        this.open();
      }
    });
  }

  /** A file may be dropped anywhere. */
  #wireDrop() {
    const { body } = document;
    /** How many elements the file is over: it enters one before it leaves another. */
    let over = 0;
    const on = (/** @type {number} */ by) => {
      over = Math.max(0, over + by);
      if (over) body.dataset.drop = strings.share.drop;
      else delete body.dataset.drop;
    };
    const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files');
    addEventListener('dragenter', (event) => carries(event) && on(1));
    addEventListener('dragleave', (event) => carries(event) && on(-1));
    addEventListener('dragover', (event) => {
      if (carries(event)) event.preventDefault();
    });
    addEventListener('drop', (event) => {
      on(-over);
      const [file] = event.dataTransfer?.files ?? [];
      if (!file) return;
      event.preventDefault();
      for (const dialog of document.querySelectorAll('dialog')) dialog.close();
      this.openFile(file);
    });
  }
}

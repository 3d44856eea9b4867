// @ts-check
// Sharing and opening runs: the address, the dialog, and files that are opened or dropped.

/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */
/** @typedef {import('../draw/picture.js').Scene} Scene */
/** @typedef {typeof import('../pkg/raft_web.js').Run} RunClass */

import { closeDialogs, openDialog } from '../kit/dialog.js';
import { byId, setText } from '../kit/dom.js';
import { hideTrouble, showTrouble, wordsOf } from '../kit/errors.js';
import { AddressBar, addressOf } from './link.js';
import { lazily } from '../kit/lazy.js';
import * as common from '../words/common.js';
import * as strings from '../words/share.js';
import { toast } from '../kit/toast.js';

/**
 * @typedef {object} Surroundings
 * @property {RunClass} Run
 * @property {import('../lab/client.js').Lab} lab
 * @property {() => SimulatedRun} simulated
 * @property {(run: InstanceType<RunClass>, origin: 'moment' | 'beginning', note: string, found:
 * import('../lab/client.js').FoundView | null) => void} take it in place of this one
 * @property {() => Scene} scene the ring as a picture
 * @property {(file: File) => Promise<boolean>} other opens a file that holds something else than a
 * run; whether it did
 * @property {() => void} present
 * @property {() => void} collect opens the playlist, into which moments are put
 * @property {(error: unknown) => void} stop the simulator panicked
 */

export class Sharing {
  #around;
  #bar = new AddressBar();
  /** The file that is being opened, or was last. @type {File | null} */
  #opening = null;
  #dialog = lazily(async () => {
    const { ShareDialog } = await import('./share-dialog.js');
    const { lab, simulated, scene, present, collect } = this.#around;
    return new ShareDialog({
      lab,
      simulated,
      open: (file) => this.openFile(file),
      // What it shows is what was there when somebody asked for it.
      picture: (kind) => this.#save(scene(), kind),
      present,
      collect,
    });
  });

  /** @param {Surroundings} around */
  constructor(around) {
    this.#around = around;
    byId('open-share', HTMLButtonElement).addEventListener('click', () => this.open());
    this.#wireSeed();
    this.#wireDrop();
  }

  open() {
    openDialog(this.#dialog);
  }

  /** @param {Scene} scene @param {'png' | 'svg'} kind */
  async #save(scene, kind) {
    const { savePicture } = await import('../draw/picture.js');
    await savePicture(scene, kind);
  }

  /**
   * Another run is shown; null: something else, which no address names.
   * @param {SimulatedRun | null} simulated
   */
  show(simulated) {
    if (!simulated) return;
    this.#bar.put(simulated);
    if (simulated.differs) showTrouble(common.trouble.differs, [[common.close, hideTrouble]]);
    else if (simulated.note) toast(simulated.note);
  }

  /** @param {SimulatedRun | null} simulated @param {boolean} playing */
  update(simulated, playing) {
    if (simulated) this.#bar.update(simulated, playing);
  }

  /** The address bar names no run: writes the one that is shown into it again. */
  restore() {
    this.#bar.put(this.#around.simulated());
  }

  /**
   * Opens a scenario file. If something is wrong with it, says what, and keeps the run.
   * @param {File} file
   */
  async openFile(file) {
    const { lab, simulated, take, other, Run } = this.#around;
    this.#opening = file;
    if (await other(file)) return;
    const before = simulated();
    const { body } = document;
    try {
      body.setAttribute('aria-busy', 'true');
      if (!lab.ready) toast(common.lab.loading);
      const { bytes, note, found, openEnded } = await lab.readFile(file);
      // Meanwhile somebody has opened another file, or gone to another run.
      if (this.#opening !== file || simulated() !== before) return;
      take(Run.fromBytes(bytes), openEnded ? 'beginning' : 'moment', note, found);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.#around.stop(error);
      else showTrouble({ title: strings.badFile(file.name), text: wordsOf(error) }, [[common.close, hideTrouble]]);
    } finally {
      if (this.#opening === file) body.removeAttribute('aria-busy');
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
        await navigator.clipboard.writeText(addressOf(this.#around.simulated()));
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
      closeDialogs();
      this.openFile(file);
    });
  }
}

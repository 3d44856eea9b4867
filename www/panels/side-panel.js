// @ts-check
// The panels beside the ring, as one: the diagrams, the inspector, the dials, safety, and on a
// phone the drawer that holds them.

/** @typedef {import('../run/model.js').Model} Model */
/** @typedef {import('../stage/ring.js').Ring} Ring */

import { Clients } from './clients.js';
import { Dials } from './dials.js';
import { byId } from '../kit/dom.js';
import { Inspector } from './server.js';
import { Safety } from './safety.js';
import { SpaceTime } from './spacetime.js';

/**
 * @typedef {object} Actions
 * @property {() => Model} model
 * @property {(time: number) => void} goTo
 * @property {() => void} openRun
 * @property {() => void} changed
 */

export class Reading {
  #spacetime;
  #clients;
  #inspector;
  #dials;
  #safety;
  #drawer = byId('drawer', HTMLButtonElement);

  /** @param {Ring} ring @param {Actions} actions */
  constructor(ring, actions) {
    const { goTo, changed } = actions;
    this.#spacetime = new SpaceTime(ring, { goTo, changed });
    this.#clients = new Clients({ goTo, changed });
    this.#inspector = new Inspector(changed);
    this.#dials = new Dials(actions.model, actions.openRun);
    this.#safety = new Safety({ goTo, open: () => this.show('safety') });
    this.#drawer.addEventListener('click', () => this.#open(!this.isOpen));
    byId('reading', HTMLElement).addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented || !this.isOpen) return;
      this.#open(false);
      this.#drawer.focus();
    });
    for (const tab of document.querySelectorAll('#tabs [role=tab]')) {
      tab.addEventListener('click', () => {
        changed();
        // In the drawer, the chosen panel is scrolled to where it can be read.
        const { offsetTop } = byId('history-panel', HTMLElement);
        byId('reading', HTMLElement).scrollTo({ top: offsetTop - this.#drawer.offsetHeight });
      });
    }
  }

  /** Whether the phone's drawer is open. */
  get isOpen() {
    return byId('reading', HTMLElement).classList.contains('open');
  }

  /** @param {boolean} on */
  #open(on) {
    byId('reading', HTMLElement).classList.toggle('open', on);
    this.#drawer.setAttribute('aria-expanded', String(on));
  }

  /** Shows what a server knows. @param {number} id */
  inspect(id) {
    this.#inspector.show(id);
    this.show('server');
  }

  /** Says what it means that something is broken, and how it was. */
  explain() {
    this.#safety.explain();
  }

  /** Shows the panel of a tab. @param {string} panel */
  show(panel) {
    this.#open(true);
    const tab = byId(`tab-${panel}`, HTMLButtonElement);
    tab.click();
    tab.focus();
  }

  /** @param {Model} model */
  reset(model) {
    this.#spacetime.reset(model);
    this.#safety.reset(model);
    for (const view of [this.#clients, this.#inspector, this.#dials]) view.reset();
  }

  recolour() {
    this.#spacetime.recolour();
    this.#clients.recolour();
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    this.#spacetime.update(model, playing);
    this.#clients.update(model, playing);
    this.#inspector.update(model, playing);
    this.#dials.update(model);
    this.#safety.update(model, playing);
  }
}

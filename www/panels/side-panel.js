// @ts-check
// The tabs beside the ring, with the panels of the registry; on a phone the drawer that holds them.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */
/** @typedef {import('./panel.js').Panel} Panel */
/** @typedef {import('./registry.js').PanelName} PanelName */
/** @typedef {import('./registry.js').PanelModule} PanelModule */

import { byId, make } from '../kit/dom.js';
import { wordsOf } from '../kit/errors.js';
import { whenIdle } from '../kit/lazy.js';
import { wireTabs } from '../kit/tabs.js';
import * as common from '../words/common.js';
import * as strings from '../words/panels.js';
import { panels } from './registry.js';

/** How far a finger must go to open or close the drawer, in px. */
const SWIPE = 24;

/**
 * A tab's place: the panel's element, or what stands there until it has come.
 * @typedef {object} Place
 * @property {PanelName} name
 * @property {HTMLElement} dom
 * @property {Panel | null} panel
 * @property {boolean} coming whether it is being loaded
 * @property {boolean} asked whether somebody has asked for it
 */

export class SidePanel {
  #page;
  /** @type {Map<string, Place>} */ #places = new Map();
  #drawer = byId('drawer', HTMLButtonElement);
  #reading = byId('reading', HTMLElement);
  #history = byId('history-panel', HTMLElement);
  /** @type {Source | null} */ #source = null;
  /** Whether the finger that has left the handle has swiped: then it hasn't pressed it. */
  #swiped = false;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    const tabs = byId('tabs', HTMLElement);
    for (const [name, module] of /** @type {[PanelName, PanelModule | (() => Promise<PanelModule>)][]} */ (
      Object.entries(panels)
    )) {
      const first = this.#places.size === 0;
      const attributes = { role: 'tab', id: `tab-${name}`, 'aria-controls': name, 'aria-selected': String(first) };
      const tab = make('button', { ...attributes, tabindex: first ? 0 : -1 }, common.text[name]);
      const dom = make('div', { tabindex: 0 });
      const place = { name, dom, panel: null, coming: false, asked: false };
      this.#places.set(name, place);
      this.#mark(place, !first);
      tabs.append(tab);
      this.#history.append(dom);
      if (typeof module !== 'function') this.#put(place, module);
      tab.addEventListener('click', () => this.#come(place));
    }
    wireTabs(tabs, page.changed);
    for (const tab of tabs.children) {
      // In the drawer, the chosen panel is scrolled to where it can be read.
      const scroll = () => this.#reading.scrollTo({ top: this.#history.offsetTop - this.#drawer.offsetHeight });
      tab.addEventListener('click', scroll);
    }
    this.#drawer.addEventListener('click', () => this.#swiped || this.#open(!this.isOpen));
    this.#followSwipes();
    this.#reading.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented || !this.isOpen) return;
      this.#open(false);
      this.#drawer.focus();
    });
    // What somebody will open is there by then.
    whenIdle(() => this.#places.forEach((place) => place.asked || this.#come(place, false)));
  }

  /** Makes an element the panel of its tab. @param {Place} place @param {boolean} hidden */
  #mark({ name, dom }, hidden) {
    const attributes = { id: name, role: 'tabpanel', 'aria-labelledby': `tab-${name}` };
    for (const [key, value] of Object.entries(attributes)) dom.setAttribute(key, value);
    dom.hidden = hidden;
  }

  /** @param {Place} place @param {PanelModule} module */
  #put(place, module) {
    const panel = module.panel(this.#page);
    const hidden = Boolean(place.dom.hidden);
    place.dom.replaceWith(panel.dom);
    place.dom = panel.dom;
    place.panel = panel;
    this.#mark(place, hidden);
    if (this.#source) panel.reset(this.#source);
    if (!hidden) this.#page.changed();
  }

  /** Loads a panel, if it isn't there. @param {Place} place @param {boolean} [asked] */
  async #come(place, asked = true) {
    const load = panels[place.name];
    place.asked ||= asked;
    if (place.panel || place.coming || typeof load !== 'function') return;
    place.coming = true;
    place.dom.replaceChildren(make('p', { class: 'empty', role: 'status' }, strings.loading));
    try {
      this.#put(place, await load());
    } catch (error) {
      const again = make('button', { onclick: () => this.#come(place) }, strings.tryAgain);
      const words = make('p', { class: 'empty', role: 'alert' }, common.notLoaded(wordsOf(error)), ' ', again);
      place.dom.replaceChildren(...(place.asked ? [words] : []));
    }
    place.coming = false;
  }

  /** Whether the phone's drawer is open. */
  get isOpen() {
    return this.#reading.classList.contains('open');
  }

  /** @param {boolean} on */
  #open(on) {
    this.#reading.classList.toggle('open', on);
    this.#drawer.setAttribute('aria-expanded', String(on));
  }

  /** The drawer follows a finger on its handle, and opens or closes where the finger goes. */
  #followSwipes() {
    const { style } = this.#reading;
    let [from, by] = [NaN, 0];
    this.#drawer.addEventListener('pointerdown', ({ clientY, pointerId }) => {
      [from, by] = [clientY, 0];
      this.#swiped = false;
      this.#drawer.setPointerCapture(pointerId);
    });
    this.#drawer.addEventListener('pointermove', ({ clientY }) => {
      if (Number.isNaN(from)) return;
      by = clientY - from;
      const range = this.#reading.offsetHeight - this.#drawer.offsetHeight;
      // In a small window the drawer is a part of the page, and has nowhere to go.
      if (getComputedStyle(this.#reading).position !== 'absolute' || Math.abs(by) < SWIPE / 4) return;
      const at = Math.max(0, Math.min(range, (this.isOpen ? 0 : range) + by));
      style.transition = 'none';
      style.transform = `translateY(${at}px)`;
    });
    const release = (/** @type {boolean} */ whole) => {
      from = NaN;
      style.transition = style.transform = '';
      this.#swiped = whole && Math.abs(by) >= SWIPE;
      if (this.#swiped) this.#open(by < 0);
    };
    this.#drawer.addEventListener('pointerup', () => release(true));
    this.#drawer.addEventListener('pointercancel', () => release(false));
  }

  /** Shows the panel of a tab. @param {string} name */
  show(name) {
    this.#open(true);
    const tab = byId(`tab-${name}`, HTMLButtonElement);
    tab.click();
    tab.focus();
  }

  /** Chooses a tab, and leaves the focus and the drawer where they are. @param {string} name */
  choose(name) {
    byId(`tab-${name}`, HTMLButtonElement).click();
  }

  #all() {
    return [...this.#places.values()].flatMap(({ panel }) => panel ?? []);
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    for (const panel of this.#all()) panel.reset(source);
  }

  recolour() {
    for (const panel of this.#all()) panel.recolour?.();
  }

  /** @param {Frame} frame @param {boolean} playing */
  update(frame, playing) {
    for (const panel of this.#all()) {
      if (!panel.dom.hidden) panel.update(frame, playing);
      panel.watch?.(frame, playing);
    }
  }
}

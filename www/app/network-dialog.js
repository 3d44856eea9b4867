// @ts-check
// The dialog that cuts the network: into sides, or single links, each direction on its own.

/** @typedef {import('../run/source.js').Source} Source */

import { newestLeader } from '../run/leader.js';
import { fillDialog } from '../kit/dialog.js';
import { byId, make, setAttribute, setText } from '../kit/dom.js';
import * as common from '../words/common.js';
import * as networkWords from '../words/network.js';
import { cutSet, sidesOf } from '../stage/cuts.js';

export class NetworkDialog {
  #dialog = byId('network-dialog', HTMLDialogElement);
  #source;
  #sides = make('div', { class: 'sides' });
  #preview = make('p', { class: 'preview', 'aria-live': 'polite' });
  #links = make('div', { class: 'matrix', role: 'region', tabindex: 0, 'aria-label': networkWords.linksTitle });
  #cut = make('button', { class: 'primary', onclick: () => this.#apply() }, networkWords.cutPartition);
  /** @type {number[]} */ #chosen = [];

  /** @param {() => Source} source */
  constructor(source) {
    this.#source = source;
    fillDialog(
      this.#dialog,
      networkWords.networkTitle,
      make('h3', {}, networkWords.sidesTitle),
      make('p', { class: 'hint' }, networkWords.sidesHelp),
      this.#sides,
      make(
        'p',
        { class: 'row' },
        make('button', { onclick: () => this.#preset(this.#leaderAlone()) }, networkWords.isolateLeader),
        make('button', { onclick: () => this.#preset(this.#minority()) }, networkWords.splitHalves),
      ),
      this.#preview,
      make('p', { class: 'row' }, this.#cut, make('button', { onclick: () => this.#heal() }, common.healAll)),
      make('h3', {}, networkWords.linksTitle),
      make('p', { class: 'hint' }, networkWords.linksHelp),
      this.#links,
    );
  }

  open() {
    const { frame } = this.#source();
    const servers = frame.servers.length;
    this.#chosen = sidesOf(servers, cutSet(frame.cuts)) ?? Array(servers).fill(0);
    this.#chosen = this.#chosen.map((side) => Math.min(side, common.sides.length - 1));
    this.#buildSides(servers);
    this.#buildLinks(servers);
    this.refresh();
    this.#dialog.showModal();
  }

  /** Shows what is cut now. */
  refresh() {
    const { frame } = this.#source();
    const servers = frame.servers.length;
    const isCut = cutSet(frame.cuts);
    for (const button of this.#links.querySelectorAll('button')) {
      const [a, b] = (button.dataset.direction ?? '').split('-').map(Number);
      setAttribute(button, 'aria-pressed', String(isCut(a, b)));
    }
    const majority = Math.floor(servers / 2) + 1;
    const groups = common.sides
      .map((_, side) => this.#chosen.flatMap((s, i) => (s === side ? [`S${i + 1}`] : [])))
      .filter((names) => names.length > 0);
    setText(
      this.#preview,
      servers === 1
        ? networkWords.oneServerOnly
        : groups.length < 2
          ? networkWords.sidesNone(majority)
          : networkWords.sidesPreview(groups, majority),
    );
    this.#cut.disabled = groups.length < 2;
  }

  /** @param {number} servers */
  #buildSides(servers) {
    const rows = Array.from({ length: servers }, (_, i) => {
      const options = common.sides.map((side, k) => {
        const input = make('input', {
          type: 'radio',
          name: `side-${i + 1}`,
          value: k,
          autofocus: i === 0 && this.#chosen[i] === k,
        });
        input.checked = this.#chosen[i] === k;
        input.addEventListener('change', () => {
          this.#chosen[i] = k;
          this.refresh();
        });
        return make('label', {}, input, make('span', {}, side));
      });
      return make(
        'fieldset',
        { 'aria-label': networkWords.sideOf(i + 1) },
        make('b', { 'aria-hidden': 'true' }, `S${i + 1}`),
        make('span', { class: 'choices' }, ...options),
      );
    });
    this.#sides.replaceChildren(...rows);
  }

  /** @param {number} servers */
  #buildLinks(servers) {
    const ids = Array.from({ length: servers }, (_, i) => i + 1);
    const head = make(
      'tr',
      {},
      make('th', { scope: 'col' }, common.from),
      ...ids.map((id) => make('th', { scope: 'col' }, `S${id}`)),
    );
    const rows = ids.map((a) =>
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, `S${a}`),
        ...ids.map((b) =>
          a === b
            ? make('td', {})
            : make(
                'td',
                {},
                make('button', {
                  class: 'cell',
                  'aria-label': networkWords.linkDirection(a, b),
                  'data-direction': `${a}-${b}`,
                  onclick: () => {
                    this.#source().acting?.toggleDirection(a, b);
                    this.refresh();
                  },
                }),
              ),
        ),
      ),
    );
    this.#links.replaceChildren(make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows)));
  }

  /** @param {number[]} sides */
  #preset(sides) {
    this.#chosen = sides;
    this.#buildSides(sides.length);
    this.refresh();
  }

  #leaderAlone() {
    const { servers } = this.#source().frame;
    const leader = newestLeader(servers) ?? servers[0];
    return servers.map((s) => (s === leader ? 0 : 1));
  }

  #minority() {
    const { servers } = this.#source().frame;
    const few = Math.floor((servers.length - 1) / 2) || 1;
    return servers.map((_, i) => (i < few ? 0 : 1));
  }

  #apply() {
    this.#source().acting?.act({ do: 'partition', groups: this.#chosen });
    this.#dialog.close();
  }

  #heal() {
    this.#source().acting?.healAll();
    this.#dialog.close();
  }
}

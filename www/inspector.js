// @ts-check
// Everything one server knows: the state of Raft's Figure 2 with what each word means, what it knows of its
// peers while it leads, and the sessions and keys of its store.

/** @typedef {import('../web/view.d.ts').InspectorView} InspectorView */
/** @typedef {import('../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('./model.js').Model} Model */

import { byId, make, setAttribute } from './dom.js';
import * as strings from './strings.js';

const { inspector } = strings;
/** While it plays, that often is enough for words, in ms. */
const EVERY = 150;

export class Inspector {
  /** The server looked at. */
  server = 1;

  #panel = byId('server', HTMLElement);
  #choice = make('div', { class: 'choices', role: 'radiogroup', 'aria-label': inspector.which });
  #body = make('div', { class: 'inspected' });
  #changed;
  #shown = '';
  #drawn = 0;
  #servers = 0;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
    this.#panel.append(this.#choice, this.#body);
  }

  reset() {
    this.#shown = '';
    this.#servers = 0;
  }

  /** @param {number} id */
  show(id) {
    this.server = id;
    this.#shown = '';
    this.#servers = 0;
    this.#changed();
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    if (this.#panel.hidden) return;
    const { servers, events, now } = model.frame;
    if (this.server > servers.length) this.server = 1;
    if (this.#servers !== servers.length) this.#offer(servers.length);
    const clock = performance.now();
    const state = `${this.server} ${events} ${now}`;
    if (state === this.#shown || (playing && clock - this.#drawn < EVERY)) return;
    this.#shown = state;
    this.#drawn = clock;
    const view = model.inspect(this.server);
    if (view) this.#fill(servers[this.server - 1], view, model);
  }

  /** @param {number} servers */
  #offer(servers) {
    this.#servers = servers;
    this.#choice.replaceChildren(
      ...Array.from({ length: servers }, (_, i) => {
        const id = i + 1;
        const input = make('input', { type: 'radio', name: 'inspected', value: id, onchange: () => this.show(id) });
        input.checked = id === this.server;
        return make('label', {}, input, make('span', {}, `S${id}`));
      }),
    );
  }

  /** @param {ServerView} server @param {InspectorView} view @param {Model} model */
  #fill(server, view, model) {
    /** @type {[string, string, string][]} */
    const rows = inspector.state(server, view);
    const list = make('dl', { class: 'state' });
    for (const [name, value, meaning] of rows) {
      list.append(
        make('div', {}, make('dt', {}, name), make('dd', {}, make('b', {}, value), make('small', {}, meaning))),
      );
    }
    /** @type {Node[]} */
    const parts = [list];
    if (view.peers.length) {
      const row = (/** @type {import('../web/view.d.ts').PeerView} */ peer) => [
        `S${peer.id}`,
        String(peer.matchIndex),
        String(peer.nextIndex),
        inspector.peerState(peer),
        inspector.heard(peer.heard),
      ];
      parts.push(table(inspector.peers, inspector.peerColumns, view.peers.map(row)));
    }
    if (view.sessions.length) {
      const row = (/** @type {import('../web/view.d.ts').SessionView} */ session) => [
        String(session.id),
        strings.clientName(session.client),
        session.serial ? String(session.serial) : strings.absent,
        session.answer || strings.absent,
        String(session.lastUsed),
      ];
      parts.push(table(inspector.sessions, inspector.sessionColumns, view.sessions.map(row)));
    }
    const pairs = model.stores().find((store) => store.server === view.id)?.pairs ?? [];
    if (pairs.length) parts.push(table(inspector.store, inspector.storeColumns, pairs.slice(0, 200)));
    this.#body.replaceChildren(...parts);
    setAttribute(this.#body, 'data-server', String(view.id));
  }
}

/** @param {string} title @param {string[]} columns @param {string[][]} rows */
function table(title, columns, rows) {
  const head = make('tr', {}, ...columns.map((name) => make('th', { scope: 'col' }, name)));
  const body = rows.map(([first, ...rest]) =>
    make('tr', {}, make('th', { scope: 'row' }, first), ...rest.map((cell) => make('td', {}, cell))),
  );
  return make(
    'table',
    { class: 'facts' },
    make('caption', {}, title),
    make('thead', {}, head),
    make('tbody', {}, ...body),
  );
}

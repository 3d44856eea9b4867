// @ts-check
// What a step points at: servers on the ring and in the logs, and parts of the page.

/**
 * By the name of a part, as lessons have it: what it is in the page.
 * @type {Record<string, string>}
 */
const PLACES = {
  ring: '#stage',
  logs: '#logs-panel',
  tape: '#tape',
  quorum: '#quorum',
  sentence: '#why',
  legend: '#under-ring .signs',
  command: '#console',
  speed: '.speed',
  network: '#open-network',
  spacetime: '#spacetime',
  events: '#events',
  clients: '#operations',
  safety: '#safety-row',
  server: '#server',
  stores: '#stores',
};

/** The parts of the page that lessons name. */
export const PARTS = Object.keys(PLACES);

/**
 * The parts that are tabs, by their names in lessons: the tabs' names.
 * @type {Record<string, string>}
 */
const TABS = {
  spacetime: 'spacetime',
  events: 'events',
  clients: 'operations',
  safety: 'safety',
  server: 'server',
  stores: 'stores',
};

/** The tabs among these parts, as they came. @param {string[]} parts */
export const tabsOf = (parts) => parts.flatMap((part) => TABS[part] ?? []);

const isServer = (/** @type {string} */ name) => /^S\d+$/.test(name);

export class Spotlight {
  /** @type {string[]} */ #look = [];

  /** @param {string[]} look servers (`S2`) and parts of the page */
  turn(look) {
    // Where the logs are looked at, a server is its log, too.
    const rows = look.includes('logs') ? look.filter(isServer).map((server) => `log of ${server}`) : [];
    this.#look = [...look, ...rows];
    this.shine();
  }

  /** Marks what is there now: rows and buttons come and go. */
  shine() {
    const lit = new Set(this.#look.flatMap((name) => [...found(name)]));
    for (const node of document.querySelectorAll('.spotlit')) if (!lit.has(node)) node.classList.remove('spotlit');
    for (const node of lit) if (!node.classList.contains('spotlit')) node.classList.add('spotlit');
  }
}

/** @param {string} name */
function found(name) {
  const [, log, server] = /^(log of )?S(\d+)$/.exec(name) ?? [];
  const place = log
    ? `#logs [data-log="${server}"]`
    : server
      ? `#server-buttons [data-server="${server}"]`
      : PLACES[name];
  return place ? document.querySelectorAll(place) : [];
}

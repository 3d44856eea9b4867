// @ts-check
// The run in the address: `?seed=7&servers=5&without=win-by-majority`, or the same after a `#`.

/**
 * A run as asked for; `without` and `settings` are those of `Run`.
 * @typedef {{ seed: string, servers: number, without?: string, settings?: string }} Wanted
 */

/** @param {URL | Location} address @returns {Wanted} */
export function readAddress(address) {
  const query = new URLSearchParams(address.search);
  const hash = new URLSearchParams(address.hash.replace(/^#/, ''));
  const read = (/** @type {string} */ name) => hash.get(name) ?? query.get(name);
  const servers = read('servers');
  return {
    seed: (read('seed') ?? '').trim(),
    servers: servers === null || servers === '' ? 5 : Number(servers),
    without: read('without') ?? '',
    settings: read('settings') ?? '',
  };
}

/** Whether the part after the `#` is about a run at all. @param {string} hash */
export const namesRun = (hash) => /(^#|&)(seed|servers|without|settings)=/.test(hash);

/** The address of this page with this run. @param {Wanted} wanted */
export function addressOf({ seed, servers, without = '', settings = '' }) {
  const url = new URL(location.href);
  url.hash = '';
  url.searchParams.set('seed', seed);
  url.searchParams.set('servers', String(servers));
  for (const [name, value] of [['without', without], ['settings', settings]]) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  return url.href;
}

/** @param {Wanted} wanted */
export function putAddress(wanted) {
  history.replaceState(null, '', addressOf(wanted));
}

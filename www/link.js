// @ts-check
// The run in the address: `?seed=7&servers=5`, or the same after a `#`.

/** @typedef {{ seed: string, servers: number }} Wanted */

/** @param {URL | Location} address @returns {Wanted} */
export function readAddress(address) {
  const query = new URLSearchParams(address.search);
  const hash = new URLSearchParams(address.hash.replace(/^#/, ''));
  const read = (/** @type {string} */ name) => hash.get(name) ?? query.get(name);
  const servers = read('servers');
  return { seed: (read('seed') ?? '').trim(), servers: servers === null || servers === '' ? 5 : Number(servers) };
}

/** Whether the part after the `#` is about a run at all. @param {string} hash */
export const namesRun = (hash) => /(^#|&)(seed|servers)=/.test(hash);

/** The address of this page with this run. @param {Wanted} wanted */
export function addressOf({ seed, servers }) {
  const url = new URL(location.href);
  url.hash = '';
  url.searchParams.set('seed', seed);
  url.searchParams.set('servers', String(servers));
  return url.href;
}

/** @param {Wanted} wanted */
export function putAddress(wanted) {
  history.replaceState(null, '', addressOf(wanted));
}

// @ts-check
// Small helpers for the document: they find what must be there, make elements, and write only what
// has changed.

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{ new (): T }} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const node = document.getElementById(id);
  if (!(node instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return node;
}

/**
 * An element with attributes and children; `on…` attributes are listeners.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | ((event: Event) => void)>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (typeof value === 'boolean') node.toggleAttribute(name, value);
    else node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

/** @param {Node} node @param {string} words */
export function setText(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

/** A sentence with its servers in bold. @param {string} sentence @returns {(Node | string)[]} */
export function withNames(sentence) {
  return sentence.split(/\b(S[1-9]\d?)\b/).map((part, i) => (i % 2 ? make('b', {}, part) : part));
}

/** @param {Element} node @param {string} name @param {string} value */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * Fills a box with lines, each of which has a key. A line whose key is there already stays, others
 * are made, and the rest goes.
 * @param {Element} box
 * @param {[key: string, make: () => HTMLElement][]} lines
 */
export function setLines(box, lines) {
  const known = new Map([...box.children].map((node) => [/** @type {HTMLElement} */ (node).dataset.key, node]));
  let next = box.firstElementChild;
  for (const [key, build] of lines) {
    let node = known.get(key);
    if (!node) {
      node = build();
      /** @type {HTMLElement} */ (node).dataset.key = key;
    }
    if (node === next) next = next.nextElementSibling;
    else box.insertBefore(node, next);
  }
  while (next) {
    const last = next;
    next = next.nextElementSibling;
    last.remove();
  }
}

/** Whether the person asked the system for less motion. */
export const lessMotion = matchMedia('(prefers-reduced-motion: reduce)');

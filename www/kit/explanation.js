// @ts-check
// The explanation of a term or of a source, in a box beside it. Who pressed it is led into the box,
// so that it is read out, and back by Escape; where the pointer only rests, the box goes with it.

import { byId, make } from './dom.js';
import { explanations } from '../words/kit.js';

/** How long the box stays when the pointer has left, in ms: time enough to go into it. */
const STAYS = 250;
const GAP = 6;

/** @type {{ node: HTMLElement, shut: (back: boolean) => void } | null} */
let shown = null;

/** @param {HTMLElement} node @returns {Promise<[title: string, says: string]>} */
async function wordsOf({ dataset: { term, source = '' } }) {
  if (term === undefined) {
    const { sources } = await import('../words/sources.js');
    const [title, says] = sources[source] ?? ['', explanations.unknown];
    return [title ? explanations.source(source, title) : source, says];
  }
  const { sameAs, terms } = await import('../words/terms.js');
  const name = sameAs[term] ?? term;
  return [name === term ? term : explanations.sameAs(term, name), terms[name] ?? explanations.unknown];
}

/**
 * @param {HTMLElement} node what is explained
 * @param {boolean} pressed whether somebody pressed it, and not only pointed at it
 */
export async function explain(node, pressed) {
  const [title, says] = await wordsOf(node);
  if (!node.isConnected || (shown?.node === node && !pressed)) return;
  shown?.shut(false);
  const heading = make('b', { id: 'explanation-title' }, title);
  const box = make(
    'div',
    { class: 'explanation', popover: 'manual', role: 'dialog', 'aria-labelledby': 'explanation-title', tabindex: -1 },
    heading,
    make('p', { id: 'explanation-text' }, says),
  );
  box.setAttribute('aria-describedby', 'explanation-text');
  // What stands outside a dialog that is open can't be reached.
  (node.closest('dialog') ?? byId('page', HTMLElement)).append(box);
  box.showPopover();
  place(box, node.getBoundingClientRect());

  let leaving = 0;
  const gone = new AbortController();
  const { signal } = gone;
  const shut = (/** @type {boolean} */ back) => {
    clearTimeout(leaving);
    gone.abort();
    shown = null;
    box.remove();
    if (back && node.isConnected) node.focus({ preventScroll: true });
  };
  shown = { node, shut };
  const within = (/** @type {EventTarget | null} */ target) =>
    target instanceof Node && (box.contains(target) || node.contains(target));
  addEventListener('resize', () => shut(false), { signal });
  document.addEventListener('pointerdown', ({ target }) => within(target) || shut(false), { signal, capture: true });
  document.addEventListener(
    'keydown',
    (event) => {
      const inside = box.contains(document.activeElement);
      if (event.key !== 'Escape' && !(event.key === 'Tab' && inside)) return;
      event.preventDefault();
      event.stopPropagation();
      shut(inside);
    },
    { signal, capture: true },
  );
  if (pressed) {
    box.focus({ preventScroll: true });
    return;
  }
  const stay = (/** @type {Event} */ { target }) => {
    clearTimeout(leaving);
    if (!within(target)) leaving = setTimeout(() => shut(false), STAYS);
  };
  document.addEventListener('pointerover', stay, { signal });
}

/**
 * Places the box under what it explains or, without room there, above.
 * @param {HTMLElement} box
 * @param {DOMRect} at
 */
function place(box, at) {
  const { width, height } = box.getBoundingClientRect();
  const under = at.bottom + GAP;
  const top = under + height + GAP <= innerHeight ? under : Math.max(GAP, at.top - GAP - height);
  box.style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - width - GAP))}px`;
  box.style.top = `${top}px`;
}

// @ts-check
// Terms, and sources that a sentence cites, as small buttons: a press, a key, or the pointer
// resting on one opens its explanation. The words come when the first is asked for.

import { make } from './dom.js';
import { explain } from './explanation.js';

/** How long the pointer rests on one before it is explained, in ms. */
const RESTS = 450;

const SELECTOR = '[data-term], [data-source]';

/** @param {string} words @param {string} kind @param {string} name */
const button = (words, kind, name) => {
  const attributes = { type: 'button', class: 'explained', 'aria-haspopup': 'dialog', [`data-${kind}`]: name };
  return make('button', attributes, words);
};

/**
 * A text with its terms, which stand in brackets.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export const withTerms = (text) =>
  text.split(/\[([^\]]+)\]/).map((part, i) => (i % 2 ? button(part, 'term', part) : part));

/**
 * A text whose terms stand in brackets, each with the name of its entry: `[majorities](majority)`.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export const withLinkedTerms = (text) =>
  text.split(/(\[[^\]]+\]\([^)]+\))/).map((part, i) => {
    const [, words, name] = (i % 2 && /^\[(.+)\]\((.+)\)$/.exec(part)) || [];
    return words ? button(words, 'term', name) : part;
  });

/**
 * A text in which a word is explained, where it comes first: for texts that may have brackets of
 * their own.
 * @param {string} text @param {string} term @returns {(Node | string)[]}
 */
export function withTerm(text, term) {
  const at = text.indexOf(term);
  return at < 0 ? [text] : [text.slice(0, at), button(term, 'term', term), text.slice(at + term.length)];
}

/**
 * What a sentence cites: “dissertation §6.2, §9.6” are two.
 * @param {string} cited @returns {(Node | string)[]}
 */
export function sources(cited) {
  const [work] = cited.split(' ');
  return cited
    .split(/, (?=§)/)
    .filter(Boolean)
    .flatMap((part, i) => (i ? [', ', button(part, 'source', `${work} ${part}`)] : [button(part, 'source', part)]));
}

/**
 * A text with the figures of the paper that it names.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export const withFigures = (text) =>
  text.split(/(Figure \d+)/).map((part, i) => (i % 2 ? button(part, 'source', `Raft ${part}`) : part));

/** Makes buttons of the terms in the page's fixed texts, and listens to all that ever come. */
export function explainTerms() {
  for (const node of document.querySelectorAll('[data-t]')) {
    if (node.textContent?.includes('[')) node.replaceChildren(...withTerms(node.textContent));
  }
  /** @param {Event} event @returns {HTMLElement | null} */
  const explained = ({ target }) => (target instanceof Element ? target.closest(SELECTOR) : null);
  let resting = 0;
  // Whatever it stands in, a label or a line that can be pressed, doesn't get the press.
  document.addEventListener(
    'click',
    (event) => {
      const node = explained(event);
      if (!node) return;
      event.preventDefault();
      event.stopPropagation();
      clearTimeout(resting);
      explain(node, true);
    },
    true,
  );
  document.addEventListener('pointerover', (event) => {
    clearTimeout(resting);
    const node = event.pointerType === 'mouse' ? explained(event) : null;
    if (node) resting = setTimeout(() => explain(node, false), RESTS);
  });
}

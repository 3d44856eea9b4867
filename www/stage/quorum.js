// @ts-check
// The quorum meter: whether writes commit, in words, and as dots, which are filled for voters that
// answer.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */

import { byId, make, setAttribute, setText } from '../kit/dom.js';
import { withTerm } from '../kit/explained.js';
import { byTheRules } from '../words/stage.js';

/** A voter, and the line at the majority. @param {boolean} answers @param {boolean} last */
const dot = (answers, last) => make('i', { class: `${answers ? 'answers' : ''}${last ? ' majority' : ''}` });

export class Quorum {
  #box = byId('quorum', HTMLElement);
  /** What its dots show. */
  #drawn = '';

  /** Whether rules are switched off: then more may commit than the rules let. */
  #lawless = false;

  /** @param {import('../run/source.js').Source} source */
  reset({ without }) {
    this.#lawless = without !== '';
  }

  /** @param {Frame} frame */
  update({ quorum: { words, canCommit, majorities } }) {
    const [dots, first, second] = this.#box.children;
    const [who, follows] = words.split(': ');
    const so = this.#lawless && !canCommit ? byTheRules(follows) : follows;
    setText(first, who);
    setAttribute(first, 'title', who);
    const term = so.includes('majority') ? 'majority' : 'commit';
    if (second.textContent !== so) second.replaceChildren(...withTerm(so, term));
    this.#box.classList.toggle('broken', !canCommit);
    const drawn = majorities.join(';');
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    dots.replaceChildren(
      ...majorities.map(([answering, needed, voters]) =>
        make('span', {}, ...Array.from({ length: voters }, (_, i) => dot(i < answering, i + 1 === needed))),
      ),
    );
  }
}

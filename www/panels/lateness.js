// @ts-check
// The part of the dials about late messages: all that are held up on their way, or those of a kind
// that come long after they were sent, or come a second time.

/** @typedef {import('../pkg/tables.js').Action} Action */
/** @typedef {import('../run/source.js').Source} Source */

import { kinds } from '../pkg/tables.js';
import { make, setText } from '../kit/dom.js';
import { whyNot } from '../run/source.js';
import { lateness as words } from '../words/faults.js';

/** The choice that isn't a kind: messages of all kinds are overtaken by others. */
const STRAGGLERS = 'stragglers';

/** The longest delay that can be set, in ms. */
const DELAY_MAX = 60_000;

export class Lateness {
  #which = make(
    'select',
    { id: 'late-which' },
    ...[STRAGGLERS, ...kinds].map((kind) => make('option', { value: kind }, words.which(kind))),
  );
  #share = make('input', {
    id: 'late-share',
    type: 'number',
    min: 0,
    max: 100,
    step: 'any',
    value: 20,
    required: true,
  });
  #delay = make('input', {
    id: 'late-delay',
    type: 'number',
    min: 0,
    max: DELAY_MAX,
    step: 'any',
    value: 200,
    required: true,
  });
  #copies = make('input', { id: 'late-copies', type: 'checkbox' });
  #hint = make('p', { class: 'hint' });
  #fields;
  /** @type {Source | null} */ #source = null;
  dom;

  constructor() {
    const unit = (/** @type {string} */ words) => make('span', { class: 'unit' }, ` ${words}`);
    this.#fields = make(
      'fieldset',
      {},
      make('legend', {}, words.legend),
      this.#hint,
      make(
        'div',
        { class: 'numbers' },
        make('label', { for: 'late-which' }, words.whichName),
        make('span', {}, this.#which),
        make('label', { for: 'late-share' }, words.share),
        make('span', {}, this.#share, unit('%')),
        make('label', { for: 'late-delay' }, words.delay),
        make('span', {}, this.#delay, unit('ms')),
        make('label', { for: 'late-copies' }, words.copies),
        make('span', {}, this.#copies),
      ),
      make(
        'p',
        { class: 'row' },
        make('button', { type: 'submit' }, words.set),
        make('button', { type: 'button', onclick: () => this.#act(0) }, words.none),
      ),
    );
    this.dom = make('form', { class: 'lateness' }, this.#fields);
    this.dom.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#act(Math.round(Number(this.#share.value) * 10_000));
    });
    this.#which.addEventListener('change', () => this.#say());
    this.#say();
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#fields.toggleAttribute('disabled', Boolean(whyNot(source, 'acting')));
  }

  #say() {
    const stragglers = this.#which.value === STRAGGLERS;
    setText(this.#hint, stragglers ? words.stragglersHint : words.lateHint);
    // A client's request is never copied, and who is overtaken isn't copied either.
    this.#copies.disabled = stragglers || this.#which.value === 'requests';
  }

  /** @param {number} share in parts per million */
  #act(share) {
    const delay = Math.round(Number(this.#delay.value) * 1_000);
    const of = this.#which.value;
    const copies = this.#copies.checked && !this.#copies.disabled;
    /** @type {Action} */
    const action =
      of === STRAGGLERS ? { do: 'set-straggling', share, delay } : { do: 'set-late', of, copies, share, delay };
    this.#source?.acting?.act(action);
  }
}

// @ts-check
// The style sheet's colours and fonts for canvases. They are read from the document, so that
// colours are chosen in tokens.css alone.

/** How many hues there are for terms. Colour-blind people, too, can tell one from the next. */
const TERM_HUES = 5;

/** The CSS variable with a term's hue. @param {number} term */
export const termVariable = (term) => (term > 0 ? `--t${((term - 1) % TERM_HUES) + 1}` : '--ink-2');

/**
 * @typedef {object} Palette
 * @property {string} paper
 * @property {string} card
 * @property {string} ink
 * @property {string} ink2
 * @property {string} line
 * @property {string} accent
 * @property {string} danger
 * @property {(term: number) => string} term the hue of a term
 * @property {(term: number) => string} fill the same hue, mixed with the paper's colour
 * @property {string} mono
 * @property {string} sans
 */

/** @type {Palette | null} */
let read = null;

/** The colours and fonts as they are now. @returns {Palette} */
export function readPalette() {
  return (read ??= palette());
}

/** They are others now. */
export function forgetPalette() {
  read = null;
}

/** @returns {Palette} */
function palette() {
  const box = document.createElement('div');
  box.hidden = true;
  // The browser may force one colour on all words; a canvas needs those of the style sheet.
  box.style.forcedColorAdjust = 'none';
  // All of them are asked for before the first is read, since reading makes the browser compute
  // styles.
  /** @param {'color' | 'fontFamily'} what @param {string} value */
  const ask = (what, value) => {
    const probe = document.createElement('i');
    probe.style[what] = value;
    box.append(probe);
    return () => getComputedStyle(probe)[what];
  };
  const hues = Array.from({ length: TERM_HUES }, (_, i) => `var(--t${i + 1})`);
  const asked = {
    terms: hues.map((hue) => ask('color', hue)),
    fills: hues.map((hue) => ask('color', `color-mix(in oklab, ${hue} 16%, var(--card))`)),
    paper: ask('color', 'var(--paper)'),
    card: ask('color', 'var(--card)'),
    ink: ask('color', 'var(--ink)'),
    ink2: ask('color', 'var(--ink-2)'),
    line: ask('color', 'var(--line)'),
    accent: ask('color', 'var(--accent)'),
    danger: ask('color', 'var(--danger)'),
    mono: ask('fontFamily', 'var(--mono)'),
    sans: ask('fontFamily', 'var(--sans)'),
  };
  document.body.append(box);
  const { terms, fills, ...others } = asked;
  const [term, fill] = [terms, fills].map((hues) => hues.map((answer) => answer()));
  const rest = /** @type {Record<keyof typeof others, string>} */ (
    Object.fromEntries(Object.entries(others).map(([name, answer]) => [name, answer()]))
  );
  box.remove();
  return {
    ...rest,
    term: (number) => (number > 0 ? term[(number - 1) % TERM_HUES] : rest.ink2),
    fill: (number) => (number > 0 ? fill[(number - 1) % TERM_HUES] : rest.card),
  };
}

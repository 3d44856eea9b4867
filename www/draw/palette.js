// @ts-check
// The style sheet's colours and fonts for canvases. They are read from the document, so that
// colours are chosen in tokens.css alone.

/** How many hues there are for terms. Colour-blind people, too, can tell one from the next. */
export const TERM_HUES = 5;

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

/** @returns {Palette} */
export function readPalette() {
  const probe = document.createElement('span');
  probe.hidden = true;
  // The browser may force one colour on all words; a canvas needs those of the style sheet.
  probe.style.forcedColorAdjust = 'none';
  document.body.append(probe);
  const style = getComputedStyle(probe);
  /** @param {string} value */
  const colour = (value) => {
    probe.style.color = value;
    return style.color;
  };
  /** @param {string} value */
  const font = (value) => {
    probe.style.fontFamily = value;
    return style.fontFamily;
  };
  const terms = Array.from({ length: TERM_HUES }, (_, i) => colour(`var(--t${i + 1})`));
  const fills = Array.from({ length: TERM_HUES }, (_, i) =>
    colour(`color-mix(in oklab, var(--t${i + 1}) 16%, var(--card))`),
  );
  const ink2 = colour('var(--ink-2)');
  const card = colour('var(--card)');
  const palette = {
    paper: colour('var(--paper)'),
    card,
    ink: colour('var(--ink)'),
    ink2,
    line: colour('var(--line)'),
    accent: colour('var(--accent)'),
    danger: colour('var(--danger)'),
    term: (/** @type {number} */ term) => (term > 0 ? terms[(term - 1) % TERM_HUES] : ink2),
    fill: (/** @type {number} */ term) => (term > 0 ? fills[(term - 1) % TERM_HUES] : card),
    mono: font('var(--mono)'),
    sans: font('var(--sans)'),
  };
  probe.remove();
  return palette;
}

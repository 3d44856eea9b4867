// @ts-check
// What the page’s kit says.

// Theme
/** @param {string} name */
export const themeTitle = (name) => `Colours: ${{ auto: 'as the system', light: 'light', dark: 'dark' }[name]}`;

/** The explanations of terms and of sources. */
export const explanations = {
  /** @param {string} source @param {string} title */
  source: (source, title) => `${source}: ${title}`,
  /** @param {string} word @param {string} term */
  sameAs: (word, term) => (word.toLowerCase() === term || word === `${term}s` ? term : `${word}: ${term}`),
  unknown: 'There is no explanation of this here.',
};

export const reload = 'Reload';

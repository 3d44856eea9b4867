// @ts-check
// Runs all of axe's rules for the guidelines and for good practice, or those about colours alone.
import { AxeBuilder } from '@axe-core/playwright';
import { expect } from './page.js';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];
const COLOURS = ['color-contrast', 'link-in-text-block'];

/**
 * @param {import('@playwright/test').Page} page
 * @param {string} where
 * @param {boolean} [colours]
 */
export async function noViolations(page, where, colours = false) {
  // In the page itself, and not in a second one as well: that is for pages with frames, and takes
  // three times as long. What passes isn't told.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
  const { violations } = await (colours ? axe.withRules(COLOURS) : axe.withTags(TAGS)).analyze();
  // The buttons over links and messages ignore the pointer (the stage finds out what is under it),
  // so they are no targets for it, and messages can be anywhere.
  for (const violation of violations.filter(({ id }) => id === 'target-size')) {
    const through = await Promise.all(
      violation.nodes.map(({ target }) =>
        page.locator(String(target[0])).evaluate((node) => getComputedStyle(node).pointerEvents === 'none'),
      ),
    );
    violation.nodes = violation.nodes.filter((_, i) => !through[i]);
  }
  // A link to a run is an address of this page with a run in its fragment, and leads to no place in
  // it.
  for (const violation of violations.filter(({ id }) => id === 'skip-link')) {
    violation.nodes = violation.nodes.filter(({ html }) => !html.includes('#run='));
  }
  const left = violations.filter(({ nodes }) => nodes.length > 0);
  const found = left.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} (${node.failureSummary})`).join('; ')}`,
  );
  expect(found, where).toEqual([]);
}

// @ts-check
// Small windows, and pages that are zoomed to 200 and 400 %: the sentence, the ring and the command
// line stay in reach, the transport folds into one row, and nothing lies over anything else.
import { noViolations } from './axe.js';
import { advanceBy, answer, expect, leaderId, openStill, server, tab, test, toggle, type } from './page.js';

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */

/**
 * The boxes of what must not lie on each other, in the page, wherever it is scrolled to.
 * @param {import('@playwright/test').Page} page
 */
const boxes = (page) =>
  page.evaluate(() => {
    const ids = ['.top', '#stage', '#why', '#quorum', '#safety-row', '#drawer', '#violation'];
    return ids.flatMap((id) => {
      const node = document.querySelector(id);
      if (!(node instanceof HTMLElement) || !node.offsetHeight) return [];
      const { left, right, top, bottom } = node.getBoundingClientRect();
      const cut = Math.max(node.scrollHeight - node.clientHeight, 0);
      return [{ id, left, right, top: top + scrollY, bottom: bottom + scrollY, cut }];
    });
  });

for (const [width, height] of [
  [320, 568],
  [320, 256],
  [720, 450],
  [844, 390],
]) {
  test.describe(`${width} × ${height}`, () => {
    test.use({ viewport: { width, height } });

    test('nothing lies over anything else, and all is in reach', async ({ page }) => {
      await openStill(page);
      await advanceBy(page, 30_000);
      /** Compares all boxes, and the window. */
      const compare = async () => {
        const all = await boxes(page);
        expect(all.map(({ id }) => id)).toEqual(
          expect.arrayContaining(['.top', '#stage', '#why', '#quorum', '#drawer']),
        );
        const faults = all.flatMap((a, i) => [
          ...(a.left < -1 || a.right > width + 1 ? [`${a.id} is wider than the window`] : []),
          ...(a.cut > 1 && a.id !== '#quorum' ? [`${a.id} is cut by ${a.cut}`] : []),
          ...all
            .slice(i + 1)
            .filter((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
            .map((b) => `${a.id} and ${b.id} overlap`),
        ]);
        expect(faults).toEqual([]);
      };
      await compare();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wide, 'nothing is to be scrolled sideways').toBeLessThanOrEqual(0);
      // One row of the transport is at the bottom, wherever the page is scrolled to.
      const row = await page.locator('#transport').boundingBox();
      if (!row) throw new Error('the transport has no place');
      expect(row.height).toBeLessThan(80);
      expect(row.y + row.height).toBeLessThanOrEqual(height + 1);
      for (const id of ['#play', '#command', '#send', '#unfold'])
        await expect(page.locator(id)).toBeInViewport({ ratio: 1 });
      // Each server, the sentence and the quorum can be scrolled to where nothing covers them.
      for (const id of [
        '#server-buttons [data-server="1"]',
        '#server-buttons [data-server="3"]',
        '#why q',
        '#quorum b',
      ]) {
        await page.locator(id).evaluate((node) => node.scrollIntoView({ block: 'center' }));
        const box = await page.locator(id).boundingBox();
        const foot = await page.locator('#transport').boundingBox();
        if (!box || !foot) throw new Error(`${id} has no place`);
        expect(box.y, `${id} is under the upper edge`).toBeGreaterThanOrEqual(0);
        expect(box.y + box.height, `${id} is under the transport`).toBeLessThanOrEqual(foot.y + 1);
      }
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: `test-results/look/small-${width}-${height}.png` });
      // Where it ends, the row at the bottom covers nothing.
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
      await noViolations(page, `${width}`);
      // The longest sentences fit, too.
      await toggle(page, await leaderId(page));
      await advanceBy(page, 2_000_000);
      await compare();
    });

    test('the transport unfolds, and folds again', async ({ page }) => {
      await openStill(page);
      await type(page, 'put small window');
      await expect(answer(page)).toContainText('Sent');
      await page.locator('#command').blur();
      const unfold = page.getByRole('button', { name: /^All of the transport/ });
      await expect(page.locator('#jump-kind')).toBeHidden();
      await unfold.click();
      await expect(unfold).toHaveAttribute('aria-expanded', 'true');
      for (const id of ['#tape-track', '#jump-on', '#step', '#step-back', '#speed', '#command', '#tape-in']) {
        await page.locator(id).scrollIntoViewIfNeeded();
        await expect(page.locator(id)).toBeInViewport({ ratio: 1 });
      }
      await unfold.click();
      await expect(page.locator('#jump-kind')).toBeHidden();
      await expect(page.locator('#command')).toBeInViewport({ ratio: 1 });
    });

    test('panels open under the ring', async ({ page }) => {
      await openStill(page);
      await advanceBy(page, 30_000);
      await tab(page, 'Events');
      await page.locator('#events').scrollIntoViewIfNeeded();
      const [panel, reading] = await Promise.all(['#events', '#reading'].map((id) => page.locator(id).boundingBox()));
      expect(panel && reading && panel.y + panel.height <= reading.y + reading.height + 1).toBe(true);
      expect(panel?.height).toBeGreaterThan(120);
      await server(page, 1).scrollIntoViewIfNeeded();
      await server(page, 1).click();
      await expect(page.locator('.menu')).toBeInViewport({ ratio: 0.99 });
    });
  });
}

test('on a phone, rules and their examples fit into the dialog, and each part has its heading', async ({ page }) => {
  for (const [width, height] of [
    [390, 844],
    [320, 568],
  ]) {
    await page.setViewportSize({ width, height });
    await openStill(page);
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog', { name: 'New run' });
    await expect(dialog).toBeVisible();
    const onTop = await dialog.locator('legend').evaluate((legend) => {
      const { left, top, height } = legend.getBoundingClientRect();
      return document.elementFromPoint(left + 8, top + height / 2) === legend;
    });
    expect(onTop, 'the heading “Servers”').toBe(true);
    await dialog.locator('summary').first().click();
    await expect(dialog.getByRole('link', { name: 'See it break' }).first()).toBeVisible();
    const astray = await dialog.evaluate((node) => {
      const { right } = node.getBoundingClientRect();
      const links = [...node.querySelectorAll('.rule a, .rule cite')];
      return links.filter((link) => link.getBoundingClientRect().right > right).map((link) => link.textContent);
    });
    expect(astray).toEqual([]);
  }
});

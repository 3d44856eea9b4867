// @ts-check
// Many servers and many clients: everything is in reach, and who has left can be hidden.
import { drawer, expect, leader, openStill, server, test } from './page.js';

/**
 * Servers join one after the other.
 * @param {import('@playwright/test').Page} page @param {number} count
 */
const join = (page, count) =>
  page.evaluate((left) => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    raftarium.advanceTo(1_000_000);
    for (; left > 0; left--) {
      raftarium.act({ do: 'add-server' });
      raftarium.advanceTo(raftarium.frame.now + 600_000);
    }
  }, count);

for (const [width, height] of [
  [1440, 900],
  [1024, 768],
  [390, 844],
]) {
  test(`the logs of sixteen servers scroll by themselves, and leave room: ${width}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    for (const more of [3, 7]) {
      await openStill(page, '?seed=7&servers=9');
      await join(page, more);
      await expect(page.locator('#server-buttons button')).toHaveCount(9 + more);
      await drawer(page, true);
      const panel = await page.locator('#logs-panel').boundingBox();
      expect(panel?.height).toBeLessThanOrEqual(0.4 * height + 1);
      // The tabs and a part of the diagram are in sight.
      await expect(page.getByRole('tab', { name: 'Space-time' })).toBeInViewport({ ratio: 1 });
      const diagram = await page.locator('#spacetime').boundingBox();
      const transport = await page.locator('#transport').boundingBox();
      if (!panel || !diagram || !transport) throw new Error('something has no place');
      expect(transport.y - diagram.y).toBeGreaterThan(60);
      // The last server's log can be scrolled to, under the numbers and beside its name.
      await page.locator('.log-scroll').evaluate((node) => node.scrollTo({ top: node.scrollHeight }));
      const seen = await page.evaluate(() => {
        const box = (/** @type {string} */ selector) => {
          const all = document.querySelectorAll(selector);
          return all[all.length - 1].getBoundingClientRect();
        };
        const scroll = box('.log-scroll');
        const [row, head, name] = [box('.log-row'), box('.log-head'), box('.log-row .log-name')];
        return {
          rowInside: row.bottom <= scroll.bottom + 1 && row.top >= head.bottom,
          headStays: Math.abs(head.top - scroll.top),
          nameStays: Math.abs(name.left - scroll.left),
        };
      });
      expect(seen).toEqual({ rowInside: true, headStays: 0, nameStays: 0 });
      await drawer(page, false);
      await page.screenshot({ path: `test-results/look/many-${9 + more}-${width}.png` });
    }
  });
}

test('who has left is hidden by a switch, which says whom it hides', async ({ page }) => {
  await openStill(page);
  await expect(leader(page)).toHaveCount(1);
  const gone = 4;
  const filter = page.locator('#members-only');
  await expect(filter).toBeHidden();
  await page.evaluate((id) => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    raftarium.advanceTo(1_000_000);
    raftarium.act({ do: 'remove-server', server: id });
    raftarium.advanceTo(3_000_000);
  }, gone);
  await expect(server(page, gone)).toHaveAccessibleName(/not a member/);
  await expect(filter).toHaveText(`hide S${gone} (not a member)`);
  const row = page
    .locator('.log-row')
    .filter({ has: page.getByRole('rowheader', { name: `S${gone}`, includeHidden: true }) });
  await expect(row).toBeVisible();
  await filter.click();
  await expect(server(page, gone)).toBeHidden();
  await expect(row).toBeHidden();
  await expect(page.locator(`[data-link="1-${gone}"]`)).toBeHidden();
  await expect(page.locator('#server-buttons button:visible')).toHaveCount(4);
  // Nothing is drawn where it was, and the others are a ring of four: S1 is opposite to S3.
  const [one, three] = await Promise.all([1, 3].map((id) => server(page, id).boundingBox()));
  expect(one && three && Math.abs(one.x - three.x)).toBeLessThan(2);
  // All that can be chosen with arrow keys can be seen.
  await page.locator('#link-buttons button[tabindex="0"]').focus();
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('ArrowRight');
    await expect(page.locator('#link-buttons button:focus')).toBeVisible();
  }
  await filter.click();
  await expect(server(page, gone)).toBeVisible();
  await expect(row).toBeVisible();
});

test('every client keeps its icon when a server joins', async ({ page }) => {
  await openStill(page, '?seed=7&servers=5&settings=150000,300000,50000,1,1,0,3,250000');
  /** Whether something is drawn in a corner of the stage. */
  const corners = () =>
    page.evaluate(
      () =>
        new Promise((done) =>
          requestAnimationFrame(() =>
            requestAnimationFrame(() => {
              const ring = /** @type {HTMLCanvasElement} */ (document.querySelector('#ring'));
              const { width, height } = ring;
              const copy = Object.assign(document.createElement('canvas'), { width, height });
              const c = copy.getContext('2d', { willReadFrequently: true });
              c?.drawImage(ring, 0, 0);
              const at = [0, 1, 2, 3].map((corner) => [corner % 2 ? width - 70 : 0, corner > 1 ? height - 66 : 0]);
              done(
                at.map(([x, y]) => {
                  const words = new Uint32Array(c?.getImageData(x, y, 70, 66).data.buffer ?? []);
                  return words.filter((pixel) => pixel >>> 24).length > 60;
                }),
              );
            }),
          ),
        ),
    );
  expect(await corners()).toEqual([true, true, true, true]);
  await join(page, 1);
  await expect(page.locator('#server-buttons button')).toHaveCount(6);
  expect(await corners()).toEqual([true, true, true, true]);
});

// @ts-check
// Very long logs: they are aligned, only visible entries are in the document, and
// scrolling is fast.
import { expect, open, test } from './page.js';

/** Milliseconds of script for a step along the logs: less than a frame lasts. */
const GOAL = 16;
/** Other load on the machine makes a step late: only what is far too long fails. */
const OUT_OF_PROPORTION = 8;

test('logs of ten thousand entries are aligned and stay smooth', async ({ page }) => {
  // Eight fast clients, and no snapshots.
  await open(page, '?seed=7&servers=9&settings=150000,300000,50000,1,1,0,8,1000');
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    for (let i = 0; i < 200 && raftarium.frame.servers[0].lastIndex < 10_000; i++) {
      raftarium.advanceTo(raftarium.frame.now + 1_000_000);
    }
  });
  const scroll = page.locator('.log-scroll');
  await expect(page.locator('.log-index:visible').last()).toHaveText(/^10\d\d\d$/);
  await scroll.evaluate((node) => (node.scrollLeft = node.scrollWidth / 2));
  await expect(page.locator('.log-index:visible').first()).toHaveText(/^[45]\d\d\d$/);
  expect(await page.locator('.entry').count()).toBeLessThan(9 * 25);
  const astray = await page.evaluate(() => {
    const left = (/** @type {Element} */ node) => Math.round(node.getBoundingClientRect().left);
    const visible = (/** @type {Element} */ node) => node.checkVisibility();
    const heads = [...document.querySelectorAll('.log-index')].filter(visible);
    const first = Number(heads[0].textContent);
    const logs = /** @type {any} */ (window).raftarium.run.logs(first, heads.length);
    const rows = [...document.querySelectorAll('.log-row:not(.log-head)')];
    return rows.flatMap((row, i) => {
      const cells = [...row.querySelectorAll('.entry')].filter(visible);
      const columns = cells.map((cell) => heads.findIndex((head) => Math.abs(left(head) - left(cell)) < 4));
      const wrong = columns.filter((column, at) => column < 0 || (at > 0 && column !== columns[at - 1] + 1));
      const whole = cells.length >= heads.length - 1 && logs[i].entries.length === heads.length;
      return whole && wrong.length === 0 ? [] : [`row ${i + 1}: ${columns}`];
    });
  });
  expect(astray).toEqual([]);
  // Scrolling takes little script in each frame.
  const took = await scroll.evaluate((node) => {
    const times = [];
    for (let i = 0; i < 40; i++) {
      const before = performance.now();
      node.scrollLeft += 500;
      node.dispatchEvent(new Event('scroll'));
      times.push(performance.now() - before);
    }
    return times.sort((a, b) => a - b)[20];
  });
  console.log(`moving along 9 logs of 10,000 entries: ${took.toFixed(1)} ms a step (median; goal: ${GOAL})`);
  expect(took).toBeLessThan(OUT_OF_PROPORTION * GOAL);
});

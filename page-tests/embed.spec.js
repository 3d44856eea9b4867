// @ts-check
// The bare player in another page's frame.
import { noViolations } from './axe.js';
import { expect, leader, open, test } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

/** A page with a player in it, and a long way to scroll. @param {Page} page @param {string} query */
async function host(page, query) {
  await page.route('**/host.html', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><html lang="en"><title>Notes on Raft</title><main><h1>Notes</h1>
        <iframe src="./${query}" title="A Raft cluster" style="width: 700px; height: 500px; border: 0"></iframe>
        <p style="height: 3000px">Much more.</p></main></html>`,
    }),
  );
  await page.goto('./host.html');
  const frame = page.frame({ url: /embed/ });
  if (!frame) throw new Error('there is no frame');
  await expect(frame.locator('html')).toHaveAttribute('data-state', 'running');
  return frame;
}

test('a frame has the ring, the time and a way to the whole page, and nothing else', async ({ page, context }) => {
  const frame = await host(page, '?embed&seed=31&servers=3');
  for (const id of ['#ring', '#why', '#play', '#step', '#now', '#open-whole']) await expect(frame.locator(id)).toBeVisible();
  for (const id of ['.top nav', '#reading', '#console', '#hint', '#legend']) await expect(frame.locator(id)).toBeHidden();
  const over = await frame.evaluate(() => [document.documentElement.scrollHeight - innerHeight, document.documentElement.scrollWidth - innerWidth]);
  expect(Math.max(...over), 'nothing is to be scrolled').toBeLessThanOrEqual(0);
  await frame.getByRole('button', { name: 'Pause' }).click();
  await frame.getByRole('button', { name: 'Step', exact: true }).click();
  const standing = (/** @type {import('@playwright/test').Frame | Page} */ of) =>
    of.evaluate(() => {
      const { raftarium } = /** @type {any} */ (window);
      return [raftarium.frame.now, raftarium.traceHash()];
    });
  const here = await standing(frame);
  const [whole] = await Promise.all([context.waitForEvent('page'), frame.getByRole('link', { name: 'Open in Raftarium' }).click()]);
  await expect(whole.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(whole.locator('#reading')).toBeVisible();
  expect(whole.url()).not.toContain('embed');
  expect(await standing(whole)).toEqual(here);
});

test('a frame can begin at a moment of a run, and stands there', async ({ page }) => {
  await open(page, '?seed=31');
  await page.getByRole('button', { name: 'Pause' }).click();
  const { link, now } = await page.evaluate(() => {
    const { run, frame } = /** @type {any} */ (window).raftarium;
    return { link: run.link(), now: frame.now };
  });
  const frame = await host(page, `?embed#run=${link}`);
  await expect(frame.getByRole('button', { name: 'Play' })).toBeVisible();
  expect(await frame.evaluate(() => /** @type {any} */ (window).raftarium.frame.now)).toBe(now);
});

test('a frame takes neither focus, nor keys, nor the wheel', async ({ page }) => {
  const frame = await host(page, '?embed&seed=31');
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
  await frame.locator('#why').click();
  await page.keyboard.press('1');
  await page.keyboard.press('n');
  await page.keyboard.press('s');
  await expect(frame.getByRole('dialog')).toBeHidden();
  await expect(frame.locator('#server-twins [data-server="1"]')).not.toHaveAccessibleName(/crashed/);
  await frame.locator('#ring').hover();
  await page.mouse.wheel(0, 400);
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(100);
  expect(await frame.locator('#ring').evaluate((ring) => getComputedStyle(ring).touchAction)).toBe('pan-y');
});

test('in a frame a server can be crashed by hand', async ({ page }) => {
  const frame = await host(page, '?embed&seed=31');
  await frame.locator('#server-twins [data-server="2"]').click();
  await frame.getByRole('menuitem', { name: 'Crash' }).first().click();
  await expect(frame.locator('#server-twins [data-server="2"]')).toHaveAccessibleName(/crashed/);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe finds nothing in a player: ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [[800, 560], [390, 480]]) {
      await page.setViewportSize({ width, height });
      await open(page, '?embed&seed=7');
      await expect(leader(page)).toHaveCount(1);
      await page.screenshot({ path: `test-results/look/embed-${width}-${colorScheme}.png` });
      await noViolations(page, `${width}`);
    }
  });
}

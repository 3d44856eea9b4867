// @ts-check
// The player in another page's frame.
import { counterexamples } from '../www/run/counterexamples.js';
import { noViolations } from './axe.js';
import { expect, leader, open, test } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

/**
 * A page with a player in it, and a long way to scroll.
 * @param {Page} page
 * @param {string} query
 */
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
  for (const id of ['#ring', '#why', '#play', '#step', '#now', '#open-whole'])
    await expect(frame.locator(id)).toBeVisible();
  for (const id of ['.top nav', '#reading', '#console', '#hint', '#legend'])
    await expect(frame.locator(id)).toBeHidden();
  const over = await frame.evaluate(() => [
    document.documentElement.scrollHeight - innerHeight,
    document.documentElement.scrollWidth - innerWidth,
  ]);
  expect(Math.max(...over), 'nothing is to be scrolled').toBeLessThanOrEqual(0);
  await frame.getByRole('button', { name: 'Pause' }).click();
  await frame.getByRole('button', { name: 'Step', exact: true }).click();
  const standing = (/** @type {import('@playwright/test').Frame | Page} */ of) =>
    of.evaluate(() => {
      const { raftarium } = /** @type {any} */ (window);
      return [raftarium.frame.now, raftarium.traceHash()];
    });
  const here = await standing(frame);
  const [whole] = await Promise.all([
    context.waitForEvent('page'),
    frame.getByRole('link', { name: 'Open in Raftarium' }).click(),
  ]);
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
  await expect(frame.locator('#server-buttons [data-server="1"]')).not.toHaveAccessibleName(/crashed/);
  await frame.locator('#ring').hover();
  await page.mouse.wheel(0, 400);
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(100);
  expect(await frame.locator('#ring').evaluate((ring) => getComputedStyle(ring).touchAction)).toBe('pan-y');
});

test('in a frame a server can be crashed by hand', async ({ page }) => {
  const frame = await host(page, '?embed&seed=31');
  await frame.locator('#server-buttons [data-server="2"]').click();
  await frame.getByRole('menuitem', { name: 'Crash' }).first().click();
  await expect(frame.locator('#server-buttons [data-server="2"]')).toHaveAccessibleName(/crashed/);
});

test('what is done in the past of a frame leaves the old future as a lane, to go back to', async ({ page }) => {
  const frame = await host(page, '?embed&seed=31');
  await frame.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    raftarium.advanceTo(4_000_000);
    raftarium.seek(1_500_000);
  });
  await frame.locator('#server-buttons [data-server="2"]').click();
  await frame.getByRole('menuitem', { name: 'Crash' }).first().click();
  const lane = frame.getByRole('group', { name: 'Other branches' }).getByRole('button');
  await expect(lane).toHaveText('main');
  await expect(frame.locator('#toast')).toContainText('kept as “main”');
  // The toast covers neither the ring nor the transport.
  const [toast, ring, transport] = await Promise.all(
    ['#toast', '#stage', '#transport'].map((id) => frame.locator(id).boundingBox()),
  );
  if (!toast || !ring || !transport) throw new Error('something has no place');
  expect(toast.y).toBeGreaterThanOrEqual(ring.y + ring.height - 1);
  expect(toast.y + toast.height).toBeLessThanOrEqual(transport.y + 1);
  await lane.click();
  await expect(frame.getByRole('menuitem')).toHaveText(['Go there']);
  await frame.getByRole('menuitem', { name: 'Go there' }).click();
  await expect(frame.locator('#server-buttons [data-server="2"]')).not.toHaveAccessibleName(/crashed/);
  await expect(lane).toHaveText('branch 2');
});

test('a violation in a frame covers no server, and not the way out', async ({ page }) => {
  for (const [width, height] of [
    [700, 500],
    [390, 480],
  ]) {
    await page.setViewportSize({ width, height });
    await page.goto(`./?embed#run=${counterexamples[13]}`);
    await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
    await expect(page.locator('#violation')).toBeInViewport({ ratio: 0.9 });
    const violation = await page.locator('#violation').boundingBox();
    const others = page.locator('#server-buttons button, #open-whole, #play');
    for (const one of await others.all()) {
      const box = await one.boundingBox();
      if (!box || !violation) throw new Error('something has no place');
      const over = box.y < violation.y + violation.height - 1 && violation.y < box.y + box.height - 1;
      expect(over, `${await one.getAttribute('aria-label')} at ${width}`).toBe(false);
    }
    // What a frame has no room for, the whole page shows.
    const [whole] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('button', { name: 'What it means' }).click(),
    ]);
    await expect(whole.locator('html')).toHaveAttribute('data-state', 'violated');
    expect(whole.url()).not.toContain('embed');
    await whole.close();
  }
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe finds nothing in a player: ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [
      [800, 560],
      [390, 480],
    ]) {
      await page.setViewportSize({ width, height });
      await open(page, '?embed&seed=7');
      await expect(leader(page)).toHaveCount(1);
      await page.screenshot({ path: `test-results/look/embed-${width}-${colorScheme}.png` });
      await noViolations(page, `${width}`);
    }
  });
}

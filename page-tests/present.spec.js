// @ts-check
// Presenter mode: large, bare, and usable with a remote control.
import { noViolations } from './axe.js';
import { advanceBy, expect, leader, leaderId, open, openStill, server, test, toggle } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

const now = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
const events = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.events);
const root = (/** @type {Page} */ page) => page.locator('html');
const play = (/** @type {Page} */ page) => page.locator('#presenter').getByRole('button', { name: /^(Play|Pause)$/ });

/** A run with a crash and what follows, paused before it. @param {Page} page */
async function makeRun(page) {
  await openStill(page, '?seed=31');
  const first = await leaderId(page);
  await advanceBy(page, 200_000);
  const before = await now(page);
  await toggle(page, first);
  await advanceBy(page, 2_000_000);
  await page.evaluate((time) => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.run.seek(time);
    raftarium.advanceTo(time);
  }, before - 1);
  return { first, before };
}

test('a key shows the ring and the sentence alone, and large; Escape brings the page back', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  const size = (/** @type {string} */ id) =>
    page.locator(id).evaluate((node) => parseFloat(getComputedStyle(node).fontSize));
  const name = () => page.locator('#stage').evaluate((node) => node.getBoundingClientRect().width / node.clientWidth);
  const [small, narrow] = [await size('#why q'), await name()];
  await page.keyboard.press('f');
  await expect(root(page)).toHaveAttribute('data-mode', 'present');
  for (const id of ['.top nav', '#reading', '#transport', '#hint', '#legend'])
    await expect(page.locator(id)).toBeHidden();
  await expect(page.locator('#why q')).toBeInViewport({ ratio: 1 });
  expect(await size('#why q')).toBeGreaterThan(2 * small);
  expect(await name()).toBeGreaterThan(1.3 * narrow);
  const [width, height] = await page.evaluate(() => [
    document.documentElement.scrollWidth - innerWidth,
    document.documentElement.scrollHeight - innerHeight,
  ]);
  expect(Math.max(width, height)).toBeLessThanOrEqual(0);
  await page.keyboard.press('Escape');
  await expect(root(page)).not.toHaveAttribute('data-mode', /./);
  await expect(page.locator('#reading')).toBeVisible();
  expect(await size('#why q')).toBe(small);
  expect(await name()).toBe(narrow);
});

test('a remote control goes from one notable moment to the next and back, plays and pauses', async ({ page }) => {
  const { first, before } = await makeRun(page);
  await page.keyboard.press('f');
  await page.keyboard.press('PageDown');
  await expect(server(page, first)).toHaveAccessibleName(/crashed/);
  await expect(page.locator('#why q')).toContainText(`S${first} crashed`);
  const crash = await now(page);
  expect(crash).toBe(before);
  await page.keyboard.press('ArrowRight');
  expect(await now(page)).toBeGreaterThan(crash);
  for (let i = 0; i < 6 && (await leader(page).count()) === 0; i++) await page.keyboard.press('PageDown');
  await expect(page.locator('#why q')).toContainText(/leads term/);
  await page.keyboard.press('PageUp');
  await page.keyboard.press('ArrowLeft');
  const at = await events(page);
  await page.keyboard.press('ArrowDown');
  expect(await events(page)).toBe(at + 1);
  await page.keyboard.press('ArrowUp');
  expect(await events(page)).toBe(at);
  await expect(play(page)).toHaveText('Play');
  await page.keyboard.press(' ');
  await expect(play(page)).toHaveText('Pause');
  await page.keyboard.press('.');
  await expect(root(page)).toHaveAttribute('data-blank');
  await expect(page.locator('#why')).toBeHidden();
  await page.keyboard.press('b');
  await expect(page.locator('#why')).toBeVisible();
  await page.keyboard.press('b');
  await page.keyboard.press(' ');
  await expect(root(page)).not.toHaveAttribute('data-blank');
});

test('where nothing notable comes, it stays where it is', async ({ page }) => {
  await openStill(page, '?seed=7&servers=1');
  await advanceBy(page, 100_000);
  await page.keyboard.press('f');
  const here = await now(page);
  await page.keyboard.press('PageDown');
  await expect(page.locator('#toast')).toContainText('Nothing to jump to');
  expect(await now(page)).toBe(here);
});

test('an address asks for it; on the ring, things are still in reach', async ({ page }) => {
  await open(page, '?seed=7&present');
  await expect(root(page)).toHaveAttribute('data-mode', 'present');
  await expect(leader(page)).toHaveCount(1);
  await server(page, 4).click();
  const [menu, button] = await Promise.all([page.getByRole('menu').boundingBox(), server(page, 4).boundingBox()]);
  if (!menu || !button) throw new Error('something has no place');
  expect(Math.abs(menu.x - button.x - button.width)).toBeLessThan(40);
  await page.getByRole('menuitem', { name: 'Crash' }).first().click();
  await expect(server(page, 4)).toHaveAccessibleName(/crashed/);
  await page.locator('#presenter').getByRole('button', { name: 'Leave presenter mode' }).click();
  await expect(page.locator('.top nav')).toBeVisible();
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await page.getByRole('button', { name: 'Presenter mode' }).click();
  await expect(root(page)).toHaveAttribute('data-mode', 'present');
});

test('its buttons go when nobody stirs, and come back', async ({ page }) => {
  await page.clock.install();
  await open(page, '?seed=7&present');
  const bar = page.locator('#presenter');
  await page.mouse.move(300, 300);
  await expect(bar).not.toHaveClass('idle');
  await page.clock.fastForward(4_000);
  await expect(bar).toHaveClass('idle');
  await page.mouse.move(320, 300);
  await expect(bar).not.toHaveClass('idle');
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe finds nothing in presenter mode: ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [
      [1440, 900],
      [1024, 768],
      [390, 844],
    ]) {
      await page.setViewportSize({ width, height });
      await openStill(page, '?seed=7&present');
      await advanceBy(page, 30_000);
      await page.screenshot({ path: `test-results/look/present-${width}-${colorScheme}.png` });
      await noViolations(page, `${width}`);
    }
  });
}

test.describe('under a thumb', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('its buttons do what a remote control does', async ({ page }) => {
    const { first } = await makeRun(page);
    await page.getByRole('button', { name: 'Share', exact: true }).tap();
    await page.getByRole('button', { name: 'Presenter mode' }).tap();
    await page.getByRole('button', { name: 'Next notable moment' }).tap();
    await expect(page.locator('#why q')).toContainText(`S${first} crashed`);
    await play(page).tap();
    await expect(play(page)).toHaveText('Pause');
    await page.getByRole('button', { name: 'Leave presenter mode' }).tap();
    await expect(page.locator('.top nav')).toBeVisible();
  });
});

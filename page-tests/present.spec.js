// @ts-check
// Presenter mode: large, bare, and usable with a remote control.
import { counterexamples } from '../www/run/counterexamples.js';
import { noViolations } from './axe.js';
import { advanceBy, expect, leader, leaderId, open, openStill, server, test, toggle } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

const now = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
const events = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.events);
const root = (/** @type {Page} */ page) => page.locator('html');
/** Presents the page. @param {Page} page */
async function enter(page) {
  await page.keyboard.press('f');
  await expect(root(page)).toHaveAttribute('data-mode', 'present');
}
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
  await enter(page);
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
  await enter(page);
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

/**
 * A window that fills the screen has the size of the screen.
 * @param {import('@playwright/test').Page} page
 */
const neverFullScreen = (page) =>
  page.addInitScript(() => (Element.prototype.requestFullscreen = () => Promise.reject(new Error('not here'))));

test('logs and panels stand beside the ring, and the quorum over the sentence', async ({ page }) => {
  await neverFullScreen(page);
  await openStill(page, '?seed=7');
  await enter(page);
  const bar = page.locator('#presenter');
  for (const [width, height] of [
    [1440, 900],
    [1024, 768],
    [390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    await page.keyboard.press('l');
    await bar.getByRole('button', { name: 'Quorum' }).click();
    await expect(page.locator('#logs .log-row').nth(1)).toBeInViewport();
    await expect(page.getByRole('tab', { name: 'Space-time' })).toBeVisible();
    await expect(page.locator('#quorum')).toBeInViewport({ ratio: 1 });
    await expect(page.locator('#quorum')).toContainText('writes');
    const over = await page.evaluate(() => {
      const box = (/** @type {string} */ id) =>
        /** @type {Element} */ (document.querySelector(id)).getBoundingClientRect();
      const parts = ['#stage', '#quorum', '#why q', '#reading'].map((id) => ({ id, box: box(id) }));
      return parts.flatMap((a, i) =>
        parts
          .slice(i + 1)
          .filter(
            (b) =>
              a.box.left < b.box.right - 2 &&
              b.box.left < a.box.right - 2 &&
              a.box.top < b.box.bottom - 2 &&
              b.box.top < a.box.bottom - 2,
          )
          .map((b) => `${a.id} and ${b.id}`),
      );
    });
    // The quorum stands where the stage ends, below its ring.
    expect(
      over.filter((pair) => pair !== '#stage and #quorum'),
      `${width}`,
    ).toEqual([]);
    await noViolations(page, `${width}`);
    await page.screenshot({ path: `test-results/look/present-logs-${width}.png` });
    await page.keyboard.press('q');
    await expect(page.locator('#quorum')).toBeHidden();
    await page.keyboard.press('Escape');
    await expect(page.locator('#reading')).toBeHidden();
    await expect(root(page)).toHaveAttribute('data-mode', 'present');
  }
});

test('what is asked for in a menu opens beside the ring, and Escape closes one thing at a time', async ({ page }) => {
  await openStill(page, '?seed=7&present');
  await server(page, 4).click();
  await page.getByRole('menuitem', { name: 'Inspect' }).click();
  await expect(page.getByRole('tabpanel', { name: 'Server' })).toBeInViewport();
  await expect(page.getByRole('tabpanel', { name: 'Server' })).toContainText('currentTerm');
  await page.keyboard.press('Escape');
  await expect(page.locator('#reading')).toBeHidden();
  await page.keyboard.press('s');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(root(page)).toHaveAttribute('data-mode', 'present');
  await page.keyboard.press('Escape');
  await expect(root(page)).not.toHaveAttribute('data-mode', /./);
});

test('a violation is as large as a sentence, and what it means opens beside the ring', async ({ page }) => {
  await page.goto(`./?present#run=${counterexamples[13]}`);
  await expect(root(page)).toHaveAttribute('data-state', 'violated');
  await expect(root(page)).toHaveAttribute('data-mode', 'present');
  const size = (/** @type {string} */ id) =>
    page.locator(id).evaluate((node) => parseFloat(getComputedStyle(node).fontSize));
  await expect(page.locator('#violation .trouble-text')).toBeInViewport({ ratio: 1 });
  expect(await size('#violation .trouble-text')).toBe(await size('#why q'));
  await page.getByRole('button', { name: 'What it means' }).click();
  await expect(page.getByRole('tabpanel', { name: 'Safety' })).toBeInViewport();
});

test('it stops at each commit, if it is asked to', async ({ page }) => {
  await openStill(page, '?seed=7&present');
  await advanceBy(page, 100_000);
  const committed = () =>
    page.evaluate(() =>
      Math.max(.../** @type {any} */ (window).raftarium.frame.servers.map((/** @type {any} */ s) => s.commitIndex)),
    );
  await page.keyboard.press('c');
  await expect(page.getByRole('button', { name: 'Stop at commits' })).toHaveAttribute('aria-pressed', 'true');
  for (let i = 0; i < 2; i++) {
    const before = await committed();
    await expect(play(page)).toHaveText('Play');
    await page.keyboard.press(' ');
    await expect.poll(committed).toBeGreaterThan(before);
    await expect(play(page)).toHaveText('Play');
    // It stands at the very event.
    await expect(page.locator('#why q')).toContainText(`Entry ${await committed()} is committed`);
  }
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
    await neverFullScreen(page);
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
      await noViolations(page, `${width}`, colorScheme === 'dark');
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

test('whatever key is pressed while the screen is dark lights it, and does no more', async ({ page }) => {
  await neverFullScreen(page);
  await openStill(page, '?seed=7&present');
  // The presenter comes a moment after the run, and listens for keys then.
  await expect(page.locator('#presenter')).toBeVisible();
  await page.keyboard.press('b');
  await expect(root(page)).toHaveAttribute('data-blank', '');
  await page.keyboard.press('s');
  await expect(root(page)).not.toHaveAttribute('data-blank', '');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('s');
  await expect(page.getByRole('dialog')).toBeVisible();
});

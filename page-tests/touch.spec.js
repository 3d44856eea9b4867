// @ts-check
// Fingers, as a touch screen reports them: strokes, long presses, and two at once.
import { steps, touch } from './fingers.js';
import { advanceBy, drawer, expect, open, openStill, quiet, server, tab, test, underWay } from './page.js';

/** @typedef {import('./fingers.js').Point} Point */

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

/**
 * @param {import('@playwright/test').Page} page
 * @param {number} id
 * @returns {Promise<[number, number]>}
 */
async function middle(page, id) {
  const box = await server(page, id).boundingBox();
  if (!box) throw new Error('a server has no place');
  return [box.x + box.width / 2, box.y + box.height / 2];
}

test('a finger drawn across the ring splits the network', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const [[a, b], [c, d], [e, f], [g, h]] = await Promise.all([1, 2, 5, 4].map((id) => middle(page, id)));
  /** @type {Point} */ const right = [(a + c) / 2, (b + d) / 2];
  /** @type {Point} */ const left = [(e + g) / 2, (f + h) / 2];
  /** @param {Point} p @param {Point} q @returns {Point} */
  const beyond = ([x, y], [u, v]) => [x + (x - u) * 0.15, y + (y - v) * 0.15];
  await touch(page, [steps(beyond(right, left), beyond(left, right))]);
  await expect(page.locator('#quorum .answers')).toHaveCount(3);
});

test('a long press on the empty stage has the menu of the whole cluster', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const box = await page.locator('#ring').boundingBox();
  if (!box) throw new Error('the ring has no place');
  const menu = page.getByRole('menu', { name: 'The cluster' });
  await touch(page, [[[box.x + box.width / 2, box.y + box.height - 6]]], () => expect(menu).toBeVisible());
  await expect(menu).toBeVisible();
});

test('the drawer follows a finger on its handle', async ({ page }) => {
  await openStill(page);
  const handle = page.locator('#drawer');
  const middleOf = async () => {
    await page
      .locator('#reading')
      .evaluate((node) => Promise.all(node.getAnimations().map(({ finished }) => finished)));
    const box = await handle.boundingBox();
    if (!box) throw new Error('the handle has no place');
    return /** @type {[number, number]} */ ([box.x + box.width / 2, box.y + box.height / 2]);
  };
  const top = async () => (await handle.boundingBox())?.y ?? 0;
  const [x, y] = await middleOf();
  await touch(page, [steps([x, y], [x, y - 180])], async () => expect(await top()).toBeLessThan(y - 120));
  await expect(handle).toHaveAttribute('aria-expanded', 'true');
  const [u, v] = await middleOf();
  expect(v).toBeLessThan(y - 200);
  await touch(page, [steps([u, v], [u, v + 90])]);
  await expect(handle).toHaveAttribute('aria-expanded', 'false');
  // A finger that hardly moves presses it.
  await middleOf();
  await handle.tap();
  await expect(handle).toHaveAttribute('aria-expanded', 'true');
});

test('the help begins with gestures and signs, and keys come last', async ({ page }) => {
  await openStill(page);
  await page.getByRole('button', { name: 'Keys and signs' }).tap();
  const dialog = page.getByRole('dialog', { name: 'Gestures and signs' });
  const titles = dialog.getByRole('heading', { level: 3 });
  await expect(titles.first()).toHaveText('Gestures');
  await expect(titles.nth(1)).toHaveText('Servers');
  await expect(titles.last()).toHaveText('Keys');
  await expect(dialog.locator('.gestures dt')).toHaveText([
    'Tap',
    'Press long',
    'Draw',
    'Drag',
    'Two fingers',
    'Swipe',
  ]);
});

test('two fingers zoom the diagrams', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 1_000_000);
  for (const [name, panel] of [
    ['Space-time', '#spacetime'],
    ['Clients', '#operations'],
  ]) {
    await tab(page, name);
    const diagram = page.locator(`${panel} .diagram`);
    await diagram.scrollIntoViewIfNeeded();
    const box = await diagram.boundingBox();
    if (!box) throw new Error('the diagram has no place');
    const canvas = diagram.locator('canvas');
    const picture = () => canvas.evaluate((node) => /** @type {HTMLCanvasElement} */ (node).toDataURL());
    const before = await picture();
    const y = box.y + 60;
    const [x, u] = [box.x + box.width * 0.45, box.x + box.width * 0.65];
    await touch(page, [steps([x, y], [x - 60, y]), steps([u, y], [u + 60, y])]);
    await expect.poll(picture).not.toBe(before);
  }
});

test('a message is looked into and dropped by a tap, and a rule is seen to break', async ({ page }) => {
  await openStill(page, '?seed=7&servers=2');
  const { id } = await underWay(page);
  const box = await page.locator(`[data-message="${id}"]`).boundingBox();
  if (!box) throw new Error('the message has no place');
  await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
  await expect(page.locator('#menu-title')).toContainText('AppendEntries');
  await page.getByRole('menuitem', { name: 'Drop' }).tap();
  const gone = await page.evaluate(
    (n) => /** @type {any} */ (window).raftarium.frame.messages.find((/** @type {any} */ m) => m.id === n)?.lost,
    id,
  );
  expect(gone).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'New run' }).tap();
  const dialog = page.getByRole('dialog', { name: 'New run' });
  await dialog.locator('summary').first().tap();
  await dialog.getByRole('link', { name: 'See it break' }).first().tap();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  await expect(page.getByRole('alert').filter({ hasText: 'Leader Completeness is broken' })).toBeVisible();
});

test('a lamp opens the panel that says what it means', async ({ page }) => {
  await open(page);
  await page.locator('#lamps button').nth(2).tap();
  await expect(page.locator('.properties li:focus')).toContainText('Log Matching');
  await drawer(page, false);
  await page.getByRole('button', { name: 'New run' }).tap();
  const dialog = page.getByRole('dialog', { name: 'New run' });
  await dialog.locator('summary').first().tap();
  await dialog.getByRole('checkbox', { name: /^vote once per term/ }).tap();
  await dialog.getByRole('button', { name: 'Start', exact: true }).tap();
  await expect(page.locator('#safety-words')).toContainText('1 rule off');
});

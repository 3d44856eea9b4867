// @ts-check
// Taking hold of servers, links and messages: by mouse and by keyboard.
import { advanceBy, expect, leaderId, open, pick, server, test } from './page.js';

test('a server’s menu pauses it, by mouse', async ({ page }) => {
  await open(page);
  await advanceBy(page, 10_000);
  await server(page, 1).click();
  await pick(page, 'Pause');
  await expect(server(page, 1)).toHaveAccessibleName(/^S1, .*paused/);
});

test('a link is cut in one direction, by keyboard', async ({ page }) => {
  await open(page);
  await advanceBy(page, 10_000);
  await page.locator('[data-link="1-2"]').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-link="1-2"]')).toHaveAccessibleName('Link S1–S2, cut from S1 to S2');
  await expect(page.locator('[data-link="1-2"]')).toBeFocused();
});

test('a message is dropped, by keyboard', async ({ page }) => {
  await open(page);
  await advanceBy(page, 1_000);
  const message = page.locator('#message-twins button').first();
  const id = await message.getAttribute('data-message');
  await message.focus();
  await page.keyboard.press('Enter');
  await pick(page, 'Drop');
  const lost = () =>
    page.evaluate(
      (n) => /** @type {any} */ (window).raftarium.frame.messages.find((/** @type {any} */ m) => m.id === n)?.lost,
      Number(id),
    );
  expect(await lost()).toBeGreaterThan(0);
});

test('a stroke across the ring splits the network', async ({ page }) => {
  await open(page);
  await advanceBy(page, 1_000);
  const box = await page.locator('#ring').boundingBox();
  const [a, b] = await Promise.all([1, 2].map((id) => server(page, id).boundingBox()));
  const [c, d] = await Promise.all([5, 4].map((id) => server(page, id).boundingBox()));
  if (!box || !a || !b || !c || !d) throw new Error('the ring has no place');
  const mid = (/** @type {any} */ p, /** @type {any} */ q) => [(p.x + q.x + p.width) / 2, (p.y + q.y + p.height) / 2];
  const [x, y] = mid(a, b);
  const [u, v] = mid(c, d);
  await page.mouse.move(x + (x - u) * 0.15, y + (y - v) * 0.15);
  await page.mouse.down();
  await page.mouse.move(x, y, { steps: 3 });
  await page.mouse.move(u, v, { steps: 20 });
  await page.mouse.move(u + (u - x) * 0.15, v + (v - y) * 0.15, { steps: 4 });
  await page.mouse.up();
  await expect(page.locator('#quorum')).toContainText('3 of 5 reach each other');
});

test('a server joins and leaves again, and every view has a place for it', async ({ page }) => {
  await open(page);
  await advanceBy(page, 10_000);
  const before = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
  const rows = page.locator('.log-row:not(.log-head)');
  await server(page, 1).click();
  await pick(page, 'Add a server');
  await expect(page.locator('#server-twins button')).toHaveCount(6);
  await expect(rows).toHaveCount(6);
  await advanceBy(page, 2_000_000);
  await expect(server(page, 6)).toHaveAccessibleName(/^S6, follower/);
  await expect(rows.nth(5)).toContainText('follower');
  await page.keyboard.press('p');
  await page.getByRole('group', { name: 'Side of S6' }).getByRole('radio', { name: 'B' }).check();
  await page.getByRole('button', { name: 'Cut here' }).click();
  await expect(page.locator('#quorum')).toContainText('5 of 6 reach each other');
  await page.keyboard.press('h');
  await server(page, 6).click();
  await pick(page, 'Remove from the cluster');
  await advanceBy(page, 2_000_000);
  await expect(server(page, 6)).toHaveAccessibleName(/^S6, no member/);
  await expect(page.locator('#quorum')).toContainText('5 of 5 reach each other');
  await page.evaluate((time) => /** @type {any} */ (window).raftarium.seek(time), before - 1_000);
  await expect(page.locator('#server-twins button')).toHaveCount(5);
  await expect(rows).toHaveCount(5);
});

test('every diagram and panel shows something', async ({ page }) => {
  await open(page);
  await leaderId(page);
  await page.screenshot({ path: 'test-results/look/space-time.png' });
  for (const name of ['Events', 'Clients', 'Safety', 'Server', 'Stores', 'Dials']) {
    await page.getByRole('tab', { name }).click();
    await expect(page.getByRole('tabpanel', { name })).not.toBeEmpty();
    await page.screenshot({ path: `test-results/look/panel-${name}.png` });
  }
});

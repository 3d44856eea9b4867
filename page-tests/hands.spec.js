// @ts-check
// Taking hold of servers, links and messages: by mouse and by keyboard.
import {
  advanceBy,
  expect,
  leaderId,
  menuItem,
  open,
  openStill,
  pick,
  quiet,
  server,
  tab,
  test,
  underWay,
} from './page.js';

test('a server’s menu pauses it, by mouse', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 10_000);
  await server(page, 1).click();
  await pick(page, 'Pause');
  await expect(server(page, 1)).toHaveAccessibleName(/^S1, .*paused/);
});

test('a link is cut in one direction, by keyboard', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 10_000);
  await page.locator('[data-link="1-2"]').focus();
  await page.keyboard.press('Enter');
  // Menus come when they are first asked for.
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-link="1-2"]')).toHaveAccessibleName('Link S1–S2, cut from S1 to S2');
  await expect(page.locator('[data-link="1-2"]')).toBeFocused();
});

test('a message is dropped, by keyboard', async ({ page }) => {
  await openStill(page);
  const { id } = await underWay(page, { kind: 'heartbeat', alone: false });
  await page.locator(`[data-message="${id}"]`).focus();
  await page.keyboard.press('Enter');
  await pick(page, 'Drop');
  const lost = () =>
    page.evaluate(
      (n) => /** @type {any} */ (window).raftarium.frame.messages.find((/** @type {any} */ m) => m.id === n)?.lost,
      id,
    );
  expect(await lost()).toBeGreaterThan(0);
});

test('a stroke across the ring splits the network', async ({ page }) => {
  await openStill(page);
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
  await expect(page.locator('#quorum .answers')).toHaveCount(3);
});

test('a server joins and leaves again, and every view has a place for it', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 10_000);
  const before = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
  const rows = page.locator('.log-row:not(.log-head)');
  await server(page, 1).click();
  await pick(page, 'Add a server');
  await expect(page.locator('#server-buttons button')).toHaveCount(6);
  await expect(rows).toHaveCount(6);
  await advanceBy(page, 2_000_000);
  await expect(server(page, 6)).toHaveAccessibleName(/^S6, follower/);
  await expect(rows.nth(5)).toContainText('follower');
  await page.keyboard.press('p');
  await page.getByRole('group', { name: 'Side of S6' }).getByRole('radio', { name: 'B' }).check();
  await page.getByRole('button', { name: 'Cut here' }).click();
  await expect(page.locator('#quorum .answers')).toHaveCount(5);
  await page.keyboard.press('h');
  await server(page, 6).click();
  await pick(page, 'Remove from the cluster');
  await advanceBy(page, 2_000_000);
  await expect(server(page, 6)).toHaveAccessibleName(/^S6, not a member/);
  await expect(page.locator('#quorum .answers')).toHaveCount(5);
  await page.evaluate((time) => /** @type {any} */ (window).raftarium.seek(time), before - 1_000);
  await expect(page.locator('#server-buttons button')).toHaveCount(5);
  await expect(rows).toHaveCount(5);
});

test('everything in a server’s menu does what it says, by mouse', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const choose = async (/** @type {string} */ name, /** @type {'menuitem' | 'menuitemradio'} */ role = 'menuitem') => {
    await server(page, 1).click();
    await (await menuItem(page, name, { role, exact: true })).click();
  };
  const says = (/** @type {RegExp} */ words) => expect(server(page, 1)).toHaveAccessibleName(words);
  const one = () => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.servers[0]);
  await choose('Pause');
  await says(/paused/);
  await choose('Resume');
  await says(/^S1, follower, term 1, /);
  await choose('Time out now');
  await says(/^S1, pre-candidate/);
  // And the tape undoes it: before the action, the server listens.
  for (let i = 0; i < 3; i++) await page.keyboard.press(',');
  await says(/^S1, follower/);
  await choose('half', 'menuitemradio');
  await says(/clock at 50 %/);
  await choose('true', 'menuitemradio');
  await choose('+1 s');
  await says(/clock 1\.\d+ s ahead/);
  await choose('−1 s');
  for (const disk of ['slow', 'hangs', 'full']) {
    await choose(disk, 'menuitemradio');
    await says(new RegExp(`disk ${disk}$`));
  }
  await choose('normal', 'menuitemradio');
  expect((await one()).disk).toBe('normal');
  await choose('Cut off from everybody');
  await expect(page.locator('#quorum .answers')).toHaveCount(4);
  await choose('Heal its links');
  await expect(page.locator('#quorum .answers')).toHaveCount(5);
  await choose('Transfer leadership to it');
  await advanceBy(page, 500_000);
  await says(/^S1, leader, term 2/);
  await choose('Inspect');
  await expect(page.getByRole('tabpanel', { name: 'Server' })).toBeVisible();
  await expect(page.locator('#server').getByRole('radio', { name: 'S1' })).toBeChecked();
  const before = (await one()).lastIndex;
  expect(before).toBeGreaterThan(0);
  await choose('Crash and lose the disk');
  await says(/^S1, crashed/);
  await choose('Restart');
  expect((await one()).lastIndex).toBe(0);
  await advanceBy(page, 2_000_000);
  expect((await one()).lastIndex).toBeGreaterThanOrEqual(before);
});

test('a link is made slow and lossy in one direction, and mended', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const impaired = () => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.impaired);
  const choose = async (/** @type {string} */ name, /** @type {'menuitem' | 'menuitemcheckbox'} */ role) => {
    await page.locator('[data-link="2-4"]').focus();
    await page.keyboard.press('Enter');
    await page.locator('.menu').getByRole(role, { name }).last().click();
  };
  await choose('+50 ms', 'menuitemcheckbox');
  expect(await impaired()).toEqual([[4, 2, 50_000, 0]]);
  await choose('loses 30 %', 'menuitemcheckbox');
  expect(await impaired()).toEqual([[4, 2, 50_000, 300_000]]);
  await choose('+50 ms', 'menuitemcheckbox');
  expect(await impaired()).toEqual([[4, 2, 0, 300_000]]);
  await choose('Heal both directions', 'menuitem');
  expect(await impaired()).toEqual([]);
});

test('a message is looked into, held, doubled and delivered, by mouse', async ({ page }) => {
  await openStill(page, '?seed=7&servers=2');
  const copying = () =>
    page.evaluate(() => {
      const { messages } = /** @type {any} */ (window).raftarium.frame;
      return messages.filter((/** @type {any} */ { kind }) => kind === 'append');
    });
  const { id } = await underWay(page);
  const choose = async (/** @type {string} */ name) => {
    const box = await page.locator(`[data-message="${id}"]`).boundingBox();
    if (!box) throw new Error('the message has no place');
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await expect(page.locator('#menu-title')).toHaveText(/^AppendEntries, S\d → S\d$/);
    if (name === 'Hold') await expect(page.locator('#menu-facts')).toContainText(/term1.*sent at.*arrives at/);
    await pick(page, name);
  };
  await choose('Hold');
  await advanceBy(page, 200_000);
  const held = (await copying()).find((/** @type {any} */ message) => message.id === id);
  expect(held.held).toBeGreaterThan(0);
  const before = (await copying()).length;
  await choose('Duplicate');
  expect((await copying()).length).toBe(before + 1);
  await choose('Deliver now');
  expect((await copying()).some((/** @type {any} */ message) => message.id === id)).toBe(false);
});

test('dials change the network, and warn before messages take longer than election timeouts', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  await tab(page, 'Dials');
  const dials = () => page.evaluate(() => /** @type {any} */ (window).raftarium.run.dials());
  const warning = page.locator('#dials .dial-warning');
  await expect(warning).toContainText('faster than election timeouts');
  const lost = page.getByRole('slider', { name: 'Lost' });
  await lost.focus();
  await page.keyboard.press('PageUp');
  expect((await dials()).loss).toBeGreaterThan(0);
  const most = page.getByRole('slider', { name: 'Longest latency' });
  await most.focus();
  await page.keyboard.press('End');
  await expect(warning).toContainText('longer than the shortest election timeout');
  await expect(warning).toHaveClass(/bad/);
  expect((await dials()).latencyMax).toBe(1_000_000);
  // The minimum follows when the maximum falls below it.
  await page.keyboard.press('Home');
  expect((await dials()).latencyMin).toBe(500);
});

test('without heartbeats the ring shows what is left', async ({ page }) => {
  await openStill(page);
  const beats = page.locator('#message-buttons').getByRole('button', { name: /^Heartbeat,/, includeHidden: true });
  await advanceBy(page, 1_000);
  for (let i = 0; i < 500 && (await beats.count()) === 0; i++) await advanceBy(page, 1_000);
  await expect(beats).not.toHaveCount(0);
  // One switch, in two places.
  const [ring, diagram] = [page.locator('#heartbeats'), page.locator('#diagram-heartbeats')];
  await expect(diagram).toBeChecked();
  await ring.uncheck();
  await expect(beats).toHaveCount(0);
  await expect(diagram).not.toBeChecked();
  await diagram.check();
  await expect(beats).not.toHaveCount(0);
  await expect(ring).toBeChecked();
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

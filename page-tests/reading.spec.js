// @ts-check
// What is beside the ring: the diagrams, the events, the inspector and the logs, and how
// each leads to the moments that it shows.
import { advanceBy, expect, framesAfter, leaderId, open, openStill, pick, server, tab, test, type } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

const frame = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame);
const now = async (/** @type {Page} */ page) => (await frame(page)).now;

/** What a canvas shows. @param {Page} page @param {string} box */
async function picture(page, box) {
  await framesAfter(page, 3);
  return page.locator(`${box} canvas`).evaluate((node) => /** @type {HTMLCanvasElement} */ (node).toDataURL());
}

test('along the space-time diagram by keyboard: from event to event, what each led to, and there', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 500_000);
  const diagram = page.getByRole('application', { name: 'Space-time diagram' });
  const words = page.locator('#diagram-words');
  const before = await picture(page, '#spacetime');
  await diagram.focus();
  await page.keyboard.press('ArrowDown');
  await expect(words).toContainText(/^S2 at [\d.]+ s: leader, term 1/);
  await page.keyboard.press('ArrowLeft');
  await expect(words).toContainText(/Sent at [\d.]+ s|[\d.]+ s: /);
  // Its past and its future are highlighted, so the picture changes.
  const lit = await picture(page, '#spacetime');
  expect(lit === before).toBe(false);
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
  const there = await now(page);
  await page.keyboard.press('Enter');
  expect(await now(page)).toBeLessThan(there);
  await expect(page.getByRole('button', { name: 'Follow', exact: true })).toHaveAttribute('aria-pressed', 'false');
  const closer = await picture(page, '#spacetime');
  await page.keyboard.press('+');
  expect((await picture(page, '#spacetime')) === closer).toBe(false);
  await page.keyboard.press('f');
  await expect(page.getByRole('button', { name: 'Follow', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('Escape');
  await expect(words).toHaveText('');
});

test('the pointer on the space-time diagram lights the same on the ring; a press goes there', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 500_000);
  // The diagram follows with the next frame drawn; until then another moment is under the pointer.
  await framesAfter(page, 3);
  const box = await page.locator('#spacetime .diagram').boundingBox();
  if (!box) throw new Error('the diagram has no place');
  const ring = () => page.locator('#ring').evaluate((node) => /** @type {HTMLCanvasElement} */ (node).toDataURL());
  const plain = await ring();
  const rows = Number(
    await page.locator('#spacetime .diagram').evaluate((node) => node.style.getPropertyValue('--rows')),
  );
  const y = box.y + 8 + (2.5 * (box.height - 30)) / rows;
  await page.mouse.move(box.x + box.width / 2, y);
  await expect(page.locator('#diagram-words')).toContainText(/^S3 at [\d.]+ s/);
  await framesAfter(page, 3);
  expect((await ring()) === plain).toBe(false);
  const told = parseFloat((await page.locator('#diagram-words').textContent())?.replace(/^S3 at /, '') ?? '');
  await page.mouse.click(box.x + box.width / 2, y);
  expect((await now(page)) / 1e6).toBeCloseTo(told, 2);
  // Dragging pans it, and the wheel zooms: the run stays where it is.
  const there = await now(page);
  const before = await picture(page, '#spacetime');
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 120, y, { steps: 5 });
  await page.mouse.up();
  const panned = await picture(page, '#spacetime');
  expect(panned === before).toBe(false);
  await page.mouse.wheel(0, -200);
  expect((await picture(page, '#spacetime')) === panned).toBe(false);
  expect(await now(page)).toBe(there);
});

test('an event’s sentence leads to its moment, by mouse and by keyboard, and is then the one under the ring', async ({
  page,
}) => {
  await openStill(page);
  await advanceBy(page, 3_000_000);
  await tab(page, 'Events');
  const events = page.locator('#events .event');
  const elected = events.filter({ hasText: 'leads term 1' });
  const time = parseFloat((await elected.locator('time').textContent()) ?? '');
  await elected.locator('.go').click();
  expect((await now(page)) / 1e6).toBeCloseTo(time, 3);
  await expect(page.locator('#why q')).toContainText('leads term 1');
  await expect(page.locator('#why cite')).toHaveText('Raft §5.2');
  expect((await frame(page)).servers.filter((/** @type {any} */ s) => s.role === 'leader')).toHaveLength(1);
  // With every detail there are more events.
  await page.getByRole('slider', { name: 'Tape' }).focus();
  await page.keyboard.press('End');
  await expect(events.first()).toBeVisible();
  const few = await events.count();
  await page.getByRole('checkbox', { name: 'Every detail' }).check();
  await expect.poll(() => events.count()).toBeGreaterThan(few);
  // One tab stop, with arrows along them.
  await page.getByRole('checkbox', { name: 'Every detail' }).focus();
  await page.keyboard.press('Tab');
  await expect(events.getByRole('button').first()).toBeFocused();
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowDown');
  await expect(events.nth(6).locator('.go')).toBeFocused();
  const told = await events.nth(6).locator('time').textContent();
  const end = await now(page);
  await page.keyboard.press('Enter');
  expect(await now(page)).toBeLessThan(end);
  await expect(page.locator('#now')).toHaveText(String(told));
});

test('clients’ intervals: what each was, by mouse and by keyboard, and there', async ({ page }) => {
  await openStill(page);
  await type(page, 'put x 1');
  await advanceBy(page, 2_000_000);
  await tab(page, 'Clients');
  const words = page.locator('#interval-words');
  const intervals = page.getByRole('application', { name: 'Operations of the clients' });
  await intervals.focus();
  for (let i = 0; i < 30 && !(await words.textContent())?.startsWith('you: put x 1'); i++) {
    await page.keyboard.press('ArrowLeft');
  }
  await expect(words).toContainText(/^you: put x 1 → .+ \([\d.]+ s to [\d.]+ s\), committed at index \d+ at [\d.]+ s$/);
  // There, and not a moment earlier, a server has committed it.
  const [, index, committed] = (await words.textContent())?.match(/index (\d+) at ([\d.]+) s$/) ?? [];
  const highest = (/** @type {number} */ time) =>
    page.evaluate((at) => {
      const { raftarium } = /** @type {any} */ (window);
      raftarium.seek(at);
      return Math.max(...raftarium.frame.servers.map((/** @type {any} */ s) => s.commitIndex));
    }, time);
  expect(await highest(Math.round(Number(committed) * 1e6) + 1000)).toBeGreaterThanOrEqual(Number(index));
  expect(await highest(Math.round(Number(committed) * 1e6) - 1000)).toBeLessThan(Number(index));
  const began = parseFloat((await words.textContent())?.match(/\(([\d.]+) s/)?.[1] ?? '');
  await page.keyboard.press('Enter');
  expect((await now(page)) / 1e6).toBeCloseTo(began, 3);
  await page.getByRole('checkbox', { name: 'Only mine' }).check();
  await expect(page.locator('#operations .operation')).toHaveCount(1);
});

test('the inspector shows the state of Figure 2 as it is', async ({ page }) => {
  await openStill(page);
  await type(page, 'put colour teal');
  await advanceBy(page, 2_000_000);
  const leader = await leaderId(page);
  await tab(page, 'Server');
  const panel = page.locator('#server');
  await panel.getByRole('radio', { name: `S${leader}` }).check();
  const { servers } = await frame(page);
  const { term, commitIndex, lastApplied, votedFor } = servers[leader - 1];
  const value = (/** @type {string} */ name) =>
    panel
      .locator('.state > div')
      .filter({ has: page.getByText(name, { exact: true }) })
      .locator('b');
  await expect(value('role')).toHaveText('leader');
  await expect(value('currentTerm')).toHaveText(String(term));
  await expect(value('votedFor')).toHaveText(`S${votedFor}`);
  await expect(value('commitIndex')).toHaveText(String(commitIndex));
  await expect(value('lastApplied')).toHaveText(String(lastApplied));
  await expect(value('log')).toHaveText(/^\d+ to \d+@1$/);
  const peers = panel.getByRole('table', { name: 'What it knows of the others' });
  await expect(peers.getByRole('columnheader')).toContainText(['matchIndex', 'nextIndex']);
  await expect(peers.locator('tbody tr')).toHaveCount(servers.length - 1);
  await expect(panel.getByRole('table', { name: 'Client sessions' }).locator('tbody tr')).not.toHaveCount(0);
  await expect(panel.getByRole('table', { name: 'Store' })).toContainText('colour');
  // A follower knows nothing of the others.
  await panel.getByRole('radio', { name: `S${(leader % 5) + 1}` }).check();
  await expect(value('role')).toHaveText('follower');
  await expect(peers).toHaveCount(0);
});

test('logs mark what is compacted, what conflicts, and how far the leader knows the others', async ({ page }) => {
  // A snapshot after every five entries.
  await openStill(page, '?seed=7&settings=150000,300000,50000,1,1,5,2,50000');
  await advanceBy(page, 3_000_000);
  await page.locator('.log-scroll').evaluate((node) => (node.scrollLeft = 0));
  await expect(page.locator('.snapshot:visible').first()).toContainText(/snapshot ≤ \d+/);
  await expect(page.locator('.snapshot:visible')).toHaveCount(5);
  // Names and numbers stay visible during scrolling.
  await page.locator('.log-scroll').evaluate((node) => (node.scrollLeft = node.scrollWidth / 2));
  const scroll = await page.locator('.log-scroll').boundingBox();
  const name = await page.locator('.log-row:not(.log-head) .log-name').first().boundingBox();
  expect(name?.x).toBe(scroll?.x);
  // An isolated leader goes on writing, and so does the next one.
  await openStill(page, '?seed=7');
  await advanceBy(page, 3_000_000);
  await server(page, await leaderId(page)).click();
  await pick(page, 'Cut off from everybody');
  await advanceBy(page, 1_500_000);
  await expect(page.locator('.entry.conflict:visible')).not.toHaveCount(0);
  await expect(page.locator('.mark.match:visible')).not.toHaveCount(0);
  await expect(page.locator('.mark.next:visible')).not.toHaveCount(0);
  await expect(page.locator('.entry.committed:visible')).not.toHaveCount(0);
  await expect(page.locator('.applied:visible')).not.toHaveCount(0);
});

test('with less motion a message hops: it stands still, then is elsewhere', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openStill(page, '?seed=7&servers=2');
  const flying = async () => (await frame(page)).messages.find((/** @type {any} */ m) => m.kind === 'append');
  for (let i = 0; i < 2_000 && !(await flying()); i++) await advanceBy(page, 1_000);
  const message = await flying();
  const places = new Set();
  const steps = 12;
  for (let i = 0; i < steps; i++) {
    const box = await page.locator(`[data-message="${message.id}"]`).boundingBox();
    if (box) places.add(Math.round(box.x));
    await advanceBy(page, (message.arrives - message.sent) / steps - 1);
  }
  expect(places.size).toBeGreaterThan(1);
  expect(places.size).toBeLessThanOrEqual(4);
});

test('on a phone the tab that was chosen comes up in the drawer', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openStill(page);
  await advanceBy(page, 2_000_000);
  for (const name of ['Events', 'Server', 'Space-time']) {
    await tab(page, name);
    const box = await page.getByRole('tabpanel', { name }).boundingBox();
    const drawer = await page.locator('#reading').boundingBox();
    if (!box || !drawer) throw new Error('something has no place');
    expect(box.y - drawer.y).toBeLessThan(110);
  }
});

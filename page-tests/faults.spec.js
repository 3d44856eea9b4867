// @ts-check
// Every fault of the world can be done by hand; and what menus say comes true.
import { fields } from '../www/pkg/tables.js';
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
  type,
  underWay,
} from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

/** From here on, actions are noted, and not done. @param {Page} page */
const note = (page) =>
  page.evaluate(() => {
    const { source } = /** @type {any} */ (window).raftarium;
    /** @type {any} */ (window).noted = [];
    // What is done all goes through this one.
    source.act = (/** @type {any[]} */ ...actions) =>
      /** @type {any} */ (window).noted.push(...actions.map(({ do: name }) => name));
  });
/** @param {Page} page @returns {Promise<string[]>} */
const noted = (page) => page.evaluate(() => /** @type {any} */ (window).noted);

/** @param {Page} page @param {...object} actions */
const act = (page, ...actions) =>
  page.evaluate((actions) => /** @type {any} */ (window).raftarium.act(...actions), actions);

/**
 * Chooses everything in a menu, one item after the other.
 * @param {Page} page
 * @param {() => Promise<void>} open
 */
async function chooseEverything(page, open) {
  const items = page.locator('.menu').locator('button:not(.menu-head)');
  await open();
  const count = await items.count();
  expect(count).toBeGreaterThan(0);
  await page.keyboard.press('Escape');
  for (let i = 0; i < count; i++) {
    await open();
    // Whether it is folded away doesn't matter here. What leads elsewhere does nothing to the run.
    await items.nth(i).evaluate((item) => {
      const button = /** @type {HTMLElement} */ (item);
      if (!['Inspect', 'Split the network…'].some((words) => button.textContent?.startsWith(words))) button.click();
    });
    await page.keyboard.press('Escape');
  }
}

test('every action that the library has can be done by hand', async ({ page }) => {
  await openStill(page, '?seed=7&servers=4');
  await quiet(page);
  // A server that has left can be added back, one that is down started, one that is paused resumed.
  const follower = ((await leaderId(page)) % 4) + 1;
  await act(page, { do: 'remove-server', server: follower });
  await advanceBy(page, 2_000_000);
  await expect(server(page, follower)).toHaveAccessibleName(/not a member/);
  await act(page, { do: 'add-server' });
  await advanceBy(page, 2_000_000);
  const { id } = await underWay(page, { alone: false });
  const leads = await leaderId(page);
  const [other, well] = [1, 2, 3, 4].filter((id) => id !== follower && id !== leads);
  await act(
    page,
    { do: 'crash', server: 5 },
    { do: 'pause', server: other },
    { do: 'cut', from: leads, to: other },
    { do: 'cut', from: other, to: well },
  );
  const openServer = (/** @type {number} */ one) => () => server(page, one).click();
  await expect(server(page, 5)).toHaveAccessibleName(/crashed/);
  await note(page);
  for (const one of [leads, follower, 5, other, well]) await chooseEverything(page, openServer(one));
  await chooseEverything(page, async () => {
    await page.locator(`[data-link="${Math.min(leads, other)}-${Math.max(leads, other)}"]`).focus();
    await page.keyboard.press('Enter');
  });
  await chooseEverything(page, async () => {
    await page.locator(`[data-message="${id}"]`).focus();
    await page.keyboard.press('Enter');
  });
  await chooseEverything(page, () => page.locator('#ring').click({ button: 'right', position: { x: 6, y: 6 } }));
  // Dialogs, dials and the command line.
  await page.keyboard.press('p');
  await page.getByRole('button', { name: 'Leader alone' }).click();
  await page.getByRole('button', { name: 'Cut here' }).click();
  await page.keyboard.press('h');
  await tab(page, 'Dials');
  for (const name of ['Longest latency', 'Lost', 'Duplicated']) {
    await page.getByRole('slider', { name, exact: true }).focus();
    await page.keyboard.press('PageUp');
  }
  await page.getByRole('button', { name: 'Make them late' }).click();
  await page.getByRole('combobox', { name: 'Which' }).selectOption('votes');
  await page.getByRole('button', { name: 'Make them late' }).click();
  const names = Object.keys(fields);
  expect(names.length).toBeGreaterThan(40);
  // The command line has a way of its own, which other tests go.
  const done = new Set([...(await noted(page)), 'submit']);
  expect(names.filter((name) => !done.has(name))).toEqual([]);
});

test('what people do most stays in view, the rest unfolds by mouse and by keyboard', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  await server(page, 1).click();
  const items = page.locator('.menu button:visible');
  const often = ['Crash', 'Pause', 'Time out now', 'Cut off from everybody', 'Inspect'];
  const sections = ['Disk', 'Clock', 'Network', 'Membership', 'From its next start'];
  for (const name of [...often, ...sections]) {
    await expect(page.locator('.menu').getByRole('menuitem', { name, exact: true })).toBeVisible();
  }
  await expect(items).toHaveCount(often.length + sections.length + 1); // … and let it win
  const head = (/** @type {string} */ name) => page.locator('.menu').getByRole('menuitem', { name, exact: true });
  await head('Disk').click();
  await expect(head('Disk')).toHaveAttribute('aria-expanded', 'true');
  await expect(head('Tear the write under way')).toBeVisible();
  // One at a time.
  await head('Network').click();
  await expect(head('Tear the write under way')).toBeHidden();
  const mute = page.locator('.menu').getByRole('menuitemcheckbox', { name: 'Mute' });
  await expect(mute).toHaveAccessibleDescription('No other server hears it; it hears them.');
  await page.keyboard.press('Escape');

  await server(page, 1).focus();
  await page.keyboard.press('Enter');
  await expect(head('Crash')).toBeFocused();
  await page.keyboard.press('End');
  await expect(head('From its next start')).toBeFocused();
  for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowUp');
  await expect(head('Network')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(mute).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(head('Network')).toBeFocused();
  await expect(mute).toBeHidden();
  await page.keyboard.press('Enter');
  await expect(mute).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  // It is muted: nobody hears it, and the menu and the ring say so.
  await expect(server(page, 1)).toHaveAccessibleName(/, muted$/);
  const cuts = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.cuts);
  expect(cuts).toEqual([2, 3, 4, 5].map((to) => [1, to]));
  await server(page, 1).click();
  const again = await menuItem(page, 'Mute', { role: 'menuitemcheckbox' });
  await expect(again).toHaveAttribute('aria-checked', 'true');
  await again.click();
  await expect(server(page, 1)).not.toHaveAccessibleName(/muted/);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 664 }, hasTouch: true, isMobile: true });

  test('no menu is taller than the window, and its end can be reached by touch', async ({ page }) => {
    await openStill(page);
    await quiet(page);
    await server(page, 1).tap();
    const menu = page.locator('.menu');
    for (const name of ['Disk', 'Clock', 'Network', 'Membership', 'From its next start']) {
      await page.getByRole('menuitem', { name, exact: true }).tap();
      const box = await menu.boundingBox();
      expect(box?.y).toBeGreaterThanOrEqual(0);
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(664);
      await expect(page.getByRole('menuitem', { name, exact: true })).toBeInViewport();
    }
    await page.getByRole('menuitem', { name: 'As the others' }).tap();
    await expect(page.locator('#why q')).toContainText('From its next start on, S1 waits');
  });
});

/** What a server's menu says of *Time out now*. @param {Page} page @param {number} id */
async function foretold(page, id) {
  await server(page, id).click();
  const item = await menuItem(page, 'Time out now', { exact: true });
  const words = (await page.locator(`[id="${await item.getAttribute('aria-describedby')}"]`).textContent()) ?? '';
  return { words, choose: () => item.click() };
}

/**
 * Plays on until a server leads, or the time is over; whether it came to lead.
 * @param {Page} page
 * @param {number} id
 */
const comesToLead = (page, id) =>
  page.evaluate((id) => {
    const { raftarium } = /** @type {any} */ (window);
    // An election takes some messages and writes; this is long before anybody would time out again.
    for (let i = 0; i < 60; i++) {
      raftarium.advanceTo(raftarium.frame.now + 1_000);
      if (raftarium.frame.servers[id - 1].role === 'leader') return true;
    }
    return false;
  }, id);

test('with a leader alive, who times out loses, as is said; and a transfer lets it win', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const first = await leaderId(page);
  const one = (first % 5) + 1;
  const { words, choose } = await foretold(page, one);
  expect(words).toMatch(/^It will lose: .*hear a leader and will refuse/);
  expect(words).toContain(`S${first} leads and will refuse`);
  await choose();
  expect(await comesToLead(page, one)).toBe(false);
  await expect(server(page, one)).toHaveAccessibleName(/follower/);
  await server(page, one).click();
  await expect(page.locator('.menu')).toContainText(`S${first} hands its leadership over`);
  await pick(page, 'Time out now, and let it win');
  expect(await comesToLead(page, one)).toBe(true);
});

test('who hasn’t heard yet of a leader that was just elected loses, as is said', async ({ page }) => {
  for (const seed of [3, 4, 5]) {
    await openStill(page, `?seed=${seed}`);
    const [leader, one] = await page.evaluate(() => {
      const { raftarium } = /** @type {any} */ (window);
      const led = () => raftarium.frame.servers.find((/** @type {any} */ { role }) => role === 'leader');
      raftarium.seek(0);
      while (!led()) raftarium.source.step();
      const unaware = raftarium.frame.servers.find((/** @type {any} */ s) => s.role === 'follower' && !s.leader);
      return [led().id, unaware?.id ?? 0];
    });
    expect(one, `seed ${seed}`).toBeGreaterThan(0);
    const { words, choose } = await foretold(page, one);
    expect(words, `seed ${seed}`).toContain(`S${leader} has been elected`);
    expect(words, `seed ${seed}`).toMatch(/^It (will|may) lose: /);
    await choose();
    expect(await comesToLead(page, one), `seed ${seed}`).toBe(false);
  }
});

test('with the leader crashed, who times out loses until the others have forgotten it, as is said', async ({
  page,
}) => {
  await openStill(page);
  await quiet(page);
  const first = await leaderId(page);
  const one = (first % 5) + 1;
  let before = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
  const crash = () => act(page, { do: 'crash', server: first });
  await crash();
  const soon = await foretold(page, one);
  expect(soon.words).toMatch(/^It will lose: /);
  expect(soon.words).toContain(`S${first} is down`);
  // Nobody hears it any more, but they have.
  expect(soon.words).not.toContain('hear a leader');
  expect(soon.words).toContain('have heard a leader too recently to vote');
  await soon.choose();
  expect(await comesToLead(page, one)).toBe(false);
  // The same once more: with the clocks set forward, it wins.
  const again = async () => {
    // To before all that was done at that moment.
    await page.evaluate((time) => /** @type {any} */ (window).raftarium.seek(time), --before);
    await crash();
    await expect(server(page, one)).toHaveAccessibleName(/follower/);
  };
  await again();
  await server(page, one).click();
  await expect(page.locator('.menu')).toContainText('Sets the clocks of');
  await pick(page, 'Time out now, and let it win');
  expect(await comesToLead(page, one)).toBe(true);
  // And later, when nobody ignores campaigns any more, it wins by itself: as is said.
  await again();
  const patient = () =>
    page.evaluate(() => {
      const { frame, run } = /** @type {any} */ (window).raftarium;
      return Math.max(
        ...frame.servers
          .filter((/** @type {any} */ { role }) => role !== 'crashed')
          .map((/** @type {any} */ { id }) => run.inspect(id).ignoresCampaigns),
      );
    });
  for (let i = 0; i < 400 && (await patient()) > 0; i++) await advanceBy(page, 1_000);
  await expect(server(page, one)).toHaveAccessibleName(/follower/);
  const late = await foretold(page, one);
  expect(late.words).toMatch(/^It (will|may) win/);
  await late.choose();
  expect(await comesToLead(page, one)).toBe(true);
});

test('with its log behind, a server can’t win, as is said', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const first = await leaderId(page);
  const one = (first % 5) + 1;
  await act(page, { do: 'isolate', server: one });
  for (let i = 0; i < 3; i++) await type(page, `put x ${i}`);
  await advanceBy(page, 400_000);
  await act(page, { do: 'crash', server: first }, { do: 'heal-all' });
  // The others no longer ignore campaigns: nothing but its log is against it.
  await act(
    page,
    ...[1, 2, 3, 4, 5].filter((id) => id !== first).map((server) => ({ do: 'jump-clock', server, by: 151_000 })),
  );
  const { words, choose } = await foretold(page, one);
  expect(words).toMatch(/^It can’t win: its log is behind those of/);
  await expect(page.locator('.menu').getByRole('menuitem', { name: 'Time out now, and let it win' })).toHaveCount(0);
  await choose();
  expect(await comesToLead(page, one)).toBe(false);
});

test('who loses its disk is replaced or keeps its place, and the menu and the sentence say which', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 100_000);
  const first = await leaderId(page);
  const [one, two] = [(first % 5) + 1, ((first + 1) % 5) + 1];
  await server(page, one).click();
  const wipe = await menuItem(page, 'Crash and lose the disk');
  await expect(wipe).toHaveAccessibleDescription(`S6 joins the cluster in its place, and S${one} is removed.`);
  await wipe.click();
  await expect(page.locator('#server-buttons button')).toHaveCount(6);
  await expect(page.locator('#under-ring')).toContainText(`S${one}’s disk is lost: S6 takes its place.`);
  await advanceBy(page, 4_000_000);
  await expect(server(page, one)).toHaveAccessibleName(/not a member/);
  await server(page, two).click();
  const renew = await menuItem(page, 'Lose the disk, keep the place');
  await expect(renew).toHaveAccessibleDescription(/Nobody replaces it/);
  await renew.click();
  await expect(page.locator('#under-ring')).toContainText(`S${two}’s disk is lost: a new one, empty, takes its place.`);
  await expect(page.locator('#server-buttons button')).toHaveCount(6);
});

test('a disk that the cluster could not do without is spared, as the menu says', async ({ page }) => {
  await open(page, '?seed=7&servers=2');
  await page.evaluate(() => /** @type {any} */ (window).raftarium.pause());
  const first = await leaderId(page);
  await server(page, first).click();
  const wipe = await menuItem(page, 'Crash and lose the disk');
  await expect(page.locator('.menu')).toContainText('then the server only crashes');
  await wipe.click();
  await expect(server(page, first)).toHaveAccessibleName(/crashed/);
  await expect(page.locator('#server-buttons button')).toHaveCount(2);
  await page.locator('body').press(String(first));
  await expect(server(page, first)).not.toHaveAccessibleName(/empty log/);
});

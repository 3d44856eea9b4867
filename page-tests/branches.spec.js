// @ts-check
// Branches: acting in the past keeps the old future. Branches are switched, renamed,
// deleted and compared with every input device.
import { AxeBuilder } from '@axe-core/playwright';
import { advanceBy, drawer, expect, leaderId, openStill, tab, test } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

const frame = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame);
const lanes = (/** @type {Page} */ page) => page.getByRole('group', { name: 'Other branches' }).getByRole('button');
const row = (/** @type {Page} */ page, /** @type {string} */ name) =>
  page.locator('.branch-list li').filter({ has: page.getByText(name, { exact: true }) });
const playing = (/** @type {Page} */ page) => page.locator('.branch-list [aria-current="true"] b');
const toast = (/** @type {Page} */ page) => page.locator('#toast');

/** Goes back to a moment with the tape. @param {Page} page @param {number} time */
async function goBack(page, time) {
  await page.evaluate((to) => /** @type {any} */ (window).raftarium.run.seek(to), time);
  await page.keyboard.press('.');
  await page.keyboard.press(',');
}

/**
 * Four seconds on “main”; then, from 1.5 s on, another future in which the leader has crashed.
 * @param {Page} page
 */
async function forked(page) {
  await openStill(page);
  await advanceBy(page, 4_000_000);
  await goBack(page, 1_500_000);
  const leader = await leaderId(page);
  const before = await frame(page);
  await page.keyboard.press(String(leader));
  expect((await frame(page)).branches).toBe(before.branches + 1);
  await advanceBy(page, 1_000_000);
  return leader;
}

test('acting in the past keeps the old future as a lane, and says so', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 4_000_000);
  await expect(lanes(page)).toHaveCount(0);
  const { end } = await frame(page);
  const hash = () => page.evaluate(() => /** @type {any} */ (window).raftarium.traceHash());
  const before = await hash();
  await goBack(page, 1_500_000);
  await page.keyboard.press('2');
  await expect(toast(page)).toContainText('What came next is kept as “main”');
  await expect(lanes(page)).toHaveCount(1);
  await expect(lanes(page)).toHaveAccessibleName(/^Branch “main”, known up to/);
  await expect(page.locator('#open-branches')).toHaveAccessibleName('Branch “branch 2”, one of 2');
  // The lane begins where the two branches part.
  await advanceBy(page, 4_000_000);
  await lanes(page).click();
  await page.getByRole('menuitem', { name: 'Go there' }).click();
  await expect(toast(page)).toContainText('Now on “main”');
  await page.getByRole('slider', { name: 'Tape' }).focus();
  await page.keyboard.press('End');
  await expect.poll(async () => (await frame(page)).now).toBe(end);
  expect(await hash()).toBe(before);
});

test('switched, renamed and deleted with the mouse', async ({ page }) => {
  await forked(page);
  await page.locator('#open-branches').click();
  await expect(page.getByRole('tabpanel', { name: 'Branches' })).toBeVisible();
  await expect(playing(page)).toHaveText('branch 2');
  await expect(row(page, 'branch 2')).toContainText('left “main” at 1.');
  await page.getByRole('button', { name: 'Go there main' }).click();
  await expect(playing(page)).toHaveText('main');
  await expect(page.locator('#branch-name')).toHaveText('main');
  await page.getByRole('button', { name: 'Rename branch 2' }).click();
  await page.getByRole('textbox', { name: 'New name of “branch 2”' }).fill('crash');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(row(page, 'crash')).toBeVisible();
  await expect(lanes(page)).toHaveText('crash');
  await page.getByRole('button', { name: 'Delete crash' }).click();
  await expect(toast(page)).toContainText('“crash” is deleted');
  await expect(page.locator('.branch-list li')).toHaveCount(1);
  await expect(lanes(page)).toHaveCount(0);
  await expect(page.locator('#open-branches')).toHaveAccessibleName('Branch “main”');
});

test('what is deleted is brought back: at once, later, or with a key', async ({ page }) => {
  await forked(page);
  await page.keyboard.press('u');
  await expect(toast(page)).toContainText('There is no branch to bring back');
  const hash = () =>
    page.evaluate(() => {
      const { run } = /** @type {any} */ (window).raftarium;
      return run.beside(1).now + JSON.stringify(run.branches());
    });
  const before = await hash();
  // At once, at the lane.
  await lanes(page).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(lanes(page)).toHaveCount(0);
  await toast(page).getByRole('button', { name: 'Undo' }).click();
  await expect(lanes(page)).toHaveText('main');
  await expect(toast(page)).toContainText('“main” is back');
  // Later, in the list.
  await page.keyboard.press('b');
  await page.getByRole('button', { name: 'Delete main' }).focus();
  await page.keyboard.press('Enter');
  await expect(row(page, 'main')).toHaveCount(0);
  await page.getByRole('button', { name: 'Bring back “main”' }).focus();
  await page.keyboard.press('Enter');
  await expect(row(page, 'main').getByRole('button').first()).toBeFocused();
  await expect(page.getByRole('button', { name: /^Bring back/ })).toHaveCount(0);
  // With a key; and the restored branch is still the same.
  await page.getByRole('button', { name: 'Delete main' }).click();
  await page.keyboard.press('u');
  await expect(lanes(page)).toHaveText('main');
  expect(await hash()).toBe(before);
  // Only the last deletion can be undone.
  await goBack(page, 1_800_000);
  await page.keyboard.press('1');
  await expect(lanes(page)).toHaveCount(2);
  for (const name of ['main', 'branch 2']) await page.getByRole('button', { name: `Delete ${name}` }).click();
  await expect(lanes(page)).toHaveCount(0);
  await page.keyboard.press('u');
  await expect(lanes(page)).toHaveText('branch 2');
  await page.keyboard.press('u');
  await expect(toast(page)).toContainText('There is no branch to bring back');
  expect((await frame(page)).branches).toBe(2);
});

test('nothing moves when the first branches come, and what says so covers nothing', async ({ page }) => {
  for (const [width, height] of [
    [1440, 900],
    [1024, 768],
    [390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    // Another run: the one before would come back with its branches.
    await openStill(page, `?seed=${width}`);
    await advanceBy(page, 3_000_000);
    const places = () =>
      page.evaluate(() => {
        const ids = '#stage #why #logs-panel #history-panel #transport #tape #play #command'.split(' ');
        return ids.map((id) => {
          const box = document.querySelector(id)?.getBoundingClientRect();
          return `${id} ${Math.round(box?.top ?? 0)} ${Math.round(box?.bottom ?? 0)}`;
        });
      });
    const before = await places();
    for (let branch = 2; branch <= 4; branch++) {
      await page.evaluate((id) => {
        const { raftarium } = /** @type {any} */ (window);
        raftarium.seek(1_500_000);
        raftarium.act({ do: 'crash', server: id });
      }, branch);
      await expect(page.locator('#toast')).toHaveClass('shown');
      expect(await places(), `${branch} branches at ${width}`).toEqual(before);
      const [toast, stage, reading] = await Promise.all(
        ['#toast', '#stage', '#history-panel'].map((id) => page.locator(id).boundingBox()),
      );
      if (!toast || !stage || !reading) throw new Error('something has no place');
      // Above the ring: the stage begins with some empty room.
      expect(toast.y + toast.height).toBeLessThanOrEqual(stage.y + 16);
      expect(toast.x + toast.width).toBeLessThanOrEqual(width);
      expect(toast.y + toast.height).toBeLessThan(reading.y);
    }
  }
});

for (const [place, width, most] of /** @type {const} */ ([
  ['desk', 1440, 2],
  ['phone', 390, 1],
])) {
  test(`more branches than there are lanes: how many is said, and all are in reach: ${place}`, async ({ page }) => {
    await page.setViewportSize({ width, height: 844 });
    await forked(page);
    const more = page.locator('#more-branches');
    for (let count = 2; count <= 5; count++) {
      await expect(lanes(page)).toHaveCount(Math.min(count - 1, most));
      if (count - 1 <= most) await expect(more).toBeHidden();
      else await expect(more).toHaveAccessibleName(`${count - 1 - most} more: all branches`);
      await advanceBy(page, 500_000);
      await goBack(page, 1_000_000 + 100_000 * count);
      await page.keyboard.press('3');
    }
    await expect(more).toBeInViewport({ ratio: 1 });
    await more.click();
    await expect(page.locator('.branch-list li')).toHaveCount(6);
    await expect(page.getByRole('button', { name: 'Go there main' })).toBeVisible();
  });
}

test('of long logs the end alone is compared, and that is said', async ({ page }) => {
  await openStill(page, '?seed=7&settings=150000,300000,50000,1,1,0,5,1000');
  await advanceBy(page, 6_000_000);
  await goBack(page, 5_500_000);
  await page.keyboard.press('1');
  expect(Math.max(...(await frame(page)).servers.map((/** @type {any} */ s) => s.lastIndex))).toBeGreaterThan(300);
  await page.keyboard.press('b');
  await page.getByRole('button', { name: 'Compare main' }).click();
  const summary = page.getByRole('tabpanel', { name: 'Branches' }).getByRole('status');
  await expect(summary).toContainText('Only the last 300 entries of each log are compared.');
  await page.getByRole('slider', { name: 'Tape' }).focus();
  await page.keyboard.press('Home');
  await expect(summary).toHaveText('Every server is the same in both.');
});

test('the same without a mouse, and the focus is never lost', async ({ page }) => {
  await forked(page);
  await page.keyboard.press('b');
  await expect(page.getByRole('tab', { name: 'Branches' })).toBeFocused();
  await page.getByRole('button', { name: 'Rename branch 2' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'New name of “branch 2”' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Rename branch 2' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.type('another');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Rename another' })).toBeFocused();
  await lanes(page).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Go there' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(playing(page)).toHaveText('main');
  await expect(page.locator('#open-branches')).toBeFocused();
  await lanes(page).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('d');
  await page.keyboard.press('Enter');
  await expect(lanes(page)).toHaveCount(0);
  await expect(page.locator('#open-branches')).toBeFocused();
});

test('an empty name is refused, and the name stays', async ({ page }) => {
  await forked(page);
  await page.keyboard.press('b');
  await page.getByRole('button', { name: 'Rename main' }).click();
  const name = page.getByRole('textbox', { name: 'New name of “main”' });
  await name.fill('   ');
  await page.keyboard.press('Enter');
  await expect(toast(page)).toContainText('a branch needs a name');
  await expect(row(page, 'main')).toBeVisible();
});

test('two branches are compared at the same moment, and the differences are marked', async ({ page }) => {
  const crashed = await forked(page);
  await lanes(page).click();
  await page.getByRole('menuitem', { name: 'Compare' }).click();
  const panel = page.getByRole('tabpanel', { name: 'Branches' });
  await expect(panel.getByRole('heading', { name: '“branch 2” and “main” at the same moment' })).toBeVisible();
  const server = panel.locator('.comparison tbody').nth(crashed - 1);
  await expect(server.locator('tr').nth(0).locator('.differs').first()).toHaveText('crashed');
  await expect(server.locator('tr').nth(1).locator('.differs').first()).toHaveText('leader');
  // It shows the state of both branches at this time.
  const { here, there, differing } = await page.evaluate(() => {
    const { run, frame } = /** @type {any} */ (window).raftarium;
    const other = run.beside(1);
    const facts = (/** @type {any} */ s) => [s.role, s.term, s.commitIndex, s.lastIndex].join();
    const [one, two] = [frame, other].map(({ servers }) => servers.map(facts));
    const unlike = one.filter((/** @type {string} */ known, /** @type {number} */ i) => known !== two[i]);
    return { here: frame.now, there: other.now, differing: unlike.length };
  });
  expect(there).toBe(here);
  expect(differing).toBeGreaterThan(0);
  await expect(panel.getByRole('status')).toContainText(/\d of 5 servers differ/);
  // It follows the playhead: before the branches part there is no difference.
  await page.getByRole('slider', { name: 'Tape' }).focus();
  await page.keyboard.press('Home');
  await expect(panel.getByRole('status')).toContainText('Every server is the same in both');
  await expect(panel.locator('.differs')).toHaveCount(0);
  await expect(panel.locator('.comparison tbody').first().locator('.entries').first()).toHaveText('the same');
  await page.keyboard.press('End');
  await expect(panel.locator('.differs').first()).toBeVisible();
  // Beyond the end of the other branch, its end is shown, and the panel says so.
  await page.getByRole('button', { name: 'Go there main' }).click();
  await expect(panel.getByRole('heading', { name: '“main” and “branch 2” at the same moment' })).toBeVisible();
  await page.getByRole('slider', { name: 'Tape' }).focus();
  await page.keyboard.press('End');
  await expect(panel.getByRole('status')).toContainText('“branch 2” ends at');
  await page.getByRole('button', { name: 'Compare branch 2' }).click();
  await expect(panel.locator('.comparison')).toBeHidden();
});

test('comparing costs nothing while it isn’t seen', async ({ page }) => {
  await forked(page);
  await lanes(page).click();
  await page.getByRole('menuitem', { name: 'Compare' }).click();
  await expect(page.locator('.comparison')).toBeVisible();
  await tab(page, 'Events');
  const count = await page.evaluate(() => {
    const { run } = /** @type {any} */ (window).raftarium;
    let asked = 0;
    for (const name of ['beside', 'besideLogs']) {
      const real = run[name].bind(run);
      run[name] = (/** @type {any[]} */ ...args) => {
        asked++;
        return real(...args);
      };
    }
    /** @type {any} */ (window).asked = () => asked;
    return asked;
  });
  expect(count).toBe(0);
  await page.keyboard.press('.');
  await advanceBy(page, 100_000);
  await page.keyboard.press(',');
  expect(await page.evaluate(() => /** @type {any} */ (window).asked())).toBe(0);
  await tab(page, 'Branches');
  await expect.poll(() => page.evaluate(() => /** @type {any} */ (window).asked())).toBeGreaterThan(0);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [place, width] of /** @type {const} */ ([
    ['desk', 1440],
    ['phone', 390],
  ])) {
    test(`axe finds nothing on the tape and the branches: ${colorScheme}, ${place}`, async ({ page }) => {
      await page.setViewportSize({ width, height: 860 });
      await page.emulateMedia({ colorScheme });
      await forked(page);
      await page.keyboard.press('b');
      await page.getByRole('button', { name: 'Compare main' }).click();
      await expect(page.locator('.comparison')).toBeVisible();
      const analyzed = async () => {
        const { violations } = await new AxeBuilder({ page })
          .include(['#transport'])
          .include(['#branches'])
          .include(['#toast'])
          .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'])
          .analyze();
        const lines = violations.flatMap(({ id, nodes }) => [id, ...nodes.map((node) => node.failureSummary)]);
        expect(lines).toEqual([]);
      };
      await page.getByRole('button', { name: 'Rename main' }).click();
      await analyzed();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Delete main' }).click();
      await expect(page.locator('#toast').getByRole('button', { name: 'Undo' })).toBeVisible();
      // The toast has finished its animation.
      await page.locator('#toast').evaluate(async (node) => {
        await Promise.all(node.getAnimations().map(({ finished }) => finished));
      });
      await analyzed();
    });
  }
}

test.describe('by touch', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('a branch is deleted and brought back', async ({ page }) => {
    await forked(page);
    await lanes(page).tap();
    await page.getByRole('menuitem', { name: 'Delete' }).tap();
    await expect(lanes(page)).toHaveCount(0);
    await toast(page).getByRole('button', { name: 'Undo' }).tap();
    await expect(lanes(page)).toHaveText('main');
  });

  test('a lane’s menu goes there, and compares in the drawer', async ({ page }) => {
    await forked(page);
    await lanes(page).tap();
    await page.getByRole('menuitem', { name: 'Compare' }).tap();
    await expect(page.locator('.comparison')).toBeVisible();
    await expect(page.locator('.comparison .differs').first()).toBeVisible();
    await drawer(page, false);
    await lanes(page).tap();
    await page.getByRole('menuitem', { name: 'Go there' }).tap();
    await expect(lanes(page)).toHaveText('branch 2');
    const size = await lanes(page).boundingBox();
    expect(size?.height).toBeGreaterThanOrEqual(24);
  });
});

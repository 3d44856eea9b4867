// @ts-check
// A tab keeps its runs, with all their branches: a reload, Back and Forward return to them.
import { advanceBy, expect, openStill, server, test } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

/** All that the page should have again. @param {Page} page */
const state = (page) =>
  page.evaluate(() => {
    const { run, frame, traceHash } = /** @type {any} */ (window).raftarium;
    return { now: frame.now, branch: frame.branch, hash: traceHash(), branches: run.branches() };
  });

/** @param {Page} page */
async function reload(page) {
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
}

/** Two futures besides “main”, the second of which leaves the first. @param {Page} page */
async function threeBranches(page) {
  await openStill(page);
  await advanceBy(page, 3_000_000);
  await page.evaluate(() => {
    const { act, seek, run } = /** @type {any} */ (window).raftarium;
    act({ do: 'crash', server: 2 }, { do: 'cut', from: 1, to: 3 });
    run.advanceTo(4_000_000);
    seek(1_500_000);
    act({ do: 'crash', server: 1 });
    run.advanceTo(3_500_000);
    seek(2_500_000);
    act({ do: 'restart', server: 1 });
    run.advanceTo(2_800_000);
    seek(2_700_000);
  });
  await page.keyboard.press('b');
  await page.locator('.branch-list li').first().getByRole('button', { name: 'Rename' }).click();
  await page.keyboard.type('as it was');
  await page.keyboard.press('Enter');
  await expect(page.locator('.branch-list li')).toHaveCount(3);
  return state(page);
}

test('a reload keeps the moment and every branch', async ({ page }) => {
  const before = await threeBranches(page);
  expect(before.branches.map((/** @type {any} */ branch) => branch.name)).toContain('as it was');
  await reload(page);
  expect(await state(page)).toEqual(before);
  // And once more, now that they came from there.
  await reload(page);
  expect(await state(page)).toEqual(before);
});

test('a moment amid an instant is kept, and so is how far a branch is known', async ({ page }) => {
  await openStill(page);
  await page.evaluate(() => {
    const { act, seek, run } = /** @type {any} */ (window).raftarium;
    run.advanceTo(2_000_000);
    seek(1_000_000);
    act({ do: 'crash', server: 1 }, { do: 'crash', server: 2 });
    run.advanceTo(3_000_000);
    seek(1_000_000);
  });
  await page.keyboard.press(',');
  const events = () => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.events);
  const [before, at] = [await state(page), await events()];
  await reload(page);
  expect(await events()).toBe(at);
  expect(await state(page)).toEqual(before);
});

test('a branch that was deleted can still be brought back after a reload', async ({ page }) => {
  await threeBranches(page);
  await page.locator('.branch-list li').first().getByRole('button', { name: 'Delete' }).click();
  await expect(page.locator('.branch-list li')).toHaveCount(2);
  await reload(page);
  await page.keyboard.press('b');
  await expect(page.locator('.branch-list li')).toHaveCount(2);
  await page.keyboard.press('u');
  await expect(page.locator('.branch-list li')).toHaveCount(3);
});

test('Back returns to the run before a new one, and Forward to the new one', async ({ page }) => {
  const before = await threeBranches(page);
  await page.getByRole('button', { name: 'New run' }).click();
  await page.getByLabel('Seed').fill('9');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('#seed-value')).toHaveText('9');
  await page.evaluate(() => /** @type {any} */ (window).raftarium.pause());
  await page.goBack();
  await expect(page.locator('#seed-value')).toHaveText('7');
  expect(await state(page)).toEqual(before);
  await page.goForward();
  await expect(page.locator('#seed-value')).toHaveText('9');
  // A run from a link is another one, too, and so is one after a reload.
  await reload(page);
  await page.evaluate(() => (location.hash = 'seed=11&servers=3'));
  await expect(page.locator('#seed-value')).toHaveText('11');
  await page.goBack();
  await expect(page.locator('#seed-value')).toHaveText('9');
  await page.goBack();
  await expect(page.locator('#seed-value')).toHaveText('7');
  expect(await state(page)).toEqual(before);
});

test('Back closes what is about the run that was left', async ({ page }) => {
  await openStill(page);
  await page.evaluate(() => (location.hash = 'seed=42&servers=9'));
  await expect(page.locator('#seed-value')).toHaveText('42');
  await page.getByRole('button', { name: 'Network' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.goBack();
  await expect(page.locator('#seed-value')).toHaveText('7');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.goForward();
  await expect(page.locator('#seed-value')).toHaveText('42');
  await server(page, 7).click();
  await expect(page.getByRole('menu')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('menu')).toBeHidden();
});

test('many runs are kept, and going back to old ones costs none of the new ones', async ({ page }) => {
  await openStill(page);
  const count = 25;
  for (let seed = 100; seed < 100 + count; seed += 1) {
    await page.evaluate((hash) => (location.hash = hash), `seed=${seed}&servers=3`);
    await expect(page.locator('#seed-value')).toHaveText(String(seed));
    await page.evaluate(() => {
      const { act, pause, seek, advanceTo } = /** @type {any} */ (window).raftarium;
      pause();
      advanceTo(1_800_000);
      seek(1_500_000);
      act({ do: 'crash', server: 1 });
    });
  }
  const branches = async () => (await state(page)).branches.length;
  for (let seed = 98 + count; seed >= 100; seed -= 1) {
    await page.goBack();
    await expect(page.locator('#seed-value')).toHaveText(String(seed));
    expect(await branches(), `back at ${seed}`).toBe(2);
  }
  for (let seed = 101; seed < 100 + count; seed += 1) {
    await page.goForward();
    await expect(page.locator('#seed-value')).toHaveText(String(seed));
    expect(await branches(), `again at ${seed}`).toBe(2);
  }
});

test('a record that says nonsense is not believed', async ({ page }) => {
  const before = await threeBranches(page);
  await page.addInitScript(() => {
    for (const [key, text] of Object.entries(sessionStorage)) {
      if (text.startsWith('{')) sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(text), now: 1e15 }));
    }
  });
  await reload(page);
  expect((await state(page)).hash).toBe(before.hash);
});

test('where nothing more can be stored, the address still has the branch that is played', async ({ page }) => {
  const before = await threeBranches(page);
  await page.evaluate(() => {
    for (let size = 2 ** 22; size >= 1; size /= 2) {
      for (let i = 0; ; i++) {
        try {
          sessionStorage.setItem(`${size} ${i}`, 'x'.repeat(size));
        } catch {
          break;
        }
      }
    }
  });
  await reload(page);
  const after = await state(page);
  expect([after.now, after.hash, after.branches.length]).toEqual([before.now, before.hash, 1]);
});

test('what is kept of a run that plays differently here is the branch that was played, and that is said', async ({
  page,
}) => {
  await threeBranches(page);
  await page.addInitScript(() => {
    for (const [key, text] of Object.entries(sessionStorage)) {
      if (!text.startsWith('{')) continue;
      const kept = JSON.parse(text);
      // One of the other branches can't be read any more.
      kept.branches[1].bytes = kept.branches[1].bytes.slice(0, 8);
      sessionStorage.setItem(key, JSON.stringify(kept));
    }
  });
  await reload(page);
  await expect(page.locator('#toast')).toHaveText('The other branches of this run could not be brought back.');
  expect((await state(page)).branches).toHaveLength(1);
});

test('a swipe over the page does not leave it', async ({ page }) => {
  await openStill(page);
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).overscrollBehaviorX)).toBe('none');
});

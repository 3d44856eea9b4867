// @ts-check
// What was found in a run travels with it, and is shown where it was: what no property stops, too.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { counterexamples } from '../www/run/counterexamples.js';
import { claim } from '../www/words/common.js';
import { safety } from '../www/words/panels.js';
import { noViolations } from './axe.js';
import { expect, open, tab, test } from './page.js';

/** A run in which a server never catches up, as its link says. */
const STUCK = counterexamples[4];
const [RUN] = STUCK.split('&');
const AT = 43_641_655;
const FACTS =
  'The storm was over for S2, S3 at 0.521655 s and S2 leads, but at 43.641655 s S3 still has not applied entry 3.';

/** A storm with a hash that it doesn't have. */
const made = JSON.parse(readFileSync('raft-core/tests/formats/pairs.jsonl', 'utf8').split('\n')[3]);

/** @param {import('@playwright/test').Page} page @param {string} link @param {string} [query] */
async function openFound(page, link, query = '') {
  await page.goto(`./${query}#run=${link}`);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
}

/** @param {import('@playwright/test').Page} page */
const standing = (page) =>
  page.evaluate(() => {
    const { frame, run } = /** @type {any} */ (window).raftarium;
    return { now: frame.now, differs: run.differs, violation: frame.violation };
  });

test('a link to what no property stops opens as that failure, at that moment, with its facts', async ({ page }) => {
  await openFound(page, STUCK);
  expect(await standing(page)).toEqual({ now: AT, differs: false, violation: null });
  const notice = page.locator('#violation');
  await expect(notice).toBeVisible();
  await expect(notice).toHaveRole('alert');
  await expect(notice).toContainText('Liveness is broken at 43.642 s.');
  await expect(notice).toContainText(FACTS);
  await expect(notice).toContainText(claim.open);
  await expect(page.locator('#safety-words')).toHaveText('Liveness is broken · 1 rule off');
  await expect(page.locator('#play')).toHaveText('Play');
  await notice.getByRole('button', { name: 'What it means' }).focus();
  await page.keyboard.press('Enter');
  const panel = page.getByRole('tabpanel', { name: 'Safety' });
  await expect(panel.locator('.violation')).toContainText('Liveness is broken at 43.642 s:');
  await expect(panel.locator('.violation')).toContainText(String(safety.guarantees.get('Liveness')?.[0]));
  await noViolations(page, 'a finding');
});

test('whoever plays comes to it and stops there once, and may go on', async ({ page }) => {
  await openFound(page, STUCK);
  await page.evaluate((at) => /** @type {any} */ (window).raftarium.seek(at - 100_000), AT);
  await expect(page.locator('#violation')).toBeHidden();
  await expect(page.locator('#safety-words')).toHaveText(/properties hold/);
  await tab(page, 'Safety');
  const known = page.getByRole('tabpanel', { name: 'Safety' }).locator('.violation');
  await expect(known.getByRole('button', { name: 'Go there' })).toBeVisible();
  await page.locator('#play').click();
  await expect(page.locator('#violation')).toBeVisible();
  await expect(page.locator('#violation')).toContainText(FACTS);
  await expect(page.locator('#play')).toHaveText('Play');
  expect((await standing(page)).now).toBe(AT);
  await page.locator('#play').click();
  await expect.poll(async () => (await standing(page)).now).toBeGreaterThan(AT);
  await expect(page.locator('#violation')).toBeHidden();
  await known.getByRole('button', { name: 'Go there' }).click();
  await expect(page.locator('#violation')).toContainText(FACTS);
});

test('it goes on with the link and the file, from its moment on, and with no other branch', async ({ page }) => {
  await openFound(page, STUCK);
  await expect.poll(() => page.url()).toContain(`#run=${STUCK}`);
  await page.reload();
  await expect(page.locator('#violation')).toContainText(FACTS);
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog', { name: 'Share' });
  await expect(dialog.locator('#share-link')).toHaveValue(/&found=Liveness&at=43\.641655s&first=/);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Save scenario' }).click(),
  ]);
  const file = (await readFile(await download.path())).toString();
  expect(JSON.parse(file).found).toMatchObject({ what: 'Liveness', at: '43.641655s' });
  const [trace] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Trace' }).click(),
  ]);
  const last = (await readFile(await trace.path())).toString().trim().split('\n').at(-1) ?? '';
  expect(JSON.parse(last)).toMatchObject({ time: AT, kind: 'found', what: 'Liveness' });
  await page.keyboard.press('Escape');
  // The file opens as the same failure.
  await open(page, '?seed=7');
  await page.keyboard.press('s');
  await dialog.locator('input[type=file]').setInputFiles({
    name: 'found.json',
    mimeType: 'application/json',
    buffer: Buffer.from(file),
  });
  await expect(page.locator('#violation')).toContainText(FACTS);
  // Before its moment it has not been found, and where something else is done it isn't.
  await page.evaluate((at) => /** @type {any} */ (window).raftarium.seek(at - 1), AT);
  await expect.poll(() => page.url()).not.toContain('found=');
  await page.evaluate((at) => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.seek(at - 1_000_000);
    raftarium.act({ do: 'crash', server: 1 });
    raftarium.seek(at);
  }, AT);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(page.locator('#violation')).toBeHidden();
});

test('what was said and does not hold is refuted, where the page can judge it', async ({ page }) => {
  for (const what of ['Linearizability', 'Log+Matching']) {
    // Another page, and not only another hash.
    await openFound(page, `${RUN}&found=${what}&at=43.641655s&first=this&second=that`, `?${what}`);
    const notice = page.locator('#violation');
    await expect(notice).toContainText(`${what.replace('+', ' ')} is said to be broken at 43.642 s.`);
    await expect(notice).toContainText(claim.refuted);
    await expect(page.locator('#safety-words')).toHaveText(/properties hold/);
    await expect(page.locator('#lamps .broken')).toHaveCount(0);
    await expect.poll(() => page.url()).not.toContain('found=');
  }
});

test('of what clients saw the page judges for itself', async ({ page }) => {
  await open(page, '?seed=7');
  for (const [state, words] of [
    ['broken', claim.agrees],
    ['undecided', claim.open],
  ]) {
    // No rule lets clients see what no property has seen before: the verdict is made up.
    await page.evaluate((made) => {
      const { lab } = /** @type {any} */ (window).raftarium;
      lab.judge = async () => ({ state: made, answers: 2, first: 'this', second: 'that' });
    }, state);
    await page.evaluate((link) => {
      location.hash = `#run=${link}`;
    }, `${RUN}&found=Linearizability&at=43.641655s&first=client+1%27s+get+x+found+1&second=x+was+2&${state}`);
    const notice = page.locator('#violation');
    await expect(notice).toContainText(words);
    await expect(notice).toContainText('Linearizability is broken at 43.642 s.');
    await expect(notice).toContainText("Client 1's get x found 1, but x was 2.");
  }
});

test('what cannot have been found is refused', async ({ page }) => {
  for (const [words, sentence] of [
    ['found=Luck&at=1s', '“Luck” is nothing that can be found: there are Linearizability, Liveness'],
    ['found=Liveness', 'it doesn’t say when: at=1.25s'],
    ['found=Liveness&at=44s', '44.000 s lies after the end of the run, which is at 43.641655 s'],
    [`found=Liveness&at=1s&first=${'x'.repeat(2_001)}`, 'a fact has at most 2000 characters'],
  ]) {
    await page.goto(`./?${sentence.length}#run=${RUN}&${words}`);
    await expect(page.getByRole('alert')).toContainText(sentence);
  }
});

test('of a run that plays differently here, nothing is said to have been found', async ({ page }) => {
  // The trace hash in this one is made up.
  await open(page, `#run=${made.link}&found=Liveness&at=4s&first=this&second=that`);
  await expect(page.locator('#trouble')).toContainText('This run plays differently here.');
  expect((await standing(page)).now).toBe(4_000_000);
  await expect(page.locator('#violation')).toBeHidden();
  await expect.poll(() => page.url()).not.toContain('found=');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });
  test('it can be read', async ({ page }) => {
    await openFound(page, STUCK);
    const notice = page.locator('#violation');
    await expect(notice).toContainText(FACTS);
    for (const button of await notice.getByRole('button').all()) await expect(button).toBeInViewport({ ratio: 1 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBe(390);
  });
});

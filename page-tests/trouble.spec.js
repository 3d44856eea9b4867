// @ts-check
// If something fails, the page shows a sentence that a person can act on.
import { pathToFileURL } from 'node:url';
import { subPathUrl } from '../playwright.config.js';
import { counterexamples } from '../www/run/counterexamples.js';
import { expect, leader, open, tamper, test } from './page.js';

const trouble = (/** @type {import('@playwright/test').Page} */ page) => page.getByRole('alert');

test('no WebAssembly', async ({ page }) => {
  await page.addInitScript(() => {
    // @ts-expect-error what a lockdown mode does
    delete window.WebAssembly;
  });
  await page.goto('./');
  await expect(trouble(page)).toContainText('This browser has no WebAssembly.');
  await expect(page.locator('#transport')).toBeHidden();
});

test('the simulator can’t be fetched', async ({ page, complaints }) => {
  await page.route('**/*.wasm', (route) => route.abort());
  await page.goto('./?seed=77');
  await expect(trouble(page)).toContainText('The simulator did not load.');
  await expect(trouble(page)).toContainText('seed 77');
  await expect(page.getByRole('button', { name: 'Reload' })).toBeVisible();
  complaints.length = 0;
  await page.unroute('**/*.wasm');
  await page.getByRole('button', { name: 'Reload' }).click();
  await expect(leader(page)).toHaveCount(1);
});

test('the glue is missing', async ({ page, complaints }) => {
  await page.route('**/raft_web-*.js', (route) => route.fulfill({ status: 404 }));
  await page.goto('./');
  await expect(trouble(page)).toContainText('The simulator did not load.');
  complaints.length = 0;
});

test('a module of the page is missing', async ({ page, complaints }) => {
  await page.route('**/main-*.js', (route) => route.fulfill({ status: 404 }));
  await page.goto('./');
  await expect(trouble(page)).toContainText('A part of the page did not load.');
  complaints.length = 0;
});

test('opened as a file', async ({ page, complaints }) => {
  await page.goto(pathToFileURL('www/index.html').href);
  await expect(trouble(page)).toContainText('This page was opened as a file.');
  await expect(trouble(page)).toContainText('cargo xtask serve');
  complaints.length = 0;
});

test('after a link that is none, a good one in the same tab is followed', async ({ page }) => {
  await page.goto('./#run=AQeWn1gBwEM299ua');
  await expect(page.locator('html')).toHaveAttribute('data-state', 'failed');
  await page.evaluate((hash) => (location.hash = hash), `#run=${counterexamples[0]}`);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  await expect(page.locator('#trouble')).toBeHidden();
});

test('without JavaScript', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(baseURL ?? '');
  await expect(trouble(page)).toContainText('It needs JavaScript and WebAssembly');
  await context.close();
});

test('the simulator panics: the seed and the moment are told, and the page stands still', async ({
  page,
  complaints,
}) => {
  await tamper(
    page,
    `
    const play = Run.prototype.advanceTo;
    Run.prototype.advanceTo = function (time) {
      if (globalThis.breakIt) throw new WebAssembly.RuntimeError('unreachable');
      return play.call(this, time);
    };`,
  );
  await open(page, '?seed=99');
  await page.evaluate(() => Object.assign(globalThis, { breakIt: true }));
  await expect(trouble(page)).toContainText('this is a bug in Raftarium');
  await expect(trouble(page)).toContainText('seed 99, 5 servers, at ');
  await expect(page.locator('html')).toHaveAttribute('data-state', 'stopped');
  await page.keyboard.press('1');
  await page.keyboard.press('Space');
  await expect(page.locator('#play')).toHaveText('Play');
  complaints.length = 0;
});

for (const query of ['?seed=7&servers=12', '?seed=seven']) {
  test(`a run that can’t be: ${query}`, async ({ page }) => {
    await page.goto(`./${query}`);
    await expect(trouble(page)).toContainText('That run can’t be started.');
    await page.getByRole('button', { name: 'Start a fresh run' }).click();
    await expect(leader(page)).toHaveCount(1);
  });
}

if (subPathUrl) {
  test('works under a sub-path', async ({ page }) => {
    await page.goto(`${subPathUrl}?seed=7`);
    await expect(leader(page)).toHaveCount(1);
    await expect(page).toHaveURL(/\/some\/where\/#run=[\w-]+$/);
  });
}

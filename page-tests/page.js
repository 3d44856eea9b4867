// @ts-check
// What all page tests share: a page that must not log errors, and functions for what
// people do with it.
import { test as base, expect } from '@playwright/test';

/** @typedef {import('@playwright/test').PlaywrightTestArgs} PlaywrightTestArgs */

export { expect };

/** All errors that the page has logged; a test that expects one removes it. */
export const test = base.extend(
  /** @type {import('@playwright/test').Fixtures<{ complaints: string[] }, {}, PlaywrightTestArgs>} */ ({
    complaints: [
      async ({ page }, use) => {
        // No test is a first visit, except in hints.spec.js.
        // Nor does the clock slow by itself, except in turning-points.spec.js: what tests play to
        // would only come later.
        await page.addInitScript(() => {
          localStorage.setItem('raftarium.hints', 'seen');
          if (!localStorage.getItem('raftarium.slow-at-turning-points'))
            localStorage.setItem('raftarium.slow-at-turning-points', 'off');
        });
        /** @type {string[]} */
        const complaints = [];
        page.on('console', (message) => {
          if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
        });
        page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
        /** @type {Set<string>} */
        const hosts = new Set();
        page.on('request', (request) => {
          const { protocol, host } = new URL(request.url());
          if (protocol.startsWith('http')) hosts.add(host);
        });
        await use(complaints);
        expect(complaints, 'the page complained').toEqual([]);
        expect(hosts.size, `the page asked ${[...hosts].join(', ')}`).toBeLessThan(2);
      },
      { auto: true },
    ],
  }),
);

/** @param {import('@playwright/test').Page} page @param {string} [query] */
export async function open(page, query = '?seed=7') {
  await page.goto(`./${query}`);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
}

/**
 * The same, but paused at the very beginning, so that the test is at the same moment on every
 * machine, however slow. @param {import('@playwright/test').Page} page @param {string} [query]
 */
export async function openStill(page, query) {
  await page.addInitScript(() => {
    // It is notified before the first frame is drawn, in which the run would start to play.
    const observer = new MutationObserver(() => {
      if (document.documentElement.dataset.state !== 'running') return;
      observer.disconnect();
      /** @type {any} */ (window).raftarium.pause();
    });
    observer.observe(document, { attributes: true, attributeFilter: ['data-state'], subtree: true });
  });
  await open(page, query);
}

/** The button over a server. @param {import('@playwright/test').Page} page @param {number} id */
export const server = (page, id) => page.locator(`#server-buttons [data-server="${id}"]`);

/**
 * An item of the menu that is open; its section is unfolded first, if it stands in one.
 * @param {import('@playwright/test').Page} page
 * @param {string} name
 * @param {{ role?: 'menuitem' | 'menuitemradio' | 'menuitemcheckbox', exact?: boolean }} [how]
 */
export async function menuItem(page, name, { role = 'menuitem', exact = false } = {}) {
  const items = page.locator(`.menu [role=${role}]`);
  await expect(items.first()).toBeAttached();
  // By its own words, without the hint under them: what is folded away has no accessible name.
  const place = await items.evaluateAll((all, [name, exact]) => {
    const words = all.map((item) => item.firstChild?.textContent ?? '');
    return words.findIndex((own) => (exact ? own === name : own.includes(String(name))));
  }, /** @type {[string, boolean]} */ ([name, exact]));
  expect(place, `the menu has ${name}`).toBeGreaterThanOrEqual(0);
  const item = items.nth(place);
  const section = await item.evaluate((node) => node.closest('.menu-section[hidden]')?.getAttribute('aria-label'));
  if (section) await page.locator('.menu').getByRole('menuitem', { name: section, exact: true }).click();
  await expect(item).toBeVisible();
  return item;
}

/**
 * Chooses from the menu that is open.
 * @param {import('@playwright/test').Page} page
 * @param {string} name
 */
export const pick = async (page, name) => (await menuItem(page, name)).click();

/**
 * Crashes a server, or restarts it.
 * @param {import('@playwright/test').Page} page
 * @param {number} id
 */
export async function toggle(page, id) {
  await server(page, id).click();
  await page.locator('.menu [role=menuitem]').first().click();
}

/**
 * Shows a tab's panel; on a phone, in the drawer.
 * @param {import('@playwright/test').Page} page @param {string} name
 */
export async function tab(page, name) {
  await drawer(page, true);
  await page.getByRole('tab', { name }).click();
  await expect(page.getByRole('tabpanel', { name })).toBeVisible();
}

/**
 * Opens or closes the drawer, where there is one.
 * @param {import('@playwright/test').Page} page
 * @param {boolean} on
 */
export async function drawer(page, on) {
  const handle = page.locator('#drawer');
  if (!(await handle.isVisible())) return;
  if ((await handle.getAttribute('aria-expanded')) !== String(on)) await handle.click();
  await expect(handle).toHaveAttribute('aria-expanded', String(on));
  await page.locator('#reading').evaluate((node) => Promise.all(node.getAnimations().map(({ finished }) => finished)));
}

/**
 * Plays on to a moment when no message is in flight, and stops there. @param
 * {import('@playwright/test').Page} page
 */
export const quiet = (page) =>
  page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    for (let i = 0; i < 1000 && raftarium.frame.messages.length > 0; i++)
      raftarium.advanceTo(raftarium.frame.now + 1_000);
    if (raftarium.frame.messages.length > 0) throw new Error('something is always on its way');
  });

/**
 * Plays on to a moment when a message is half-way, so that there is time to touch it, and stops.
 * @param {import('@playwright/test').Page} page @param {{ kind?: string, alone?: boolean }}
 * [wanted] whether no other of its kind may be on its way @returns {Promise<{ id: number, sent:
 * number, arrives: number }>}
 */
export const underWay = (page, { kind = 'append', alone = true } = {}) =>
  page.evaluate(
    (wanted) => {
      const { raftarium } = /** @type {any} */ (window);
      raftarium.pause();
      for (let i = 0; i < 20_000; i++) {
        raftarium.advanceTo(raftarium.frame.now + 500);
        const { messages, now } = raftarium.frame;
        const [one, ...others] = messages.filter((/** @type {any} */ message) => message.kind === wanted.kind);
        if (!one || one.lost > 0 || (wanted.alone && others.length)) continue;
        if (now - one.sent >= 2_000 && one.arrives - now >= 2_000) return one;
      }
      throw new Error(`no ${wanted.kind} is on its way`);
    },
    { kind, alone },
  );

/** @param {import('@playwright/test').Page} page */
export const leader = (page) => page.locator('#server-buttons').getByRole('button', { name: ', leader,' });

/** The leader's id, once there is exactly one. @param {import('@playwright/test').Page} page */
export async function leaderId(page) {
  await expect(leader(page)).toHaveCount(1);
  return Number(await leader(page).getAttribute('data-server'));
}

/**
 * Virtual time per real time.
 * @param {import('@playwright/test').Page} page
 * @param {number} speed
 */
export const setSpeed = (page, speed) => page.locator('#speed').fill(Math.log10(speed).toFixed(2));

/** @param {import('@playwright/test').Page} page @param {string} line */
export async function type(page, line) {
  await page.getByRole('textbox', { name: 'Command' }).fill(line);
  await page.keyboard.press('Enter');
}

/** The answer under the command line. @param {import('@playwright/test').Page} page */
export const answer = (page) => page.locator('#answer');

/** A row of the stores. @param {import('@playwright/test').Page} page @param {string} key */
export const stored = (page, key) =>
  page
    .locator('#stores tbody tr')
    .filter({ has: page.getByRole('rowheader', { name: key, exact: true, includeHidden: true }) })
    .locator('td');

/**
 * Requests frames, and returns how many the page has drawn after them. @param
 * {import('@playwright/test').Page} page @param {number} count
 */
export const framesAfter = (page, count) =>
  page.evaluate(
    (left) =>
      new Promise((done) => {
        const next = () =>
          left-- > 0 ? requestAnimationFrame(next) : done(Number(document.documentElement.dataset.frames));
        next();
      }),
    count,
  );

/**
 * Plays on to a virtual time, paused.
 * @param {import('@playwright/test').Page} page
 * @param {number} micros
 */
export const advanceBy = (page, micros) =>
  page.evaluate((by) => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    raftarium.advanceTo(raftarium.frame.now + by);
  }, micros);

/**
 * Runs more script after the simulator's own, to make it misbehave.
 * @param {import('@playwright/test').Page} page @param {string} script
 */
export const tamper = (page, script) =>
  page.route('**/raft_web-*.js', async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    // Bundled, the class has another name.
    const name = /(\w+) as Run\b/.exec(text)?.[1];
    await route.fulfill({ response, body: `${text}\n{ const Run = ${name}; ${script} }` });
  });

/**
 * Drops a file onto the page.
 * @param {import('@playwright/test').Page} page @param {string} name @param {string} content
 */
export async function drop(page, name, content) {
  const dataTransfer = await page.evaluateHandle(
    ([title, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], title, { type: 'application/json' }));
      return transfer;
    },
    [name, content],
  );
  await page.dispatchEvent('#ring', 'dragenter', { dataTransfer });
  await expect(page.locator('body')).toHaveAttribute('data-drop', /Drop/);
  await page.dispatchEvent('#ring', 'drop', { dataTransfer });
  await expect(page.locator('body')).not.toHaveAttribute('data-drop');
}

// @ts-check
// Safety: lamps that go out, facts that contradict each other, and what clients may conclude.
import { aboutOf } from '../www/run/about.js';
import { counterexamples } from '../www/run/counterexamples.js';
import { safety } from '../www/words/panels.js';
import { advanceBy, drawer, expect, menuItem, open, openStill, pick, server, tab, test, type } from './page.js';

/** A run in which the first acknowledgement is wrong. */
const BROKEN = '?seed=7&servers=3&without=persist-before-acknowledging';

/** How many properties are checked, and what the page says when all of them hold. */
/** All that is checked after every event; the page hosts no state machine but the store. */
const PROPERTIES = [...safety.guarantees.keys()].filter(
  (name) => !['Linearizability', 'Liveness', 'State Machine Contract'].includes(name),
).length;
const ALL_HOLD = `all ${PROPERTIES} properties hold`;

const lamp = (/** @type {import('@playwright/test').Page} */ page, /** @type {string} */ name) =>
  page.getByRole('toolbar', { name: /^Safety properties/ }).getByRole('button', { name });

test('every property has a lamp, and words for what it says', async ({ page }) => {
  await open(page);
  const lamps = page.locator('#lamps button');
  await expect(lamps).toHaveCount(PROPERTIES);
  await expect(page.locator('#safety-words')).toHaveText(ALL_HOLD);
  for (const one of await lamps.all()) {
    await expect(one).toHaveAccessibleName(/: holds$/);
    await expect(one).toHaveAttribute('title', /^.+: .+\. \((Raft|dissertation) .+\)$/);
  }
  await lamp(page, 'Log Matching').click();
  await expect(page.getByRole('tabpanel', { name: 'Safety' })).toBeVisible();
  await expect(page.locator('.properties li:focus')).toContainText('Log Matching');
});

test('the lamps are one tab stop, with arrows along them, and Enter says what one means', async ({ page }) => {
  await open(page);
  await lamp(page, 'Election Safety').focus();
  await page.keyboard.press('End');
  await expect(lamp(page, 'Economy')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(lamp(page, 'Leader Append-Only')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.properties li:focus')).toContainText('A leader never drops');
});

test('without a rule a lamp goes out: the run stops there and shows the two facts', async ({ page }) => {
  await open(page, '?seed=7&servers=3');
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'New run' });
  await dialog.getByLabel('Seed').fill('7');
  await dialog.getByText('Rules', { exact: false }).first().click();
  await dialog.getByRole('checkbox', { name: /^persist before acknowledging/ }).uncheck();
  await expect(dialog.locator('summary').first()).toContainText('1 of 27 switched off');
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  const { violation, now } = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame);
  expect(violation.property).toBe('Durable Promise');
  expect(now).toBe(violation.time);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  await expect(page.locator('#play')).toHaveText('Play');
  expect(await page.evaluate(() => /** @type {any} */ (window).raftarium.run.without)).toBe(
    'persist-before-acknowledging',
  );
  await expect(lamp(page, 'Durable Promise')).toHaveAccessibleName('Durable Promise: broken');
  await expect(page.locator('#safety-words')).toHaveText('Durable Promise is broken · 1 rule off');
  const trouble = page.getByRole('alert');
  await expect(trouble).toContainText(violation.first.slice(1));
  await expect(trouble).toContainText(`but ${violation.second}.`);
  await trouble.getByRole('button', { name: 'What it means' }).click();
  const panel = page.getByRole('tabpanel', { name: 'Safety' });
  const known = panel.locator('.violation');
  await expect(known).toBeFocused();
  await expect(known).toContainText(violation.second);
  // First of the server and the entry that it is about, then in general.
  await expect(known.locator('.means')).toContainText(
    `S${aboutOf(violation).servers[0]} has said something that its disk`,
  );
  await expect(known).toContainText('In general: A vote or an acknowledgement that is sent is on its sender’s disk.');
  await expect(panel.locator('.rules-off')).toContainText('persist before acknowledging');

  // Back in time the lamp is on again, and the page can jump to the violation.
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.seek(raftarium.frame.now - 1_000);
  });
  await expect(lamp(page, 'Durable Promise')).toHaveAccessibleName('Durable Promise: holds');
  await expect(trouble).toBeHidden();
  await panel.getByRole('button', { name: 'Go there' }).click();
  await expect(lamp(page, 'Durable Promise')).toHaveAccessibleName('Durable Promise: broken');
  await expect(trouble).toContainText(violation.second);
});

test('a link keeps which rules are off, and a reload counterexamples in the same place', async ({ page }) => {
  await open(page, '?seed=7&servers=3');
  await page.goto(`./${BROKEN}`);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  const first = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.violation);
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  expect(await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.violation)).toEqual(first);
  await page.getByRole('alert').getByRole('button', { name: 'Start a fresh run' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(page.locator('#safety-words')).toHaveText(ALL_HOLD);
});

test('each rule has a run at hand that breaks without it', async ({ page }) => {
  test.slow();
  // It doesn’t play by itself then.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'New run' });
  // The dialog comes when it is asked for.
  await expect(dialog.locator('.rule input')).toHaveCount(counterexamples.length);
  const rules = await dialog
    .locator('.rule input')
    .evaluateAll((all) => all.map((one) => /** @type {any} */ (one).value));
  // One rule keeps the cluster alive, not safe: its link says so.
  const alive = rules.filter((_, i) => counterexamples[i].includes('&found=Liveness&'));
  expect(alive).toEqual(['step-down-on-higher-term']);
  await dialog.locator('summary').first().click();
  await expect(dialog.getByRole('link', { name: 'See it break' })).toHaveCount(rules.length);
  /** By rule: what is violated without it. */
  const found = new Map();
  for (const rule of rules) {
    if (!(await dialog.isVisible())) {
      await page.keyboard.press('n');
      if (!(await dialog.locator('.rule').first().isVisible())) await dialog.locator('summary').first().click();
    }
    const line = dialog.locator('.rule').filter({ has: page.locator(`[value="${rule}"]`) });
    await line.getByRole('link', { name: 'See it break' }).click();
    await expect(dialog).toBeHidden();
    await expect.poll(() => page.evaluate(() => /** @type {any} */ (window).raftarium.run.without)).toBe(rule);
    await page.locator('#violation').getByRole('button', { name: 'Go there' }).click();
    await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
    const { differs, now, violation } = await page.evaluate(() => {
      const { claimed, frame, run } = /** @type {any} */ (window).raftarium;
      return { differs: run.differs, now: frame.now, violation: frame.violation ?? claimed };
    });
    expect([rule, differs, now]).toEqual([rule, false, violation?.time]);
    await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
    if (!alive.includes(rule)) {
      await expect(lamp(page, violation.property)).toHaveAccessibleName(`${violation.property}: broken`);
    }
    await expect(page.locator('#violation')).toContainText(`but ${violation.second}.`);
    await expect(page.locator('#safety-words')).toHaveText(`${violation.property} is broken · 1 rule off`);
    found.set(rule, violation.property);
  }
  // These show the harm, and not only the promise that is broken first.
  expect(found.get('vote-once-per-term')).toBe('Election Safety');
  expect(found.get('persist-before-voting')).toBe('Election Safety');
  expect(found.get('persist-before-acknowledging')).toBe('Leader Completeness');
  expect(found.get('persist-before-counting')).toBe('Leader Completeness');
});

test('a rule that isn’t there is refused', async ({ page }) => {
  await page.goto('./?seed=7&without=be-kind');
  await expect(page.getByRole('alert')).toContainText('there is no rule “be-kind”');
});

test('the verdict on what clients have seen is always in sight', async ({ page }) => {
  await open(page);
  const verdict = page.locator('#verdict');
  await expect(verdict).toHaveText('clients: linearizable so far');
  await type(page, 'put x 1');
  await advanceBy(page, 2_000_000);
  await verdict.click();
  await expect(page.locator('.verdict')).toContainText(/all \d+ answers, and agrees with real time/);
});

test('a stale read is proved: by a leader that doesn’t know it was deposed, and doesn’t ask', async ({ page }) => {
  // It starts paused, always at the same moment.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openStill(
    page,
    '?seed=1&servers=3&without=confirm-before-reading&settings=150000,300000,50000,1,0,4096,1,250000',
  );
  await type(page, 'put x 1');
  await advanceBy(page, 500_000);
  await page.getByRole('button', { name: 'Network' }).click();
  await page.getByRole('button', { name: 'Leader alone' }).click();
  await page.getByRole('button', { name: 'Cut here' }).click();
  await advanceBy(page, 3_500_000);
  await expect(page.locator('#verdict')).toHaveText('clients: linearizable so far');
  await type(page, 'get x');
  await advanceBy(page, 500_000);
  await expect(lamp(page, 'Fresh Reads')).toHaveAccessibleName('Fresh Reads: broken');
  await expect(page.locator('#verdict')).toHaveText('clients: not linearizable');
  await page.locator('#verdict').click();
  await expect(page.locator('.verdict')).toContainText('“get x” of client 1, begun at 5.210 s and answered “1”');
});

test('a run with another timing is made from the dialog, with a warning where it asks for trouble', async ({
  page,
}) => {
  await open(page);
  await tab(page, 'Dials');
  await page.getByRole('button', { name: /another timing/ }).click();
  const dialog = page.getByRole('dialog', { name: 'New run' });
  await dialog.getByText('Timing and clients').click();
  const least = dialog.getByLabel('Shortest election timeout');
  await expect(least).toHaveValue('150');
  await least.fill('12');
  await least.blur();
  await expect(dialog.locator('.dial-warning')).toContainText('longer than the shortest election timeout');
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('#run-error')).toContainText('followers campaign against a living leader');
  await least.fill('400');
  await dialog.getByLabel('Longest election timeout').fill('900');
  await dialog.getByLabel('Clients besides you').fill('3');
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(dialog).toBeHidden();
  expect(await page.evaluate(() => /** @type {any} */ (window).raftarium.run.settings)).toMatch(/^400000,900000,50000/);
  await tab(page, 'Dials');
  await expect(page.getByRole('tabpanel', { name: 'Dials' })).toContainText('Election timeout 400 to 900 ms');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await expect
    .poll(() => page.evaluate(() => /** @type {any} */ (window).raftarium.run.settings))
    .toContain('400000,900000,50000,1,1,4096,3,');
});

test('a disk is filled by hand, and says so', async ({ page }) => {
  await open(page);
  await server(page, 2).click();
  await (await menuItem(page, 'full', { role: 'menuitemradio' })).click();
  await expect(server(page, 2)).toHaveAccessibleName(/disk full/);
  await server(page, 2).click();
  await (await menuItem(page, 'normal', { role: 'menuitemradio' })).click();
  await expect(server(page, 2)).not.toHaveAccessibleName(/disk/);
  await server(page, 2).click();
  await pick(page, 'Pause');
  await drawer(page, false);
  await expect(server(page, 2)).toHaveAccessibleName(/paused/);
});

test('after an example, a new run begins as usual, and says so; the example’s settings can be taken', async ({
  page,
}) => {
  await openStill(page, '?seed=7&servers=3');
  const open = () => page.getByRole('button', { name: 'New run' }).click();
  const dialog = page.getByRole('dialog', { name: 'New run' });
  const servers = () => dialog.locator('input[name=run-servers]:checked').inputValue();
  // The run was made here: what is other than usual is kept, and can be given up.
  await open();
  await expect(dialog.locator('#run-keeps')).toHaveText('Keeps what this run has: 3 servers.');
  expect(await servers()).toBe('3');
  await dialog.getByRole('button', { name: 'Begin as usual' }).click();
  expect(await servers()).toBe('5');
  await dialog.locator('summary').first().click();
  const rule = dialog.locator('.rule', { hasText: 'vote once per term' });
  await rule.getByRole('link', { name: 'See it break' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  await open();
  await expect(dialog.locator('#run-keeps')).toContainText('Begins as usual. The run on the page has');
  await expect(dialog.locator('#run-keeps')).toContainText('switched off: vote once per term');
  expect(await servers()).toBe('5');
  await expect(dialog.getByRole('checkbox', { name: /^vote once per term/ })).toBeChecked();
  await dialog.getByRole('button', { name: 'Take that run’s' }).click();
  await expect(dialog.getByRole('checkbox', { name: /^vote once per term/ })).not.toBeChecked();
});

test('a number that makes no run is named, with what it may be', async ({ page }) => {
  await open(page);
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'New run' });
  await dialog.locator('summary', { hasText: 'Timing' }).click();
  await dialog.getByLabel('Clients besides you').fill('1000');
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('Clients besides you: a number from 0 to 32, please.');
  await dialog.getByLabel('Clients besides you').fill('1');
  await dialog.getByLabel('Shortest election timeout').fill('-1');
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('Shortest election timeout: a number from 1 to 600000, please.');
});

test('keys in quick succession open one dialog: the last that was asked for; Escape takes a wish back', async ({
  page,
}) => {
  await page.route('**/*-dialog-*.js', async (route) => {
    await new Promise((done) => setTimeout(done, 300));
    await route.continue();
  });
  await open(page);
  for (const key of ['?', 's', 'n']) await page.keyboard.press(key);
  await expect(page.getByRole('dialog', { name: 'New run' })).toBeVisible();
  await expect(page.locator('dialog[open]')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(page.locator('dialog[open]')).toHaveCount(0);
});

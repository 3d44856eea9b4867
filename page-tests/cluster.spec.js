// @ts-check
// What people come for: a cluster that runs, answers, and survives what they do to it.
import {
  advanceBy,
  answer,
  expect,
  leader,
  leaderId,
  open,
  openStill,
  pick,
  server,
  setSpeed,
  stored,
  tab,
  test,
  toggle,
  type,
} from './page.js';

test('opens with a leader elected and something moving', async ({ page }) => {
  await open(page, '');
  await expect(leader(page)).toHaveCount(1);
  await expect(page.locator('#play')).toHaveText('Pause');
  await expect(page.locator('#quorum')).toHaveText(/^ ?S\d leads, 5 of 5 answer writes commit$/);
  await expect(page.locator('#why q')).not.toBeEmpty();
  const messages = () => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.messages.length);
  await expect.poll(messages).toBeGreaterThan(0);
  const now = await page.locator('#now').textContent();
  await expect(page.locator('#now')).not.toHaveText(now ?? '');
});

test('a typed put reaches all five stores and all five logs', async ({ page }) => {
  await open(page);
  await setSpeed(page, 1);
  await type(page, 'put greeting hello');
  await expect(answer(page)).toContainText('put greeting hello → ');
  await expect(answer(page)).toHaveClass('ok');
  await tab(page, 'Stores');
  await expect(stored(page, 'greeting')).toHaveText(Array(5).fill('hello'));
  await tab(page, 'Clients');
  await expect(page.locator('.operation.mine').first()).toContainText('put greeting hello');
  for (let row = 1; row <= 5; row++) {
    await expect(page.locator('.log-row').nth(row).locator('.entry.committed').last()).toBeVisible();
  }
});

test('get, cas and delete tell what happened', async ({ page }) => {
  await open(page);
  await setSpeed(page, 3);
  await type(page, 'put mine 1');
  await expect(answer(page)).toHaveClass('ok');
  await type(page, 'get mine');
  await expect(answer(page)).toHaveText(/get mine → .*1/);
  await type(page, 'cas mine 1 2');
  await expect(answer(page)).toContainText('cas mine 1 2 →');
  await tab(page, 'Stores');
  await expect(stored(page, 'mine')).toHaveText(Array(5).fill('2'));
  await type(page, 'delete mine');
  await expect(answer(page)).toContainText('delete mine →');
  await tab(page, 'Stores');
  await expect(stored(page, 'mine')).toHaveCount(0);
});

test('a line it can’t read gets a sentence, and stays to be mended', async ({ page }) => {
  await open(page);
  await type(page, 'pt x 1');
  await expect(answer(page)).toHaveClass('failed');
  await expect(answer(page)).toContainText('put');
  await expect(page.locator('#command')).toHaveValue('pt x 1');
  await type(page, 'put x');
  await expect(answer(page)).toHaveClass('failed');
});

test('a key that turns letters around turns nothing but itself around', async ({ page }) => {
  await open(page);
  await setSpeed(page, 1);
  await type(page, 'put \u202Eabc 1');
  await expect(answer(page)).toHaveClass('ok');
  // In the answer, each later letter is further right.
  const runs = await answer(page).evaluate((node) => {
    const words = node.lastChild;
    const text = words?.firstChild;
    if (!text) throw new Error('there is no answer');
    return [0, 1, 2, 3].map((i) => {
      const range = document.createRange();
      range.setStart(text, i);
      range.setEnd(text, i + 1);
      return range.getBoundingClientRect().left;
    });
  });
  expect(runs).toEqual([...runs].sort((a, b) => a - b));
});

test('arrow up brings back what was typed', async ({ page }) => {
  await open(page);
  await type(page, 'put a 1');
  await type(page, 'get a');
  const field = page.locator('#command');
  await field.fill('half a li');
  await field.press('ArrowUp');
  await expect(field).toHaveValue('get a');
  await field.press('ArrowUp');
  await expect(field).toHaveValue('put a 1');
  await field.press('ArrowDown');
  await field.press('ArrowDown');
  await expect(field).toHaveValue('half a li');
});

test('the leader is crashed by a click and another takes over; restarted, it follows', async ({ page }) => {
  await open(page);
  await setSpeed(page, 1);
  const first = await leaderId(page);
  await toggle(page, first);
  await expect(server(page, first)).toHaveAccessibleName(`S${first}, crashed`);
  await expect(page.locator('#quorum')).toHaveText(/^ ?S\d leads, 4 of 5 answer writes commit$/);
  const second = await leaderId(page);
  expect(second).not.toBe(first);
  await type(page, 'put still here');
  await expect(answer(page)).toHaveClass('ok');
  await toggle(page, first);
  await expect(server(page, first)).toHaveAccessibleName(/, follower, /);
  await tab(page, 'Stores');
  await expect(stored(page, 'still')).toHaveText(Array(5).fill('here'));
});

test('what follows for writes is in sight however much there is to say, in small windows too', async ({ page }) => {
  for (const [width, height, query] of /** @type {const} */ ([
    [1024, 768, ''],
    [390, 844, ''],
    [320, 568, ''],
    [1024, 768, '&present'],
  ])) {
    await page.setViewportSize({ width, height });
    await openStill(page, `?seed=7${query}`);
    if (query) {
      await page.keyboard.press('l');
      await page.keyboard.press('q');
    }
    const follows = page.locator('#quorum > :last-child');
    await expect(follows).toHaveText('writes commit');
    await expect(follows).toBeInViewport({ ratio: 1 });
    await page.evaluate(() => {
      const { act } = /** @type {any} */ (window).raftarium;
      act({ do: 'crash', server: 1 }, { do: 'pause', server: 2 }, { do: 'fill-disk', server: 3, full: true });
    });
    await expect(follows).toHaveText('no majority');
    await expect(follows).toBeInViewport({ ratio: 1 });
    await expect(page.locator('#quorum b')).toHaveAttribute('title', '1 is down, 1 stands still, 1 has no room');
  }
});

test('an answer goes when somebody goes back to before its command, and comes again with it', async ({ page }) => {
  await openStill(page);
  const sent = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
  await type(page, 'put foo bar');
  await advanceBy(page, 300_000);
  await expect(answer(page)).toHaveText(/^put foo bar → written/);
  const at = (/** @type {number} */ time) =>
    page.evaluate((time) => /** @type {any} */ (window).raftarium.seek(time), time);
  await at(sent + 1);
  await expect(answer(page)).toHaveText(/^Sent/);
  await at(sent - 100_000);
  await expect(answer(page)).not.toHaveText(/foo|Sent/);
  await page.evaluate(() => /** @type {any} */ (window).raftarium.act({ do: 'crash', server: 1 }));
  await advanceBy(page, 1_000_000);
  await expect(answer(page)).not.toHaveText(/foo|Sent/);
});

test('a long value stays in its column, and turns no other words around', async ({ page }) => {
  for (const query of ['', '&embed', '&present']) {
    await openStill(page, `?seed=7${query}`);
    await page.evaluate(() => {
      const { act } = /** @type {any} */ (window).raftarium;
      act({ do: 'submit', command: `put k-${'x'.repeat(70)} ${'v'.repeat(300)}` });
    });
    await advanceBy(page, 300_000);
    const wide = await page.locator('#why').evaluate((node) => node.scrollWidth - node.clientWidth);
    expect(wide, query).toBeLessThanOrEqual(0);
  }
  await openStill(page);
  await type(page, 'put foo b\u202ex');
  await advanceBy(page, 300_000);
  // What was typed stands apart, as its own; wherever the cluster tells of it, it is spelled out.
  await expect(page.locator('#answer bdi').first()).toHaveText('put foo b\u202ex');
  await expect(page.locator('#page')).toContainText('b\\u{202e}x');
  await expect(page.locator('#page')).not.toContainText('b\u202ex');
});

test('while rules are off the meter says by what it goes', async ({ page }) => {
  await openStill(page, '?seed=7&without=persist-before-counting');
  await page.evaluate(() => {
    const { act } = /** @type {any} */ (window).raftarium;
    act(...[1, 2, 3].map((server) => ({ do: 'crash', server })));
  });
  await expect(page.locator('#quorum')).toHaveText(/3 are down no majority, by the rules/);
});

test('the meter tells of servers that stand still, of elections, and of whom a cut leaves', async ({ page }) => {
  await openStill(page);
  const meter = page.locator('#quorum');
  const dots = () =>
    meter.locator('i').evaluateAll((all) => all.map((dot) => (dot.className.includes('answers') ? 1 : 0)).join(''));
  const first = await leaderId(page);
  await expect(meter).toHaveText(new RegExp(`S${first} leads, 5 of 5 answer writes commit`));
  expect(await dots()).toBe('11111');
  await expect(meter.locator('i').nth(2)).toHaveClass(/majority/);
  await expect(meter).not.toHaveClass(/broken/);
  const others = [1, 2, 3, 4, 5].filter((id) => id !== first);
  await server(page, first).click();
  await pick(page, 'Pause');
  await expect(meter).toHaveText(/nobody leads an election is (on|due)/);
  for (const id of others.slice(0, 2)) {
    await server(page, id).click();
    await pick(page, 'Pause');
  }
  await expect(meter).toHaveText(/3 stand still no majority/);
  expect(await dots()).toBe('11000');
  await expect(meter).toHaveClass(/broken/);
  await type(page, 'put x 5');
  await advanceBy(page, 2_500_000);
  await expect(answer(page)).toContainText('no answer within 2 s (3 stand still: no majority)');
});

test('without a majority a write is honestly refused', async ({ page }) => {
  await open(page);
  await setSpeed(page, 3);
  const first = await leaderId(page);
  const others = [1, 2, 3, 4, 5].filter((id) => id !== first).slice(0, 2);
  for (const id of [first, ...others]) await toggle(page, id);
  await expect(page.locator('#quorum')).toHaveText(/3 are down no majority/);
  await type(page, 'put x 1');
  await expect(answer(page)).toContainText('no answer within 2 s (3 are down: no majority)');
  await tab(page, 'Clients');
  await expect(page.locator('.operation.mine').first()).toContainText('no answer within 2 s');
  for (const id of [first, ...others]) await toggle(page, id);
  await expect(leader(page)).toHaveCount(1);
  await type(page, 'put x 2');
  await expect(answer(page)).toHaveClass('ok');
});

test('events are sentences, with the paper’s section', async ({ page }) => {
  await open(page);
  await page.getByRole('tab', { name: 'Events' }).click();
  await expect(page.locator('.event').first()).toBeVisible();
  await expect(page.locator('.event cite').first()).toContainText('§');
  await expect(page.getByRole('tabpanel', { name: 'Clients' })).toBeHidden();
});

for (const servers of [1, 2, 3, 9]) {
  test(`a cluster of ${servers} works`, async ({ page }) => {
    await open(page, `?seed=3&servers=${servers}`);
    await setSpeed(page, 1);
    await expect(page.locator('#server-buttons button')).toHaveCount(servers);
    await type(page, 'put n 9');
    await expect(answer(page)).toHaveClass('ok');
    await tab(page, 'Stores');
    await expect(stored(page, 'n')).toHaveText(Array(servers).fill('9'));
  });
}

test('a new run is made from the dialog', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'New run' }).click();
  await page.getByLabel('Seed').fill('42');
  await page.getByRole('radio', { name: '3', exact: true }).check();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.locator('#seed-value')).toHaveText('42');
  await expect(page.locator('#server-buttons button')).toHaveCount(3);
  await page.getByRole('button', { name: 'New run' }).click();
  await page.getByLabel('Seed').fill('not a seed');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('#run-error')).not.toBeEmpty();
  await page.getByLabel('Seed').fill('');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('#seed-value')).not.toHaveText('42');
});

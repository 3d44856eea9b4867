// @ts-check
// The door of a first visit, and lessons: by mouse, keyboard and touch.
import { readFile } from 'node:fs/promises';
import { noViolations } from './axe.js';
import { steps, touch } from './fingers.js';
import { answer, drop, expect, leader, leaderId, open, pick, server, test, type } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

/** @param {Page} page */
const card = (page) => page.getByRole('region', { name: 'Lesson' });
/** @param {Page} page @param {string | RegExp} words */
const heading = (page, words) => card(page).getByRole('heading', { name: words });
/** @param {Page} page @param {string} name */
const press = (page, name) => card(page).getByRole('button', { name }).click();

/** @param {Page} page @param {string} name @param {number} [step] from 1 */
async function openLesson(page, name, step = 1) {
  await open(page, `#lesson=${name}&step=${step}`);
  await expect(card(page)).toBeVisible();
}

/** The cluster has come to where the step ends. @param {Page} page */
const arrived = (page) => expect(page.locator('#play')).toHaveText('Play');

/** What is said to an answer, or when a task is done. @param {Page} page */
const said = (page) => card(page).locator('.reply');

test.describe('the door', () => {
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
  ])
    test(`a first visit meets a living cluster, a sentence and two ways on: ${width}`, async ({ context }) => {
      const page = await context.newPage();
      await page.setViewportSize({ width, height });
      await open(page, '');
      const door = page.getByRole('region', { name: 'Break it, and see how it mends' });
      await expect(door).toBeVisible();
      await expect(page.getByRole('button', { name: /^S1/ })).toBeVisible();
      for (const put of ['#transport', '#logs-panel', '#history-panel', '#why', '#safety-row', '#open-run']) {
        await expect(page.locator(put)).toBeHidden();
      }
      const before = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
      await expect
        .poll(() => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now))
        .toBeGreaterThan(before);
      await noViolations(page, 'the door');
      await door.getByRole('button', { name: /Learn/ }).click();
      await expect(heading(page, 'One server')).toBeVisible();
      await expect(page).toHaveURL(/#lesson=one-is-not-enough&step=1$/);
      await expect(door).toHaveCount(0);
    });

  test('exploring brings all instruments, and coming back goes where one was', async ({ context }) => {
    const page = await context.newPage();
    await open(page, '');
    await page.getByRole('button', { name: /Explore/ }).click();
    for (const there of ['#transport', '#logs-panel', '#history-panel', '#why', '#safety-row', '#open-run']) {
      await expect(page.locator(there)).toBeVisible();
    }
    await expect(page.getByRole('complementary', { name: 'Hints for a first visit' })).toBeVisible();
    await open(page, '');
    await expect(page.locator('#door')).toHaveCount(0);
    await expect(page.locator('#logs-panel')).toBeVisible();
    // To a lesson, and back to it.
    await page.getByRole('button', { name: 'Lessons' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /A vote is split/ })
      .click();
    await press(page, 'Next');
    await expect(page).toHaveURL(/step=2$/);
    await page.goto('about:blank');
    await open(page, '');
    await expect(page).toHaveURL(/#lesson=a-vote-is-split&step=2$/);
    await expect(card(page)).toBeVisible();
  });

  test('a link to a run is no first visit’s door', async ({ context }) => {
    const page = await context.newPage();
    await open(page, '?seed=7');
    await expect(page.locator('#door')).toHaveCount(0);
    await expect(page.locator('#logs-panel')).toBeVisible();
  });
});

test('a whole lesson by mouse: told, predicted, done, with commands', async ({ page }) => {
  await openLesson(page, 'one-is-not-enough');
  await expect(heading(page, 'One server')).toBeVisible();
  // What it doesn't need is put away.
  for (const put of ['#logs-panel', '#tab-safety', '#tape', '#safety-row', '.speed', '#open-share']) {
    await expect(page.locator(put)).toBeHidden();
  }
  await expect(page.getByRole('tab')).toHaveText(['Stores']);
  await expect(server(page, 1)).toHaveClass(/spotlit/);
  await expect(page.locator('#console')).toHaveClass(/spotlit/);
  await arrived(page);
  await press(page, 'Next');
  await expect(heading(page, 'Your turn: store something')).toBeVisible();
  await expect(page.locator('#tape')).toBeVisible();
  await expect(card(page).locator('.lesson-hint')).toHaveCount(0);
  await press(page, 'A hint');
  await expect(card(page).locator('.lesson-hint')).toContainText('put y 7');
  await type(page, 'put y 42');
  await expect(said(page)).toContainText('y is 42.');
  await press(page, 'Next');
  await press(page, 'That there is no x');
  await expect(said(page)).toContainText('somebody would have to run to say so');
  await expect(card(page).getByRole('button', { name: 'Nothing at all (right)' })).toBeVisible();
  // Whoever changes their mind hears what is said to that.
  await press(page, 'Nothing at all');
  await expect(said(page)).toContainText('all you can do is wait');
  await press(page, 'Next');
  await expect(heading(page, 'It comes back')).toBeVisible();
  await press(page, 'Next');
  // Another world.
  await expect(heading(page, 'Three of them')).toBeVisible();
  await arrived(page);
  await expect(page.locator('#stores tbody td').first()).toHaveText('1');
  await press(page, 'Next');
  await press(page, 'Yes, by the two others');
  await expect(said(page)).toContainText('leads now');
  await press(page, 'Next');
  await expect(heading(page, 'Your turn: too few')).toBeVisible();
  // Any solution: the two that aren't the leader's server alone would do as well.
  for (const id of [1, 2, 3]) {
    const one = server(page, id);
    if (/crashed/.test((await one.getAttribute('aria-label')) ?? '')) continue;
    await one.click();
    await pick(page, 'Crash');
    break;
  }
  await expect(said(page)).toContainText('A single one of three never leads');
  await press(page, 'Next');
  await expect(heading(page, 'Together again')).toBeVisible();
  await press(page, 'Next: Why a majority');
  await expect(page).toHaveURL(/#lesson=why-a-majority&step=1$/);
  await page.getByRole('button', { name: 'Lessons', exact: true }).click();
  await expect(page.getByRole('dialog').getByRole('button', { name: /One is not enough/ })).toContainText('done');
});

test('a whole lesson by keyboard', async ({ page }) => {
  await openLesson(page, 'a-leader-is-elected');
  await page.keyboard.press('PageDown');
  await expect(heading(page, 'Somebody has to begin')).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect(heading(page, 'How many must say yes?')).toBeVisible();
  await page.keyboard.press('ArrowLeft');
  await expect(heading(page, 'Somebody has to begin')).toBeVisible();
  await page.keyboard.press('PageDown');
  const three = card(page).getByRole('button', { name: 'Three' });
  await three.focus();
  await page.keyboard.press('Enter');
  await expect(said(page)).toContainText('three of five are a majority');
  await expect(card(page).getByRole('button', { name: 'Three (right)' })).toBeFocused();
  // A term is explained in its place.
  const term = said(page).getByRole('button', { name: 'majority' });
  await term.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'majority' })).toContainText('More than half of the voters');
  await page.keyboard.press('Escape');
  await expect(term).toBeFocused();
  for (let i = 0; i < 3; i++) await page.keyboard.press('PageDown');
  await expect(heading(page, 'Your turn: another leader')).toBeVisible();
  await leader(page).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Crash' }).first().press('Enter');
  await expect(said(page)).toContainText('leads no more');
  await page.keyboard.press('PageDown');
  await expect(heading(page, /S\d comes back/)).toBeVisible();
  // Space plays: then the cluster says who was right, though nobody has answered.
  await page.locator('body').press('Space');
  await expect(card(page).getByRole('button', { name: /still does \(right\)/ })).toBeVisible();
  await page.keyboard.press('PageDown');
  await expect(page).toHaveURL(/#lesson=a-vote-is-split&step=1$/);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  /** @param {Page} page @param {boolean} on */
  async function swipe(page, on) {
    const box = await card(page).locator('h2').boundingBox();
    if (!box) throw new Error('the card has no place');
    const y = box.y + box.height / 2;
    await touch(page, [on ? steps([320, y], [60, y]) : steps([60, y], [320, y])]);
  }

  test('swipes turn the steps', async ({ page }) => {
    await openLesson(page, 'a-vote-is-split');
    await swipe(page, true);
    await expect(page).toHaveURL(/step=2$/);
    await swipe(page, false);
    await expect(page).toHaveURL(/step=1$/);
  });

  // Without swipes: a browser takes a tap right after one for its end.
  test('a whole lesson by touch', async ({ page }) => {
    await openLesson(page, 'a-vote-is-split');
    const last = Number((await card(page).locator('.lesson-count').textContent())?.split(' of ')[1]);
    for (let step = 1; step < last; step++) {
      const kind = await card(page).getAttribute('data-kind');
      if (kind === 'predicted') {
        await card(page).locator('.answer').first().tap();
        await expect(said(page).or(card(page).locator('.answer.right')).first()).toBeVisible();
      }
      const { scrollWidth, clientWidth } = await page
        .locator('#page')
        .evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
      expect(scrollWidth, `step ${step} is as wide as the screen`).toBeLessThanOrEqual(clientWidth);
      await expect(card(page).getByRole('button', { name: 'Next' })).toBeInViewport({ ratio: 1 });
      await card(page).getByRole('button', { name: 'Next' }).tap();
      await expect(page).toHaveURL(new RegExp(`step=${step + 1}$`));
    }
  });

  test('a task by touch', async ({ page }) => {
    await openLesson(page, 'a-leader-is-elected', 6);
    await leader(page).tap();
    await page.getByRole('menuitem', { name: 'Crash' }).first().tap();
    await expect(said(page)).toContainText('leads no more');
  });
});

test('a reload midway comes back to the step, and so does Back', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Lessons' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /The leader crashes/ })
    .click();
  await press(page, 'Next');
  await press(page, 'Next');
  const words = await card(page).locator('h2').textContent();
  await page.reload();
  await expect(heading(page, words ?? '')).toBeVisible();
  await expect(page).toHaveURL(/#lesson=the-leader-crashes&step=3$/);
  // Back is the run that there was, and Forward the lesson.
  await page.goBack();
  await expect(card(page)).toBeHidden();
  await expect(page.locator('#seed-value')).toHaveText('7');
  await expect(page.locator('#logs-panel')).toBeVisible();
  await page.goForward();
  await expect(heading(page, words ?? '')).toBeVisible();
});

test('playing on keeps the run, and the whole page is there', async ({ page }) => {
  await openLesson(page, 'a-leader-is-elected', 4);
  await arrived(page);
  const before = await page.evaluate(() => /** @type {any} */ (window).raftarium.traceHash());
  await press(page, 'Play on from here');
  await expect(card(page)).toBeHidden();
  for (const there of ['#logs-panel', '#history-panel', '#tape', '#safety-row', '.speed', '#open-share']) {
    await expect(page.locator(there)).toBeVisible();
  }
  expect(await page.evaluate(() => /** @type {any} */ (window).raftarium.traceHash())).toBe(before);
  await expect(page).toHaveURL(/#run=/);
  await expect(page.locator('.spotlit')).toHaveCount(0);
  await page.locator('#play').click();
  await expect(page.locator('#play')).toHaveText('Pause');
});

test('what somebody does in a told step doesn’t get into the next', async ({ page }) => {
  await openLesson(page, 'a-leader-is-elected', 5);
  await leader(page).click();
  await pick(page, 'Crash');
  await press(page, 'Next');
  await expect(heading(page, 'Your turn: another leader')).toBeVisible();
  await expect(leader(page)).toHaveCount(1);
  await expect(said(page)).toHaveCount(0);
});

test('a task is undone by the tape and begun again, and a run that was another before it isn’t judged', async ({
  page,
}) => {
  await openLesson(page, 'a-leader-is-elected', 6);
  const from = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);
  const chief = await leaderId(page);
  await page.evaluate((id) => /** @type {any} */ (window).raftarium.act({ do: 'crash', server: (id % 5) + 1 }), chief);
  const crashAt = (/** @type {number} */ time) =>
    page.evaluate(
      ([at, id]) => {
        const { raftarium } = /** @type {any} */ (window);
        raftarium.pause();
        raftarium.seek(at);
        raftarium.act({ do: 'crash', server: id });
      },
      [time, chief],
    );
  await crashAt(from);
  await expect(said(page)).toContainText('leads no more');
  await press(page, 'Begin this step again');
  await expect(said(page)).toHaveCount(0);
  await expect(leader(page)).toHaveCount(1);
  await crashAt(from - 300_000);
  await expect(card(page).locator('.lesson-note')).toContainText('before it is different now');
});

test('a solved task is handed in as a link, which is judged anew', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openLesson(page, 'a-leader-is-elected', 6);
  await leader(page).click();
  await pick(page, 'Crash');
  await expect(said(page)).toContainText('leads no more');
  await press(page, 'Copy the link to my solution');
  await expect(page.locator('#toast')).toContainText('Copied');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/#lesson=a-leader-is-elected&step=6&run=/);
  const teacher = await context.newPage();
  await teacher.goto(link);
  await expect(said(teacher)).toContainText('leads no more');
  await expect(card(teacher).locator('.lesson-note')).toContainText('A link brought this solution');
  // One that solves nothing.
  const [, run] = (await page.evaluate(() => /** @type {any} */ (window).raftarium.run.link())).match(/(.*)/) ?? [];
  await openLesson(page, 'a-leader-is-elected', 6);
  const unsolved = await page.evaluate(() => /** @type {any} */ (window).raftarium.run.link());
  expect(unsolved).not.toBe(run);
  await teacher.goto('about:blank');
  await teacher.goto(`./#lesson=a-leader-is-elected&step=6&run=${unsolved}`);
  await expect(card(teacher).locator('.lesson-note')).toContainText('doesn’t solve this task');
});

test('less motion: a step is at its end at once', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openLesson(page, 'a-leader-is-elected', 2);
  await expect(page.getByRole('button', { name: /^S\d, candidate/ })).toBeVisible();
  await arrived(page);
  await press(page, 'Next');
  await press(page, 'Two');
  await expect(said(page)).toContainText('Two aren’t enough');
});

test('every step of every lesson is shown as it was planned', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  await page.getByRole('button', { name: 'Lessons' }).click();
  const items = page.getByRole('dialog').locator('.lesson-item');
  await expect(items.first()).toBeVisible();
  const count = await items.count();
  expect(count).toBeGreaterThanOrEqual(16);
  await items.first().click();
  let played = 0;
  for (let lesson = 0; lesson < count; lesson++) {
    await expect(card(page).locator('.lesson-count')).toHaveText(/^1 of/);
    const last = Number((await card(page).locator('.lesson-count').textContent())?.split(' of ')[1]);
    for (let step = 1; step <= last; step++) {
      await expect(card(page).locator('.lesson-count')).toHaveText(`${step} of ${last}`);
      await expect(page.locator('#trouble')).toBeHidden();
      expect(await page.evaluate(() => /** @type {any} */ (window).raftarium.run.differs)).toBe(false);
      await card(page)
        .getByRole('button', { name: /^(Next|All lessons)/ })
        .click();
      played++;
    }
  }
  expect(played).toBeGreaterThan(100);
  await expect(page.getByRole('dialog', { name: 'Lessons' })).toBeVisible();
});

for (const [theme, width, height] of /** @type {const} */ ([
  ['light', 1440, 900],
  ['dark', 1024, 768],
  ['light', 390, 844],
]))
  test(`axe finds nothing: ${theme}, ${width}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height });
    await openLesson(page, 'logs-are-repaired', 2);
    for (let step = 2; step <= 6; step++) {
      const kind = await card(page).getAttribute('data-kind');
      if (kind === 'predicted') {
        await card(page).locator('.answer').first().click();
        await expect(card(page).locator('.answer.right')).toBeVisible();
      }
      if (kind === 'done') await press(page, 'A hint');
      // On a phone, the way on stays over what is scrolled: at the end, nothing is half under it.
      await page.locator('#page').evaluate((node) => node.scrollTo({ top: node.scrollHeight }));
      await noViolations(page, `step ${step}, ${kind}`);
      await press(page, 'Next');
    }
    await page.getByRole('button', { name: 'Lessons', exact: true }).click();
    await noViolations(page, 'the list');
  });

test('a lesson in another language', async ({ page }) => {
  await openLesson(page, 'a-leader-is-elected', 3);
  await card(page).getByRole('combobox', { name: 'Language' }).selectOption('de');
  await expect(heading(page, 'Wie viele müssen ja sagen?')).toBeVisible();
  await expect(card(page).locator('.lesson-text')).toHaveAttribute('lang', 'de');
  await expect(page).toHaveURL(/step=3$/);
  // It is remembered, and others that haven't it speak English.
  await page.reload();
  await expect(heading(page, 'Wie viele müssen ja sagen?')).toBeVisible();
  await openLesson(page, 'a-vote-is-split');
  await expect(card(page).locator('.lesson-text')).toHaveAttribute('lang', 'en');
});

test('progress is kept, and can be cleared', async ({ page }) => {
  await openLesson(page, 'a-leader-is-elected', 7);
  await page.getByRole('button', { name: 'Lessons', exact: true }).click();
  const list = page.getByRole('dialog', { name: 'Lessons' });
  await expect(list).toContainText('1 of 17 done');
  await expect(list.locator('[aria-current]')).toContainText('A leader is elected');
  await list.getByRole('button', { name: 'Forget my progress' }).click();
  await expect(list).toContainText('0 of 17 done');
  expect(await page.evaluate(() => localStorage.getItem('raftarium.lessons'))).toBe(null);
});

test('a lesson in another page’s frame', async ({ page }) => {
  await open(page, '?embed#lesson=a-leader-is-elected&step=3');
  await expect(heading(page, 'How many must say yes?')).toBeVisible();
  await press(page, 'Three');
  await expect(said(page)).toContainText('a majority');
  const whole = page.getByRole('link', { name: 'Open in Raftarium' });
  await whole.hover();
  await expect(whole).toHaveAttribute('href', /\/#lesson=a-leader-is-elected&step=3$/);
});

test('what names no lesson says so', async ({ page }) => {
  await open(page, '#lesson=how-to-fly');
  await expect(page.getByRole('alert').filter({ hasText: 'There is no lesson “how-to-fly”' })).toBeVisible();
  await expect(page.locator('#logs-panel')).toBeVisible();
  await open(page, '?seed=8#teach=AAAA');
  await expect(page.getByRole('alert').filter({ hasText: 'no lesson that can be read' })).toBeVisible();
});

/** The example of the document. */
const example = async () => {
  const text = await readFile('docs/lessons.md', 'utf8');
  return text.split('```json\n')[1].split('```')[0];
};

test('a lesson of one’s own is dropped, and its address has all of it', async ({ page, context }) => {
  await open(page);
  await drop(page, 'mine.json', await example());
  await expect(heading(page, 'A leader')).toBeVisible();
  await press(page, 'Next');
  await press(page, 'Somebody');
  await expect(said(page)).toContainText('the two others are a majority');
  await press(page, 'Next');
  await page.evaluate(() => /** @type {any} */ (window).raftarium.act({ do: 'restart-all' }));
  await expect(said(page)).toContainText('All three run.');
  await expect(page).toHaveURL(/#teach=[\w-]+&step=3$/);
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(heading(other, 'Your turn')).toBeVisible();
});

test('a lesson that claims what isn’t so is refused, and says where', async ({ page }) => {
  await open(page);
  await drop(page, 'wrong.json', (await example()).replace('size(leaders) = 1', 'size(leaders) = 2'));
  const trouble = page.getByRole('alert').filter({ hasText: 'wrong.json can’t be opened as a lesson.' });
  await expect(trouble).toContainText('step 1, claim 1: “size(leaders) = 2” isn’t so');
  await expect(page.locator('#seed-value')).toHaveText('7');
});

test('another run leaves the lesson', async ({ page }) => {
  await openLesson(page, 'a-leader-is-elected', 3);
  await page.keyboard.press('n');
  await page.getByRole('dialog', { name: 'New run' }).getByRole('button', { name: 'Start' }).click();
  await expect(card(page)).toBeHidden();
  await expect(page.locator('#logs-panel')).toBeVisible();
  await expect(page).toHaveURL(/#run=/);
  await page.goBack();
  await expect(heading(page, 'How many must say yes?')).toBeVisible();
});

test('a lesson is presented in large', async ({ page }) => {
  await page.setViewportSize({ width: 1024, height: 768 });
  await openLesson(page, 'a-leader-is-elected', 3);
  const size = () =>
    card(page)
      .locator('.lesson-text p')
      .first()
      .evaluate((node) => getComputedStyle(node).fontSize);
  const before = parseFloat(await size());
  await page.keyboard.press('f');
  await expect.poll(async () => parseFloat(await size())).toBeGreaterThan(before);
  await page.keyboard.press('PageDown');
  await expect(heading(page, /^S\d leads$/)).toBeVisible();
  await page.keyboard.press('f');
  await expect.poll(async () => parseFloat(await size())).toBe(before);
});

test('a playlist is made of moments, saved, opened and played', async ({ page }) => {
  await open(page);
  const list = page.getByRole('dialog', { name: 'Playlist' });
  const collect = async (/** @type {string} */ note) => {
    await page.keyboard.press('s');
    await page.getByRole('dialog', { name: 'Share' }).getByRole('button', { name: 'Add to a playlist' }).click();
    await list.getByRole('button', { name: 'Add this moment' }).click();
    await list
      .getByRole('textbox', { name: /What is said/ })
      .last()
      .fill(note);
  };
  await page.keyboard.press('Space');
  await collect('It begins\nNobody has crashed yet.');
  await noViolations(page, 'the playlist');
  await page.keyboard.press('Escape');
  await server(page, 4).click();
  await pick(page, 'Crash');
  await collect('S4 is down\nThe others go on.');
  await list.getByRole('textbox', { name: 'Its title' }).fill('A short story');
  await list.getByRole('button', { name: 'Moment 2 earlier' }).click();
  await expect(list.getByRole('textbox', { name: /What is said/ }).first()).toHaveValue(/S4 is down/);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    list.getByRole('button', { name: 'Save as a file' }).click(),
  ]);
  const text = await readFile(await file.path(), 'utf8');
  await list.getByRole('button', { name: 'Empty it' }).click();
  await expect(list).toContainText('There is nothing in it yet');
  await page.keyboard.press('Escape');
  await drop(page, 'raftarium-playlist.json', text);
  await expect(card(page)).toContainText('A short story');
  await expect(heading(page, 'S4 is down')).toBeVisible();
  await expect(server(page, 4)).toHaveAccessibleName(/crashed/);
  await expect(page.locator('#logs-panel')).toBeVisible();
  await page.keyboard.press('PageDown');
  await expect(heading(page, 'It begins')).toBeVisible();
  await expect(card(page)).toContainText('Nobody has crashed yet.');
  await expect(server(page, 4)).not.toHaveAccessibleName(/crashed/);
  // What is none says so.
  await drop(page, 'broken.json', text.replace('"raftarium-playlist": 1', '"raftarium-playlist": 2'));
  await expect(page.getByRole('alert').filter({ hasText: 'broken.json' })).toContainText('another version');
});

test('sheets are printed with questions, tasks, terms and answers', async ({ page }) => {
  await page.addInitScript(() => (window.print = () => document.documentElement.toggleAttribute('data-printed', true)));
  await openLesson(page, 'a-leader-is-elected', 3);
  await page.getByRole('button', { name: 'Lessons', exact: true }).click();
  const list = page.getByRole('dialog', { name: 'Lessons' });
  await list.getByRole('button', { name: 'Print sheets' }).click();
  await expect(page.locator('html[data-printed]')).toBeAttached();
  await page.emulateMedia({ media: 'print' });
  const sheets = page.locator('#sheets');
  await expect(sheets).toBeVisible();
  await expect(sheets.getByRole('heading', { name: 'How many must say yes?' })).toBeVisible();
  await expect(sheets.locator('.boxes li')).toHaveCount(5);
  await expect(sheets.locator('dt')).toContainText(['follower']);
  await expect(sheets.getByRole('heading', { name: 'Answers' })).toBeVisible();
  await expect(sheets.locator('article').last()).toContainText('Three: Yes: three of five');
  await expect(page.locator('#ring')).toBeHidden();
  await page.emulateMedia({ media: 'screen' });
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  await expect(sheets).toHaveCount(0);
  expect(await answer(page).count()).toBe(1);
});

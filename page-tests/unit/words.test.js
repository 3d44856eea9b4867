// @ts-check
// What the page explains: every term that it marks, and what every violation means.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { meanings } from '../../www/words/meanings.js';
import { sources } from '../../www/words/sources.js';
import { aboutOf } from '../../www/run/about.js';
import * as appWords from '../../www/words/app.js';
import * as commonWords from '../../www/words/common.js';
import * as kitWords from '../../www/words/kit.js';
import * as panelsWords from '../../www/words/panels.js';
import * as shareWords from '../../www/words/share.js';
import * as stageWords from '../../www/words/stage.js';
import * as tapeWords from '../../www/words/tape.js';
import * as serverWords from '../../www/words/server.js';
import * as dialsWords from '../../www/words/dials.js';
import * as helpWords from '../../www/words/help.js';
import * as newRunWords from '../../www/words/new-run.js';
import { sameAs, terms } from '../../www/words/terms.js';

/**
 * All texts in a value; functions are called with something that fits most.
 * @param {unknown} value @returns {string[]}
 */
function texts(value) {
  if (typeof value === 'string') return [value];
  if (value && typeof value === 'object') return Object.values(value).flatMap(texts);
  return [];
}

/** @param {string} text */
const marked = (text) => [...text.matchAll(/\[([^\]]+)\]/g)].map(([, term]) => term);

const server = /** @type {any} */ ({ role: 'leader', member: true, term: 1, disk: 'normal', clockRate: 1e6 });
const view = /** @type {any} */ ({ up: true, snapshot: '4@1', round: 7, peers: [], sessions: [], voters: 'S1' });

test('every term that is marked in a text is explained', () => {
  const fixed = [
    appWords,
    commonWords,
    kitWords,
    panelsWords,
    shareWords,
    stageWords,
    tapeWords,
    helpWords,
    newRunWords,
    dialsWords,
  ]
    .flatMap((words) => Object.values(words))
    .filter((value) => typeof value !== 'function');
  const made = [...serverWords.inspector.state(server, view), dialsWords.dials.timingWords(/** @type {any} */ ({}))];
  const all = [...fixed, ...made].flatMap(texts).flatMap(marked);
  assert.ok(all.length > 30, `${all.length} terms are marked`);
  // These are marked where the text is made by the simulator, or may hold what a client wrote.
  for (const term of [...all, 'majority', 'commit', 'linearizable']) {
    assert.ok(Object.hasOwn(terms, sameAs[term] ?? term), `${term} is explained`);
  }
});

test('every word that stands for a term stands for one that is explained, and isn’t one itself', () => {
  for (const [word, term] of Object.entries(sameAs)) {
    assert.ok(Object.hasOwn(terms, term), `${word}: ${term}`);
    assert.ok(!Object.hasOwn(terms, word), word);
  }
});

test('what must be at hand is explained', () => {
  const wanted =
    'term quorum majority no-op session pre-candidate pre-vote learner match next committed applied linearizable lease ' +
    'snapshot check-quorum heartbeat follower candidate leader';
  const two = ['commit index', 'read index', 'joint consensus', 'election timeout'];
  for (const term of [...wanted.split(' '), ...two]) assert.ok(Object.hasOwn(terms, term), term);
  for (const says of [...Object.values(terms), ...Object.values(sources).flat()]) {
    assert.ok(says.length < 420, `short: ${says}`);
    assert.doesNotMatch(says, /\[|\s{2}/);
  }
});

test('every violation is explained by its own servers and entries', () => {
  const about = { servers: [2, 3], entries: [7, 9], leader: 3 };
  const none = { servers: [], entries: [], leader: 0 };
  // Of state machines of one's own, the page has none.
  const properties = [...panelsWords.safety.guarantees.keys()].filter((name) => name !== 'State Machine Contract');
  assert.deepEqual(Object.keys(meanings).sort(), properties.sort());
  for (const property of properties) {
    for (const known of [about, none]) assert.doesNotMatch(meanings[property](known), /undefined|NaN|null|S0|^[a-z]/);
  }
  assert.match(meanings['Election Safety'](about), /^S2 and S3 have both been elected/);
  assert.match(meanings['Election Safety']({ ...about, servers: [2] }), /^S2 leads without/);
  assert.match(meanings['Leader Completeness'](about), /^Entry 7 was committed.* S3 leads now without it/);
  assert.match(meanings['Exactly Once'](about), /executed at 7 and again at 9/);
});

test('what a violation is about comes as four numbers', () => {
  assert.deepEqual(aboutOf({ about: [(1 << 2) | (1 << 16), 7, 0, 0] }), { servers: [2, 16], entries: [7] });
  assert.deepEqual(aboutOf({ about: [0, 7, 9, 0] }), { servers: [], entries: [7, 9] });
  assert.deepEqual(aboutOf(null), { servers: [], entries: [] });
  assert.deepEqual(aboutOf({}), { servers: [], entries: [] });
});

const lessons = readFileSync('lessons/order.txt', 'utf8')
  .split(/\s+/)
  .filter(Boolean)
  .map((name) => ({ name, words: JSON.parse(readFileSync(`lessons/${name}.json`, 'utf8')).words }));

/** What a lesson says, step by step. @param {any} words @returns {string[]} */
const saidIn = ({ steps }) =>
  steps.map((/** @type {any} */ { heading, sentences, answers = [], hint = '', done = '' }) =>
    [
      heading,
      ...sentences,
      ...answers.flatMap((/** @type {any} */ { answer, reply }) => [answer, reply]),
      hint,
      done,
    ].join('\n'),
  );

test('every term that a lesson marks is explained', () => {
  let seen = 0;
  for (const { name, words } of lessons) {
    for (const said of Object.values(words).flatMap(saidIn)) {
      for (const [, , term] of said.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)) {
        assert.ok(Object.hasOwn(terms, sameAs[term] ?? term), `${name}: ${term}`);
        seen++;
      }
    }
  }
  assert.ok(seen > 40, `${seen} terms`);
});

/** Words that are terms in lessons only with others, or mean what they mean everywhere. */
const EVERYDAY = [
  'role',
  'vote',
  'log',
  'disk',
  'clock',
  'client',
  'match',
  'next',
  'round',
  'members',
  'index',
  'commit',
];

test('the lessons, read in order, explain a term where it first stands', () => {
  const all = lessons.flatMap(({ name, words }) => saidIn(words.en).map((said) => ({ name, said })));
  for (const term of Object.keys(terms).filter((term) => !EVERYDAY.includes(term))) {
    const word = new RegExp(`(?<![\\w-])${term}(s|es)?(?![\\w-])`, 'i');
    const first = all.find(({ said }) => word.test(said.replace(/\]\([^)]+\)/g, ']')) || said.includes(`](${term})`));
    if (!first) continue;
    assert.ok(first.said.includes(`](${term})`), `${first.name}: “${first.said}” doesn’t explain “${term}”`);
  }
});

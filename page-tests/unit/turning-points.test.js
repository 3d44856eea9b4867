// @ts-check
// When a run slows by itself, by how much, and for how long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurningPoints } from '../../www/app/turning-points.js';

/** @typedef {import('../../web/view.d.ts').Role} Role */

/**
 * A frame with servers in these roles.
 * @param {Role[]} roles
 * @param {{ epoch?: number, terms?: number[] }} [more]
 */
const frame = (roles, { epoch = 0, terms = [] } = {}) =>
  /** @type {any} */ ({ epoch, servers: roles.map((role, i) => ({ id: i + 1, role, term: terms[i] ?? 1 })) });

/**
 * The pace after each frame, of which there is one every 16 ms.
 * @param {TurningPoints} points @param {any} shown @param {number} speed @param {number} ms
 */
function play(points, shown, speed, ms) {
  let pace = 0;
  for (let at = 0; at < ms; at += 16) pace = points.paceAt(shown, speed, 16);
  return pace;
}

/** @type {Role[]} */ const CALM = ['leader', 'follower', 'follower'];
/** @type {Role[]} */ const CAMPAIGN = ['crashed', 'pre-candidate', 'follower'];
/** @type {Role[]} */ const CANDIDATE = ['crashed', 'candidate', 'follower'];
/** @type {Role[]} */ const NOBODY = ['crashed', 'follower', 'follower'];
/** @type {Role[]} */ const ELECTED = ['crashed', 'leader', 'follower'];

test('a run is slow from a campaign to its end, and a little longer, and then as fast as it was', () => {
  const points = new TurningPoints();
  assert.equal(play(points, frame(NOBODY), 1 / 25, 100), 1 / 25);
  assert.equal(play(points, frame(CAMPAIGN), 1 / 25, 1_500), 1 / 150);
  assert.equal(play(points, frame(CANDIDATE), 1 / 25, 1_500), 1 / 150);
  assert.equal(play(points, frame(ELECTED, { terms: [1, 2, 2] }), 1 / 25, 600), 1 / 150);
  assert.equal(play(points, frame(ELECTED, { terms: [1, 2, 2] }), 1 / 25, 4_000), 1 / 25);
});

test('it is slow after a crash, but not when one goes back to before it', () => {
  const points = new TurningPoints();
  play(points, frame(CALM), 1, 100);
  assert.equal(play(points, frame(NOBODY), 1, 1_000), 1 / 20);
  assert.equal(play(points, frame(NOBODY), 1, 4_000), 1);
  assert.equal(play(points, frame(CALM, { epoch: 1 }), 1, 100), 1);
  assert.equal(play(points, frame(NOBODY, { epoch: 2 }), 1, 500), 1);
});

test('it is never faster than chosen, and at most twenty times slower', () => {
  for (const [speed, slow] of [
    [1 / 1000, 1 / 1000],
    [1 / 200, 1 / 200],
    [1 / 25, 1 / 150],
    [1, 1 / 20],
    [10, 1 / 2],
  ]) {
    const points = new TurningPoints();
    play(points, frame(NOBODY), speed, 100);
    for (let at = 0; at < 60; at++) assert.ok(points.paceAt(frame(CAMPAIGN), speed, 16) <= speed);
    assert.ok(Math.abs(play(points, frame(CAMPAIGN), speed, 2_000) - slow) < slow / 1e6, `at ${speed}`);
  }
});

test('who campaigns in vain does not keep the run slow', () => {
  const points = new TurningPoints();
  play(points, frame(NOBODY), 1, 100);
  // It never ends.
  play(points, frame(CAMPAIGN), 1, 13_000);
  assert.equal(play(points, frame(CAMPAIGN), 1, 4_000), 1);
  // It begins again and again: the third time isn't slow any more, until somebody else leads.
  play(points, frame(NOBODY), 1, 4_000);
  assert.ok(play(points, frame(CAMPAIGN), 1, 1_000) < 1 / 10);
  play(points, frame(NOBODY), 1, 5_000);
  assert.equal(play(points, frame(CAMPAIGN), 1, 1_000), 1);
  play(points, frame(ELECTED, { terms: [1, 2, 2] }), 1, 5_000);
  play(points, frame(NOBODY), 1, 5_000);
  assert.ok(play(points, frame(CAMPAIGN), 1, 1_000) < 1 / 10);
});

test('switched off, it does nothing', () => {
  const points = new TurningPoints();
  points.on = false;
  play(points, frame(NOBODY), 1 / 25, 100);
  assert.equal(play(points, frame(CAMPAIGN), 1 / 25, 500), 1 / 25);
});

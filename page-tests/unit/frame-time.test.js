// @ts-check
// Which work a frame has time for.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { frameTime } from '../../www/kit/frame-time.js';

let clock = 0;
mock.method(performance, 'now', () => clock);

/** A frame of a run that plays. @param {number} spent ms that it has taken already */
function frame(spent) {
  clock += 16;
  frameTime.begin(true);
  clock += spent;
}

test('a piece is done early in a frame, and waits late in it', () => {
  const piece = {};
  frame(1);
  assert.equal(frameTime.has(piece), true);
  frame(2);
  assert.equal(frameTime.has(piece), false);
  frame(1);
  assert.equal(frameTime.has(piece), true);
});

test('no piece waits for ever, and one that is urgent waits as long as it says', () => {
  const waits = (/** @type {number | undefined} */ most) => {
    const piece = {};
    for (let frames = 0; ; frames++) {
      frame(3);
      if (frameTime.has(piece, most)) return frames;
    }
  };
  assert.equal(waits(undefined), 8);
  assert.equal(waits(1), 1);
});

test('of those that have waited too long, one is done in a frame', () => {
  const pieces = [{}, {}, {}];
  const done = [];
  for (let frames = 0; frames < 4; frames++) {
    frame(3);
    done.push(pieces.filter((piece) => frameTime.has(piece, 1)).length);
  }
  assert.deepEqual(done, [0, 1, 1, 1]);
});

test('while the run is paused, everything is done at once', () => {
  frameTime.begin(false);
  clock += 50;
  assert.equal(frameTime.has({}), true);
});

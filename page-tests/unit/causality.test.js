// @ts-check
// Happened-before, compared with what it means: whoever can be told by messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrived, conesOf } from '../../www/run/causality.js';

const KNOWN = 100;
/** @param {number} seed numbers from 0 to 1, the same every time */
function dice(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}
const message = (/** @type {object} */ of) => /** @type {any} */ ({ lost: 0, held: 0, ...of });

test('what was lost, is held or is on its way has not arrived', () => {
  assert.equal(arrived(message({ arrives: 50 }), 50), true);
  assert.equal(arrived(message({ arrives: 51 }), 50), false);
  assert.equal(arrived(message({ arrives: 20, lost: 10 }), 50), false);
  assert.equal(arrived(message({ arrives: 20, held: 10 }), 50), false);
});

test('the past of a moment is what it can have heard of, its future who can have heard of it', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const roll = dice(seed);
    const messages = Array.from({ length: 30 }, (_, id) => {
      const from = 1 + Math.floor(roll() * 4);
      const to = 1 + ((from + Math.floor(roll() * 3)) % 4);
      const sent = Math.floor(roll() * 90);
      return message({
        id,
        from,
        to,
        sent,
        arrives: sent + 1 + Math.floor(roll() * 20),
        lost: roll() < 0.2 ? sent + 1 : 0,
      });
    });
    const from = { lane: 1 + Math.floor(roll() * 4), time: Math.floor(roll() * 100) };
    const { past, future, messages: by } = conesOf(messages, KNOWN, from);
    // By steps until nothing is added, instead of in one pass.
    const told = messages.filter((each) => arrived(each, KNOWN));
    const heard = new Map([[from.lane, from.time]]);
    const tells = new Map([[from.lane, from.time]]);
    for (let changed = true; changed;) {
      changed = false;
      for (const { from: a, to: b, sent, arrives } of told) {
        if (arrives <= (heard.get(b) ?? -1) && sent > (heard.get(a) ?? -1)) changed = !!heard.set(a, sent);
        if (sent >= (tells.get(a) ?? Infinity) && arrives < (tells.get(b) ?? Infinity))
          changed = !!tells.set(b, arrives);
      }
    }
    assert.deepEqual(past, heard, `past, seed ${seed}`);
    assert.deepEqual(future, tells, `future, seed ${seed}`);
    for (const { id, from: a, to: b, sent, arrives } of told) {
      const carries = arrives <= (past.get(b) ?? -1) || sent >= (future.get(a) ?? Infinity);
      assert.equal(by.has(id), carries, `message ${id}, seed ${seed}`);
    }
  }
});

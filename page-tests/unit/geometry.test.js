// @ts-check
// The ring's geometry: everything is on the stage, nothing on top of something else, and what is
// near a point is found there.
import './browser.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clientAt,
  lane,
  layOut,
  linkNear,
  linkSpot,
  messageNear,
  messageSpot,
  pairs,
} from '../../www/stage/geometry.js';

const STAGES = [
  [320, 256],
  [320, 400],
  [390, 320],
  [640, 500],
  [1024, 600],
  [1920, 900],
];
/**
 * Every stage with every number of servers.
 * @param {(layout: ReturnType<typeof layOut>, n: number) => void} check
 */
function everywhere(check) {
  for (const [width, height] of STAGES) for (let n = 1; n <= 16; n++) check(layOut(width, height, n), n);
}
const apart = (/** @type {any} */ p, /** @type {any} */ q) => Math.hypot(p.x - q.x, p.y - q.y);

test('every server has a place, and none lies on another', () => {
  everywhere((layout, n) => {
    assert.equal(layout.servers.length, n);
    assert.equal(layout.above.length, n);
    const { width, height, node } = layout;
    for (const { x, y } of layout.servers) {
      // Where the stage is lower than a ring can be, it may stand out of it by a part of a server.
      assert.ok(x > 0 && x < width && y > -node && y < height + node, `${n} on ${width} × ${height}: ${x}, ${y}`);
    }
    if (n > 9) return;
    for (const [a, b] of pairs(n)) {
      const distance = apart(layout.servers[a - 1], layout.servers[b - 1]);
      assert.ok(distance > 1.3 * node, `S${a}, S${b} of ${n} on ${width} × ${height}: ${distance}, ${node}`);
    }
  });
});

test('the first server is on top, and the ring is even', () => {
  for (let n = 3; n <= 9; n++) {
    const { centre, radius, servers } = layOut(1000, 800, n);
    assert.ok(Math.abs(servers[0].x - centre.x) < 1e-9 && servers[0].y < centre.y);
    for (const server of servers) assert.ok(Math.abs(apart(server, centre) - radius) < 1e-6);
  }
});

test('four clients stand in four corners', () => {
  const layout = layOut(800, 600, 5);
  const corners = [1, 2, 3, 4].map((number) => clientAt(layout, number));
  assert.equal(new Set(corners.map(({ x, y }) => `${x < 400} ${y < 300}`)).size, 4);
});

test('a message goes from its sender to its receiver, and stays where it is lost or held', () => {
  const layout = layOut(800, 600, 5);
  const message = { from: 1, to: 3, sent: 1000, arrives: 3000, lost: 0, held: 0 };
  const at = (/** @type {object} */ change, /** @type {number} */ now) =>
    messageSpot(layout, /** @type {any} */ ({ ...message, ...change }), now);
  assert.equal(at({}, 0).part, 0);
  assert.equal(at({}, 2000).part, 0.5);
  assert.equal(at({}, 9000).part, 1);
  const [begin, end] = [at({}, 1000), at({}, 3000)];
  assert.ok(apart(begin.at, layout.servers[0]) < apart(begin.at, layout.servers[2]));
  assert.ok(apart(end.at, layout.servers[2]) < apart(end.at, layout.servers[0]));
  assert.deepEqual([at({ lost: 1500 }, 2500).part, at({ lost: 1500 }, 2500).gone], [0.25, true]);
  assert.deepEqual([at({ lost: 1500 }, 1200).part, at({ lost: 1500 }, 1200).gone], [0.1, false]);
  assert.equal(at({ held: 1600 }, 2500).part, 0.3);
});

test('both directions of a link can be told apart', () => {
  everywhere((layout, n) => {
    for (const [a, b] of pairs(Math.min(n, 9))) {
      const [there, back] = [lane(layout, a, b).at(0.5), lane(layout, b, a).at(0.5)];
      assert.ok(apart(there, back) > 10, `S${a} and S${b} of ${n}`);
    }
  });
});

test('a link is found in its middle, at the place where it can be pressed', () => {
  for (let n = 2; n <= 9; n++) {
    const layout = layOut(1000, 800, n);
    const spots = pairs(n).map(([a, b]) => linkSpot(layout, a, b));
    spots.forEach((spot, i) => {
      for (const other of spots.slice(i + 1)) assert.ok(apart(spot, other) > 4, `two links of ${n} in one place`);
    });
    for (const [a, b] of pairs(n)) {
      const found = linkNear(layout, linkSpot(layout, a, b), 1);
      // Where several cross there, one of them is found.
      assert.ok(found, `S${a} and S${b} of ${n}`);
      if (n <= 3) assert.deepEqual(found, [a, b]);
    }
    assert.equal(linkNear(layout, layout.servers[0], 10), null);
  }
});

test('the nearest message that is shown is found', () => {
  const layout = layOut(800, 600, 3);
  const view = (/** @type {number} */ id, /** @type {number} */ to) => ({
    id,
    from: 1,
    to,
    sent: 0,
    arrives: 10,
    lost: 0,
    held: 0,
  });
  const frame = /** @type {any} */ ({ now: 5, messages: [view(1, 2), view(2, 3)] });
  const { at } = messageSpot(layout, frame.messages[1], 5);
  assert.equal(messageNear(layout, frame, at, 9, () => true)?.id, 2);
  assert.equal(
    messageNear(layout, frame, at, 9, ({ id }) => id === 1),
    null,
  );
  assert.equal(
    messageNear(layout, frame, { x: at.x, y: at.y + 50 }, 9, () => true),
    null,
  );
});

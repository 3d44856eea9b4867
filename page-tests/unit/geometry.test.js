// @ts-check
// The ring's geometry: everything is on the stage, nothing on top of something else, and what is
// near a point is found there.
import './browser.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clientAt,
  clientBox,
  isClear,
  labelBox,
  lane,
  layOut,
  linkNear,
  linkSpot,
  messageNear,
  messageSpot,
  pairs,
} from '../../www/stage/geometry.js';

const STAGES = [
  [320, 200],
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
    assert.equal(layout.labels.length, n);
    const { width, height, node } = layout;
    for (const { x, y } of layout.servers) {
      // Where the stage is lower than a ring can be, it may stand out of it by a part of a server.
      assert.ok(x > 0 && x < width && y > -node && y < height + node, `${n} on ${width} × ${height}: ${x}, ${y}`);
    }
    for (const [a, b] of pairs(n)) {
      const distance = apart(layout.servers[a - 1], layout.servers[b - 1]);
      assert.ok(distance > 2.3 * node, `S${a}, S${b} of ${n} on ${width} × ${height}: ${distance}, ${node}`);
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

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */
const overlap = (/** @type {Box} */ a, /** @type {Box} */ b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
/** Every size of a stage that a window may give it, from a small phone's to a projector's. */
const sizes = [320, 354, 390, 460, 654, 844, 1024, 1440, 1920].flatMap((width) =>
  [200, 256, 320, 390, 480, 620, 900].map((height) => [width, height]),
);

test('no name and no role lies on another, on a server, or off the stage', () => {
  for (const [width, height] of sizes) {
    for (let n = 1; n <= 16; n++) {
      const layout = layOut(width, height, n);
      const { labels, label, brief, servers, node } = layout;
      assert.ok(isClear(layout), `${n} on ${width} × ${height}, ${brief ? 'names' : 'names and roles'}`);
      // Told apart from isClear, which chooses: boxes of the longest words, letter by letter.
      const words = brief ? 'S16' : 'S16 pre-candidate';
      labels.forEach((one, i) => {
        assert.ok(one.right - one.left > words.length * label * 0.59, `S${i + 1} of ${n} on ${width} × ${height}`);
        for (const other of labels.slice(i + 1)) assert.ok(!overlap(labelBox(one, label), labelBox(other, label)));
        // Its own server is next to it.
        const near = { x: Math.max(one.left, Math.min(servers[i].x, one.right)), y: one.y - label / 3 };
        assert.ok(apart(near, servers[i]) < node * 1.22 + 34, `S${i + 1} of ${n} on ${width} × ${height}`);
      });
    }
  }
});

test('roles are said where there is room for them', () => {
  for (const [width, height, n] of [
    [390, 320, 5],
    [654, 400, 9],
    [654, 480, 13],
    [1024, 620, 16],
  ])
    assert.equal(layOut(width, height, n).brief, false, `${n} on ${width} × ${height}`);
});

test('clients lie on nothing and on no other, however many there are', () => {
  for (const [width, height] of sizes) {
    for (const n of [1, 5, 9, 16]) {
      for (const count of [1, 2, 4, 9, 17, 30]) {
        const { clients, labels, label, servers, node } = layOut(width, height, n, undefined, count);
        const where = `${count} clients, ${n} servers, ${width} × ${height}`;
        assert.equal(clients.length, count);
        // Those for whom there is no room stand where the last one does.
        const places = [...new Set(clients)];
        if (height >= 256) assert.ok(places.length >= Math.min(count, 4), where);
        if (width >= 654 && height >= 480 && count <= 17) assert.equal(places.length, count, where);
        places.forEach((client, i) => {
          const box = clientBox(client);
          assert.ok(box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height, where);
          for (const other of places.slice(i + 1)) assert.ok(!overlap(box, clientBox(other)), where);
          for (const one of labels) assert.ok(!overlap(box, labelBox(one, label)), where);
          for (const at of servers) {
            const [x, y] = [
              Math.max(box.left, Math.min(at.x, box.right)),
              Math.max(box.top, Math.min(at.y, box.bottom)),
            ];
            assert.ok(apart({ x, y }, at) >= node, where);
          }
        });
      }
    }
  }
});

test('a client keeps its place when a server is added', () => {
  assert.deepEqual(layOut(800, 600, 6, undefined, 4).clients, layOut(800, 600, 5, undefined, 4).clients);
});

test('who is hidden leaves no gap', () => {
  const layout = layOut(800, 600, 7, [1, 2, 4, 5, 7]);
  const five = layOut(800, 600, 5);
  assert.deepEqual(
    [1, 2, 4, 5, 7].map((id) => layout.servers[id - 1]),
    five.servers,
  );
  assert.equal(linkNear(layout, layout.centre, 30)?.some((id) => id === 3 || id === 6) ?? false, false);
});

test('four clients stand in four corners', () => {
  const layout = layOut(800, 600, 5, undefined, 4);
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

test('a lane is found once, and is another one on another stage', () => {
  const [layout, larger] = [layOut(800, 600, 5), layOut(1600, 900, 5)];
  assert.equal(lane(layout, 1, 3), lane(layout, 1, 3));
  const all = [lane(layout, 1, 3), lane(layout, 3, 1), lane(layout, -1, 3), lane(larger, 1, 3)];
  assert.equal(new Set(all.map(({ angle, length }) => `${angle} ${length}`)).size, 4);
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

// @ts-check
// Draws a server. Its shape and a word show the role; its hue and a number show the term. The arc
// is the time left until it stands for election (for a leader: until its next heartbeat). The small
// discs are votes.

/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../../web/view.d.ts').Role} Role */
/** @typedef {import('./geometry.js').Layout} Layout */
/** @typedef {import('../draw/palette.js').Palette} Palette */

import { drawConditions } from './conditions.js';
import * as common from '../words/common.js';

/**
 * @param {CanvasRenderingContext2D} c
 * @param {number} sides
 * @param {number} radius
 * @param {number} turn
 */
function polygon(c, sides, radius, turn) {
  c.beginPath();
  for (let k = 0; k < sides; k++) {
    const angle = turn + (k * 2 * Math.PI) / sides;
    c.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
  }
  c.closePath();
}

/**
 * The shape of a role around the origin.
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Role} role
 * @param {number} term
 * @param {number} r
 */
export function drawRole(c, palette, role, term, r) {
  const hue = palette.term(term);
  c.save();
  c.lineJoin = c.lineCap = 'round';
  c.strokeStyle = hue;
  c.fillStyle = palette.fill(term);
  c.lineWidth = Math.max(1.5, r * 0.065);
  switch (role) {
    case 'leader':
      c.lineWidth *= 1.25;
      polygon(c, 6, r * 1.02, 0);
      c.fill();
      c.stroke();
      c.lineWidth = Math.max(1.25, r * 0.045);
      polygon(c, 6, r * 1.22, 0);
      c.stroke();
      break;
    case 'candidate':
    case 'pre-candidate':
      c.lineCap = role === 'candidate' ? 'butt' : 'round';
      c.setLineDash(role === 'candidate' ? [r * 0.24, r * 0.12] : [0.1, r * 0.16]);
      polygon(c, 4, r * 1.14, 0);
      c.fill();
      c.stroke();
      break;
    case 'crashed':
      c.strokeStyle = palette.ink2;
      c.lineWidth = 1.5;
      c.setLineDash([1, 5]);
      c.beginPath();
      c.arc(0, 0, r, 0, 2 * Math.PI);
      c.stroke();
      c.setLineDash([]);
      c.lineWidth = Math.max(1.75, r * 0.065);
      c.beginPath();
      c.moveTo(-r * 0.28, -r * 0.28);
      c.lineTo(r * 0.28, r * 0.28);
      c.moveTo(r * 0.28, -r * 0.28);
      c.lineTo(-r * 0.28, r * 0.28);
      c.stroke();
      break;
    default:
      if (role === 'learner') c.setLineDash([r * 0.5, r * 0.12]);
      c.beginPath();
      c.arc(0, 0, r, 0, 2 * Math.PI);
      c.fill();
      c.stroke();
  }
  c.restore();
}

/**
 * Draws a part of a picture, or copies it if it has been drawn already; see stamps.js.
 * @typedef {(name: string, key: string, boxOf: () => import('./geometry.js').Box,
 *   draw: (c: CanvasRenderingContext2D) => void) => void} Put
 */

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Layout} layout
 * @param {ServerView} server
 * @param {{ lit: boolean, hop: boolean, hearing: { muted: boolean, deaf: boolean } }} how
 * @param {Put} put
 */
export function drawServer(c, palette, layout, server, { lit, hop, hearing }, put) {
  const { x, y } = layout.servers[server.id - 1];
  const { id, role, term, member } = server;
  const r = layout.node;
  // A server that isn't a member (any more, or not yet) is faint.
  const alpha = member ? 1 : 0.4;
  const up = role !== 'crashed';
  const within = (/** @type {(c: CanvasRenderingContext2D) => void} */ draw) => {
    return (/** @type {CanvasRenderingContext2D} */ c) => {
      c.save();
      c.translate(x, y);
      draw(c);
      c.restore();
    };
  };
  within(() => {
    // The links end at the server's edge.
    c.fillStyle = palette.paper;
    c.beginPath();
    c.arc(0, 0, r + 13, 0, 2 * Math.PI);
    c.fill();
    if (lit) {
      c.strokeStyle = palette.accent;
      c.lineWidth = 1.5;
      c.beginPath();
      c.arc(0, 0, r * 1.22 + 11, 0, 2 * Math.PI);
      c.stroke();
    }
    c.globalAlpha = alpha;
    if (up) drawTimer(c, palette, server, r, hop);
  })(c);
  const reach = r * 1.3 + 2;
  put(
    `S${id}`,
    `${role} ${term} ${member}`,
    () => ({ left: x - reach, right: x + reach, top: y - reach, bottom: y + reach }),
    within((c) => {
      c.globalAlpha = alpha;
      drawRole(c, palette, role, term, r);
      if (up) drawTerm(c, palette, term, r);
    }),
  );
  within(() => {
    c.globalAlpha = alpha;
    c.lineCap = 'round';
    drawConditions(c, palette, server, r, hearing);
  })(c);
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {ServerView} server
 * @param {number} r
 * @param {boolean} hop
 */
function drawTimer(c, palette, server, r, hop) {
  const leader = server.role === 'leader';
  const radius = r * 1.22 + (leader ? 6 : 4);
  const left = hop ? Math.ceil(server.timer * 8) / 8 : server.timer;
  c.lineCap = 'round';
  c.lineWidth = leader ? 1.5 : 3;
  c.strokeStyle = palette.line;
  c.beginPath();
  c.arc(0, 0, radius, 0, 2 * Math.PI);
  c.stroke();
  if (left <= 0) return;
  c.strokeStyle = palette.term(server.term);
  c.globalAlpha = leader ? 0.6 : 1;
  c.beginPath();
  c.arc(0, 0, radius, -Math.PI / 2, -Math.PI / 2 + left * 2 * Math.PI);
  c.stroke();
  c.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {number} term
 * @param {number} r
 */
function drawTerm(c, palette, term, r) {
  c.textAlign = 'center';
  c.textBaseline = 'alphabetic';
  const roomy = r >= 28;
  if (roomy) {
    c.fillStyle = palette.ink2;
    c.font = `${Math.round(r * 0.32)}px ${palette.sans}`;
    c.fillText(common.term, 0, -r * 0.2);
  }
  const digits = String(term).length;
  c.fillStyle = palette.term(term);
  c.font = `700 ${Math.round(r * (roomy ? 0.64 : 0.8) * (digits > 2 ? 0.75 : 1))}px ${palette.mono}`;
  c.fillText(String(term), 0, r * (roomy ? 0.42 : 0.28));
}

/**
 * A server's name, role and votes; drawn after the messages, so that words stay readable.
 * @param {Palette} palette @param {Layout} layout @param {ServerView} server @param {Put} put
 */
export function putName(palette, layout, server, put) {
  const { id, role, member, term, votes } = server;
  put(
    `name of S${id}`,
    `${role} ${member} ${votes.length ? `${term} ${votes}` : ''}`,
    () => nameBox(layout, server),
    (c) => drawName(c, palette, layout, server),
  );
}

/**
 * What a name and its votes don't reach beyond.
 * @param {Layout} layout @param {ServerView} server
 */
function nameBox({ servers, labels, label }, { id, votes }) {
  const { x } = servers[id - 1];
  const { left, right, y, above } = labels[id - 1];
  // Where there are many, there are at least four in a row; where there are few, nine.
  const aside = Math.max(70, 20 * label);
  const down = votes.length ? 24 + 13 * Math.ceil(votes.length / 4) : 0;
  return {
    left: Math.min(left, x) - aside,
    right: Math.max(right, x) + aside,
    top: y - label - (above ? down : 0) - 8,
    bottom: y + 8 + (above ? 0 : down),
  };
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Layout} layout
 * @param {ServerView} server
 */
function drawName(c, palette, layout, server) {
  c.save();
  c.translate(layout.servers[server.id - 1].x, layout.servers[server.id - 1].y);
  const size = layout.label;
  // On a small stage these stand closer together, so that votes are not cut off.
  const tight = layout.node <= 26;
  const { x: at, y: level } = layout.servers[server.id - 1];
  const room = layout.labels[server.id - 1];
  const y = room.y - level;
  const word = layout.brief ? '' : common.roleWord(server);
  const name = `S${server.id}${word && ' '}`;
  c.textAlign = 'left';
  c.textBaseline = 'alphabetic';
  const bold = `650 ${size}px ${palette.sans}`;
  const plain = `${size}px ${palette.sans}`;
  c.font = bold;
  const first = c.measureText(name).width;
  c.font = plain;
  const whole = first + c.measureText(word).width;
  const [least, most] = [room.left - at, room.right - at - whole];
  const wanted = { left: least, center: -whole / 2, right: most }[room.align];
  const left = Math.max(least, Math.min(wanted, most));
  c.strokeStyle = palette.paper;
  c.lineWidth = 4;
  c.lineJoin = 'round';
  c.font = bold;
  c.strokeText(name, left, y);
  c.fillStyle = palette.ink;
  c.fillText(name, left, y);
  c.font = plain;
  c.strokeText(word, left + first, y);
  c.fillStyle = palette.ink2;
  c.fillText(word, left + first, y);
  if (server.votes.length) {
    // In rows, so that they stay in their server's part of the stage.
    const scale = tight ? 0.75 : 1;
    const row = layout.shown.length > 9 ? Math.max(4, Math.floor((room.right - room.left) / (13 * scale))) : 99;
    const middle = room.align === 'center' ? 0 : left + Math.min(whole, server.votes.length * 13 * scale) / 2;
    const first = room.above ? y - size - (tight ? 3 : 6) : y + (tight ? 9 : 12);
    drawVotes(c, palette, server, { x: middle, y: first, row, scale, down: room.above ? -1 : 1 });
  }
  c.restore();
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {ServerView} server
 * @param {{ x: number, y: number, row: number, scale: number, down: 1 | -1 }} place where the first
 * row of votes has its middle, how many stand in a row, and where the next row is
 */
function drawVotes(c, palette, { votes, term }, { x, y, row, scale, down }) {
  const hue = palette.term(term);
  c.translate(x, y);
  c.scale(scale, scale);
  const width = Math.min(row, votes.length);
  votes.forEach((vote, k) => {
    drawVote(c, palette, vote, hue, ((k % row) - (width - 1) / 2) * 13, down * Math.floor(k / row) * 13);
  });
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {import('../../web/view.d.ts').Ballot} vote
 * @param {string} hue @param {number} x @param {number} y
 */
export function drawVote(c, palette, vote, hue, x, y) {
  c.beginPath();
  c.arc(x, y, 4.25, 0, 2 * Math.PI);
  c.lineWidth = 1.5;
  c.strokeStyle = vote === 'refused' ? palette.danger : hue;
  c.fillStyle = vote === 'granted' ? hue : palette.paper;
  c.setLineDash(vote === 'waiting' ? [2, 2.4] : []);
  c.fill();
  c.stroke();
  c.setLineDash([]);
  if (vote !== 'refused') return;
  c.beginPath();
  c.moveTo(x - 3, y + 3);
  c.lineTo(x + 3, y - 3);
  c.stroke();
}

/**
 * A client: a small prompt in a corner of the stage.
 * @param {CanvasRenderingContext2D} c @param {Palette} palette
 * @param {import('./geometry.js').Client} at @param {number} number @param {number} size
 */
export function drawClient(c, palette, at, number, size) {
  const mine = number === 1;
  c.save();
  c.translate(at.x, at.y);
  c.strokeStyle = c.fillStyle = mine ? palette.accent : palette.ink2;
  c.lineWidth = 1.5;
  c.lineJoin = c.lineCap = 'round';
  c.save();
  if (at.small) {
    c.translate(0, -3);
    c.scale(0.7, 0.7);
  }
  c.beginPath();
  c.roundRect(-12, -9, 24, 18, 4);
  c.stroke();
  c.beginPath();
  c.moveTo(-7, -3.5);
  c.lineTo(-3, 0);
  c.lineTo(-7, 3.5);
  c.moveTo(0, 4);
  c.lineTo(6, 4);
  c.stroke();
  c.restore();
  const letters = at.small ? 10 : size;
  c.font = `${mine ? 650 : 400} ${letters}px ${palette.sans}`;
  c.textAlign = 'center';
  c.textBaseline = 'alphabetic';
  const words = at.small && !mine ? String(number) : common.clientName(number);
  const half = c.measureText(words).width / 2;
  const shift = Math.max(0, half + 2 - at.x);
  c.fillText(words, shift, (at.small ? 5 : 11) + letters);
  c.restore();
}

// @ts-check
// Scenario files (JSON, docs/formats.md), and single actions, from and to the bytes within a link
// (raft-core/src/format/link.rs). Only the form is known here: whether it makes a run is for the
// simulator to judge. The tables are the library's own: `cargo xtask build` writes them.

/** @typedef {import('../pkg/tables.js').Action} Action */

import { fields as FIELDS, actions as ACTIONS, kinds as KINDS, order as ORDER } from '../pkg/tables.js';
import { guarantees as GUARANTEES, parameters as PARAMETERS, rules as RULES } from '../pkg/tables.js';
import { scenario as words } from '../words/strings.js';

/**
 * What was found in a run, as whoever handed it on says; its facts may be empty.
 * @typedef {Omit<import('../../web/view.d.ts').ViolationView, 'about'>} Found
 */

/** A file that can't be read: a sentence for a person. */
export class FileError extends Error {}

/** The most bytes of a file. */
export const BYTES_MAX = 16 * 1024 * 1024;

const VERSION = 1;
/** The most characters of a fact that was found. */
const FACT_MAX = 2_000;
/** The end of a link's run that says none: no run is longer, in microseconds. */
export const WHOLE_RUN = 86_400_000_000n;
const U64 = (1n << 64n) - 1n;
const U32 = (1n << 32n) - 1n;

/** By the name of a field: its name in files, its type, and its place there. */
const FIELD = new Map(FIELDS.map(([field, name, type], place) => [field, { name, type, place }]));
/** A target is called a server in a file. @param {string} field */
const nameOf = (field) => FIELD.get(field)?.name ?? '';
/** @param {string} field */
const typeOf = (field) => TYPES[FIELD.get(field)?.type ?? ''];

/** @param {string} sentence @returns {never} */
function fail(sentence) {
  throw new FileError(sentence);
}

/**
 * Does something. If that fails, the error also says in which place of the file.
 * @template T @param {string} place @param {() => T} work @returns {T}
 */
function within(place, work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof FileError) error.message = `${place}: ${error.message}`;
    throw error;
  }
}

// Bytes. A number has seven bits a byte, lowest first, the top bit set on all but the last.

class Writer {
  /** @type {number[]} */ bytes = [];

  /** @param {bigint} value */
  number(value) {
    for (; value > 127n; value >>= 7n) this.bytes.push(Number(value & 127n) | 128);
    this.bytes.push(Number(value));
  }
}

class Reader {
  #at = 0;
  #bytes;

  /** @param {Uint8Array} bytes made by the simulator: nothing is missing in them */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  byte() {
    return this.#bytes[this.#at++];
  }

  /** @param {number} count */
  take(count) {
    return this.#bytes.subarray(this.#at, (this.#at += count));
  }

  number() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
}

// Values. Numbers are BigInts, since they go up to 2⁶⁴.

/**
 * A whole number, with the decimal point moved to the left.
 * @param {bigint} number
 * @param {number} places
 */
function decimal(number, places) {
  const digits = String(number).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
}

/**
 * A decimal number as a whole one, with the point moved to the right.
 * @param {string} whole
 * @param {string | undefined} rest
 * @param {number} places
 * @param {string} text
 */
function scaled(whole, rest, places, text) {
  const digits = (rest ?? '').replace(/0+$/, '');
  if (digits.length > places) fail(words.tooFine(text));
  return BigInt(whole + digits.padEnd(places, '0'));
}

/** What a sentence says of a value that isn't as it should be. @param {unknown} json */
const quoted = (json) => {
  if (json === undefined) return fail(words.absent);
  const text = String(typeof json === 'string' ? json.replace(/^\0/, '') : JSON.stringify(json));
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
};

/** @param {unknown} json @param {bigint} most @returns {bigint} */
function whole(json, most) {
  const large = typeof json === 'string' && json[0] === '\0' && BigInt(json.slice(1));
  const found = large || (Number.isSafeInteger(json) ? BigInt(Number(json)) : -1n);
  return found >= 0n && found <= most ? found : fail(words.noCount(quoted(json), most));
}

/** @param {unknown} json @param {(text: string) => string} no */
const match = (json, /** @type {RegExp} */ form, no) =>
  (typeof json === 'string' && form.exec(json)) || fail(no(quoted(json)));

/**
 * How many digits after the point count, and how many micros one is.
 * @type {Record<string, [number, bigint]>}
 */
const UNITS = { us: [0, 1n], µs: [0, 1n], ms: [3, 1n], s: [6, 1n], min: [6, 60n], h: [6, 3600n] };

/** @param {unknown} json */
function length(json) {
  const [text, number, rest, unit] = match(json, /^(\d+)(?:\.(\d+))?\s*(us|µs|ms|min|s|h)$/, words.noLength);
  const [places, times] = UNITS[unit];
  const micros = scaled(number, rest, places, text) * times;
  return micros <= U64 ? micros : fail(words.tooMuch(text));
}

/** @param {bigint} micros */
const lengthText = (micros) => {
  if (micros === 0n) return '0s';
  if (micros < 1_000n) return `${micros}us`;
  return micros < 1_000_000n ? `${decimal(micros, 3)}ms` : `${decimal(micros, 6)}s`;
};

/** @param {unknown} json */
function share(json) {
  const [text, number, rest] = match(json, /^(\d+)(?:\.(\d+))?\s*%$/, words.noShare);
  const millionths = scaled(number, rest, 4, text);
  return millionths <= U32 ? millionths : fail(words.tooMuch(text));
}

/** @param {unknown} json */
const serverNumber = (json) => Number(match(json, /^S([1-9]\d?)$/, words.noServer)[1]);

/** As scripts have it: its number, or what a file has. @param {any} value */
const serverOf = (value) => (Number.isInteger(value) && value > 0 && value < 255 ? value : serverNumber(value));

/** Numbers near 0 become small ones, whatever their sign. @param {bigint} value */
const zigzag = (value) => (value < 0n ? value * -2n - 1n : value * 2n);

const TARGETS = new Map([
  ['leader', 0],
  ['writer', 255],
]);

/** As a script has it: the byte itself, the text, the list. @param {any} value */
const same = (value) => value;

const number = {
  from: (/** @type {any} */ value) => {
    if (!Number.isFinite(Number(value))) fail(words.noNumber(quoted(value)));
    return /** @type {any} */ (BigInt(Math.trunc(Number(value))));
  },
  put: (/** @type {Writer} */ out, /** @type {any} */ value) => out.number(value),
  get: (/** @type {Reader} */ bytes) => /** @type {any} */ (bytes.number()),
};
const byte = {
  from: same,
  put: (/** @type {Writer} */ out, /** @type {any} */ value) => void out.bytes.push(value),
  get: (/** @type {Reader} */ bytes) => /** @type {any} */ (bytes.byte()),
};
/**
 * How values are read from the file (`parse`) or a script (`from`), written to the file (`print`)
 * and the bytes (`put`), and read from those (`get`).
 * @type {Record<string, { parse: (json: any) => any, print: (value: any) => unknown } & typeof
 * number>}
 */
const TYPES = {
  length: { ...number, parse: length, print: lengthText },
  share: { ...number, parse: share, print: (value) => `${decimal(value, 4)}%` },
  jump: {
    from: number.from,
    parse: (json) => {
      const back = typeof json === 'string' && json[0] === '-';
      const micros = length(back ? json.slice(1) : json);
      if (micros > U64 / 2n) fail(words.tooMuch(json));
      return back ? -micros : micros;
    },
    print: (value) => (value < 0n ? `-${lengthText(BigInt(-value))}` : lengthText(value)),
    put: (out, value) => out.number(zigzag(value)),
    get: (bytes) => {
      const folded = bytes.number();
      return folded % 2n ? (folded + 1n) / -2n : folded / 2n;
    },
  },
  flag: {
    ...number,
    parse: (json) => (typeof json === 'boolean' ? BigInt(json) : fail(words.noFlag(quoted(json)))),
    print: (value) => value === 1n,
  },
  count: { ...number, parse: (json) => whole(json, U64), print: (value) => value },
  small: { ...number, parse: (json) => whole(json, 255n), print: (value) => value },
  rules: {
    ...number,
    parse: (json) =>
      list(json).reduce((/** @type {bigint} */ bits, name) => {
        const place = RULES.indexOf(name);
        return place < 0 ? fail(words.noRule(quoted(name))) : bits | (1n << BigInt(place));
      }, 0n),
    print: (value) => RULES.filter((_, place) => (value >> BigInt(place)) & 1n),
  },
  server: { ...byte, from: serverOf, parse: serverNumber, print: (value) => `S${value}` },
  target: {
    ...byte,
    from: (value) => TARGETS.get(value) ?? serverOf(value),
    parse: (json) => TARGETS.get(json) ?? (/^S/.test(json) ? serverNumber(json) : fail(words.noTarget(quoted(json)))),
    print: (value) => [...TARGETS].find(([, code]) => code === value)?.[0] ?? `S${value}`,
  },
  kind: {
    ...byte,
    from: (value) => KINDS.indexOf(value),
    parse: (json) => (KINDS.includes(json) ? KINDS.indexOf(json) : fail(words.noKind(quoted(json), KINDS.join(', ')))),
    print: (value) => KINDS[value],
  },
  groups: {
    from: same,
    parse: (json) => list(json).map((group) => Number(whole(group, 255n))),
    print: (value) => value,
    put: (out, value) => {
      out.number(BigInt(value.length));
      out.bytes.push(...value);
    },
    get: (bytes) => [...bytes.take(Number(bytes.number()))],
  },
  command: {
    from: same,
    parse: (json) => (typeof json === 'string' && json[0] !== '\0' ? json : fail(words.noText(quoted(json)))),
    print: (value) => value,
    put: (out, value) => {
      const utf8 = new TextEncoder().encode(value);
      out.number(BigInt(utf8.length));
      for (const each of utf8) out.bytes.push(each);
    },
    get: (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.take(Number(bytes.number()))),
  },
};

/** @param {unknown} json @returns {any[]} */
const list = (json) => (Array.isArray(json) ? json : fail(words.noList(quoted(json))));

/** @param {unknown} json @returns {Record<string, any>} */
const fields = (json) =>
  json && typeof json === 'object' && !Array.isArray(json)
    ? /** @type {any} */ (json)
    : fail(words.noObject(quoted(json)));

/**
 * A misspelt field must not be taken for one that is left out.
 * @param {Record<string, any>} found
 * @param {string[]} known
 */
function onlyKnown(found, known) {
  for (const name of Object.keys(found)) if (!known.includes(name)) fail(words.unknownField(name, known.join(', ')));
}

// Reading

/**
 * The bytes of the run in a file, its note, and whether it says when the run ends.
 * @param {string} text
 */
export function readFile(text) {
  const file = fields(parse(text));
  if (file.raftarium === undefined) fail(words.noVersion);
  if (file.raftarium !== VERSION) fail(words.otherVersion(quoted(file.raftarium), VERSION));
  const parts = [...new Set(PARAMETERS.map(([part]) => part))].filter(Boolean);
  const known = ['raftarium', '$schema', 'note', 'seed', 'until', 'hash', 'found', 'servers', ...parts, 'without'];
  onlyKnown(file, [...known, 'actions']);
  const out = new Writer();
  out.bytes.push(VERSION);
  const seed = within('seed', () => BigInt(match(file.seed, /^\d{1,20}$/, words.noSeed)[0]));
  out.number(seed <= U64 ? seed : fail(words.noSeed(String(seed))));
  // Whoever names what was found means to play so far.
  const end = file.until ?? file.found?.at;
  const until = within('until', () => length(end ?? '0s'));
  out.number(until);
  const readHash = () => match(file.hash, /^[\da-f]{16}$/i, words.noHash)[0];
  const hash = file.hash === undefined ? null : within('hash', readHash);
  out.bytes.push(hash ? 1 : 0);
  for (let at = 14; hash && at >= 0; at -= 2) out.bytes.push(parseInt(hash.slice(at, at + 2), 16));
  putParameters(out, file, parts);
  const actions = within('actions', () => list(file.actions ?? []));
  out.number(BigInt(actions.length));
  actions.reduce((before, action, i) => within(words.action(i + 1), () => putAction(out, before, action)), 0n);
  const note = within('note', () => TYPES.command.parse(file.note ?? ''));
  const found = file.found === undefined ? null : within('found', () => readFound(fields(file.found), until));
  return { bytes: Uint8Array.from(out.bytes), note, found, until: end !== undefined };
}

/**
 * What is said to have been found in a run, in a file or an address.
 * @param {Record<string, any>} claim
 * @param {bigint} until when the run ends
 * @returns {Found}
 */
export function readFound(claim, until) {
  onlyKnown(claim, ['what', 'at', 'first', 'second']);
  const { what } = claim;
  if (!GUARANTEES.includes(what)) fail(words.noGuarantee(quoted(what), GUARANTEES.join(', ')));
  const at = within('at', () => length(claim.at));
  if (at > until) fail(words.foundLater(lengthText(at), lengthText(until)));
  const [first, second] = ['first', 'second'].map((name) =>
    within(name, () => {
      const fact = TYPES.command.parse(claim[name] ?? '');
      return [...fact].length > FACT_MAX ? fail(words.longFact(FACT_MAX)) : fact;
    }),
  );
  return { property: what, time: Number(at), first, second };
}

/** When the run of a link that has been read ends. @param {string} link */
export function endOf(link) {
  const bytes = atob(link.replace(/-/g, '+').replace(/_/g, '/'));
  const reader = new Reader(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  reader.byte();
  reader.number();
  return reader.number();
}

/** Its fields as they are written. @param {Found} found @returns {[string, string][]} */
export function foundFields({ property, time, first, second }) {
  const all = { what: property, at: lengthText(BigInt(time)), first, second };
  return Object.entries(all).filter(([, value]) => value);
}

/**
 * JSON whose large numbers, which JavaScript would round, have become texts that begin with a zero
 * byte.
 * @param {string} text @returns {unknown}
 */
function parse(text) {
  try {
    const value = JSON.parse(text);
    if (!/\d{16}/.test(text)) return value;
    const marked = (/** @type {string} */ token) => (token[0] === '"' ? token : `"\\u0000${token}"`);
    return JSON.parse(text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|\b\d{16,}\b/g, marked));
  } catch (error) {
    return fail(words.noJson(error instanceof Error ? error.message : ''));
  }
}

/** @param {Writer} out @param {Record<string, any>} file @param {string[]} parts */
function putParameters(out, file, parts) {
  for (const part of parts) {
    const known = PARAMETERS.filter(([of]) => of === part).map(([, name]) => name);
    within(part, () => onlyKnown(fields(file[part] === undefined ? {} : file[part]), known));
  }
  const values = PARAMETERS.map(([part, name, type, otherwise]) => {
    const given = part ? file[part]?.[name] : file[name];
    if (given === undefined) return BigInt(otherwise);
    return within(part ? `${part}.${name}` : name, () => TYPES[type].parse(given));
  });
  const differ = values.map((value, i) => value !== BigInt(PARAMETERS[i][3]));
  out.number(differ.reduce((bits, differs, i) => bits | (BigInt(differs) << BigInt(i)), 0n));
  values.forEach((value, i) => differ[i] && out.number(value));
}

/**
 * @param {Writer} out @param {bigint} before when the action before it is @param {unknown} json
 * @returns {bigint} when it is
 */
function putAction(out, before, json) {
  const action = fields(json);
  const kind = ACTIONS.findIndex(([name]) => name === action.do);
  if (kind < 0) fail(words.noAction(quoted(action.do)));
  const [name, ...has] = ACTIONS[kind];
  onlyKnown(action, ['at', 'do', ...has.map(nameOf)]);
  const at = within('at', () => length(action.at));
  if (at < before) fail(words.outOfOrder);
  out.number(at - before);
  out.bytes.push(kind + 1);
  for (const field of has) {
    const given = action[nameOf(field)];
    if (given === undefined) fail(words.missing(name, nameOf(field)));
    within(nameOf(field), () => typeOf(field).put(out, typeOf(field).parse(given)));
  }
  return at;
}

/**
 * The bytes of an action without its time, as `Run.act` reads them. The names are those of a file;
 * servers are numbers, times microseconds, shares parts per million.
 * @param {Action} action
 */
export function actionBytes(action) {
  const kind = ACTIONS.findIndex(([name]) => name === action.do);
  if (kind < 0) throw new TypeError(`no action: ${action.do}`);
  const out = new Writer();
  out.bytes.push(kind + 1);
  for (const field of ACTIONS[kind].slice(1)) {
    const { from, put } = typeOf(field);
    put(out, from(/** @type {Record<string, any>} */ (action)[nameOf(field)]));
  }
  return Uint8Array.from(out.bytes);
}

// Writing

/**
 * The run in the bytes as a file.
 * @param {Uint8Array} from @param {string} note @param {Found | null} [found]
 */
export function writeFile(from, note, found = null) {
  const bytes = new Reader(from);
  bytes.byte();
  const lines = [`"raftarium": ${VERSION}`];
  const add = (/** @type {string} */ name, /** @type {unknown} */ value) => lines.push(`"${name}": ${json(value)}`);
  if (note) add('note', note);
  add('seed', String(bytes.number()));
  add('until', lengthText(bytes.number()));
  const hex = (/** @type {number} */ each) => each.toString(16).padStart(2, '0');
  if (bytes.byte()) add('hash', [...bytes.take(8)].reverse().map(hex).join(''));
  const addAll = (/** @type {string} */ name, /** @type {[string, unknown][]} */ of) =>
    lines.push(`"${name}": {\n${of.map(([field, value]) => `    "${field}": ${json(value)}`).join(',\n')}\n  }`);
  if (found) addAll('found', foundFields(found));
  const named = bytes.number();
  const values = PARAMETERS.map(([, , type, otherwise], i) => {
    const there = (named >> BigInt(i)) & 1n;
    return TYPES[type].print(there ? bytes.number() : BigInt(otherwise));
  });
  add('servers', values[0]);
  for (const part of ['network', 'disk', 'timing', 'limits', 'clients', 'checks']) {
    const of = PARAMETERS.flatMap((parameter, i) => (parameter[0] === part ? [i] : []));
    if (!of.some((i) => (named >> BigInt(i)) & 1n)) continue;
    // A file has related parameters side by side, a link in the order in which they were added.
    const place = (/** @type {number} */ i) => ORDER.indexOf(PARAMETERS[i][1]);
    const inOrder = of.sort((a, b) => place(a) - place(b));
    addAll(
      part,
      inOrder.map((i) => [PARAMETERS[i][1], values[i]]),
    );
  }
  const without = PARAMETERS.findIndex(([, name]) => name === 'without');
  if ((named >> BigInt(without)) & 1n) add('without', values[without]);
  let at = 0n;
  const actions = Array.from({ length: Number(bytes.number()) }, () => {
    at += bytes.number();
    const [name, ...has] = ACTIONS[bytes.byte() - 1];
    const found = new Map(has.map((field) => [field, typeOf(field).print(typeOf(field).get(bytes))]));
    const place = (/** @type {string} */ field) => FIELD.get(field)?.place ?? 0;
    const inOrder = [...found].sort(([a], [b]) => place(a) - place(b));
    const rest = inOrder.map(([field, value]) => `, "${nameOf(field)}": ${json(value)}`).join('');
    return `    { "at": "${lengthText(at)}", "do": "${name}"${rest} }`;
  });
  lines.push(`"actions": [${actions.length ? `\n${actions.join(',\n')}\n  ` : ''}]`);
  return `{\n  ${lines.join(',\n  ')}\n}\n`;
}

/** @param {unknown} value @returns {string} */
const json = (value) => {
  if (typeof value === 'bigint') return String(value);
  return Array.isArray(value) ? `[${value.map(json).join(', ')}]` : JSON.stringify(value);
};

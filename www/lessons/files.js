// @ts-check
// Lessons that aren't among ours: within a link, compressed.

/** A longer address is cut off by some who pass it on. */
const LONGEST = 12_000;

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {CompressionStream | DecompressionStream} through
 */
const piped = (bytes, through) => new Response(new Blob([bytes]).stream().pipeThrough(through)).arrayBuffer();

/** No lesson is longer (`BYTES_MAX` in raft-core). */
export const LONGEST_FILE = 256 * 1024;

/**
 * A lesson as a part of an address; null where that is too long.
 * @param {string} text
 */
export async function packed(text) {
  const bytes = new Uint8Array(await piped(new TextEncoder().encode(text), new CompressionStream('deflate-raw')));
  const letters = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const safe = letters.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  return safe.length > LONGEST ? null : safe;
}

/** The lesson of such a part; throws where it is none. @param {string} part */
export async function unpacked(part) {
  const letters = atob(part.replace(/-/g, '+').replace(/_/g, '/'));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const text = await piped(bytes, new DecompressionStream('deflate-raw'));
  if (text.byteLength > LONGEST_FILE) throw new Error();
  return new TextDecoder().decode(text);
}

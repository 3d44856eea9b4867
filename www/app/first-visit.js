// @ts-check
// Whether this browser has shown the page before.

const STORED = 'raftarium.hints';

export function seenBefore() {
  try {
    return localStorage.getItem(STORED) !== null;
  } catch {
    // Where nothing can be stored, each visit would be the first: rather none.
    return true;
  }
}

/** From now on it has. */
export function noteVisit() {
  try {
    localStorage.setItem(STORED, 'seen');
  } catch {
    // As above.
  }
}

// @ts-check
// The hints of a first visit.

export const hints = {
  name: 'Hints for a first visit',
  next: 'Next',
  close: 'No more hints',
  /** And, where there is no keyboard, what says otherwise. */
  all: /** @type {[string, string?][]} */ ([
    ['Press a server, a line or a message: a menu opens. Crash the leader!'],
    [
      'Draw a stroke across the ring, and the network splits. H heals it.',
      'Draw a stroke across the ring, and the network splits. Hold the empty ring: its menu heals it.',
    ],
    ['Press ? to see all keys and signs.'],
  ]),
};

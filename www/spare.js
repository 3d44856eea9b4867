// @ts-check
// What a frame leaves for later. While it plays, lists and diagrams are read and made anew all the
// time; were it all done in one frame, that frame would come late. So each such piece of work asks
// first, and waits where there is too much.

/** Of a frame's time, in ms, so much may be gone when such a piece begins. */
const EARLY = 1.25;
/** A piece waits this many frames at most. */
const PATIENCE = 8;

class Spare {
  #began = 0;
  #playing = false;
  /** Whether a piece that could wait no longer was let through in this frame. */
  #pushed = false;
  /** For how many frames who has waited. @type {Map<object, number>} */
  #waiting = new Map();

  /** A frame begins. @param {boolean} playing */
  begin(playing) {
    this.#began = performance.now();
    this.#playing = playing;
    this.#pushed = false;
  }

  /**
   * Whether there is time in this frame for what can wait. Paused, there always is: what is shown
   * must be right.
   * @param {object} who
   */
  has(who) {
    const waited = this.#waiting.get(who) ?? 0;
    const early = !this.#playing || performance.now() - this.#began < EARLY;
    const late = !early && waited >= PATIENCE && !this.#pushed;
    if (late) this.#pushed = true;
    if (early || late) this.#waiting.delete(who);
    else this.#waiting.set(who, waited + 1);
    return early || late;
  }
}

export const spare = new Spare();

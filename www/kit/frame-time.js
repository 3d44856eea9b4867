// @ts-check
// Leaves work for a later frame. While the run plays, lists and diagrams are renewed all the time.
// If all of that were done in one frame, the frame would come late. So each such piece of work asks
// here first, and waits if there is too much.

/** A piece may begin so long after the beginning of a frame, in ms. */
const BEGIN_MAX = 1.75;
/** After so many frames, a piece needn't wait any more, unless it says how many. */
const FRAMES_MAX = 8;

class FrameTime {
  #began = 0;
  #playing = false;
  /** Whether a piece that had waited too long was done in this frame. */
  #pushed = false;
  /** For how many frames each piece has waited. @type {Map<object, number>} */
  #waiting = new Map();

  /** A frame begins. @param {boolean} playing */
  begin(playing) {
    this.#began = performance.now();
    this.#playing = playing;
    this.#pushed = false;
  }

  /**
   * Whether a piece of work may be done in this frame. While the run is paused it always may: what
   * is shown must be right.
   * @param {object} who
   * @param {number} [most] for how many frames it may wait
   */
  has(who, most = FRAMES_MAX) {
    const waited = this.#waiting.get(who) ?? 0;
    const early = !this.#playing || performance.now() - this.#began < BEGIN_MAX;
    const late = !early && waited >= most && !this.#pushed;
    if (late) this.#pushed = true;
    if (early || late) this.#waiting.delete(who);
    else this.#waiting.set(who, waited + 1);
    return early || late;
  }
}

export const frameTime = new FrameTime();

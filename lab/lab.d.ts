// What the lab hands out: plain data. These types are part of the package that wasm-bindgen
// generates. Times are virtual microseconds.

/** A scenario file that has been read. */
export interface FileView {
  /** The run, as the bytes within a link. */
  bytes: Uint8Array;
  note: string;
  found: FoundView | null;
  /** Whether it names no moment to which it is to be played. */
  openEnded: boolean;
}

/** What was found in a run: a property that doesn't hold, when that showed, and two facts. */
export interface FoundView {
  property: string;
  time: number;
  /** The same moment as addresses have it: `1.25s`. */
  at: string;
  /** Both facts may be empty: then playing the run shows them. */
  first: string;
  second: string;
}

/** The same, with all of it in one sentence. */
export interface FindingView extends FoundView {
  sentence: string;
}

/** Whether what clients have seen is linearizable. */
export interface VerdictView {
  state: "linearizable" | "broken" | "undecided";
  /** How many answers they have got. */
  answers: number;
  /**
   * Two facts that can't both be right; or what the order of the log doesn't explain, where another
   * order may, or does.
   */
  first: string;
  second: string;
}

/** A run of a hunt that has been played and judged. */
export interface TrialView {
  events: number;
  /** How much virtual time was played. */
  played: number;
  finding: FindingView | null;
  /** The run that ends with the finding, as the bytes within a link. */
  bytes: Uint8Array | null;
}

/** A failing run that was made small. */
export interface ShrunkView {
  bytes: Uint8Array;
  finding: FindingView | null;
}

// What the module that judges lessons hands out, as JSON. Times are virtual microseconds.

/**
 * A lesson, planned, in one language. In brackets in its texts stand terms, with the names of their
 * entries: `[majorities](majority)`.
 */
export interface LessonView {
  chapter: string;
  minutes: number;
  seed: string;
  /** The language that it speaks, and all that it could. */
  language: string;
  languages: string[];
  title: string;
  aim: string;
  /** The runs that it plays, as what follows `#run=` in links. */
  runs: string[];
  steps: StepView[];
}

/** A step of a lesson. */
export interface StepView {
  kind: "told" | "predicted" | "done";
  /** Which of the runs it shows, from when on, and up to when. */
  run: number;
  from: number;
  to: number;
  heading: string;
  sentences: string[];
  /** For a prediction: the answers, what is said to each, and which is right. */
  answers: { answer: string; reply: string }[];
  right: number | null;
  /** For a task. */
  hint: string;
  /** What to look at: servers, and parts of the page. */
  look: string[];
  /** The parts of the page that are there from this step on. */
  show: string[];
}

/** A task that has been done: when, and what is said then. */
export interface ReachedView {
  at: number;
  said: string;
}

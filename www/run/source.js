// @ts-check
// What the page shows is a source: a simulated run, which can do everything; a recording of any
// Raft, which can be travelled; a live cluster, which can be acted on but not played faster than it
// happens. Panels know sources by this interface alone. What only some sources can do stands in
// parts, which are null where they can't; then `lacks` says why, for people.

import * as common from '../words/common.js';

/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */
/** @typedef {import('../../web/view.d.ts').DialsView} DialsView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').InspectorView} InspectorView */
/** @typedef {import('../../web/view.d.ts').LogView} LogView */
/** @typedef {import('../../web/view.d.ts').OperationView} OperationView */
/** @typedef {import('../../web/view.d.ts').StoreView} StoreView */
/** @typedef {import('../../web/view.d.ts').StoryLine} StoryLine */
/** @typedef {import('../../web/view.d.ts').TrafficView} TrafficView */
/** @typedef {import('./simulated-run.js').Claim} Claim */
/** @typedef {import('../pkg/tables.js').Action} Action */

/**
 * @typedef {object} Listeners
 * @property {() => void} change it is to be drawn
 * @property {(error: unknown) => void} panic nothing can be asked of it any more
 * @property {(sentence: string) => void} refusal something couldn't be done
 * @property {(bytes: Uint8Array) => Promise<import('../lab/client.js').VerdictView>} judge judges
 * whether what clients saw is linearizable
 */

/**
 * What any source offers. Times are virtual microseconds since its beginning.
 * @typedef {object} Watching
 * @property {Frame} frame the moment that is shown, as it was last read
 * @property {number} now its time
 * @property {string} name what pictures and files of it are called
 * @property {string} note what it is about, for people; or empty
 * @property {string} without the rules that are switched off, with commas between them
 * @property {boolean} onlyHarm whether only harm ends it: broken promises are passed over
 * @property {Claim | null} claim what was said to have been found in it
 * @property {Claim | null} claimed the same, if it was found at this very moment
 * @property {number} clients how many clients there are from its beginning on, with the person at
 * the command line; 1 where nobody knows
 * @property {string[]} momentKinds the names of the kinds of moments, as jumps and the tape use
 * them
 * @property {number} renamed grows when what branches are called or which there are has changed
 * @property {boolean} dead whether nothing can be asked of it any more
 * @property {(listeners: Listeners) => void} listen
 * @property {(first: number, count: number) => LogView[]} logs
 * @property {() => StoreView[]} stores
 * @property {(limit: number) => OperationView[]} operations the newest, oldest first
 * @property {(after: number, limit: number) => StoryLine[]} story
 * @property {(from: number, to: number) => TrafficView | undefined} traffic
 * @property {(branch: number, from: number, to: number, buckets: number) => Float64Array} tape
 * @property {(server: number) => InspectorView | undefined} inspect
 * @property {(message: number) => [string, string][]} messageFacts
 * @property {() => DialsView | undefined} dials how the network and timing are
 * @property {(micros: number) => void} advance plays on
 * @property {(time: number) => void} seek
 * @property {(time: number) => void} scrub as `seek`, while a frame is being made
 * @property {() => void} step
 * @property {() => void} stepBack
 * @property {(kinds: readonly string[], forward: boolean, within: number) => boolean} jump
 * @property {(line: number) => void} seekNews goes to what a sentence is about
 * @property {() => void} free
 */

/**
 * Acting on the cluster.
 * @typedef {object} Acting
 * @property {(...actions: Action[]) => void} act
 * @property {(command: string) => number} submit enters a command; the operation's number. Throws
 * an Error with a sentence when the line can't be read
 * @property {(server: number) => void} toggleServer
 * @property {(from: number, to: number) => void} toggleDirection
 * @property {(links: number[][]) => void} cutLinks
 * @property {() => void} healAll
 */

/**
 * Acting in the past, and several futures of one past.
 * @typedef {object} Branching
 * @property {number} deleted the branch that was deleted last and can be brought back; 0: none
 * @property {() => BranchView[]} branches
 * @property {(branch: number) => void} switchTo
 * @property {(branch: number, name: string) => void} renameBranch
 * @property {(branch: number) => void} deleteBranch
 * @property {() => void} undelete
 * @property {(branch: number) => Frame | undefined} beside another branch at this moment
 * @property {(branch: number, first: number, count: number) => LogView[]} besideLogs
 */

/**
 * A run that is its seed and its actions: it can be named by a link, and played again elsewhere.
 * @typedef {object} Repeating
 * @property {string} seed
 * @property {number} servers how many there were at the beginning
 * @property {string} settings timing and clients, or empty where they are the usual ones
 * @property {boolean} differs whether it was opened with a trace hash that it doesn't have here
 * @property {Claim | null} handedOn what was found by now, to be handed on with it
 * @property {() => string} traceHash
 * @property {() => string} link
 * @property {(branch?: number) => Uint8Array} bytes
 */

/**
 * Being played at another speed than that at which it happens, or happened.
 * @typedef {object} Pacing
 * @property {number} fastest the most virtual time for each real time
 */

/**
 * @typedef {object} Parts
 * @property {Acting | null} acting
 * @property {Branching | null} branching
 * @property {Repeating | null} repeating
 * @property {Pacing | null} pacing
 */
/** @typedef {keyof Parts} Part */
/** @typedef {Watching & Parts & { lacks: Partial<Record<Part, string>> }} Source */

/**
 * Why a source can't do something: a sentence; empty if it can.
 * @param {Source} source @param {Part} part
 */
export const whyNot = (source, part) => (source[part] ? '' : (source.lacks[part] ?? common.lacking[part]));

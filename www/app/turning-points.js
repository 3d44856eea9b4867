// @ts-check
// Turning points pass too fast to be read at the speed that suits the rest: from a campaign to its
// end, and after a crash, the clock slows by itself. Somebody can switch that off.
//
// It is on with reduced motion, too: slower is less motion, not more.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */

import { newestLeader } from '../run/leader.js';

/** The slowest that it makes a run by itself, and by how much at most. */
const SLOWEST = 1 / 150;
const MOST = 20;
/** How long a crash is slow, and how long the end of a campaign is, in ms. */
const AFTER_CRASH = 1_200;
const AFTER_CAMPAIGN = 900;
/** A campaign that doesn't end is slow for this long, in ms. */
const LONGEST_CAMPAIGN = 12_000;
/** How many campaigns of one server are slow, until somebody else leads. */
const MOST_CAMPAIGNS = 2;
/** How fast the speed follows what is wanted: in this time, in ms, most of the way is gone. */
const BRAKING = 90;
const SPEEDING = 350;

export class TurningPoints {
  /** Whether the clock slows at all. */
  on = true;
  /** How fast the run plays now: virtual time for each real time. */
  pace = 0;

  /** How much longer it is slow, in ms of playing. */
  #left = 0;
  /** How long the campaign that is on has been slow. */
  #campaigning = 0;
  /** What was seen last. @type {Frame['servers']} */ #servers = [];
  #epoch = -1;
  #leader = '';
  /** How many campaigns of each server there were. @type {Map<number, number>} */ #campaigns = new Map();

  /** Another source is shown. */
  reset() {
    this.#servers = [];
    this.#epoch = -1;
    this.#leader = '';
    this.#left = this.#campaigning = 0;
    this.#campaigns.clear();
  }

  /**
   * How fast to play on from a frame, if `speed` is chosen.
   * @param {Frame} frame @param {number} speed @param {number} passed since the last frame, in ms
   */
  paceAt(frame, speed, passed) {
    const slow = this.#watch(frame, passed) && this.on;
    const wanted = slow ? Math.min(speed, Math.max(SLOWEST, speed / MOST)) : speed;
    const within = wanted < this.pace ? BRAKING : SPEEDING;
    const part = this.pace > 0 && this.on ? 1 - Math.exp(-passed / within) : 1;
    this.pace *= (wanted / (this.pace || wanted)) ** part;
    // It is never faster than what is chosen, and comes to it at last.
    if (this.pace > speed || part === 1 || Math.abs(Math.log(this.pace / wanted)) < 0.01) this.pace = wanted;
    return this.pace;
  }

  /** Whether a turning point passes. @param {Frame} frame @param {number} passed */
  #watch({ servers, epoch }, passed) {
    const before = epoch === this.#epoch ? this.#servers : servers;
    this.#servers = servers;
    this.#epoch = epoch;
    this.#left = Math.max(0, this.#left - passed);
    const leader = newestLeader(servers);
    const leads = leader ? `S${leader.id}@${leader.term}` : '';
    if (leads && leads !== this.#leader) {
      this.#leader = leads;
      this.#campaigns.clear();
    }
    let slow = false;
    for (const server of servers) {
      const was = before[server.id - 1]?.role;
      if (server.role === 'crashed' && was && was !== 'crashed') this.#left = AFTER_CRASH;
      if (!asks(server.role)) continue;
      const times = (this.#campaigns.get(server.id) ?? 0) + (was && asks(was) ? 0 : 1);
      this.#campaigns.set(server.id, times);
      slow ||= times <= MOST_CAMPAIGNS;
    }
    this.#campaigning = slow ? this.#campaigning + passed : 0;
    if (slow && this.#campaigning < LONGEST_CAMPAIGN) this.#left = Math.max(this.#left, AFTER_CAMPAIGN);
    return this.#left > 0;
  }
}

/** @param {import('../../web/view.d.ts').Role} role */
const asks = (role) => role === 'pre-candidate' || role === 'candidate';

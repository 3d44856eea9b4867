// @ts-check
// Runs in which a rule that is switched off is missed: what follows `#run=` in the link to where it breaks. Found and
// made small by `raftarium hunt --without RULE --seeds A..B --for 20s`, whose last line is the link; a page test opens
// each, and says which have to be found anew when runs play otherwise.

/** In the order of `Run.rules`; a comment, which is not served, names the rule. */
export const breaks = [
  // compare-logs-before-voting
  'ART7sy0BEAI-RqMLXZ7mwOcD6Ae4F9APsOoBAsC4AgEBAQFAgOowBPX1GAEC57oIAgIAAQPFEgID126ekA',
  // vote-once-per-term
  'AQ3DrAwBrntKlrYIuBeByGsCAADAuAIBwM8kAgIAjoNTXA',
  // persist-before-voting
  'AQD5twkB6cUmZT3jjLeHwKMCA-gHuBcCwLgCAQSA6jAAA7VjXA',
  // win-by-majority
  'AROt30gBueYwb3RoFymGgKMC6Ae4F8C4AgEIgOowBfzNMAEDAAEBpYENAgMAAgEAAQIEQP2M',
  // step-down-on-higher-term: to go on breaks no property of safety, the cluster only stands still.
  '',
  // refuse-stale-terms
  'AZ4B9qAWAQKCJBqG3DLKgYArA8C4AgHAzyQgAdPlFBwCRaIoSw',
  // persist-before-acknowledging
  'AQC-_gkBthVo772rrQmHwKMCA-gHuBcCwLgCAUCA6jAAmj6MOQ',
  // persist-before-counting
  'AQDJyAoBlcG4HoM4LxrnwKMCA-gHuBfQD7DqAQLAuAIBgAGA6jAAxbtjFA',
  // match-writes-by-term
  'AcABl8Q_AYAmLeaOKlXuh8ArA5BOwLgCAsCpBwHAzySAAgQADgOgjQbAmgwAEgMBAAHPwScSAwAAAfOmChTBab_h',
  // check-previous-entry
  'AQGf1xgBSMBVGUIZIe3mwKMC6Ae4F9APsOoBAsC4AgGABIDqMAOBpQMBAcLQCQwAAAIB23Bnww',
  // truncate-only-on-conflict
  'ARCvxAwBqsOP8USgXLeHwKMCA-gHuBcCwLgCAYAIgOowAKRS1QU',
  // commit-only-verified
  'ASX-zhsBWo0SCvXpmR6HgGsD6Ae4F8C4AgHAzySAEAIDnMsaCgGcbAH_AAPp8XIN',
  // commit-by-majority
  'AQCchgoBOOTkewY-xaCHwKMCA-gHuBcCwLgCAYAggOowAAWKpks',
  // commit-only-own-term
  'AYgB_cjEBgE3HvLrvBYA_MfA7wEDkE7AuAKIJwLAqQcBAZCwCoBAARAJ0pjWBRMAkrMFFMWUCBMApOgRFAATAKvXGBTFhBATAJLDExTkhQQTADkbQUY',
  // ignore-old-snapshots
  'ASmyh0kBaP4Fb-4IE4SA4OsBFATAuAIBwM8kgIABCEAB59YZDQUBaDmJUg',
  // change-through-joint
  'AQOAxBMBLO4vuHaepXmBwCsDAMC4AgHAzySAgAIBAAoDA44nDw',
  // one-change-at-a-time
  'AQf_4Q0BgTx_bkt3lzCBwCsCAJh1AcDPJICABALd4goeAaL_Ah2xKMWW',
  // own-commit-before-change
  'ARvT0jMBwUbuxyq-hVfnwCsD6Ae4FwDoBwDAuAIBwM8kgIAIAwAMA67fAwPlySgKAY2Jkgc',
  // membership-follows-log
  'AQfkhg4B7XJjO8pAHPSHyGsD6Ae4FwAAwLgCAcDPJICAEAIBwrsBCgNYzzuS',
  // bar-amnesiac-voters
  'AccBtqOIAQGOJQSAkwSo1-eIqwEDiCeYdQAAAJh1AcDPJICAIBAD3ox0DALnrwkKAQADVg5vQg',
  // confirm-before-reading
  'ARnjii4B4inkizg80NeBgKMCA8CpBwGAgECA6jAB5L4eEwAr1Tr0',
  // own-commit-before-reading
  'ARPayRkBzjV_Zk5xS63hgKMCAdAPsOoBwLgCAYCAgAGA6jACnNQMAQEAAgGIUq6P',
  // apply-before-reading
  'ARKqxCoBa9qzl-gd8BnnwKcCA4gnmHUAAALAqQcBAYCAgAKA6jABgM8nJaCNBsWfBHRetAE',
  // lease-from-sending
  'AXiKgqQCAWN4sgRY-TiFgcCvAgMCwKkHAQHAzySAgIAEgOowAumZlQIEAJ__DQanKOG_',
  // give-up-lease-on-transfer
  'AeABtbgbAUD6-h3soRD-h8CvAgeQTsC4AgLAuAIBAcDPJICAgAiA6jADnccXF-gH0A_DsQIcBgAkADqp-iM',
  // ignore-campaigns-under-leader
  'ATKV_hIB3aVPk-rS8CyHgK8CA-gHuBfAqQcBAaCNBoCAgBCA6jACh48NEwAABwI4zUAV',
  // deduplicate-retries
  'AQ7r6aEBAYK0V6BvJ3ab58CjAgPoB7gX0A-w6gECwLgCAYCAgCCA6jAB0fuDASQB1WeisA',
];

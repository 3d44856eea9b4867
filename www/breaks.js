// @ts-check
// Runs in which a rule that is switched off is missed: what follows `#run=` in the link to where it breaks. Found and
// made small by `raftarium hunt --without RULE --seeds A..B --for 20s`, whose last line is the link; a page test opens
// each, and says which have to be found anew when runs play otherwise.

/** In the order of `Run.rules`; a comment, which is not served, names the rule. */
export const breaks = [
  // compare-logs-before-voting
  'ARHiuCwBou48k_eN31TnwGsDkE7AuAIAAALAuAIBoI0GAQECAB2QqxwBAGn0Gfo',
  // vote-once-per-term
  'AQj69goBg_9Y_WnZEU_nyOsCApBOwLgCAAAAAMC4AgHAzyQCAqD3NgAFqBXM',
  // persist-before-voting
  'AQC8vgkB34ymWyDx87iHwKteA-gHuBcCwKkHAaCNBgSg9zYBAsgBrAIAxyllSg',
  // win-by-majority
  'AQ_RpDAB9qR0hK3mWImAyO8CAALAuAIBAcDPJAgCoPc2CM_5DxMA_aULHgPbqQkBAgABAwABBAABBQAUAAOZECoO',
  // step-down-on-higher-term: to go on breaks no property of safety, the cluster only stands still.
  '',
  // refuse-stale-terms
  'ASbA5hcBE-4wGU1o8mHmiONe6Ae4FwAAAMCpBwEgAaDCHmQByAGsAgYALAMAAeCnEsDPJAABAwAD3LINHQATALauCRSU5GUx',
  // persist-before-acknowledging
  'AQDa2wkB04tbA5KOqPTnwKteA-gHuBcAAALAqQcBoI0GQKD3NgECyAGsAgA7h02N',
  // persist-before-counting
  'AQKR8AsBnnyUiYjxoJGBwKsCAQDAuAIBoI0GgAGg9zYAedW-EA',
  // match-writes-by-term
  'ASfppkgBiECFjgP7qiLmgKMC6Ae4F9CGA_CTCcC4AgGAAqDCHgPh8yUjAKCgCBMB088BFNgBlIc',
  // check-previous-entry
  'ARaG_TUBqFWYD-CBzkzhwKsCAgAABMC4AgGgjQaABKD3NgBdhMaF',
  // truncate-only-on-conflict
  'AQfnlx4BimYgxKhrDg7nwKsCAugHuBcAAATAuAIBoI0GgAig9zYBAA4ByN8C4NQDaQUSzw',
  // commit-only-verified
  'AR3WgTsBNaM8MbgERojngGsC6AegnAHQD7DqAcCpBwHAzySAEAEDAB3v0DgBAQACAVSqcxA',
  // commit-by-majority
  'AQDO0gkBSajPW833kgvnwKteA-gHuBcAAALAqQcBoI0GgCCg9zYBAsgBrAIAYpvVYw',
  // commit-only-own-term
  'AcgdjI8vAUv3d6kqzG7Vh8irAwPoB6CcAQAAwLgCAcDPJIBAQKDCHgatnA4PAgHPtwwqAQACAQAQAgHsrgoBAgAX6AfQD7NiEgU',
  // ignore-old-snapshots
  'ARnX-jcBBMx99ckzfvbG4O8C6Ae4F4gnBQiYdQEBoI0GgIABCKD3NgXgNw8CAwAPAgUADwMCAA8EA9C1NhTVhRHg',
  // change-through-joint
  'AQ_AixEBbnbyVps6dD-BwKsCAQDAuAIBoI0GgIACoPc2AgAdAB4BWUvdBQ',
  // one-change-at-a-time
  'AQ-8sxIBAHxE3CSuWPGBwKNeAQDAqQcBgIAEoMIeZAHIAawCAgAdvLMSHURb1m0',
  // own-commit-before-change
  'AQe51AsBAoAoTNYuFM2BwKsCAwDAuAIBwM8kgIAIoPc2AfmbCR4D78sCpw',
  // membership-follows-log
  'AQ-AxBMBLl_uOK5DmyPhwKsCAQAAAMC4AgGgjQaAgBCg9zYBAB0qmK_j',
  // bar-amnesiac-voters
  'AfYD__XCAwECyrZC0BV-KceoKwOQTsC4AognAAXAuAIBoI0GgIAgDNH_aRIDAQABu7oqCQGAreIE_LMKKgKq_QUU46c-A9LOGRIDAQEA3rsCFJ_wYxIDAQEA2KwJKgAAFNuYLSoA-LgNAxRIwwE',
  // confirm-before-reading
  'ARGTmBYBE1t5pyuledOGwKsC6Ae4FwiYdQGgjQaAgECg9zYE7rgFDwQF86UGDwEEAA8EAQAPBAM3-yiR',
  // own-commit-before-reading
  'AQvZoyABNV3r7fzyyjSByO8CAwACwLgCAQHAzySAgIABAqD3Ngf5mwkdAB0AHYDjBwEBAAECAAEDAANy67Qf',
  // apply-before-reading
  'AQK97g0Bn9ViCYVZ4C_nwKsCAegHuBcAAALAuAIBoI0GgICAAqD3NgEAHTxxmQc',
  // lease-from-sending
  'ATO9wCMBWCHrV7FopXrnyO83B-gHuBcAAAACwLgCAQHAzySAgIAEAUCgwh5kAcgBBqbGChwB1MEEEQQB1I0HAAARBQHUjQcAABEGAdSNBwAAEQcB1I0HAOa9BiMBWIIjrg',
  // give-up-lease-on-transfer
  'AVHbgxYBDxXq4kU-ikaHwK8CA-gHoJwBBJh1AQGgjQaAgIAIoPc2BAAOArDqAeDUA-3XEhwBkV0TAMMOFqCcAbedkpU',
  // ignore-campaigns-under-leader
  'AXqO2DUBkeTU9bAzrZDnwK8CA-gHoJwBAOgHBMCpBwEBwM8kgICAEKD3NgiBrCAPAQKj9AIPAwKypAIPAQPGkAMtAOu_BRABA-CmAhSYVyQArLEDJACc7BBr',
  // deduplicate-retries
  'AQrI9RQBjDjn4i_m1ffnwKsCAugHuBcAAATAuAIBoI0GgICAIKD3NgKusA4PAgGVhgMQAgGomv_d',
];

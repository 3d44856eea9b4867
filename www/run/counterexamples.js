// @ts-check
// For each rule, a run in which a property is violated because the rule is switched off. It is what
// follows `#run=` in the link to that moment. `raftarium hunt --without RULE --only-harm --seeds
// A..B --for 20s` finds and shrinks such a run; its last line is the link. The runs show harm (two
// leaders in a term, a lost entry) where a hunt finds some; else, found without `--only-harm`, the
// promise that is broken. A page test opens each, and says which must be found anew after a change
// of how runs play. Where the page can't find the failure itself, the finding follows the run.

/** In the order of `rules`. The comments, which are not served, name the rules. */
export const counterexamples = [
  // compare-logs-before-voting
  'ARDO_B0BUnb_tWUYc_uBwKsCAgDAuAIBoI0GAaD3NgYAF-gHuBeUsQodkbIIEwMAHgOqLwEAABRsSB71',
  // vote-once-per-term
  'AQLatQwBdaIdD8GckEXnwKveAgPoB7gXAAACwKkHAaCNBgKg9zYBAsgBrAIBAgABAYtKAgFiyMqj',
  // persist-before-voting
  'AckI4cg9AQAQK6JUkmi4h4CrgAIDiCeYdYDxBAGgjQYEAQTR8gQNAwGWigkLANn_FyH_9JgLA-l79dk',
  // win-by-majority
  'AQi2pwoB3Q9MMPJwwIzmiONe6Ae4FwAAAMCpBwEIAaDCHmQByAGsAgEAFsDPJFT5stU',
  // step-down-on-higher-term: it does no harm, since all others refuse the old leader's term, but a
  // server never catches up again.
  'ARe31ucUAavGveHSoODxgcjjXQMAAIDxBAEQCBABAQEAAwATA7frHyAAAB8KcHV0IGNhbG0gMeJ9QuQ' +
    '&found=Liveness&at=43.641655s&first=the+storm+was+over+for+S2%2C+S3+at+0.521655+s+and+S2+leads' +
    '&second=at+43.641655+s+S3+still+has+not+applied+entry+3',
  // refuse-stale-terms
  'ARbU0W0BlLfCN953w2DhgKveAgQAAMCpBwGgjQYgoMIeZAHIAawCAQS_0l0X6AfQD6eTBhMDqrAIFsDPJAAUSKMSqw',
  // persist-before-acknowledging
  'ARrD3x4BfitDySKBm3iHgKuCAgOIJ5h1wKkHAaCNBkCgwh4BBaSUAw8DAgAiAQGyzAsB_wADAA8DAcBvR4A',
  // persist-before-counting
  'AQaG9hUBbrXLhTjpIV2BwKuCAgEAwKkHAcDPJIABoPc2AQMAIgEB6uYLCgEAA3zDvLw',
  // match-writes-by-term
  'AXflmy8Bbrs-wGlN1GrmwCPoB6CcAdCGA_CTCQiYdQGAAgWC2BId1IEHAQDGZAcEAAMAFsCaDDWb0fU',
  // check-previous-entry
  'AQ3rp8wBAfYsZW-HrQxd54Cv3gID6Ae4FwAAwKkHAQGgjQaABKD3NgECyAGsAgECw8C9AQsAiOkNA0G3gU0',
  // truncate-only-on-conflict
  'AQT_0TYBdSXDHc3CuCLG4KuBA5BOwLgCiCcFCJh1AaCNBoAIQAABAYHrJQH_XDSXhQ',
  // commit-only-verified
  'ARakyB8BT7QAGQaDCXqBgKveAgPAqQcBoI0GgBCgwh5kAcgBrAIBA6fdEhfoB9APABMDkLAKFN1jbzE',
  // commit-by-majority
  'AQi1jDUBAtTHdL8gw56H4K-DAgLoB7gXBQLAuAIBAaCNBoAgEKD3NgECAB3Q1iojAq7cs-g',
  // commit-only-own-term
  'AfwIt8ZoAc0P5cBUiOFvx8DjWwOIJ5h1iCcCwKkHAYBAAkCgwh4BAQAGAB3O6QQmAgDAhD2AkvQBvuUxJgIAwIQ9tfUHhLICEwDx_g8UACYCAMCEPYCS9AGCdlwe',
  // ignore-old-snapshots
  'AROWuyEBS9Dg1PQCLErngKNeBOgHuBcAAMCpBwGAgAGgwh5kAcgBrAIEjNsPAQHQywgdqqIHFsDPJAADPmCTiQ',
  // change-through-joint
  'ATzlmhwBg_fCcjXrEODBwKOCAgOIJwLAuAIBgIACoMIeAQoAKAAX6Aew6gEAKKrNDxfoB9APAB0AHQAeAwAeAY2CASYHAcCaDICOzhz2twEnAHrA' +
    'CwM',
  // one-change-at-a-time
  'AWKMvCABHET1ZkG2cMuHgKuAAwPoB7gXmHUBoI0GgIAEAwEEmPkXEwMAHgGhDx4CAB2iFB1u',
  // own-commit-before-change
  'AROA0w4BEfbzYt9vGPfnwKNeAugHuBcAAADAqQcBgIAIoMIeZAHIAawCAgAdAA4CyN8C4NQDAC6Lvw',
  // membership-follows-log
  'AQewmiEBok3f3qnPSXiHwKuCAwPoB6CcAQKA8QQBoI0GgIAQoPc2AAEIk8IKF-gH0A___QcTAvfDAhECAfa5BrqjEAAeAeYLHgLzZxTLtgELAgAD' +
    'ofIz8w',
  // bar-amnesiac-voters
  'AaADkcoeAUNnraZ-wTSVgcCrggIDAJh1AaCNBoCAIKDCHgEEhJ4LEgMBAACq_gEqAgACAgASAwAAAYvbft0',
  // confirm-before-reading
  'ATGoxUUBxYdiPy-aEX2BiOMCAwDAuAIBgIBACKDCHgHB5DUnAL86K1Y',
  // own-commit-before-reading
  'ASb7yh8BAtPUFfOrrcrngKPuAQHoB6CcAdAPsOoBwLgCAYCAgAGgwh5kAsgB0A8DAsLQEgEBAANyW9dA',
  // apply-before-reading
  'AQK97g0BYo2lP7ZGswPnwKsCAegHuBcAAALAuAIBoI0GgICAAqD3NgEAHUco3rM',
  // lease-from-sending
  'AYcF1Oo8ASmYZQQC9uBcwYjvAwOIJwDAuAIBAcDPJICAgAQBQKD3NgKj3y0EA9CzDgaqhA_w',
  // give-up-lease-on-transfer
  'ASjBqYYBAZlXesSiUIOY58jvNwfoB7gXAAAAAsC4AgEBwM8kgICACAFAoMIeZAHIAQOe92wmBQDAhD3g3CoAHAehjRQkAEBEUK0',
  // ignore-campaigns-under-leader
  'AZYDtogTAZhA2gEalE7Dh8CnAgPoB7gXBMC4AgEBgICAEKDCHgKOnhATAJBOBwExrp04',
  // deduplicate-retries
  'AQqn_KABAYvsoPgFhRNB4cCrAgIAAALAuAIBoI0GgICAIKD3NgPs35oBDwECABfoB9APo-cDEAECkAxKfQ',
];

// @ts-check
// For each rule, a run in which a property is violated because the rule is switched off. It is what
// follows `#run=` in the link to that moment. `raftarium hunt --without RULE --seeds A..B --for
// 20s` finds and shrinks such a run; its last line is the link. A page test opens each, and says
// which must be found anew after a change of how runs play. Where the page can't find the failure
// itself, the finding follows the run.

/** In the order of `rules`. The comments, which are not served, name the rules. */
export const counterexamples = [
  // compare-logs-before-voting
  'ARDO_B0BUnb_tWUYc_uBwKsCAgDAuAIBoI0GAaD3NgYAF-gHuBeUsQodkbIIEwMAHgOqLwEAABRsSB71',
  // vote-once-per-term
  'AQj69goB1ss4DEDhQqLnyOsCApBOwLgCAAAAAMC4AgHAzyQCAqD3NgCmqLwx',
  // persist-before-voting
  'AQC8vgkB9CZQNpz_01iHwKteA-gHuBcCwKkHAaCNBgSg9zYBAsgBrAIAPb2gJw',
  // win-by-majority
  'AQi2pwoB3Q9MMPJwwIzmiONe6Ae4FwAAAMCpBwEIAaDCHmQByAGsAgEAFsDPJFT5stU',
  // step-down-on-higher-term: it violates no safety property, but a server never catches up again.
  'ARe31ucUAavGveHSoODxgcjjXQMAAIDxBAEQCBABAQEAAwATA7frHyAAAB8KcHV0IGNhbG0gMeJ9QuQ' +
    '&found=Liveness&at=43.641655s&first=the+storm+was+over+for+S2%2C+S3+at+0.521655+s+and+S2+leads' +
    '&second=at+43.641655+s+S3+still+has+not+applied+entry+3',
  // refuse-stale-terms
  'ARfBrhUB57OCSFaljoeHwKu-AQSQTsC4AgLAqQcBoI0GIKD3NmQByAEBAwGS9xAcAcYHZyc',
  // persist-before-acknowledging
  'AQDa2wkBYA2i91IfzVfnwKteA-gHuBcAAALAqQcBoI0GQKD3NgECyAGsAgBMnUDV',
  // persist-before-counting
  'AQbYjQoBnVPYP-GAKRKBwKsCAQDAuAIBoI0GgAGg9zYAiBAbxg',
  // match-writes-by-term
  'AXflmy8Bbrs-wGlN1GrmwCPoB6CcAdCGA_CTCQiYdQGAAgWC2BId1IEHAQDGZAcEAAMAFsCaDDWb0fU',
  // check-previous-entry
  'AQTf7w4B2Ms8qU2VqmXnwKteAugHuBcAAADAqQcBoI0GgASg9zYBAsgBrAICwIoMHAGXAh3PAc8O',
  // truncate-only-on-conflict
  'AQHg9hkBMBGxsQ9VsLXnwKsCAugHuBcAAALAuAIBoI0GgAig9zYA1ZIAQA',
  // commit-only-verified
  'AQ-bwYwBAVu4lPSM9Y2e58CrAgLoB7gXAAAEwLgCAaCNBoAQoPc2C_TbYB0ADwIBAA8BAqURF-gH0A8AEAIBwlgQAQLw4iATAQAtAQABAQACAb3_CRTsIkiv',
  // commit-by-majority
  'AQDO0gkBvnkGtAkCcB3nwKteA-gHuBcAAALAqQcBoI0GgCCg9zYBAsgBrAIAXJZtcA',
  // commit-only-own-term
  'AfwIt8ZoAc0P5cBUiOFvx8DjWwOIJ5h1iCcCwKkHAYBAAkCgwh4BAQAGAB3O6QQmAgDAhD2AkvQBvuUxJgIAwIQ9tfUHhLICEwDx_g8UACYCAMCEPYCS9AGCdlwe',
  // ignore-old-snapshots
  'AROWuyEBS9Dg1PQCLErngKNeBOgHuBcAAMCpBwGAgAGgwh5kAcgBrAIEjNsPAQHQywgdqqIHFsDPJAADPmCTiQ',
  // change-through-joint
  'AQfAmgwBJyAj40ZUQSHhwKteAwAAAMCpBwGgjQaAgAKg9zYBAsgBrAICAB4CAB4Dg6cMlQ',
  // one-change-at-a-time
  'AQCBtg8BEesSZ9nfAv-BwKteAwDAqQcBoI0GgIAEoPc2AQLIAawCAqbSDB4C2-MCHgNJZpnp',
  // own-commit-before-change
  'AROA0w4BEfbzYt9vGPfnwKNeAugHuBcAAADAqQcBgIAIoMIeZAHIAawCAgAdAA4CyN8C4NQDAC6Lvw',
  // membership-follows-log
  'AQyAxBMBzfyKKI-c1YPhwKsCAQAAAMC4AgGgjQaAgBCg9zYBAB0ewOu5',
  // bar-amnesiac-voters
  'AQzorgoBsgGvDRLSjwrnwKteAegHuBcAAADAqQcBoI0GgIAgoPc2AQLIAawCAQAdraY4Ew',
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

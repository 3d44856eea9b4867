// @ts-check
// Runs in which a rule that is switched off is missed: what follows `#run=` in the link to where it breaks. Found and
// made small by `raftarium hunt --without RULE --seeds A..B --for 20s`, whose last line is the link; a page test opens
// each, and says which have to be found anew when runs play otherwise.

/** In the order of `Run.rules`; a comment, which is not served, names the rule. */
export const breaks = [
  // compare-logs-before-voting
  'ASba-RkBUlsFYetFJuWHyOsCA5BOwLgCAADAuAIBwM8kAQKg9zYBACYCAMCEPcnvCHD1GxA',
  // vote-once-per-term
  'AQj69goB1ss4DEDhQqLnyOsCApBOwLgCAAAAAMC4AgHAzyQCAqD3NgCmqLwx',
  // persist-before-voting
  'AQC8vgkB9CZQNpz_01iHwKteA-gHuBcCwKkHAaCNBgSg9zYBAsgBrAIAPb2gJw',
  // win-by-majority
  'AR7xlhwBTJjNFlXXDX-HwKMCBognmHUCwLgCAQig9zYHsYoCHgIAHgEAHgUAHgYAHgSpmwkPBgUADwYEF7GLKw',
  // step-down-on-higher-term: to go on breaks no property of safety, the cluster only stands still.
  '',
  // refuse-stale-terms
  'AQ3CmxwBoDocK4c95O_nyO8CA5BOwLgCAAAAAsC4AgEBwM8kIAKg9zYCnI4TJwDXqQUU_7Mosw',
  // persist-before-acknowledging
  'AQDa2wkBYA2i91IfzVfnwKteA-gHuBcAAALAqQcBoI0GQKD3NgECyAGsAgBMnUDV',
  // persist-before-counting
  'AQbYjQoBnVPYP-GAKRKBwKMCAQDAqQcBgAGg9zYATRXERg',
  // match-writes-by-term
  'AQel8TQBRGRaptfIxfrmiONe6Ae4FwAAAMCpBwGAAgGgwh5kAcgBrAII6p4JFsDPJMHaChbAmgwAF-gH0A_tmQEopdYKJwDW2wgBBAAUAA4GyN8C4NQDAlKCbA',
  // check-previous-entry
  'AQTTjLwCAdATsm-5AFFc58CrAgLoB7gXAAAEwLgCAaCNBoAEoPc2BPnElwIPAQL5uwUTAtqTBxECAfOMAvSNHLacAxQUtjin',
  // truncate-only-on-conflict
  'AQHg9hkBMBGxsQ9VsLXnwKsCAugHuBcAAALAuAIBoI0GgAig9zYA1ZIAQA',
  // commit-only-verified
  'ASPr_Q8BRx1qxEsHfKuBwKPuAQEAwLgCAYAQoMIeZALIAdAPAwPcmgodt_oDIf8AA6Z6S0Y',
  // commit-by-majority
  'AQDO0gkBvnkGtAkCcB3nwKteA-gHuBcAAALAqQcBoI0GgCCg9zYBAsgBrAIAXJZtcA',
  // commit-only-own-term
  'AZIBlMeaAgEF0vlaYvrofueg4wMD6AegnAHQD7DqAQXAuAIBgEACQKD3Ng_A3ZwBEwDMog8mAgDAhD38-gju3AEUABMAgPkaFAATAQAmAgDAhD2AkvQB4KcSBwPFhgMUAAcDuvQFBwOJuwkTAwAmAgDAhD38-giXtgcUsdwXEwDIrysw',
  // ignore-old-snapshots
  'ARamoZMBAT8RB__Ije75h6DjXgLoB7gXBcCpBwGAgAEBoMIeZAHIAawCApy9kAEdABbAmgyzL_mE',
  // change-through-joint
  'ASCAxBMB4jpekg80EUmBwKsCBALAuAIBwM8kgIACoPc2AgAdAB4ETufZpg',
  // one-change-at-a-time
  'ARGzkRAByn9IhrAwsEuAwKsCAJh1AaCNBoCABKD3NgIAHgWzkRApBQLlArI',
  // own-commit-before-change
  'ARfoxRwBH6hYRBs4djDnyONeBOgHuBcAAAAAwKkHAYCACAGgwh5kAcgBrAICw-4CAQTlrRIdcr2G-Q',
  // membership-follows-log
  'AROgkhoBhV_VrP7dUSHmyONe6Ae4FwAAAADAqQcBgIAQAaDCHmQByAGsAgUAHgIAHgUAHgTgtQ8BAgADbpeoqg',
  // bar-amnesiac-voters
  'AQir1AwB0fRUlUJvUX7hwONeAQAAAMCpBwGAgCABoMIeZAHIAawCAgAX6AfQDwAoqA5PKQ',
  // confirm-before-reading
  'AROehSIBHzuicocphDHmiONe6Ae4FwAAAMCpBwGAgEABoMIeZAHIAawCBAAWwJoMxNUMF-gH0A-AlgQIAgDtzwInADzlmTY',
  // own-commit-before-reading
  'ARWR2YABAacV6iKt3vPIxsivvwGQTsC4AognAALAqQcBAaCNBoCAgAFAoPc2ZAHIAQEDCAASCQEAAAEAAAEBAaxBAQXWuQIPAgUADwMC3ogCA9GCDxIJAQEAAAAAAQEB14oLCgKgvUwSCQEBAAEAAQEBAVheEHQ',
  // apply-before-reading
  'AQ2vpQ0BW4Q0pjWnM2vnwKsCAegHuBcAAATAuAIBoI0GgICAAqD3NgEAHZlVXi0',
  // lease-from-sending
  'ASe3wTwBn3Am_buKSSHnyO83B-gHuBcAAAACwLgCAQHAzySAgIAEAUCgwh5kAcgBBcuLLhEFAbz7BgAAEQYBvPsGAAARBwG8-wYA0YECLQEAIwHw1IXG',
  // give-up-lease-on-transfer
  'AYAQ1OEnAVvUTKWyntUIhsCnAugHuBcEwLgCAQGAgIAIoMIeAwAort8jHAXMCBMAgV5eBw',
  // ignore-campaigns-under-leader
  'AbAJzJvfBAHNkZIXPxVOW8fArwIDiCeYdYgnCMCpBwEBwM8kgICAEKD3NlLEk9QBHY7SAwEAu9sCLQKKgw8TAMPtCAEDAAEE2IsJAgHApgQloI0G9swflNkKA7BrFIu_AwEE1LEpBwGoLAcBof8BBwGglwQd3NUGDwED57MBJaCNBoPXB-S-BhSC1gED_-QBHQAeBurKDwECle0DAgKy8QcdickEAQS8ygUIA4C9P5J3BwKnJxECAeKXBQC-HgwDhD4HAs95BwKaoQUUvYwFIwGYuwoDoIUIJaCNBsjeLbXZBAEByvIEHcp-Hge-lwEU66ICAgEAAQKfsAECAgABA_PkCQIDtOMDAQH6mwMHA6GXCwIBAAEC5EgdAB4F89UBBwPJqQsjAcSGBwEBnbIBAgHAyxoCAgABA720AikDjNIRFIAYIwKT4wEBAY-fBy77rgQCAQABAq6OBicA_twBFIPeAwICAAEDz9UGBwLPISUApIIK70kHAsXeAQcC4FUeBNaOAwOzxQQBBNhtBwPBKwcDhp8KFsDPJOKTEhfoB9APABwButUKHAKPgQUkALosBwEBbBS3',
  // deduplicate-retries
  'AQeWqXQBnMICokXz4QPhwKsCAgAABMC4AgGgjQaAgIAgoPc2ApqVbA8CAQAQAgE2Tg4W',
];

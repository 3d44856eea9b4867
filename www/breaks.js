// @ts-check
// Runs in which a rule that is switched off is missed: what follows `#run=` in the link to where it breaks. Found and
// made small by `raftarium hunt --without RULE --seeds A..B --for 20s`, whose last line is the link; a page test opens
// each, and says which have to be found anew when runs play otherwise.

/** In the order of `Run.rules`; a comment, which is not served, names the rule. */
export const breaks = [
  // compare-logs-before-voting
  'AQypvH8BqxtoRQ5yC__mgG_oB6CcAdAPsOoBwKkHAQHAzyQBAQWL1iQdABwCACQAkcNMAQAAFBsM4GQ',
  // vote-once-per-term
  'AQj69goB1ss4DEDhQqLnyOsCApBOwLgCAAAAAMC4AgHAzyQCAqD3NgCmqLwx',
  // persist-before-voting
  'AQC8vgkB9CZQNpz_01iHwKteA-gHuBcCwKkHAaCNBgSg9zYBAsgBrAIAPb2gJw',
  // win-by-majority
  'AQi2pwoB3Q9MMPJwwIzmiONe6Ae4FwAAAMCpBwEIAaDCHmQByAGsAgEAFsDPJFT5stU',
  // step-down-on-higher-term: to go on breaks no property of safety, the cluster only stands still.
  '',
  // refuse-stale-terms
  'AQf19x0BV6BSSvH-iDzhiOsCBAAAAMC4AgHAzyQgAqD3NgEAJgIAwIQ9qM8LVTx5rQ',
  // persist-before-acknowledging
  'AQDa2wkBYA2i91IfzVfnwKteA-gHuBcAAALAqQcBoI0GQKD3NgECyAGsAgBMnUDV',
  // persist-before-counting
  'AQbYjQoBnVPYP-GAKRKBwKMCAQDAqQcBgAGg9zYATRXERg',
  // match-writes-by-term
  'AQel8TQB_rIFw9DnP07miONe6Ae4FwAAAMCpBwGAAgGgwh5kAcgBrAII6p4JFsDPJMHaChbAmgwAF-gH0A_tmQEopdYKJwDW2wgBBAAUAA4GyN8C4NQDr-iYuw',
  // check-previous-entry
  'AQTTjLwCAdATsm-5AFFc58CrAgLoB7gXAAAEwLgCAaCNBoAEoPc2BPnElwIPAQL5uwUTAtqTBxECAfOMAvSNHLacAxQUtjin',
  // truncate-only-on-conflict
  'AQHg9hkBMBGxsQ9VsLXnwKsCAugHuBcAAALAuAIBoI0GgAig9zYA1ZIAQA',
  // commit-only-verified
  'ATDW_A4BZ6L_IOwmjgSBwKPuAQEAwLgCAYAQoMIeZALIAdAPAwPw_Acdt_oDIf8AA79wQdA',
  // commit-by-majority
  'AQDO0gkBvnkGtAkCcB3nwKteA-gHuBcAAALAqQcBoI0GgCCg9zYBAsgBrAIAXJZtcA',
  // commit-only-own-term
  'AZIBlMeaAgEF0vlaYvrofueg4wMD6AegnAHQD7DqAQXAuAIBgEACQKD3Ng_A3ZwBEwDMog8mAgDAhD38-gju3AEUABMAgPkaFAATAQAmAgDAhD2AkvQB4KcSBwPFhgMUAAcDuvQFBwOJuwkTAwAmAgDAhD38-giXtgcUsdwXEwDIrysw',
  // ignore-old-snapshots
  'ARamoZMBAbvT7eMo-TU4h6DjXgLoB7gXBcCpBwGAgAEBoMIeZAHIAawCApy9kAEdABbAmgx987LO',
  // change-through-joint
  'ASCAxBMBf1qC8MxQ3j6BwKsCBALAuAIBwM8kgIACoPc2AgAdAB4ELDBuTg',
  // one-change-at-a-time
  'AQepkg0Bb0qoos2PJsmBwKNeAwDAqQcBgIAEoMIeZAHIAawCAozGCh4BncwCHgI5yaVe',
  // own-commit-before-change
  'ARfoxRwBH6hYRBs4djDnyONeBOgHuBcAAAAAwKkHAYCACAGgwh5kAcgBrAICw-4CAQTlrRIdcr2G-Q',
  // membership-follows-log
  'ARbpohIBuW9MB72ykErngKMCA4gnmHXQD7DqAcC4AgGAgBCg9zYBAB4B_GcrJg',
  // bar-amnesiac-voters
  'AQir1AwBZbJH0aUWS-7hwONeAQAAAMCpBwGAgCABoMIeZAHIAawCAgAX6AfQDwAoY5uKEQ',
  // confirm-before-reading
  'AROehSIBHzuicocphDHmiONe6Ae4FwAAAMCpBwGAgEABoMIeZAHIAawCBAAWwJoMxNUMF-gH0A-AlgQIAgDtzwInADzlmTY',
  // own-commit-before-reading
  'ARip-zwB2c0wj0xvBkuHwKOeAQHoB7gXAsC4AgGAgIABoPc2AQIBAwPDpS8BAAADAA4BiCeQThQJyJU',
  // apply-before-reading
  'AQ2vpQ0BZaHaEsfWcHvnwKsCAegHuBcAAATAuAIBoI0GgICAAqD3NgEAHVbcyNY',
  // lease-from-sending
  'ASe3wTwBn3Am_buKSSHnyO83B-gHuBcAAAACwLgCAQHAzySAgIAEAUCgwh5kAcgBBcuLLhEFAbz7BgAAEQYBvPsGAAARBwG8-wYA0YECLQEAIwHw1IXG',
  // give-up-lease-on-transfer
  'AYAQ1OEnAWnpfTYjVo6jhsCnAugHuBcEwLgCAQGAgIAIoMIeAwAort8jHAXMCBMAbhZRsg',
  // ignore-campaigns-under-leader
  'AckJz-BCASz0doCG0jQQx8CvAgOIJ5h1iCcIwKkHAQHAzySAgIAQoPc2bgAdAAEAAC0CACMCAAECAAMAAQEAAQIAAQMAAgEADgHwkwnAmgwADgLwkwnAmgwADgPwkwnAmgwADgTwkwnAmgwAAwASEAAAAAABAAAAAAAAAAAAAAAAAQEAAgEAAQIAAgIAAQMABwEABwIAAgMAAQQABwEABwEABwEAHQAPAQMAJaCNBoPXBwAUAAMAHQAeBgABAgACAgAuACWgjQbI3i0AAQEAHQAeBwACAQABAgACAgABAwAM_wACAwABAQAHAwARAgGDggcAAAIBAAECABQAHQAeBQAHAwAHAwAHAwACAgABAwACAwAOAegHiCcADgLoB4gnAA4D6AeIJwAOBOgHiCcAIwEAAQEAAgEAAQIAAgQAFAAcAgAkAAAUAAEBAAIBl4cDLQAAJwAAFIjzAggDgMw6AAICAAED86oFBwIAJQCkggqMOwcCAAcCAB0AHgTWjgMD46sDLQAAJADQmQEBBNhtBwPBKwcDsIwCAQCvDwcD8IIHKQG3gAEWwM8k-KsEAgSmPRYAssUGLt5nFLT9BRfoB9APABwButUKHAKnwQQjAOg_LQAAJAC6LAcBBk6uDg',
  // deduplicate-retries
  'AQeWqXQBnMICokXz4QPhwKsCAgAABMC4AgGgjQaAgIAgoPc2ApqVbA8CAQAQAgE2Tg4W',
];

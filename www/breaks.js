// @ts-check
// Runs in which a rule that is switched off is missed: what follows `#run=` in the link to where it breaks. Found and
// made small by `raftarium hunt --without RULE --seeds A..B --for 20s`, whose last line is the link; a page test opens
// each, and says which have to be found anew when runs play otherwise.

/** In the order of `Run.rules`; a comment, which is not served, names the rule. */
export const breaks = [
  // compare-logs-before-voting
  'ARHH5bMBAcMl32ondeiC54jjXgToB7gXAAAAwKkHAQEBoMIeZAHIAawCA5b_hwEBAOC7CScA-9oJA3KClH8',
  // vote-once-per-term
  'AQj69goBg_9Y_WnZEU_nyOsCApBOwLgCAAAAAMC4AgHAzyQCAqD3NgAFqBXM',
  // persist-before-voting
  'AQC8vgkB34ymWyDx87iHwKteA-gHuBcCwKkHAaCNBgSg9zYBAsgBrAIAxyllSg',
  // win-by-majority
  'AQi8rw0BrZr2g8FCcOiGyOsCkE7AuAIAAMC4AgHAzyQIAqD3NgDMIJFU',
  // step-down-on-higher-term: to go on breaks no property of safety, the cluster only stands still.
  '',
  // refuse-stale-terms
  'AQ2X_RYBG2994frIU0TgiOsCAAAAwLgCAcDPJCACoPc2Au7uDRMAhukFFGm_uwA',
  // persist-before-acknowledging
  'AQDa2wkB04tbA5KOqPTnwKteA-gHuBcAAALAqQcBoI0GQKD3NgECyAGsAgA7h02N',
  // persist-before-counting
  'AQbYjQoBL-Btdk9JvDWBwKMCAQDAqQcBgAGg9zYATT7cdQ',
  // match-writes-by-term
  'AdwB0a2eBAEygIWNGj0esMfg4wED6Ae4F4gnBQLAuAIBgAICQEnlpwYNAgG-_wEo800NAwHvjQYOAYgnkE6n9hkV4KcSp6AVDQIA9YUDDAKT_gETAZjkBA0DALa7BRbAzyTb3xQEAdLTAhSjqAoWoJwByO0DBv2KAh4DguEDIwOlNQ0CAciSAy0Cp34UshMmBgHAhD3AzySHLhwChdkBEwHm2AYeAvTfAREDApbyCAC4wQ0VoJwBuMAFAgLZORTAdhEBAqjdBQCk-AYjAo3gCBSPiAEPAgPAtgQNAgCu4gIkALXLAhTQ0AgEAMyRMCoD3LkGKJedBw0BAabKARXgpxK-IQECpMMDAgLemwIIAYDMOt4uBwL2hQQMAPHBBQONsAEWAJ2NDyYDAcCEPYC-kgHRlAQHAbaCDA0BAJGBCB3jvQgTAKngAxTTqQYpA70hJADVlQMU4r0PBACU3yMjAZGVAiQAu8MEBtutAQgBwIQ9mOw4FLSoASoD-tAGAgOYpgojAc_3Ag0BAfegBhSOjwoBAcd9AgHPlxAHA6dfIwPL4QkNAQDbxw4WwJoMyqwJDgOw6gHg1AMRXiPn',
  // check-previous-entry
  'AQTTjLwCAc1YnI2ITY1C58CrAgLoB7gXAAAEwLgCAaCNBoAEoPc2BPnElwIPAQL5uwUTAtqTBxECAfOMAvSNHLacAxSCx1ps',
  // truncate-only-on-conflict
  'AQHg9hkBvtfIGMpSaB7nwKsCAugHuBcAAALAuAIBoI0GgAig9zYA4AcZNw',
  // commit-only-verified
  'ATDW_A4BsoGVaWHWPjaBwKPuAQEAwLgCAYAQoMIeZALIAdAPAwPw_Acdt_oDIf8AA7Z155s',
  // commit-by-majority
  'AQDO0gkBSajPW833kgvnwKteA-gHuBcAAALAqQcBoI0GgCCg9zYBAsgBrAIAYpvVYw',
  // commit-only-own-term
  'AfFa--PCAQHTsScuNwWYYObAq-YBkE7AuAIA6AcCwKkHAaCNBoBAoPc2AQGsAgMIg-V0EwCw9BITALTmBRQAEwCqtBEUABMAwUUWwJoMtcgVEwDu296i',
  // ignore-old-snapshots
  'AQekof4BAXDiAYMiEspC5ojjXugHuBcAAADAqQcBgIABAaDCHmQByAGsAgOK8P0BHgMAFqCcAaANHfOB_8o',
  // change-through-joint
  'AQ-A0w4Bwi3CFhchVdeHwKNeAegHuBcAwKkHAYCAAqDCHmQByAGsAgIAHQAdfYgJdA',
  // one-change-at-a-time
  'ARfI-hMBoXfBTty3XOeBwKsCAgDAuAIBwM8kgIAEoPc2AgAdyPoTHgMkzJoZ',
  // own-commit-before-change
  'ARCA0w4BeFUaz-Oa63qBwKsCAgDAuAIBwM8kgIAIoPc2AQAdxnSXGQ',
  // membership-follows-log
  'AQ3LlIIBAZLbm7_tInVI5ujjXugHuBcAAAAFAMCpBwGAgBABoMIeZAHIAawCCfD3Zx0AHQAdAB4EAB4Hpo8NAQMAAQUAAQYAA6Zoybs',
  // bar-amnesiac-voters
  'AdYC4rIoAX0BJY-uSXXOgYArA8C4AgHAzySAgCAEyqkVF-gH0A8AAQK7JyoAAANeVeUm',
  // confirm-before-reading
  'ARGTmBYBE1t5pyuledOGwKsC6Ae4FwiYdQGgjQaAgECg9zYE7rgFDwQF86UGDwEEAA8EAQAPBAM3-yiR',
  // own-commit-before-reading
  'ASny-lQBOc572OdlqIfhyO8CAgAAAALAuAIBAcDPJICAgAECoPc2AterRwECAAMFmA3S',
  // apply-before-reading
  'AQ2vpQ0BcCUpd3rGu9_nwKsCAegHuBcAAATAuAIBoI0GgICAAqD3NgEAHRCJghE',
  // lease-from-sending
  'ASe3wTwB92CruGKIJF7nyO83B-gHuBcAAAACwLgCAQHAzySAgIAEAUCgwh5kAcgBBcuLLhEFAbz7BgAAEQYBvPsGAAARBwG8-wYA0YECLQEAIwGLHgqG',
  // give-up-lease-on-transfer
  'AVHbgxYBDxXq4kU-ikaHwK8CA-gHoJwBBJh1AQGgjQaAgIAIoPc2BAAOArDqAeDUA-3XEhwBkV0TAMMOFqCcAbedkpU',
  // ignore-campaigns-under-leader
  'AdYJnu0DAWTRv8f5NAn9gcCvAgMIwKkHAQHAzySAgIAQoPc2BwAHAgAdAB4EABfoB9AP4LgBLQAAJAAABwH__HER',
  // deduplicate-retries
  'AQeWqXQBnch6M7HDE2bhwKsCAgAABMC4AgGgjQaAgIAgoPc2ApqVbA8CAQAQAgElCbF6',
];

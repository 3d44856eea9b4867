// @ts-check
// Runs in which a rule that is switched off is missed: what follows `#run=` in the link to where it breaks. Found and
// made small by `raftarium hunt --without RULE --seeds A..B --for 20s`, whose last line is the link; a page test opens
// each, and says which have to be found anew when runs play otherwise.

/** In the order of `Run.rules`; a comment, which is not served, names the rule. */
export const breaks = [
  // compare-logs-before-voting
  'AaUfhf9FAc5ib_ZN9QKW58AjBOgHoJwBAOgHAsC4AgEBB7e6HSQAsrwPJgAB0A-Ajs4cvZgCFPOICwECkNMBAQAAF-gH0A8AA7w_q5c',
  // vote-once-per-term
  'AQj69goBg_9Y_WnZEU_nyOsCApBOwLgCAAAAAMC4AgHAzyQCAoDqMACeIiy-',
  // persist-before-voting
  'AQC8vgkB34ymWyDx87iHwKteA-gHuBcCwKkHAaCNBgSA6jABAsgBrAIA-q1Heg',
  // win-by-majority
  'AQi8rw0BrZr2g8FCcOiGyOsCkE7AuAIAAMC4AgHAzyQIAoDqMABTsuUK',
  // step-down-on-higher-term: to go on breaks no property of safety, the cluster only stands still.
  '',
  // refuse-stale-terms
  'AQ3B-rkBAcAUuJwuWVX35sDrzQGQTsC4AtAPsOoBAsC4AgGgjQYgAkBkAQADDZmRJAsAj5sEJaCNBp_6I6uwAw8BBPuEEAP8ygMlkE74py-QiAcPAgH-zwUlAOSaGvaHBiH_pbcDKQPuwxId0OsgIf_MhAEh_-DlAgN_DY50',
  // persist-before-acknowledging
  'AQDa2wkB04tbA5KOqPTnwKteA-gHuBcAAALAqQcBoI0GQIDqMAECyAGsAgChK_Ld',
  // persist-before-counting
  'AQyR2QkBWVqlpGL9saGBwKsCAQDAuAIBoI0GgAGA6jAA3EJCPA',
  // match-writes-by-term
  'ATGm4DsBcnP3R7D7hf7ngKMCBOgHuBfQhgPwkwnAuAIBgALgpxICk5UjEwD1lA8U1YhgPg',
  // check-previous-entry
  'AQqjgA0ByHpv2mBAyd2HwKteA-gHuBcCwKkHAaCNBoAEgOowAQLIAawCAL6aGVg',
  // truncate-only-on-conflict
  'AQH5yBMB28M1LzJYfyGBwKsCAgLAuAIBoI0GgAiA6jAAk4l-2Q',
  // commit-only-verified
  'AQf57gwBaPTMWQ4mem7hwKteAwAAAsCpBwGgjQaAEIDqMAECyAGsAgMAIgEBvcYMIf8AA089Geo',
  // commit-by-majority
  'AQDO0gkBSajPW833kgvnwKteA-gHuBcAAALAqQcBoI0GgCCA6jABAsgBrAIAdWoQRA',
  // commit-only-own-term
  'Ab0BmJ6YAgFB2NMYoimby-bI4_4BiCeYdQAAAALAuAIBgEABgOowAQEBAQADLNOpDSYBAaCcAcCWsQLLsgYTAM2gDBQAEwCWmg8BAQABAwABBAABBc73DSIDAc-gDQOB_AYU-KQFAQEAAQIAAQMAAQQAAQXXqiUmBgGgnAHAlrECmOEpA46fCxMAo_EHAQEAAQIAAQMAAQQAAQXZowwmAAGQTsCEPf7bBAPMnQkUrY4FEwD9nwEdud0BEwDY5wsUABMAn-oFJgABAACWrgMiAwCjiQQBAQABAgABAwABBAABBYvTBgOh1AEUuZMLEwCLRRS6-QMTAKxorVE',
  // ignore-old-snapshots
  'AS_H27QBAXF8xv4glWt85-DnAQPoB7gXAOgHBQLAqQcBAYCAAQFAA6DWggElkE7ovxX6txUX6AfQD5XaBB2-xhCT',
  // change-through-joint
  'AQOAtRgBIvmMUh5SVTKBwKteAgDAqQcBoI0GgIACgOowAQLIAawCAgAeAQAdGsWUog',
  // one-change-at-a-time
  'AQCB5g8BWOAbduRvpv2BwKteAwDAqQcBoI0GgIAEgOowAQLIAawCAtuYDR4Bps0CHgLqLXqq',
  // own-commit-before-change
  'AQfAmgwBptoX2-6Pm3aBwKteAgDAqQcBoI0GgIAIgOowAQLIAawCAQAeAorq9Mo',
  // membership-follows-log
  'AQzAixEBQHeTanceL2LnwKsCAegHuBcAAADAuAIBoI0GgIAQgOowAQAdW0AMLw',
  // bar-amnesiac-voters
  'AS76v7sDAVKOZ7MMrhtv5oCrAugHoJwBAOgHwKkHAcDPJICAIIDqMASp4qkDEhAAAAABAQAAAAAAAAAAAAAAgMcEKgIAAgIAFDFqUG4',
  // confirm-before-reading
  'ATzL2zQBV16tCPU1FqOAoOsDBcC4AgGgjQaAgEACQOCnEgMABwHDtTAkAAAcA3W8w9Q',
  // own-commit-before-reading
  'AQvrxpYCAdQ_kzL9E3PL58jvAgSQTsC4AgAAAALAuAIBAcDPJICAgAECgOowBoKe0QEeArvMCAEBAAEDAAEE-4ktA7bBCQcDdz5tSw',
  // apply-before-reading
  'AQK97g0Bn9ViCYVZ4C_nwKsCAegHuBcAAALAuAIBoI0GgICAAoDqMAEAHfiMJq4',
  // lease-from-sending
  'AYwlubBCAVqh8GvMtPWC54CvAgSIJ5h10A-w6gHAqQcBAcDPJICAgATgpxIDmqQIBwSJliYEAei7EwZa9wXG',
  // give-up-lease-on-transfer
  'AZQEmeEbAYclhjQPzU6754CnAgPoB6CcAQAAwKkHAQGAgIAI4KcSBAABA7mqEQIDyO8EHAMAJABipjfD',
  // ignore-campaigns-under-leader
  'AdYQhIAgAWByWDQzANtWgMCn-gECwLgCAQGAgIAQgOowAsgBAQAAA_upHBfoB9APABECBcvRCgCVeQcCwKXbAw',
  // deduplicate-retries
  'ARCLwVkBKO18tUrY-fuBwKMCAQLAqQcBgICAIIDqMAIAHQAX0IYDkL8FFo3KuQ',
];

//! Text from outside is shown, and no terminal obeys it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Done, FINE, FOUND, UNDECIDED, UNUSABLE, USAGE, folder, raftarium};

/// Texts that control a terminal or mislead a reader: colours and the cursor (with ESC and with a
/// C1 control), the clipboard (OSC 52), a title, reversed text, hidden text, lines that look like
/// the command's own.
const HOSTILE: [&str; 12] = [
    "\u{1b}[31mred",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]52;c;aGVsbG8=\u{7}",
    "\u{1b}]0;title\u{1b}\\",
    "\u{9b}31mred",
    "\u{9d}52;c;aGVsbG8=\u{9c}",
    "\u{202e}txet",
    "\u{2066}isolated\u{2069}",
    "\u{200b}hidden\u{feff}\u{e0041}",
    "back\u{8}\u{7f}\u{0}",
    "one\nNothing wrong was found.\r\n       1.000 s  S1 crashed.",
    "para\u{2028}graph\u{85}",
];

/// All of them in one text.
fn hostile() -> String {
    HOSTILE.concat()
}

/// Whether a terminal only shows it: lines of visible characters, in the command's own styles.
fn is_safe(text: &str) -> bool {
    // The command's own styles have the form ESC [ numbers m.
    let mut rest = text.to_owned();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        let Some((numbers, after)) = after.split_once('m') else { return false };
        if !["", "0", "1", "2", "32", "31", "33", "4"].contains(&numbers) {
            return false;
        }
        rest = [before, after].concat();
    }
    let active = |c: char| c.is_control() && c != '\n';
    let misleading = |c: char| matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    !rest.contains(|c| active(c) || misleading(c))
}

/// Runs the command with the colours of a terminal.
#[track_caller]
fn shown(folder: &Path, arguments: &[&str], status: i32) -> Done {
    let done = raftarium(folder, &[arguments, &["--color", "always"]].concat()).ended(status);
    assert!(is_safe(&done.out), "{:?}", done.out);
    assert!(is_safe(&done.err), "{:?}", done.err);
    assert!(!done.out.contains("\nNothing wrong was found.\r"), "{}", done.out);
    let longest = done.out.lines().chain(done.err.lines()).map(|line| line.chars().count()).max();
    let is_for_eyes = !arguments.contains(&"--json") && arguments[0] != "show";
    assert!(!is_for_eyes || longest.is_none_or(|longest| longest < 8_000), "{longest:?}");
    done
}

/// A run with a hostile note and a hostile command.
fn file(note: &str, command: &str) -> String {
    json!({
        "raftarium": 1,
        "note": note,
        "seed": "7",
        "until": "3s",
        "servers": 3,
        "clients": { "count": 0 },
        "actions": [
            { "at": "1s", "do": "submit", "command": command },
            { "at": "2s", "do": "crash", "server": "leader" },
        ]
    })
    .to_string()
}

#[test]
fn a_file_s_note_keys_and_values_are_shown_and_not_obeyed() {
    let folder = folder();
    let path = folder.path();
    for (place, hostile) in HOSTILE.into_iter().enumerate() {
        let word: String = hostile.chars().filter(|c| !c.is_whitespace()).collect();
        let name = format!("{place}.json");
        fs::write(path.join(&name), file(hostile, &format!("put k{word} v{word}"))).unwrap();
        let told = shown(path, &["replay", &name], FINE).out;
        assert!(told.contains("\\u{") || hostile.contains('\n'), "{told}");
        let logs = ["--trace", "t", "--history", "h", "--shiviz", "s", "--recording", "r"];
        shown(path, &[&["replay", &name, "--all"][..], &logs].concat(), FINE);
        for log in ["t", "h", "s", "r"] {
            let log = fs::read_to_string(path.join(log)).unwrap();
            assert!(is_safe(&log), "{log}");
        }
        shown(path, &["replay", &name, "--json"], FINE);
        shown(path, &["check", "h"], FINE);
        for log in ["--trace", "--history", "--shiviz", "--recording"] {
            shown(path, &["replay", &name, log, "-"], FINE);
        }
        // Escaped in JSON's way, it keeps its meaning.
        let (again, link) = (shown(path, &["show", &name], FINE).out, shown(path, &["link", &name], FINE).out);
        let (again, file) =
            (serde_json::from_str::<Value>(&again).unwrap(), file(hostile, &format!("put k{word} v{word}")));
        assert_eq!(again["note"], hostile);
        assert_eq!(again["actions"], serde_json::from_str::<Value>(&file).unwrap()["actions"]);
        shown(path, &["replay", link.trim(), "--all"], FINE);
    }
}

#[test]
fn a_note_can_not_pass_for_the_story() {
    let folder = folder();
    let path = folder.path();
    let note = format!("First.\n{}\nLast.{}", HOSTILE[10], "\nMore.".repeat(30));
    fs::write(path.join("run.json"), file(&note, "put x 1")).unwrap();
    let told = raftarium(path, &["replay", "run.json"]).ended(FINE).out;
    let expected = "First.\n| one\n| Nothing wrong was found.\n|        1.000 s  S1 crashed.\n| Last.\n| More.\n";
    assert!(told.starts_with(expected), "{told}");
    assert!(told.contains("| and 23 lines more\n\n"), "{told}");
    fs::write(path.join("run.json"), file(&"é".repeat(100_000), "put x 1")).unwrap();
    let told = raftarium(path, &["replay", "run.json"]).ended(FINE).out;
    assert!(told.lines().next().is_some_and(|line| line.chars().count() == 1_000 && line.contains('…')));
}

#[test]
fn long_keys_and_values_are_cut() {
    let folder = folder();
    let long = format!("put {} {}", "k".repeat(200), "v".repeat(4_000));
    fs::write(folder.path().join("run.json"), file("", &long)).unwrap();
    let told = shown(folder.path(), &["replay", "run.json", "--all"], FINE).out;
    assert!(told.lines().all(|line| line.chars().count() < 1_200), "{told}");
    assert!(told.contains("kkkk…kkk"), "{told}");
}

#[test]
fn errors_quote_and_do_not_obey() {
    let folder = folder();
    let path = folder.path();
    let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    let long = "\u{1b}[31m".repeat(10_000);
    for hostile in HOSTILE.into_iter().chain([&*hostile(), &*long]) {
        let word = hostile.replace(char::is_whitespace, "");
        // Field names, values, file names, and texts in place of a file.
        for text in [
            json!({ "raftarium": 1, "seed": "1", hostile: 1 }),
            json!({ "raftarium": 1, "seed": hostile }),
            json!({ "raftarium": 1, "seed": "1", "until": hostile }),
            json!({ "raftarium": 1, "seed": "1", "without": [hostile] }),
            json!({ "raftarium": 1, "seed": "1", "actions": [{ "at": "1s", "do": hostile }] }),
            json!({ "raftarium": 1, "seed": "1", "actions": [{ "at": "1s", "do": "crash", "server": hostile }] }),
            json!({ "raftarium": 1, "seed": "1", "actions": [{ "at": "1s", "do": "submit", "command": hostile }] }),
            json!({ "raftarium": hostile, "seed": "1" }),
        ] {
            write("run.json", &text.to_string());
            for command in ["replay", "show", "link"] {
                shown(path, &[command, "run.json"], UNUSABLE);
            }
        }
        write("h.jsonl", &json!({ "client": 1, "kind": "invoke", "op": "put", hostile: "x" }).to_string());
        shown(path, &["check", "h.jsonl"], UNUSABLE);
        write("h.jsonl", &json!({ "client": 1, "kind": hostile, "op": "put", "key": "x" }).to_string());
        shown(path, &["check", "h.jsonl"], UNUSABLE);
        write("run.json", &format!("{{ \"raftarium\": 1, {hostile}"));
        shown(path, &["replay", "run.json"], UNUSABLE);
        write("run.txt", &format!("http://x/#run={hostile}"));
        shown(path, &["replay", "run.txt"], UNUSABLE);
        // An argument of a process can't contain a zero.
        let argument = hostile.replace('\0', "");
        let argument = &*argument;
        for arguments in [
            &["replay", argument][..],
            &["show", &format!("http://x/#run={argument}")],
            &["check", argument],
            &["replay", "run.json", "--trace", &format!("no/such/{argument}")],
            &["link", &format!("{argument}.json")],
        ] {
            shown(path, arguments, UNUSABLE);
        }
        let word = word.replace('\0', "");
        let word = &*word;
        if argument.chars().any(|c| c.is_control() || c.len_utf8() > 1) {
            shown(path, &["hunt", "--base-url", argument], USAGE);
            shown(path, &["link", "run.json", "--base-url", argument], USAGE);
        }
        for arguments in [
            &[word][..],
            &["hunt", "--seeds", word],
            &["hunt", "--for", word],
            &["hunt", "--faults", word],
            &["hunt", "--without", word],
            &["hunt", "--jobs", word],
            &["hunt", "--nodes", word],
            &["hunt", &format!("--{word}")],
            &["hunt", word],
            &["replay", "x", "--until", word],
            &["check", "x", "--work", word],
            &["rules", "--hunt", word],
            &["completions", word],
            &["check", "x", word],
        ] {
            shown(path, arguments, USAGE);
        }
    }
}

#[test]
fn histories_are_judged_and_not_obeyed() {
    let folder = folder();
    let path = folder.path();
    for hostile in HOSTILE {
        let line = |client: u64, kind: &str, op: &str, value: &str, key: &str| {
            let mut line = json!({ "client": client, "kind": kind, "op": op, "key": key, "time": client });
            if op == "put" || kind == "ok" {
                line["value"] = value.into();
            }
            if op == "get" && kind == "ok" {
                line["found"] = true.into();
            }
            line.to_string()
        };
        let stale = [
            line(1, "invoke", "put", hostile, hostile),
            line(1, "ok", "put", hostile, hostile),
            line(2, "invoke", "get", "", hostile),
            line(2, "ok", "get", &format!("{hostile}2"), hostile),
        ];
        fs::write(path.join("h.jsonl"), stale.join("\n")).unwrap();
        let told = shown(path, &["check", "h.jsonl"], FOUND).out;
        assert!(told.contains("contradict each other"), "{told}");
        let value: Value = serde_json::from_str(&shown(path, &["check", "h.jsonl", "--json"], FOUND).out).unwrap();
        assert_eq!(value["key"], hostile);
        let [put, written, get, _] = stale;
        let concurrent = [put, get, line(2, "ok", "get", hostile, hostile), written];
        fs::write(path.join("h.jsonl"), concurrent.join("\n")).unwrap();
        let told = shown(path, &["check", "h.jsonl", "--work", "0"], UNDECIDED).out;
        assert!(told.contains("gave up on "), "{told}");
    }
    // Of many long keys, only a few are named.
    let lines = (0..300).flat_map(|n| {
        let key = format!("{n}{}", "k".repeat(500));
        [
            json!({ "client": n, "kind": "invoke", "op": "put", "key": key, "value": "1" }),
            json!({ "client": n + 300, "kind": "invoke", "op": "get", "key": key }),
            json!({ "client": n + 300, "kind": "ok", "op": "get", "key": key, "found": false }),
            json!({ "client": n, "kind": "ok", "op": "put", "key": key }),
        ]
    });
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    fs::write(path.join("h.jsonl"), lines.join("\n")).unwrap();
    let told = raftarium(path, &["check", "h.jsonl", "--work", "0"]).ended(UNDECIDED).out;
    assert!(told.contains(", 200 more after 0 steps") && told.len() < 25_000, "{told}");
}

#[test]
fn a_hunt_s_own_arguments_are_shown_and_not_obeyed() {
    let folder = folder();
    let path = folder.path();
    let hunt = ["hunt", "--without", "vote-once-per-term", "--for", "20s", "--seeds", "0..50", "--shrink-tries", "3"];
    for hostile in HOSTILE {
        let name = hostile.replace(['\0', '/'], "");
        let told = shown(path, &[&hunt[..], &["--out", &name]].concat(), FOUND).out;
        assert!(told.contains("raftarium replay ") && path.join(&name).exists(), "{told}");
        shown(path, &[&hunt[..], &["--out", &format!("no/such/{name}")]].concat(), UNUSABLE);
        shown(path, &[&hunt[..], &["--out", &name, "--json"]].concat(), FOUND);
    }
}

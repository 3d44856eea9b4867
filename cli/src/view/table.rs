//! What the servers say, as lines.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Note;
use super::poll::{Seen, Silence, Status, number_of};
use crate::output::{BAD, BOLD, DIM, GOOD, ODD, PLAIN, grouped};
use crate::text::{Text, escaped};

/// How many characters of a server's own words are shown in a cell.
const CELL_MAX: usize = 80;

/// The role of a server that doesn't answer.
const UNREACHABLE: &str = "unreachable";

/// A piece of a line: escaped already, and in one style.
struct Cell {
    style: Style,
    text: String,
    is_number: bool,
}

impl Cell {
    fn new(style: Style, words: &str) -> Cell {
        Cell { style, text: escaped(words, CELL_MAX), is_number: false }
    }

    fn number(number: impl std::fmt::Display) -> Cell {
        Cell { is_number: true, ..Cell::new(PLAIN, &number.to_string()) }
    }
}

/// A table of the servers and a line about the cluster, each line at most `width` columns wide.
pub fn lines(all: &[Seen], notes: &[Note], rate: Option<u64>, width: usize) -> Vec<Text> {
    let head = ["", "role", "term", "log end", "commit", "applied", "member", "disk", "", "at"];
    let mut rows: Vec<Vec<Cell>> = vec![head.iter().map(|word| Cell::new(DIM, word)).collect()];
    // Numbers stand under the end of their heading.
    for cell in &mut rows[0][2..6] {
        cell.is_number = true;
    }
    rows.extend(all.iter().map(|seen| row(seen, all, notes)));
    let columns = head.len();
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| row[column].text.width()).max().unwrap_or(0)).collect();
    let mut lines: Vec<Text> = rows.iter().map(|row| line(row, &widths, width)).collect();
    lines.push(line(&[Cell::new(PLAIN, "")], &[0], width));
    let sentence = Cell { style: PLAIN, text: escaped(&cluster(all, rate), 1_000), is_number: false };
    lines.push(line(&[sentence], &[0], width));
    lines
}

/// The member's kind, as whoever knows most says; nothing if nobody knows the members.
fn kind_of(number: u8, all: &[Seen]) -> String {
    let knowing =
        all.iter().filter_map(Seen::status).max_by_key(|status| (status.commit_index, status.role == "leader"));
    let Some(members) = knowing.map(|status| &status.members).filter(|members| !members.is_empty()) else {
        return String::new();
    };
    let member = members.iter().find(|member| member.server == number);
    member.map_or("no member".into(), |member| member.kind.clone())
}

fn row(seen: &Seen, all: &[Seen], notes: &[Note]) -> Vec<Cell> {
    let note = notes.iter().find(|note| note.address == seen.address);
    let number = number_of(seen, all).or(note.map(|note| note.server));
    let name = number.map_or("?".into(), |number| format!("S{number}"));
    let kind = number.map_or(String::new(), |number| kind_of(number, all));
    let words = note.map_or("", |note| &note.words);
    let Some(status) = seen.status() else {
        let (role, why) = match &seen.answer {
            Some(Err(Silence::Stranger(who))) if words.is_empty() => ("stranger", who.clone()),
            Some(Err(Silence::Stranger(who))) => ("stranger", format!("{words}; {who}")),
            Some(Err(Silence::Unreachable(why))) if words.is_empty() => (UNREACHABLE, why.clone()),
            _ => (UNREACHABLE, words.to_owned()),
        };
        let mut row = vec![Cell::new(BOLD, &name), Cell::new(BAD, role)];
        row.extend((0..4).map(|_| Cell::new(PLAIN, "")));
        row.extend([
            Cell::new(PLAIN, &kind),
            Cell::new(PLAIN, ""),
            Cell::new(ODD, &why),
            Cell::new(DIM, &seen.address),
        ]);
        return row;
    };
    let style = match status.role.as_str() {
        "leader" => GOOD,
        "follower" => PLAIN,
        _ => ODD,
    };
    let log = format!("{}@{}", status.log.last.index, status.log.last.term);
    let no_vote = match &status.no_vote_because {
        Some(why) => format!("may not vote: {why}"),
        None if status.may_vote == Some(false) => "may not vote".to_owned(),
        None => String::new(),
    };
    let mut remarks = vec![words, &no_vote];
    let lost = status.lacks().map(|lost| format!("lost entries {} to {}", lost.from_index, lost.up_to.index));
    remarks.extend(lost.as_deref());
    if !status.troubles.is_empty() {
        remarks.push("in trouble");
    }
    remarks.retain(|remark| !remark.is_empty());
    vec![
        Cell::new(BOLD, &name),
        Cell::new(style, &status.role),
        Cell::number(status.term),
        Cell { is_number: true, ..Cell::new(PLAIN, &log) },
        Cell::number(status.commit_index),
        Cell::number(status.applied_index),
        Cell::new(PLAIN, &kind),
        Cell::new(if disk(status) == "fine" { PLAIN } else { BAD }, disk(status)),
        Cell::new(ODD, &remarks.join(", ")),
        Cell::new(DIM, &seen.address),
    ]
}

/// The leader of the highest term, as it says itself.
fn leader(all: &[Seen]) -> Option<&Status> {
    all.iter().filter_map(Seen::status).filter(|status| status.role == "leader").max_by_key(|status| status.term)
}

/// A leader that others follow and that doesn't answer here, and who says so. Who just has been cut
/// off from it may still say so; who knows a later term knows better.
fn named_leader(all: &[Seen]) -> Option<(u8, u8)> {
    let latest = all.iter().filter_map(Seen::status).map(|status| status.term).max()?;
    let current = all.iter().filter_map(Seen::status).filter(|status| status.term == latest);
    current.filter_map(|status| Some((status.leader_number()?, status.server))).find(|(leader, by)| leader != by)
}

/// How a server's disk is, in a word.
fn disk(status: &Status) -> &str {
    if status.disk == "fine" && status.lacks().is_some() { "repairing" } else { &status.disk }
}

/// Which of these servers lack entries of their logs, and what follows, if any do.
pub fn lacking<'a>(all: impl Iterator<Item = &'a Status>) -> Option<String> {
    let mut servers = Vec::new();
    for status in all {
        if let Some(lost) = status.lacks() {
            servers.push(format!("S{} (entries {} to {})", status.server, lost.from_index, lost.up_to.index));
        }
    }
    let verb = if servers.len() == 1 { "has" } else { "have" };
    let none = if servers.len() == 1 { "it can't lead" } else { "none of them can lead" };
    let last = servers.pop()?;
    let names = if servers.is_empty() { last } else { format!("{} and {last}", servers.join(", ")) };
    Some(format!("{names} {verb} lost a part of the log, and {none} before a server with a whole log does"))
}

/// Why nobody leads, as far as the servers tell.
fn why_nobody(all: &[Seen]) -> String {
    let mut sentence = "nobody leads".to_owned();
    let connected = all.iter().filter_map(Seen::status).filter_map(|status| {
        let voters = status.members.iter().filter(|member| member.kind == "voter").count();
        Some((status.voters_answering?, voters, status.server))
    });
    if let Some((answering, voters, server)) = connected.max_by_key(|(answering, ..)| *answering)
        && answering * 2 <= voters
    {
        let verb = if answering == 1 { "answers" } else { "answer" };
        sentence += &format!(": {answering} of {voters} voters {verb} S{server}, and a majority is needed");
    }
    if let Some(lacking) = lacking(all.iter().filter_map(Seen::status)) {
        sentence += &format!("; {lacking}");
    }
    sentence
}

fn cluster(all: &[Seen], rate: Option<u64>) -> String {
    let mut sentence = match leader(all) {
        Some(leader) => format!("S{} leads term {}", leader.server, leader.term),
        None => match named_leader(all) {
            Some((leader, by)) => format!("S{leader} leads, as S{by} says, and can't be asked"),
            None => why_nobody(all),
        },
    };
    let members = leader(all).map_or(&[][..], |leader| &leader.members);
    let count = |kind: &str| members.iter().filter(|member| member.kind == kind).count();
    for (kind, plural) in [("voter", "voters"), ("learner", "learners")] {
        match count(kind) {
            0 => {}
            1 => sentence += &format!("; 1 {kind}"),
            number => sentence += &format!("; {number} {plural}"),
        }
    }
    if let Some(rate) = rate {
        sentence += &format!("; {} entries committed a second", grouped(rate));
    }
    sentence
}

/// What the servers see to be wrong around them, a line each.
pub fn troubles(all: &[Seen]) -> Vec<Text> {
    let of_server = |status: &Status| -> Vec<Text> {
        let line = |trouble: &String| {
            let mut text = Text::new();
            text.styled(BOLD, format_args!("S{}", status.server)).add(format_args!(" says: {trouble}"));
            text
        };
        status.troubles.iter().map(line).collect()
    };
    all.iter().filter_map(Seen::status).flat_map(of_server).collect()
}

/// What doesn't change by mere progress, in one line.
pub fn summary(all: &[Seen], notes: &[Note]) -> String {
    let server = |seen: &Seen| {
        let note = notes.iter().find(|note| note.address == seen.address);
        let name =
            number_of(seen, all).or(note.map(|note| note.server)).map_or("?".into(), |number| format!("S{number}"));
        let words = note.map_or("", |note| &note.words);
        let mut said = match seen.status() {
            Some(status) => {
                let kind = kind_of(status.server, all);
                let kind = if kind == "voter" || kind.is_empty() { String::new() } else { format!(" ({kind})") };
                let disk = if disk(status) == "fine" { String::new() } else { format!(", disk {}", disk(status)) };
                format!("{name} {} in term {}{kind}{disk}", status.role, status.term)
            }
            None if matches!(seen.answer, Some(Err(Silence::Stranger(_)))) => format!("{name} stranger"),
            None => format!("{name} {UNREACHABLE}"),
        };
        if !words.is_empty() {
            said += &format!(", {words}");
        }
        said
    };
    all.iter().map(server).collect::<Vec<_>>().join("; ")
}

/// A line of cells, cut where the terminal ends.
fn line(cells: &[Cell], widths: &[usize], width: usize) -> Text {
    let mut text = Text::new();
    let mut left = width;
    let mut add = |style: Style, words: &str| {
        let words = cut(words, left);
        left -= words.width();
        if style == PLAIN {
            text.add(words)
        } else {
            text.styled(style, words)
        };
    };
    // What follows the last word is left out.
    let last = cells.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or(0);
    for (place, (cell, column)) in cells.iter().zip(widths).enumerate().take(last + 1) {
        // A column without a word takes up no room, except the first.
        if *column == 0 && place > 0 {
            continue;
        }
        let gap = if place == 0 { "" } else { "  " };
        let padding = " ".repeat(column.saturating_sub(cell.text.width()));
        let (before, after) = if cell.is_number { (padding.as_str(), "") } else { ("", padding.as_str()) };
        add(PLAIN, gap);
        add(PLAIN, before);
        add(cell.style, &cell.text);
        if place < last {
            add(PLAIN, after);
        }
    }
    text
}

/// The beginning of a text that fits.
fn cut(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (place, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > width {
            return &text[..place];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::poll::{EntryId, Log, LostLog, Member};
    use super::*;

    fn three() -> Vec<Seen> {
        let member = |server: u8| Member { server, kind: "voter".into(), http: Some(format!("127.0.0.1:810{server}")) };
        let status = Status {
            server: 1,
            cluster: "x".into(),
            role: "leader".into(),
            term: 3,
            log: Log { last: EntryId { index: 120, term: 3 } },
            commit_index: 119,
            applied_index: 118,
            disk: "fine".into(),
            may_vote: Some(true),
            members: (1..=3).map(member).collect(),
            ..Status::default()
        };
        let second = Status { server: 2, role: "follower".into(), disk: "full".into(), ..status.clone() };
        let gone = Seen {
            address: "127.0.0.1:8103".into(),
            answer: Some(Err(Silence::Unreachable("connection refused".into()))),
        };
        vec![Seen::of("127.0.0.1:8101", &status), Seen::of("127.0.0.1:8102", &second), gone]
    }

    fn plain(lines: &[Text]) -> String {
        lines.iter().map(|line| anstream::adapter::strip_str(line.as_str()).to_string() + "\n").collect()
    }

    #[test]
    fn servers_are_a_table() {
        let notes = [Note { address: "127.0.0.1:8103".into(), server: 3, words: "crashed".into() }];
        let expected = "    role         term  log end  commit  applied  member  disk           at\n\
            S1  leader          3    120@3     119      118  voter   fine           127.0.0.1:8101\n\
            S2  follower        3    120@3     119      118  voter   full           127.0.0.1:8102\n\
            S3  unreachable                                  voter         crashed  127.0.0.1:8103\n\
            \n\
            S1 leads term 3; 3 voters; 1,234 entries committed a second\n";
        assert_eq!(plain(&lines(&three(), &notes, Some(1_234), usize::MAX)), expected);
        assert!(plain(&lines(&three(), &[], None, usize::MAX)).contains("connection refused  127.0.0.1:8103\n"));
        let two = plain(&lines(&three()[..2], &[], None, usize::MAX));
        assert!(two.contains("  full  127.0.0.1:8102\n"), "{two}");
    }

    #[test]
    fn it_is_told_why_nobody_leads() {
        let all = three();
        let follower = |number: usize, voters_answering, lost_log| {
            let role = "follower".into();
            let status = Status { server: number as u8, role, disk: "fine".into(), ..all[0].status().unwrap().clone() };
            Seen::of(&format!("127.0.0.1:810{number}"), &Status { voters_answering, lost_log, ..status })
        };
        let sentence = |all: &[Seen]| plain(&lines(all, &[], None, usize::MAX)).lines().last().unwrap().to_owned();
        let alone = [follower(1, Some(1), None)];
        assert_eq!(sentence(&alone), "nobody leads: 1 of 3 voters answers S1, and a majority is needed");
        let electing = [follower(1, Some(2), None), follower(2, Some(2), None)];
        assert_eq!(sentence(&electing), "nobody leads");

        let lost = LostLog { from_index: 5, up_to: EntryId { index: 40, term: 3 }, repaired_at: None };
        let damaged = [follower(1, Some(3), Some(lost)), follower(2, Some(3), Some(lost))];
        assert_eq!(
            sentence(&damaged),
            "nobody leads; S1 (entries 5 to 40) and S2 (entries 5 to 40) have lost a part of the log, and none of \
             them can lead before a server with a whole log does"
        );
        let table = plain(&lines(&damaged, &[], None, usize::MAX));
        assert!(table.contains("  repairing  lost entries 5 to 40  "), "{table}");
        assert!(summary(&damaged, &[]).contains("S1 follower in term 3, disk repairing"));
        let whole = [follower(1, Some(3), Some(LostLog { repaired_at: Some(1), ..lost }))];
        assert!(!plain(&lines(&whole, &[], None, usize::MAX)).contains("repairing"));
    }

    /// One that speaks plain HTTP among others with HTTPS, say.
    #[test]
    fn a_leader_that_can_not_be_asked_leads_all_the_same() {
        let mut all = three();
        let leader = Some(super::super::poll::Leader { server: 3 });
        for (place, term) in [(0, 3), (1, 3)] {
            let before = all[place].status().unwrap().clone();
            let status = Status { role: "follower".into(), term, leader: leader.clone(), ..before };
            all[place] = Seen::of(&all[place].address.clone(), &status);
        }
        let sentence = |all: &[Seen]| plain(&lines(all, &[], None, usize::MAX)).lines().last().unwrap().to_owned();
        assert_eq!(sentence(&all), "S3 leads, as S1 says, and can't be asked");
        // The others are about to elect another one.
        let status = Status { role: "candidate".into(), term: 4, leader: None, ..all[1].status().unwrap().clone() };
        all[1] = Seen::of("127.0.0.1:8102", &status);
        assert_eq!(sentence(&all), "nobody leads");
    }

    #[test]
    fn a_narrow_terminal_cuts_lines() {
        for width in [0, 1, 7, 40] {
            for line in plain(&lines(&three(), &[], Some(7), width)).lines() {
                assert!(line.width() <= width, "{line:?}");
            }
        }
    }

    #[test]
    fn nothing_from_a_server_reaches_the_terminal_as_it_is() {
        let mut all = three();
        let hostile = "\u{1b}]0;x\u{7}\u{202e}";
        let status = Status {
            role: hostile.into(),
            disk: hostile.into(),
            members: vec![Member { server: 1, kind: hostile.into(), http: Some("127.0.0.1:8101".into()) }],
            commit_index: 500,
            ..all[0].status().unwrap().clone()
        };
        all[0] = Seen::of("127.0.0.1:8101", &status);
        all[2].answer = Some(Err(Silence::Stranger(hostile.into())));
        for line in lines(&all, &[], None, 500) {
            let text = anstream::adapter::strip_str(line.as_str()).to_string();
            assert!(text.chars().all(crate::text::is_harmless), "{text:?}");
            assert!(!line.as_str().contains("\u{1b}]"), "{text:?}");
        }
    }

    /// Nobody who answers: then nobody knows who is a member.
    #[test]
    fn what_nobody_knows_is_left_out() {
        let gone = |server: u8| Seen {
            address: format!("127.0.0.1:810{server}"),
            answer: Some(Err(Silence::Unreachable("connection refused".into()))),
        };
        let alone = plain(&lines(&[gone(1)], &[], None, usize::MAX));
        assert!(!alone.contains("member\n") && !alone.contains("no member"), "{alone}");
        let mut all = three();
        let status =
            Status { members: all[0].status().unwrap().members[..2].to_vec(), ..all[0].status().unwrap().clone() };
        let status = Status { commit_index: 500, ..status };
        all[0] = Seen::of("127.0.0.1:8101", &status);
        let notes = [Note { address: "127.0.0.1:8103".into(), server: 3, words: "stopped".into() }];
        let table = plain(&lines(&all, &notes, None, usize::MAX));
        assert!(table.lines().nth(3).unwrap().contains("no member") && table.contains("stopped"), "{table}");
    }

    #[test]
    fn a_stranger_is_called_one() {
        let mut all = three();
        all[2].answer = Some(Err(Silence::Stranger("S1 of cluster other answers here".into())));
        let notes = [Note { address: "127.0.0.1:8103".into(), server: 3, words: "stopped".into() }];
        let table = plain(&lines(&all, &notes, None, usize::MAX));
        assert!(
            table.contains("S3  stranger") && table.contains("stopped; S1 of cluster other answers here"),
            "{table}"
        );
        assert!(summary(&all, &notes).ends_with("; S3 stranger, stopped"));
    }

    #[test]
    fn a_summary_is_quiet_about_progress() {
        let all = three();
        let before = summary(&all, &[]);
        assert_eq!(before, "S1 leader in term 3; S2 follower in term 3, disk full; S3 unreachable");
        let status = Status { commit_index: 200, ..all[0].status().unwrap().clone() };
        let later = [Seen::of("127.0.0.1:8101", &status), all[1].clone(), all[2].clone()];
        assert_eq!(summary(&later, &[]), before);
    }
}

//! Hand-made histories, linearizable or not, and the sentences that explain those that aren't.

use raft_core::check::linearizable::{End, History, OperationId, Outcome, Request, Verdict};

use super::is_linearizable;

/// Reads a history such as `1 put 1, 2 get, 1 ok, 2 ok -`: each part is a client with the operation
/// that it begins, or with its end. All operations are on one key, `x`. `-` means no value; an
/// answer to `cas` is `swapped`, `kept`, or `kept` and what it found.
fn history(story: &str) -> History {
    let mut history = History::new();
    let mut under_way: Vec<(u64, OperationId)> = Vec::new();
    for event in story.split(", ") {
        let words: Vec<&str> = event.split(' ').collect();
        let client = words[0].parse().expect("an event begins with a client");
        let optional = |word: &&str| (**word != *"-").then(|| word.to_string());
        let at = under_way.iter().position(|entry| entry.0 == client);
        let request = match words[1..] {
            ["get"] => Some(Request::Get),
            ["put", value] => Some(Request::Put { value }),
            ["delete"] => Some(Request::Delete),
            ["cas", expected, new] => Some(Request::CompareAndSet { expected, new }),
            _ => None,
        };
        if let Some(request) = request {
            assert!(at.is_none(), "{event}: the client waits");
            under_way.push((client, history.invoke(client, "x", request, None).unwrap()));
            continue;
        }
        let (_, id) = under_way.remove(at.unwrap_or_else(|| panic!("{event}: nothing is under way")));
        let found = words.get(2).and_then(optional);
        let outcome = match (history.operation(id).request, &words[1..]) {
            (_, ["fail"]) => Err(End::Failed),
            (_, ["info"]) => Err(End::Unknown),
            (Request::Get, ["ok", _]) => Ok(Outcome::Found(found.as_deref())),
            (Request::Put { .. }, ["ok"]) => Ok(Outcome::Written { replaced: None }),
            (Request::Put { .. }, ["replaced"]) => Ok(Outcome::Written { replaced: Some(true) }),
            (Request::Put { .. }, ["new"]) => Ok(Outcome::Written { replaced: Some(false) }),
            (Request::Delete, ["ok"]) => Ok(Outcome::Deleted { existed: None }),
            (Request::Delete, ["removed"]) => Ok(Outcome::Deleted { existed: Some(true) }),
            (Request::Delete, ["nothing"]) => Ok(Outcome::Deleted { existed: Some(false) }),
            (_, ["swapped"]) => Ok(Outcome::Swapped),
            (_, ["kept"]) => Ok(Outcome::NotSwapped { actual: None }),
            (_, ["kept", _]) => Ok(Outcome::NotSwapped { actual: Some(found.as_deref()) }),
            _ => panic!("{event}: what is that?"),
        };
        history.complete(id, outcome.map_or_else(|end| end, End::Answered), None).unwrap();
    }
    history
}

#[test]
fn good_histories() {
    let table = [
        ("nothing was written", "1 get, 1 ok -"),
        ("a read after a write", "1 put 1, 1 ok, 2 get, 2 ok 1"),
        ("a read beside a write, before it", "1 put 1, 2 get, 2 ok -, 1 ok"),
        ("a read beside a write, after it", "1 put 1, 2 get, 2 ok 1, 1 ok"),
        ("two reads beside a write, one on either side", "1 put 1, 2 get, 3 get, 2 ok 1, 3 ok -, 1 ok"),
        ("concurrent writes, read in either order", "1 put 1, 2 put 2, 1 ok, 2 ok, 3 get, 3 ok 1, 3 get, 3 ok 1"),
        (
            "a write is over before another, and overwritten",
            "1 put 1, 2 put 2, 2 ok, 3 get, 3 ok 2, 3 get, 1 ok, 3 ok 1",
        ),
        ("the same value twice", "1 put 1, 1 ok, 2 put 2, 3 get, 3 ok 2, 1 put 1, 2 ok, 3 get, 3 ok 1, 1 ok"),
        ("a deleted key", "1 put 1, 1 ok, 1 delete, 1 removed, 2 get, 2 ok -, 1 delete, 1 nothing, 1 put 2, 1 new"),
        ("swaps in a row", "1 put 1, 1 ok, 2 cas 1 2, 3 cas 2 3, 3 swapped, 2 swapped, 1 get, 1 ok 3"),
        ("a swap that found another's value", "1 put 1, 1 ok, 2 cas 1 2, 3 cas 1 3, 3 kept 2, 2 swapped"),
        ("a swap of a key without a value", "1 cas 1 2, 1 kept -, 1 cas 1 2, 1 kept"),
        ("a swap from a value to itself", "1 put 1, 1 ok, 2 cas 1 1, 2 swapped, 3 get, 3 ok 1"),
        ("an unknown write that is seen later", "1 put 1, 1 info, 2 get, 2 ok -, 2 get, 2 ok 1"),
        ("an unknown write that is never seen", "1 put 1, 1 info, 2 get, 2 ok -, 2 get, 2 ok -"),
        ("an unknown write that comes after another", "1 put 1, 1 info, 2 put 2, 2 ok, 2 get, 2 ok 2, 2 get, 2 ok 1"),
        ("an unknown delete", "1 put 1, 1 ok, 2 delete, 2 info, 3 get, 3 ok 1, 3 get, 3 ok -"),
        ("an unknown swap that helps another", "1 put 1, 1 ok, 2 cas 1 2, 2 info, 3 cas 2 3, 3 swapped"),
        ("an unknown put explains what was replaced", "1 put 1, 1 info, 2 put 2, 2 replaced"),
        ("an unknown read", "1 put 1, 1 ok, 2 get, 2 info, 1 get, 1 ok 1"),
        ("a write without an end", "1 put 1, 2 get, 2 ok 1"),
        ("a write that failed", "1 put 1, 1 fail, 2 get, 2 ok -"),
        (
            "unknown swaps in a row, seen at the end",
            "1 cas 1 2, 1 info, 2 cas 2 3, 2 info, 3 put 1, 3 ok, 3 get, 3 ok 3",
        ),
    ];
    for (what, story) in table {
        assert!(is_linearizable(&history(story)), "{what}: {story}");
    }
}

#[test]
fn bad_histories_and_why() {
    let table = [
        (
            "a value from nowhere",
            "1 put 1, 1 ok, 2 get, 2 ok 7",
            "x is not linearizable, as its history shows at event 4: client 2's get x (events 3 to 4) found 7, \
             but by then nothing can have set x to 7",
        ),
        (
            "a value from the future",
            "2 get, 2 ok 1, 1 put 1, 1 ok",
            "x is not linearizable, as its history shows at event 2: client 2's get x (events 1 to 2) found 1, \
             but by then nothing can have set x to 1",
        ),
        (
            "a stale read",
            "1 put 1, 1 ok, 1 put 2, 1 ok, 2 get, 2 ok 1, 2 get, 2 ok 2",
            "x is not linearizable, as its history shows at event 6: client 2's get x (events 5 to 6) found 1, \
             but client 1's put x 2 (events 3 to 4) was over before that began, and nothing can have set x to 1 in between",
        ),
        (
            "a lost write",
            "1 put 1, 1 ok, 2 get, 2 ok -",
            "x is not linearizable, as its history shows at event 4: client 2's get x (events 3 to 4) found no value, \
             but client 1's put x 1 (events 1 to 2) was over before that began, and nothing can have deleted x in between",
        ),
        (
            "reads that go back",
            "1 put 1, 1 ok, 1 put 2, 2 get, 2 ok 2, 3 get, 3 ok 1, 1 ok",
            "x is not linearizable, as its history shows at event 7: client 3's get x (events 6 to 7) found 1, \
             but client 2's get x (events 4 to 5) found 2 was over before that began, and nothing can have set x to 1 in between",
        ),
        (
            "two swaps of one value",
            "1 put 1, 1 ok, 2 cas 1 2, 3 cas 1 3, 2 swapped, 3 swapped",
            "x is not linearizable, as its history shows at event 6: client 3's cas x 1 3 (events 4 to 6) swapped, \
             but client 2's cas x 1 2 (events 3 to 5) swapped replaced the same value, and only client 1's put x 1 (events 1 to 2) set x to 1, once",
        ),
        (
            "a swap that should have happened",
            "1 put 1, 1 ok, 2 cas 1 2, 2 kept",
            "x is not linearizable, as its history shows at event 4: client 2's cas x 1 2 (events 3 to 4) did not swap, \
             but client 1's put x 1 (events 1 to 2) leaves no place for it",
        ),
        (
            "a swap that contradicts itself",
            "1 put 1, 1 ok, 2 cas 1 2, 2 kept 1",
            "x is not linearizable, as its history shows at event 4: client 2's cas x 1 2 (events 3 to 4) found 1 and did not swap, \
             but that is what it expected",
        ),
        (
            "an unknown write that is seen, gone, and seen again",
            "1 put 1, 1 info, 2 get, 2 ok 1, 2 put 2, 2 ok, 2 get, 2 ok 1",
            "x is not linearizable, as its history shows at event 8: client 2's get x (events 7 to 8) found 1, \
             but there is no order of client 1's put x 1 (from event 1, not answered), client 2's get x (events 3 to 4) found 1 and \
             client 2's put x 2 (events 5 to 6) that leaves a place for it",
        ),
        (
            "a write that failed and is seen",
            "1 put 1, 1 fail, 2 get, 2 ok 1",
            "x is not linearizable, as its history shows at event 4: client 2's get x (events 3 to 4) found 1, \
             but by then nothing can have set x to 1",
        ),
        (
            "a write applied twice",
            "1 put 1, 1 ok, 2 put 2, 2 ok, 3 get, 3 ok 2, 3 get, 3 ok 1",
            "x is not linearizable, as its history shows at event 8: client 3's get x (events 7 to 8) found 1, \
             but client 3's get x (events 5 to 6) found 2 was over before that began, and nothing can have set x to 1 in between",
        ),
        (
            "a read of a deleted key",
            "1 put 1, 1 ok, 1 delete, 1 ok, 2 get, 2 ok 1",
            "x is not linearizable, as its history shows at event 6: client 2's get x (events 5 to 6) found 1, \
             but client 1's delete x (events 3 to 4) was over before that began, and nothing can have set x to 1 in between",
        ),
        (
            "a delete that found nothing",
            "1 put 1, 1 ok, 2 delete, 2 nothing",
            "x is not linearizable, as its history shows at event 4: client 2's delete x (events 3 to 4) found no value, \
             but client 1's put x 1 (events 1 to 2) was over before that began, and nothing can have deleted x in between",
        ),
        (
            "a delete that found something",
            "2 delete, 2 removed",
            "x is not linearizable, as its history shows at event 2: client 2's delete x (events 1 to 2) removed a value, \
             but by then nothing can have given x a value",
        ),
        (
            "two keys created twice",
            "1 put 1, 2 put 2, 1 new, 2 new",
            "x is not linearizable, as its history shows at event 4: client 2's put x 2 (events 2 to 4) replaced no value, \
             but client 1's put x 1 (events 1 to 3) replaced no value replaced the same value, and x had no value only at the beginning",
        ),
    ];
    for (what, story, sentence) in table {
        let history = history(story);
        assert!(!is_linearizable(&history), "{what}: {story}");
        let Verdict::NotLinearizable(explanation) = history.check() else { unreachable!() };
        assert_eq!(explanation.to_string(), sentence, "{what}: {story}");
    }
}

#[test]
fn one_bad_key_among_good_ones_is_named() {
    let mut history = History::new();
    for key in ["a", "b", "a", "c"] {
        let get = history.invoke(1, key, Request::Get, None).unwrap();
        let found = (key == "c").then_some("1");
        history.complete(get, End::Answered(Outcome::Found(found)), None).unwrap();
    }
    let Verdict::NotLinearizable(explanation) = history.check() else { panic!() };
    assert_eq!((&*explanation.key, explanation.event), ("c", 7));
}

#[test]
fn what_is_too_hard_is_undecided_not_fine() {
    // Twelve concurrent writes of few values, then reads that need them in an impossible order:
    // with too little work allowed, this is undecided.
    let mut history = History::new();
    let writes: Vec<_> = (0..12)
        .map(|n| history.invoke(n, "x", Request::Put { value: ["1", "2", "3"][n as usize % 3] }, None).unwrap())
        .collect();
    for value in ["1", "2", "3", "3", "2", "1"] {
        let read = history.invoke(20, "x", Request::Get, None).unwrap();
        history.complete(read, End::Answered(Outcome::Found(Some(value))), None).unwrap();
    }
    for write in writes {
        history.complete(write, End::Answered(Outcome::Written { replaced: None }), None).unwrap();
    }
    let Verdict::Undecided { work, keys } = history.check_within(50) else { panic!() };
    assert_eq!((work <= 50, &keys[..]), (true, &history.keys().collect::<Vec<_>>()[..]));
    assert!(is_linearizable(&history));
}

#[test]
fn an_explanation_for_which_little_work_is_allowed_is_long_and_right() {
    // Each write is read before the next begins; in the end the first value is read once more.
    let mut history = History::new();
    for n in 0..2_000 {
        let value = format!("{}", n % 1_999);
        let put = history.invoke(1, "x", Request::Put { value: &value }, None).unwrap();
        let get = history.invoke(2, "x", Request::Get, None).unwrap();
        history.complete(get, End::Answered(Outcome::Found(Some(&value))), None).unwrap();
        history.complete(put, End::Answered(Outcome::Written { replaced: None }), None).unwrap();
    }
    let stale = history.invoke(2, "x", Request::Get, None).unwrap();
    history.complete(stale, End::Answered(Outcome::Found(Some("1"))), None).unwrap();
    let Verdict::NotLinearizable(short) = history.check() else { panic!() };
    assert!(short.smallest && short.conflicting.len() < 4, "{short}");
    let Verdict::NotLinearizable(long) = history.check_within(1_000) else { panic!() };
    assert!(!long.smallest && long.conflicting.len() > 100, "{} of them", long.conflicting.len());
    assert!(matches!(long.evidence(&history).check(), Verdict::NotLinearizable(_)));
}

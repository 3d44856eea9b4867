//! The rooms of the page, the folders of `www/`: which may use which, and that modules don't use
//! each other in circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::tools;

/// Each room, and the rooms that it may use. A room stands after all that it uses, so that arrows
/// point one way. The scripts that `index.html` loads stand beside the rooms, and use any.
const ROOMS: [(&str, &[&str]); 11] = [
    // What the page says.
    ("words", &[]),
    // Elements, dialogs, menus, keys, focus: nothing of Raft.
    ("kit", &["words"]),
    // What takes long, in a worker that is loaded when something asks for it.
    ("lab", &["words"]),
    // The run that is shown.
    ("run", &["lab", "words"]),
    // Shapes, colours, lanes of time.
    ("draw", &["run", "kit", "words"]),
    ("stage", &["run", "draw", "kit", "words"]),
    ("tape", &["run", "draw", "kit", "words"]),
    // One file a panel, and the registry that lists them.
    ("panels", &["run", "lab", "draw", "kit", "words"]),
    ("share", &["run", "lab", "draw", "kit", "words"]),
    // Lessons, which come when somebody opens one.
    ("lessons", &["run", "lab", "draw", "kit", "words"]),
    ("app", &["lessons", "share", "panels", "tape", "stage", "run", "lab", "draw", "kit", "words"]),
];

/// What the build puts into the page, and types.
const GIVEN: [&str; 3] = ["pkg", "css", ".."];

/// What a script names after `from` or in `import(…)`, in imports and in types.
fn named(script: &str) -> impl Iterator<Item = &str> {
    ["from '", "import('"]
        .into_iter()
        .flat_map(|before| script.split(before).skip(1).filter_map(|rest| rest.split_once('\'')).map(|(name, _)| name))
}

/// The path without `.` and `..`, where these don't lead out of it.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
        plain
    })
}

fn room_of(script: &Path) -> Option<&str> {
    script.parent().and_then(Path::to_str).filter(|room| !room.is_empty())
}

/// By each script's path in the page: what it imports, and what it names at all.
type Graph = BTreeMap<PathBuf, (BTreeSet<PathBuf>, BTreeSet<PathBuf>)>;

fn graph() -> Graph {
    let page = tools::root().join("www");
    let mut graph = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&page) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(&page).unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "js") || path.starts_with("pkg") {
            continue;
        }
        let script = fs::read_to_string(entry.path()).unwrap();
        let folder = path.parent().unwrap();
        let place = |name: &str| plain(&folder.join(name));
        let imports = script.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from "));
        let imports = imports.flat_map(|line| line.split_once("from '")).map(|(_, name)| name.trim_end_matches("';"));
        let imports = imports.map(place).collect();
        graph.insert(path.clone(), (imports, named(&script).map(place).collect()));
    }
    graph
}

fn wrong_arrows(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for (script, (_, all)) in graph {
        let Some(room) = room_of(script) else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("www/ has a new room, `{room}`: say what it may use"));
            continue;
        };
        for other in all {
            let first = other.components().next().unwrap().as_os_str().to_str().unwrap();
            if first != room && !allowed.contains(&first) && !GIVEN.contains(&first) {
                wrong.push(format!("{room} → {first}, in www/{}: {}", script.display(), other.display()));
            }
        }
    }
    wrong
}

/// Scripts that come to themselves by what they import.
fn circles(graph: &Graph) -> Vec<String> {
    let imports = |script: &Path| graph.get(script).into_iter().flat_map(|(imports, _)| imports);
    graph
        .keys()
        .filter(|script| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![script.as_path()]);
            while let Some(next) = open.pop() {
                open.extend(imports(next).filter(|other| seen.insert(other.as_path())).map(PathBuf::as_path));
            }
            seen.contains(script.as_path())
        })
        .map(|script| script.display().to_string())
        .collect()
}

#[test]
fn arrows_between_the_rooms_point_one_way() {
    for (i, (_, allowed)) in ROOMS.iter().enumerate() {
        assert!(allowed.iter().all(|used| ROOMS[..i].iter().any(|(before, _)| before == used)));
    }
    let graph = graph();
    assert!(graph.len() > 60, "only {} scripts were found", graph.len());
    let wrong = wrong_arrows(&graph);
    assert!(wrong.is_empty(), "rooms use rooms that they may not use:\n{}", wrong.join("\n"));
}

#[test]
fn no_script_needs_itself() {
    let found = circles(&graph());
    assert!(found.is_empty(), "scripts that import each other in a circle:\n{}", found.join("\n"));
}

#[test]
fn what_is_wrong_is_told_of() {
    let at = |names: &[&str]| names.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
    let page = BTreeMap::from([
        (PathBuf::from("kit/a.js"), (at(&["kit/b.js"]), at(&["kit/b.js", "app/c.js"]))),
        (PathBuf::from("kit/b.js"), (at(&["kit/a.js"]), at(&["kit/a.js", "pkg/x.js"]))),
        (PathBuf::from("shed/d.js"), (at(&[]), at(&[]))),
    ]);
    assert_eq!(
        wrong_arrows(&page),
        ["kit → app, in www/kit/a.js: app/c.js", "www/ has a new room, `shed`: say what it may use"]
    );
    assert_eq!(circles(&page), ["kit/a.js", "kit/b.js"]);
    let script = "import { a } from './a.js';\n/** @typedef {import('../b/c.js').D} D */\n";
    assert_eq!(named(script).collect::<Vec<_>>(), ["./a.js", "../b/c.js"]);
    assert_eq!(plain(Path::new("app/../kit/./a.js")), Path::new("kit/a.js"));
}

//! Checks which folder ("room") of the library uses which, and which room of the server:
//! dependencies point one way (CONTRIBUTING, "Principles"). Tests inside a room may use everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Item, UseTree};

use crate::tools;

/// The rooms of a crate.
struct House {
    /// The folder of its sources.
    source: &'static str,
    /// Each room, and the rooms that it may use besides the common modules. A room stands after
    /// those that it uses, so that there are no circles.
    arrows: &'static [(&'static str, &'static [&'static str])],
    /// The common modules: every room may use them, and they use only each other.
    common: &'static [&'static str],
}

const CORE: House = House {
    source: "raft-core/src",
    arrows: &[
        ("raft", &[]),
        ("kv", &[]),
        ("check", &["raft", "kv"]),
        ("sim", &["raft", "kv", "check"]),
        ("format", &["raft", "kv", "check", "sim"]),
        ("trial", &["raft", "kv", "check", "sim", "format"]),
        ("lesson", &["raft", "kv", "sim", "format"]),
    ],
    common: &[
        "bytes",
        "clock",
        "codec",
        "hash",
        "listed",
        "once",
        "order",
        "shared",
        "shared_map",
        "sorted",
        "state_machine",
        "text",
        "time",
    ],
};

const NODE: House = House {
    source: "node/src",
    arrows: &[
        ("storage", &[]),
        ("peers", &[]),
        ("machine", &[]),
        ("changes", &[]),
        ("store", &["machine", "changes"]),
        ("driver", &["storage", "peers"]),
        ("events", &["peers"]),
        ("metrics", &["driver", "peers"]),
        ("http", &["peers", "machine", "changes", "store", "driver", "events", "metrics"]),
        ("server", &["storage", "peers", "machine", "changes", "store", "driver", "events", "metrics", "http"]),
    ],
    common: &["clock", "plain_file"],
};

/// The rooms that a file uses: the first words of its paths from the crate's root.
struct Named {
    /// How deep the file's module is below the root.
    depth: usize,
    rooms: BTreeSet<String>,
}

impl Named {
    fn path(&mut self, words: &[String]) {
        let supers = words.iter().take_while(|word| *word == "super").count();
        let rest = match words.first().map(String::as_str) {
            Some("crate") => &words[1..],
            Some("super") if supers == self.depth => &words[supers..],
            _ => return,
        };
        self.rooms.extend(rest.first().cloned());
    }

    fn tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |word: String| [before, &[word]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.path(&with(name.ident.to_string())),
            UseTree::Rename(name) => self.path(&with(name.ident.to_string())),
            UseTree::Glob(_) => self.path(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }
}

pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl VisitMut for Named {
    fn visit_item_mut(&mut self, item: &mut Item) {
        if is_test(attributes(item)) {
            return;
        }
        if let Item::Use(item) = item {
            self.tree(&[], &item.tree);
        }
        // In a module inside the file, `super` means the file's own module.
        let deeper = usize::from(matches!(item, Item::Mod(_)));
        self.depth += deeper;
        visit_mut::visit_item_mut(self, item);
        self.depth -= deeper;
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit_mut::visit_impl_item_fn_mut(self, item);
        }
    }

    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.path(&words);
        visit_mut::visit_path_mut(self, path);
    }
}

/// The modules that a file declares under `#[cfg(test)]`.
fn test_modules(file: &syn::File) -> impl Iterator<Item = String> {
    file.items.iter().filter_map(|item| match item {
        Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => Some(module.ident.to_string()),
        _ => None,
    })
}

/// The sources in a folder, with their paths. Files that are declared for tests alone are left out.
pub fn sources(folder: &Path) -> Vec<(PathBuf, syn::File)> {
    let files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("the sources can be listed").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    let mut parsed: Vec<(PathBuf, syn::File)> = files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, file)
        })
        .collect();
    let for_tests: BTreeSet<PathBuf> = parsed
        .iter()
        .flat_map(|(path, file)| test_modules(file).map(|name| path.with_file_name(format!("{name}.rs"))))
        .collect();
    parsed.retain(|(path, _)| !for_tests.contains(path));
    parsed
}

/// The path of the module that a file is, from the folder on: `sim/mod.rs` is `sim`.
pub fn module_of(path: &Path, folder: &Path) -> Vec<String> {
    let place = path.strip_prefix(folder).expect("it lies there").with_extension("");
    let parts = place.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| part != "mod" && part != "lib").collect()
}

/// By room: which others it names, and in which file.
fn arrows(source: &Path) -> BTreeMap<String, BTreeMap<String, PathBuf>> {
    let mut arrows: BTreeMap<String, BTreeMap<String, PathBuf>> = BTreeMap::new();
    for (path, mut file) in sources(source) {
        let modules = module_of(&path, source);
        // The root only declares and re-exports.
        if modules.is_empty() {
            continue;
        }
        let place = path.strip_prefix(source).expect("it lies there").with_extension("");
        let mut named = Named { depth: modules.len(), rooms: BTreeSet::new() };
        named.visit_file_mut(&mut file);
        let room = arrows.entry(modules[0].clone()).or_default();
        for other in named.rooms.into_iter().filter(|other| *other != modules[0]) {
            room.entry(other).or_insert_with(|| place.clone());
        }
    }
    arrows
}

/// Which rooms use rooms that they may not use, and which may use rooms that they don't use.
fn wrong_arrows(house: &House, seen: BTreeMap<String, BTreeMap<String, PathBuf>>) -> Vec<String> {
    let House { source, arrows, common } = house;
    let rooms: BTreeSet<&str> = arrows.iter().map(|(room, _)| room).chain(*common).copied().collect();
    let mut wrong = Vec::new();
    for (place, (room, allowed)) in arrows.iter().enumerate() {
        for other in allowed.iter().filter(|other| !arrows[..place].iter().any(|(before, _)| before == *other)) {
            wrong.push(format!("the table of {source} has {room} → {other}, and {other} isn't before {room}"));
        }
        for other in allowed.iter().filter(|other| !seen.get(*room).is_some_and(|used| used.contains_key(**other))) {
            wrong.push(format!("the table of {source} has {room} → {other}, which isn't used"));
        }
    }
    for (room, others) in seen {
        if !rooms.contains(room.as_str()) {
            wrong.push(format!("{source} has a new room, `{room}`: say what it may use"));
        }
        let allowed = arrows.iter().find(|(of, _)| *of == room).map_or(&[][..], |(_, allowed)| *allowed);
        for (other, place) in others.iter().filter(|(other, _)| rooms.contains(other.as_str())) {
            if !common.contains(&other.as_str()) && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{room} → {other}, in {source}/{}", place.display()));
            }
        }
    }
    wrong
}

#[test]
fn arrows_point_one_way() {
    for house in [CORE, NODE] {
        let wrong = wrong_arrows(&house, arrows(&tools::root().join(house.source)));
        assert!(wrong.is_empty(), "rooms use rooms that they may not use:\n{}", wrong.join("\n"));
    }
}

#[test]
fn a_wrong_arrow_is_told_of() {
    let used = |others: &[&str]| others.iter().map(|other| ((*other).to_owned(), PathBuf::from("file"))).collect();
    let house = House { source: "s", arrows: &[("a", &["b"]), ("b", &["a"])], common: &["c"] };
    let seen = BTreeMap::from([
        ("a".to_owned(), used(&["c"])),
        ("b".to_owned(), used(&["a", "elsewhere"])),
        ("c".to_owned(), used(&["b"])),
        ("d".to_owned(), used(&[])),
    ]);
    let expected = [
        "the table of s has a → b, and b isn't before a",
        "the table of s has a → b, which isn't used",
        "c → b, in s/file",
        "s has a new room, `d`: say what it may use",
    ];
    assert_eq!(wrong_arrows(&house, seen), expected);
}

#[test]
fn an_arrow_is_seen_however_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("kv/mod.rs", "mod a;\n#[cfg(test)]\nmod b;\nuse crate::{time::Time, raft::Bytes as B};");
    write("kv/a.rs", "fn a() -> super::super::sim::Clock { crate::check::look() }\n#[cfg(test)]\nuse crate::trial;");
    write("kv/b.rs", "use crate::format;");
    write("kv/c/mod.rs", "mod inner { fn c() { super::super::own() } }\n// use crate::none;");
    let seen: Vec<String> = arrows(folder.path()).remove("kv").expect("a room").into_keys().collect();
    assert_eq!(seen, ["check", "raft", "sim", "time"]);
}

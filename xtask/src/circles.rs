//! Files that use each other can only be read together. So dependencies between the files of a
//! folder point one way, too. (For the rooms of the library, `rooms` says which way.)
//!
//! A file uses another if it names something that is defined there. Names are followed through
//! imports and re-exports. A `mod x;` and a re-export alone use nothing, and tests may use any
//! file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit_mut::{self, VisitMut};
use syn::{Item, UseTree, Visibility};

use crate::rooms::{attributes, is_test, module_of, sources};
use crate::tools;

/// A module, or something in it, by its path from the crate's root.
type Name = Vec<String>;

/// What is known of a file.
#[derive(Default)]
struct Seen {
    module: Name,
    /// The module that paths are read in: the file's own, or one within the file.
    here: Name,
    /// What names stand for that are imported or re-exported.
    imported: BTreeMap<String, Name>,
    /// What it names in its imports.
    imports: Vec<Name>,
    /// What it names elsewhere.
    named: Vec<Name>,
}

impl Seen {
    /// From the crate's root, what is written so; nothing if that can't be.
    fn absolute(&self, words: &[String]) -> Option<Name> {
        let supers = words.iter().take_while(|word| *word == "super").count();
        match words.first()?.as_str() {
            "crate" => Some(words[1..].to_vec()),
            "self" => Some([&self.here[..], &words[1..]].concat()),
            _ => Some([&self.here[..self.here.len().checked_sub(supers)?], &words[supers..]].concat()),
        }
    }

    fn import(&mut self, before: &[String], tree: &UseTree, uses: bool) {
        let with = |word: &syn::Ident| [before, &[word.to_string()]].concat();
        let (words, called) = match tree {
            UseTree::Path(path) => return self.import(&with(&path.ident), &path.tree, uses),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(before, tree, uses)),
            // Only modules within a file do this, to have what the file has.
            UseTree::Glob(_) => return,
            UseTree::Name(name) if name.ident == "self" => (before.to_vec(), before.last().cloned()),
            UseTree::Name(name) => (with(&name.ident), Some(name.ident.to_string())),
            UseTree::Rename(name) => (with(&name.ident), Some(name.rename.to_string())),
        };
        let (Some(path), Some(called)) = (self.absolute(&words), called) else { return };
        if uses {
            self.imports.push(path.clone());
        }
        // What is imported from another crate is looked for here, and not found.
        if self.here == self.module && path != [&self.here[..], std::slice::from_ref(&called)].concat() {
            self.imported.insert(called, path);
        }
    }
}

impl VisitMut for Seen {
    fn visit_item_mut(&mut self, item: &mut Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            Item::Use(item) => self.import(&[], &item.tree, matches!(item.vis, Visibility::Inherited)),
            Item::Mod(module) => {
                self.here.push(module.ident.to_string());
                visit_mut::visit_item_mod_mut(self, module);
                self.here.pop();
            }
            _ => visit_mut::visit_item_mut(self, item),
        }
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit_mut::visit_impl_item_fn_mut(self, item);
        }
    }

    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.named.extend(self.absolute(&words));
        visit_mut::visit_path_mut(self, path);
    }
}

/// The files of a crate, by their modules.
struct Crate(BTreeMap<Name, Seen>);

impl Crate {
    fn read(source: &Path) -> Crate {
        let seen = |(path, mut file): (PathBuf, syn::File)| {
            let module = module_of(&path, source);
            let mut seen = Seen { here: module.clone(), module: module.clone(), ..Seen::default() };
            seen.visit_file_mut(&mut file);
            (module, seen)
        };
        Crate(sources(source).into_iter().map(seen).collect())
    }

    /// The module in which something is defined, and what is left of its path there.
    fn definition(&self, path: &[String]) -> (Name, Name) {
        let mut path = path.to_vec();
        // Imports of imports come to an end, unless they are wrong.
        for _ in 0..8 {
            let long = (0..=path.len()).rev().find(|long| self.0.contains_key(&path[..*long]));
            let (module, rest) = path.split_at(long.unwrap_or_default());
            let imported = rest.first().and_then(|name| self.0.get(module)?.imported.get(name));
            match imported {
                Some(other) => path = [other, &rest[1..]].concat(),
                None => return (module.to_vec(), rest.to_vec()),
            }
        }
        panic!("imports go round: {path:?}");
    }

    fn used_by(&self, seen: &Seen) -> BTreeSet<Name> {
        let imports = seen.imports.iter().map(|path| self.definition(path));
        // A variable may be called as a module is. What is meant is something in the module.
        let named = seen.named.iter().map(|path| self.definition(path)).filter(|(_, rest)| !rest.is_empty());
        let used: BTreeSet<Name> = imports.chain(named).map(|(module, _)| module).collect();
        used.into_iter().filter(|module| *module != seen.module).collect()
    }

    /// The circles among the files below a folder: the names of the files of each.
    fn circles(&self, folder: &[&str]) -> Vec<Vec<String>> {
        let inside: BTreeMap<&Name, BTreeSet<Name>> = (self.0.iter())
            .filter(|(module, _)| module.len() >= folder.len() && module.iter().zip(folder).all(|(a, b)| a == b))
            .map(|(module, seen)| (module, self.used_by(seen)))
            .collect();
        let reached = |from: &Name| {
            let mut reached: BTreeSet<&Name> = BTreeSet::new();
            let mut next: Vec<&Name> = inside[from].iter().collect();
            while let Some(module) = next.pop() {
                if let Some(used) = inside.get(module).filter(|_| reached.insert(module)) {
                    next.extend(used);
                }
            }
            reached
        };
        let reach: BTreeMap<&Name, BTreeSet<&Name>> = inside.keys().map(|module| (*module, reached(module))).collect();
        let circles: BTreeSet<Vec<String>> = (reach.iter())
            .filter(|(module, reached)| reached.contains(*module))
            .map(|(module, reached)| {
                let circle =
                    reached.iter().filter(|other| reach.get(**other).is_some_and(|back| back.contains(module)));
                let name = |module: &&Name| match module[folder.len()..].join("/") {
                    name if name.is_empty() => String::from("mod"),
                    name => name,
                };
                circle.map(name).collect()
            })
            .collect();
        circles.into_iter().collect()
    }
}

const NONE: [[&str; 0]; 0] = [];

#[test]
fn no_file_uses_what_uses_it() {
    let web = Crate::read(&tools::root().join("web/src"));
    assert_eq!(web.circles(&[]), NONE, "files of `web` use each other");
    let lab = Crate::read(&tools::root().join("lab/src"));
    assert_eq!(lab.circles(&[]), NONE, "files of `lab` use each other");
    let core = Crate::read(&tools::root().join("raft-core/src"));
    assert_eq!(core.circles(&["kv"]), NONE, "files of `kv` use each other");
    assert_eq!(core.circles(&["sim", "timeline"]), NONE, "files of `sim/timeline` use each other");
}

#[test]
fn a_circle_is_seen_however_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let circles = |inside: &[&str]| Crate::read(folder.path()).circles(inside);
    write("lib.rs", "mod a;\nmod b;\nmod c;\nmod room;\npub use a::A;\npub use b::B;");
    write("a.rs", "use serde::b;\nuse crate::c::C;\npub struct A(C);\n#[cfg(test)]\nmod tests { use crate::B; }");
    write("b.rs", "use crate::a::A;\nfn b(c: u8) { c }\npub struct B;");
    write("c.rs", "fn c() { let b = 1; b }\npub struct C;");
    write("room/mod.rs", "mod x;\nmod y;\npub use x::X;\nuse crate::C;");
    write("room/x.rs", "pub struct X;");
    write("room/y.rs", "use super::X;\nuse super::C;");
    assert_eq!(circles(&[]), NONE);
    // By a re-export of the root, which itself uses nothing.
    write("c.rs", "pub struct C(crate::B);");
    assert_eq!(circles(&[]), [["a", "b", "c"]]);
    assert_eq!(circles(&["room"]), NONE);
    // By a path, from a module within the file.
    write("c.rs", "mod inner { fn c() -> Option<super::super::a::A> { None } }\npub struct C;");
    assert_eq!(circles(&[]), [["a", "c"]]);
    write("c.rs", "pub struct C;");
    // With the folder's own file, which uses what it re-exports.
    write("room/mod.rs", "mod x;\nmod y;\npub use x::X;\npub struct Own(X);");
    assert_eq!(circles(&["room"]), NONE);
    write("room/x.rs", "use super::Own;\npub struct X;");
    assert_eq!(circles(&["room"]), [["mod", "x"]]);
    assert_eq!(circles(&[]), [["room", "room/x"]]);
}

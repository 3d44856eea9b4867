//! Puts planted bugs into a source text, each behind a switch, so that one build contains all of
//! them.
//!
//! An expression `E` becomes `(if crate::mutant::on(7) { REPLACEMENT } else { E })`, statements
//! likewise, and a match arm gets a guard that skips it. Several mutants can be in the same place,
//! or one inside the code that another replaces; mutants that overlap in another way are refused.
//! With no mutant on, the code does exactly what it did before: replaced code must be a whole
//! expression, or whole statements.

use super::catalogue::{Edit, Form};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::ops::Range;
use syn::parse::Parser;
use syn::visit_mut::{self, VisitMut};

/// An edit with its place in the source.
#[derive(Debug, Clone)]
struct Site<'a> {
    /// The number of the mutant's switch.
    number: usize,
    name: &'a str,
    edit: &'a Edit,
    place: Range<usize>,
}

/// A mutant's number and name, and what it changes in this file.
pub type Planted<'a> = (usize, &'a str, &'a Edit);

/// The text with all mutants in it.
pub fn splice(source: &str, planted: &[Planted<'_>]) -> Result<String> {
    let file = bare(syn::parse_file(source).context("the source can't be parsed")?);
    let (mut sites, mut misplaced) = (Vec::new(), Vec::new());
    for &(number, name, edit) in planted {
        match locate(source, &file, edit) {
            Ok(place) => sites.push(Site { number, name, edit, place }),
            Err(error) => misplaced.push(format!("{name}, in {}: {error:#}", edit.file)),
        }
    }
    // Report all of them, since a change of the source often affects several.
    ensure!(misplaced.is_empty(), "{}", misplaced.join("\n"));
    // Outer sites first.
    sites.sort_by_key(|site| (site.place.start, usize::MAX - site.place.end, site.number));
    render(source, 0..source.len(), &sites)
}

/// Where the edit applies. This must be one place, and a whole expression, statement or arm.
fn locate(source: &str, file: &syn::File, edit: &Edit) -> Result<Range<usize>> {
    let around = match &edit.within {
        Some(within) => once(source, 0..source.len(), within.trim())?,
        None => 0..source.len(),
    };
    let place = once(source, around, edit.find.trim())?;
    match edit.form {
        Form::Expression => check_expression(source, file, &place, &edit.replace)?,
        Form::Statements => check_statements(source, &place, &edit.replace)?,
        Form::Arm => check_arm(source, &place)?,
    }
    Ok(place)
}

/// The only place of `text` in that part of the source.
fn once(source: &str, part: Range<usize>, text: &str) -> Result<Range<usize>> {
    ensure!(!text.is_empty(), "`find` or `within` is empty");
    let mut places = source[part.clone()].match_indices(text);
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(part.start + place..part.start + place + text.len()),
        (None, _) => bail!("`{text}` isn't there: the source has changed, see what became of it"),
        (Some(_), Some(_)) => bail!("`{text}` occurs more than once: add `within`, or make `find` longer"),
    }
}

fn block(text: &str) -> Result<Vec<syn::Stmt>> {
    syn::Block::parse_within.parse_str(text).with_context(|| format!("`{}` can't be parsed", text.trim()))
}

/// The place must be a whole expression: in parentheses it must mean the same.
fn check_expression(source: &str, file: &syn::File, place: &Range<usize>, replace: &str) -> Result<()> {
    block(replace)?;
    let found = &source[place.clone()];
    let in_parentheses = format!("{}({found}){}", &source[..place.start], &source[place.end..]);
    let same = syn::parse_file(&in_parentheses).is_ok_and(|other| bare(other) == *file);
    ensure!(same, "`{found}` isn't a whole expression there, or is inside a macro: make `find` shorter or longer");
    Ok(())
}

/// The file without parentheses around expressions.
fn bare(mut file: syn::File) -> syn::File {
    struct Bare;
    impl VisitMut for Bare {
        fn visit_expr_mut(&mut self, expression: &mut syn::Expr) {
            while let syn::Expr::Paren(inner) = expression {
                *expression = (*inner.expr).clone();
            }
            visit_mut::visit_expr_mut(self, expression);
        }
    }
    Bare.visit_file_mut(&mut file);
    file
}

fn check_statements(source: &str, place: &Range<usize>, replace: &str) -> Result<()> {
    let found = &source[place.clone()];
    block(found)?;
    block(replace)?;
    let before = source[..place.start].lines().rev().map(str::trim);
    let before = before.into_iter().find(|line| !line.is_empty() && !line.starts_with("//"));
    ensure!(
        before.is_some_and(|line| line.ends_with([';', '{', '}'])),
        "`{found}` doesn't begin where a statement does"
    );
    ensure!(found.ends_with([';', '}']), "`{found}` doesn't end where a statement does");
    Ok(())
}

fn check_arm(source: &str, place: &Range<usize>) -> Result<()> {
    let found = &source[place.clone()];
    syn::Pat::parse_multi.parse_str(found).with_context(|| format!("`{found}` is not a pattern"))?;
    ensure!(source[place.end..].trim_start().starts_with("=>"), "`{found}` isn't everything before the arrow");
    Ok(())
}

/// A part of the source with the mutants of these sites in it.
fn render(source: &str, part: Range<usize>, sites: &[Site<'_>]) -> Result<String> {
    let mut text = String::new();
    let (mut at, mut rest) = (part.start, sites);
    while let Some(outer) = rest.first() {
        let place = outer.place.clone();
        let same = rest.iter().take_while(|site| site.place == place).count();
        let inside = rest[same..].iter().take_while(|site| site.place.start < place.end).count();
        let (here, after) = rest.split_at(same);
        let (inner, after) = after.split_at(inside);
        if let Some(other) = inner.iter().find(|site| site.place.end > place.end) {
            bail!(
                "{} and {} overlap: let one of them replace everything that the other replaces",
                outer.name,
                other.name
            );
        }
        if let Some(other) = here.iter().find(|site| site.edit.form != outer.edit.form) {
            bail!("{} and {} replace the same thing as different forms", outer.name, other.name);
        }
        text += &source[at..place.start];
        let original = render(source, place.clone(), inner)?;
        text += &switch(here, &original);
        (at, rest) = (place.end, after);
    }
    text += &source[at..part.end];
    Ok(text)
}

/// The original and its replacements, behind their switches.
fn switch(sites: &[Site<'_>], original: &str) -> String {
    let on = |site: &Site<'_>| format!("crate::mutant::on({})", site.number);
    let form = sites.first().map(|site| site.edit.form).unwrap_or_default();
    if form == Form::Arm {
        let guards: Vec<String> = sites.iter().map(|site| format!("!{}", on(site))).collect();
        return format!("{original} if {}", guards.join(" && "));
    }
    let mut text = String::new();
    for site in sites {
        text += &format!("if {} {{ {} }} else ", on(site), site.edit.replace.trim());
    }
    text += &format!("{{ {original} }}");
    if form == Form::Expression { format!("({text})") } else { text }
}

/// A switch can't be read at compile time: functions that contain one stop being `const`, and so do
/// those that call them.
pub fn without_const(texts: &mut [&mut String]) {
    let mut names: BTreeSet<String> = BTreeSet::new();
    loop {
        let before = names.len();
        for text in texts.iter_mut() {
            let is_asked = |line: &str| {
                let calls = |name: &String| line.contains(&format!("{name}(")) && !begins_function(line);
                line.contains("crate::mutant::on(") || names.iter().any(calls)
            };
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            let mut heads = BTreeSet::new();
            let mut latest = None;
            for (place, line) in lines.iter().enumerate() {
                if begins_function(line) {
                    latest = Some(place);
                }
                heads.extend(latest.filter(|head| is_asked(line) && lines[*head].contains("const fn ")));
            }
            let loosened: Vec<(usize, String)> =
                heads.iter().map(|head| (*head, lines[*head].replacen("const fn ", "fn ", 1))).collect();
            for (head, line) in &loosened {
                names.extend(name_of_function(line));
                lines[*head] = line;
            }
            **text = lines.concat();
        }
        if names.len() == before {
            return;
        }
    }
}

fn begins_function(line: &str) -> bool {
    let Some((before, _)) = line.split_once("fn ") else { return false };
    before.split_whitespace().all(|word| word == "const" || word.starts_with("pub"))
}

fn name_of_function(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("fn ")?;
    Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
/// A function.
pub const fn more(a: u64, b: u64) -> bool {
    // Which is more?
    a + 1 > b * 2
}

fn tell(out: &mut Vec<u64>, x: Option<u64>) {
    out.push(1);
    out.push(2);
    match x {
        Some(7) => out.push(7),
        _ => {}
    }
}
";

    fn edit(form: Form, find: &str, replace: &str) -> Edit {
        Edit { file: "a.rs".into(), within: None, find: find.into(), replace: replace.into(), form }
    }

    fn spliced(edits: &[Edit]) -> Result<String> {
        let names = ["one", "two", "three"];
        let planted: Vec<_> = edits.iter().enumerate().map(|(i, edit)| (i + 1, names[i], edit)).collect();
        splice(SOURCE, &planted)
    }

    fn refused(edits: &[Edit]) -> String {
        format!("{:#}", spliced(edits).unwrap_err())
    }

    #[test]
    fn an_expression_is_replaced_behind_a_switch() {
        let text = spliced(&[edit(Form::Expression, "b * 2", "b")]).unwrap();
        assert!(text.contains("a + 1 > (if crate::mutant::on(1) { b } else { b * 2 })"), "{text}");
    }

    #[test]
    fn a_function_with_a_switch_is_no_longer_const_nor_who_calls_it() {
        let mut text = spliced(&[edit(Form::Expression, "b * 2", "b")]).unwrap();
        let mut other = "const fn most() -> bool {\n    more(1, 2)\n}\nconst fn one() -> u64 {\n    1\n}\n".to_owned();
        without_const(&mut [&mut other, &mut text]);
        assert!(text.contains("\npub fn more"), "{text}");
        assert_eq!(other, "fn most() -> bool {\n    more(1, 2)\n}\nconst fn one() -> u64 {\n    1\n}\n");
    }

    #[test]
    fn statements_are_replaced_or_left_out() {
        let text = spliced(&[edit(Form::Statements, "out.push(1);", "")]).unwrap();
        assert!(text.contains("if crate::mutant::on(1) {  } else { out.push(1); }"), "{text}");
    }

    #[test]
    fn an_arm_is_passed_over() {
        let text = spliced(&[edit(Form::Arm, "Some(7)", ""), edit(Form::Arm, "Some(7)", "")]).unwrap();
        assert!(text.contains("Some(7) if !crate::mutant::on(1) && !crate::mutant::on(2) =>"), "{text}");
    }

    #[test]
    fn mutants_share_a_place_or_stand_one_within_the_other() {
        let text = spliced(&[
            edit(Form::Expression, "a + 1 > b * 2", "true"),
            edit(Form::Expression, "a + 1", "a"),
            edit(Form::Expression, "a + 1 > b * 2", "false"),
        ])
        .unwrap();
        let expected = "(if crate::mutant::on(1) { true } else if crate::mutant::on(3) { false } else { \
                        (if crate::mutant::on(2) { a } else { a + 1 }) > b * 2 })";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn mutants_that_overlap_are_refused() {
        let both = [edit(Form::Statements, "out.push(1);\n    out.push(2);", ""), {
            edit(
                Form::Statements,
                "out.push(2);\n    match x {\n        Some(7) => out.push(7),\n        _ => {}\n    }",
                "",
            )
        }];
        assert!(refused(&both).contains("one and two overlap"), "{}", refused(&both));
    }

    #[test]
    fn what_is_no_whole_thing_is_refused() {
        let refused = |form, find| refused(&[edit(form, find, "")]);
        assert!(refused(Form::Expression, "1 > b").contains("isn't a whole expression"));
        assert!(refused(Form::Expression, "a").contains("more than once"));
        assert!(
            refused(Form::Expression, "c").contains("isn't there") || refused(Form::Expression, "zz").contains("isn't")
        );
        assert!(refused(Form::Statements, "push(1);").contains("doesn't begin"));
        assert!(refused(Form::Arm, "Some(").contains("is not a pattern"));
        assert!(refused(Form::Arm, "x").contains("more than once"));
    }

    #[test]
    fn a_text_that_occurs_more_often_is_found_within_another() {
        let within = Edit { within: Some("a + 1 > b * 2".into()), ..edit(Form::Expression, "b", "a") };
        assert!(spliced(&[within]).unwrap().contains("(if crate::mutant::on(1) { a } else { b }) * 2"));
    }
}

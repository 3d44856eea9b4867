//! Bundles the page: one script and one style sheet in place of many small files, without comments.
//!
//! A browser discovers a module only when it has read the one that imports it, and small files
//! compress badly. Bundled, they weigh two thirds, and arrive after one round trip. The modules in
//! `www/` must stay plain, so that this can stay simple: `import { a, b as c } from './x.js';` or
//! `import * as x from './x.js';` on one line, `export` before a `const`, a `function` or a
//! `class`, and no cycles. Anything else is refused, with its place.

use anyhow::{Context, Result, anyhow, bail, ensure};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The entry script. In a bundled page it is the only one besides the classic script `boot.js`.
const MAIN: &str = "main.js";
/// The name of a bundled page's only style sheet.
const STYLE: &str = "page.css";

/// Bundles the page in `folder`, which has been copied there from `www/`.
pub fn bundle(folder: &Path) -> Result<()> {
    let modules = gather(folder)?;
    let script: String = modules.iter().map(|module| module.text.as_str()).collect();
    for module in &modules {
        fs::remove_file(folder.join(&module.name))?;
    }
    fs::write(folder.join(MAIN), small_script(&script))?;
    shrink_script(&folder.join("boot.js"))?;
    join_styles(folder)
}

/// Minifies a script.
pub fn shrink_script(file: &Path) -> Result<()> {
    let script = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(fs::write(file, small_script(&script))?)
}

fn small_script(script: &str) -> String {
    minifier::js::minify(&with_short_names(script)).to_string()
}

/// Shortens private names (`#canvas`), which nothing outside of their class uses. A name that could
/// also be part of a string, such as a selector, stays as it is.
fn with_short_names(script: &str) -> String {
    let mut uses: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for (at, name) in private_names(script) {
        let (count, private) = uses.entry(name).or_insert((0, true));
        *count += 1;
        *private &= is_private(&script[..at]);
    }
    let mut long: Vec<_> =
        uses.iter().filter(|(_, (_, private))| *private).map(|(name, (count, _))| (count, name)).collect();
    long.sort_by_key(|&(count, name)| (Reverse(count * name.len()), name));
    let letters = || 'a'..='z';
    let short = letters().map(String::from).chain(letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))));
    let mut short = short.filter(|name| !uses.contains_key(name.as_str()));
    let renamed: BTreeMap<&str, String> =
        long.into_iter().map_while(|(_, name)| Some((*name, short.next()?))).collect();
    let (mut out, mut done) = (String::with_capacity(script.len()), 0);
    for (at, name) in private_names(script) {
        out += &script[done..at + 1];
        out += renamed.get(name).map_or(name, String::as_str);
        done = at + 1 + name.len();
    }
    out + &script[done..]
}

/// Every name that follows a `#`, with the position of the `#`.
fn private_names(script: &str) -> impl Iterator<Item = (usize, &str)> {
    script.match_indices('#').filter_map(|(at, _)| {
        let rest = &script[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.starts_with(|c: char| c.is_ascii_alphabetic()).then_some((at, &rest[..end]))
    })
}

/// Whether the text before a `#` shows that a private name follows: a member access, or a
/// declaration at the beginning of a line.
fn is_private(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or(before).trim();
    before.ends_with('.') || matches!(line, "" | "get" | "set" | "static" | "async") || line.ends_with("*/")
}

/// A module in the form that it has in the bundle.
struct Module {
    name: String,
    text: String,
}

/// The main module and all modules it imports, each after the modules that it imports.
fn gather(folder: &Path) -> Result<Vec<Module>> {
    let mut done = Vec::new();
    visit(folder, MAIN, &mut Vec::new(), &mut done)?;
    Ok(done)
}

fn visit(folder: &Path, name: &str, path: &mut Vec<String>, done: &mut Vec<Module>) -> Result<()> {
    if done.iter().any(|module| module.name == name) {
        return Ok(());
    }
    ensure!(
        !path.iter().any(|above| above == name),
        "modules import each other in a cycle: {} → {name}",
        path.join(" → ")
    );
    let text = fs::read_to_string(folder.join(name)).with_context(|| match path.last() {
        Some(above) => format!("{above} imports {name}, which can't be read"),
        None => format!("cannot read {name}"),
    })?;
    path.push(name.to_owned());
    let (text, needed) = wrapped(name, &text)?;
    for other in needed {
        visit(folder, &other, path, done)?;
    }
    path.pop();
    done.push(Module { name: name.to_owned(), text });
    Ok(())
}

/// A module as a function that returns its exports, and the names of the modules that it imports.
fn wrapped(name: &str, text: &str) -> Result<(String, Vec<String>)> {
    let (mut body, mut exports, mut needed) = (String::new(), Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let complain = || anyhow!("{name}:{}: this can't be bundled: {line}", number + 1);
        if let Some(import) = line.strip_prefix("import ") {
            let (names, from) = import.split_once(" from './").ok_or_else(complain)?;
            let from = from.strip_suffix("';").ok_or_else(complain)?;
            let names = match (names.strip_prefix("* as "), names.starts_with('{') && names.ends_with('}')) {
                (Some(whole), _) => whole.to_owned(),
                (None, true) => names.replace(" as ", ": "),
                (None, false) => bail!(complain()),
            };
            writeln!(body, "const {names} = {};", variable(from))?;
            needed.push(from.to_owned());
        } else if let Some(export) = line.strip_prefix("export ") {
            let mut words = export.trim_start_matches("async ").split([' ', '(', '*']).filter(|word| !word.is_empty());
            let exported = match (words.next(), words.next()) {
                (Some("const" | "function" | "class"), Some(exported)) => {
                    exported.trim_end_matches(&['=', ';', ','][..])
                }
                _ => bail!(complain()),
            };
            ensure!(exported.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$'), complain());
            exports.push(exported.to_owned());
            writeln!(body, "{export}")?;
        } else {
            writeln!(body, "{line}")?;
        }
    }
    if name == MAIN {
        return Ok((body, needed));
    }
    Ok((format!("const {} = (() => {{\n{body}return {{ {} }};\n}})();\n", variable(name), exports.join(", ")), needed))
}

/// The variable that holds a module in the bundle.
fn variable(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("m_{plain}")
}

/// Joins the style sheets that `index.html` links, in their order.
fn join_styles(folder: &Path) -> Result<()> {
    let index = folder.join("index.html");
    let (mut page, mut styles) = (String::new(), String::new());
    for line in fs::read_to_string(&index)?.lines() {
        let linked = line.trim().strip_prefix("<link rel=\"stylesheet\" href=\"").and_then(|rest| rest.split_once('"'));
        let Some((name, _)) = linked else {
            writeln!(page, "{line}")?;
            continue;
        };
        if styles.is_empty() {
            writeln!(page, "{}", line.replace(name, STYLE))?;
        }
        let file = folder.join(name);
        let style =
            fs::read_to_string(&file).with_context(|| format!("index.html links {name}, which can't be read"))?;
        ensure!(
            !style.contains("url("),
            "{name} refers to another file by a relative path, which a joined style sheet can't"
        );
        let style = minifier::css::minify(&style).map_err(|error| anyhow!("{name} is not a style sheet: {error}"))?;
        writeln!(styles, "{style}")?;
        fs::remove_file(&file)?;
    }
    fs::write(folder.join(STYLE), styles)?;
    fs::write(index, page)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn page(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const INDEX: &str =
        "<html>\n  <link rel=\"stylesheet\" href=\"a.css\">\n  <link rel=\"stylesheet\" href=\"b.css\">\n</html>\n";

    #[test]
    fn a_page_becomes_one_script_and_one_style_sheet() {
        let folder = page(&[
            ("index.html", INDEX),
            ("a.css", "a {\n  /* b */\n  color: red;\n}\n"),
            ("b.css", "b { color: blue; }\n"),
            ("boot.js", "// first\nboot();\n"),
            (
                "main.js",
                "import { up as more } from './up.js';\nimport * as words from './words.js';\nmore(words.hello);\n",
            ),
            (
                "up.js",
                "// @ts-check\nimport { hello } from './words.js';\nexport function up(x) {\n  return `${x}  // ${hello}`;\n}\n",
            ),
            ("words.js", "export const hello = 'x';\nexport class Word {}\n"),
        ]);
        bundle(folder.path()).unwrap();
        let mut left: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["boot.js", "index.html", "main.js", "page.css"]);
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("index.html"), "<html>\n  <link rel=\"stylesheet\" href=\"page.css\">\n</html>\n");
        assert_eq!(read("page.css"), "a{color:red;}\nb{color:blue;}\n");
        assert_eq!(read("boot.js"), "boot();");
        let words = "const m_words_js=(()=>{const hello='x';class Word{}return{hello,Word}})();";
        let up = "const m_up_js=(()=>{const{hello}=m_words_js;function up(x){return`${x}  // ${hello}`}return{up}})();";
        let main = "const{up:more}=m_up_js;const words=m_words_js;more(words.hello);";
        assert_eq!(read("main.js").replace('\n', "").replace(";}", "}"), format!("{words}{up}{main}"));
    }

    #[test]
    fn private_names_are_short_unless_they_may_be_part_of_a_text() {
        let script = "class A {\n  #long = 1;\n  /** a */ #tabs = '#tabs';\n  #a = 2;\n  get #two() {\n    return this.#long + \
                      this.#two + other?.#long + this.#tabs + this.#a;\n  }\n}\nconst colour = '#fff';\n";
        let expected = "class A {\n  #b = 1;\n  /** a */ #tabs = '#tabs';\n  #d = 2;\n  get #c() {\n    return this.#b + \
                        this.#c + other?.#b + this.#tabs + this.#d;\n  }\n}\nconst colour = '#fff';\n";
        assert_eq!(with_short_names(script), expected);
    }

    #[test]
    fn what_it_does_not_understand_is_refused_with_its_place() {
        for line in [
            "import x from './x.js';",
            "import './x.js';",
            "import { x } from \"./x.js\";",
            "export let x = 1;",
            "export default 1;",
            "export { x };",
            "export const { x } = y;",
        ] {
            let error = wrapped("a.js", &format!("// @ts-check\n{line}\n")).unwrap_err().to_string();
            assert!(error.starts_with("a.js:2: ") && error.ends_with(line), "{error}");
        }
    }

    #[test]
    fn circles_and_gaps_are_refused() {
        let circle = page(&[("main.js", "import { x } from './x.js';"), ("x.js", "import { y } from './main.js';")]);
        assert!(bundle(circle.path()).unwrap_err().to_string().ends_with("in a cycle: main.js → x.js → main.js"));
        let gap = page(&[("main.js", "import { x } from './x.js';")]);
        assert!(bundle(gap.path()).unwrap_err().to_string().contains("main.js imports x.js"));
    }
}

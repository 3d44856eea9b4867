//! Scenario files.

use raft_core::format::file::{self, File};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::found::{FoundView, claimed};
use crate::js::{Bytes, Refusal, bytes_of, run_of, to_js};

/// See `FileView` in `lab.d.ts`.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FileView {
    bytes: Bytes,
    note: String,
    found: Option<FoundView>,
    open_ended: bool,
}

/// Whether a scenario file of so many bytes is read.
///
/// # Errors
/// A sentence, if there are too many.
#[wasm_bindgen(js_name = checkSize)]
pub fn check_size(bytes: f64) -> Result<(), JsValue> {
    // Beyond what fits, it is as large as can be.
    Ok(file::check_size(bytes as usize).map_err(Refusal::from)?)
}

/// Reads a scenario file.
///
/// # Errors
/// A sentence that says where in the file something is wrong, and what.
#[wasm_bindgen(js_name = readFile, unchecked_return_type = "FileView")]
pub fn read_file(text: &str) -> Result<JsValue, JsValue> {
    to_js(&read(text)?)
}

fn read(text: &str) -> Result<FileView, Refusal> {
    let File { note, run, open_ended, found } = file::read(text)?;
    Ok(FileView { bytes: bytes_of(&run)?, note, found: found.map(FoundView::from), open_ended })
}

/// The run in the bytes as a scenario file, with a note, and what was found in it, if `what` names
/// something.
///
/// # Errors
/// A sentence, if the bytes are no run, or that can't have been found in it.
#[wasm_bindgen(js_name = writeFile)]
pub fn write_file(
    bytes: &[u8],
    note: String,
    what: Option<String>,
    at: f64,
    first: String,
    second: String,
) -> Result<String, JsValue> {
    Ok(written(bytes, note, what, at, first, second)?)
}

fn written(
    bytes: &[u8],
    note: String,
    what: Option<String>,
    at: f64,
    first: String,
    second: String,
) -> Result<String, Refusal> {
    let found = claimed(what, at, first, second)?;
    Ok(file::write(&File { note, run: run_of(bytes)?, open_ended: false, found })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::format::{Run, found, link};

    /// Runs as a link, with what was found, and as a file.
    fn pairs() -> Vec<(String, String)> {
        let lines = include_str!("../../raft-core/tests/formats/pairs.jsonl").lines();
        let pair = |line: &str| {
            let pair: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| pair[name].as_str().unwrap().to_owned();
            (text("link"), text("file"))
        };
        lines.map(pair).collect()
    }

    #[test]
    fn a_file_becomes_the_bytes_of_its_link_and_the_same_file_again() {
        let pairs = pairs();
        assert!(pairs.len() > 10);
        for (link, text) in pairs {
            let address = format!("#run={link}");
            let run: Run = link::read(&address).unwrap();
            let FileView { bytes, note, found, open_ended } = read(&text).unwrap();
            assert_eq!(bytes.0, link::encode(&run).unwrap());
            assert!(!open_ended);
            let named = found::read(&address, &run).unwrap();
            assert_eq!(found, named.map(FoundView::from), "{address}");
            let found = found.unwrap_or(FoundView {
                property: "",
                time: 0.0,
                at: "".into(),
                first: "".into(),
                second: "".into(),
            });
            let what = (!found.property.is_empty()).then(|| found.property.to_owned());
            assert_eq!(written(&bytes.0, note, what, found.time, found.first, found.second), Ok(text));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, sentence) in [
            ("hello", "it is no scenario file"),
            (r#"{"log":{"version":"1.2"}}"#, "it is no scenario file"),
            (r#"{"raftarium":1,"seed":"1""#, "line 1, column 25: EOF"),
            ("{\n\"raftarium\":1,\n\"seed\":7}", "line 3, column 8: invalid type: integer `7`, expected a string"),
            (r#"{"raftarium":2,"seed":"1"}"#, "the file was made by another version of Raftarium"),
            (r#"{"raftarium":1,"seed":"1","servers":10}"#, "a cluster has 1 to 9 servers, not 10"),
        ] {
            let said = read(text).unwrap_err().0;
            assert!(said.starts_with(sentence), "{said}");
        }
        let said = written(&[9], String::new(), None, 0.0, String::new(), String::new()).unwrap_err().0;
        assert!(said.contains("another version"), "{said}");
        let luck = Some("Luck".to_owned());
        let said = written(&[1], String::new(), luck, 0.0, String::new(), String::new()).unwrap_err().0;
        assert!(said.contains("“Luck” is nothing that can be found"), "{said}");
    }
}

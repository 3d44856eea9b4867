//! Small JSON files with a checksum over all of their bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file's content, with a field for its checksum: CRC-32 of the same file with an empty checksum,
/// in hexadecimal.
pub(super) trait Sealed: Serialize + DeserializeOwned {
    /// The checksum.
    fn checksum(&mut self) -> &mut String;
}

/// The file's text, with its checksum.
pub(super) fn seal<T: Sealed>(mut file: T) -> String {
    file.checksum().clear();
    let checksum = crc32fast::hash(text(&file).as_bytes());
    *file.checksum() = format!("{checksum:08x}");
    text(&file)
}

fn text<T: Serialize>(file: &T) -> String {
    let mut text = serde_json::to_string_pretty(file).expect("numbers and texts have a form in JSON");
    text.push('\n');
    text
}

/// Reads what [`seal`] has written, byte for byte.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn unseal<T: Sealed>(text: &str) -> Result<T, String> {
    let read = || serde_json::from_str::<T>(text).map_err(|error| error.to_string());
    if seal(read()?) == text { read() } else { Err("its checksum is wrong, or somebody has edited it".to_owned()) }
}

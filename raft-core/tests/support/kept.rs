//! Files that are made from the code, and kept under version control.

/// Compares a file with the text made from the tables. With `UPDATE_DOCS=1` it writes the file
/// instead.
pub fn kept_as_made(file: &str, made: impl Fn(&str) -> String) {
    let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(&path).unwrap();
    let made = made(&kept);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).unwrap();
    } else {
        assert_eq!(kept, made, "{file} is another: make it anew with UPDATE_DOCS=1");
    }
}

//! A line that a person entered, kept as it was written and parsed once.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::line::LineError;
use super::operation::Request;

/// A line that a person entered, and the request that it says, or why it says none. Two lines are
/// equal if their texts are. Clones share the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine(Arc<(String, Result<Request, LineError>)>);

impl CommandLine {
    /// The line as it was written.
    pub fn text(&self) -> &str {
        &self.0.0
    }

    /// What it asks for.
    ///
    /// # Errors
    /// Why it isn't a request.
    pub fn request(&self) -> Result<&Request, &LineError> {
        self.0.1.as_ref()
    }
}

impl From<String> for CommandLine {
    fn from(text: String) -> CommandLine {
        let request = text.parse();
        CommandLine(Arc::new((text, request)))
    }
}

impl From<&str> for CommandLine {
    fn from(text: &str) -> CommandLine {
        String::from(text).into()
    }
}

impl From<CommandLine> for String {
    fn from(line: CommandLine) -> String {
        line.text().into()
    }
}

/// The hash of the text, which decides everything else.
impl Hash for CommandLine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{Key, Query};

    #[test]
    fn a_line_is_read_once_and_stays_as_it_was_written() {
        let line = CommandLine::from("GET  x");
        assert_eq!(line.text(), "GET  x");
        let key = Key::new("x").expect("a key");
        assert_eq!(line.request(), Ok(&Request::Read(Query::Get { key })));
        assert_ne!(line, CommandLine::from("get x"), "another line, though it asks for the same");
        assert!(CommandLine::from("take x").request().is_err());
    }
}

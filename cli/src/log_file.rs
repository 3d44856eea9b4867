//! A log in a file that doesn't grow for ever.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How many bytes a log has before it is begun anew. The one before is kept beside it.
const BYTES_MAX: u64 = 8 << 20;

/// A file that is renamed when it is full (`log` to `log.1`), and begun anew.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
    bytes_max: u64,
}

impl LogFile {
    /// Goes on with the file, or begins it.
    ///
    /// # Errors
    /// It can't be written.
    pub fn open(path: &Path) -> io::Result<LogFile> {
        LogFile::with_limit(path, BYTES_MAX)
    }

    fn with_limit(path: &Path, bytes_max: u64) -> io::Result<LogFile> {
        let file = append(path)?;
        let length = file.metadata()?.len();
        Ok(LogFile { path: path.to_owned(), file, length, bytes_max })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        let mut before = self.path.clone().into_os_string();
        before.push(".1");
        fs::rename(&self.path, before)?;
        self.file = append(&self.path)?;
        self.length = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Events come whole, so no line is cut in two. If the file can't be begun anew, it is still
        // better to go on with the old one than to be silent.
        if self.length > 0 && self.length + bytes.len() as u64 > self.bytes_max && self.begin_anew().is_err() {
            self.length = 0;
        }
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_is_kept_once_and_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let mut log = LogFile::with_limit(&path, 12).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!((read("log.1").as_str(), read("log").as_str()), ("one\ntwo\n", "three\n"));
        // It goes on where it was, and counts what is there.
        let mut log = LogFile::with_limit(&path, 12).unwrap();
        log.write_all(b"four\n").unwrap();
        assert_eq!(read("log"), "three\nfour\n");
        log.write_all(b"a line that is longer than the file may be\n").unwrap();
        assert_eq!(read("log.1"), "three\nfour\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

//! Small files that people write: secrets, tokens, certificates.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// The most bytes of a file: a bundle of all the authorities of the world has a fifth of it.
const BYTES_MAX: u64 = 1 << 20;

/// Opens a file, if it is one. A pipe that nobody writes into, or a device, is refused, and not
/// waited for.
///
/// # Errors
/// Why it can't be read, or that it isn't a regular file ([`io::ErrorKind::InvalidInput`]).
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("flags are small");
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it isn't a regular file"))
    }
}

/// Reads a file, if it is one.
///
/// # Errors
/// As for [`open`], or that it is absurdly long.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.take(BYTES_MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is longer than {BYTES_MAX} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "x").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        assert_eq!((read(&path("file")).unwrap(), read(&path("link")).unwrap()), (b"x".to_vec(), b"x".to_vec()));
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), kind, mode, 0).unwrap();
        for other in [path("pipe"), folder.path().to_owned(), "/dev/zero".into()] {
            assert_eq!(read(&other).unwrap_err().to_string(), "it isn't a regular file", "{}", other.display());
        }
        assert_eq!(read(&path("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(path("long"), vec![0; (1 << 20) + 1]).unwrap();
        assert_eq!(read(&path("long")).unwrap_err().to_string(), "it is longer than 1048576 bytes");
    }
}

//! The container of a bundle: the part of the tar format (POSIX ustar) that a bundle needs.
//!
//! Tar programs read many variants: links, sparse files, names that continue elsewhere. A verifier must read exactly one, because two programs
//! that read one file differently can accept two different logs. So a header has one form for a name, a size and a time, and the reader
//! compares all of its bytes.

use std::io::{self, Read, Write};

const BLOCK: usize = 512;
/// The most octal digits of a number.
const DIGITS: usize = 11;

/// Why the container cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum TarError {
    #[error("the bundle ends here, incomplete")]
    Ends,
    #[error("the header of this file is damaged")]
    Header,
    #[error("the file is too large")]
    TooLarge,
    #[error("the bytes between two files are not zero")]
    Padding,
    #[error("the bundle goes on after its end")]
    GoesOn,
    #[error("the bundle cannot be read: {0}")]
    Io(io::Error),
}

/// The header of a file. `None` if a name, size or time has no place in it.
fn header(name: &str, size: u64, time: u64) -> Option<[u8; BLOCK]> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    let limit = 1 << (3 * DIGITS);
    if name.is_empty() || name.len() >= 100 || !name.bytes().all(plain) || size >= limit || time >= limit {
        return None;
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    // Readable for all. A file of user and group 0 gets the account that unpacks it.
    let (mode, owner) = (0o644, 0);
    put(100, &format!("{mode:07o}\0{owner:07o}\0{owner:07o}\0"));
    put(124, &format!("{size:011o}\0{time:011o}\0"));
    // The checksum counts its own field as spaces.
    put(148, "        0");
    put(257, "ustar\x0000");
    put(329, &format!("{owner:07o}\0{owner:07o}\0"));
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

fn padding(size: u64) -> usize {
    // The remainder is below 512.
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

/// Writes files one after the other.
pub(super) struct TarWriter<W> {
    out: W,
    /// Seconds since 1970 in UTC: the time of all files.
    time: u64,
}

impl<W: Write> TarWriter<W> {
    pub(super) fn new(out: W, time: u64) -> Self {
        Self { out, time }
    }

    pub(super) fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let size = bytes.len() as u64;
        let header = header(name, size, self.time).ok_or(io::ErrorKind::InvalidInput)?;
        self.out.write_all(&header)?;
        self.out.write_all(bytes)?;
        self.out.write_all(&[0; BLOCK][..padding(size)])
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads files one after the other.
pub(super) struct TarReader<R> {
    from: R,
}

/// The header of a file whose bytes come next.
pub(super) struct TarFile {
    pub(super) name: String,
    size: u64,
}

impl<R: Read> TarReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from }
    }

    fn block(&mut self, bytes: &mut [u8]) -> Result<(), TarError> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => TarError::Ends,
            _ => TarError::Io(error),
        })
    }

    /// The next file, or `None` at the end of the bundle.
    pub(super) fn next(&mut self) -> Result<Option<TarFile>, TarError> {
        let mut block = [0; BLOCK];
        self.block(&mut block)?;
        if block == [0; BLOCK] {
            return self.end().map(|()| None);
        }
        let number = |at: usize| {
            let digits = std::str::from_utf8(&block[at..at + DIGITS]).ok()?;
            u64::from_str_radix(digits, 8).ok()
        };
        let name = block[..100].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = std::str::from_utf8(name).map_err(|_| TarError::Header)?;
        let (Some(size), Some(time)) = (number(124), number(136)) else {
            return Err(TarError::Header);
        };
        if header(name, size, time) != Some(block) {
            return Err(TarError::Header);
        }
        let name = name.to_owned();
        Ok(Some(TarFile { name, size }))
    }

    /// The bytes of the file whose header was just read.
    pub(super) fn bytes(&mut self, file: &TarFile, most: u64) -> Result<Vec<u8>, TarError> {
        if file.size > most {
            return Err(TarError::TooLarge);
        }
        // The buffer grows with what is there, so a header that lies about a size costs nothing.
        let mut bytes = Vec::new();
        let read = (&mut self.from).take(file.size).read_to_end(&mut bytes);
        if read.map_err(TarError::Io)? as u64 != file.size {
            return Err(TarError::Ends);
        }
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..padding(file.size)];
        self.block(rest)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(TarError::Padding);
        }
        Ok(bytes)
    }

    /// The end consists of two blocks of zeros, and nothing comes after it.
    fn end(&mut self) -> Result<(), TarError> {
        let mut block = [0; BLOCK];
        self.block(&mut block)?;
        if block != [0; BLOCK] {
            return Err(TarError::Header);
        }
        match (&mut self.from).take(1).read_to_end(&mut Vec::new()) {
            Ok(0) => Ok(()),
            Ok(_) => Err(TarError::GoesOn),
            Err(error) => Err(TarError::Io(error)),
        }
    }
}

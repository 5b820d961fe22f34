//! Where a file's bytes come from, made ready for reading: unpacked, and as UTF-8.
//!
//! | packing | recognised by | limits |
//! |---|---|---|
//! | gzip | its first two bytes | unpacked size |
//! | zip | its first four bytes | exactly one file in it, stored or deflated, unpacked size |
//! | Fortify project result | a zip file with `audit.fvdl` | its two files that are read, together as one |
//!
//! The files of a zip of several are read one by one: [`files_in_zip`] names them, and [`Input::open_in_zip`] opens one.
//!
//! Only one layer is unpacked: what is packed again within is refused as no known format.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::ImportError;
use crate::text::{Decoded, decode};

/// How much of a file may be unpacked, and how much of it may be held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// Of the file's text, after unpacking. What is read piece by piece may be as long.
    pub unpacked_bytes: u64,
    /// Of a text that its format needs to have in one piece, or of what is held of it beside its findings.
    pub whole_bytes: u64,
    /// Of a text that is read in one piece because that is faster. A longer one is gone through piece by piece.
    pub at_once_bytes: u64,
}

impl Default for InputLimits {
    fn default() -> Self {
        Self {
            unpacked_bytes: 1024 * 1024 * 1024,
            whole_bytes: 128 * 1024 * 1024,
            at_once_bytes: 8 * 1024 * 1024,
        }
    }
}

/// So many files of an archive are looked at.
const MOST_FILES: usize = 1_000;

/// Bytes that can be read from any place.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Where a file's bytes come from. It may be opened several times, and gives the same bytes each time.
pub trait Source: Sync {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>>;

    /// Told how many bytes a packed file has become so far, each time it is gone through.
    fn has_unpacked(&self, _n_bytes: u64) {}
}

impl Source for &[u8] {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(Cursor::new(*self)))
    }
}

impl Source for &Path {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(File::open(self)?))
    }
}

impl Source for PathBuf {
    fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(Box::new(File::open(self)?))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    /// The one file in the archive.
    Zip(ZipFile),
    /// Of a Fortify project result people's decisions, where there are some, and then what was found.
    Fortify {
        audit: Option<ZipFile>,
        found: ZipFile,
    },
}

/// A file's bytes in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ZipFile {
    start: u64,
    length: u64,
    is_deflated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// After a byte order mark of so many bytes.
    Utf8 {
        mark: u64,
    },
    Utf16 {
        is_little: bool,
    },
}

impl ZipFile {
    fn unpacked<'a>(
        self,
        mut archive: Box<dyn ReadSeek + 'a>,
    ) -> Result<Box<dyn Read + 'a>, ImportError> {
        archive
            .seek(SeekFrom::Start(self.start))
            .map_err(unreadable)?;
        let packed = io::BufReader::new(archive.take(self.length));
        Ok(if self.is_deflated {
            Box::new(flate2::read::DeflateDecoder::new(packed))
        } else {
            Box::new(packed)
        })
    }
}

/// The file of a Fortify project result that has the findings.
const FORTIFY_FINDINGS: &str = "audit.fvdl";

/// A file as an archive lists it.
struct Packed {
    name: String,
    start: u64,
    length: u64,
    compression: zip::CompressionMethod,
}

impl Packed {
    fn file(&self) -> Result<ZipFile, ImportError> {
        let is_deflated = match self.compression {
            zip::CompressionMethod::Stored => false,
            zip::CompressionMethod::Deflated => true,
            other => {
                let message = format!(
                    "its file is packed with {other}, which is not read. Use deflate, or upload the report itself."
                );
                return Err(ImportError::Archive { message });
            }
        };
        Ok(ZipFile {
            start: self.start,
            length: self.length,
            is_deflated,
        })
    }
}

/// The first files of a zip. What a system adds by the way is none.
fn files_of(source: &dyn Source) -> Result<Vec<Packed>, ImportError> {
    let broken = |message: String| ImportError::Archive { message };
    let reader = source.open().map_err(unreadable)?;
    let mut archive = zip::ZipArchive::new(reader).map_err(|error| {
        broken(format!(
            "it cannot be opened ({error}). Pack it again, or upload the report itself."
        ))
    })?;
    let mut files = Vec::new();
    for at in 0..archive.len().min(MOST_FILES) {
        let file = archive
            .by_index_raw(at)
            .map_err(|error| broken(format!("{error}. Pack it again.")))?;
        let is_by_the_way = file.is_dir() || file.name().starts_with("__MACOSX/");
        if is_by_the_way {
            continue;
        }
        if file.encrypted() {
            return Err(broken(
                "its file is encrypted. Upload the report itself.".to_owned(),
            ));
        }
        files.push(Packed {
            name: crate::text::clean_line(file.name()),
            start: file.data_start(),
            length: file.compressed_size(),
            compression: file.compression(),
        });
    }
    Ok(files)
}

/// The names of the files in a zip, in the order of their places there; none of any other file, nor of what is one report though it is
/// a zip. What a pipeline packs together are several reports, and each is a scan of its own. One of very many files is refused.
pub fn files_in_zip(source: &dyn Source) -> Result<Vec<String>, ImportError> {
    let mut first = Vec::new();
    let start = source.open().map_err(unreadable)?;
    start.take(4).read_to_end(&mut first).map_err(unreadable)?;
    if first != *b"PK\x03\x04" {
        return Ok(Vec::new());
    }
    let files = files_of(source)?;
    if files.len() >= MOST_FILES {
        let message = format!("it has {MOST_FILES} files or more. Pack the reports alone.");
        return Err(ImportError::Archive { message });
    }
    let names: Vec<String> = files.into_iter().map(|file| file.name).collect();
    let is_one = names.iter().any(|name| name == FORTIFY_FINDINGS);
    Ok(if is_one { Vec::new() } else { names })
}

/// A file that is ready to be read.
pub struct Input<'a> {
    source: &'a dyn Source,
    limits: InputLimits,
    packing: Packing,
    encoding: Encoding,
}

/// Errors of our own travel through readers as the cause of an I/O error.
pub(crate) fn unreadable(error: io::Error) -> ImportError {
    match error.downcast::<ImportError>() {
        Ok(error) => error,
        Err(error) => ImportError::Unreadable {
            message: error.to_string(),
        },
    }
}

impl<'a> Input<'a> {
    /// Looks at a file's first bytes.
    pub fn of(source: &'a dyn Source, limits: InputLimits) -> Result<Self, ImportError> {
        let mut input = Self {
            source,
            limits,
            packing: Packing::Plain,
            encoding: Encoding::Utf8 { mark: 0 },
        };
        input.packing = match input.first_bytes()?.as_slice() {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => input.only_file()?,
            _ => Packing::Plain,
        };
        input.encoding = match input.first_bytes()?.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => Encoding::Utf8 { mark: 3 },
            [0xff, 0xfe, ..] => Encoding::Utf16 { is_little: true },
            [0xfe, 0xff, ..] => Encoding::Utf16 { is_little: false },
            [first, 0, second, 0] if *first != 0 && *second != 0 => {
                Encoding::Utf16 { is_little: true }
            }
            [0, first, 0, second] if *first != 0 && *second != 0 => {
                Encoding::Utf16 { is_little: false }
            }
            _ => Encoding::Utf8 { mark: 0 },
        };
        Ok(input)
    }

    fn first_bytes(&self) -> Result<Vec<u8>, ImportError> {
        let mut bytes = Vec::new();
        let mut first = self.unpacked()?.take(4);
        first.read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// The archive's only file, or those of a Fortify project result.
    fn only_file(&self) -> Result<Packing, ImportError> {
        let broken = |message: String| ImportError::Archive { message };
        let files = files_of(self.source)?;
        let named = |wanted: &str| files.iter().find(|file| file.name == wanted);
        if let Some(found) = named(FORTIFY_FINDINGS) {
            return Ok(Packing::Fortify {
                audit: named("audit.xml").map(Packed::file).transpose()?,
                found: found.file()?,
            });
        }
        match files.as_slice() {
            [only] => only.file().map(Packing::Zip),
            [] => Err(broken("there is no file in it.".to_owned())),
            files => {
                let n = files.len();
                let names = files.iter().map(|file| file.name.as_str());
                Err(broken(format!(
                    "it has {n} files ({}…). Upload the reports themselves, or send it by holdpoint scan push, which makes each \
                     file a scan of its own.",
                    names.take(5).collect::<Vec<_>>().join(", ")
                )))
            }
        }
    }

    /// The bytes of one of [`files_in_zip`], by its place among them, unpacked.
    pub fn open_in_zip(
        source: &'a dyn Source,
        limits: InputLimits,
        nth: usize,
    ) -> Result<Box<dyn Read + 'a>, ImportError> {
        let files = files_of(source)?;
        let Some(file) = files.get(nth) else {
            let message = format!("it has no file {}. Pack it again.", nth + 1);
            return Err(ImportError::Archive { message });
        };
        let archive = source.open().map_err(unreadable)?;
        Ok(Box::new(Limited {
            reader: file.file()?.unpacked(archive)?,
            left: limits.unpacked_bytes,
            most_bytes: limits.unpacked_bytes,
            is_packed: true,
            source,
        }))
    }

    /// The file's bytes, unpacked, from the beginning.
    fn unpacked(&self) -> Result<Box<dyn Read + '_>, ImportError> {
        let opened = || self.source.open().map_err(unreadable);
        let reader: Box<dyn Read + '_> = match self.packing {
            Packing::Plain => opened()?,
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(
                opened()?,
            ))),
            Packing::Zip(file) => file.unpacked(opened()?)?,
            Packing::Fortify { audit, found } => {
                let found = found.unpacked(opened()?)?;
                match audit {
                    Some(audit) => Box::new(audit.unpacked(opened()?)?.chain(found)),
                    None => found,
                }
            }
        };
        Ok(Box::new(Limited {
            reader,
            left: self.limits.unpacked_bytes,
            most_bytes: self.limits.unpacked_bytes,
            is_packed: self.packing != Packing::Plain,
            source: self.source,
        }))
    }

    /// The file's text from the beginning, without a byte order mark. Bytes that are no text come through as they are.
    pub fn open(&self) -> Result<Box<dyn Read + '_>, ImportError> {
        let mut reader = self.unpacked()?;
        match self.encoding {
            Encoding::Utf8 { mark } => {
                let mut skipped = (&mut reader).take(mark);
                io::copy(&mut skipped, &mut io::sink()).map_err(unreadable)?;
                Ok(reader)
            }
            Encoding::Utf16 { .. } => {
                // Twice as long as it needs to be.
                let text = self.whole()?.text.into_owned();
                Ok(Box::new(Cursor::new(text.into_bytes())))
            }
        }
    }

    /// The beginning of the text, at most so many bytes of it.
    pub fn beginning(&self, most_bytes: u64) -> Result<String, ImportError> {
        let mut bytes = Vec::new();
        let mut limited = self.unpacked()?.take(most_bytes);
        limited.read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(decode(&bytes).text.into_owned())
    }

    /// The whole text in memory, if it is short enough to be read at once.
    pub(crate) fn whole_if_short(&self) -> Result<Option<Decoded<'static>>, ImportError> {
        // Rare, and read as a whole in any case.
        if matches!(self.encoding, Encoding::Utf16 { .. }) {
            return self.whole().map(Some);
        }
        match self.whole_of(self.limits.at_once_bytes) {
            Ok(decoded) => Ok(Some(decoded)),
            Err(ImportError::TooLarge { most_bytes })
                if most_bytes == self.limits.at_once_bytes
                    && most_bytes < self.limits.unpacked_bytes =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) const fn limits(&self) -> InputLimits {
        self.limits
    }

    /// The whole text in memory.
    pub fn whole(&self) -> Result<Decoded<'static>, ImportError> {
        self.whole_of(self.limits.whole_bytes)
    }

    fn whole_of(&self, most_bytes: u64) -> Result<Decoded<'static>, ImportError> {
        let bytes = crate::read_bytes(self.unpacked()?, most_bytes)?;
        let bytes = match (self.encoding, String::from_utf8(bytes)) {
            // Mostly the bytes are the text, and are not copied.
            (Encoding::Utf8 { mark: 0 }, Ok(text)) => {
                return Ok(Decoded {
                    text: text.into(),
                    damaged_line: None,
                });
            }
            (_, Ok(text)) => text.into_bytes(),
            (_, Err(error)) => error.into_bytes(),
        };
        let Decoded { text, damaged_line } = decode(&bytes);
        Ok(Decoded {
            text: text.into_owned().into(),
            damaged_line,
        })
    }

    /// The line and column, from 1, of a byte of the text.
    pub(crate) fn line_and_column(&self, offset: u64) -> Result<(usize, usize), ImportError> {
        let mut reader = self.open()?.take(offset);
        let mut buffer = vec![0; 64 * 1024];
        let (mut line, mut column) = (1, 1);
        loop {
            let n = reader.read(&mut buffer).map_err(unreadable)?;
            if n == 0 {
                return Ok((line, column));
            }
            for byte in &buffer[..n] {
                if *byte == b'\n' {
                    line += 1;
                    column = 1;
                } else {
                    column += 1;
                }
            }
        }
    }
}

/// Refuses to give more bytes than allowed, so that a small file cannot unpack to a huge one.
struct Limited<'a, R> {
    reader: R,
    left: u64,
    most_bytes: u64,
    is_packed: bool,
    source: &'a dyn Source,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match self.reader.read(buffer) {
            Err(error)
                if self.is_packed && error.get_ref().is_none_or(|e| !e.is::<ImportError>()) =>
            {
                return Err(io::Error::other(ImportError::Archive {
                    message: format!(
                        "it cannot be unpacked ({error}); it is damaged or was cut off. Upload it again."
                    ),
                }));
            }
            other => other?,
        };
        match self.left.checked_sub(n as u64) {
            Some(left) => {
                self.left = left;
                if self.is_packed {
                    self.source.has_unpacked(self.most_bytes - left);
                }
                Ok(n)
            }
            None => Err(io::Error::other(ImportError::TooLarge {
                most_bytes: self.most_bytes,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            archive
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn text_of(bytes: &[u8], limits: InputLimits) -> Result<String, ImportError> {
        let input = Input::of(&bytes, limits)?;
        let mut text = String::new();
        input
            .open()?
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        assert_eq!(input.whole()?.text, text);
        Ok(text)
    }

    #[test]
    fn packed_files_read_like_plain_ones() {
        let plain = "{\"a\": \"ä\"}\n";
        let utf16: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(plain.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let marked = [&[0xef, 0xbb, 0xbf], plain.as_bytes()].concat();
        for bytes in [plain.as_bytes(), &utf16, &marked] {
            for packed in [
                bytes.to_vec(),
                gzip(bytes),
                zip_of(&[("report.json", bytes)]),
            ] {
                assert_eq!(text_of(&packed, InputLimits::default()).unwrap(), plain);
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_when_its_limit_is_reached() {
        let limits = InputLimits {
            unpacked_bytes: 100_000,
            whole_bytes: 100_000,
            at_once_bytes: 0,
        };
        let zeros = vec![b' '; 100_001];
        for packed in [gzip(&zeros), zip_of(&[("zeros", &zeros)])] {
            assert!(packed.len() < 1_000);
            let refused = text_of(&packed, limits);
            assert_eq!(
                refused,
                Err(ImportError::TooLarge {
                    most_bytes: 100_000
                })
            );
        }
        assert!(text_of(&gzip(&zeros[1..]), limits).is_ok());
    }

    #[test]
    fn the_files_of_a_zip_are_named_and_opened_one_by_one() {
        let several = zip_of(&[
            ("a.json", b"{}"),
            ("__MACOSX/a", b"x"),
            ("out/b.json", b"[1]"),
        ]);
        let names = files_in_zip(&several.as_slice()).unwrap();
        assert_eq!(names, ["a.json", "out/b.json"]);
        for (nth, wanted) in ["{}", "[1]"].iter().enumerate() {
            let source = several.as_slice();
            let mut file = Input::open_in_zip(&source, InputLimits::default(), nth).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, *wanted);
        }
        let source = several.as_slice();
        assert!(Input::open_in_zip(&source, InputLimits::default(), 2).is_err());
        // One that would unpack to more than is allowed.
        let limits = InputLimits {
            unpacked_bytes: 100,
            ..InputLimits::default()
        };
        let bomb = zip_of(&[("a", &[b' '; 1_000]), ("b", b"")]);
        let source = bomb.as_slice();
        let mut file = Input::open_in_zip(&source, limits, 0).unwrap();
        assert!(file.read_to_end(&mut Vec::new()).is_err());
        // A project result of Fortify is one report.
        let fortify = zip_of(&[("audit.fvdl", b"<FVDL/>"), ("audit.xml", b"<Audit/>")]);
        for other in [&gzip(b"{}")[..], b"{}", b"", &fortify] {
            assert_eq!(files_in_zip(&other).unwrap(), [""; 0]);
        }
        assert!(files_in_zip(&&several[..40]).is_err());
    }

    #[test]
    fn an_archive_that_cannot_be_read_says_what_to_do() {
        let two = zip_of(&[("a.json", b"{}"), ("b.json", b"{}")]);
        let cut = gzip(&[b'x'; 5_000]);
        for (bytes, wanted) in [
            (two.as_slice(), "2 files (a.json, b.json"),
            (&zip_of(&[]), "no file"),
            (&two[..40], "cannot be opened"),
            (&cut[..cut.len() - 9], "cut off"),
        ] {
            let refused = text_of(bytes, InputLimits::default()).unwrap_err();
            let message = refused.to_string();
            assert!(message.contains(wanted), "{message}");
        }
    }
}

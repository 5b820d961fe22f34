//! The one form of ZIP file that a bundle is: each byte of it follows from the files' names and packed bytes.
//!
//! ZIP says most things twice and leaves room between them. What a bundle's headers say is therefore written by the same
//! code that checks them, and a file whose bytes are others is no bundle, whatever a reader of ZIP files makes of it.

use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::{Compression, write::DeflateEncoder};
use holdpoint_domain::Digest;
use sha2::{Digest as _, Sha256};

/// How the bytes of an entry lie in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Stored,
    Deflated,
}

impl Packing {
    const fn method(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflated => 8,
        }
    }
}

/// What the headers say of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) packing: Packing,
    pub(crate) crc32: u32,
    pub(crate) size_bytes: u64,
    pub(crate) packed_bytes: u64,
    /// Where its header begins.
    pub(crate) offset: u64,
}

/// What an entry holds, as it was written.
pub(crate) struct Stored {
    pub(crate) sha256: Digest,
    pub(crate) size_bytes: u64,
    pub(crate) packed_sha256: Digest,
    pub(crate) packed_bytes: u64,
}

/// The first moment that ZIP knows, since equal files are to give equal bytes.
const DATE: u16 = 0x0021;
/// ZIP64, so that no file is too large.
const VERSION: u16 = 45;
const UNIX: u16 = 3 << 8;
/// A plain file, readable by all.
const ATTRIBUTES: u32 = 0o100_644 << 16;
const IN_EXTRA: u32 = u32::MAX;
const LOCAL_FIXED: u64 = 30;
const ZIP64_SIZES: u64 = 20;

impl Entry {
    /// Its header, and how long that is: sizes are always those of ZIP64, because they are not known when it is begun.
    fn local_header(&self) -> Vec<u8> {
        let mut header = Vec::with_capacity(64 + self.name.len());
        header.extend(b"PK\x03\x04");
        self.common(&mut header, IN_EXTRA, IN_EXTRA, 20);
        header.extend(self.name.as_bytes());
        header.extend(1_u16.to_le_bytes());
        header.extend(16_u16.to_le_bytes());
        header.extend(self.size_bytes.to_le_bytes());
        header.extend(self.packed_bytes.to_le_bytes());
        header
    }

    fn central_header(&self) -> Vec<u8> {
        let mut extra: Vec<u64> = Vec::new();
        let mut field = |value: u64| {
            u32::try_from(value)
                .ok()
                .filter(|small| *small != IN_EXTRA)
                .unwrap_or_else(|| {
                    extra.push(value);
                    IN_EXTRA
                })
        };
        let (size, packed, offset) = (
            field(self.size_bytes),
            field(self.packed_bytes),
            field(self.offset),
        );
        let extra_bytes = u16::try_from(extra.len() * 8).expect("three fields are few bytes");
        let mut header = Vec::with_capacity(96 + self.name.len());
        header.extend(b"PK\x01\x02");
        header.extend((UNIX | VERSION).to_le_bytes());
        let extra_length = if extra.is_empty() { 0 } else { extra_bytes + 4 };
        self.common(&mut header, packed, size, extra_length);
        // No comment, the first disk, no internal attributes.
        header.extend([0; 6]);
        header.extend(ATTRIBUTES.to_le_bytes());
        header.extend(offset.to_le_bytes());
        header.extend(self.name.as_bytes());
        if !extra.is_empty() {
            header.extend(1_u16.to_le_bytes());
            header.extend(extra_bytes.to_le_bytes());
            for value in extra {
                header.extend(value.to_le_bytes());
            }
        }
        header
    }

    fn common(&self, header: &mut Vec<u8>, packed: u32, size: u32, extra_length: u16) {
        let name_length = u16::try_from(self.name.len()).expect("names in a bundle are short");
        header.extend(VERSION.to_le_bytes());
        header.extend([0; 2]);
        header.extend(self.packing.method().to_le_bytes());
        header.extend([0; 2]);
        header.extend(DATE.to_le_bytes());
        header.extend(self.crc32.to_le_bytes());
        header.extend(packed.to_le_bytes());
        header.extend(size.to_le_bytes());
        header.extend(name_length.to_le_bytes());
        header.extend(extra_length.to_le_bytes());
    }

    fn data_begins(&self) -> u64 {
        let header = LOCAL_FIXED + self.name.len() as u64 + ZIP64_SIZES;
        self.offset.saturating_add(header)
    }

    /// Where the next begins; none for sizes that no file has.
    pub(crate) fn ends(&self) -> Option<u64> {
        self.data_begins().checked_add(self.packed_bytes)
    }
}

/// All that follows the last entry, which ends where this begins.
fn directory(entries: &[Entry], begins: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(Entry::central_header).collect();
    let length = bytes.len() as u64;
    let count = entries.len() as u64;
    let small_count = u16::try_from(count).ok().filter(|count| *count != u16::MAX);
    let small = |value: u64| u32::try_from(value).ok().filter(|value| *value != IN_EXTRA);
    if small_count.is_none() || small(length).is_none() || small(begins).is_none() {
        let record_begins = begins.saturating_add(length);
        bytes.extend(b"PK\x06\x06");
        bytes.extend(44_u64.to_le_bytes());
        bytes.extend((UNIX | VERSION).to_le_bytes());
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([0; 8]);
        for value in [count, count, length, begins] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(b"PK\x06\x07");
        bytes.extend([0; 4]);
        bytes.extend(record_begins.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
    }
    let count = small_count.unwrap_or(u16::MAX);
    bytes.extend(b"PK\x05\x06");
    bytes.extend([0; 4]);
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(small(length).unwrap_or(IN_EXTRA).to_le_bytes());
    bytes.extend(small(begins).unwrap_or(IN_EXTRA).to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

/// Writes such an archive, entry by entry.
pub(crate) struct Writer<W> {
    out: W,
    entries: Vec<Entry>,
    /// Where the next entry begins.
    ends: u64,
}

impl<W: Write + Seek> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            entries: Vec::new(),
            ends: 0,
        }
    }

    /// Adds an entry with what `fill` writes.
    pub(crate) fn add(
        &mut self,
        name: &str,
        packing: Packing,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<Stored> {
        let mut entry = Entry {
            name: name.to_owned(),
            packing,
            crc32: 0,
            size_bytes: 0,
            packed_bytes: 0,
            offset: self.ends,
        };
        self.out.write_all(&entry.local_header())?;
        let mut packed = Counted::new(&mut self.out);
        let plain = match packing {
            Packing::Stored => {
                let mut plain = Counted::new(&mut packed);
                fill(&mut plain)?;
                plain.finish()
            }
            Packing::Deflated => {
                let deflate = DeflateEncoder::new(&mut packed, Compression::default());
                let mut plain = Counted::new(deflate);
                fill(&mut plain)?;
                plain.inner.try_finish()?;
                plain.finish()
            }
        };
        let packed = packed.finish();
        entry.crc32 = plain.crc32;
        entry.size_bytes = plain.size_bytes;
        entry.packed_bytes = packed.size_bytes;
        self.out.seek(SeekFrom::Start(entry.offset))?;
        self.out.write_all(&entry.local_header())?;
        self.ends = self.out.seek(SeekFrom::End(0))?;
        self.entries.push(entry);
        Ok(Stored {
            sha256: plain.sha256,
            size_bytes: plain.size_bytes,
            packed_sha256: packed.sha256,
            packed_bytes: packed.size_bytes,
        })
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&directory(&self.entries, self.ends))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Whether every header of this archive is the one that [`Writer`] writes for these entries, with nothing before, between or
/// behind; otherwise the place of the first byte that differs.
pub(crate) fn first_difference(
    file: &mut (impl Read + Seek),
    entries: &[Entry],
) -> io::Result<Option<u64>> {
    for entry in entries {
        if let Some(at) = compare(file, entry.offset, &entry.local_header())? {
            return Ok(Some(at));
        }
    }
    let Some(begins) = entries.last().map_or(Some(0), Entry::ends) else {
        return Ok(Some(0));
    };
    let directory = directory(entries, begins);
    if let Some(at) = compare(file, begins, &directory)? {
        return Ok(Some(at));
    }
    let ends = begins.saturating_add(directory.len() as u64);
    let length = file.seek(SeekFrom::End(0))?;
    Ok((length != ends).then_some(ends))
}

fn compare(file: &mut (impl Read + Seek), begins: u64, expected: &[u8]) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(begins))?;
    let mut found = Vec::with_capacity(expected.len());
    file.by_ref()
        .take(expected.len() as u64)
        .read_to_end(&mut found)?;
    let same = found
        .iter()
        .zip(expected)
        .take_while(|(one, other)| one == other)
        .count();
    Ok((same != expected.len()).then_some(begins + same as u64))
}

/// The digest of an entry's packed bytes.
pub(crate) fn packed_digest(file: &mut (impl Read + Seek), entry: &Entry) -> io::Result<Digest> {
    file.seek(SeekFrom::Start(entry.data_begins()))?;
    let mut hasher = Sha256::new();
    io::copy(&mut file.by_ref().take(entry.packed_bytes), &mut hasher)?;
    Ok(Digest::finish(hasher))
}

/// Says what went through.
struct Counted<W> {
    inner: W,
    hasher: Sha256,
    crc32: crc32fast::Hasher,
    size_bytes: u64,
}

struct Counts {
    sha256: Digest,
    crc32: u32,
    size_bytes: u64,
}

impl<W> Counted<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            crc32: crc32fast::Hasher::new(),
            size_bytes: 0,
        }
    }

    fn finish(self) -> Counts {
        Counts {
            sha256: Digest::finish(self.hasher),
            crc32: self.crc32.finalize(),
            size_bytes: self.size_bytes,
        }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.crc32.update(&bytes[..n]);
        self.size_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn large(name: &str, offset: u64) -> Entry {
        Entry {
            name: name.to_owned(),
            packing: Packing::Stored,
            crc32: 7,
            size_bytes: 5 << 32,
            packed_bytes: 5 << 32,
            offset,
        }
    }

    #[test]
    fn what_is_too_large_for_the_small_fields_stands_in_those_of_zip64() {
        let (first, second) = (large("a", 0), large("b", large("a", 0).ends().unwrap()));
        let header = second.central_header();
        assert_eq!(header.len(), 46 + 1 + 4 + 24);
        assert_eq!(header[51..59], (5_u64 << 32).to_le_bytes());
        assert_eq!(header[67..75], second.offset.to_le_bytes());
        let ends = second.ends().unwrap();
        let end = directory(&[first, second], ends);
        assert!(end.windows(4).any(|four| four == b"PK\x06\x06"));
        let small = Entry {
            size_bytes: 1,
            packed_bytes: 1,
            ..large("a", 0)
        };
        assert!(
            !directory(&[small], 52)
                .windows(4)
                .any(|four| four == b"PK\x06\x06")
        );
    }

    #[test]
    fn other_programs_read_what_is_written() {
        let mut writer = Writer::new(Cursor::new(Vec::new()));
        for (name, packing) in [("a", Packing::Stored), ("b/c", Packing::Deflated)] {
            writer
                .add(name, packing, |out| out.write_all(b"text text text"))
                .unwrap();
        }
        let mut zip = zip::ZipArchive::new(writer.finish().unwrap()).unwrap();
        for name in ["a", "b/c"] {
            let mut text = String::new();
            zip.by_name(name)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "text text text");
        }
    }
}

//! A file's text as formats get it: in one piece while it is short, otherwise gone through from its beginning, as often as a
//! format needs.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufRead, Read};

use crate::input::unreadable;
use crate::{ImportError, Input, Shape};

/// How much of a long text is looked at to recognise its format, beside the keys at its top.
const BEGINNING_BYTES: u64 = 1024 * 1024;
/// How much is read in one go.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file's text.
#[derive(Clone, Copy)]
pub enum Body<'t> {
    Whole(&'t str),
    /// Too long to be held.
    Pieces(&'t Pieces<'t>),
}

impl<'t> Body<'t> {
    /// The whole text, however long: refused where it is longer than what may be held.
    pub(crate) fn whole(self) -> Result<Cow<'t, str>, ImportError> {
        match self {
            Self::Whole(text) => Ok(Cow::Borrowed(text)),
            Self::Pieces(pieces) => {
                let decoded = pieces.input.whole()?;
                if decoded.damaged_line.is_some() {
                    pieces.damaged_line.set(decoded.damaged_line);
                }
                Ok(decoded.text)
            }
        }
    }

    /// The beginning: the whole text, or the first mebibyte of a long one.
    pub(crate) fn beginning(self) -> &'t str {
        match self {
            Self::Whole(text) => text,
            Self::Pieces(pieces) => &pieces.beginning,
        }
    }

    /// Whether this is the first character but white space.
    pub(crate) fn begins_with(self, character: char) -> bool {
        self.beginning().trim_start().starts_with(character)
    }

    /// What the text looks like.
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Whole(text) => Shape::of(text),
            Self::Pieces(pieces) => pieces.shape.clone(),
        }
    }

    /// The text from its beginning, as UTF-8; with `held`, it ends with an error when more is held than may be.
    pub(crate) fn open<'h>(
        self,
        held: Option<&'h Held>,
    ) -> Result<Box<dyn BufRead + 'h>, ImportError>
    where
        't: 'h,
    {
        match self {
            Self::Whole(text) => Ok(Box::new(text.as_bytes())),
            Self::Pieces(pieces) => Ok(Box::new(pieces.open(held)?)),
        }
    }

    /// As [`Self::open`], after so many bytes.
    pub(crate) fn open_after<'h>(
        self,
        bytes: u64,
        held: Option<&'h Held>,
    ) -> Result<Box<dyn BufRead + 'h>, ImportError>
    where
        't: 'h,
    {
        let mut text = self.open(held)?;
        io::copy(&mut (&mut text).take(bytes), &mut io::sink()).map_err(unreadable)?;
        if let Some(held) = held {
            held.let_go();
        }
        Ok(text)
    }

    /// Hands out the lines one by one, without the line breaks, with their numbers.
    pub(crate) fn lines(
        self,
        each: &mut dyn FnMut(usize, &str) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        if let Self::Whole(text) = self {
            return (1..)
                .zip(text.lines())
                .try_for_each(|(number, line)| each(number, line));
        }
        let most_bytes = self.most_held();
        let mut text = self.open(None)?;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let mut limited = (&mut text).take(most_bytes);
            let n = limited.read_until(b'\n', &mut line).map_err(unreadable)?;
            if n as u64 == most_bytes {
                return Err(too_large("One line is", most_bytes));
            }
            if n == 0 {
                break;
            }
            let line = String::from_utf8_lossy(&line);
            // As in the lines of a text in memory.
            each(number, line.lines().next().unwrap_or_default())?;
        }
        Ok(())
    }

    /// How many bytes of it may be held.
    pub(crate) fn most_held(self) -> u64 {
        match self {
            Self::Whole(text) => text.len() as u64,
            Self::Pieces(pieces) => pieces.input.limits().whole_bytes,
        }
    }

    /// The line, from 1, of a byte, from 0.
    pub(crate) fn line_of(self, byte: u64) -> Result<u64, ImportError> {
        LineCounter::of(self)?.line_of(byte)
    }
}

/// A text that is not held.
pub struct Pieces<'i> {
    pub(crate) input: &'i Input<'i>,
    beginning: String,
    shape: Shape,
    damaged_line: Cell<Option<usize>>,
}

impl<'i> Pieces<'i> {
    pub(crate) fn of(input: &'i Input<'i>) -> Result<Self, ImportError> {
        let pieces = Self {
            input,
            beginning: input.beginning(BEGINNING_BYTES)?,
            shape: Shape::Other,
            damaged_line: Cell::new(None),
        };
        let shape = Shape::read(&pieces.beginning, &mut pieces.open(None)?)?;
        Ok(Self { shape, ..pieces })
    }

    /// The first line with bytes that are no text, once the text was gone through.
    pub(crate) fn damaged_line(&self) -> Option<usize> {
        self.damaged_line.get()
    }

    /// As [`Body::open`].
    pub(crate) fn open<'p>(
        &'p self,
        held: Option<&'p Held>,
    ) -> Result<TextReader<'p>, ImportError> {
        Ok(TextReader {
            source: self.input.open()?,
            raw: vec![0; BUFFER_BYTES],
            n_raw: 0,
            text: Vec::new(),
            at: 0,
            line: 1,
            damaged_line: &self.damaged_line,
            held,
        })
    }
}

/// A refusal of something, with its verb, that would have to be held.
pub(crate) fn too_large(what: &'static str, most_bytes: u64) -> ImportError {
    let most_bytes = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    ImportError::PieceTooLarge { what, most_bytes }
}

/// Counts what was read of a text and is still held: what stands around its elements, and one of these.
pub(crate) struct Held {
    most_bytes: u64,
    read: Cell<u64>,
    let_go: Cell<u64>,
}

impl Held {
    pub(crate) fn most(most_bytes: u64) -> Self {
        Self {
            most_bytes,
            read: Cell::new(0),
            let_go: Cell::new(0),
        }
    }

    /// Nothing that was read is held any more.
    pub(crate) fn let_go(&self) {
        self.let_go.set(self.read.get());
    }

    pub(crate) fn so_far(&self) -> u64 {
        self.read.get()
    }

    /// What was read since then is not held any more.
    pub(crate) fn let_go_since(&self, so_far: u64) {
        let since = self.read.get().saturating_sub(so_far);
        self.let_go.set(self.let_go.get() + since);
    }
}

/// Reads a text as UTF-8: bytes that are no text stand as `�`, and the first line with such is noted.
pub(crate) struct TextReader<'p> {
    source: Box<dyn Read + 'p>,
    raw: Vec<u8>,
    /// So many bytes in front of `raw` are the beginning of a character that goes on.
    n_raw: usize,
    text: Vec<u8>,
    at: usize,
    line: usize,
    damaged_line: &'p Cell<Option<usize>>,
    held: Option<&'p Held>,
}

impl TextReader<'_> {
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        while self.text.is_empty() {
            let n = self.source.read(&mut self.raw[self.n_raw..])?;
            let n_raw = self.n_raw + n;
            if n_raw == 0 {
                return Ok(());
            }
            let is_end = n == 0;
            let raw = &self.raw[..n_raw];
            let mut kept = 0..0;
            let mut chunks = raw.utf8_chunks().peekable();
            let mut seen = 0;
            while let Some(chunk) = chunks.next() {
                let (valid, invalid) = (chunk.valid().as_bytes(), chunk.invalid());
                self.text.extend_from_slice(valid);
                seen += valid.len() + invalid.len();
                if invalid.is_empty() {
                    continue;
                }
                let is_last = chunks.peek().is_none();
                // A character that is cut off here may go on.
                if is_last && !is_end && is_cut_off(invalid) {
                    kept = seen - invalid.len()..seen;
                    break;
                }
                if self.damaged_line.get().is_none() {
                    let before = memchr::memchr_iter(b'\n', &self.text).count();
                    self.damaged_line.set(Some(self.line + before));
                }
                self.text.extend_from_slice("\u{fffd}".as_bytes());
            }
            self.n_raw = kept.len();
            self.raw.copy_within(kept, 0);
        }
        if self.damaged_line.get().is_none() {
            self.line += memchr::memchr_iter(b'\n', &self.text).count();
        }
        Ok(())
    }
}

/// Whether these bytes are the beginning of a character.
fn is_cut_off(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

impl BufRead for TextReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.text.len() {
            self.fill()?;
            if let Some(held) = self.held
                && held.read.get() - held.let_go.get() > held.most_bytes
            {
                let what = "What stands around the findings, or one of them, is";
                return Err(io::Error::other(too_large(what, held.most_bytes)));
            }
        }
        Ok(&self.text[self.at..])
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        self.at += n;
        if let Some(held) = self.held {
            held.read.set(held.read.get() + n as u64);
        }
    }
}

impl Read for TextReader<'_> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The parser of JSON takes byte by byte.
        if let ([byte], Some(next)) = (&mut *buffer, self.text.get(self.at)) {
            *byte = *next;
            self.consume(1);
            return Ok(1);
        }
        let available = self.fill_buf()?;
        let n = available.len().min(buffer.len());
        buffer[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

/// Tells lines of ascending bytes.
pub(crate) struct LineCounter<'t> {
    text: Box<dyn BufRead + 't>,
    at: u64,
    line: u64,
}

impl<'t> LineCounter<'t> {
    pub(crate) fn of(body: Body<'t>) -> Result<Self, ImportError> {
        Ok(Self {
            text: body.open(None)?,
            at: 0,
            line: 1,
        })
    }

    /// The line, from 1, of this byte, which is not before the last one asked for.
    pub(crate) fn line_of(&mut self, byte: u64) -> Result<u64, ImportError> {
        while self.at < byte {
            let available = self.text.fill_buf().map_err(unreadable)?;
            let wanted = usize::try_from(byte - self.at).unwrap_or(usize::MAX);
            let n = available.len().min(wanted);
            if n == 0 {
                break;
            }
            self.line += memchr::memchr_iter(b'\n', &available[..n]).count() as u64;
            self.text.consume(n);
            self.at += n as u64;
        }
        Ok(self.line)
    }

    /// The byte that is next.
    pub(crate) fn next_byte(&mut self) -> Result<Option<u8>, ImportError> {
        let available = self.text.fill_buf().map_err(unreadable)?;
        Ok(available.first().copied())
    }
}

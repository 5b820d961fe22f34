//! Cuts a large JSON text into what stands around one kind of list and the elements of these lists, one by one, so that
//! memory does not grow with their number.
//!
//! The cutter looks at braces, brackets, strings and commas only; what it hands out is parsed by whoever gets it. Together
//! they see every byte of the text, so that nothing broken passes.

use std::borrow::Cow;
use std::io::Read;

use crate::ImportError;
use crate::input::unreadable;

/// How much of the text is looked at in one go.
const BUFFER_BYTES: usize = 256 * 1024;
/// What stands around the lists is held in memory: rules, artifacts, the run's description.
const MOST_AROUND_BYTES: usize = 64 * 1024 * 1024;
/// One element is held in memory.
const MOST_ELEMENT_BYTES: usize = 16 * 1024 * 1024;

/// A step on the way to the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of an object's key.
    Key(&'static str),
    /// Every element of a list.
    Each,
}

/// One element of a list, with the indices of the lists on its way: `runs[0].results[17]` has `[0, 17]`.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    pub(crate) indices: &'a [usize],
    pub(crate) bytes: &'a [u8],
    /// Where it begins in the text, in bytes.
    pub(crate) offset: u64,
}

/// The text without the elements of the lists.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) bytes: Vec<u8>,
    /// After so many bytes of what is left, so many were cut out.
    cuts: Vec<(usize, u64)>,
}

impl Around {
    /// Where a place in what is left was in the whole text.
    pub(crate) fn original_offset(&self, offset: usize) -> u64 {
        let removed: u64 = self
            .cuts
            .iter()
            .take_while(|(at, _)| *at <= offset)
            .map(|(_, n)| n)
            .sum();
        offset as u64 + removed
    }
}

/// Where and why a text cannot be cut.
#[derive(Debug)]
pub(crate) enum CutError {
    Import(ImportError),
    /// The place in the text, in bytes, and what is wrong there.
    Syntax {
        offset: u64,
        message: &'static str,
    },
}

impl From<ImportError> for CutError {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

const CUT_OFF: &str = "the file ends in the middle; it was cut off. Upload it again.";

/// Everything but the elements of the lists that the path leads to.
pub(crate) fn around(source: impl Read, path: &[Step]) -> Result<Around, CutError> {
    let mut cutter = Cutter::of(source, Taking::Around);
    cutter.document(path, &mut |_| Ok(()))?;
    Ok(Around {
        bytes: cutter.taken,
        cuts: cutter.cuts,
    })
}

/// Hands out the elements of the lists that the path leads to, in their order.
pub(crate) fn elements(
    source: impl Read,
    path: &[Step],
    see: &mut dyn FnMut(Element<'_>) -> Result<(), ImportError>,
) -> Result<(), CutError> {
    Cutter::of(source, Taking::Elements).document(path, see)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    Around,
    Elements,
}

struct Cutter<R> {
    source: R,
    buffer: Box<[u8]>,
    /// The unread part of the buffer.
    at: usize,
    end: usize,
    /// Where the buffer begins in the text.
    offset: u64,
    taking: Taking,
    /// Whether bytes that are read now are taken; from where in the buffer on.
    taken_from: Option<usize>,
    taken: Vec<u8>,
    cuts: Vec<(usize, u64)>,
    indices: Vec<usize>,
}

type See<'a> = &'a mut dyn FnMut(Element<'_>) -> Result<(), ImportError>;

impl<R: Read> Cutter<R> {
    fn of(source: R, taking: Taking) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            at: 0,
            end: 0,
            offset: 0,
            taking,
            taken_from: (taking == Taking::Around).then_some(0),
            taken: Vec::new(),
            cuts: Vec::new(),
            indices: Vec::new(),
        }
    }

    fn document(&mut self, path: &[Step], see: See<'_>) -> Result<(), CutError> {
        // A text without any value is for the reader to refuse.
        if self.past_spaces()?.is_some() {
            self.value(path, see)?;
        }
        // Whatever follows the value is for the parser to judge.
        if self.taking == Taking::Around {
            while self.peek()?.is_some() {
                self.at = self.end;
            }
        }
        self.keep_taken()
    }

    fn place(&self) -> u64 {
        self.offset + self.at as u64
    }

    fn broken<T>(&self, message: &'static str) -> Result<T, CutError> {
        Err(CutError::Syntax {
            offset: self.place(),
            message,
        })
    }

    /// Moves what was taken out of the buffer.
    fn keep_taken(&mut self) -> Result<(), CutError> {
        if let Some(from) = self.taken_from {
            let (what, most_bytes) = match self.taking {
                Taking::Around => (
                    "What stands around the results (rules, artifacts) is",
                    MOST_AROUND_BYTES,
                ),
                Taking::Elements => ("One result is", MOST_ELEMENT_BYTES),
            };
            if self.taken.len() + (self.at - from) > most_bytes {
                return Err(ImportError::PieceTooLarge { what, most_bytes }.into());
            }
            self.taken.extend_from_slice(&self.buffer[from..self.at]);
            self.taken_from = Some(self.at);
        }
        Ok(())
    }

    /// The next byte, which stays unread; `None` at the text's end.
    fn peek(&mut self) -> Result<Option<u8>, CutError> {
        if self.at == self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.at]))
    }

    #[cold]
    fn fill(&mut self) -> Result<bool, CutError> {
        self.keep_taken()?;
        self.offset += self.at as u64;
        self.at = 0;
        self.taken_from = self.taken_from.map(|_| 0);
        self.end = loop {
            match self.source.read(&mut self.buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.end = 0;
                    return Err(unreadable(error).into());
                }
                Ok(n) => break n,
            }
        };
        Ok(self.end > 0)
    }

    fn past_spaces(&mut self) -> Result<Option<u8>, CutError> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    /// Goes through a value in which the rest of the path may lead to a list.
    fn value(&mut self, path: &[Step], see: See<'_>) -> Result<(), CutError> {
        match (self.past_spaces()?, path) {
            (Some(b'{'), [Step::Key(wanted), rest @ ..]) => self.object(wanted, rest, see),
            (Some(b'['), [Step::Each]) => self.list_of_elements(see),
            (Some(b'['), [Step::Each, rest @ ..]) => self.list(|cutter| cutter.value(rest, see)),
            _ => self.skip_value(),
        }
    }

    fn object(&mut self, wanted: &str, rest: &[Step], see: See<'_>) -> Result<(), CutError> {
        self.at += 1;
        if self.past_spaces()? == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.past_spaces()? != Some(b'"') {
                return self.missing("a key in quotation marks is expected here.");
            }
            let is_wanted = self.key_is(wanted)?;
            if self.past_spaces()? != Some(b':') {
                return self.missing("a colon is expected here.");
            }
            self.at += 1;
            if is_wanted {
                self.value(rest, &mut *see)?;
            } else {
                self.past_spaces()?;
                self.skip_value()?;
            }
            match self.past_spaces()? {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.missing("a comma or } is expected here."),
            }
        }
    }

    fn list(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), CutError>,
    ) -> Result<(), CutError> {
        self.at += 1;
        self.indices.push(0);
        if self.past_spaces()? == Some(b']') {
            self.at += 1;
            self.indices.pop();
            return Ok(());
        }
        loop {
            element(self)?;
            match self.past_spaces()? {
                Some(b',') => {
                    self.at += 1;
                    if let Some(index) = self.indices.last_mut() {
                        *index += 1;
                    }
                    if self.past_spaces()? == Some(b']') {
                        return self.missing("a value is expected after a comma.");
                    }
                }
                Some(b']') => {
                    self.at += 1;
                    self.indices.pop();
                    return Ok(());
                }
                _ => return self.missing("a comma or ] is expected here."),
            }
        }
    }

    fn list_of_elements(&mut self, see: See<'_>) -> Result<(), CutError> {
        match self.taking {
            Taking::Around => {
                // The brackets stay.
                self.at += 1;
                self.keep_taken()?;
                self.taken_from = None;
                let from = self.place();
                self.at -= 1;
                self.list(|cutter| {
                    cutter.past_spaces()?;
                    cutter.skip_value()
                })?;
                self.at -= 1;
                self.cuts.push((self.taken.len(), self.place() - from));
                self.taken_from = Some(self.at);
                self.at += 1;
                Ok(())
            }
            Taking::Elements => self.list(|cutter| {
                cutter.past_spaces()?;
                let offset = cutter.place();
                cutter.taken.clear();
                cutter.taken_from = Some(cutter.at);
                cutter.skip_value()?;
                cutter.keep_taken()?;
                cutter.taken_from = None;
                see(Element {
                    indices: &cutter.indices,
                    bytes: &cutter.taken,
                    offset,
                })?;
                Ok(())
            }),
        }
    }

    fn missing<T>(&mut self, message: &'static str) -> Result<T, CutError> {
        let message = if self.peek()?.is_none() {
            CUT_OFF
        } else {
            message
        };
        self.broken(message)
    }

    /// Goes past a value, whatever it is; the next byte is its first one.
    fn skip_value(&mut self) -> Result<(), CutError> {
        let mut depth = 0_usize;
        loop {
            let Some(byte) = self.peek()? else {
                return self.broken(CUT_OFF);
            };
            match byte {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' | b':' if depth == 0 => {
                    return self.broken("a value is expected here.");
                }
                _ if depth == 0 => return self.skip_scalar(),
                _ => {
                    // Between the marks that count, whole stretches are passed at once.
                    let rest = &self.buffer[self.at..self.end];
                    let is_mark = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
                    self.at += rest.iter().position(is_mark).unwrap_or(rest.len());
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_scalar(&mut self) -> Result<(), CutError> {
        while let Some(byte) = self.peek()? {
            if matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') {
                break;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The next byte is the opening quotation mark.
    fn skip_string(&mut self) -> Result<(), CutError> {
        self.at += 1;
        loop {
            let rest = &self.buffer[self.at..self.end];
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(n) if rest[n] == b'"' => {
                    self.at += n + 1;
                    return Ok(());
                }
                Some(n) => {
                    self.at += n + 1;
                    // What is escaped may be the first byte of the next stretch.
                    if self.peek()?.is_none() {
                        return self.broken(CUT_OFF);
                    }
                    self.at += 1;
                }
                None => {
                    self.at = self.end;
                    if self.peek()?.is_none() {
                        return self.broken(CUT_OFF);
                    }
                }
            }
        }
    }

    /// Goes past a key, and says whether it is this one.
    fn key_is(&mut self, wanted: &str) -> Result<bool, CutError> {
        let mut raw: Vec<u8> = Vec::new();
        self.at += 1;
        let mut is_escaped = false;
        loop {
            let Some(byte) = self.peek()? else {
                return self.broken(CUT_OFF);
            };
            self.at += 1;
            match byte {
                b'"' if !is_escaped => break,
                _ => {
                    is_escaped = byte == b'\\' && !is_escaped;
                    // A longer key is another one, even if each character were escaped.
                    if raw.len() <= wanted.len() * 6 {
                        raw.push(byte);
                    }
                }
            }
        }
        if raw == wanted.as_bytes() {
            return Ok(true);
        }
        if !raw.contains(&b'\\') {
            return Ok(false);
        }
        let quoted = format!("\"{}\"", String::from_utf8_lossy(&raw));
        let plain = serde_json::from_str::<Cow<'_, str>>(&quoted);
        Ok(plain.is_ok_and(|plain| plain == wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &[Step] = &[Step::Key("a"), Step::Each, Step::Key("b"), Step::Each];

    /// Gives out its bytes in pieces of a few.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let n = self.0.len().min(self.1).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    /// Indices, text and place of an element.
    type Cut = (Vec<usize>, String, u64);

    fn cut(text: &str, piece: usize) -> Result<(String, Vec<Cut>), CutError> {
        let left = around(Dribble(text.as_bytes(), piece), PATH)?;
        let mut found = Vec::new();
        elements(Dribble(text.as_bytes(), piece), PATH, &mut |element| {
            let text = String::from_utf8(element.bytes.to_vec()).unwrap();
            found.push((element.indices.to_vec(), text, element.offset));
            Ok(())
        })?;
        Ok((String::from_utf8(left.bytes).unwrap(), found))
    }

    #[test]
    fn a_text_is_cut_into_its_elements_and_the_rest_wherever_it_is_torn() {
        let text = r#" {"x": {"b": [9]}, "a": [{"b": [1, "]\"}", {"b": [2]}], "c": "\\"}, 7, {"\u0062": []}, {"b": [ [3] ]}]} "#;
        let rest =
            r#" {"x": {"b": [9]}, "a": [{"b": [], "c": "\\"}, 7, {"\u0062": []}, {"b": []}]} "#;
        for piece in [1, 2, 3, 7, 1_000] {
            let (left, found) = cut(text, piece).unwrap();
            assert_eq!(left, rest, "in pieces of {piece}");
            let elements: Vec<_> = found
                .iter()
                .map(|(indices, text, _)| (indices.as_slice(), text.as_str()))
                .collect();
            assert_eq!(
                elements,
                [
                    (&[0, 0][..], "1"),
                    (&[0, 1], r#""]\"}""#),
                    (&[0, 2], r#"{"b": [2]}"#),
                    (&[3, 0], "[3]"),
                ]
            );
            for (_, element, offset) in &found {
                let at = usize::try_from(*offset).unwrap();
                assert!(text[at..].starts_with(element.as_str()));
            }
        }
    }

    #[test]
    fn a_place_in_what_is_left_is_found_in_the_whole_text() {
        let text = r#"{"a": [{"b": [1, 2, 3]}, {"b": [4]}], "z": 1}"#;
        let left = around(text.as_bytes(), PATH).unwrap();
        let at = String::from_utf8_lossy(&left.bytes).find("\"z\"").unwrap();
        let found = usize::try_from(left.original_offset(at)).unwrap();
        assert!(text[found..].starts_with("\"z\""));
    }

    #[test]
    fn what_is_broken_between_elements_is_refused_with_its_place() {
        for (text, wanted) in [
            (r#"{"a": [{"b": [1 2]}]}"#, "comma"),
            (r#"{"a": [{"b": [1,]}]}"#, "after a comma"),
            (r#"{"a": [{"b": [1"#, "cut off"),
            (r#"{"a": [{"b": ["x"#, "cut off"),
            (r#"{"a": [{"b": ["x\"#, "cut off"),
            (r#"{"a": [{"b": [,1]}]}"#, "value"),
            (r#"{"a": [{"b" [1]}]}"#, "colon"),
            (r#"{"a": [{b: [1]}]}"#, "key"),
        ] {
            match cut(text, 3) {
                Err(CutError::Syntax { message, offset }) => {
                    assert!(message.contains(wanted), "{text}: {message}");
                    assert!(offset <= text.len() as u64, "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn other_shapes_pass_to_the_parser_as_they_are() {
        for text in [
            "",
            " ",
            "7",
            "[1, 2]",
            r#"{"a": null}"#,
            r#"{"a": {"b": [1]}}"#,
            "{} x",
        ] {
            let (left, found) = cut(text, 2).unwrap();
            assert_eq!(left, text);
            assert!(found.is_empty());
        }
    }
}

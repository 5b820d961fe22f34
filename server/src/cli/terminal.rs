//! Output: exact bytes for programs, and nothing for a terminal that a file could steer it with.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use serde::Serialize;

/// Whether a terminal does something else with it than show it: control characters, and those that turn the direction of what
/// stands beside them.
fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// A text that may come from anywhere, such that a terminal only shows it.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// As [`plain`], on one line.
pub(super) fn line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

/// Data on standard output: exactly these bytes, unless a person looks at them.
pub(super) fn data(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = if out.is_terminal() {
        out.write_all(plain(&String::from_utf8_lossy(bytes).replace("\r\n", "\n")).as_bytes())
    } else {
        out.write_all(bytes)
    };
    match written.and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output cannot be written"),
    }
}

/// A text of our own words and of texts from anywhere, on standard output.
pub(super) fn text(text: &str) -> anyhow::Result<()> {
    data(plain(text).as_bytes())
}

/// JSON on standard output. What could steer a terminal is escaped, which means the same.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("this cannot be written as JSON")?;
    data(json_escaped(&text).as_bytes())
}

fn json_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped.push('\n');
    escaped
}

/// A whole file of at most so many bytes; `-` is standard input.
pub(super) fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{shown}: the file cannot be read"))?;
    if bytes.len() as u64 > most {
        bail!("{shown}: the file has more than {most} bytes, which is the most that is read");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let hostile = "\u{1b}[2J\u{9b}31m\u{7}\u{202e}gpj\r\u{8}\u{7f}\0";
        let shown = plain(hostile);
        assert!(shown.chars().all(|c| !c.is_control()), "{shown}");
        assert_eq!(
            shown,
            "\\u{1b}[2J\\u{9b}31m\\u{7}\\u{202e}gpj\\u{d}\\u{8}\\u{7f}\\u{0}"
        );
        assert_eq!(plain("ü – 漢字\n\tx"), "ü – 漢字\n\tx");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({ "a": "\u{1b}[1m\u{9b}\u{202e}\u{7f}ü" });
        let text = json_escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.contains(is_hidden), "{text}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}

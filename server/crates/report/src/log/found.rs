//! Finding the heads of a log that somebody kept outside: in bundles, in what programs print, in the log of a pipeline.

use std::io::{self, Read, Seek};

use serde_json::Value;
use thiserror::Error;
use zip::ZipArchive;

use super::LogHead;
use crate::bundle::{LOG_CHECKPOINT, LOG_HEAD};

/// A head of the log as somebody kept it.
#[derive(Clone, Debug, PartialEq)]
pub enum FoundHead {
    /// Signed, over the tree.
    Checkpoint(LogHead),
    /// An entry's number and digest, as reports of before the tree have it. Nobody signed it by itself.
    Chain { sequence: i64, digest: String },
}

impl FoundHead {
    /// How many entries the log had.
    pub fn length(&self) -> i64 {
        match self {
            Self::Checkpoint(head) => i64::try_from(head.size).unwrap_or(i64::MAX),
            Self::Chain { sequence, .. } => *sequence,
        }
    }
}

/// Why a file gives no heads of a log.
#[derive(Debug, Error)]
pub enum NoHead {
    #[error(
        "there is no head of a log in it. Give a bundle, a report (report.md or report.json), the answer of the gate, a \
         badge as JSON, what `holdpoint log verify` printed, or a checkpoint"
    )]
    None,
    #[error("it is longer than {MAX_TEXT_BYTES} bytes. Give the part of it that has the head")]
    TooLong,
    #[error("it cannot be read")]
    Read(#[from] io::Error),
}

/// More heads than this are not read from one file.
const MOST_HEADS: usize = 10_000;
/// A head in a bundle is no longer.
const MAX_HEAD_BYTES: u64 = 64 * 1024;
/// What is no bundle is read whole.
const MAX_TEXT_BYTES: u64 = 256 * 1024 * 1024;

/// The heads that a file has. Those that only look like one are among them: a text may quote anything, so who signed a
/// checkpoint has to be checked.
pub fn found_heads(mut file: impl Read + Seek) -> Result<Vec<FoundHead>, NoHead> {
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    file.rewind()?;
    let mut heads = if start == b"PK" {
        in_bundle(file)
    } else {
        let mut bytes = Vec::new();
        file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_TEXT_BYTES {
            return Err(NoHead::TooLong);
        }
        match serde_json::from_slice(&bytes) {
            Ok(json) => in_json(&json),
            Err(_) => in_text(&String::from_utf8_lossy(&bytes)),
        }
    };
    heads.truncate(MOST_HEADS);
    if heads.is_empty() {
        return Err(NoHead::None);
    }
    Ok(heads)
}

fn in_bundle(file: impl Read + Seek) -> Vec<FoundHead> {
    let Ok(mut zip) = ZipArchive::new(file) else {
        return Vec::new();
    };
    let mut heads = Vec::new();
    for name in [LOG_CHECKPOINT, LOG_HEAD] {
        let mut text = String::new();
        let read = zip
            .by_name(name)
            .is_ok_and(|entry| entry.take(MAX_HEAD_BYTES).read_to_string(&mut text).is_ok());
        if !read {
            continue;
        }
        match serde_json::from_str(&text) {
            Ok(json) => heads.extend(in_json(&json)),
            Err(_) => heads.extend(LogHead::parse(&text).ok().map(FoundHead::Checkpoint)),
        }
    }
    heads
}

/// Only where Holdpoint itself writes heads: what people wrote may quote one.
fn in_json(json: &Value) -> Vec<FoundHead> {
    let mut heads = Vec::new();
    for part in [json, &json["activity"]] {
        if let Some(Ok(head)) = part["checkpoint"].as_str().map(LogHead::parse) {
            heads.push(FoundHead::Checkpoint(head));
        }
        for (sequence, digest) in [("sequence", "digest"), ("length", "head")] {
            heads.extend(chain(part[sequence].as_i64(), part[digest].as_str()));
        }
    }
    heads
}

fn chain(sequence: Option<i64>, digest: Option<&str>) -> Option<FoundHead> {
    let sequence = sequence.filter(|sequence| *sequence > 0)?;
    let digest = holdpoint_domain::Digest::parse(digest?)?;
    Some(FoundHead::Chain {
        sequence,
        digest: digest.into(),
    })
}

/// Whatever stands before a line, such as the time in the log of a pipeline, does not count.
fn in_text(text: &str) -> Vec<FoundHead> {
    let lines: Vec<&str> = text.lines().collect();
    let mut heads = Vec::new();
    let mut n = 0;
    while n < lines.len() && heads.len() < MOST_HEADS {
        heads.extend(quoted(lines[n]));
        let first = n;
        while n < lines.len() && signature(lines[n]).is_some() {
            n += 1;
        }
        if n > first {
            heads.extend(before(&lines, first..n));
        } else {
            n += 1;
        }
    }
    let heads: Vec<_> = heads.into_iter().map(FoundHead::Checkpoint).collect();
    if heads.is_empty() {
        return sentence(text).into_iter().collect();
    }
    heads
}

/// The line from its dash on, and the name of the key.
fn signature(line: &str) -> Option<(&str, &str)> {
    let line = line[line.find("\u{2014} ")?..].trim_end();
    let (name, rest) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    (!name.is_empty() && !rest.is_empty() && !rest.contains(' ')).then_some((line, name))
}

/// The head that these lines of signatures stand under.
fn before(lines: &[&str], signatures: std::ops::Range<usize>) -> Option<LogHead> {
    let last_word = |back: usize| {
        let line = lines[signatures.start.checked_sub(back)?];
        line.split_whitespace().next_back()
    };
    let (root, size, origin) = (last_word(2)?, last_word(3)?, last_word(4)?);
    let mut note = format!("{origin}\n{size}\n{root}\n\n");
    for line in &lines[signatures] {
        note.push_str(signature(line)?.0);
        note.push('\n');
    }
    LogHead::parse(&note).ok()
}

/// A head in a line of JSON that is not alone.
fn quoted(line: &str) -> Option<LogHead> {
    let (_, after) = line.split_once("\"checkpoint\"")?;
    let after = after.trim_start().strip_prefix(':')?.trim_start();
    let end = after.strip_prefix('"')?.find('"')?;
    let note: String = serde_json::from_str(&after[..end + 2]).ok()?;
    LogHead::parse(&note).ok()
}

/// What a report of before the tree says at its end.
fn sentence(text: &str) -> Option<FoundHead> {
    let (_, after) = text.rsplit_once("The activity log stood at entry ")?;
    let (sequence, after) = after.split_once(' ')?;
    let digest = after.strip_prefix("with the digest `")?.get(..64)?;
    chain(sequence.parse().ok(), Some(digest))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        super::tests::{key, tree},
        *,
    };

    fn head() -> LogHead {
        LogHead::sign(&key(), "holdpoint/1", 5, tree(5).0.root()).unwrap()
    }

    fn only(bytes: impl AsRef<[u8]>) -> FoundHead {
        let bytes = bytes.as_ref();
        let mut found = found_heads(Cursor::new(bytes))
            .unwrap_or_else(|_| panic!("nothing is found in {}", String::from_utf8_lossy(bytes)));
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn a_checkpoint_is_found_however_it_was_kept() {
        let head = head();
        let note = head.as_str();
        let stamped: String = note
            .lines()
            .map(|line| format!("2026-12-01T05:00:00.000Z {line}\r\n"))
            .collect();
        let gate = json!({ "outcome": "go", "checkpoint": note });
        for kept in [
            note.to_owned(),
            format!("The verdict is GO.\n\n{note}\nThat was the log.\n"),
            note.lines().map(|line| format!("    {line}\n")).collect(),
            note.lines().map(|line| format!("> {line}\n")).collect(),
            format!("```text\n{note}```\n"),
            stamped,
            gate.to_string(),
            format!("{gate:#}"),
            json!({ "activity": { "checkpoint": note } }).to_string(),
            format!("12:00 ##[group]\n12:00 {gate}\n12:01 done\n"),
            format!("{note}\u{2014} witness.example AAAAAAAAAAAAAAAA\n"),
        ] {
            let FoundHead::Checkpoint(found) = only(&kept) else {
                panic!("a checkpoint is found in {kept}");
            };
            assert_eq!((found.size, found.root), (head.size, head.root), "{kept}");
            assert_eq!(found.verify(&super::super::tests::keys()), Ok(()), "{kept}");
        }
    }

    #[test]
    fn the_head_of_a_chain_is_found_where_reports_write_it() {
        let digest = "ab".repeat(32);
        let chain = FoundHead::Chain {
            sequence: 7,
            digest: digest.clone(),
        };
        for kept in [
            json!({ "sequence": 7, "digest": digest }).to_string(),
            json!({ "activity": { "sequence": 7, "digest": digest } }).to_string(),
            json!({ "length": 7, "head": digest }).to_string(),
            format!("\nThe activity log stood at entry 7 with the digest `{digest}`. A log\n"),
        ] {
            assert_eq!(only(&kept), chain, "{kept}");
        }
    }

    #[test]
    fn what_people_wrote_in_a_report_is_no_head_of_it() {
        let quoting =
            json!({ "items": [{ "title": head().as_str(), "checkpoint": head().as_str() }] });
        let quoting = quoting.to_string();
        for nothing in [
            &quoting,
            "",
            "{}",
            "PK",
            "PK\u{3}\u{4}",
            "no log",
            "\u{2014} a b",
        ] {
            let found = found_heads(Cursor::new(nothing));
            assert!(matches!(found, Err(NoHead::None)), "{nothing}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_search_panic(text in "(\u{2014} |\n|a|1|\"checkpoint\"|:|\"|\\\\n|with the digest `|PK|é| )*") {
            drop(found_heads(Cursor::new(text)));
        }
    }
}

//! Reading: from bytes to [`PatchFile`], or one refusal that says where and why.

use crate::mail::{Section, lines, normalise, sections};
use crate::path::{
    git_header_names, inside_repository, read_name, same_under_prefixes, whole_name,
};
use crate::{
    ChangeKind, CommitHead, FileChange, Hunk, Line, LineKind, MAX_BYTES, MAX_COMMITS, MAX_FILES,
    MAX_HUNKS, MAX_LINES, PatchError, PatchFile, Refusal,
};

/// Reads a unified diff, with or without git's headers, or one or several `git format-patch` mails.
///
/// All or nothing: a patch that breaks anywhere, or names a path outside the repository, is refused whole.
pub fn parse(bytes: &[u8]) -> Result<PatchFile, PatchError> {
    let text = check_text(bytes)?;
    let mut patch = PatchFile {
        commits: Vec::new(),
        files: Vec::new(),
    };
    for part in parse_parts(&text)? {
        let commit = part.commit.map(|commit| {
            patch.commits.push(commit);
            patch.commits.len() - 1
        });
        patch
            .files
            .extend(part.files.into_iter().map(|file| FileChange {
                commit,
                ..file.change
            }));
    }
    Ok(patch)
}

/// What can be said before any line is read; gives the text with its line ends repaired.
pub(crate) fn check_text(bytes: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, PatchError> {
    let refuse = |reason| Err(PatchError { line: 1, reason });
    if bytes.len() > MAX_BYTES {
        return refuse(Refusal::TooLarge {
            bytes: bytes.len(),
            max: MAX_BYTES,
        });
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return refuse(Refusal::Utf16);
    }
    let text = normalise(bytes);
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return refuse(Refusal::Empty);
    }
    let head = start[..start.len().min(64)].to_ascii_lowercase();
    if [&b"<!doctype"[..], b"<html", b"<?xml", b"<head", b"<!--"]
        .iter()
        .any(|mark| head.starts_with(mark))
    {
        return refuse(Refusal::WebPage);
    }
    if let Some(at) = text.iter().position(|byte| *byte == 0) {
        let line = lines(&text[..=at]).count();
        return Err(PatchError {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            reason: Refusal::NotText,
        });
    }
    Ok(text)
}

/// A mail with at least one file change, or the diffs outside of mails, with their places in the text.
pub(crate) struct Part<'a> {
    pub(crate) section: Section<'a>,
    pub(crate) commit: Option<CommitHead>,
    pub(crate) files: Vec<ParsedFile>,
}

/// A file change and where it stands in its section's text.
pub(crate) struct ParsedFile {
    pub(crate) change: FileChange,
    pub(crate) start: usize,
    /// Where hunks or binary content begin.
    pub(crate) content: usize,
    pub(crate) end: usize,
    /// Whether the names are written with one leading part such as `a/`, as `git am` expects.
    pub(crate) prefixed: bool,
}

pub(crate) fn parse_parts(text: &[u8]) -> Result<Vec<Part<'_>>, PatchError> {
    let mut budget = Budget::default();
    let mut parts = Vec::new();
    for section in sections(text) {
        if let Some(reason) = &section.refused {
            return Err(PatchError {
                line: section.lines_before.saturating_add(1),
                reason: reason.clone(),
            });
        }
        let mut cursor = Cursor {
            text: &section.text,
            at: 0,
            line_no: section.lines_before.saturating_add(1),
        };
        let files = file_changes(&mut cursor, section.mail.is_some(), &mut budget)?;
        // A cover letter, or the text before the first mail: no commit.
        let Some(first) = files.first() else { continue };
        let commit = section
            .mail
            .as_ref()
            .map(|mail| mail.commit(&section.text[..first.start]));
        if parts.len() == MAX_COMMITS {
            return Err(too_many(section.lines_before, "mails", MAX_COMMITS));
        }
        parts.push(Part {
            section,
            commit,
            files,
        });
    }
    if parts.is_empty() {
        return Err(PatchError {
            line: 1,
            reason: Refusal::NoDiff,
        });
    }
    Ok(parts)
}

#[derive(Default)]
struct Budget {
    files: usize,
    hunks: usize,
    lines: usize,
}

fn too_many(line: u32, what: &str, max: usize) -> PatchError {
    PatchError {
        line: line.max(1),
        reason: Refusal::TooMany {
            what: what.to_owned(),
            max,
        },
    }
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    line_no: u32,
}

impl<'a> Cursor<'a> {
    /// The next line with its line feed.
    fn raw(&self) -> Option<&'a [u8]> {
        let rest = &self.text[self.at..];
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        (end > 0).then(|| &rest[..end])
    }

    /// The next line without its line end, as headers are read.
    fn peek(&self) -> Option<&'a [u8]> {
        self.raw().map(|line| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            line.strip_suffix(b"\r").unwrap_or(line)
        })
    }

    fn peek_second(&self) -> Option<&'a [u8]> {
        let first = self.raw()?.len();
        Cursor {
            text: self.text,
            at: self.at + first,
            line_no: self.line_no,
        }
        .peek()
    }

    fn advance(&mut self) {
        if let Some(line) = self.raw() {
            self.at += line.len();
            self.line_no = self.line_no.saturating_add(1);
        }
    }

    fn error(&self, reason: Refusal) -> PatchError {
        PatchError {
            line: self.line_no,
            reason,
        }
    }

    fn expected(&self, expected: &str) -> PatchError {
        let found = self.peek().map_or_else(
            || "the end of the patch".to_owned(),
            |line| {
                let text: String = String::from_utf8_lossy(line).chars().take(80).collect();
                format!("`{text}`")
            },
        );
        self.error(Refusal::Expected {
            expected: expected.to_owned(),
            found,
        })
    }
}

fn file_changes(
    cursor: &mut Cursor<'_>,
    is_mail: bool,
    budget: &mut Budget,
) -> Result<Vec<ParsedFile>, PatchError> {
    let mut files = Vec::new();
    // A commit message may speak of hunks; after it, one without a file is an error.
    let mut in_message = is_mail;
    while let Some(line) = cursor.peek() {
        let file = if line.starts_with(b"diff --git ") {
            git_file(cursor, budget)?
        } else if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") {
            return Err(cursor.error(Refusal::CombinedDiff));
        } else if line.starts_with(b"--- ")
            && cursor
                .peek_second()
                .is_some_and(|second| second.starts_with(b"+++ "))
        {
            traditional_file(cursor, budget)?
        } else if !in_message && hunk_header(line).is_some() {
            return Err(cursor.expected(
                "the names of the file before its hunk (`diff --git a/FILE b/FILE`, or `--- FILE` and `+++ FILE`)",
            ));
        } else {
            in_message &= line != b"---";
            cursor.advance();
            continue;
        };
        in_message = false;
        budget.files += 1;
        if budget.files > MAX_FILES {
            return Err(too_many(cursor.line_no, "files", MAX_FILES));
        }
        files.push(file);
    }
    Ok(files)
}

#[derive(Default)]
struct GitHeaders {
    old_mode: Option<String>,
    new_mode: Option<String>,
    added: bool,
    deleted: bool,
    rename: bool,
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    old_blob: Option<String>,
    new_blob: Option<String>,
}

fn git_headers(cursor: &mut Cursor<'_>) -> Result<GitHeaders, PatchError> {
    let mut headers = GitHeaders::default();
    while let Some(line) = cursor.peek() {
        let value = |key: &[u8]| line.strip_prefix(key);
        if let Some(mode) = value(b"old mode ") {
            headers.old_mode = Some(file_mode(cursor, mode)?);
        } else if let Some(mode) = value(b"new mode ") {
            headers.new_mode = Some(file_mode(cursor, mode)?);
        } else if let Some(mode) = value(b"deleted file mode ") {
            headers.deleted = true;
            headers.old_mode = Some(file_mode(cursor, mode)?);
        } else if let Some(mode) = value(b"new file mode ") {
            headers.added = true;
            headers.new_mode = Some(file_mode(cursor, mode)?);
        } else if let Some(name) = value(b"rename from ") {
            headers.rename = true;
            headers.from = Some(header_name(cursor, name)?);
        } else if let Some(name) = value(b"rename to ") {
            headers.rename = true;
            headers.to = Some(header_name(cursor, name)?);
        } else if let Some(name) = value(b"copy from ") {
            headers.from = Some(header_name(cursor, name)?);
        } else if let Some(name) = value(b"copy to ") {
            headers.to = Some(header_name(cursor, name)?);
        } else if let Some(ids) = value(b"index ") {
            let (old, new, mode) = blob_ids(ids)
                .ok_or_else(|| cursor.expected("`index OLD..NEW` with two blob ids"))?;
            headers.old_blob = Some(old);
            headers.new_blob = Some(new);
            if let Some(mode) = mode {
                headers.old_mode.get_or_insert_with(|| mode.clone());
                headers.new_mode.get_or_insert(mode);
            }
        } else if value(b"similarity index ").is_none() && value(b"dissimilarity index ").is_none()
        {
            break;
        }
        cursor.advance();
    }
    if headers.from.is_some() != headers.to.is_some() {
        return Err(cursor.expected("both the old and the new name of a renamed or copied file"));
    }
    if headers.added && headers.deleted {
        return Err(cursor.expected("a file that is either added or deleted"));
    }
    Ok(headers)
}

fn file_mode(cursor: &Cursor<'_>, mode: &[u8]) -> Result<String, PatchError> {
    let mode = mode.trim_ascii_end();
    if mode.is_empty() || mode.len() > 7 || !mode.iter().all(|byte| matches!(byte, b'0'..=b'7')) {
        return Err(cursor.expected("a file mode such as 100644"));
    }
    Ok(String::from_utf8_lossy(mode).into_owned())
}

fn header_name(cursor: &Cursor<'_>, name: &[u8]) -> Result<Vec<u8>, PatchError> {
    whole_name(name).ok_or_else(|| cursor.expected("a file name"))
}

fn blob_ids(ids: &[u8]) -> Option<(String, String, Option<String>)> {
    let ids = str::from_utf8(ids).ok()?.trim_end();
    let (ids, mode) = match ids.split_once(' ') {
        Some((ids, mode)) => (ids, Some(mode)),
        None => (ids, None),
    };
    let (old, new) = ids.split_once("..")?;
    let is_id =
        |id: &str| (4..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_mode =
        |mode: &&str| mode.len() <= 7 && mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    (is_id(old) && is_id(new)).then(|| {
        (
            old.to_ascii_lowercase(),
            new.to_ascii_lowercase(),
            mode.filter(is_mode).map(str::to_owned),
        )
    })
}

fn git_file(cursor: &mut Cursor<'_>, budget: &mut Budget) -> Result<ParsedFile, PatchError> {
    let (start, start_line) = (cursor.at, cursor.line_no);
    let at_start = |reason| PatchError {
        line: start_line,
        reason,
    };
    let line = cursor.peek().unwrap_or_default();
    let rest = line.get(b"diff --git ".len()..).unwrap_or_default();
    let names = git_header_names(rest);
    let no_names = cursor.expected("`diff --git a/FILE b/FILE` with the same file twice");
    cursor.advance();
    let headers = git_headers(cursor)?;

    let (mut old, mut new, prefixed) = match (&headers.from, &headers.to, names) {
        (Some(from), Some(to), _) => {
            let mut unprefixed = from.clone();
            unprefixed.push(b' ');
            unprefixed.extend_from_slice(to);
            (from.clone(), to.clone(), whole_pair(rest) != unprefixed)
        }
        (_, _, Some((old, new))) => {
            if let Some(path) = same_under_prefixes(&old, &new) {
                (path.to_vec(), path.to_vec(), true)
            } else if let (Some(old), Some(new)) =
                (old.strip_prefix(b"a/"), new.strip_prefix(b"b/"))
            {
                (old.to_vec(), new.to_vec(), true)
            } else {
                (old, new, false)
            }
        }
        _ => return Err(no_names),
    };
    let mut added = headers.added;
    let mut deleted = headers.deleted;

    let mut content = cursor.at;
    let mut hunks = Vec::new();
    let (mut binary, mut has_binary_content) = (false, false);
    match cursor.peek() {
        Some(line) if line.starts_with(b"--- ") => {
            let written = |cursor: &Cursor<'_>, mark: &[u8]| {
                cursor
                    .peek()
                    .and_then(|line| line.strip_prefix(mark))
                    .and_then(read_name)
                    .map(|(name, _)| name)
                    .ok_or_else(|| {
                        cursor.expected(&format!("`{}FILE`", String::from_utf8_lossy(mark)))
                    })
            };
            let agrees = |name: &[u8], path: &[u8]| {
                if prefixed {
                    name.strip_suffix(path)
                        .is_some_and(|prefix| prefix.ends_with(b"/"))
                } else {
                    name == path
                }
            };
            let minus = written(cursor, b"--- ")?;
            if minus == b"/dev/null" {
                added = true;
            } else if !agrees(&minus, &old) {
                return Err(cursor.expected("the same file name as in the line `diff --git`"));
            }
            cursor.advance();
            let plus = written(cursor, b"+++ ")?;
            if plus == b"/dev/null" {
                deleted = true;
            } else if !agrees(&plus, &new) {
                return Err(cursor.expected("the same file name as in the line `diff --git`"));
            }
            cursor.advance();
            content = cursor.at;
            hunks = read_hunks(cursor, budget)?;
        }
        Some(b"GIT binary patch") => {
            cursor.advance();
            read_binary(cursor)?;
            (binary, has_binary_content) = (true, true);
        }
        Some(line) if line.starts_with(b"Binary files ") && line.ends_with(b" differ") => {
            cursor.advance();
            binary = true;
        }
        _ => {}
    }

    let kind = if binary {
        ChangeKind::Binary
    } else if added {
        ChangeKind::Added
    } else if deleted {
        ChangeKind::Deleted
    } else if headers.from.is_some() {
        if headers.rename {
            ChangeKind::Renamed
        } else {
            ChangeKind::Copied
        }
    } else if !hunks.is_empty() {
        ChangeKind::Modified
    } else if headers.old_mode != headers.new_mode {
        ChangeKind::ModeOnly
    } else {
        return Err(cursor.expected("`--- a/FILE`, `GIT binary patch` or a change of mode"));
    };
    if added && deleted {
        return Err(at_start(Refusal::Expected {
            expected: "a file that is either added or deleted".to_owned(),
            found: "both".to_owned(),
        }));
    }
    if added {
        old.clone_from(&new);
    }
    if deleted {
        new.clone_from(&old);
    }
    let old_path = inside_repository(&old).map_err(at_start)?;
    let new_path = inside_repository(&new).map_err(at_start)?;
    Ok(ParsedFile {
        change: FileChange {
            commit: None,
            old_path: (!added).then_some(old_path),
            new_path: (!deleted).then_some(new_path),
            kind,
            old_blob: headers.old_blob,
            new_blob: headers.new_blob,
            old_mode: headers.old_mode.filter(|_| !added),
            new_mode: headers.new_mode.filter(|_| !deleted),
            has_binary_content,
            hunks,
        },
        start,
        content,
        end: cursor.at,
        prefixed,
    })
}

/// The two names of a `diff --git` line with their quotes resolved and one space between them.
fn whole_pair(rest: &[u8]) -> Vec<u8> {
    match git_header_names(rest) {
        Some((mut old, new)) => {
            old.push(b' ');
            old.extend_from_slice(&new);
            old
        }
        None => rest.to_vec(),
    }
}

fn traditional_file(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget,
) -> Result<ParsedFile, PatchError> {
    let (start, start_line) = (cursor.at, cursor.line_no);
    let mut named = |mark: &[u8]| {
        let read = cursor
            .peek()
            .and_then(|line| line.strip_prefix(mark))
            .and_then(read_name)
            .map(|(name, time)| (name, is_epoch(time)))
            .ok_or_else(|| cursor.expected(&format!("`{}FILE`", String::from_utf8_lossy(mark))))?;
        cursor.advance();
        Ok(read)
    };
    let (minus, minus_epoch) = named(b"--- ")?;
    let (plus, plus_epoch) = named(b"+++ ")?;
    let content = cursor.at;
    let hunks = read_hunks(cursor, budget)?;
    // `diff -N` names a file on both sides and tells by the time 0 that it is not there on one.
    let only_new = hunks
        .iter()
        .all(|hunk| hunk.old_lines == 0 && hunk.old_start == 0);
    let only_old = hunks
        .iter()
        .all(|hunk| hunk.new_lines == 0 && hunk.new_start == 0);
    let added = minus == b"/dev/null" || (minus_epoch && only_new);
    let deleted = plus == b"/dev/null" || (plus_epoch && only_old);
    let (name, prefixed) = if minus == b"/dev/null" {
        without_git_prefix(&plus)
    } else if plus == b"/dev/null" {
        without_git_prefix(&minus)
    } else if let Some(path) = same_under_prefixes(&minus, &plus) {
        (path.to_vec(), true)
    } else if let (Some(old), Some(new)) = (minus.strip_prefix(b"a/"), plus.strip_prefix(b"b/")) {
        (shorter_name(old, new).to_vec(), true)
    } else {
        (shorter_name(&minus, &plus).to_vec(), false)
    };
    let path = inside_repository(&name).map_err(|reason| PatchError {
        line: start_line,
        reason,
    })?;
    if added && deleted {
        return Err(PatchError {
            line: start_line,
            reason: Refusal::Expected {
                expected: "a file on at least one side".to_owned(),
                found: "/dev/null on both".to_owned(),
            },
        });
    }
    Ok(ParsedFile {
        change: FileChange {
            commit: None,
            old_path: (!added).then(|| path.clone()),
            new_path: (!deleted).then_some(path),
            kind: if added {
                ChangeKind::Added
            } else if deleted {
                ChangeKind::Deleted
            } else {
                ChangeKind::Modified
            },
            old_blob: None,
            new_blob: None,
            old_mode: None,
            new_mode: None,
            has_binary_content: false,
            hunks,
        },
        start,
        content,
        end: cursor.at,
        prefixed,
    })
}

/// Whether a header's time is the start of 1970, in any time zone.
fn is_epoch(time: &[u8]) -> bool {
    let time = time.trim_ascii();
    time.starts_with(b"1970-01-01 ") || time.starts_with(b"1969-12-31 ")
}

fn without_git_prefix(name: &[u8]) -> (Vec<u8>, bool) {
    match name
        .strip_prefix(b"a/")
        .or_else(|| name.strip_prefix(b"b/"))
    {
        Some(rest) => (rest.to_vec(), true),
        None => (name.to_vec(), false),
    }
}

/// As git does: the new name, unless the old one is the start of it (`f.c` and `f.c~`).
fn shorter_name<'a>(old: &'a [u8], new: &'a [u8]) -> &'a [u8] {
    if new.starts_with(old) { old } else { new }
}

struct HunkHeader {
    old_start: u32,
    old_lines: u32,
    new_start: u32,
    new_lines: u32,
    section: String,
}

fn hunk_header(line: &[u8]) -> Option<HunkHeader> {
    let rest = line.strip_prefix(b"@@ -")?;
    let end = rest.windows(3).position(|mark| mark == b" @@")?;
    let ranges = str::from_utf8(&rest[..end]).ok()?;
    let (old, new) = ranges.split_once(" +")?;
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    let range = |text: &str| match text.split_once(',') {
        Some((start, lines)) => Some((number(start)?, number(lines)?)),
        None => Some((number(text)?, 1)),
    };
    let (old_start, old_lines) = range(old)?;
    let (new_start, new_lines) = range(new)?;
    let section = &rest[end + 3..];
    Some(HunkHeader {
        old_start,
        old_lines,
        new_start,
        new_lines,
        section: String::from_utf8_lossy(section.strip_prefix(b" ").unwrap_or(section))
            .into_owned(),
    })
}

fn read_hunks(cursor: &mut Cursor<'_>, budget: &mut Budget) -> Result<Vec<Hunk>, PatchError> {
    let mut hunks = Vec::new();
    while let Some(line) = cursor.peek() {
        if !line.starts_with(b"@@ -") {
            break;
        }
        let header = hunk_header(line)
            .ok_or_else(|| cursor.expected("a hunk's header such as `@@ -1,2 +1,3 @@`"))?;
        budget.hunks += 1;
        if budget.hunks > MAX_HUNKS {
            return Err(too_many(cursor.line_no, "hunks", MAX_HUNKS));
        }
        let hunk_line = cursor.line_no;
        cursor.advance();
        hunks.push(read_hunk(cursor, header, hunk_line, budget)?);
    }
    if hunks.is_empty() {
        return Err(cursor.expected("a hunk's header such as `@@ -1,2 +1,3 @@`"));
    }
    Ok(hunks)
}

fn read_hunk(
    cursor: &mut Cursor<'_>,
    header: HunkHeader,
    hunk_line: u32,
    budget: &mut Budget,
) -> Result<Hunk, PatchError> {
    let (mut old_seen, mut new_seen) = (0_u32, 0_u32);
    let mut lines: Vec<Line> = Vec::new();
    loop {
        let full = old_seen == header.old_lines && new_seen == header.new_lines;
        let raw = cursor.raw();
        let line = raw.map(|raw| raw.strip_suffix(b"\n").unwrap_or(raw));
        if let (Some(line), Some(last)) = (line, lines.last_mut())
            && line.starts_with(b"\\ ")
        {
            last.no_newline = true;
            cursor.advance();
            continue;
        }
        if full {
            let goes_on = line.is_some_and(|line| match line.first() {
                Some(b'+' | b' ') => true,
                // The next file, or the signature of a mail.
                Some(b'-') => !(line.starts_with(b"--- ") || line.trim_ascii_end() == b"--"),
                _ => false,
            });
            if goes_on {
                return Err(cursor.error(Refusal::HunkTooLong {
                    hunk_line,
                    old_lines: header.old_lines,
                    new_lines: header.new_lines,
                }));
            }
            break;
        }
        // Some editors and mail programs take off the only space of an empty context line.
        let (marker, text) = match line {
            Some([]) => (b' ', &b""[..]),
            Some(b"\r") => (b' ', &b"\r"[..]),
            Some([marker, text @ ..]) => (*marker, text),
            None => (0, &b""[..]),
        };
        let kind = match marker {
            b' ' if old_seen < header.old_lines && new_seen < header.new_lines => LineKind::Context,
            b'-' if old_seen < header.old_lines => LineKind::Remove,
            b'+' if new_seen < header.new_lines => LineKind::Add,
            _ => {
                return Err(cursor.error(Refusal::HunkTooShort {
                    hunk_line,
                    old_lines: header.old_lines,
                    new_lines: header.new_lines,
                    old_seen,
                    new_seen,
                }));
            }
        };
        budget.lines += 1;
        if budget.lines > MAX_LINES {
            return Err(too_many(cursor.line_no, "lines", MAX_LINES));
        }
        lines.push(Line {
            kind,
            old_line: (kind != LineKind::Add).then(|| header.old_start.saturating_add(old_seen)),
            new_line: (kind != LineKind::Remove).then(|| header.new_start.saturating_add(new_seen)),
            text: String::from_utf8_lossy(text).into_owned(),
            no_newline: false,
        });
        old_seen += u32::from(kind != LineKind::Add);
        new_seen += u32::from(kind != LineKind::Remove);
        cursor.advance();
    }
    Ok(Hunk {
        old_start: header.old_start,
        old_lines: header.old_lines,
        new_start: header.new_start,
        new_lines: header.new_lines,
        section: header.section,
        lines,
    })
}

/// Steps over the content of a binary change: one block forwards, and usually one backwards. What the lines hold is not
/// decoded; their lengths must be right.
fn read_binary(cursor: &mut Cursor<'_>) -> Result<(), PatchError> {
    let mut blocks = 0;
    while let Some(line) = cursor.peek() {
        let is_block = [&b"literal "[..], b"delta "].iter().any(|mark| {
            line.strip_prefix(*mark).is_some_and(|size| {
                !size.is_empty() && size.len() < 12 && size.iter().all(u8::is_ascii_digit)
            })
        });
        if !is_block || blocks == 2 {
            break;
        }
        blocks += 1;
        cursor.advance();
        let mut n_lines = 0;
        while let Some(line) = cursor.peek() {
            if line.is_empty() {
                cursor.advance();
                break;
            }
            let bytes = match line[0] {
                letter @ b'A'..=b'Z' => usize::from(letter - b'A') + 1,
                letter @ b'a'..=b'z' => usize::from(letter - b'a') + 27,
                _ => 0,
            };
            if bytes == 0 || line.len() != 1 + bytes.div_ceil(4) * 5 {
                return Err(cursor.expected("a whole line of binary content"));
            }
            n_lines += 1;
            cursor.advance();
        }
        if n_lines == 0 {
            return Err(cursor.expected("binary content"));
        }
    }
    if blocks == 0 {
        return Err(cursor.expected("`literal SIZE` or `delta SIZE` after `GIT binary patch`"));
    }
    Ok(())
}

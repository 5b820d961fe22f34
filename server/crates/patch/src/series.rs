//! Writing: several patches as one mailbox that `git am` applies.

use std::borrow::Cow;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::mail::{encoded_words, is_separator, lines, one_line, quoted_printable_encode};
use crate::parse::{ParsedFile, Part, check_text, parse_parts};
use crate::path::quote;
use crate::{ChangeKind, FileChange, PatchError};

/// One patch of a series. A patch that came as mails keeps their heads; for a plain diff a head is made from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesPatch<'a> {
    /// The commit's first line.
    pub subject: &'a str,
    /// The rest of the commit message; may be empty.
    pub body: &'a str,
    pub author_name: &'a str,
    pub author_email: &'a str,
    /// When the patch was made, in seconds since 1970.
    pub unix_seconds: i64,
    /// The patch as it was given.
    pub raw: &'a [u8],
}

/// Why there is no series. One patch left out in silence would make the others mean something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    #[error("Patch {position} ({subject}) cannot be read. {cause}")]
    Unreadable {
        /// From 1.
        position: usize,
        subject: String,
        #[source]
        cause: PatchError,
    },
    #[error("Patch {position} ({subject}): {path} is changed {why}.")]
    Unappliable {
        position: usize,
        subject: String,
        path: String,
        why: &'static str,
    },
    #[error(
        "Patch {position} ({subject}) names a file that is not UTF-8 ({path}) and lacks the prefixes a/ and b/. Make it \
         with `git format-patch --default-prefix`."
    )]
    NameNotUtf8 {
        position: usize,
        subject: String,
        path: String,
    },
}

/// Writes the patches as one mailbox, in the order given: the same input gives the same bytes.
///
/// `git am` takes carriage returns off a plain mail and starts a new mail at a line `From …`. A mail with either, or
/// with bytes that are not UTF-8, is therefore written quoted-printable, which `git am` undoes without any option.
/// Diffs without `a/` and `b/` get them.
pub fn series(patches: &[SeriesPatch<'_>]) -> Result<Vec<u8>, SeriesError> {
    let mut out = Vec::new();
    for (index, patch) in patches.iter().enumerate() {
        let position = index + 1;
        let subject = one_line(patch.subject);
        let unreadable = |cause| SeriesError::Unreadable {
            position,
            subject: subject.clone(),
            cause,
        };
        let text = check_text(patch.raw).map_err(unreadable)?;
        for part in parse_parts(&text).map_err(unreadable)? {
            for file in &part.files {
                let path = || file.change.path().to_owned();
                if let Some(why) = file.change.obstacle() {
                    return Err(SeriesError::Unappliable {
                        position,
                        subject,
                        path: path(),
                        why,
                    });
                }
                if !file.prefixed && file.change.path().contains('\u{fffd}') {
                    return Err(SeriesError::NameNotUtf8 {
                        position,
                        subject,
                        path: path(),
                    });
                }
            }
            write_mail(&mut out, patch, &part);
        }
    }
    Ok(out)
}

fn write_mail(out: &mut Vec<u8>, patch: &SeriesPatch<'_>, part: &Part<'_>) {
    let text = &part.section.text;
    let message_end = part.files.first().map_or(0, |file| file.start);
    if let Some(mail) = &part.section.mail {
        out.extend_from_slice(mail.separator.unwrap_or(NO_COMMIT));
        let mut body = text[..message_end].to_vec();
        write_files(&mut body, part);
        let (encoding, body) = encode(body);
        write_headers(out, mail.headers, encoding);
        out.extend_from_slice(&body);
        return;
    }
    let mut body = message(patch.body);
    write_files(&mut body, part);
    let (encoding, body) = encode(body);
    out.extend_from_slice(NO_COMMIT);
    out.extend_from_slice(
        format!(
            "From: {} <{}>\nDate: {}\nSubject: [PATCH] {}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
             Content-Transfer-Encoding: {encoding}\n\n",
            display_name(patch.author_name),
            email(patch.author_email),
            date(patch.unix_seconds),
            subject(patch.subject),
        )
        .as_bytes(),
    );
    out.extend_from_slice(&body);
}

/// The date is git's own mark for mails that are patches; no commit is known.
const NO_COMMIT: &[u8] =
    b"From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n";
const SIGNATURE: &[u8] = b"-- \nHoldpoint\n\n";

fn write_headers(out: &mut Vec<u8>, headers: &[u8], encoding: &str) {
    let mut skipping = false;
    for line in lines(headers) {
        let continued = line.starts_with(b" ") || line.starts_with(b"\t");
        if !continued {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            skipping = name.eq_ignore_ascii_case(b"Content-Transfer-Encoding")
                || name.eq_ignore_ascii_case(b"MIME-Version");
        }
        if !skipping {
            push_with_line_end(out, line);
        }
    }
    out.extend_from_slice(
        format!("MIME-Version: 1.0\nContent-Transfer-Encoding: {encoding}\n\n").as_bytes(),
    );
}

fn write_files(out: &mut Vec<u8>, part: &Part<'_>) {
    for file in &part.files {
        let text = &part.section.text;
        if file.prefixed {
            push_with_line_end(out, &text[file.start..file.content]);
        } else {
            out.extend_from_slice(file_header(&file.change).as_bytes());
        }
        push_content(out, file, text);
    }
    out.extend_from_slice(SIGNATURE);
}

fn push_content(out: &mut Vec<u8>, file: &ParsedFile, text: &[u8]) {
    push_with_line_end(out, &text[file.content..file.end]);
    if file.change.has_binary_content && !out.ends_with(b"\n\n") {
        out.push(b'\n');
    }
}

fn push_with_line_end(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    if !text.is_empty() && !text.ends_with(b"\n") {
        out.push(b'\n');
    }
}

/// The lines before the hunks, as git writes them.
pub(crate) fn file_header(change: &FileChange) -> String {
    let path = change.path();
    let old = change.old_path.as_deref().unwrap_or(path);
    let new = change.new_path.as_deref().unwrap_or(path);
    let mut out = format!(
        "diff --git {} {}\n",
        quote(&format!("a/{old}")),
        quote(&format!("b/{new}"))
    );
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let regular = || "100644".to_owned();
    let mut same_mode = None;
    match (&change.old_path, &change.new_path) {
        (None, _) => line(format!(
            "new file mode {}",
            change.new_mode.clone().unwrap_or_else(regular)
        )),
        (_, None) => line(format!(
            "deleted file mode {}",
            change.old_mode.clone().unwrap_or_else(regular)
        )),
        _ => {
            if let (Some(old_mode), Some(new_mode)) = (&change.old_mode, &change.new_mode) {
                if old_mode == new_mode {
                    same_mode = Some(old_mode);
                } else {
                    line(format!("old mode {old_mode}"));
                    line(format!("new mode {new_mode}"));
                }
            }
            let verb = match change.kind {
                ChangeKind::Copied => Some("copy"),
                _ if old != new => Some("rename"),
                _ => None,
            };
            if let Some(verb) = verb {
                line(format!("{verb} from {}", quote(old)));
                line(format!("{verb} to {}", quote(new)));
            }
        }
    }
    if let (Some(old_blob), Some(new_blob)) = (&change.old_blob, &change.new_blob) {
        let mode = same_mode.map_or_else(String::new, |mode| format!(" {mode}"));
        line(format!("index {old_blob}..{new_blob}{mode}"));
    }
    if !change.hunks.is_empty() {
        let name = |path: &Option<String>, prefix: &str| match path {
            None => "/dev/null".to_owned(),
            Some(path) => {
                let name = quote(&format!("{prefix}/{path}"));
                let tab = if name.contains(' ') { "\t" } else { "" };
                format!("{name}{tab}")
            }
        };
        line(format!("--- {}", name(&change.old_path, "a")));
        line(format!("+++ {}", name(&change.new_path, "b")));
    }
    out
}

/// The message between the head and the diff. A line that `git am` would take for a header or for the start of the diff
/// gets a space in front.
fn message(body: &str) -> Vec<u8> {
    let mut out = String::new();
    for line in body.trim().lines().map(str::trim_end) {
        let lower = line.to_ascii_lowercase();
        let special = [
            "---", "diff -", "index: ", "from:", "subject:", "date:", ">from", "[patch]", "-- ",
        ]
        .iter()
        .any(|start| lower.starts_with(start))
            || line == "--";
        if special {
            out.push(' ');
        }
        out.extend(
            line.chars()
                .filter(|character| !character.is_control() || *character == '\t'),
        );
        out.push('\n');
    }
    out.push_str("---\n\n");
    out.into_bytes()
}

fn encode(body: Vec<u8>) -> (&'static str, Cow<'static, [u8]>) {
    let needs_care = body.contains(&b'\r')
        || str::from_utf8(&body).is_err()
        || lines(&body).any(is_separator)
        || lines(&body).any(|line| line.starts_with(b"From "));
    if needs_care {
        (
            "quoted-printable",
            Cow::Owned(quoted_printable_encode(&body)),
        )
    } else {
        ("8bit", Cow::Owned(body))
    }
}

fn subject(text: &str) -> String {
    let subject = one_line(text);
    if subject.is_empty() {
        return "Patch".to_owned();
    }
    encoded_words(&subject)
}

fn display_name(name: &str) -> String {
    let name = one_line(
        &name
            .replace(['<', '>', '"', '\\'], " ")
            .replace('@', " at "),
    );
    if name.is_empty() {
        return "Unknown".to_owned();
    }
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" !#$%&'*+-/=?^_`{|}~".contains(&byte));
    if name.is_ascii() && !plain && !name.contains("=?") {
        return format!("\"{name}\"");
    }
    encoded_words(&name)
}

fn email(email: &str) -> &str {
    let email = email.trim();
    let good = email.contains('@')
        && email
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"<>\"(),;\\".contains(&byte));
    // A name that no mail can ever be sent to (RFC 2606), where the author gave no address.
    if good {
        email
    } else {
        "unknown@holdpoint.invalid"
    }
}

fn date(unix_seconds: i64) -> String {
    // From 1970 to 2099, which is what git reads.
    OffsetDateTime::from_unix_timestamp(unix_seconds.clamp(0, 4_102_444_799))
        .ok()
        .and_then(|date| date.format(&Rfc2822).ok())
        .unwrap_or_default()
}

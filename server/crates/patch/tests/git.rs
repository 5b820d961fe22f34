//! Against the real git: what it writes is read, and what we write it applies.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test stops it where something is not as expected"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use holdpoint_patch::{
    Applies, ChangeKind, Edit, FileEdits, PatchFile, SeriesPatch, Touch, applies, diff, parse,
    series, touches,
};
use tempfile::TempDir;

struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(TempDir::new().unwrap());
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository
    }

    /// A repository with the same first commit.
    fn base() -> Self {
        let repository = Self::new();
        let numbered: String = (1..=60).map(|number| format!("line {number}\n")).collect();
        repository.write("src/copy.c", numbered.as_bytes());
        repository.write("gone.txt", b"one\ntwo\n");
        repository.write("run.sh", b"#!/bin/sh\necho hi\n");
        repository.write("logo.bin", b"\0\x01\x02binary\0content");
        repository.write("no end.txt", b"a\nb");
        repository.write(
            "Gr\u{f6}\u{df}e/\u{e4}rger \"quoted\".txt",
            "ä\nö\n".as_bytes(),
        );
        repository.write("windows.txt", b"one\r\ntwo\r\nthree\r\n");
        repository.write("latin1.txt", b"caf\xe9\nx\n");
        repository.commit("Base");
        repository
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new("git")
            .args(args)
            .current_dir(self.0.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CEILING_DIRECTORIES", self.0.path())
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_AUTHOR_NAME", "Zoë Müller")
            .env("GIT_AUTHOR_EMAIL", "zoe@example.org")
            .env("GIT_COMMITTER_NAME", "Zoë Müller")
            .env("GIT_COMMITTER_EMAIL", "zoe@example.org")
            .env("GIT_AUTHOR_DATE", "2024-05-01T10:00:00+0200")
            .env("GIT_COMMITTER_DATE", "2024-05-01T10:00:00+0200")
            .output()
            .expect("git is a base tool of these tests; install it")
    }

    fn git(&self, args: &[&str]) -> Vec<u8> {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "git {args:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn text(&self, args: &[&str]) -> String {
        String::from_utf8(self.git(args)).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let file = self.0.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.0.path().join(path)).unwrap()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn am(&self, mailbox: &[u8]) {
        let outside = TempDir::new().unwrap();
        let file = outside.path().join("series.mbox");
        fs::write(&file, mailbox).unwrap();
        self.git(&["am", "-q", file.to_str().unwrap()]);
    }

    fn tree(&self) -> String {
        self.text(&["rev-parse", "HEAD^{tree}"])
    }

    fn applies(&self, patch: &PatchFile, commit: &str) -> Applies {
        applies(patch, |path| {
            let output = self.run(&["rev-parse", "-q", "--verify", &format!("{commit}:{path}")]);
            output
                .status
                .success()
                .then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
        })
    }

    /// Two commits with every kind of change.
    fn changed() -> Self {
        let repository = Self::base();
        let changed: String = (1..=60)
            .map(|number| match number {
                12 => "LINE 12\nmore\n".to_owned(),
                50 => String::new(),
                _ => format!("line {number}\n"),
            })
            .collect();
        repository.git(&["mv", "src/copy.c", "src/copied file.c"]);
        repository.write("src/copied file.c", changed.as_bytes());
        repository.git(&["rm", "-q", "gone.txt"]);
        repository.write("logo.bin", b"\0\x01\x02other\0bytes, and more of them");
        repository.write(
            "new.bin",
            &(0..=255).cycle().take(3000).collect::<Vec<u8>>(),
        );
        repository.write("no end.txt", b"a\nB");
        repository.write("empty", b"");
        repository.git(&["add", "-A"]);
        repository.git(&["update-index", "--chmod=+x", "run.sh"]);
        repository.git(&[
            "commit",
            "-q",
            "-m",
            "Prüfe die Länge, bevor kopiert wird; das ist ein langer Betreff mit Umlauten: äöü",
            "-m",
            "From here on the copy is bounded.\nFrom zoe Mon Sep 17 00:00:00 2001\nEnd.",
        ]);
        repository.git(&["reset", "-q", "--hard"]);
        repository.write(
            "Gr\u{f6}\u{df}e/\u{e4}rger \"quoted\".txt",
            "ä\nÖ\nü".as_bytes(),
        );
        repository.write("windows.txt", b"one\r\nTWO\r\nthree\r\n");
        repository.write("latin1.txt", b"th\xe9\nx\n");
        repository.commit("Write text");
        repository
    }
}

fn made<'a>(subject: &'a str, raw: &'a [u8]) -> SeriesPatch<'a> {
    SeriesPatch {
        subject,
        body: "From the review.\n\ndiff -u is how it was made\n--- not a diff\n+++ not a diff",
        author_name: "O'Neil, Zoë \"Z\"",
        author_email: "zoe@example.org",
        unix_seconds: 1_700_000_000,
        raw,
    }
}

fn kinds(patch: &PatchFile) -> Vec<(ChangeKind, &str)> {
    let mut kinds: Vec<_> = patch
        .files
        .iter()
        .map(|file| (file.kind, file.path()))
        .collect();
    kinds.sort_by_key(|(_, path)| *path);
    kinds
}

#[test]
fn every_kind_of_change_that_git_writes_is_read() {
    let repository = Repository::changed();
    let expected = [
        (ChangeKind::Modified, "Größe/ärger \"quoted\".txt"),
        (ChangeKind::Added, "empty"),
        (ChangeKind::Deleted, "gone.txt"),
        (ChangeKind::Modified, "latin1.txt"),
        (ChangeKind::Binary, "logo.bin"),
        (ChangeKind::Binary, "new.bin"),
        (ChangeKind::Modified, "no end.txt"),
        (ChangeKind::ModeOnly, "run.sh"),
        (ChangeKind::Renamed, "src/copied file.c"),
        (ChangeKind::Modified, "windows.txt"),
    ];
    for arguments in [
        &["diff", "HEAD~2", "HEAD"][..],
        &["diff", "--binary", "--full-index", "HEAD~2", "HEAD"],
        &["diff", "--no-prefix", "HEAD~2", "HEAD"],
        &["-c", "core.quotePath=false", "diff", "HEAD~2", "HEAD"],
        &[
            "diff",
            "--src-prefix=old/",
            "--dst-prefix=new/",
            "HEAD~2",
            "HEAD",
        ],
        &["-c", "diff.mnemonicPrefix=true", "diff", "HEAD~2"],
        &["diff", "-U0", "HEAD~2", "HEAD"],
        &["format-patch", "--stdout", "HEAD~2"],
        &["show", "--format=fuller", "-m", "HEAD~1", "HEAD"],
        &["log", "-p", "-2"],
    ] {
        let raw = repository.git(arguments);
        let patch = parse(&raw).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        assert_eq!(kinds(&patch), expected, "{arguments:?}");
    }
}

#[test]
fn line_counts_are_those_that_git_counts() {
    let repository = Repository::changed();
    let patch = parse(&repository.git(&["diff", "HEAD~2", "HEAD"])).unwrap();
    for row in repository
        .text(&["diff", "-z", "--numstat", "--no-renames", "HEAD~2", "HEAD"])
        .split_terminator('\0')
    {
        let columns: Vec<&str> = row.split('\t').collect();
        let [added, removed, path] = columns[..] else {
            panic!("{row}")
        };
        let Some(file) = patch.files.iter().find(|file| {
            file.path() == path && !matches!(file.kind, ChangeKind::Renamed | ChangeKind::Binary)
        }) else {
            continue;
        };
        let counted = (file.n_added().to_string(), file.n_removed().to_string());
        assert_eq!(counted, (added.to_owned(), removed.to_owned()), "{path}");
    }
    let renamed = patch
        .files
        .iter()
        .find(|file| file.kind == ChangeKind::Renamed)
        .unwrap();
    assert_eq!((renamed.n_added(), renamed.n_removed()), (2, 2));
    assert_eq!(renamed.old_path.as_deref(), Some("src/copy.c"));
}

#[test]
fn a_patch_that_git_applies_nowhere_is_known_by_its_context() {
    let lines = |n: usize| -> Vec<String> { (1..=n).map(|n| format!("line {n}\n")).collect() };
    let mut n_refused = 0;
    for n in [1, 2, 7, 30] {
        // Lines replaced, taken out or added at each end and within, alone and together.
        for changed in [
            vec![1],
            vec![n],
            vec![n / 2 + 1],
            vec![1, n],
            vec![n / 2 + 1, n],
        ] {
            for what in ["other\n", "", "one\nmore\n"] {
                for (context, added) in [("0", 0), ("1", 0), ("3", 0), ("0", 2), ("3", 2)] {
                    let repository = Repository::new();
                    let mut text = lines(n);
                    repository.write("f.txt", text.concat().as_bytes());
                    repository.commit("Base");
                    for at in &changed {
                        what.clone_into(&mut text[at - 1]);
                    }
                    text.extend(lines(added));
                    let text = text.concat();
                    if text.is_empty() || text == lines(n).concat() {
                        continue;
                    }
                    repository.write("f.txt", text.as_bytes());
                    let raw = repository.git(&["diff", &format!("--unified={context}")]);
                    repository.git(&["checkout", "-q", "f.txt"]);
                    let outside = TempDir::new().unwrap();
                    let patch = outside.path().join("change.patch");
                    fs::write(&patch, &raw).unwrap();
                    let applied = repository.run(&["apply", "--check", patch.to_str().unwrap()]);
                    let read = parse(&raw).unwrap();
                    let case = format!("{n} {changed:?} {what:?} {context} {added}");
                    if read.obstacle().is_some() {
                        n_refused += 1;
                        assert!(!applied.status.success(), "{case}");
                        assert_eq!(context, "0", "{case}");
                    } else if !applied.status.success() {
                        // A change of the first line that leaves out what follows looks like one of a file of one line.
                        assert!(read.doubt().is_some() || changed[0] == 1, "{case}");
                    } else if context != "0" {
                        assert_eq!(read.doubt(), None, "{case}");
                    }
                }
            }
        }
    }
    assert!(n_refused > 20, "{n_refused}");
}

#[test]
fn mails_keep_their_commits_through_a_series() {
    let source = Repository::changed();
    // The message holds a line that starts a mail: git's own mailbox of it cannot be split again, ours can.
    let first = source.git(&["format-patch", "--stdout", "-1", "HEAD~1"]);
    let second = source.git(&["format-patch", "--stdout", "-1", "HEAD"]);
    let mailbox = series(&[made("a", &first), made("b", &second)]).unwrap();
    let target = Repository::base();
    target.am(&mailbox);
    assert_eq!(target.tree(), source.tree());
    let log = |repository: &Repository| repository.text(&["log", "--format=%an %ae %ad %s", "-2"]);
    assert_eq!(log(&target), log(&source));
    let body = target.text(&["log", "--format=%b", "-1", "HEAD~1"]);
    assert_eq!(
        body,
        "From here on the copy is bounded.\nFrom zoe Mon Sep 17 00:00:00 2001\nEnd."
    );
    let read = parse(&mailbox).unwrap();
    assert_eq!(read.commits.len(), 2);
    assert_eq!(read.commits[1].subject, "Write text");
    assert_eq!(read.commits[1].author_name, "Zoë Müller");
}

#[test]
fn plain_diffs_become_commits_that_git_applies() {
    let source = Repository::changed();
    let first = source.git(&["diff", "--binary", "HEAD~2", "HEAD~1"]);
    for second in [
        &["diff", "HEAD~1", "HEAD"][..],
        &[
            "-c",
            "core.quotePath=false",
            "diff",
            "--no-prefix",
            "HEAD~1",
            "HEAD",
        ],
        &["diff", "-U0", "--no-prefix", "HEAD~1", "HEAD"],
    ] {
        // Without context git am wants an option that nobody would give; those are only written and read.
        let without_context = second.contains(&"-U0");
        let second = source.git(second);
        let patches = [
            made("Bound the copy, größer als vorher", &first),
            made("[docs] Write =?UTF-8?q?text", &second),
        ];
        let mailbox = series(&patches).unwrap();
        assert_eq!(mailbox, series(&patches).unwrap());
        assert_eq!(parse(&mailbox).unwrap().commits.len(), 2);
        if without_context {
            continue;
        }
        let target = Repository::base();
        target.am(&mailbox);
        assert_eq!(target.tree(), source.tree());
        assert_eq!(target.read("windows.txt"), b"one\r\nTWO\r\nthree\r\n");
        let head = target.text(&["log", "--format=%an|%ae|%at|%s", "-1", "HEAD~1"]);
        assert_eq!(
            head,
            "O'Neil, Zoë Z|zoe@example.org|1700000000|Bound the copy, größer als vorher"
        );
        let body = target.text(&["log", "--format=%b", "-1"]);
        assert!(body.ends_with("--- not a diff\n+++ not a diff"), "{body}");
        // A second pass through Holdpoint changes nothing of it.
        let again = series(&[made("unused", &mailbox)]).unwrap();
        let target = Repository::base();
        target.am(&again);
        assert_eq!(target.tree(), source.tree());
    }
}

#[test]
fn a_diff_without_prefixes_gets_them_for_renames_binaries_and_deletions() {
    let source = Repository::changed();
    let raw = source.git(&["diff", "--binary", "--no-prefix", "HEAD~2", "HEAD"]);
    let target = Repository::base();
    target.am(&series(&[made("All of it", &raw)]).unwrap());
    assert_eq!(target.tree(), source.tree());
}

#[test]
fn a_diff_of_the_diff_program_is_applied_too() {
    let source = Repository::base();
    let raw = b"--- src/copy.c.orig\t2024-05-01 10:00:00 +0200\n+++ src/copy.c\t2024-05-01 10:00:00 +0200\n@@ -1,3 +1,3 @@\n line 1\n-line 2\n+LINE 2\n line 3\n--- gone.txt\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n";
    source.am(&series(&[made("Plain", raw)]).unwrap());
    assert!(source.read("src/copy.c").starts_with(b"line 1\nLINE 2\n"));
    assert!(!Path::new(&source.0.path().join("gone.txt")).exists());
}

#[test]
fn a_message_with_lines_like_a_mail_stays_one_commit() {
    let source = Repository::changed();
    let raw = source.git(&["diff", "--binary", "HEAD~2", "HEAD"]);
    let patch = SeriesPatch {
        body: "From zoe Mon Sep 17 00:00:00 2001\nSubject: other\n\nFrom here on.\n-- \nGone?",
        ..made("One", &raw)
    };
    let target = Repository::base();
    target.am(&series(&[patch]).unwrap());
    assert_eq!(target.text(&["rev-list", "--count", "HEAD"]), "2");
    let body = target.text(&["log", "--format=%b", "-1"]);
    assert!(
        body.starts_with("From zoe Mon Sep 17 00:00:00 2001\n"),
        "{body}"
    );
    assert!(body.ends_with("Gone?"), "{body}");
    assert_eq!(target.tree(), source.tree());
}

#[test]
fn blob_ids_tell_whether_it_applies_as_git_does() {
    let repository = Repository::changed();
    let whole = parse(&repository.git(&["diff", "HEAD~2", "HEAD"])).unwrap();
    assert_eq!(repository.applies(&whole, "HEAD~2"), Applies::Yes);
    assert!(matches!(
        repository.applies(&whole, "HEAD"),
        Applies::No { .. }
    ));
    let last = parse(&repository.git(&["format-patch", "--stdout", "-1", "HEAD"])).unwrap();
    assert_eq!(repository.applies(&last, "HEAD~1"), Applies::Yes);
    assert_eq!(repository.applies(&last, "HEAD~2"), Applies::Yes);
    let Applies::No {
        path,
        expected,
        found,
    } = repository.applies(&last, "HEAD")
    else {
        panic!("it would apply twice")
    };
    assert_eq!(path, "Größe/ärger \"quoted\".txt");
    assert_ne!(expected, found);
    let both = parse(&repository.git(&["log", "-p", "--reverse", "-2"])).unwrap();
    assert_eq!(repository.applies(&both, "HEAD~2"), Applies::Yes);
}

#[test]
fn a_finding_is_touched_where_git_changed_its_line() {
    let repository = Repository::changed();
    let patch = parse(&repository.git(&["diff", "HEAD~2", "HEAD"])).unwrap();
    for (line, is_touched) in [
        (11, false),
        (12, true),
        (13, false),
        (49, false),
        (50, true),
    ] {
        let touch = touches(&patch, "src/copy.c", Some(line), None);
        assert_eq!(matches!(touch, Touch::Lines { .. }), is_touched, "{line}");
        assert_ne!(touch, Touch::No);
    }
    assert!(matches!(
        touches(&patch, "gone.txt", Some(2), None),
        Touch::Lines { .. }
    ));
    assert!(matches!(
        touches(&patch, "logo.bin", Some(1), None),
        Touch::File { .. }
    ));
    assert_eq!(touches(&patch, "README.md", Some(1), None), Touch::No);
}

/// Edits of the lines of a file, of which those are known that are asked for.
fn edits<'a>(path: &'a str, text: &'a str, known: &[u32], edits: &[Edit<'a>]) -> FileEdits<'a> {
    let lines = (1..).zip(text.split_inclusive('\n'));
    FileEdits {
        path,
        known: lines.filter(|(line, _)| known.contains(line)).collect(),
        edits: edits.to_vec(),
    }
}

fn at(start: (u32, Option<u32>), end: (u32, Option<u32>), inserted: &str) -> Edit<'_> {
    Edit {
        start_line: Some(start.0),
        start_column: start.1,
        end_line: Some(end.0),
        end_column: end.1,
        inserted,
    }
}

#[test]
fn git_applies_a_diff_that_was_made_of_edits() {
    let text: String = (1..=60).map(|number| format!("line {number}\n")).collect();
    let changes = [
        at((1, Some(1)), (1, Some(1)), "first\n"),
        at((12, Some(1)), (12, Some(5)), "LINE"),
        at((30, Some(1)), (32, Some(1)), ""),
        at((40, Some(7)), (41, Some(1)), " and "),
        at((60, None), (60, None), "last\nof all"),
    ];
    let expected = text
        .replace("line 1\n", "first\nline 1\n")
        .replace("line 12\n", "LINE 12\n")
        .replace("line 30\nline 31\n", "")
        .replace("line 40\nline 41\n", "line 4 and line 41\n")
        .replace("line 60\n", "last\nof all\n");
    let all: Vec<u32> = (1..=60).collect();
    for (known, options) in [
        (&[12, 30, 31, 40, 41, 60][..], &["--unidiff-zero"][..]),
        (&all, &[]),
        (&all, &["--unidiff-zero"]),
    ] {
        let made = diff(&[edits("src/copy.c", &text, known, &changes)]).unwrap();
        let repository = Repository::base();
        repository.write("the.patch", made.text.as_bytes());
        let args = [&["apply"][..], options, &["the.patch"]].concat();
        let check = [&["apply", "--check"][..], options, &["the.patch"]].concat();
        repository.git(&check);
        repository.git(&args);
        assert_eq!(
            String::from_utf8(repository.read("src/copy.c")).unwrap(),
            expected
        );
    }
}

#[test]
fn git_refuses_a_made_diff_where_the_file_has_another_line() {
    let repository = Repository::base();
    let other = "line one\n";
    let made = diff(&[edits(
        "src/copy.c",
        other,
        &[1],
        &[at((1, None), (1, None), "x")],
    )])
    .unwrap();
    repository.write("the.patch", made.text.as_bytes());
    let output = repository.run(&["apply", "--unidiff-zero", "--check", "the.patch"]);
    assert!(!output.status.success());
}

#[test]
fn git_am_takes_a_made_diff_whose_changes_have_a_line_after_them() {
    let text: String = (1..=60).map(|number| format!("line {number}\n")).collect();
    for (known, lacks) in [(&[20, 21][..], false), (&[19, 20], true)] {
        let change = at((20, Some(1)), (20, Some(5)), "LINE");
        let made = diff(&[edits("src/copy.c", &text, known, &[change])]).unwrap();
        assert_eq!(made.lacks_context, lacks);
        let mailbox = series(&[SeriesPatch {
            subject: "Shout",
            body: "",
            author_name: "Ana",
            author_email: "ana@example.org",
            unix_seconds: 1_700_000_000,
            raw: made.text.as_bytes(),
        }])
        .unwrap();
        let repository = Repository::base();
        repository.write("series.mbox", &mailbox);
        let output = repository.run(&["am", "-q", "series.mbox"]);
        assert_eq!(output.status.success(), !lacks, "{output:?}");
    }
}

#[test]
fn git_applies_edits_of_odd_files() {
    let repository = Repository::base();
    let (windows, no_end) = ("one\r\ntwo\r\nthree\r\n", "a\nb");
    let name = "Gr\u{f6}\u{df}e/\u{e4}rger \"quoted\".txt";
    let made = diff(&[
        edits(
            "windows.txt",
            windows,
            &[1, 2, 3],
            &[at((2, Some(1)), (2, None), "TWO")],
        ),
        edits(
            "no end.txt",
            no_end,
            &[1, 2],
            &[at((2, None), (2, None), "B")],
        ),
        edits(name, "ä\nö\n", &[1, 2], &[at((2, None), (2, None), "Ö")]),
    ])
    .unwrap();
    repository.write("the.patch", made.text.as_bytes());
    repository.git(&["apply", "the.patch"]);
    assert_eq!(repository.read("windows.txt"), b"one\r\nTWO\r\nthree\r\n");
    assert_eq!(repository.read("no end.txt"), b"a\nB");
    assert_eq!(repository.read(name), "ä\nÖ\n".as_bytes());
}

/// A diff that makes one file.
fn making(path: &str) -> String {
    format!(
        "diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+made\n"
    )
}

/// Mails in which what is shown could be another text than what `git am` reads.
fn hostile_mails() -> Vec<(String, Vec<u8>)> {
    let hidden = base64::engine::general_purpose::STANDARD.encode(making("evil.sh"));
    let wrapped: Vec<String> = hidden
        .as_bytes()
        .chunks(30)
        .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
        .collect();
    let quoted = making("evil.sh")
        .replace("diff", "=64iff")
        .replace("+++", "=2B=2B=2B");
    let good = making("a.txt");
    let multipart = format!(
        "--x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{hidden}\n--x\nContent-Type: text/plain\n\n{good}\n--x--\n"
    );
    let heads = [
        "Content-Transfer-Encoding: base64",
        "CONTENT-TRANSFER-ENCODING: BASE64",
        "content-transfer-encoding:\n base64",
        "Content-Transfer-Encoding: x-base64",
        "Content-Transfer-Encoding: base64 (words)",
        "Content-Transfer-Encoding: =?utf-8?q?base64?=",
        "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 8bit",
        "X_Odd: 1\nContent-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Transfer-Encoding: quoted-printable\nContent-Transfer-Encoding: 8bit",
        "Content-Transfer-Encoding: 8bit",
        "Content-Type: multipart/mixed; boundary=x",
        "Content-Type: text/plain; boundary=x",
        "Content-Type: multipart/mixed;\n\tBOUNDARY=\"x\"",
        "Content-Type: text/plain; charset=UTF-8\nContent-Type: multipart/mixed; boundary=x",
        "Content-Type: text/plain; format=flowed; delsp=yes",
        "X-Plain: 1",
    ];
    let bodies = [
        format!("{hidden}\n\n{good}"),
        format!("{hidden}\n{good}"),
        format!("{good}\n{hidden}\n"),
        format!("{}\n\n{good}", wrapped.join("\n")),
        format!("YQ==\n{hidden}\n\n{good}"),
        format!("{hidden}\n"),
        format!("{}\n", wrapped.join("\n")),
        format!("message\n---\n{quoted}\n{good}"),
        format!("message\n---\n=ZZ\n{quoted}\n{good}"),
        format!("message\n---\n{good}"),
        format!(
            "message\n---\n{good}From x Mon Sep 17 00:00:00 2001\nX_Odd: 1\nContent-Transfer-Encoding: base64\n\n{hidden}\n"
        ),
        multipart,
    ];
    let starts = [
        "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nDate: Mon, 17 Sep 2001 00:00:00 +0000\nSubject: [PATCH] x\n",
        "From: A <a@example.org>\nDate: Mon, 17 Sep 2001 00:00:00 +0000\nSubject: [PATCH] x\n",
        "Subject: [PATCH] x\nDate: Mon, 17 Sep 2001 00:00:00 +0000\n",
    ];
    let mut mails = Vec::new();
    for start in starts {
        for head in heads {
            for body in &bodies {
                let mail = format!("{start}{head}\n\n{body}");
                mails.push((mail.clone(), mail.clone().into_bytes()));
                let windows = mail.replace('\n', "\r\n");
                mails.push((windows.clone(), windows.into_bytes()));
            }
        }
    }
    mails
}

/// The files that `git am` makes of these bytes; nothing where it refuses them.
fn made_by_am(target: &Repository, bytes: &[u8]) -> Vec<String> {
    let outside = TempDir::new().unwrap();
    let file = outside.path().join("mail");
    fs::write(&file, bytes).unwrap();
    let mut files = Vec::new();
    if target
        .run(&["am", "-q", file.to_str().unwrap()])
        .status
        .success()
    {
        let made = target.text(&["diff", "--name-only", "start", "HEAD"]);
        files = made.lines().map(str::to_owned).collect();
    } else {
        let _ = target.run(&["am", "--abort"]);
    }
    target.git(&["reset", "-q", "--hard", "start"]);
    files
}

#[test]
fn what_git_makes_of_a_mail_is_what_is_shown_of_it() {
    let target = Repository::base();
    target.git(&["tag", "start"]);
    let (mut n_read, mut n_made) = (0, 0);
    for (name, bytes) in hostile_mails() {
        let Ok(patch) = parse(&bytes) else { continue };
        n_read += 1;
        let mut shown: Vec<_> = patch
            .files
            .iter()
            .map(|file| file.path().to_owned())
            .collect();
        shown.sort();
        let files = made_by_am(&target, &bytes);
        n_made += usize::from(!files.is_empty());
        assert!(
            files.is_empty() || files == shown,
            "shown {shown:?}, made {files:?}:\n{name}"
        );
        let again = series(&[made("x", &bytes)]).unwrap();
        let files = made_by_am(&target, &again);
        assert!(
            files.is_empty() || files == shown,
            "shown {shown:?}, series made {files:?}:\n{name}"
        );
    }
    assert!(n_read > 20 && n_made > 10, "{n_read} read, {n_made} made");
}

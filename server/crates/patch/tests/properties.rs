//! What holds for all input.

use holdpoint_patch::{LineKind, SeriesPatch, parse, series, side_by_side, touches};
use proptest::prelude::*;
use similar::{ChangeTag, TextDiff};

const RENAME: &[u8] = include_bytes!("../testdata/rename-binary-mode.patch");
const MAILS: &[u8] = include_bytes!("../testdata/two-commits.mbox");

fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(""),
        Just("a"),
        Just("b"),
        Just("--- x"),
        Just("+++ y"),
        Just("@@ -1 +1 @@"),
        Just("-- "),
        Just("diff --git a/x b/x"),
        Just("From 1 Mon Sep 17 00:00:00 2001"),
        Just("é\r"),
        Just(" "),
        Just("="),
    ];
    (proptest::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, ended)| {
        let mut text = lines.join("\n");
        if ended && !text.is_empty() {
            text.push('\n');
        }
        text
    })
}

/// Writes a unified diff; the numbers of lines added and removed come with it. The crate that finds the differences also
/// writes them, but some of its hunk headers announce other counts than its hunks have.
fn diff(old: &str, new: &str, context: usize) -> (String, usize, usize) {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let differences = TextDiff::from_slices(&old, &new);
    let changes: Vec<(ChangeTag, &str)> = differences
        .iter_all_changes()
        .map(|change| (change.tag(), change.value()))
        .collect();
    let is_near = |at: usize| {
        let from = at.saturating_sub(context);
        let to = (at + context + 1).min(changes.len());
        changes[from..to]
            .iter()
            .any(|(tag, _)| *tag != ChangeTag::Equal)
    };
    let mut written = "--- a/dir/file\n+++ b/dir/file\n".to_owned();
    let (mut old_line, mut new_line, mut at) = (0, 0, 0);
    while at < changes.len() {
        if !is_near(at) {
            (old_line, new_line, at) = (old_line + 1, new_line + 1, at + 1);
            continue;
        }
        let (mut n_old, mut n_new, mut lines) = (0, 0, String::new());
        while at < changes.len() && is_near(at) {
            let (tag, text) = changes[at];
            lines.push(match tag {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            lines.push_str(text);
            if !text.ends_with('\n') {
                lines.push_str("\n\\ No newline at end of file\n");
            }
            n_old += usize::from(tag != ChangeTag::Insert);
            n_new += usize::from(tag != ChangeTag::Delete);
            at += 1;
        }
        let start = |line: usize, lines: usize| if lines == 0 { line } else { line + 1 };
        let (old_start, new_start) = (start(old_line, n_old), start(new_line, n_new));
        let header = format!("@@ -{old_start},{n_old} +{new_start},{n_new} @@\n");
        written.push_str(&header);
        written.push_str(&lines);
        (old_line, new_line) = (old_line + n_old, new_line + n_new);
    }
    let count = |wanted| changes.iter().filter(|(tag, _)| *tag == wanted).count();
    (written, count(ChangeTag::Insert), count(ChangeTag::Delete))
}

fn with(raw: &[u8]) -> SeriesPatch<'_> {
    SeriesPatch {
        subject: "Bound the copy",
        body: "",
        author_name: "Ana",
        author_email: "ana@example.org",
        unix_seconds: 1_700_000_000,
        raw,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_text_of_diff_words_makes_anything_panic(words in proptest::collection::vec(prop_oneof![
        Just("diff --git a/x b/x\n"), Just("diff --git "), Just("--- a/x\n"), Just("+++ b/x\n"), Just("--- /dev/null\n"),
        Just("@@ -1 +1 @@\n"), Just("@@ -4294967295,2 +4294967295,2 @@ f\n"), Just("@@ -0,0 +1 @@\n"), Just("-a\n"), Just("+b\n"),
        Just(" c\n"), Just("\\ No newline\n"), Just("\n"), Just("GIT binary patch\n"), Just("literal 3\n"), Just("Kcmb\n"),
        Just("index 1234567..89abcde 100644\n"), Just("rename from x\n"), Just("rename to y\n"), Just("new file mode 100644\n"),
        Just("deleted file mode 100644\n"), Just("old mode 100644\n"), Just("new mode 100755\n"), Just("\""), Just("\\3"), Just("\r\n"),
        Just("From 1 Mon Sep 17 00:00:00 2001\n"), Just("From: A <a@b>\n"), Just("Subject: =?UTF-8?q?=?=\n"), Just("---\n"), Just("-- \n"),
        Just("Content-Transfer-Encoding: quoted-printable\n"), Just("Content-Transfer-Encoding: base64\n"), Just("=3"),
    ], 0..24)) {
        let raw = words.concat();
        if let Ok(patch) = parse(raw.as_bytes()) {
            for hunk in patch.files.iter().flat_map(|file| &file.hunks) {
                prop_assert!(side_by_side(hunk).len() <= hunk.lines.len());
            }
            touches(&patch, "x", Some(1), Some(u32::MAX));
            holdpoint_patch::applies(&patch, |_| Some("1234567".to_owned()));
            let _ = series(&[with(raw.as_bytes())]);
        }
    }

    #[test]
    fn a_damaged_patch_makes_nothing_panic(at in 0_usize..4000, byte in any::<u8>(), cut in any::<bool>()) {
        for whole in [RENAME, MAILS] {
            let mut raw = whole.to_vec();
            let at = at % raw.len();
            if cut { raw.truncate(at); } else { raw[at] = byte; }
            if let Ok(patch) = parse(&raw) {
                touches(&patch, "src/copy.c", Some(3), None);
                let _ = series(&[with(&raw)]);
            }
        }
    }

    #[test]
    fn a_written_diff_reads_back_with_the_same_counts(old in text(), new in text(), context in 0_usize..5) {
        prop_assume!(old != new);
        let (written, inserted, deleted) = diff(&old, &new, context);
        let patch = parse(written.as_bytes()).unwrap();
        prop_assert_eq!(patch.files.len(), 1);
        prop_assert_eq!(patch.n_added(), inserted);
        prop_assert_eq!(patch.n_removed(), deleted);
        let old_lines: Vec<&str> = old.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line)).collect();
        let new_lines: Vec<&str> = new.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line)).collect();
        for line in patch.files[0].hunks.iter().flat_map(|hunk| &hunk.lines) {
            if let Some(number) = line.old_line {
                prop_assert_eq!(old_lines[number as usize - 1], &line.text);
            }
            if let Some(number) = line.new_line {
                prop_assert_eq!(new_lines[number as usize - 1], &line.text);
            }
            if line.kind == LineKind::Remove {
                let touch = touches(&patch, "dir/file", line.old_line, None);
                let is_lines = matches!(touch, holdpoint_patch::Touch::Lines { .. });
                prop_assert!(is_lines);
            }
        }
    }

    #[test]
    fn a_series_reads_back_as_the_same_files(old in text(), new in text()) {
        prop_assume!(old != new);
        let (written, _, _) = diff(&old, &new, 3);
        let before = parse(written.as_bytes()).unwrap();
        let mailed = series(&[with(written.as_bytes()), with(MAILS)]).unwrap();
        let after = parse(&mailed).unwrap();
        prop_assert_eq!(after.commits.len(), 3);
        prop_assert_eq!(&after.commits[0].subject, "Bound the copy");
        prop_assert_eq!(&after.files[0].hunks, &before.files[0].hunks);
        let again = series(&[with(&mailed)]).unwrap();
        prop_assert_eq!(parse(&again).unwrap(), after);
    }
}

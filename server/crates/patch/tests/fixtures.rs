//! What is read from whole files, as snapshots.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test stops it where something is not as expected"
)]

use std::fmt::Write as _;

use holdpoint_patch::{ChangeKind, PatchFile, SeriesPatch, parse, rows, series};

/// The patch in a form that a person can compare with the file.
fn told(patch: &PatchFile) -> String {
    let mut out = String::new();
    for commit in &patch.commits {
        writeln!(out, "commit {commit:?}").unwrap();
    }
    for file in &patch.files {
        writeln!(
            out,
            "{:?} {:?} -> {:?} commit {:?} blobs {:?} -> {:?} modes {:?} -> {:?} +{} -{}{}",
            file.kind,
            file.old_path,
            file.new_path,
            file.commit,
            file.old_blob,
            file.new_blob,
            file.old_mode,
            file.new_mode,
            file.n_added(),
            file.n_removed(),
            if file.has_binary_content {
                " with content"
            } else {
                ""
            },
        )
        .unwrap();
        for hunk in &file.hunks {
            writeln!(out, "  hunk {:?}", hunk.section).unwrap();
            for row in rows(hunk) {
                let number =
                    |line: Option<u32>| line.map_or(String::new(), |line| line.to_string());
                writeln!(
                    out,
                    "  {:>4} {:>4} {}{:?}{}",
                    number(row.old_line),
                    number(row.new_line),
                    row.marker,
                    row.text,
                    if row.no_newline { " no newline" } else { "" }
                )
                .unwrap();
            }
        }
    }
    out
}

#[test]
fn a_git_diff_with_renames_binaries_and_modes_is_read_whole() {
    let patch = parse(include_bytes!("../testdata/rename-binary-mode.patch")).unwrap();
    insta::assert_snapshot!(told(&patch));
}

#[test]
fn two_mails_are_two_commits() {
    let patch = parse(include_bytes!("../testdata/two-commits.mbox")).unwrap();
    insta::assert_snapshot!(told(&patch));
}

#[test]
fn a_diff_of_diff_u_is_read_with_its_times_and_names() {
    let patch = parse(include_bytes!("../testdata/diff-u.patch")).unwrap();
    insta::assert_snapshot!(told(&patch));
}

#[test]
fn a_plain_diff_becomes_a_mail() {
    let mail = series(&[SeriesPatch {
        subject: "Länge prüfen,\nbevor kopiert wird",
        body: "Why:\n\n--- this line is no diff\nFrom: nobody",
        author_name: "Zoë O'Neil, QA",
        author_email: "zoe@example.org",
        unix_seconds: 1_700_000_000,
        raw: include_bytes!("../testdata/diff-u.patch"),
    }])
    .unwrap();
    insta::assert_snapshot!(String::from_utf8(mail).unwrap());
}

#[test]
fn a_patch_read_from_json_again_is_the_same() {
    let patch = parse(include_bytes!("../testdata/two-commits.mbox")).unwrap();
    let json = serde_json::to_string(&patch).unwrap();
    assert_eq!(serde_json::from_str::<PatchFile>(&json).unwrap(), patch);
}

#[test]
fn a_patch_with_windows_line_ends_throughout_reads_as_without() {
    let unix = include_bytes!("../testdata/rename-binary-mode.patch");
    let windows = String::from_utf8(unix.to_vec())
        .unwrap()
        .replace('\n', "\r\n");
    assert_eq!(parse(windows.as_bytes()), parse(unix));
    let marked = [b"\xef\xbb\xbf", windows.as_bytes()].concat();
    assert_eq!(parse(&marked), parse(unix));
}

#[test]
fn carriage_returns_of_the_file_stay_in_its_lines() {
    let raw = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\r\n-two\r\n+TWO\r\n";
    let patch = parse(raw).unwrap();
    assert!(
        patch.files[0].hunks[0]
            .lines
            .iter()
            .all(|line| line.text.ends_with('\r'))
    );
}

#[test]
fn a_binary_change_without_content_is_shown_but_makes_no_series() {
    let raw = b"diff --git a/p.png b/p.png\nindex 1234567..89abcde 100644\nBinary files a/p.png and b/p.png differ\n";
    let patch = parse(raw).unwrap();
    assert_eq!(patch.files[0].kind, ChangeKind::Binary);
    let refused = series(&[SeriesPatch {
        subject: "New logo",
        body: "",
        author_name: "Ana",
        author_email: "ana@example.org",
        unix_seconds: 0,
        raw,
    }]);
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("p.png is changed without its binary content")
    );
}

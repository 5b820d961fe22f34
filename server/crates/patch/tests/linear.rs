//! Reading a patch takes time in proportion to its length, whatever is in it.

use holdpoint_hostile::{assert_all_linear, assert_linear};
use holdpoint_patch::parse;

/// The length that is compared with four times as much.
const BYTES: usize = 20_000;

const MAIL: &str = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: Ana <ana@example.org>\n";
const DIFF: &str = "diff --git a/f b/f\n--- a/f\n+++ b/f\n";

#[test]
fn any_text_is_refused_or_read_in_linear_time() {
    assert_all_linear(BYTES, |text| parse(text.as_bytes()).is_ok());
    assert_all_linear(BYTES, |text| {
        parse(format!("{MAIL}Subject: {text}\n\n{DIFF}@@ -1 +1 @@\n-a\n+b\n").as_bytes()).is_ok()
    });
    assert_all_linear(BYTES, |text| {
        let lines: String = text.lines().map(|line| format!("+{line}\n")).collect();
        let n = text.lines().count();
        parse(format!("{DIFF}@@ -0,0 +1,{n} @@\n{lines}").as_bytes()).is_ok()
    });
}

#[test]
fn what_only_patches_and_mails_have_is_read_in_linear_time() {
    let many = |piece: &'static str| move |bytes: usize| piece.repeat(bytes / piece.len() + 1);
    let mail = |head: &'static str, piece: &'static str| {
        move |bytes: usize| format!("{MAIL}{head}{}", piece.repeat(bytes / piece.len() + 1))
    };
    assert_linear(
        "hunks",
        BYTES,
        |n| format!("{DIFF}{}", many("@@ -1 +1 @@\n-a\n+b\n")(n)),
        |text| parse(text.as_bytes()).is_ok(),
    );
    assert_linear(
        "heads of hunks",
        BYTES,
        |n| format!("{DIFF}{}", many("@@ -1 +1 @@\n")(n)),
        |text| parse(text.as_bytes()).is_ok(),
    );
    assert_linear(
        "files",
        BYTES,
        |bytes| {
            (0..bytes / 60)
                .map(|at| format!("diff --git a/f{at} b/f{at}\n--- a/f{at}\n+++ b/f{at}\n@@ -1 +1 @@\n-a\n+b\n"))
                .collect()
        },
        |text| parse(text.as_bytes()).is_ok(),
    );
    for (name, make) in [
        (
            "the same file",
            many("diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"),
        ),
        ("heads of files", many("diff --git a/f b/f\n")),
        ("old names", many("--- a/f\n")),
        ("new names", many("+++ b/f\n")),
        ("modes", many("old mode 100644\nnew mode 100755\n")),
        ("renames", many("rename from a\nrename to b\n")),
        (
            "separators of mails",
            many("From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"),
        ),
        ("no end of a file", many("\\ No newline at end of file\n")),
        ("quoted names", many("--- \"a/\\303\\244\\\n")),
        (
            "binary patches",
            many("GIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n"),
        ),
        ("carriage returns", many("\r\n\r\r\n")),
    ] {
        assert_linear(name, BYTES, make, |text| parse(text.as_bytes()).is_ok());
    }
    for (name, make) in [
        ("continued headers", mail("Subject: a\n", " b\n")),
        ("headers", mail("", "X-A: b\n")),
        ("encoded words", mail("Subject: ", "=?utf-8?q?=41=42?= ")),
        (
            "encoded words never ended",
            mail("Subject: ", "=?utf-8?q?=41"),
        ),
        (
            "encoded words in base64",
            mail("Subject: ", "=?utf-8?b?QUJD?=\n "),
        ),
        (
            "a body in quoted-printable",
            mail("Content-Transfer-Encoding: quoted-printable\n\n", "=41=\n="),
        ),
        (
            "a body in base64",
            mail("Content-Transfer-Encoding: base64\n\n", "QUJD\n"),
        ),
        (
            "a body in another character set",
            mail(
                "Content-Type: text/plain; charset=iso-2022-jp\n\n",
                "\u{1b}$B",
            ),
        ),
        (
            "parts",
            mail("Content-Type: multipart/mixed; boundary=a\n\n", "--a\n\n"),
        ),
    ] {
        assert_linear(name, BYTES, make, |text| parse(text.as_bytes()).is_ok());
    }
}

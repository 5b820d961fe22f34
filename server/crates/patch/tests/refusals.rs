//! What is refused, and with which words.

use holdpoint_patch::{MAX_BYTES, Refusal, parse};

fn message(raw: &[u8]) -> String {
    parse(raw).expect_err("it was read").to_string()
}

#[test]
fn each_refusal_names_its_line_and_what_to_do() {
    let cases: [(&str, &[u8]); 17] = [
        ("empty", b""),
        ("blank", b" \n\n"),
        ("web page", b"\n<!DOCTYPE html>\n<html></html>\n"),
        ("prose", b"Please update the library.\n--- and thanks\n"),
        ("utf-16", b"\xff\xfed\0i\0f\0f\0"),
        ("zero byte", b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\0\n+b\n"),
        ("cut off", b"--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n"),
        ("cut off before the next file", b"--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\ndiff --git a/g b/g\n"),
        ("too long", b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-b\n+B\n+C\n"),
        ("no hunk", b"diff --git a/f b/f\n--- a/f\n+++ b/f\n"),
        ("no names", b"@@ -1 +1 @@\n-b\n+B\n"),
        ("bad hunk header", b"--- a/f\n+++ b/f\n@@ -1,x +1 @@\n-b\n+B\n"),
        ("nothing but a header", b"diff --git a/f b/f\nindex 1234567..89abcde 100644\n"),
        ("merge", b"diff --cc f\nindex 1234567,1234567..89abcde\n"),
        ("other name", b"diff --git a/f b/f\n--- a/g\n+++ b/f\n@@ -1 +1 @@\n-b\n+B\n"),
        ("leads out", b"--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-b\n+B\n"),
        ("into .git", b"diff --git a/.git/hooks/pre-commit b/.git/hooks/pre-commit\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/pre-commit\n@@ -0,0 +1 @@\n+x\n"),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|(name, raw)| format!("{name}: {}", message(raw)))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_path_out_of_the_repository_is_refused_wherever_it_stands() {
    for raw in [
        "--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-b\n+B\n",
        "--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+B\n",
        "diff --git a/x b/x\nsimilarity index 100%\nrename from x\nrename to ../x\n",
        "diff --git a/x b/x\nsimilarity index 100%\ncopy from .git/config\ncopy to x\n",
        "diff --git \"a/\\056\\056/x\" \"b/\\056\\056/x\"\nold mode 100644\nnew mode 100755\n",
    ] {
        let error = parse(raw.as_bytes()).expect_err(raw);
        assert!(
            matches!(error.reason, Refusal::UnsafePath { .. }),
            "{raw}: {error}"
        );
    }
}

#[test]
fn a_patch_over_the_limit_is_refused_by_its_size() {
    let error = parse(&vec![b'a'; MAX_BYTES + 1]).unwrap_err();
    assert!(matches!(error.reason, Refusal::TooLarge { .. }));
}

#[test]
fn very_many_short_lines_are_refused() {
    let mut raw = b"--- a/f\n+++ b/f\n@@ -0,0 +1,300000 @@\n".to_vec();
    raw.extend(b"+\n".repeat(300_000));
    let error = parse(&raw).unwrap_err();
    assert!(matches!(error.reason, Refusal::TooMany { .. }), "{error}");
}

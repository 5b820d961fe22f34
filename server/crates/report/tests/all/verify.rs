//! Signed reports and bundles: what verifies, and that nothing else does, by Holdpoint and by OpenSSH.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::sample::{audited, released, stored};
use holdpoint_report::{
    AllowedKeys, Facts, Member, SigningKey, bundle,
    bundle::BundleError,
    markdown, members,
    signing::{BUNDLE_NAMESPACE, PRINCIPAL, REPORT_NAMESPACE},
    verify_bundle, verify_report,
    verifying::{CheckOutcome, Limits, Verification},
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

fn key() -> SigningKey {
    SigningKey::from_seed(&[42; 32], "Holdpoint at Example")
}

fn keys() -> AllowedKeys {
    AllowedKeys::parse(&key().public_line()).unwrap()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands for a store that can fail"
)]
fn open(member: &Member) -> std::io::Result<Option<Cursor<Vec<u8>>>> {
    Ok(stored(&member.sha256).map(Cursor::new))
}

fn zipped(facts: &Facts) -> Vec<u8> {
    bundle(facts, &key(), open, Cursor::new(Vec::new()))
        .unwrap()
        .into_inner()
}

fn check(bytes: &[u8]) -> Verification {
    verify_bundle(Cursor::new(bytes), Some(&keys()), Limits::default())
}

/// Runs OpenSSH's own check over these bytes.
fn ssh_keygen_accepts(folder: &Path, report: &[u8]) -> bool {
    let mut child = Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-f",
            "allowed_signers",
            "-I",
            PRINCIPAL,
            "-n",
            REPORT_NAMESPACE,
        ])
        .args(["-s", "report.md.sig"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is not here: install the package openssh-client");
    // It stops reading when it has seen enough to refuse.
    let _ = child.stdin.take().unwrap().write_all(report);
    child.wait().unwrap().success()
}

#[test]
fn openssh_accepts_the_report_and_refuses_it_after_any_change() {
    let folder = tempfile::tempdir().unwrap();
    let report = markdown(released()).into_bytes();
    let signature = key().sign(REPORT_NAMESPACE, &report);
    std::fs::write(folder.path().join("report.md.sig"), &signature).unwrap();
    std::fs::write(
        folder.path().join("allowed_signers"),
        key().public_line() + "\n",
    )
    .unwrap();
    assert!(ssh_keygen_accepts(folder.path(), &report));

    let places = (0..report.len())
        .step_by(report.len() / 60)
        .chain([report.len() - 1]);
    for at in places {
        let mut changed = report.clone();
        changed[at] ^= 1;
        assert!(
            !ssh_keygen_accepts(folder.path(), &changed),
            "byte {at} was changed and OpenSSH accepts it"
        );
    }
    assert!(!ssh_keygen_accepts(
        folder.path(),
        &report[..report.len() - 1]
    ));
    assert!(!ssh_keygen_accepts(
        folder.path(),
        &[&report[..], b"\n"].concat()
    ));

    let other = SigningKey::from_seed(&[1; 32], "").public_line();
    std::fs::write(folder.path().join("allowed_signers"), other).unwrap();
    assert!(
        !ssh_keygen_accepts(folder.path(), &report),
        "another key is as good"
    );
}

#[test]
fn openssh_reads_the_private_key_file_and_signs_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, key().to_openssh()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let printed = Command::new("ssh-keygen")
        .args(["-l", "-f", "key"])
        .current_dir(folder.path())
        .output()
        .expect("ssh-keygen is not here: install the package openssh-client");
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains(&key().fingerprint()), "{printed}");
    std::fs::write(folder.path().join("text"), "text").unwrap();
    let status = Command::new("ssh-keygen")
        .args([
            "-q",
            "-Y",
            "sign",
            "-f",
            "key",
            "-n",
            REPORT_NAMESPACE,
            "text",
        ])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let signature = std::fs::read_to_string(folder.path().join("text.sig")).unwrap();
    assert!(verify_report(b"text", &signature, &keys()).verified());
}

#[test]
fn no_changed_byte_of_a_report_verifies() {
    let mut report = markdown(released()).into_bytes();
    let signature = key().sign(REPORT_NAMESPACE, &report);
    assert!(verify_report(&report, &signature, &keys()).verified());
    for at in 0..report.len() {
        report[at] ^= 0x20;
        assert!(
            !verify_report(&report, &signature, &keys()).verified(),
            "byte {at}"
        );
        report[at] ^= 0x20;
    }
    assert!(verify_report(&report, &signature, &keys()).verified());
}

#[test]
fn a_changed_signature_does_not_verify() {
    let report = markdown(released()).into_bytes();
    let signature = key().sign(REPORT_NAMESPACE, &report);
    for at in 0..signature.len() {
        let mut changed = signature.clone().into_bytes();
        if !changed[at].is_ascii_alphanumeric() {
            continue;
        }
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(
            !verify_report(&report, &changed, &keys()).verified(),
            "letter {at} of the signature"
        );
    }
    let for_bundle = key().sign(BUNDLE_NAMESPACE, &report);
    assert!(!verify_report(&report, &for_bundle, &keys()).verified());
}

#[test]
fn a_bundle_verifies_and_is_the_same_each_time() {
    let bytes = zipped(&released());
    let result = check(&bytes);
    assert!(result.verified(), "{result}");
    assert_eq!(result.signed_by, Some(key().fingerprint()));
    assert_eq!(bytes, zipped(&released().sorted()));
    let names: Vec<_> = contents(&bytes).into_keys().collect();
    for name in [
        "allowed_signers",
        "findings.csv",
        "findings.sarif",
        "log-head.json",
        "manifest.json",
        "manifest.json.sig",
        "patches/P-1.patch",
        "patches/P-2.patch",
        "report.json",
        "report.md",
        "report.md.sig",
    ] {
        assert!(
            names.iter().any(|n| n == name),
            "{name} is not in {names:?}"
        );
    }
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("evidence/"))
            .count(),
        3,
        "{names:?}"
    );
}

#[test]
fn a_bundle_without_given_keys_says_whose_it_claims_to_be() {
    let result = verify_bundle(Cursor::new(zipped(&released())), None, Limits::default());
    assert!(result.verified());
    assert_eq!(result.checks[0].outcome, CheckOutcome::Note);
    assert!(result.checks[0].what.contains(&key().fingerprint()));
}

#[test]
fn a_bundle_of_another_key_does_not_verify() {
    let other = SigningKey::from_seed(&[1; 32], "someone else");
    let bytes = bundle(&released(), &other, open, Cursor::new(Vec::new()))
        .unwrap()
        .into_inner();
    assert!(!check(&bytes).verified());
}

fn contents(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut entry = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().to_owned(), bytes)
        })
        .collect()
}

fn written<'a>(files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn any_changed_removed_or_added_file_of_a_bundle_shows() {
    let files = contents(&zipped(&released()));
    assert!(
        check(&written(&files)).verified(),
        "packing it again changes nothing"
    );
    for name in files.keys() {
        let mut changed = files.clone();
        let bytes = changed.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let result = check(&written(&changed));
        assert!(!result.verified(), "{name} was changed");
        assert_eq!(result.signed_by, None);

        let mut removed = files.clone();
        removed.remove(name);
        assert!(!check(&written(&removed)).verified(), "{name} was removed");
    }
    for name in ["evidence/extra", "x"] {
        let mut added = files.clone();
        added.insert(name.to_owned(), b"x".to_vec());
        let result = check(&written(&added));
        assert!(!result.verified(), "{name} was added");
        assert!(result.to_string().contains("was added"), "{result}");
    }
}

#[test]
fn no_changed_byte_of_a_bundle_goes_unseen_where_it_means_something() {
    let bytes = zipped(&released());
    let files = contents(&bytes);
    for at in (0..bytes.len()).step_by(211) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let result = check(&changed);
        // Times and attributes of the ZIP file's entries are nobody's statement; a verified bundle has the same files.
        if result.verified() {
            assert_eq!(contents(&changed), files, "byte {at}");
        }
    }
}

#[test]
fn hostile_zip_files_are_refused() {
    let files = contents(&zipped(&released()));
    for name in [
        "../x",
        "/x",
        "a/../x",
        "a\\x",
        "C:x",
        "a//x",
        "x\u{202e}",
        "",
    ] {
        let mut added = files.clone();
        added.insert(name.to_owned(), b"x".to_vec());
        assert!(!check(&written(&added)).verified(), "{name:?}");
    }
    let bytes = zipped(&released());
    for n in [0, 1, 21, 22, bytes.len() / 2, bytes.len() - 1] {
        assert!(!check(&bytes[..n]).verified(), "cut after {n} bytes");
    }
    assert!(
        !check(&[&bytes[..], b"x"].concat()).verified(),
        "something was added at the end"
    );
    assert!(
        !check(&[b"#!/bin/sh\n", &bytes[..]].concat()).verified(),
        "something was put before it"
    );
    let limits =
        |limits: Limits| verify_bundle(Cursor::new(&bytes), Some(&keys()), limits).verified();
    assert!(!limits(Limits {
        files: 3,
        ..Limits::default()
    }));
    assert!(!limits(Limits {
        total_bytes: 1_000,
        ..Limits::default()
    }));
    assert!(!limits(Limits {
        text_bytes: 100,
        ..Limits::default()
    }));
}

#[test]
fn a_file_named_twice_is_refused() {
    // The writer refuses it, so a name of the same length is put in its place afterwards.
    let files = contents(&zipped(&released()));
    let mut added = files.clone();
    added.insert("report.mx".to_owned(), b"another".to_vec());
    let mut bytes = written(&added);
    let at: Vec<_> = (0..bytes.len() - 9)
        .filter(|at| &bytes[*at..*at + 9] == b"report.mx")
        .collect();
    assert_eq!(at.len(), 2);
    for at in at {
        bytes[at + 8] = b'd';
    }
    assert!(!check(&bytes).verified());
}

#[test]
fn damaged_evidence_makes_no_bundle_and_lost_evidence_is_named() {
    let damaged = bundle(
        &released(),
        &key(),
        |_| Ok(Some(Cursor::new(b"other bytes".to_vec()))),
        Cursor::new(Vec::new()),
    );
    assert!(matches!(damaged, Err(BundleError::Damaged { .. })));

    let lost = members(&released()).remove(0);
    let without = |member: &Member| {
        if *member == lost {
            Ok(None)
        } else {
            open(member)
        }
    };
    let bytes = bundle(&released(), &key(), without, Cursor::new(Vec::new()))
        .unwrap()
        .into_inner();
    let result = check(&bytes);
    assert!(result.verified(), "{result}");
    assert!(
        result
            .checks
            .iter()
            .any(|c| c.outcome == CheckOutcome::Note && c.what.contains(&lost.path)),
        "{result}"
    );
}

#[test]
fn a_draft_has_no_bundle() {
    let result = bundle(&audited(), &key(), open, Cursor::new(Vec::new()));
    assert!(matches!(result, Err(BundleError::Draft)));
}

//! Signed reports and bundles: what verifies, and that nothing else does, by Holdpoint and by OpenSSH.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::sample::{audited, released, stored};
use holdpoint_report::{
    AllowedKeys, Contents, Facts, Member, SigningKey, bundle,
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

fn of(facts: &Facts, key: &SigningKey) -> Contents {
    let report = markdown(facts.clone());
    Contents {
        signature: key.sign(REPORT_NAMESPACE, report.as_bytes()).unwrap(),
        report,
        allowed_signers: key.public_line() + "\n",
        signed_at: facts.review.as_of,
        proofs: vec![("log/note".to_owned(), "a proof\n".to_owned())],
        facts: facts.clone(),
    }
}

fn zipped(facts: &Facts) -> Vec<u8> {
    bundle(of(facts, &key()), &key(), open, Cursor::new(Vec::new()))
        .unwrap()
        .into_inner()
}

/// A decided review of which there is little to say, with one file of evidence.
fn small() -> Facts {
    let mut facts = released();
    facts.findings.clear();
    facts.patches.clear();
    facts.sections.clear();
    facts.scans.clear();
    facts.deliverables.clear();
    facts.people.clear();
    facts.metadata.clear();
    facts.since = None;
    facts.verdict.reasons.clear();
    facts.verdict.waivers.clear();
    facts.items.retain(|item| !item.evidence.is_empty());
    facts.items.truncate(1);
    facts
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
    let signature = key().sign(REPORT_NAMESPACE, &report).unwrap();
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
    std::fs::write(&file, key().to_openssh().unwrap()).unwrap();
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
    assert!(verify_report("report.md", b"text", &signature, &keys()).verified());
}

#[test]
fn no_changed_byte_of_a_report_verifies() {
    let mut report = markdown(released()).into_bytes();
    let signature = key().sign(REPORT_NAMESPACE, &report).unwrap();
    assert!(verify_report("report.md", &report, &signature, &keys()).verified());
    for at in 0..report.len() {
        report[at] ^= 0x20;
        assert!(
            !verify_report("report.md", &report, &signature, &keys()).verified(),
            "byte {at}"
        );
        report[at] ^= 0x20;
    }
    assert!(verify_report("report.md", &report, &signature, &keys()).verified());
}

#[test]
fn a_changed_signature_does_not_verify() {
    let report = markdown(released()).into_bytes();
    let signature = key().sign(REPORT_NAMESPACE, &report).unwrap();
    for at in 0..signature.len() {
        let mut changed = signature.clone().into_bytes();
        if !changed[at].is_ascii_alphanumeric() {
            continue;
        }
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(
            !verify_report("report.md", &report, &changed, &keys()).verified(),
            "letter {at} of the signature"
        );
    }
    let for_bundle = key().sign(BUNDLE_NAMESPACE, &report).unwrap();
    assert!(!verify_report("report.md", &report, &for_bundle, &keys()).verified());
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
        "log/note",
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
    assert!(result.is_consistent());
    assert!(
        !result.verified(),
        "whoever made it could have made the key"
    );
    assert!(
        result
            .to_string()
            .contains("Consistent in itself, not proven")
    );
    assert_eq!(result.checks[0].outcome, CheckOutcome::Note);
    assert!(result.checks[0].what.contains(&key().fingerprint()));
}

#[test]
fn a_bundle_of_another_key_does_not_verify() {
    let other = SigningKey::from_seed(&[1; 32], "someone else");
    let contents = of(&released(), &other);
    let bytes = bundle(contents, &other, open, Cursor::new(Vec::new()))
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
    let again = check(&written(&files));
    assert!(!again.verified(), "it was packed by another program");
    assert!(again.to_string().contains("was packed anew"), "{again}");
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
fn no_byte_of_a_bundle_can_be_changed() {
    let mut bytes = zipped(&small());
    assert!(check(&bytes).verified(), "{}", check(&bytes));
    for at in 0..bytes.len() {
        bytes[at] ^= 1 << (at % 8);
        assert!(!check(&bytes).verified(), "byte {at}");
        bytes[at] ^= 1 << (at % 8);
    }
    assert!(check(&bytes).verified());
}

#[test]
fn nothing_can_be_put_before_behind_or_between_the_files_of_a_bundle() {
    let bytes = zipped(&small());
    let zip = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let directory = usize::try_from(zip.central_directory_start()).unwrap();
    let hidden = {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("evidence/hidden", SimpleFileOptions::default())
            .unwrap();
        zip.write_all(b"hidden").unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let ends = bytes.windows(4).position(|four| four == b"PK\x01\x02");
        bytes[..ends.unwrap()].to_vec()
    };
    let with = |at: usize, what: &[u8]| {
        let mut changed = bytes.clone();
        changed.splice(at..at, what.iter().copied());
        // A reader that believes the record at the end finds the directory again.
        let moved = u32::try_from(directory + if at <= directory { what.len() } else { 0 });
        let record = changed
            .windows(4)
            .rposition(|four| four == b"PK\x05\x06")
            .unwrap();
        changed[record + 16..record + 20].copy_from_slice(&moved.unwrap().to_le_bytes());
        changed
    };
    for at in [0, directory, bytes.len() - 22, bytes.len()] {
        for what in [&b"x"[..], &hidden] {
            assert!(!check(&with(at, what)).verified(), "{at}");
        }
    }
    let mut commented = bytes.clone();
    let end = commented.len();
    commented[end - 2] = 1;
    commented.push(b'x');
    assert!(!check(&commented).verified(), "a comment was added");
}

/// Where the directory at the end begins to say something of each entry, in order.
fn central_headers(bundle: &[u8]) -> Vec<usize> {
    let number = |at: usize, n: usize| {
        let bytes = bundle[at..at + n].iter().rev();
        bytes.fold(0_usize, |value, byte| value << 8 | usize::from(*byte))
    };
    let end = bundle.len() - 22;
    let mut at = number(end + 16, 4);
    let mut headers = Vec::new();
    while bundle[at..].starts_with(b"PK\x01\x02") {
        headers.push(at);
        at += 46 + number(at + 28, 2) + number(at + 30, 2) + number(at + 32, 2);
    }
    assert_eq!(headers.len(), number(end + 10, 2));
    headers
}

#[test]
fn a_size_that_both_headers_of_an_entry_say_wrongly_shows() {
    let whole = zipped(&small());
    assert!(check(&whole).verified());
    let headers = central_headers(&whole);
    for at in headers {
        let number = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap());
        let name_bytes = usize::from(u16::from_le_bytes([whole[at + 28], whole[at + 29]]));
        let name = String::from_utf8_lossy(&whole[at + 46..at + 46 + name_bytes]);
        let size = number(at + 24);
        let local = number(at + 42) as usize;
        // Of a local header, whose sizes are those of ZIP64.
        let in_extra = local + 30 + name_bytes + 4;
        for other in [size + 1, size - 1, 0] {
            let mut changed = whole.clone();
            changed[at + 24..at + 28].copy_from_slice(&other.to_le_bytes());
            changed[in_extra..in_extra + 8].copy_from_slice(&u64::from(other).to_le_bytes());
            let result = check(&changed);
            assert!(!result.verified(), "{name}, {other} for {size}: {result}");
        }
    }
}

#[test]
fn the_order_of_a_bundles_files_is_theirs() {
    let mut facts = small();
    let first = facts.items[0].evidence[0].clone();
    let mut second = first.clone();
    second.id = "another".to_owned();
    second.sha256 = crate::sample::sha256(NOTHING);
    facts.items[0].evidence = vec![first, second];
    let open = |member: &Member| {
        Ok(stored(&member.sha256)
            .or_else(|| Some(NOTHING.as_bytes().to_vec()))
            .map(Cursor::new))
    };
    let made = |facts: &Facts| {
        bundle(of(facts, &key()), &key(), open, Cursor::new(Vec::new()))
            .unwrap()
            .into_inner()
    };
    let forth = made(&facts);
    facts.items[0].evidence.reverse();
    assert_eq!(forth, made(&facts));
    assert!(check(&forth).verified(), "{}", check(&forth));
}

const NOTHING: &str = "nothing";

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
        of(&released(), &key()),
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
    let contents = of(&released(), &key());
    let bytes = bundle(contents, &key(), without, Cursor::new(Vec::new()))
        .unwrap()
        .into_inner();
    let result = check(&bytes);
    assert!(!result.verified(), "a verified bundle has all its files");
    assert!(
        result
            .checks
            .iter()
            .any(|c| c.outcome == CheckOutcome::Wrong && c.what.contains(&lost.path)),
        "{result}"
    );
}

#[test]
fn a_draft_has_no_bundle() {
    let contents = of(&audited(), &key());
    let result = bundle(contents, &key(), open, Cursor::new(Vec::new()));
    assert!(matches!(result, Err(BundleError::Draft)));
}

/// The commands that a report prints, line by line.
fn commands(report: &str) -> Vec<String> {
    let (_, how) = report.rsplit_once("## How to verify").unwrap();
    let mut commands: Vec<_> = how
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split_once("\n```").unwrap().0.to_owned())
        .collect();
    let named = how
        .split('`')
        .filter(|code| code.starts_with("holdpoint verify ") || code.starts_with("sha256sum "));
    commands.extend(named.map(str::to_owned));
    commands
}

/// Every OpenSSH that is to be had: the machine's own, and those that the variable names by path, one to each colon.
fn open_sshs() -> Vec<String> {
    let others = std::env::var("HOLDPOINT_TEST_SSH_KEYGEN").unwrap_or_default();
    let others = others.split(':').filter(|path| !path.is_empty());
    std::iter::once("ssh-keygen")
        .chain(others)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_commands_that_a_report_prints_verify_it_by_every_openssh() {
    let folder = tempfile::tempdir().unwrap();
    let contents = of(&released(), &key());
    let report = contents.report.clone();
    std::fs::write(folder.path().join("report.md"), &report).unwrap();
    std::fs::write(folder.path().join("report.md.sig"), &contents.signature).unwrap();
    let commands: Vec<_> = commands(&report)
        .into_iter()
        .filter(|command| command.starts_with("ssh-keygen "))
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let limited = key().public_line().replacen(
        " namespaces=",
        " valid-after=\"20260101Z\",valid-before=\"20260401Z\",namespaces=",
        1,
    );
    for program in open_sshs() {
        for (keys, of_line, runs) in [
            (key().public_line(), 0, true),
            (key().public_line(), 1, true),
            // The key's time is over, which is what the first command asks the moment for.
            (limited.clone(), 0, true),
            (limited.clone(), 1, false),
        ] {
            std::fs::write(folder.path().join("allowed_signers"), keys + "\n").unwrap();
            let command = commands[of_line].replacen("ssh-keygen", &program, 1);
            let output = Command::new("sh")
                .args(["-c", &command])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert_eq!(output.status.success(), runs, "{command}: {output:?}");
            let said = String::from_utf8(output.stdout).unwrap();
            let promised = format!("Good \"{REPORT_NAMESPACE}\" signature for {PRINCIPAL}");
            assert_eq!(said.starts_with(&promised), runs, "{command}: {said}");
            assert!(report.contains(&promised));
        }
    }
    let changed = report.replacen("Report", "Re-port", 1);
    std::fs::write(folder.path().join("report.md"), changed).unwrap();
    let output = Command::new("sh")
        .args(["-c", &commands[1]])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
}

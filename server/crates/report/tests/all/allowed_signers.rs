//! Lists of keys and armored signatures, judged side by side with OpenSSH's own `ssh-keygen -Y verify`.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use holdpoint_report::{
    AllowedKeys, SigningKey,
    signing::{PRINCIPAL, REPORT_NAMESPACE},
    verify_report,
};

const TEXT: &[u8] = b"a report\n";
/// 1 February 2026, noon.
const AT: i64 = 1_769_947_200_000;
const AT_WORD: &str = "20260201120000Z";

fn key() -> SigningKey {
    SigningKey::from_seed(&[42; 32], "Holdpoint at Example")
}

/// The type and blob of a key, without a comment.
fn blob(key: &SigningKey) -> String {
    let line = key.public_line();
    let (_, key) = line.split_once("\" ").unwrap();
    key.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn ssh_keygen_says(folder: &Path, keys: &str, signature: &str) -> bool {
    std::fs::write(folder.join("allowed_signers"), keys).unwrap();
    std::fs::write(folder.join("text.sig"), signature).unwrap();
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-f", "allowed_signers", "-I", PRINCIPAL])
        .args(["-n", REPORT_NAMESPACE, "-s", "text.sig"])
        .arg(format!("-Overify-time={AT_WORD}"))
        .env("TZ", "UTC")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is not here: install the package openssh-client");
    // It stops reading when it has seen enough to refuse.
    let _ = child.stdin.take().unwrap().write_all(TEXT);
    child.wait().unwrap().success()
}

fn holdpoint_says(keys: &str, signature: &str) -> bool {
    AllowedKeys::parse(keys)
        .is_ok_and(|keys| verify_report("report.md", TEXT, signature, &keys.at(AT)).verified())
}

/// Everything that a line can say, right and wrong, with whether it lets this key sign.
fn lines() -> Vec<(String, bool)> {
    let key = blob(&key());
    let other = blob(&SigningKey::from_seed(&[1; 32], ""));
    let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=";
    let mut cases = Vec::new();
    // Principals.
    for (principals, is_right) in [
        ("holdpoint", true),
        ("\"holdpoint\"", true),
        ("hold\"point\"", true),
        ("h*", true),
        ("*", true),
        ("h?ldp?int", true),
        ("someone,holdpoint", true),
        ("someone", false),
        ("Holdpoint", false),
        ("!holdpoint,*", false),
        ("*,!holdpoint", false),
        ("!someone,*", true),
        ("!someone", false),
        ("holdpoint,", true),
        (",holdpoint", true),
        ("*@example.org", false),
        ("\"a b,holdpoint\"", true),
        ("\"holdpoint", false),
    ] {
        cases.push((format!("{principals} {key}"), is_right));
    }
    cases.push((format!("{},holdpoint {key}", "x".repeat(1_022)), true));
    cases.push((format!("{},holdpoint {key}", "x".repeat(1_023)), false));
    // Options.
    for (options, is_right) in [
        ("namespaces=\"holdpoint-*\"", true),
        ("namespaces=\"holdpoint-report@v1\"", true),
        ("NAMESPACES=\"holdpoint-report@v?\"", true),
        ("namespaces=\"git,file\"", false),
        ("namespaces=\"*,!holdpoint-report@v1\"", false),
        ("namespaces=\"!git,*\"", true),
        ("namespaces=\"git, holdpoint-report@v1\"", false),
        ("namespaces=\"\"", false),
        ("namespaces=\"a\\\"b,holdpoint-*\"", true),
        ("namespaces=holdpoint-report@v1", false),
        ("namespaces=\"holdpoint-*", false),
        ("namespaces=\"*\",namespaces=\"*\"", false),
        ("valid-after=\"20260101\"", true),
        ("valid-after=\"20260201120000Z\"", true),
        ("valid-after=\"20260201120001Z\"", false),
        ("valid-before=\"20260201120000Z\"", true),
        ("valid-before=\"20260201115959Z\"", false),
        ("valid-before=\"202602011200UTC\"", true),
        ("valid-before=\"20260131\"", false),
        ("valid-after=\"20260131\",valid-before=\"20260301\"", true),
        ("valid-before=\"20260301\",namespaces=\"holdpoint-*\"", true),
        (
            "valid-before=\"20260301\" namespaces=\"holdpoint-*\"",
            false,
        ),
        ("valid-after=\"20260101\",valid-after=\"20260101\"", false),
        ("valid-after=\"2026-01-01\"", false),
        ("valid-after=\"20261301\"", false),
        ("valid-after=\"20251131\"", true),
        ("valid-after=\"20251232\"", false),
        ("valid-after=\"202512312460\"", false),
        ("valid-after=\"202512312359\"", true),
        ("valid-after=\"20251231235960\"", true),
        ("valid-after=\"\"", false),
        ("valid-after=20260101", false),
        ("valid-before=\"19700101Z\"", false),
        ("cert-authority", false),
        ("cert-authority,namespaces=\"holdpoint-*\"", false),
        ("no-touch-required", false),
        ("namespaces=\"holdpoint-*\",", false),
        (",namespaces=\"holdpoint-*\"", true),
        ("namespaces=\"holdpoint-*\",restrict", false),
        ("namespaces =\"holdpoint-*\"", false),
    ] {
        cases.push((format!("holdpoint {options} {key}"), is_right));
    }
    // White space and what stands behind.
    for (line, is_right) in [
        (format!("  holdpoint   {key}"), true),
        (format!("\tholdpoint\t{}", key.replace(' ', "\t")), true),
        (format!("holdpoint {key} a comment, with \"quotes\""), true),
        (format!("holdpoint {key}\r"), true),
        (format!("holdpoint {key} comment\r"), true),
        (
            format!("holdpoint  namespaces=\"holdpoint-*\"  {key}"),
            true,
        ),
        (format!("#holdpoint {key}"), false),
        (format!("holdpoint {}", key.replace(' ', "  ")), true),
        ("holdpoint".to_owned(), false),
        ("holdpoint ssh-ed25519".to_owned(), false),
        ("holdpoint ssh-ed25519 AAAA".to_owned(), false),
        (
            format!("holdpoint {}", key.replace("ssh-ed25519", "ssh-rsa")),
            false,
        ),
        (format!("holdpoint {key}x"), false),
        (format!("holdpoint {other}"), false),
        (String::new(), false),
        // Several lines: one that cannot be read is passed over.
        (format!("# keys\n\n  \n\r\nholdpoint {key}"), true),
        (format!("holdpoint {other}\nholdpoint {key}"), true),
        (format!("holdpoint {ecdsa}\nholdpoint {key}"), true),
        (format!("someone {other} x\nholdpoint {key}\nsomeone"), true),
        (format!("holdpoint {key}\nholdpoint nonsense"), true),
        (format!("holdpoint nonsense\nholdpoint {key}"), true),
        (format!("someone nonsense\nholdpoint {key}"), true),
        (format!("someone\nholdpoint {key}"), true),
        (
            format!("holdpoint cert-authority {key}\nholdpoint {key}"),
            true,
        ),
        (
            format!(
                "holdpoint valid-before=\"20260101\" {key}\nholdpoint valid-after=\"20260101\" {key}"
            ),
            true,
        ),
        (
            format!(
                "holdpoint namespaces=\"git\" {key}\nholdpoint namespaces=\"holdpoint-*\" {key}"
            ),
            true,
        ),
        (format!("!holdpoint,* {key}\nholdpoint {key}"), true),
    ] {
        cases.push((line, is_right));
    }
    cases
}

#[test]
fn lists_of_keys_are_judged_as_openssh_judges_them() {
    let folder = tempfile::tempdir().unwrap();
    let signature = key().sign(REPORT_NAMESPACE, TEXT).unwrap();
    let mut wrong = Vec::new();
    for (keys, is_right) in lines() {
        for end in ["", "\n"] {
            let keys = format!("{keys}{end}");
            let says = (
                holdpoint_says(&keys, &signature),
                ssh_keygen_says(folder.path(), &keys, &signature),
            );
            if says != (is_right, is_right) {
                wrong.push(format!("{keys:?}: (Holdpoint, OpenSSH) say {says:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn armored_signatures_are_read_as_openssh_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let keys = format!("holdpoint {}\n", blob(&key()));
    let signature = key().sign(REPORT_NAMESPACE, TEXT).unwrap();
    let body = signature
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with('-'));
    let body: String = body.collect();
    let long = format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n");
    let mut wrong = Vec::new();
    for (text, is_right) in [
        (signature.clone(), true),
        (signature.trim_end().to_owned(), true),
        (format!("{signature}\n"), true),
        (format!("{signature}\n\n \n"), true),
        (format!("{signature}anything"), true),
        (format!("\n{signature}"), false),
        (format!(" {signature}"), false),
        (format!("x{signature}"), false),
        (long.clone(), true),
        (long.replace("\n-----END", "-----END"), false),
        (signature.replace("\n-----END", "\n\n-----END"), true),
        (signature.replace("END SSH", "END ssh"), false),
        (signature.replace("BEGIN SSH", "BEGIN ssh"), false),
        (signature.replacen("U1NI", "U1N I", 1), true),
        (signature.replacen("U1NI", "U1N!", 1), false),
        (long.replacen(&body, &format!("{body}A"), 1), false),
        (long.replacen(&body, &body[..body.len() - 4], 1), false),
        (key().sign("git", TEXT).unwrap(), false),
        (
            key().sign(REPORT_NAMESPACE, b"another report\n").unwrap(),
            false,
        ),
        (String::new(), false),
    ] {
        let says = (
            holdpoint_says(&keys, &text),
            ssh_keygen_says(folder.path(), &keys, &text),
        );
        if says != (is_right, is_right) {
            wrong.push(format!("{text:?}: (Holdpoint, OpenSSH) say {says:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Newer versions of OpenSSH read this, older ones do not.
    assert!(holdpoint_says(&keys, &signature.replace('\n', "\r\n")));
}

#[test]
fn a_key_file_without_a_principal_is_a_list_of_one_key() {
    let signature = key().sign(REPORT_NAMESPACE, TEXT).unwrap();
    assert!(holdpoint_says(
        &format!("{} comment\n", blob(&key())),
        &signature
    ));
    let two = format!("{}\n{}\n", blob(&key()), blob(&key()));
    assert!(!holdpoint_says(&two, &signature));
}

#[test]
fn keys_that_are_valid_for_a_time_need_a_moment_to_be_asked_for() {
    let signature = key().sign(REPORT_NAMESPACE, TEXT).unwrap();
    let keys = format!("holdpoint valid-after=\"20260101\" {}", blob(&key()));
    let keys = AllowedKeys::parse(&keys).unwrap();
    let result = verify_report("report.md", TEXT, &signature, &keys);
    assert!(!result.verified());
    assert!(result.to_string().contains("--time"), "{result}");
    assert!(verify_report("report.md", TEXT, &signature, &keys.at(AT)).verified());
}

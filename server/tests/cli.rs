//! The real binary, as scripts use it: exit codes, what is on standard output, what is said.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may stop at the first surprise"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use holdpoint_domain::KeyPurpose;
use holdpoint_report::{
    KeyRing, SigningKey,
    signing::{LOG_NAMESPACE, REPORT_NAMESPACE},
};
use serde_json::{Value, json};

const SEED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/crates/checklist/testdata/phase22_production_readiness_audit.md"
);
const SARIF: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/crates/importers/testdata/sarif/everything.sarif"
);

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: Vec<u8>,
    said: String,
}

impl Ended {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that it was an error which says all of these words, with nothing on standard output.
    #[track_caller]
    fn is_error(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.text(), "", "an error leaves standard output alone");
        for word in words {
            assert!(self.said.contains(word), "{word}: {self:?}");
        }
    }
}

fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDPOINT_")) {
        command.env_remove(name);
    }
    let mut child = command
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever needs no input may have ended already.
    drop(child.stdin.take().unwrap().write_all(input));
    let ended = child.wait_with_output().unwrap();
    Ended {
        code: ended.status.code(),
        out: ended.stdout,
        said: String::from_utf8(ended.stderr).unwrap(),
    }
}

fn run(arguments: &[&str]) -> Ended {
    run_with(arguments, &[], b"")
}

fn is_safe_for_a_terminal(ended: &Ended) -> bool {
    let shown = format!("{}{}", ended.text(), ended.said);
    !shown
        .chars()
        .any(|c| c.is_control() && c != '\n' || c == '\u{202e}')
}

/// A folder for a test's files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn a_document_is_parsed_for_people_and_for_programs() {
    let json = run(&["checklist", "parse", SEED, "--json"]);
    assert_eq!((json.code, json.said.as_str()), (Some(0), ""));
    let document = json.json();
    assert_eq!(document["items"].as_array().unwrap().len(), 13);
    assert_eq!(document["deliverables"].as_array().unwrap().len(), 3);
    let text = run(&["checklist", "parse", SEED]);
    assert_eq!(text.code, Some(0));
    assert!(
        text.text()
            .contains("13 items in 5 sections, 3 deliverables"),
        "{}",
        text.text()
    );
    assert!(
        text.text().contains("[ ] 2.5.1  Critical Path Review"),
        "{}",
        text.text()
    );
    let piped = run_with(
        &["checklist", "parse", "-", "--json"],
        &[],
        &std::fs::read(SEED).unwrap(),
    );
    assert_eq!(piped.json(), document);
}

#[test]
fn ticking_changes_boxes_and_not_one_other_byte() {
    let source = std::fs::read(SEED).unwrap();
    assert_eq!(run(&["checklist", "tick", SEED]).out, source);
    let folder = Folder::new();
    let odd = "\u{feff}# X\r\n\r\n* [ ] a\r\n\t* [X] b\r\n\r\n1) [ ]\tc \u{1b}[1m";
    let file = folder.write("odd.md", odd);
    assert_eq!(run(&["checklist", "tick", &file]).out, odd.as_bytes());
    let parsed = run(&["checklist", "parse", &file, "--json"]).json();
    let keys: Vec<_> = parsed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["key"].as_str().unwrap())
        .collect();
    let mut arguments = vec!["checklist", "tick", file.as_str(), "--item"];
    arguments.extend(&keys);
    let ticked = run(&arguments);
    assert_eq!(ticked.text(), odd.replace("[ ]", "[x]"));
    let one = run(&["checklist", "tick", SEED, "--item", "2.5.1"]).out;
    assert_eq!(one.len(), source.len());
    assert_eq!(
        one.iter()
            .zip(&source)
            .filter(|(one, other)| one != other)
            .count(),
        1
    );
}

#[test]
fn a_wrong_key_file_or_document_is_an_error_that_names_it() {
    let folder = Folder::new();
    run(&["checklist", "tick", SEED, "--item", "9.9"]).is_error(&["\"9.9\"", "13 items"]);
    run(&["checklist", "parse", "/no/such.md"]).is_error(&["/no/such.md", "cannot be read"]);
    run(&["checklist", "parse", &folder.path("")]).is_error(&["cannot be read"]);
    let prose = folder.write("prose.md", "# Only\n\nprose\n");
    run(&["checklist", "parse", &prose]).is_error(&["prose.md", "item"]);
    run(&["checklist", "parse", &folder.write("b.md", b"- [ ] \xff")])
        .is_error(&["Line 1", "UTF-8"]);
    run(&["checklist", "parse", &folder.write("n.md", b"- [ ] a\0")]).is_error(&["NUL"]);
    run(&["checklist", "parse", SEED, "--tier", "Z"]).is_error(&["“Z”"]);
    run(&["checklist", "parse", SEED, "--reading", "tea-leaves"]).is_error(&["questionnaires"]);
    let large = folder.write("large.md", vec![b'x'; 4 * 1024 * 1024 + 1]);
    run(&["checklist", "parse", &large]).is_error(&["4194304 bytes"]);
    let table = folder.write(
        "t.md",
        "# Checklist\n\n| Item | Level A |\n|---|---|\n| Logs | x |\n",
    );
    let tiers = run(&[
        "checklist",
        "parse",
        &table,
        "--reading",
        "tables",
        "--tier",
        "Level A",
    ]);
    assert!(tiers.text().contains("Logs"), "{tiers:?}");
    run(&[
        "checklist",
        "tick",
        &table,
        "--item",
        "1.1",
        "--reading",
        "tables",
    ])
    .is_error(&["no"]);
}

#[test]
fn a_scanner_file_is_inspected_without_a_server() {
    let text = run(&["scan", "inspect", SARIF]);
    assert_eq!(text.code, Some(0), "{text:?}");
    assert!(text.text().starts_with("sarif: "), "{}", text.text());
    let report = run(&["scan", "inspect", SARIF, "--json"]).json();
    assert_eq!(report["format"], "sarif");
    let findings = report["findings"].as_array().unwrap();
    let counts = report["counts"].as_object().unwrap();
    let n: u64 = counts.values().map(|n| n.as_u64().unwrap()).sum();
    assert!(n > 0 && n == findings.len() as u64, "{counts:?}");
    for key in ["title", "severity", "status", "cve", "cwe", "aliases"] {
        assert!(findings[0].get(key).is_some(), "{key}");
    }
    assert!(report["problems"].is_array() && report["tool"]["name"].is_string());
    let piped = run_with(
        &["scan", "inspect", "-", "--json"],
        &[],
        &std::fs::read(SARIF).unwrap(),
    );
    assert_eq!(piped.json()["counts"], report["counts"]);
}

#[test]
fn a_file_that_is_no_scan_is_refused_with_what_was_expected() {
    let folder = Folder::new();
    let page = folder.write("scan.sarif", "<!DOCTYPE html><html>Sign in</html>");
    run(&["scan", "inspect", &page]).is_error(&["scan.sarif", "web page"]);
    run(&["scan", "inspect", &folder.write("e", "")]).is_error(&["empty"]);
    run(&["scan", "inspect", &folder.write("t", "hello")]).is_error(&["let the tool write SARIF"]);
    let whole = std::fs::read_to_string(SARIF).unwrap();
    let cut = folder.write("cut.sarif", &whole[..whole.len() / 2]);
    run(&["scan", "inspect", &cut]).is_error(&["line ", "cut off"]);
    run(&["scan", "inspect", SARIF, "--format", "nonesuch"]).is_error(&["\"nonesuch\"", "sarif"]);
    run(&["scan", "inspect", "/no/such"]).is_error(&["/no/such"]);
    run(&["scan", "inspect"]).is_error(&["Usage"]);
}

#[test]
fn nothing_in_a_file_steers_the_terminal() {
    let folder = Folder::new();
    let hostile = "x\u{1b}]0;pwned\u{7}\u{9b}2J\u{202e}y";
    let checklist = folder.write(
        "c.md",
        format!("# T {hostile}\n\n- [ ] {hostile}\n- [] {hostile}\n"),
    );
    for arguments in [
        &["checklist", "parse", &checklist][..],
        &["checklist", "parse", &checklist, "--json"],
        &["checklist", "tick", &checklist, "--item", hostile],
    ] {
        let ended = run(arguments);
        assert!(is_safe_for_a_terminal(&ended), "{arguments:?}: {ended:?}");
        assert!(
            ended.text().contains("pwned") || ended.said.contains("pwned"),
            "{ended:?}"
        );
    }
    let sarif = json!({ "version": "2.1.0", "runs": [{
        "tool": { "driver": { "name": hostile, "rules": [] } },
        "results": [{ "ruleId": hostile, "message": { "text": hostile }, "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": hostile } } }] }]
    }] });
    let scan = folder.write("s.sarif", sarif.to_string());
    for arguments in [
        &["scan", "inspect", &scan][..],
        &["scan", "inspect", &scan, "--json"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(is_safe_for_a_terminal(&ended), "{arguments:?}: {ended:?}");
    }
    let page = folder.write("p", format!("<html>{hostile}"));
    assert!(is_safe_for_a_terminal(&run(&["scan", "inspect", &page])));
    assert!(is_safe_for_a_terminal(&run(&["verify", hostile])));
}

#[test]
fn a_report_verifies_until_one_byte_is_changed() {
    let folder = Folder::new();
    let key = SigningKey::from_seed(&[7; 32], "holdpoint");
    let other = SigningKey::from_seed(&[8; 32], "holdpoint");
    let report = folder.write("report.md", "# Report\n");
    let keys = folder.write("keys", key.public_line());
    let verify = |more: &[&str]| run(&[&["verify", report.as_str()], more].concat());
    verify(&["--key", &keys]).is_error(&["signature", "report.md.sig"]);
    folder.write(
        "report.md.sig",
        key.sign(REPORT_NAMESPACE, b"# Report\n").unwrap(),
    );
    let unproven = verify(&[]);
    assert_eq!(unproven.code, Some(1));
    assert!(
        unproven.text().contains("Consistent in itself, not proven"),
        "{unproven:?}"
    );
    let json = verify(&["--json"]).json();
    assert_eq!(
        (&json["verified"], &json["consistent"]),
        (&json!(false), &json!(true))
    );
    let right = verify(&["--key", &keys]);
    assert_eq!(right.code, Some(0), "{right:?}");
    assert!(
        right.text().starts_with("ok ") && right.text().ends_with("Verified.\n"),
        "{right:?}"
    );
    let json = verify(&["--key", &keys, "--json"]).json();
    assert_eq!(
        (&json["verified"], &json["signed_by"]),
        (&json!(true), &json!(key.fingerprint()))
    );

    let strange = folder.write("strange", other.public_line());
    assert_eq!(verify(&["--key", &strange]).code, Some(1));
    // A moment says something about keys that are named alone; whoever gives it gets no answer to another question.
    verify(&["--time", "20260101"]).is_error(&["--time", "--key"]);
    let signature = folder.write("of-log", key.sign(LOG_NAMESPACE, b"# Report\n").unwrap());
    assert_eq!(
        verify(&["--key", &keys, "--signature", &signature]).code,
        Some(1)
    );
    let nonsense = folder.write("nonsense", "-----BEGIN SSH SIGNATURE-----\nAAAA\n");
    assert_eq!(
        verify(&["--key", &keys, "--signature", &nonsense]).code,
        Some(1)
    );
    verify(&["--key", &nonsense]).is_error(&["option --key", "nonsense"]);
    folder.write("report.md", "# report\n");
    let wrong = verify(&["--key", &keys]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(
        wrong.text().contains("WRONG") && wrong.text().ends_with("Not verified.\n"),
        "{wrong:?}"
    );
    // It is called as whoever asks calls it.
    let other = folder.write("of-others.md", "# report\n");
    let beside = format!("{report}.sig");
    let named = run(&["verify", &other, "--key", &keys, "--signature", &beside]);
    assert!(named.text().contains("of-others.md: "), "{named:?}");
    assert_eq!(
        verify(&["--key", &keys, "--json"]).json()["verified"],
        false
    );

    run(&["verify", "/no/such", "--key", &keys]).is_error(&["/no/such"]);
    let zip = folder.write("bundle.zip", "PK\u{3}\u{4} and nothing more");
    assert_eq!(run(&["verify", &zip]).code, Some(1));
    run(&["verify", &zip, "--signature", &nonsense]).is_error(&["--signature", "bundle"]);
}

/// What `holdpoint verify` ends with in a time zone, and whether `ssh-keygen` accepts the same there.
fn verified_in_zone(
    zone: &str,
    report: &str,
    signature: &str,
    keys: &str,
    time: &str,
) -> (Option<i32>, bool) {
    let ours = run_with(
        &["verify", report, "--key", keys, "--time", time],
        &[("TZ", zone)],
        b"",
    );
    let theirs = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-f", keys, "-I", "holdpoint"])
        .args(["-n", REPORT_NAMESPACE, "-s", signature])
        .arg(format!("-Overify-time={time}"))
        .env("TZ", zone)
        .stdin(std::fs::File::open(report).unwrap())
        .output()
        .expect("ssh-keygen is not here: install the package openssh-client");
    (ours.code, theirs.status.success())
}

#[test]
fn a_keys_time_is_judged_as_openssh_judges_it() {
    let folder = Folder::new();
    let key = SigningKey::from_seed(&[7; 32], "holdpoint");
    let line = key.public_line();
    let (_, blob) = line.split_once("\" ").unwrap();
    let report = folder.write("report.md", "# Report\n");
    let signature = folder.write(
        "report.md.sig",
        key.sign(REPORT_NAMESPACE, b"# Report\n").unwrap(),
    );
    for zone in ["UTC", "EST5EDT,M3.2.0,M11.1.0", "<+0545>-5:45"] {
        for (options, time, is_right) in [
            ("valid-before=\"20260201\"", "20260131", true),
            ("valid-before=\"20260201\"", "20260202", false),
            ("valid-after=\"20260201120000Z\"", "20260201115959Z", false),
            ("valid-after=\"20260201120000Z\"", "20260201120000Z", true),
            ("valid-after=\"202607011200\"", "202607011200", true),
            ("valid-after=\"202607011200\"", "202607011159", false),
            (
                "valid-after=\"202607011200\"",
                "20260701115959Z",
                zone.starts_with('<'),
            ),
            ("valid-after=\"202607011200\"", "20260701180000Z", true),
        ] {
            let keys = folder.write("keys", format!("holdpoint {options} {blob}\n"));
            let said = verified_in_zone(zone, &report, &signature, &keys, time);
            let expected = (Some(i32::from(!is_right)), is_right);
            assert_eq!(said, expected, "{zone} {options} {time}");
        }
    }
    // Without a time the report's own is taken, and what that is worth is told where the key is not the one of now.
    let dated = "# Report\n\nssh-keygen -Y verify -Overify-time=20260115120000Z -f keys\n";
    let report = folder.write("report.md", dated);
    let dated = key.sign(REPORT_NAMESPACE, dated.as_bytes()).unwrap();
    folder.write("report.md.sig", dated);
    let keys = folder.write(
        "keys",
        format!("holdpoint valid-before=\"20260201Z\" {blob}\n"),
    );
    for (time, is_noted) in [(None, true), (Some("20260116Z"), false)] {
        let mut asked = vec!["verify", &report, "--key", &keys];
        asked.extend(time.iter().flat_map(|time| ["--time", time]));
        let verified = run(&asked);
        assert_eq!(verified.code, Some(0), "{verified:?}");
        assert_eq!(
            verified.text().contains("signs no more"),
            is_noted,
            "{verified:?}"
        );
    }
    let keys = folder.write("keys", key.public_line());
    let verified = run(&["verify", &report, "--key", &keys]);
    assert!(!verified.text().contains("signs no more"), "{verified:?}");
    run(&["verify", &report, "--key", &keys, "--time", "yesterday"])
        .is_error(&["--time", "YYYYMMDD"]);
}

/// The published keys have no zone in their times, and people verify wherever they are.
#[test]
fn a_report_from_before_a_rotation_verifies_in_every_zone() {
    const SIGNED: i64 = 1_780_000_000_000;
    const HOUR: i64 = 3_600_000;
    let folder = Folder::new();
    let (old, new) = (
        SigningKey::from_seed(&[7; 32], "old"),
        SigningKey::from_seed(&[8; 32], "new"),
    );
    let first = KeyRing::first(&[(&old, KeyPurpose::ALL)], SIGNED - HOUR, SIGNED - HOUR).unwrap();
    let ring = KeyRing::read(std::slice::from_ref(&first)).unwrap();
    // The next minute: in no zone is there room for a mistake.
    let second = ring
        .rotated(&old, &[(&new, KeyPurpose::ALL)], SIGNED + 60_000)
        .unwrap();
    let ring = KeyRing::read(&[first, second]).unwrap();
    let keys = folder.write("allowed_signers", ring.allowed_signers());
    let report = folder.write("report.md", "# Report\n");
    let sign = |key: &SigningKey| key.sign(REPORT_NAMESPACE, b"# Report\n").unwrap();
    // At the moment of signing; right after the rotation; and when the old key's time is over wherever it is asked.
    for (key, time, is_right) in [
        (&old, "20260528202640Z", true),
        (&new, "20260528202740Z", true),
        (&old, "20260531Z", false),
        (&new, "20260501Z", false),
    ] {
        let signature = folder.write("report.md.sig", sign(key));
        for zone in [
            "UTC",
            "Europe/Berlin",
            "Asia/Tokyo",
            "Pacific/Auckland",
            "America/Los_Angeles",
            "Pacific/Kiritimati",
            "Etc/GMT+12",
        ] {
            assert!(
                std::path::Path::new("/usr/share/zoneinfo")
                    .join(zone)
                    .exists(),
                "the zone {zone} is not here: install the package tzdata"
            );
            let said = verified_in_zone(zone, &report, &signature, &keys, time);
            let expected = (Some(i32::from(!is_right)), is_right);
            assert_eq!(said, expected, "{zone} {time}");
        }
    }
}

#[test]
fn without_a_server_or_a_token_it_says_what_to_set() {
    let gate = |variables: &[(&str, &str)]| run_with(&["gate", "0198-ab"], variables, b"");
    gate(&[]).is_error(&["HOLDPOINT_URL"]);
    gate(&[("HOLDPOINT_URL", "http://127.0.0.1:1")]).is_error(&["HOLDPOINT_TOKEN"]);
    let token = ("HOLDPOINT_TOKEN", "hp_x");
    gate(&[("HOLDPOINT_URL", "http://127.0.0.1:1"), token])
        .is_error(&["http://127.0.0.1:1 does not answer"]);
    for wrong in ["prr.example.org", "ftp://x", "https://u:p@x", "http://"] {
        gate(&[("HOLDPOINT_URL", wrong), token]).is_error(&["is no address of a server"]);
    }
    run(&["gate", "../x"]).is_error(&["is no review"]);
    run(&["report", "a b"]).is_error(&["is no review"]);
    run(&["gate"]).is_error(&["Usage"]);
    run(&["report", "x", "--format", "pdf"]).is_error(&["bundle"]);
    run(&["scan", "push", "--service", "x"]).is_error(&["Usage"]);
    run(&["scan", "push", SARIF, "--service", "No Slug"]).is_error(&["--service"]);
    run(&["scan", "push", SARIF, "--service", "x", "--commit", "main"]).is_error(&["--commit"]);
}

/// A server that answers everything alike, as something else at that address would.
fn impostor(answer: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            drop(stream.read(&mut head));
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    address
}

#[test]
fn whatever_is_no_verdict_lets_nothing_through() {
    let cases = [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<ok>",
            "HOLDPOINT_URL",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: https://sso.example/\r\ncontent-length: 0\r\n\r\n",
            "https://sso.example/",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            "verdict cannot be read",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"outcome\"",
            "broke off",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nbad",
            "502",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 102\r\n\r\n{\"review\":{\"service\":\"s\",\"title\":\"t\",\"release\":\"r\"},\
             \"outcome\":\"goes\",\"reasons\":[],\"waivers\":[]}        ",
            "\"goes\"",
        ),
    ];
    for (answer, word) in cases {
        let url = impostor(answer);
        let variables = [("HOLDPOINT_URL", url.as_str()), ("HOLDPOINT_TOKEN", "hp_x")];
        run_with(&["gate", "0198-ab"], &variables, b"").is_error(&[word]);
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

/// A running server of its own, stopped when the test ends.
struct Server {
    child: Child,
    url: String,
    token: String,
    folder: Folder,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn start() -> Self {
        let folder = Folder::new();
        let (data, site) = (folder.path("data"), folder.path("site"));
        std::fs::create_dir_all(Path::new(&site).join("pkg")).unwrap();
        folder.write("site/hash.txt", "css: c\njs: j\nwasm: w\n");
        let password = b"four words work well\n";
        let added = run_with(
            &[
                "user",
                "add",
                "--data",
                &data,
                "--email",
                "ada@example.org",
                "--name",
                "Ada",
                "--admin",
                "--password-stdin",
            ],
            &[],
            password,
        );
        assert_eq!(added.code, Some(0), "{added:?}");
        let scopes = [
            "administer",
            "manage",
            "contribute",
            "import_scans",
            "export",
            "decide_release",
        ];
        let made = run(&[
            &[
                "token",
                "create",
                "--data",
                &data,
                "--email",
                "ada@example.org",
                "--scope",
            ][..],
            &scopes,
        ]
        .concat());
        assert_eq!(made.code, Some(0), "{made:?}");
        let token = made.text().trim().to_owned();
        let mut child = Command::new(env!("CARGO_BIN_EXE_holdpoint"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--data",
                &data,
                "--site",
                &site,
            ])
            .env_remove("HOLDPOINT_TEST_POSTGRES")
            .current_dir(folder.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let up = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find(|line| line.contains("is up"))
            .expect("the server says that it is up");
        let address = up.split("address=").nth(1).unwrap_or(&up);
        let url = address.split_whitespace().next().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{up}");
        // A full pipe would stop the server.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            url,
            token,
            folder,
        }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        run_with(
            arguments,
            &[
                ("HOLDPOINT_URL", &self.url),
                ("HOLDPOINT_TOKEN", &self.token),
            ],
            b"",
        )
    }

    fn get(&self, path: &str) -> http::Response<ureq::Body> {
        agent()
            .get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .call()
            .unwrap()
    }

    fn post(&self, path: &str, kind: &str, body: &str) -> Value {
        let mut response = agent()
            .post(format!("{}/api/v1{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .content_type(kind)
            .send(body)
            .unwrap();
        let answer: Value = response.body_mut().read_json().unwrap();
        assert!(response.status().is_success(), "{path}: {answer}");
        answer
    }

    /// A review of a checklist, in the service `demo`.
    fn review(&self, checklist: &str) -> String {
        let template = self.post("/templates", "text/markdown", checklist);
        let new =
            json!({ "template": template["template"]["id"], "title": "Phase 22", "release": "v1" });
        let review = self.post(
            "/services/demo/reviews",
            "application/json",
            &new.to_string(),
        );
        review["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_pipeline_pushes_its_scans_and_obeys_the_gate() {
    let server = Server::start();
    server.post(
        "/services",
        "application/json",
        &json!({ "name": "Demo" }).to_string(),
    );
    let goes = server.review("# Goes\n\n- [ ] a <!-- holdpoint: advisory -->\n");
    let go = server.run(&["gate", &goes]);
    assert_eq!(go.code, Some(0), "{go:?}");
    assert!(
        go.text().starts_with(
            "GO: demo v1, Phase 22\nThe activity log, for `holdpoint log verify --against`:\n"
        ),
        "{go:?}"
    );
    let held = server.review("# Held\n\n- [ ] **Backups**: are tested\n");
    let no = server.run(&["gate", &held]);
    assert_eq!(no.code, Some(1), "{no:?}");
    assert!(
        no.text().starts_with("NO-GO: demo v1, Phase 22\n"),
        "{no:?}"
    );
    assert!(
        no.text()
            .contains("1 Backups: The item is open. Can be cleared by a contributor."),
        "{no:?}"
    );
    let by_page = server.run(&[
        "gate",
        &format!("{}/reviews/{held}/checklist", server.url),
        "--json",
    ]);
    assert_eq!(
        (by_page.code, &by_page.json()["outcome"]),
        (Some(1), &json!("no_go"))
    );
    server
        .run(&["gate", "0198-unknown"])
        .is_error(&["This review was not found"]);
    let stranger = [
        ("HOLDPOINT_URL", server.url.as_str()),
        ("HOLDPOINT_TOKEN", "hp_wrong"),
    ];
    let refused = run_with(&["gate", &held], &stranger, b"");
    refused.is_error(&["does not take the token"]);
    assert!(!refused.said.contains("hp_wrong"), "{refused:?}");

    let push = ["scan", "push", SARIF, "--service", "demo"];
    let preview = server.run(&[&push[..], &["--preview"]].concat());
    assert!(preview.text().contains("would import"), "{preview:?}");
    let lines: Vec<_> = preview.text().lines().collect();
    assert_eq!(lines[1], "  new", "{preview:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("    without an item: ")),
        "{preview:?}"
    );
    assert!(is_safe_for_a_terminal(&preview), "{preview:?}");
    let plain = server.run(&[&push[..], &["--preview", "--json"]].concat());
    let (answer, text) = (&plain.json()[0], preview.text());
    let listed = answer["listed"].as_array().unwrap();
    assert_eq!(
        text.matches("\n    high  ").count(),
        listed
            .iter()
            .filter(|one| one["severity"] == "high")
            .count()
    );
    assert_eq!(
        answer["mapping"].as_array().unwrap().len(),
        text.matches("  mapping for ").count()
    );
    let ground = answer["ground"].as_str().unwrap();
    assert!(text.ends_with(&format!("  ground {ground}\n")), "{text}");
    // Another ground than that of now: what would happen is said, and nothing is imported.
    let other = "0".repeat(64);
    let over = |ground: &str, more: &[&str]| {
        server.run(&[&push[..], &["--ground", ground], more].concat())
    };
    let moved = over(&other, &[]);
    assert_eq!((moved.code, moved.text()), (Some(2), text), "{moved:?}");
    for said in ["Not imported", "Look at the preview again"] {
        assert!(moved.said.contains(said), "{moved:?}");
    }
    let moved = over(&other, &["--json"]);
    assert_eq!((moved.code, &moved.json()[0]), (Some(2), answer));
    over("main", &[]).is_error(&["--ground", "64 hexadecimal digits"]);
    over(&other, &["--preview"]).is_error(&["--preview", "Usage"]);
    over(&other, &[SARIF]).is_error(&["--ground", "one file"]);
    let first = over(ground, &[]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.text().contains(": imported into "), "{first:?}");
    server
        .run(&[&push[..], &["--preview", "--commit", "abcdef1"]].concat())
        .is_error(&["The file says that it is of commit 5da53fb"]);
    let other_bytes = std::fs::read_to_string(SARIF).unwrap() + "\n";
    let other_file = server.folder.write("again.sarif", other_bytes);
    let unchanged = server.run(&[
        "scan",
        "push",
        &other_file,
        "--service",
        "demo",
        "--preview",
    ]);
    assert!(
        unchanged.text().contains("\n  unchanged\n    ")
            && unchanged.text().contains("  (same as F-1: "),
        "{unchanged:?}"
    );
    let again = server.run(&[&push[..], &["--json"]].concat());
    assert_eq!(
        (again.code, &again.json()[0]["repeated"]),
        (Some(0), &json!(true))
    );
    // A critical or high finding holds back what could go before.
    let with_findings = server.run(&["gate", &goes]);
    assert_eq!(with_findings.code, Some(1), "{with_findings:?}");

    let page = server
        .folder
        .write("login.html", "<!DOCTYPE html><html>Sign in</html>");
    let refused = server.run(&["scan", "push", &page, SARIF, "--service", "demo"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .said
            .contains("login.html: file: This is a web page"),
        "{refused:?}"
    );
    assert!(
        refused.text().contains("already"),
        "the other file was pushed: {refused:?}"
    );
    server
        .run(&["scan", "push", SARIF, "--service", "nope"])
        .is_error(&["This service was not found"]);

    each_report_of_a_zip_is_a_scan_of_its_own(&server);
}

fn each_report_of_a_zip_is_a_scan_of_its_own(server: &Server) {
    let secrets = "[]";
    let lint = r#"[{"code": "E9", "filename": "a.py", "location": {"row": 1, "column": 1}, "message": "m", "url": "https://docs.astral.sh/ruff"}]"#;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        ("out/gitleaks.json", secrets),
        ("out/ruff.json", lint),
        ("out/build.log", "done"),
    ] {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    let artifact = server.folder.write("artifact.zip", bytes);
    let push = ["scan", "push", &artifact, "--service", "demo"];
    let pushed = server.run(&push);
    assert_eq!(pushed.code, Some(2), "{pushed:?}");
    for said in [
        "artifact.zip: out/gitleaks.json: imported into gitleaks",
        "artifact.zip: out/ruff.json: imported into ruff",
    ] {
        assert!(pushed.text().contains(said), "{pushed:?}");
    }
    assert!(
        pushed.said.contains("artifact.zip: out/build.log"),
        "what is no report does not keep the others out: {pushed:?}"
    );
    let ground = "0".repeat(64);
    server
        .run(&[&push[..], &["--ground", &ground]].concat())
        .is_error(&["--ground", "this archive has 3"]);
}

/// A browser in which Ada is signed in: the cookies that it sends.
fn signed_in(server: &Server) -> String {
    let form = "email=ada%40example.org&password=four+words+work+well";
    let answer = ureq::Agent::from(ureq::Agent::config_builder().max_redirects(0).build())
        .post(format!("{}/act/sign-in", server.url))
        .header("sec-fetch-site", "same-origin")
        .header("accept", "text/html")
        .content_type("application/x-www-form-urlencoded")
        .send(form)
        .unwrap();
    assert_eq!(answer.status(), 302);
    let cookies = answer.headers().get_all("set-cookie").iter();
    let pairs = cookies.map(|set| set.to_str().unwrap().split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

#[test]
fn texts_made_to_keep_the_server_busy_are_shown_and_health_checks_are_answered_meanwhile() {
    let server = Server::start();
    let service = json!({ "name": "Demo" }).to_string();
    server.post("/services", "application/json", &service);
    let review = server.review("# Held\n\n- [ ] **Backups**: are tested\n");
    let items: Value = server
        .get(&format!("/api/v1/reviews/{review}/items"))
        .body_mut()
        .read_json()
        .unwrap();
    let item = items["entries"][0]["id"].as_str().unwrap();
    let n = 95_000;
    let hostile = [
        ">".repeat(n),
        format!("{}a\n{}", ">".repeat(n / 2), "a\n".repeat(n / 4)),
        "- ".repeat(n / 2),
        "*a ".repeat(n / 6) + &" b*".repeat(n / 6),
        "[a](".repeat(n / 4),
        format!(
            "|{}\n|{}\n{}",
            "a|".repeat(60),
            "-|".repeat(60),
            "|b\n".repeat(n / 4)
        ),
    ];
    for text in &hostile {
        let note = json!({ "kind": "note", "text": text }).to_string();
        server.post(
            &format!("/items/{item}/evidence"),
            "application/json",
            &note,
        );
    }
    let sarif = json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "t", "rules": [{ "id": "r", "fullDescription": { "text": hostile[0], "markdown": hostile[0] } }] } },
            "results": [{ "ruleId": "r", "ruleIndex": 0, "message": { "text": hostile[0], "markdown": hostile[0] } }],
        }],
    });
    server.post(
        "/services/demo/scans",
        "application/json",
        &sarif.to_string(),
    );
    let findings: Value = server
        .get(&format!("/api/v1/reviews/{review}/findings"))
        .body_mut()
        .read_json()
        .unwrap();
    let finding = findings["entries"][0]["id"].as_str().unwrap();

    let cookies = signed_in(&server);
    let page = |path: String| {
        let (url, cookies) = (format!("{}{path}", server.url), cookies.clone());
        std::thread::spawn(move || {
            let mut answer = agent()
                .get(&url)
                .header("accept", "text/html")
                .header("cookie", &cookies)
                .call()
                .unwrap();
            let text = answer
                .body_mut()
                .with_config()
                .limit(1 << 30)
                .read_to_string();
            (answer.status().as_u16(), text.unwrap())
        })
    };
    let pages: Vec<_> = (0..4)
        .flat_map(|_| {
            [
                page(format!("/items/{item}")),
                page(format!("/findings/{finding}?review={review}")),
            ]
        })
        .collect();
    let mut n_asked = 0;
    while n_asked < 3 || !pages.iter().all(std::thread::JoinHandle::is_finished) {
        let health: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(std::time::Duration::from_secs(10)))
            .build()
            .into();
        let answer = health
            .get(format!("{}/healthz", server.url))
            .call()
            .unwrap();
        assert_eq!(answer.status(), 200);
        n_asked += 1;
    }
    for page in pages {
        let (status, text) = page.join().unwrap();
        assert_eq!(status, 200, "{}", &text[..text.len().min(2_000)]);
    }
}

#[test]
fn what_is_exported_can_be_verified_offline() {
    let server = Server::start();
    server.post(
        "/services",
        "application/json",
        &json!({ "name": "Demo" }).to_string(),
    );
    let review = server.review("# Held\n\n- [ ] **Backups**: are tested\n");
    let markdown = server.run(&["report", &review]);
    assert_eq!(markdown.code, Some(0), "{markdown:?}");
    assert!(markdown.text().contains("DRAFT"), "{markdown:?}");
    let file = server.folder.path("report.md");
    let saved = server.run(&["report", &review, "-o", &file]);
    assert!(saved.said.contains("draft"), "{saved:?}");
    assert_eq!(std::fs::read(&file).unwrap(), markdown.out);
    assert!(!PathBuf::from(format!("{file}.sig")).exists());
    let nowhere = server.folder.path("no/such/report.md");
    server
        .run(&["report", &review, "-o", &nowhere])
        .is_error(&["cannot be written"]);
    let bundle_file = server.folder.path("bundle.zip");
    server
        .run(&["report", &review, "--format", "bundle", "-o", &bundle_file])
        .is_error(&["draft"]);
    assert!(!Path::new(&bundle_file).exists());
    assert_eq!(
        server.run(&["report", &review, "--format", "sarif"]).json()["version"],
        "2.1.0"
    );

    // The release is signed: from then on the report is.
    let review = server.review("# Goes\n\n- [ ] a <!-- holdpoint: advisory -->\n");
    let mut shown = server.get(&format!("/api/v1/reviews/{review}"));
    let decision = json!({
        "decision": "go",
        "basis": shown.body_mut().read_json::<Value>().unwrap()["release_decision"]["basis"],
        "password": "four words work well"
    });
    let path = format!("/reviews/{review}/decision");
    server.post(&path, "application/json", &decision.to_string());
    let saved = server.run(&["report", &review, "-o", &file]);
    assert_eq!(saved.code, Some(0), "{saved:?}");
    assert!(
        saved.said.contains("the report of the release decision"),
        "{saved:?}"
    );
    let draft = server.run(&["report", &review, "--as-of", "now"]);
    assert!(
        draft.text().contains("DRAFT beside the decided report"),
        "{draft:?}"
    );
    assert!(draft.said.contains("what came after"), "{draft:?}");
    server
        .run(&["report", &review, "--as-of", "yesterday"])
        .is_error(&["as_of", "`now` for a draft"]);
    let decided: Value = server
        .get(&format!("/api/v1/reviews/{review}/reports"))
        .body_mut()
        .read_json()
        .unwrap();
    let sign_off = decided["reports"][0]["sign_off"].as_str().unwrap();
    let again = server.run(&["report", &review, "--as-of", sign_off]);
    assert_eq!(again.out, std::fs::read(&file).unwrap());
    let keys = server
        .get("/.well-known/holdpoint-signing-keys")
        .body_mut()
        .read_to_string()
        .unwrap();
    let keys = server.folder.write("keys", keys);
    let strange = SigningKey::from_seed(&[9; 32], "x").public_line();
    let strange = server.folder.write("strange", strange);
    let right = run(&["verify", &file, "--key", &keys]);
    assert_eq!(right.code, Some(0), "{right:?}");
    assert_eq!(run(&["verify", &file, "--key", &strange]).code, Some(1));
    let mut report = std::fs::read(&file).unwrap();
    *report.last_mut().unwrap() = b'!';
    std::fs::write(&file, report).unwrap();
    assert_eq!(run(&["verify", &file, "--key", &keys]).code, Some(1));

    let made = server.run(&["report", &review, "--format", "bundle", "-o", &bundle_file]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let own = run(&["verify", &bundle_file]);
    assert_eq!(own.code, Some(1), "{own:?}");
    assert!(
        own.text().starts_with("note ") && own.text().contains("not proven"),
        "whose key it is has to be asked: {own:?}"
    );
    assert_eq!(run(&["verify", &bundle_file, "--key", &keys]).code, Some(0));
    assert_eq!(
        run(&["verify", &bundle_file, "--key", &strange]).code,
        Some(1)
    );
    // What the report itself says about verifying, word by word, in a folder with the files that it names.
    let text = again.text();
    let (_, how) = text.rsplit_once("## How to verify").unwrap();
    let shell = how.split("```sh\n").skip(1);
    let shell = shell.map(|rest| rest.split_once("\n```").unwrap().0.to_owned());
    let named = how
        .split('`')
        .filter(|code| code.starts_with("holdpoint verify "));
    let commands: Vec<_> = shell.chain(named.map(str::to_owned)).collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    std::fs::copy(&keys, server.folder.path("allowed_signers")).unwrap();
    std::fs::write(&file, &again.out).unwrap();
    for command in commands {
        let command = match command.strip_prefix("holdpoint ") {
            Some(rest) => format!("{} {rest}", env!("CARGO_BIN_EXE_holdpoint")),
            None => command,
        };
        let ended = Command::new("sh")
            .args(["-c", &command])
            .current_dir(server.folder.path("."))
            .output()
            .unwrap();
        assert!(ended.status.success(), "{command}: {ended:?}");
    }
    let bytes = std::fs::read(&bundle_file).unwrap();
    server.folder.write("bundle.zip", &bytes[..bytes.len() - 1]);
    assert_eq!(run(&["verify", &bundle_file, "--key", &keys]).code, Some(1));
}

#[test]
fn the_sample_is_loaded_once_and_its_log_verifies() {
    let folder = Folder::new();
    let data = folder.path("data");
    let sample = run(&["sample", "--data", &data, "--json"]);
    assert_eq!(sample.code, Some(0), "{sample:?}");
    let people = sample.json()["people"].as_array().unwrap().clone();
    assert!(
        people.len() >= 3
            && people
                .iter()
                .all(|person| person["password"].as_str().unwrap().len() >= 20)
    );
    run(&["sample", "--data", &data]).is_error(&["loaded already"]);
    let right = run(&["log", "verify", "--data", &data]);
    assert_eq!(right.code, Some(0), "{right:?}");
    assert!(
        right.text().contains(
            " sign-offs and 0 decisions about findings checked. The log is consistent in itself."
        ),
        "{right:?}"
    );
    let json = run(&["log", "verify", "--data", &data, "--json"]).json();
    assert!(
        json["length"].as_i64().unwrap() > 10 && json["problems"] == json!([]),
        "{json}"
    );
    assert_eq!(json["against"], json!(null));
    assert!(
        json["says"]
            .as_str()
            .unwrap()
            .starts_with("The log is consistent in itself.")
    );
    // Either output is a head that was kept outside.
    let printed = folder.write("printed.txt", right.text());
    let kept = folder.write("kept.json", json.to_string());
    let against = [
        "log",
        "verify",
        "--data",
        &data,
        "--against",
        &printed,
        &kept,
    ];
    let extends = run(&against);
    assert_eq!(extends.code, Some(0), "{extends:?}");
    assert!(
        extends
            .text()
            .contains("The log verifies: it goes on from each of the 3 heads"),
        "{extends:?}"
    );
    let none = folder.write("none.txt", "nothing");
    run(&["log", "verify", "--data", &data, "--against", &none])
        .is_error(&["none.txt", "no head of a log"]);
    let other = folder.path("other");
    assert_eq!(run(&["sample", "--data", &other]).code, Some(0));
    let replaced = run(&["log", "verify", "--data", &other, "--against", &kept]);
    assert_eq!(replaced.code, Some(1), "{replaced:?}");
    assert!(replaced.text().contains("WRONG  "), "{replaced:?}");
    let key = folder.write(
        "other.keys",
        SigningKey::from_seed(&[9; 32], "").public_line(),
    );
    let untrusted = run(&["log", "verify", "--data", &data, "--key", &key]);
    assert_eq!(untrusted.code, Some(1), "{untrusted:?}");
    run(&["log", "verify", "--data", &folder.write("file", "")]).is_error(&["file"]);
}

#[test]
fn a_lost_password_is_set_anew_by_a_link_that_works_once() {
    let server = Server::start();
    let data = server.folder.path("data");
    let reset = |email: &str| run(&["user", "reset-password", "--email", email, "--data", &data]);
    reset("bo@example.org").is_error(&["There is no account with this address."]);
    reset("no address").is_error(&["email"]);
    run(&["user", "reset-password", "--data", &data]).is_error(&["--email"]);

    let first = reset("ada@example.org");
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.said.contains("Ada (ada@example.org)"), "{first:?}");
    let path = |made: &Ended| made.text().strip_suffix('\n').unwrap().to_owned();
    assert!(path(&first).starts_with("/reset-password/"), "{first:?}");
    let second = reset("Ada@Example.org");
    let status = |path: &str| server.get(path).status().as_u16();
    let body = |path: &str| server.get(path).body_mut().read_to_string().unwrap();
    // The running server takes the newest link, and no older one.
    let form = "action=\"/act/password-resets/use\"";
    assert_eq!(status(&path(&second)), 200);
    assert!(body(&path(&second)).contains(form));
    assert!(!body(&path(&first)).contains(form), "an older link works");

    let secret = path(&second)
        .trim_start_matches("/reset-password/")
        .to_owned();
    let set = || {
        let sent = [
            ("token", secret.as_str()),
            ("new_password", "four other words work"),
        ];
        ureq::Agent::from(
            ureq::Agent::config_builder()
                .max_redirects(0)
                .http_status_as_error(false)
                .build(),
        )
        .post(format!("{}/act/password-resets/use", server.url))
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .send_form(sent)
        .unwrap()
    };
    let leads_to = |answer: &http::Response<ureq::Body>| {
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(leads_to(&set()), "/");
    assert_eq!(leads_to(&set()), path(&second), "it works once");
    assert!(!body(&path(&second)).contains(form));
    let log = run(&["log", "verify", "--data", &data]);
    assert_eq!(log.code, Some(0), "{log:?}");
}

#[test]
fn help_is_a_command_too() {
    for arguments in [&["help"][..], &["help", "gate"], &["scan", "help", "push"]] {
        let helped = run_with(arguments, &[], b"");
        assert_eq!(helped.code, Some(0), "{helped:?}");
        assert!(helped.text().contains("Usage: holdpoint"), "{helped:?}");
    }
}

#[test]
fn a_server_that_others_reach_has_to_know_its_address() {
    let served = |listen: &str| run_with(&["serve", "--listen", listen], &[], b"");
    for listen in ["0.0.0.0:0", "[::]:0"] {
        served(listen).is_error(&["--base-url", "HOLDPOINT_BASE_URL"]);
    }
}

#[test]
fn keys_change_beside_a_running_server_and_no_umask_opens_their_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start();
    let data = server.folder.path("data");
    let published = |rest: &str| {
        server
            .get(&format!("/.well-known/holdpoint-signing-keys{rest}"))
            .body_mut()
            .read_to_string()
            .unwrap()
    };
    let keys = |ended: Ended| ended.json()["keys"].as_array().unwrap().clone();
    let listed = keys(run(&["key", "list", "--json", "--data", &data]));
    assert_eq!(listed.len(), 3);
    assert_eq!(published("").lines().count(), 3);
    for key in &listed {
        assert_eq!(
            (&key["state"], &key["private_key_here"]),
            (&json!("current"), &json!(true))
        );
        assert!(published("").contains(key["public_key"].as_str().unwrap()));
    }

    // With the widest umask there is.
    let rotated = Command::new("sh")
        .args(["-c", "umask 000; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_holdpoint"))
        .args([
            "key",
            "rotate",
            "--purpose",
            "report",
            "--data",
            &data,
            "--json",
        ])
        .env_remove("HOLDPOINT_TEST_POSTGRES")
        .output()
        .unwrap();
    let said = String::from_utf8(rotated.stderr).unwrap();
    assert!(rotated.status.success(), "{said}");
    assert!(said.contains("signs from now on"), "{said}");
    let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    assert_eq!(rotated["keys"][0]["state"], "followed");
    assert_eq!(rotated["keys"][3]["purposes"], json!(["report"]));
    let folder = Path::new(&data).join("keys");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 4);
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }

    // The server goes by it at once.
    let lines = published("");
    assert_eq!(lines.lines().count(), 4);
    assert_eq!(lines.matches("valid-before=").count(), 1);
    assert_eq!(
        published(".pem")
            .matches("-----BEGIN PUBLIC KEY-----")
            .count(),
        4
    );
    let lists: Value = serde_json::from_str(&published(".json")).unwrap();
    let lists = lists["lists"].as_array().unwrap();
    assert_eq!(lists.len(), 2);
    // What the old key says of the new one can be checked without Holdpoint.
    let statement = server
        .folder
        .write("statement", lists[1]["statement"].as_str().unwrap());
    server
        .folder
        .write("statement.sig", lists[1]["signature"].as_str().unwrap());
    server.folder.write(
        "signers",
        listed[0]["public_key"]
            .as_str()
            .map(|key| format!("holdpoint {key}\n"))
            .unwrap(),
    );
    let checked = Command::new("sh")
        .args(["-c", "ssh-keygen -Y verify -f signers -I holdpoint -n holdpoint-keys@v1 -s statement.sig < statement"])
        .current_dir(server.folder.0.path())
        .output()
        .unwrap();
    assert!(checked.status.success(), "{statement}: {checked:?}");

    let old = listed[0]["fingerprint"].as_str().unwrap();
    let current = rotated["keys"][3]["fingerprint"].as_str().unwrap();
    run(&["key", "retire", current, "--data", &data]).is_error(&["in use", "key rotate"]);
    let retired = run(&["key", "retire", old, "--data", &data]);
    assert_eq!(retired.code, Some(0), "{retired:?}");
    assert!(retired.text().starts_with("retired "), "{retired:?}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
    assert_eq!(
        published("").lines().count(),
        4,
        "what it signed still verifies"
    );
    assert_eq!(server.get("/readyz").status().as_u16(), 200);

    // Without its key the server is not ready and says why, and another does not start.
    let away = Path::new(&data).join("away");
    std::fs::rename(&folder, &away).unwrap();
    // It looks for them once a second.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let answer = loop {
        let answer = agent()
            .get(format!("{}/readyz", server.url))
            .call()
            .unwrap();
        if answer.status().as_u16() == 503 {
            break answer;
        }
        assert!(std::time::Instant::now() < until, "it is ready still");
    };
    let text = answer.into_body().read_to_string().unwrap();
    assert!(text.contains("signing key"), "{text}");
    run(&["serve", "--listen", "127.0.0.1:0", "--data", &data]).is_error(&[
        "private half",
        "report key SHA256:",
        "Copy its file",
    ]);
    assert!(!folder.exists(), "no new key");
    let log = run(&["log", "verify", "--data", &data]);
    assert_eq!(log.code, Some(0), "{log:?}");
}

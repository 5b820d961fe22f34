//! Small files of each format, written by hand: what they are read as. What damage to them does is in `bad_input.rs`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::PathBuf;

use holdpoint_importers::{IMPORTERS, Report, ScannerStatus, read};
use proptest::prelude::*;

/// One small file a line: format, file, number of findings, and severity and title of the first.
const FILES: &str = r#"
gitleaks | two.json | 2 | high | AWS
trufflehog | two.jsonl | 2 | critical | AWS secret (verified)
detect_secrets | two.json | 2 | high | Secret Keyword
betterleaks | one.json | 1 | unrated | JSON Web Token
kingfisher | one.json | 1 | critical | JSON Web Token
trivy | all.json | 3 | high | CVE-2024-0001 in example.com/lib 1.0.0: Loop without end
anchore_grype | two.json | 2 | info | GHSA-aaaa-bbbb-cccc in lib 1.0
anchore_grype | end_of_life.json | 0 |  |
osv_scanner | group.json | 1 | high | GHSA-aaaa-bbbb-cccc in example.com/lib 1.0.0: Loop
osv_scanner | unscored.json | 5 | critical | MAL-2024-0001 in pretty-lines 1.0.2: Malicious code in pretty-lines
osv_scanner | distributions.json | 2 | high | UBUNTU-CVE-2024-0022 in zlib 1.2.11-3
govulncheck | stream.json | 1 | high | GO-2024-0005 in example.com/lib v1.0.0: Loop
govulncheck | modules.json | 1 | unrated | GO-2024-0007 in example.com/lib v1.0.0: Loop
pip_audit | skipped.json | 1 | medium | PYSEC-2019-179 in flask 0.5
npm_audit | one.json | 1 | medium | b 1.0.0: Command injection
npm_audit_7_plus | two.json | 2 | high | b: Loop
yarn_audit | lines.jsonl | 1 | medium | b 1.0.0: Command injection
pnpm_audit | versions.json | 2 | medium | b 1.0.0: Command injection
cargo_audit | two.json | 2 | high | RUSTSEC-2020-0091 in arc-swap 0.4.7: Dangling reference
gosec | two.json | 2 | high | File inclusion
semgrep | two.json | 2 | high | Do not do this.
semgrep_pro | one.json | 1 | medium | Do not do this.
bandit | one.json | 1 | low | Use of assert detected.
bandit_csv | one.csv | 1 | low | Use of assert detected, here.
ruff | two.json | 2 | medium | try-except-pass
checkov | list.json | 2 | medium | Ensure that HEALTHCHECK is there
kics | one.json | 1 | high | Passwords in code
hadolint | two.json | 2 | medium | Pin versions
shellcheck | one.json | 1 | info | Use $(...)
whispers | one.json | 1 | high | Password
github_annotations | one.json | 1 | medium | LT05: Line is too long
gitlab_code_quality | one.json | 1 | medium | Use WORKDIR
dodgy | one.json | 1 | high | Possible hardcoded password
dockle | two.json | 2 | medium | Create a user
zizmor | one.json | 1 | high | unpinned action reference
yamllint | two.txt | 2 | low | missing document start "---"
cyclonedx | vex.json | 2 | high | CVE-2024-0008 in org.example:lib 1.0
cyclonedx | ratings.json | 6 | critical | CVE-2024-0031 in lib 1.0
cyclonedx | links.json | 7 | high | CVE-2024-0041 in tar 1.34+dfsg
cyclonedx | extension.xml | 1 | critical | CVE-2024-0043 in org.example:lib 1.0
cyclonedx | inventory.xml | 0 |  |
spdx | advisory.json | 1 | medium | CVE-2024-0009 in lib 1.0
syft | inventory.json | 0 |  |
openvex | two.json | 2 | medium | CVE-2024-0010 in alpine/zlib 1.2.11
openvex | parts.json | 4 | medium | CVE-2024-0051 in debian/tar 1.34+dfsg
csaf | two.json | 2 | critical | CVE-2024-0012 in App 1.0: Loop
csaf | parts.json | 4 | critical | CVE-2024-0061 in forms 2.0.0 in Shop Till 2.0
dependency_check | two.xml | 2 | high | CVE-2024-0013 in lib.jar 1.0
dependency_check | three.json | 3 | critical | CVE-2024-0071 in forms-2.0.0.jar 2.0.0
snyk | one.json | 1 | medium | b 1.0.0: Loop
snyk | ignored.json | 2 | critical | c 1.0.0: Malicious package
sonarqube | issues.json | 1 | critical | Remove this.
sonarqube | page.html | 1 | critical | Credentials should not be hard-coded
gitlab_sast | one.json | 1 | high | Bad thing
gitlab_dep_scan | one.json | 1 | high | X1 in lib 1.0: Bad thing
gitlab_container_scan | one.json | 1 | high | X1 in apt 1.4: Bad thing
gitlab_dast | one.json | 1 | high | Bad thing
gitlab_secret_detection_report | one.json | 1 | high | Bad thing
github_sast | one.json | 1 | high | Clear-text storage
github_secrets_detection_report | one.json | 1 | critical | AWS key
github_vulnerability | graph.json | 1 | medium | CVE-2024-0016 in lib: Loop
kubelinter | one.json | 1 | medium | uses latest
kubescape | one.json | 1 | high | No root
kubebench | two.json | 2 | medium | Permissions
dockerbench | two.json | 2 | high | Separate partition
secretlint | one.json | 1 | high | found a key
eslint | two.json | 2 | high | eval can be harmful.
sqlfluff | one.json | 1 | low | Line is too long
checkstyle | one.xml | 1 | medium | Use <x> & y
junit | one.xml | 1 | medium | Not there
anchore_engine | one.json | 1 | medium | CVE-2011-3389 in gnutls 3.5
aqua | one.json | 1 | critical | CVE-2018-3745 in atob 2.0.3
auditjs | one.json | 1 | medium | CVE-2024-47875 in dompurify 2.5.7: [CVE-2024-47875] CWE-79: XSS
nancy | one.json | 1 | high | CVE-2024-0017 in example.com/lib 1.0: Loop
clair | one.json | 1 | medium | CVE-2018-20839 in systemd 237
composer_audit | one.json | 1 | high | PKSA-1 in a/b: Loop
dependency_track | two.json | 2 | low | CVE-2024-0018 in lib 1.0
dependency_track | unassigned.json | 3 | critical | CVE-2024-0024 in one 1.0
dependency_track | groups.json | 3 | high | CVE-2024-0027 in forms 2.0.0
harbor_vulnerability | one.json | 1 | high | CVE-2024-0020 in lib 1.0
jfrog_xray_unified | one.json | 1 | medium | XRAY-139239 in Jinja2 2.11.2: Slow expression
retirejs | one.json | 1 | medium | Quoteless attributes in handlebars 3.0.0
bearer_cli | one.json | 1 | high | Unsanitized input
brakeman | two.json | 2 | medium | Render path
horusec | one.json | 1 | critical | Hard-coded password
terrascan | two.json | 2 | high | Ensure it is private.
tfsec | one.json | 1 | critical | All ports.
cfn_lint | one.json | 1 | medium | Parameter not used.
conftest | two.json | 2 | high | Set a memory limit
kubehunter | one.json | 1 | low | Read access to a token
trufflehog3 | one.json | 1 | medium | High Entropy
ggshield | one.json | 1 | high | Django key
stackhawk | one.json | 1 | high | Anti CSRF
generic | two.json | 2 | high | One
generic | two.csv | 2 | high | One
njsscan | one.json | 1 | high | User data in eval
noseyparker | one.jsonl | 1 | high | Generic API Key
nuclei | one.jsonl | 1 | info | Technology (nginx)
zap | one.xml | 1 | low | Cookie
zap | plus.json | 2 | high | Cross Site Scripting (Reflected)
spotbugs | one.xml | 1 | high | Query from text
burp | one.xml | 1 | high | SQL injection
nmap | one.xml | 1 | info | Open port 22/tcp ssh OpenSSH 7.4
nikto | one.json | 1 | info | A header is missing.
testssl | one.csv | 1 | high | DROWN CVE-2016-0800: vulnerable
testssl | flat.json | 3 | info | service : HTTP
testssl | pretty.json | 7 | info | optimal_proto : All protocols
sslyze | two.json | 2 | high | Heartbleed (example.com:443)
sslyze | two.xml | 2 | medium | Problems in certificate deployments (example.com:443)
prowler | two.csv | 2 | low | Enable it
prowler | three_3.csv | 2 | critical | Ensure there are no public buckets
prowler | two_3.json | 2 | critical | Ensure there are no public buckets
prowler | two_3.ocsf.json | 1 | critical | Ensure there are no public buckets
popeye | one.json | 1 | low | No limits
legitify | one.json | 1 | high | Require review
trivy_operator | two.json | 2 | medium | Escalation
golangci_lint | two.json | 2 | high | G304: Potential file inclusion via variable
golangci_lint | clean.json | 0 |  |
scorecard | four.json | 3 | high | Vulnerabilities: 1 existing vulnerabilities detected
actionlint | two.json | 2 | medium | "github.event.pull_request.title" is potentially untrusted. avoid using it directly in inline scripts
actionlint | lines.jsonl | 2 | medium | property "sha1" is not defined
cargo_deny | check.jsonl | 4 | high | RUSTSEC-2020-0001 in resolve-name 0.18.0: Stack overflow when resolving
kube_score | two.json | 3 | critical | Container Image Tag
polaris | audit.json | 2 | medium | Only one replica is scheduled
stylelint | two.json | 2 | high | Unexpected empty block
pmd | three.json | 3 | medium | Avoid empty catch blocks
pmd | two.xml | 2 | medium | Avoid empty catch blocks
tflint | two.json | 2 | high | "t1.2xlarge" is an invalid value as instance_type
pylint | old.json | 2 | high | Undefined variable 'drawer'
pylint | json2.json | 1 | medium | Catching too general exception Exception
mypy | two.jsonl | 2 | high | Argument 1 to "open_till" has incompatible type "str"; expected "int"
mypy | clean.txt | 0 |  |
staticcheck | three.jsonl | 3 | high | this value of err is never used
cppcheck | three.xml | 3 | high | Memory leak: buf
scoutsuite | results.js | 3 | high | Bucket World Writable
scoutsuite | results.json | 3 | high | Bucket World Writable
cloudsploit | three.json | 2 | high | S3 Bucket All Users Policy
cloudsploit | two.csv | 1 | high | S3 Bucket All Users Policy
asff | page.json | 2 | high | CVE-2024-0071 - parsekit, parsekit-libs
asff | list.json | 1 | critical | A bucket is public
aws_inspector2 | kinds.json | 3 | high | CVE-2024-0072 - parsekit
nessus | one.xml | 3 | high | Parsekit < 1.2 Loop
openvas | two.xml | 2 | high | Parsekit Loop
xccdf | benchmark.xml | 2 | high | No login of root
xccdf | arf.xml | 1 | high | No login of root
inspec | profile.json | 3 | high | No login of root
inspec | overlay.json | 1 | critical | No login of root here
inspec | min.json | 1 | unrated | SSHD is expected to say no
stig_checklist | two.xml | 2 | high | No login of root
stig_checklist | two.json | 2 | high | No login of root
checkmarx | two.xml | 2 | high | Stored XSS
checkmarx_one | kinds.json | 3 | high | SQL Injection
checkmarx_one | report.json | 2 | high | Reflected XSS
veracode | three.xml | 3 | high | SQL Injection
veracode_pipeline | two.json | 2 | high | SQL Injection
fortify | two.fvdl.xml | 2 | critical | SQL Injection
google_scc | list.json | 2 | high | PUBLIC BUCKET ACL
google_scc | page.json | 1 | low | OPEN FIREWALL
azure_defender | rest.json | 2 | high | Install endpoint protection
azure_defender | cli.json | 1 | unrated | Use a firewall
azure_defender | two.csv | 1 | low | Use a firewall
wiz | issues.csv | 3 | high | A bucket is public
wiz | vulnerabilities.csv | 1 | high | CVE-2024-0092 in parsekit 1.0
wiz | issues.json | 1 | high | A bucket is public
qualys | report.xml | 3 | high | Weak ciphers
qualys | detections.xml | 2 | critical | QID 38739
qualys | vmdr.csv | 2 | high | Weak ciphers
qualys_was | scan.xml | 3 | critical | Reflected script
spdx3 | vex.json | 2 | high | CVE-2024-0094 in parsekit 1.0: A loop without end
"#;

/// A line of [`FILES`].
struct SmallFile {
    format: &'static str,
    file: &'static str,
    findings: usize,
    severity: &'static str,
    title: &'static str,
}

fn small_files() -> impl Iterator<Item = SmallFile> {
    FILES.lines().filter(|line| !line.is_empty()).map(|line| {
        let mut cells = line.splitn(5, '|').map(str::trim);
        let mut cell = || cells.next().unwrap_or_else(|| panic!("five cells: {line}"));
        SmallFile {
            format: cell(),
            file: cell(),
            findings: cell().parse().unwrap(),
            severity: cell(),
            title: cell(),
        }
    })
}

/// Read by the importer of another format, or tested elsewhere.
const WITHOUT_A_FILE: &[&str] = &["sarif", "snyk_code"];

fn bytes(format: &str, file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    std::fs::read(folder.join(format).join(file)).unwrap()
}

fn report(format: &str, file: &str) -> Report {
    read(&bytes(format, file), None, None)
        .unwrap_or_else(|error| panic!("{format}/{file}: {error}"))
}

#[test]
fn every_format_is_recognised_and_read() {
    for expected in small_files() {
        let report = report(expected.format, expected.file);
        let about = format!("{}/{}", expected.format, expected.file);
        assert_eq!(report.format, expected.format, "{about}");
        assert_eq!(report.findings.len(), expected.findings, "{about}");
        if let Some(first) = report.findings.first() {
            assert_eq!(
                (first.title.as_str(), first.severity.as_str()),
                (expected.title, expected.severity),
                "{about}"
            );
            assert!(first.category.is_some(), "{about}");
        }
        for finding in &report.findings {
            assert!(
                !finding.pointer.is_empty() && !finding.title.is_empty(),
                "{about}"
            );
            assert!(
                finding
                    .path
                    .as_deref()
                    .is_none_or(|path| !path.starts_with('/')),
                "{about}"
            );
        }
    }
}

#[test]
fn every_format_has_a_file_of_its_own_here() {
    for importer in IMPORTERS {
        let name = importer.name();
        let has_one = small_files().any(|file| file.format == name);
        assert!(has_one != WITHOUT_A_FILE.contains(&name), "{name}");
    }
}

#[test]
fn every_format_is_in_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/formats.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = IMPORTERS
        .iter()
        .map(|importer| format!("| `{}` | {} |", importer.name(), importer.title()))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_nothing() {
    for SmallFile { format, file, .. } in small_files() {
        let whole = report(format, file);
        let text = String::from_utf8(bytes(format, file))
            .unwrap()
            .replace('\n', "\r\n");
        let again = read(format!("\u{feff}{text}").as_bytes(), None, None).unwrap();
        assert_eq!(again.findings, whole.findings, "{format}/{file}");
    }
}

#[test]
fn scans_that_did_not_see_everything_are_no_clean_scans() {
    for (format, file, reason) in [
        (
            "pip_audit",
            "skipped.json",
            "1 of 2 dependencies were skipped",
        ),
        ("betterleaks", "one.json", "its state is \"incomplete\""),
        (
            "bandit",
            "one.json",
            "b.py was not scanned: syntax error while parsing AST",
        ),
        ("checkov", "list.json", "/bad.tf could not be parsed"),
        (
            "trufflehog",
            "two.jsonl",
            "one repository could not be cloned",
        ),
        (
            "cyclonedx",
            "inventory.xml",
            "this is an inventory; nobody has looked for vulnerabilities",
        ),
        (
            "syft",
            "inventory.json",
            "this is an inventory; nobody has looked for vulnerabilities",
        ),
        (
            "sonarqube",
            "issues.json",
            "1 of 2 are in this file; further pages are missing",
        ),
        (
            "github_vulnerability",
            "graph.json",
            "further pages of alerts are missing",
        ),
        (
            "sslyze",
            "two.json",
            "robot failed on example.com:443: CONNECTIVITY_ISSUE",
        ),
    ] {
        let report = report(format, file);
        let said = serde_json::to_value(&report.completeness).unwrap();
        assert_eq!(said["reason"], reason, "{format}");
        assert!(!report.is_clean(), "{format}");
    }
}

#[test]
fn what_a_tool_says_of_a_finding_is_kept() {
    let of = |format, file| report(format, file).findings;
    let trivy = of("trivy", "all.json");
    assert_eq!(
        (trivy[0].path.as_deref(), trivy[0].fixed_version.as_deref()),
        (Some("go.mod"), Some("1.0.1"))
    );
    assert_eq!(
        (trivy[0].cve.as_slice(), trivy[0].cwe.as_slice()),
        (&["CVE-2024-0001".to_owned()][..], &[835][..])
    );
    assert_eq!(of("anchore_grype", "two.json")[0].cve, ["CVE-2024-0002"]);
    assert_eq!(
        of("osv_scanner", "group.json")[0].aliases,
        ["GHSA-aaaa-bbbb-cccc", "GO-2024-0004"]
    );
    assert_eq!(of("zizmor", "one.json")[0].start_line, Some(9));
    assert_eq!(
        of("cyclonedx", "vex.json")[1].component.as_deref(),
        Some("other")
    );
    let yamllint = of("yamllint", "two.txt");
    assert_eq!(
        (yamllint[1].title.as_str(), yamllint[1].rule.as_deref()),
        ("too many spaces (inside) brackets", Some("brackets"))
    );
    for (format, file, at, status) in [
        ("detect_secrets", "two.json", 1, ScannerStatus::Suppressed),
        ("anchore_grype", "two.json", 1, ScannerStatus::Suppressed),
        ("gosec", "two.json", 1, ScannerStatus::Suppressed),
        ("semgrep", "two.json", 1, ScannerStatus::Suppressed),
        ("cyclonedx", "vex.json", 0, ScannerStatus::NotAffected),
        ("openvex", "two.json", 1, ScannerStatus::NotAffected),
        ("csaf", "two.json", 1, ScannerStatus::Fixed),
        ("dependency_check", "two.xml", 1, ScannerStatus::Suppressed),
        ("github_sast", "one.json", 0, ScannerStatus::Suppressed),
    ] {
        assert_eq!(of(format, file)[at].status, status, "{format}");
    }
}

#[test]
fn code_is_kept_without_the_numbers_of_its_lines() {
    for (format, file, code) in [
        ("bandit", "one.json", "assert False"),
        ("gosec", "two.json", "os.Open(p)"),
    ] {
        assert_eq!(
            report(format, file).findings[0].snippet.as_deref(),
            Some(code),
            "{format}"
        );
    }
}

#[test]
fn secrets_themselves_are_not_kept() {
    for SmallFile { format, file, .. } in small_files() {
        let said = serde_json::to_string(&report(format, file)).unwrap();
        assert!(!said.contains("not-a-real-secret"), "{format}/{file}");
    }
}

#[test]
fn an_empty_list_is_of_many_tools_until_a_name_tells() {
    let error = read(b"[]", None, None).unwrap_err().to_string();
    assert!(
        error.contains("gitleaks, trufflehog, ruff") && error.contains("Name the format"),
        "{error}"
    );
    assert_eq!(
        read(b"[]", Some("out/ruff.json"), None).unwrap().format,
        "ruff"
    );
    assert_eq!(
        read(b"[]", None, Some("gitleaks")).unwrap().findings.len(),
        0
    );
}

#[test]
fn results_and_script_in_titles_stay_text() {
    let text = r#"[{"code": "E501", "filename": "a.py", "location": {"row": -3, "column": 1e99}, "message": "<script>\u001b[31m\u202e x"}]"#;
    let report = read(text.as_bytes(), None, None).unwrap();
    assert_eq!(
        (
            report.findings[0].title.as_str(),
            report.findings[0].start_line
        ),
        ("<script> x", None)
    );
}

proptest! {
    #![proptest_config(common::cases(48))]

    #[test]
    fn no_bytes_make_any_importer_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, None, None);
        for importer in IMPORTERS {
            let _ = read(&bytes, None, Some(importer.name()));
        }
    }

    #[test]
    fn no_damage_to_any_report_makes_its_importer_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for SmallFile { format, file, .. } in small_files() {
            let mut bytes = bytes(format, file);
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = read(&bytes, None, None);
            let _ = read(&bytes, None, Some(format));
        }
    }
}

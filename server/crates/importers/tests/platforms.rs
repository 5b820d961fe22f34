//! Findings of platforms, of scanners of hosts, and of checks against a benchmark: what their reports say beside findings, each
//! shown on a small report with one thing changed.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::Write as _;
use std::path::PathBuf;

use holdpoint_domain::Severity;
use holdpoint_importers::{
    Completeness, Finding, ImportError, InputLimits, Report, ScannerStatus, read, read_source,
};

fn text(format: &str, file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    std::fs::read_to_string(folder.join(format).join(file)).unwrap()
}

/// The report with every `from` in it as `to`.
fn with(format: &str, file: &str, from: &str, to: &str) -> Result<Report, ImportError> {
    let text = text(format, file);
    assert!(text.contains(from), "{format}/{file} has no {from}");
    read(text.replace(from, to).as_bytes(), None, Some(format))
}

fn of(format: &str, file: &str) -> Report {
    let read = read(text(format, file).as_bytes(), None, None);
    read.unwrap_or_else(|error| panic!("{format}/{file}: {error}"))
}

fn reason(report: &Report) -> &str {
    match &report.completeness {
        Completeness::Complete => "",
        Completeness::Incomplete { reason } => reason,
    }
}

#[test]
fn whole_reports_are_complete_and_name_their_target_and_tool() {
    for (format, file, target, tool, at) in [
        (
            "asff",
            "page.json",
            Some("111122223333/eu-west-1"),
            None,
            Some("2026-01-03T03:04:05Z"),
        ),
        (
            "aws_inspector2",
            "kinds.json",
            Some("111122223333/eu-west-1"),
            None,
            Some("2026-01-03T03:04:05Z"),
        ),
        (
            "nessus",
            "one.xml",
            Some("till.example.com"),
            Some("10.8.3"),
            Some("Fri Jan 2 03:14:05 2026"),
        ),
        (
            "openvas",
            "two.xml",
            Some("192.0.2.7"),
            None,
            Some("2026-01-02T03:14:05Z"),
        ),
        (
            "xccdf",
            "benchmark.xml",
            Some("till.example.com xccdf_org.example_profile_server"),
            Some("1.4.0"),
            Some("2026-01-02T03:14:05"),
        ),
        (
            "xccdf",
            "arf.xml",
            Some("till.example.com"),
            Some("1.4.0"),
            Some("2026-01-02T03:14:05"),
        ),
        (
            "inspec",
            "profile.json",
            Some("till-1 till-baseline"),
            Some("5.22.36"),
            None,
        ),
        (
            "inspec",
            "overlay.json",
            Some("outer"),
            Some("5.22.36"),
            None,
        ),
        (
            "stig_checklist",
            "two.xml",
            Some("till TILL_STIG"),
            None,
            None,
        ),
        (
            "stig_checklist",
            "two.json",
            Some("till TILL_STIG"),
            None,
            None,
        ),
    ] {
        let report = of(format, file);
        assert_eq!(reason(&report), "", "{format}/{file}");
        assert_eq!(report.problems, [], "{format}/{file}");
        assert_eq!(report.target.as_deref(), target, "{format}/{file}");
        assert_eq!(report.tool.version.as_deref(), tool, "{format}/{file}");
        assert_eq!(report.scanned_at.as_deref(), at, "{format}/{file}");
        assert!(!report.is_clean(), "{format}/{file}");
    }
}

#[test]
fn what_was_not_looked_at_makes_a_scan_incomplete() {
    for (format, file, from, to, expected) in [
        (
            "asff",
            "page.json",
            "{\n  \"Findings\"",
            "{\n  \"NextToken\": \"x\", \"Findings\"",
            "further pages",
        ),
        (
            "asff",
            "page.json",
            "\"PASSED\"",
            "\"NOT_AVAILABLE\"",
            "a check could not be made: MFA should be on",
        ),
        (
            "asff",
            "page.json",
            "\"Vulnerabilities\"",
            "\"Others\"",
            "/Findings/0/Vulnerabilities is missing",
        ),
        (
            "asff",
            "page.json",
            "\"VulnerablePackages\"",
            "\"Others\"",
            "/VulnerablePackages is missing",
        ),
        (
            "aws_inspector2",
            "kinds.json",
            "{\n  \"findings\"",
            "{\n  \"nextToken\": \"x\", \"findings\"",
            "further pages",
        ),
        (
            "aws_inspector2",
            "kinds.json",
            "{\n  \"findings\"",
            "{\n  \"errorCode\": \"ACCESS_DENIED\", \"findings\"",
            "ACCESS_DENIED",
        ),
        ("nessus", "one.xml", "HOST_END", "HOST_STOP", "has no end"),
        (
            "nessus",
            "one.xml",
            "pluginID=\"900001\"",
            "pluginID=\"104410\"",
            "Parsekit < 1.2 Loop on till.example.com",
        ),
        (
            "nessus",
            "one.xml",
            ">PASSED<",
            ">ERROR<",
            "1.2 No root login could not be checked",
        ),
        (
            "nessus",
            "one.xml",
            "ReportItem",
            "OtherItem",
            "nothing is said of the host",
        ),
        (
            "nessus",
            "one.xml",
            "ReportHost",
            "OtherHost",
            "nothing was looked at: no host",
        ),
        (
            "openvas",
            "two.xml",
            ">Done<",
            ">Stopped<",
            "its status is \"Stopped\"",
        ),
        (
            "openvas",
            "two.xml",
            "<progress>100<",
            "<progress>42<",
            "it has come to 42 %",
        ),
        (
            "openvas",
            "two.xml",
            "<errors><count>0</count>",
            "<errors><count>1</count><error><host>192.0.2.7</host><description>NVT timed out</description></error>",
            "192.0.2.7: NVT timed out",
        ),
        (
            "openvas",
            "two.xml",
            "<filtered>2</filtered>",
            "<filtered>9</filtered>",
            "the tool counts 9, and 2 are listed",
        ),
        (
            "openvas",
            "two.xml",
            "<high><full>1</full>",
            "<high><full>4</full>",
            "the report's filter hides 3 results (high)",
        ),
        (
            "xccdf",
            "benchmark.xml",
            " end-time=",
            " stop-time=",
            "the test has no end",
        ),
        (
            "xccdf",
            "benchmark.xml",
            "<result>fail<",
            "<result>error<",
            "No login of root: error",
        ),
        (
            "xccdf",
            "arf.xml",
            "<xccdf:result>fail<",
            "<xccdf:result>notselected<",
            "no rule was checked",
        ),
        (
            "xccdf",
            "benchmark.xml",
            "<Benchmark ",
            "<!-- SessionID:1,FileType:XCCDF Results,StreamName:x,ErrorCount:2,WarnCount:0 -->\n<Benchmark ",
            "the tool counts 2 errors",
        ),
        (
            "inspec",
            "profile.json",
            "RSpec::Expectations::ExpectationNotMetError",
            "NameError",
            "till-01 could not be checked: expected no, got yes",
        ),
        (
            "inspec",
            "profile.json",
            "\"passed\"",
            "\"error\"",
            "could not be checked",
        ),
        (
            "inspec",
            "profile.json",
            "\"status\": \"loaded\"",
            "\"status\": \"skipped\", \"skip_message\": \"other platform\"",
            "the profile till-baseline is skipped: other platform",
        ),
        (
            "inspec",
            "overlay.json",
            "\"parent_profile\": \"outer\"",
            "\"parent_profile\": \"\"",
            "the control till-01 has no results",
        ),
        (
            "inspec",
            "min.json",
            "\"controls\": [",
            "\"controls\": [], \"others\": [",
            "no control",
        ),
        (
            "stig_checklist",
            "two.xml",
            ">NotAFinding<",
            ">Not_Reviewed<",
            "1 of 3 rules are not reviewed",
        ),
        (
            "stig_checklist",
            "two.json",
            "\"not_a_finding\"",
            "\"not_reviewed\"",
            "1 of 3 rules are not reviewed",
        ),
        ("stig_checklist", "two.xml", "VULN>", "V>", "no rule"),
        (
            "checkmarx",
            "two.xml",
            "FilesScanned=\"5\"",
            "FilesScanned=\"0\"",
            "FilesScanned is \"0\"",
        ),
        (
            "checkmarx_one",
            "kinds.json",
            "\"totalCount\": 3",
            "\"totalCount\": 9",
            "the tool counts 9, and 3 are listed",
        ),
        (
            "checkmarx_one",
            "kinds.json",
            "\"nodes\"",
            "\"others\"",
            "/data/nodes is missing",
        ),
        (
            "checkmarx_one",
            "report.json",
            "\"status\": \"Completed\"",
            "\"status\": \"Failed\"",
            "SAST is Failed",
        ),
        (
            "checkmarx_one",
            "report.json",
            "\"scaScanResults\": null",
            "\"scaScanResults\": {\"totalResults\": 4, \"packages\": []}",
            "its 4 results of scaScanResults are not read",
        ),
        (
            "veracode",
            "three.xml",
            "total_flaws=\"2\"",
            "total_flaws=\"5\"",
            "the tool counts 5, and 2 are listed",
        ),
        (
            "veracode",
            "three.xml",
            " published_date",
            " other_date",
            "the static-analysis is not published",
        ),
        ("veracode", "three.xml", "<module ", "<other ", "no module"),
        (
            "veracode",
            "three.xml",
            " vulnerabilities=\"1\"",
            " vulnerabilities=\"4\"",
            "the tool counts 4, and 1 are listed",
        ),
        (
            "veracode_pipeline",
            "two.json",
            "SUCCESS",
            "TIMEOUT",
            "its status is \"TIMEOUT\"",
        ),
        (
            "fortify",
            "two.fvdl.xml",
            "<Errors/>",
            "<Errors><Error code=\"12\">A file could not be parsed</Error></Errors>",
            "A file could not be parsed",
        ),
        (
            "fortify",
            "two.fvdl.xml",
            "<NumberFiles>3<",
            "<NumberFiles>0<",
            "no file",
        ),
        (
            "google_scc",
            "list.json",
            "\"MISCONFIGURATION\"",
            "\"SCC_ERROR\"",
            "a service could not look: PUBLIC_BUCKET_ACL",
        ),
        (
            "google_scc",
            "list.json",
            "\"vulnerability\"",
            "\"other\"",
            "a vulnerability (OS_VULNERABILITY) says nothing of itself",
        ),
        (
            "google_scc",
            "page.json",
            "\"readTime\"",
            "\"nextPageToken\": \"x\", \"readTime\"",
            "further pages",
        ),
        (
            "azure_defender",
            "rest.json",
            "{\n  \"value\"",
            "{\n  \"nextLink\": \"https://example.com/next\", \"value\"",
            "further pages",
        ),
        (
            "azure_defender",
            "cli.json",
            "Unhealthy",
            "NotApplicable",
            "no resource was assessed",
        ),
        (
            "wiz",
            "issues.json",
            "\"hasNextPage\": false",
            "\"hasNextPage\": true",
            "further pages",
        ),
        (
            "wiz",
            "issues.json",
            "{\n  \"data\"",
            "{\n  \"errors\": [{\"message\": \"Timeout\"}], \"data\"",
            "the query failed: Timeout",
        ),
        (
            "qualys",
            "report.xml",
            "VULNERABILITIES>3<",
            "VULNERABILITIES>9<",
            "the tool counts 9, and 3 are listed",
        ),
        (
            "qualys",
            "report.xml",
            "Host name",
            "Unix Authentication Failed",
            "no login on 192.0.2.7",
        ),
        (
            "qualys",
            "detections.xml",
            "<HOST_LIST>",
            "<WARNING><CODE>1980</CODE><TEXT>1000 record limit exceeded.</TEXT></WARNING><HOST_LIST>",
            "the list was cut: 1000 record limit exceeded",
        ),
        (
            "qualys",
            "detections.xml",
            "HOST_LIST>",
            "OTHER_LIST>",
            "no host",
        ),
        (
            "qualys_was",
            "scan.xml",
            "<STATUS>Finished<",
            "<STATUS>Time limit reached<",
            "Till is \"Time limit reached\"",
        ),
        (
            "qualys_was",
            "scan.xml",
            "<VULNERABILITY>2<",
            "<VULNERABILITY>5<",
            "the tool counts 5, and 2 are listed",
        ),
        (
            "qualys_was",
            "scan.xml",
            "Host name",
            "Connection Error Occurred During Web Application Scan",
            "Connection Error Occurred",
        ),
        (
            "nessus",
            "one.xml",
            "<ReportItem port=\"0\" svc_name=\"general\" protocol=\"tcp\" severity=\"0\" pluginID=\"19506\"",
            "<ReportItem port=\"0\" svc_name=\"general\" protocol=\"tcp\" severity=\"0\" pluginID=\"10180\" pluginName=\"Ping\">\
             <plugin_output>The remote host (till) is considered as dead - not scanning</plugin_output></ReportItem>\
             <ReportItem port=\"0\" svc_name=\"general\" protocol=\"tcp\" severity=\"0\" pluginID=\"19506\"",
            "till.example.com did not answer and was not scanned",
        ),
        (
            "stig_checklist",
            "two.json",
            "\"stigs\": [",
            "\"stigs\": [{\"stig_id\": \"OTHER\", \"rules\": []}, ",
            "no rule",
        ),
        (
            "stig_checklist",
            "two.xml",
            "<STIGS>",
            "<STIGS><iSTIG><STIG_INFO></STIG_INFO></iSTIG>",
            "no rule",
        ),
        (
            "azure_defender",
            "cli.json",
            "\"Unhealthy\"",
            "\"NotApplicable\", \"cause\": \"Exempt\"",
            "no resource was assessed",
        ),
    ] {
        let report =
            with(format, file, from, to).unwrap_or_else(|error| panic!("{format} {from}: {error}"));
        let said = reason(&report);
        assert!(said.contains(expected), "{format} {from}: {said:?}");
    }
}

#[test]
fn a_report_of_nothing_is_no_clean_scan() {
    for (format, text) in [
        ("asff", r#"{"Findings": []}"#),
        ("asff", "[]"),
        ("aws_inspector2", r#"{"findings": []}"#),
        (
            "nessus",
            "<NessusClientData_v2><Report name=\"x\"></Report></NessusClientData_v2>",
        ),
        (
            "openvas",
            "<report><report><gmp/><scan_run_status>Done</scan_run_status><results/></report></report>",
        ),
        (
            "xccdf",
            "<Benchmark xmlns=\"http://checklists.nist.gov/xccdf/1.2\" id=\"b\"/>",
        ),
        (
            "inspec",
            r#"{"platform": {}, "profiles": [], "statistics": {}, "version": "5"}"#,
        ),
        ("stig_checklist", r#"{"stigs": [], "cklb_version": "1.0"}"#),
        ("checkmarx", "<CxXMLResults/>"),
        (
            "checkmarx_one",
            r#"{"results": [], "scanID": "1", "totalCount": null}"#,
        ),
        ("veracode", "<detailedreport total_flaws=\"0\"/>"),
        (
            "veracode_pipeline",
            r#"{"scan_id": "1", "scan_status": "SUCCESS", "modules": [], "findings": []}"#,
        ),
        ("fortify", "<FVDL><Vulnerabilities/></FVDL>"),
        ("google_scc", "[]"),
        ("google_scc", r#"{"listFindingsResults": []}"#),
        ("azure_defender", r#"{"value": []}"#),
        ("azure_defender", "[]"),
        (
            "wiz",
            "Created At,Title,Severity,Status,Control ID,Issue ID\n",
        ),
        (
            "wiz",
            r#"{"data": {"issues": {"nodes": [], "totalCount": 0}}}"#,
        ),
        (
            "qualys",
            "\"IP\",\"QID\",\"Title\",\"Vuln Status\",\"Type\",\"Severity\"\n",
        ),
        ("qualys", "<ASSET_DATA_REPORT/>"),
        (
            "qualys",
            "<HOST_LIST_VM_DETECTION_OUTPUT><RESPONSE><DATETIME>x</DATETIME></RESPONSE></HOST_LIST_VM_DETECTION_OUTPUT>",
        ),
        (
            "qualys_was",
            "<WAS_SCAN_REPORT><RESULTS><VULNERABILITY_LIST/></RESULTS></WAS_SCAN_REPORT>",
        ),
        (
            "spdx3",
            r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [{"type": "software_Package", "spdxId": "a"}]}"#,
        ),
        (
            "stig_checklist",
            "<CHECKLIST><STIGS><iSTIG/></STIGS></CHECKLIST>",
        ),
    ] {
        let is_clean = read(text.as_bytes(), None, Some(format)).is_ok_and(|r| r.is_clean());
        assert!(!is_clean, "{format} {text}");
    }
}

#[test]
fn other_documents_and_older_versions_are_refused() {
    for (format, file, from, to, expected) in [
        (
            "asff",
            "page.json",
            "\"Findings\"",
            "\"Issues\"",
            "a list is required here",
        ),
        (
            "aws_inspector2",
            "kinds.json",
            "\"packageVulnerabilityDetails\"",
            "\"details\"",
            "an object is required here",
        ),
        (
            "nessus",
            "one.xml",
            "NessusClientData_v2",
            "NessusClientData",
            "version 1 is not read",
        ),
        (
            "openvas",
            "two.xml",
            "results",
            "others",
            "the element results is required here",
        ),
        (
            "xccdf",
            "benchmark.xml",
            "TestResult",
            "Testing",
            "a benchmark alone says of no test",
        ),
        (
            "inspec",
            "profile.json",
            "\"profiles\"",
            "\"others\"",
            "a list is required here",
        ),
        (
            "stig_checklist",
            "two.xml",
            "STIGS",
            "OTHERS",
            "an object is required here",
        ),
        (
            "checkmarx_one",
            "kinds.json",
            "\"results\"",
            "\"others\"",
            "a list is required here",
        ),
        (
            "veracode_pipeline",
            "two.json",
            "\"source_file\"",
            "\"other_file\"",
            "an object is required here",
        ),
        (
            "fortify",
            "two.fvdl.xml",
            "Vulnerabilities",
            "Others",
            "the element Vulnerabilities is required here",
        ),
        (
            "google_scc",
            "list.json",
            "\"finding\"",
            "\"other\"",
            "an object is required here",
        ),
        (
            "azure_defender",
            "cli.json",
            "\"status\"",
            "\"other\"",
            "an object is required here",
        ),
        (
            "wiz",
            "issues.json",
            "\"entitySnapshot\"",
            "\"other\"",
            "an object is required here",
        ),
        (
            "qualys_was",
            "scan.xml",
            "RESULTS",
            "OTHERS",
            "an object is required here",
        ),
        (
            "spdx3",
            "vex.json",
            "\"3.0.1\"",
            "\"4.0\"",
            "version \"4.0\" of SPDX is not read here",
        ),
    ] {
        let text = text(format, file).replace(from, to);
        // Version 1 of a report of Nessus has no list of that name.
        let text = text.replace("<Report name=\"Till\"", "<Reports name=\"Till\"");
        let text = text.replace(
            "</Report>\n</NessusClientData>",
            "</Reports>\n</NessusClientData>",
        );
        let error = read(text.as_bytes(), None, Some(format)).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(expected), "{format} {from}: {said}");
    }
}

#[test]
fn states_and_words_of_platforms_are_what_they_say() {
    use ScannerStatus::{Fixed, Open, Review, Suppressed};
    use Severity::{Critical, High, Info, Medium, Unrated};
    for (format, file, from, to, at, status, severity) in [
        (
            "asff",
            "page.json",
            "ACTIVE",
            "ACTIVE",
            1,
            Suppressed,
            Medium,
        ),
        (
            "asff",
            "page.json",
            "ACTIVE",
            "ARCHIVED",
            0,
            Suppressed,
            High,
        ),
        (
            "asff",
            "page.json",
            "\"NEW\"",
            "\"RESOLVED\"",
            0,
            Fixed,
            High,
        ),
        (
            "asff",
            "page.json",
            "\"PASSED\"",
            "\"WARNING\"",
            2,
            Suppressed,
            Info,
        ),
        (
            "asff",
            "page.json",
            "\"PASSED\"",
            "\"INFOED\"",
            2,
            Suppressed,
            Info,
        ),
        (
            "asff",
            "page.json",
            "\"HIGH\"",
            "\"Unknown\"",
            0,
            Open,
            High,
        ),
        ("asff", "list.json", "90", "0", 0, Open, Unrated),
        (
            "asff",
            "list.json",
            "FAILED",
            "WARNING",
            0,
            Review,
            Critical,
        ),
        (
            "aws_inspector2",
            "kinds.json",
            "x",
            "x",
            1,
            Suppressed,
            Medium,
        ),
        (
            "aws_inspector2",
            "kinds.json",
            "x",
            "x",
            2,
            Fixed,
            Severity::Low,
        ),
        (
            "aws_inspector2",
            "kinds.json",
            "\"HIGH\"",
            "\"UNTRIAGED\"",
            0,
            Open,
            High,
        ),
        (
            "nessus",
            "one.xml",
            "severity=\"3\"",
            "severity=\"7\"",
            0,
            Open,
            High,
        ),
        (
            "nessus",
            "one.xml",
            ">PASSED<",
            ">WARNING<",
            3,
            Review,
            Severity::Low,
        ),
        ("openvas", "two.xml", "x", "x", 1, Suppressed, Medium),
        ("openvas", "two.xml", "7.5<", "9.8<", 0, Open, Critical),
        ("openvas", "two.xml", ">High<", ">Log<", 0, Open, High),
        ("xccdf", "benchmark.xml", "x", "x", 1, Suppressed, Medium),
        (
            "xccdf",
            "benchmark.xml",
            ">fail<",
            ">fixed<",
            0,
            Fixed,
            High,
        ),
        (
            "xccdf",
            "benchmark.xml",
            ">fail<",
            ">notchecked<",
            0,
            Review,
            High,
        ),
        (
            "xccdf",
            "benchmark.xml",
            "severity=\"high\"",
            "severity=\"unknown\"",
            0,
            Open,
            Unrated,
        ),
        ("inspec", "profile.json", "x", "x", 1, Suppressed, Critical),
        ("inspec", "profile.json", "x", "x", 2, Review, Medium),
        (
            "inspec",
            "profile.json",
            "\"message\": \"\"",
            "\"message\": \"Waiver expired\"",
            1,
            Open,
            Critical,
        ),
        ("inspec", "profile.json", "0.7", "null", 0, Open, Unrated),
        (
            "inspec",
            "profile.json",
            "\"passed\"",
            "\"other\"",
            1,
            Open,
            Severity::Low,
        ),
        (
            "stig_checklist",
            "two.xml",
            "x",
            "x",
            1,
            Open,
            Severity::Low,
        ),
        (
            "stig_checklist",
            "two.json",
            "\"not_a_finding\"",
            "\"ok\"",
            2,
            Open,
            Severity::Low,
        ),
    ] {
        let report = with(format, file, from, to).unwrap();
        let finding = &report.findings[at];
        let about = format!("{format} {from} {to}: {:?}", finding.title);
        assert_eq!(
            (finding.status, finding.severity),
            (status, severity),
            "{about}"
        );
    }
}

#[test]
fn pages_in_one_list_and_lines_are_read_as_one() {
    for (format, file, n) in [
        ("asff", "page.json", 2),
        ("aws_inspector2", "kinds.json", 3),
        ("google_scc", "page.json", 1),
    ] {
        let page = text(format, file);
        let pages = read(format!("[{page},{page}]").as_bytes(), None, None).unwrap();
        assert_eq!(
            (pages.format, pages.findings.len()),
            (format, 2 * n),
            "{format}"
        );
        assert_eq!(reason(&pages), "", "{format}");
        let marked = page.replacen(
            '{',
            "{\"NextToken\": \"x\", \"nextToken\": \"x\", \"nextPageToken\": \"x\",",
            1,
        );
        let cut = read(format!("[{page},{marked}]").as_bytes(), None, None).unwrap();
        assert_eq!(reason(&cut), "further pages are missing", "{format}");
    }
    let list: serde_json::Value = serde_json::from_str(&text("google_scc", "list.json")).unwrap();
    let lines: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    let report = read(format!("{}\n", lines.join("\n")).as_bytes(), None, None).unwrap();
    assert_eq!((report.format, report.findings.len()), ("google_scc", 2));
}

/// A project result of Fortify: its findings, and what people have decided of them.
fn project_result(found: &str, audit: Option<&str>) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let files = [
        ("audit.fvdl", Some(found)),
        ("VERSION", Some("5.6")),
        ("audit.xml", audit),
    ];
    for (name, text) in files {
        let Some(text) = text else { continue };
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_project_result_of_fortify_is_read_with_its_decisions() {
    let found = text("fortify", "two.fvdl.xml");
    let audit = "<?xml version=\"1.0\"?><ns2:Audit xmlns:ns2=\"xmlns://www.fortify.com/schema/audit\"><ns2:IssueList>\
        <ns2:Issue instanceId=\"0011\" suppressed=\"true\"><ns2:ThreadedComments><ns2:Comment><ns2:Content>Bound before.</ns2:Content>\
        </ns2:Comment></ns2:ThreadedComments></ns2:Issue></ns2:IssueList></ns2:Audit>";
    for audit in [None, Some(audit)] {
        let report = read(&project_result(&found, audit), None, None).unwrap();
        assert_eq!(report.format, "fortify");
        assert_eq!(report.findings.len(), 2);
        let first = &report.findings[0];
        let (status, reason) = match audit {
            Some(_) => (ScannerStatus::Suppressed, Some("Bound before.")),
            None => (ScannerStatus::Open, None),
        };
        assert_eq!(first.status, status);
        assert_eq!(first.suppression_reason.as_deref(), reason);
        assert_eq!(first.path.as_deref(), Some("src/B.java"));
    }
    let without = project_result(&found, Some("<Audit")).len();
    assert!(
        read(&project_result(&found, Some("<Audit")), None, None).is_err(),
        "{without}"
    );
}

#[test]
fn a_project_result_that_unpacks_to_more_than_allowed_is_refused() {
    let found = text("fortify", "two.fvdl.xml");
    let padded = format!("<Audit>{}</Audit>", " ".repeat(100_000));
    let bytes = project_result(&found, Some(&padded));
    let limits = InputLimits {
        unpacked_bytes: 50_000,
        whole_bytes: 50_000,
        at_once_bytes: 0,
    };
    let refused = read_source(&bytes.as_slice(), limits, None, None, &mut |_| {});
    assert!(
        matches!(refused, Err(ImportError::TooLarge { .. })),
        "{refused:?}"
    );
}

fn finding(format: &str, file: &str, at: usize) -> Finding {
    of(format, file).findings.swap_remove(at)
}

#[test]
fn an_image_is_the_same_resource_after_its_next_build() {
    let lasting = finding("asff", "page.json", 0).fingerprint;
    let next = with("asff", "page.json", "0011223344", "9911223344").unwrap();
    assert_eq!(next.findings[0].fingerprint, lasting);
    assert_eq!(
        lasting.as_deref(),
        Some("arn:aws:ecr:eu-west-1:111122223333:repository/shop/till")
    );
}

#[test]
fn components_places_and_links_are_kept() {
    let asff = finding("asff", "page.json", 0);
    assert_eq!(asff.component.as_deref(), Some("parsekit"));
    assert_eq!(asff.message.as_deref(), Some("Also in parsekit-libs 1.0."));
    assert_eq!(
        finding("asff", "page.json", 1)
            .suppression_reason
            .as_deref(),
        Some("Public by design.")
    );
    let code = finding("aws_inspector2", "kinds.json", 1);
    assert_eq!(
        (code.path.as_deref(), code.start_line),
        (Some("src/log.py"), Some(7))
    );
    let nessus = finding("nessus", "one.xml", 0);
    assert_eq!(
        (nessus.cve, nessus.cwe),
        (vec!["CVE-2024-0073".to_owned()], vec![835])
    );
    assert_eq!(nessus.scope.as_deref(), Some("till.example.com 443/tcp"));
    let openvas = finding("openvas", "two.xml", 0);
    assert_eq!(openvas.component_version.as_deref(), Some("1.0"));
    let package = finding("checkmarx_one", "kinds.json", 1);
    assert_eq!(
        (
            package.component.as_deref(),
            package.component_version.as_deref()
        ),
        (Some("parse-kit"), Some("1.0.2"))
    );
    let library = finding("veracode", "three.xml", 2);
    assert_eq!(library.component.as_deref(), Some("org.example:parsekit"));
    let sink = finding("checkmarx", "two.xml", 0);
    assert_eq!(
        (sink.path.as_deref(), sink.start_line),
        (Some("src/B.java"), Some(9))
    );
    let suppressed = finding("openvas", "two.xml", 1);
    assert_eq!(
        suppressed.suppression_reason.as_deref(),
        Some("Only inside.")
    );
}

#[test]
fn a_result_of_greenbone_without_its_number_is_told() {
    let report = with("openvas", "two.xml", "<severity>7.5</severity>", "").unwrap();
    let told = report.problems.iter().map(|problem| &*problem.message);
    assert_eq!(
        told.collect::<Vec<_>>(),
        ["The number of a severity is missing."]
    );
    assert_eq!(report.findings[0].severity, Severity::High);
}

#[test]
fn what_only_says_how_long_it_took_was_no_scan() {
    let time = r#"[{"id": "scanTime", "ip": "shop.example.com/192.0.2.7", "port": "443", "severity": "INFO", "finding": "1"}]"#;
    let report = read(time.as_bytes(), None, Some("testssl")).unwrap();
    assert!(reason(&report).contains("no rows"), "{}", reason(&report));
}

#[test]
fn an_override_without_a_reason_lowers_nothing() {
    for (file, from, to) in [
        ("two.json", "\"reason\": \"Keys only.\"", "\"reason\": \"\""),
        ("two.xml", ">Keys only.<", "><"),
    ] {
        let severities = |report: &Report| -> Vec<Severity> {
            report.findings.iter().map(|of| of.severity).collect()
        };
        let lowered = severities(&of("stig_checklist", file));
        assert!(lowered.contains(&Severity::Low), "{file}");
        let report = with("stig_checklist", file, from, to).unwrap();
        assert!(!severities(&report).contains(&Severity::Low), "{file}");
        assert!(!report.problems.is_empty(), "{file}");
    }
}

#[test]
fn only_what_is_known_to_be_remedied_is_fixed() {
    let resolved = |reason: &str| {
        let to = format!("\"status\": \"RESOLVED\", \"resolutionReason\": \"{reason}\"");
        with("wiz", "issues.json", "\"status\": \"IN_PROGRESS\"", &to)
            .unwrap()
            .findings[0]
            .status
    };
    assert_eq!(resolved("ISSUE_FIXED"), ScannerStatus::Fixed);
    assert_eq!(resolved("WONT_FIX"), ScannerStatus::Suppressed);
    assert_eq!(resolved("CONTROL_DISABLED"), ScannerStatus::Suppressed);
}

#[test]
fn an_attestation_that_has_run_out_suppresses_nothing() {
    let attested =
        r#""attestation_data": {"status": "passed", "explanation": "Seen."}, "results": ["#;
    let statuses = |result: &str| -> Vec<ScannerStatus> {
        let from = "\"waiver_data\": {},\n          \"results\": [{\"status\": \"skipped\"";
        let to = format!("{attested}{result}{{\"status\": \"skipped\"");
        let report = with("inspec", "profile.json", from, &to).unwrap();
        report.findings.iter().map(|of| of.status).collect()
    };
    let passed = r#"{"status": "passed", "code_desc": "Manually verified status"}, "#;
    assert!(!statuses(passed).contains(&ScannerStatus::Review));
    let ended = r#"{"status": "skipped", "code_desc": "Manual verification ended"}, "#;
    assert!(statuses(ended).contains(&ScannerStatus::Review));
}

//! A scan is clean only if it says so and was complete: what each tool writes when it did not see everything.

use holdpoint_importers::read;

/// Format, report, what is said of it.
const INCOMPLETE: &[(&str, &str, &str)] = &[
    (
        "zap",
        r#"{"@programName": "ZAP", "@version": "2.16.1", "site": []}"#,
        "nothing was looked at: no site",
    ),
    (
        "zap",
        r#"{"@programName": "ZAP", "@version": "2.16.1", "site": [{"@name": "https://a", "alerts": []}], "afPlanErrors": ["Job activeScan failed to access URL"]}"#,
        "Job activeScan failed to access URL",
    ),
    (
        "zap",
        r#"{"@version": "2.16.1", "site": [{"@name": "https://a", "alerts": []}], "sequences": [{"name": "order", "steps": [{"pass": "false", "resultDetails": "404"}]}]}"#,
        "a step of the sequence order did not pass: 404",
    ),
    (
        "testssl",
        r#"[{"id": "scanTime", "ip": "a/1", "port": "443", "severity": "WARN", "finding": "Scan interrupted"}]"#,
        "Scan interrupted",
    ),
    (
        "testssl",
        r#"{"Invocation": "testssl.sh a", "version": "3.2", "clientProblem1": [{"id": "old_openssl", "severity": "WARN", "finding": "no TLS 1.3"}], "scanResult": [], "scanTime": 3}"#,
        "no TLS 1.3",
    ),
    (
        "testssl",
        r#"{"Invocation": "testssl.sh -p a", "version": "3.2", "scanResult": [{"targetHost": "a", "ip": "1", "port": "443", "protocols": [{"id": "TLS1_2", "severity": "OK", "finding": "offered"}]}], "scanTime": 3}"#,
        "it was not told to try all: no ciphers, fs, serverPreferences, serverDefaults, vulnerabilities",
    ),
    (
        "dependency_check",
        r#"{"reportSchema": "1.1", "scanInfo": {"engineVersion": "12", "analysisExceptions": [{"exception": {"message": "no network", "stackTrace": []}}]}, "dependencies": [{"fileName": "a.jar"}]}"#,
        "the analysis failed in part: no network",
    ),
    (
        "golangci_lint",
        "{\"Issues\": [], \"Report\": {\"Linters\": [{\"Name\": \"errcheck\", \"Enabled\": true}]}}\n2 issues:\n* errcheck: 2\n",
        "the tool counts 2, and 0 are listed",
    ),
    (
        "golangci_lint",
        r#"{"Issues": [{"FromLinter": "errcheck", "Text": "t", "Pos": {"Line": 1}}, {"FromLinter": "errcheck", "Text": "t", "Pos": {"Line": 2}}, {"FromLinter": "errcheck", "Text": "t", "Pos": {"Line": 3}}]}"#,
        "it lists at most 3 issues of one text, and has so many of one; set max-same-issues to 0",
    ),
    (
        "golangci_lint",
        r#"{"Issues": [], "Report": {"Linters": [{"Name": "errcheck"}]}}"#,
        "nothing was looked at: no linter is enabled",
    ),
    (
        "golangci_lint",
        r#"{"Issues": [], "Report": {"Warnings": [{"Tag": "runner", "Text": "Can't run linter goanalysis_metalinter"}], "Linters": [{"Name": "errcheck", "Enabled": true}]}}"#,
        "Can't run linter goanalysis_metalinter",
    ),
    (
        "golangci_lint",
        r#"{"Issues": [{"FromLinter": "typecheck", "Text": "undefined: x", "Severity": "", "Pos": {"Filename": "a.go", "Line": 1}}], "Report": {"Linters": [{"Name": "errcheck", "Enabled": true}]}}"#,
        "what does not compile is not looked at: undefined: x",
    ),
    (
        "scorecard",
        r#"{"repo": {"name": "r"}, "scorecard": {"version": "v5"}, "checks": null}"#,
        "its list /checks is null",
    ),
    (
        "scorecard",
        r#"{"repo": {"name": "r"}, "scorecard": {"version": "v5"}, "checks": [{"name": "SAST", "score": -1, "reason": "internal error: rate limited", "details": null}]}"#,
        "the check SAST failed: internal error: rate limited",
    ),
    (
        "actionlint",
        r#"[{"message": "could not parse as YAML: x", "filepath": "a.yml", "line": 1, "column": 1, "kind": "syntax-check", "snippet": ""}]"#,
        "a.yml could not be parsed: could not parse as YAML: x",
    ),
    (
        "cargo_deny",
        r#"{"type": "log", "fields": {"level": "ERROR", "message": "failed to fetch advisory database"}}"#,
        "failed to fetch advisory database",
    ),
    (
        "cargo_deny",
        r#"{"type": "diagnostic", "fields": {"code": "banned", "severity": "error", "message": "crate 'a = 1.0.0' is explicitly banned", "graphs": []}}"#,
        "it has no summary, so it does not say that it ended",
    ),
    (
        "cargo_deny",
        r#"{"type": "summary", "fields": {"bans": {"errors": 2, "warnings": 1, "notes": 0, "helps": 0}}}"#,
        "the tool counts 3, and 0 are listed",
    ),
    (
        "cargo_deny",
        r#"{"type": "summary", "fields": {}}"#,
        "nothing was looked at: no check was run",
    ),
    (
        "kube_score",
        r#"[{"object_name": "a", "type_meta": {"kind": "Pod"}, "object_meta": {"name": "p"}, "checks": []}]"#,
        "nothing was looked at: no check of any object",
    ),
    (
        "polaris",
        r#"{"PolarisOutputVersion": "1.0", "Results": []}"#,
        "nothing was looked at: it has found no object",
    ),
    (
        "stylelint",
        r#"[{"source": "a.css", "warnings": [], "errored": false, "ignored": true}]"#,
        "nothing was looked at: no file was linted",
    ),
    (
        "stylelint",
        r#"[{"source": "a.css", "warnings": [], "errored": true}]"#,
        "it calls a.css wrong, and lists nothing",
    ),
    (
        "stylelint",
        r#"[{"source": "a.css", "warnings": [], "errored": true, "invalidOptionWarnings": [{"text": "Unknown rule foo."}]}]"#,
        "a.css was not looked at in full: Unknown rule foo.",
    ),
    (
        "pmd",
        r#"{"formatVersion": 0, "pmdVersion": "7", "files": [], "suppressedViolations": [], "processingErrors": [{"filename": "A.java", "message": "ParseException", "detail": ""}], "configurationErrors": []}"#,
        "A.java was not looked at: ParseException",
    ),
    (
        "pmd",
        r#"<pmd version="7"><configerror rule="LoosePackageCoupling" msg="No packages are specified"/></pmd>"#,
        "the rule LoosePackageCoupling did not run: No packages are specified",
    ),
    (
        "tflint",
        r#"{"issues": [], "errors": [{"message": "Failed to load main.tf", "severity": "error"}]}"#,
        "it could not look at all: Failed to load main.tf",
    ),
    (
        "pylint",
        r#"{"messages": [], "statistics": {"messageTypeCount": {"error": 2}, "modulesLinted": 3, "score": 1}}"#,
        "the tool counts 2, and 0 are listed",
    ),
    (
        "pylint",
        r#"[{"type": "error", "module": "a", "obj": "", "line": 1, "column": 0, "path": "a.py", "symbol": "syntax-error", "message": "invalid syntax", "message-id": "E0001"}]"#,
        "a.py was not looked at: invalid syntax",
    ),
    (
        "mypy",
        "Success: no issues found in 0 source files\n",
        "nothing was looked at: no source file",
    ),
    (
        "mypy",
        "{\"file\": \"a.py\", \"line\": 1, \"column\": 0, \"message\": \"m\", \"hint\": null, \"code\": \"x\", \"severity\": \"error\"}\nFound 3 errors in 1 file (checked 2 source files)\n",
        "the tool counts 3, and 1 are listed",
    ),
    (
        "staticcheck",
        "{\"code\": \"compile\", \"severity\": \"error\", \"location\": {\"file\": \"a.go\", \"line\": 1}, \"end\": {}, \"message\": \"undeclared name\"}\n",
        "a.go does not compile, and is not looked at: undeclared name",
    ),
    (
        "cppcheck",
        r#"<results version="2"><cppcheck version="2.18"/><errors><error id="checkersReport" severity="information" msg="Active checkers: There was critical errors"/></errors></results>"#,
        "Active checkers: There was critical errors",
    ),
    (
        "cppcheck",
        r#"<results version="2"><cppcheck version="2.18"/><errors><error id="syntaxError" severity="error" msg="Unmatched {" file0="a.c"><location file="a.c" line="3" column="1"/></error></errors></results>"#,
        "a.c was not looked at in full: Unmatched {",
    ),
    (
        "prowler",
        "assessment_start_time;check_id;status;status_extended;severity\n",
        "nothing was looked at: no check was run",
    ),
    (
        "scoutsuite",
        r#"{"last_run": {}, "provider_code": "aws", "services": {"ec2": {"findings": {"a": {"description": "A", "checked_items": 0, "flagged_items": 0, "items": []}}}}}"#,
        "nothing was looked at: no rule has checked anything",
    ),
    (
        "cloudsploit",
        r#"[{"plugin": "a", "category": "S3", "title": "A", "resource": "N/A", "region": "global", "status": "UNKNOWN", "message": "Unable to query for buckets"}]"#,
        "it could not look at A: Unable to query for buckets",
    ),
    (
        "anchore_grype",
        r#"{"matches": [], "descriptor": {"name": "grype", "db": {"status": {"valid": false, "error": "db is 3 months old"}}}}"#,
        "its database of vulnerabilities is not usable: db is 3 months old",
    ),
    (
        "betterleaks",
        r#"{"findings": [], "scan": {"betterleaks_version": "2", "state": "canceled"}}"#,
        "its state is \"canceled\"",
    ),
    (
        "brakeman",
        r#"{"scan_info": {"brakeman_version": "6"}, "warnings": [], "ignored_warnings": [], "errors": [{"error": "could not parse a.rb", "location": "x"}]}"#,
        "it could not look at all: could not parse a.rb x",
    ),
    (
        "checkov",
        r#"{"check_type": "terraform", "results": {"failed_checks": []}, "summary": {"failed": 0, "parsing_errors": 2, "checkov_version": "3"}}"#,
        "files could not be parsed",
    ),
    (
        "checkov",
        r#"{"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0, "checkov_version": "3"}"#,
        "it has found no file of a kind that it knows",
    ),
    (
        "composer_audit",
        r#"{"advisories": [], "abandoned": [], "unreachable-repositories": ["https://repo.example.com"]}"#,
        "it could not look at all: https://repo.example.com",
    ),
    (
        "dependency_check",
        "<analysis><scanInfo><analysisExceptions><analysisException><exception><message>no network</message></exception></analysisException></analysisExceptions></scanInfo><dependencies/></analysis>",
        "the analysis failed in part: no network",
    ),
    (
        "eslint",
        r#"[{"filePath": "a.js", "errorCount": 1, "messages": [{"ruleId": null, "fatal": true, "severity": 2, "message": "Parsing error"}]}]"#,
        "a.js could not be parsed",
    ),
    (
        "gitlab_sast",
        r#"{"version": "15.0.0", "scan": {"type": "sast", "status": "failure", "scanner": {"name": "x"}}, "vulnerabilities": []}"#,
        "its status is \"failure\"",
    ),
    (
        "gitlab_secret_detection_report",
        r#"{"version": "15.0.0", "scan": {"type": "secret_detection", "status": "success", "messages": [{"level": "fatal", "value": "out of memory"}], "scanner": {"name": "x"}}, "vulnerabilities": []}"#,
        "out of memory",
    ),
    (
        "gosec",
        r#"{"Golang errors": {"a.go": [{"line": 1, "error": "expected package"}]}, "Issues": [], "Stats": {}}"#,
        "a.go could not be read: expected package",
    ),
    (
        "govulncheck",
        r#"{"config": {"protocol_version": "v1.0.0"}} {"progress": {"message": "Fetching vulnerabilities from the database..."}}"#,
        "it ended before the code was compared with the vulnerabilities",
    ),
    (
        "hadolint",
        r#"[{"code": "DL1000", "column": 1, "file": "Dockerfile", "level": "error", "line": 1, "message": "unexpected"}]"#,
        "Dockerfile could not be parsed",
    ),
    (
        "horusec",
        r#"{"version": "2", "status": "error", "errors": "docker is not running", "analysisVulnerabilities": null}"#,
        "it could not look at all: docker is not running",
    ),
    (
        "jfrog_xray_unified",
        r#"{"total_rows": 700, "rows": []}"#,
        "the tool counts 700, and 0 are listed",
    ),
    (
        "junit",
        r#"<testsuites><testsuite name="a" tests="0" errors="1" failures="0"/></testsuites>"#,
        "the suite a failed as a whole",
    ),
    (
        "kics",
        r#"{"kics_version": "1", "files_failed_to_scan": 3, "queries_total": 0, "queries": []}"#,
        "3 files failed to scan",
    ),
    (
        "kingfisher",
        r#"{"findings": [], "metadata": {"kingfisher_version": "1"}} {"schema": "kingfisher.repository-audit", "audit": {"summary": {"scan_failed": 1}}}"#,
        "the tool counts 1 repositories as scan_failed",
    ),
    (
        "nancy",
        r#"{"audited": [], "vulnerable": [], "invalid": [{"Coordinates": "pkg:golang/x@v0"}], "num_audited": 1}"#,
        "it could not look at all: pkg:golang/x@v0",
    ),
    (
        "njsscan",
        r#"{"njsscan_version": "1", "nodejs": {}, "templates": {}, "errors": [{"msg": "a.js failed"}]}"#,
        "a.js failed",
    ),
    (
        "nmap",
        r#"<nmaprun version="7"><runstats><finished exit="error" errormsg="no route"/></runstats></nmaprun>"#,
        "it failed: no route",
    ),
    (
        "nmap",
        r#"<nmaprun version="7"><host timedout="true"><ports/></host><runstats><finished exit="success"/></runstats></nmaprun>"#,
        "a host did not answer in time",
    ),
    (
        "popeye",
        r#"{"popeye": {"score": 0, "errors": [{"message": "forbidden"}], "sections": []}}"#,
        "forbidden",
    ),
    (
        "retirejs",
        r#"{"version": "5", "data": [], "errors": ["a.js is too large"]}"#,
        "it could not look at all: a.js is too large",
    ),
    (
        "semgrep",
        r#"{"version": "1", "results": [], "errors": [{"level": "error", "message": "out of memory in a.py"}], "paths": {"scanned": []}}"#,
        "out of memory in a.py",
    ),
    (
        "semgrep",
        r#"{"version": "1", "results": [], "errors": [], "paths": {"scanned": [], "skipped": [{"path": "a.py", "reason": "exceeded_size_limit"}]}}"#,
        "a.py was skipped: exceeded_size_limit",
    ),
    (
        "semgrep",
        r#"{"version": "1", "results": [], "errors": [], "paths": {"scanned": []}, "skipped_rules": [{"rule_id": "x", "details": "needs a newer version"}]}"#,
        "the rule x was skipped",
    ),
    (
        "shellcheck",
        r#"[{"file": "a.sh", "line": 1, "endLine": 1, "column": 1, "endColumn": 1, "level": "error", "code": 1073, "message": "Couldn't parse this"}]"#,
        "a.sh could not be parsed",
    ),
    (
        "snyk",
        r#"[{"ok": true, "vulnerabilities": [], "packageManager": "npm"}, {"ok": false, "error": "missing lock file"}]"#,
        "missing lock file",
    ),
    (
        "sonarqube",
        r#"{"paging": {"pageIndex": 1, "total": 700}, "issues": []}"#,
        "0 of 700 are in this file; further pages are missing",
    ),
    (
        "spotbugs",
        r#"<BugCollection version="4"><Errors errors="1"/></BugCollection>"#,
        "the tool reports errors",
    ),
    (
        "sqlfluff",
        r#"[{"filepath": "a.sql", "violations": [{"code": "PRS", "description": "Found unparsable section"}]}]"#,
        "a.sql could not be parsed",
    ),
    (
        "terrascan",
        r#"{"results": {"scan_errors": [{"iac_type": "helm", "errMsg": "no chart"}], "violations": null, "scan_summary": {"policies_validated": 9, "violated_policies": 0}}}"#,
        "it could not look at all: helm no chart",
    ),
    (
        "testssl",
        "\"id\",\"fqdn/ip\",\"port\",\"severity\",\"finding\",\"cve\",\"cwe\"\n\"scanProblem\",\"h/1\",\"443\",\"FATAL\",\"TCP connect problem\",\"\",\"\"\n",
        "TCP connect problem",
    ),
    (
        "trivy",
        r#"{"ClusterName": "c", "Resources": [{"Kind": "Deployment", "Name": "x", "Error": "image pull failed"}]}"#,
        "x: image pull failed",
    ),
    (
        "trufflehog",
        r#"{"level": "info-0", "ts": "2024", "logger": "trufflehog", "msg": "running source"}"#,
        "its log does not say that the scan has finished",
    ),
    (
        "trufflehog",
        r#"{"level": "info-0", "ts": "2024", "logger": "trufflehog", "msg": "running source"}
        {"SourceMetadata": {"Data": {"Filesystem": {"file": "a"}}}, "DetectorName": "AWS", "Raw": "x"}"#,
        "its log does not say that the scan has finished",
    ),
    (
        "yarn_audit",
        r#"{"type": "auditAdvisory", "data": {"resolution": {"path": "b"}, "advisory": {"id": 1, "module_name": "b", "severity": "low", "title": "t", "findings": []}}}"#,
        "its last line, the summary, is missing; it was cut off",
    ),
    (
        "aqua",
        r#"{"count": 0, "result": null}"#,
        "its list /result is null",
    ),
    (
        "aqua",
        "{}",
        "nothing was looked at: it has none of the lists cves, result and resources",
    ),
    (
        "cfn_lint",
        r#"[{"Filename": "a.yaml", "Level": "Error", "Message": "Null value at line 1", "Rule": {"Id": "E0000"}}]"#,
        "a.yaml could not be checked: Null value at line 1",
    ),
    (
        "checkov",
        r#"{"check_type": "terraform", "results": {"failed_checks": []}, "summary": {"passed": 0, "failed": 4, "checkov_version": "3"}}"#,
        "the tool counts 4, and 0 are listed",
    ),
    (
        "checkov",
        r#"{"check_type": "terraform", "results": {"passed_checks": [], "failed_checks": [], "skipped_checks": []}, "summary": {"passed": 0, "failed": 0, "skipped": 0, "checkov_version": "3"}}"#,
        "nothing was looked at: no check was run",
    ),
    (
        "conftest",
        "[]",
        "nothing was looked at: no rule was tried on any file",
    ),
    (
        "conftest",
        r#"[{"filename": "a.yaml", "namespace": "main", "successes": 0}]"#,
        "nothing was looked at: no rule was tried on any file",
    ),
    (
        "dockerbench",
        r#"{"dockerbenchsecurity": "1.6", "tests": [], "checks": 0}"#,
        "nothing was looked at: no check was run",
    ),
    (
        "dockle",
        r#"{"summary": {"fatal": 2, "warn": 0, "info": 0, "skip": 0, "pass": 9}, "details": []}"#,
        "the tool counts 2, and 0 are listed",
    ),
    (
        "ggshield",
        r#"{"id": "x", "type": "path_scan", "total_incidents": 3, "total_occurrences": 3}"#,
        "the tool counts 3, and 0 are listed",
    ),
    (
        "ggshield",
        r#"{"id": "x", "type": "path_scan", "total_incidents": 0, "errors": [{"files": [{"filename": "a.py"}], "description": "timed out"}]}"#,
        "it could not look at all: a.py timed out",
    ),
    (
        "kics",
        r#"{"kics_version": "2", "files_scanned": 9, "queries_total": 9, "queries": [], "total_counter": 7}"#,
        "the tool counts 7, and 0 are listed",
    ),
    (
        "kubebench",
        r#"{"Controls": [{"id": "1", "node_type": "node", "tests": [{"section": "1.1", "fail": 2, "results": [{"test_number": "1.1.1", "status": "PASS"}]}]}]}"#,
        "the tool counts 2, and 1 are listed",
    ),
    (
        "kubehunter",
        r#"{"nodes": [], "services": [], "vulnerabilities": []}"#,
        "nothing was looked at: it found no node",
    ),
    (
        "kubelinter",
        r#"{"Checks": [{"name": "a"}], "Reports": null, "Summary": {"ChecksStatus": "Failed"}}"#,
        "nothing is reported, and the status of the checks is \"Failed\"",
    ),
    (
        "kubelinter",
        "{}",
        "its list /Reports is missing, which kube-linter always writes",
    ),
    (
        "kubescape",
        r#"{"summaryDetails": {"controls": {"C-1": {"status": "skipped", "statusInfo": {"status": "skipped", "subStatus": "configuration", "info": "Control missing configuration"}}}}, "resources": [{"resourceID": "r"}], "results": [{"resourceID": "r", "controls": []}]}"#,
        "the control C-1 was skipped: Control missing configuration",
    ),
    (
        "kubescape",
        r#"{"scanCoverage": {"degraded": true, "reason": "no access to secrets"}, "summaryDetails": {"controls": {"C-1": {"status": "passed"}}}, "resources": [{"resourceID": "r"}], "results": [{"resourceID": "r", "controls": []}]}"#,
        "its coverage of the cluster is degraded: no access to secrets",
    ),
    (
        "legitify",
        r#"{"type": "flattened", "content": {"data.x": {"policyInfo": {"title": "T", "fullyQualifiedPolicyName": "data.x", "severity": "HIGH"}, "violations": [{"canonicalLink": "https://example.com/a", "status": "SKIPPED"}]}}}"#,
        "the policy data.x was SKIPPED for https://example.com/a",
    ),
    (
        "popeye",
        r#"{"popeye": {"score": 100, "grade": "A"}}"#,
        "nothing was looked at: it has no sections",
    ),
    (
        "popeye",
        r#"{"popeye": {"score": 0, "errors": [{}], "sections": [{"linter": "pods", "tally": {"error": 0}}]}}"#,
        "it reports an error without words",
    ),
    ("prowler", "[]", "nothing was looked at: no check was run"),
    (
        "stackhawk",
        r#"{"scanCompleted": {"scan": {"id": "x", "status": "ERROR"}, "findings": []}}"#,
        "its status is \"ERROR\"",
    ),
    (
        "terrascan",
        r#"{"results": {"violations": null, "scan_summary": {"policies_validated": 9, "violated_policies": 4}}}"#,
        "the tool counts 4, and 0 are listed",
    ),
    (
        "trivy",
        r#"{"SchemaVersion": 2, "ArtifactName": "shop/api:1", "ArtifactType": "container_image"}"#,
        "nothing was looked at: there are no results",
    ),
    (
        "trivy",
        r#"{"SchemaVersion": 2, "ArtifactName": "shop/old:1", "ArtifactType": "container_image", "Metadata": {"OS": {"Family": "alpine", "Name": "3.9", "EOSL": true}}, "Results": [{"Target": "shop/old:1 (alpine 3.9)", "Class": "os-pkgs", "Type": "alpine"}]}"#,
        "alpine 3.9 is at its end of life (EOSL): what is found since then is in no database",
    ),
    (
        "trivy",
        r#"{"SchemaVersion": 2, "ArtifactName": ".", "ArtifactType": "filesystem", "Results": [{"Target": "a.tf", "Class": "config", "MisconfSummary": {"Successes": 1, "Failures": 2}}]}"#,
        "the tool counts 2, and 0 are listed",
    ),
    (
        "trivy",
        r#"{"ClusterName": "shop", "Resources": [{"Namespace": "a", "Kind": "Deployment", "Name": "api"}]}"#,
        "nothing was looked at: Deployment/api has no results",
    ),
    (
        "trivy_operator",
        r#"{"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "VulnerabilityReport", "report": {"scanner": {"version": "1"}, "summary": {"criticalCount": 0}}}"#,
        "its list /report/vulnerabilities is missing, which trivy-operator always writes",
    ),
    (
        "trivy_operator",
        r#"{"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "SbomReport", "report": {"scanner": {"version": "1"}, "components": {}}}"#,
        "nothing was looked at: this is an inventory, in which nobody has looked",
    ),
    (
        "trivy_operator",
        r#"{"apiVersion": "v1", "kind": "List", "metadata": {"note": "aquasecurity.github.io/"}, "items": []}"#,
        "nothing was looked at: there is no report",
    ),
    (
        "gosec",
        r#"{"Golang errors": {}, "Issues": [], "Stats": {"files": 12, "lines": 90, "nosec": 0, "found": 4}, "GosecVersion": "2"}"#,
        "the tool counts 4, and 0 are listed",
    ),
    (
        "gosec",
        r#"{"Golang errors": {}, "Issues": [], "Stats": {"files": 0, "lines": 0, "nosec": 0, "found": 0}, "GosecVersion": "2"}"#,
        "nothing was looked at: no files",
    ),
    (
        "bandit",
        r#"{"errors": [], "generated_at": "2024", "metrics": {"_totals": {"SEVERITY.HIGH": 1, "SEVERITY.LOW": 2, "loc": 9}}, "results": []}"#,
        "the tool counts 3, and 0 are listed",
    ),
    (
        "bandit",
        r#"{"errors": [], "generated_at": "2024", "metrics": {"_totals": {"SEVERITY.HIGH": 0, "loc": 0}}, "results": []}"#,
        "nothing was looked at: no lines of code",
    ),
    (
        "semgrep",
        r#"{"version": "1", "results": [], "errors": [{"level": "warn", "type": "Timeout", "message": "Timeout when running js.slow on a.js"}], "paths": {"scanned": ["a.js"]}}"#,
        "Timeout when running js.slow on a.js",
    ),
    (
        "semgrep",
        r#"{"version": "1", "results": [], "errors": [], "paths": {"scanned": []}, "skipped_rules": []}"#,
        "nothing was looked at: it names no scanned files",
    ),
    (
        "semgrep",
        r#"{"version": "1", "results": [], "errors": [], "paths": {"scanned": ["b.py"], "skipped": [{"path": "a.py", "reason": "insufficient_permissions"}]}}"#,
        "a.py was skipped: insufficient_permissions",
    ),
    ("eslint", "[]", "nothing was looked at: no file was linted"),
    (
        "eslint",
        r#"[{"filePath": "a.js", "messages": [], "errorCount": 2, "warningCount": 1}]"#,
        "the tool counts 3, and 0 are listed",
    ),
    (
        "junit",
        r#"<testsuites><testsuite name="a" tests="0" errors="0" failures="0"/></testsuites>"#,
        "nothing was looked at: no test case",
    ),
    (
        "junit",
        r#"<testsuite name="a" tests="1" errors="0" failures="2"><testcase name="x"><failure message="m"/></testcase></testsuite>"#,
        "the tool counts 2, and 1 are listed",
    ),
    (
        "noseyparker",
        r#"{"rule_name": "AWS", "num_matches": 9, "matches": [{"provenance": [{"path": "a"}], "match_content": "x"}]}"#,
        "the tool counts 9, and 1 are listed",
    ),
    (
        "kingfisher",
        r#"{"findings": [], "metadata": {"kingfisher_version": "2"}} {"findings": 3, "rules_applied": 488}"#,
        "the tool counts 3, and 0 are listed",
    ),
    (
        "trufflehog",
        "[]",
        "an empty list is no evidence of a scan; keep the log too",
    ),
    (
        "trufflehog",
        r#"{"level": "info-0", "ts": "2024", "logger": "trufflehog", "msg": "finished scanning", "chunks": 0, "verified_secrets": 0, "unverified_secrets": 0}"#,
        "nothing was looked at: no chunks of data",
    ),
    (
        "detect_secrets",
        r#"{"version": "1.5.0", "plugins_used": [], "results": {}}"#,
        "nothing was looked at: it used no plugins",
    ),
    (
        "gitlab_dast",
        r#"{"version": "15.0.0", "scan": {"type": "dast", "status": "success", "scanned_resources": [], "scanner": {"name": "x"}}, "vulnerabilities": []}"#,
        "nothing was looked at: the list is empty",
    ),
    (
        "gitlab_sast",
        r#"{"version": "15.0.0", "scan": {"type": "sast", "status": "success", "messages": [{"level": "warn", "value": "Syntax error in a.js"}], "scanner": {"name": "x"}}, "vulnerabilities": []}"#,
        "Syntax error in a.js",
    ),
    (
        "njsscan",
        r#"{"njsscan_version": "1", "templates": {}, "errors": []}"#,
        "its object /nodejs is missing, which njsscan always writes",
    ),
    (
        "nmap",
        r#"<nmaprun version="7"><runstats><finished exit="success"/><hosts up="0" down="1" total="1"/></runstats></nmaprun>"#,
        "nothing was looked at: no host answered",
    ),
    (
        "nmap",
        r#"<nmaprun version="7"><host><ports><extraports/></ports></host></nmaprun>"#,
        "it does not say that it ended",
    ),
    (
        "zap",
        r#"<OWASPZAPReport version="2"/>"#,
        "nothing was looked at: no site",
    ),
    (
        "spotbugs",
        r#"<BugCollection version="4"><FindBugsSummary total_classes="0" total_bugs="0"/></BugCollection>"#,
        "nothing was looked at: no classes",
    ),
    (
        "spotbugs",
        r#"<BugCollection version="4"><FindBugsSummary total_classes="7" total_bugs="3"/></BugCollection>"#,
        "the tool counts 3, and 0 are listed",
    ),
    (
        "sslyze",
        r#"{"server_scan_results": [], "sslyze_version": "5"}"#,
        "nothing was looked at: no server",
    ),
    (
        "testssl",
        "\"id\",\"fqdn/ip\",\"port\",\"severity\",\"finding\",\"cve\",\"cwe\"\n",
        "nothing was looked at: the table has no rows",
    ),
    (
        "testssl",
        "\"id\",\"fqdn/ip\",\"port\",\"severity\",\"finding\",\"cve\",\"cwe\"\n\"BREACH\",\"h/1\",\"443\",\"WARN\",\"not tested, no HTTP\",\"\",\"\"\n",
        "not tested, no HTTP",
    ),
];

/// Reports of complete scans that have found nothing.
const CLEAN: &[(&str, &str)] = &[
    (
        "zap",
        r#"{"@programName": "ZAP", "@version": "2.16.1", "site": [{"@name": "https://a", "alerts": []}]}"#,
    ),
    (
        "golangci_lint",
        r#"{"Issues": [], "Report": {"Linters": [{"Name": "errcheck", "Enabled": true}]}}"#,
    ),
    (
        "golangci_lint",
        "{\"Issues\": [], \"Report\": {\"Linters\": [{\"Name\": \"errcheck\", \"Enabled\": true}]}}\n0 issues.\n",
    ),
    (
        "scorecard",
        r#"{"repo": {"name": "r"}, "scorecard": {"version": "v5"}, "checks": [{"name": "SAST", "score": 10, "reason": "all commits", "details": null}]}"#,
    ),
    (
        "cargo_deny",
        r#"{"type": "summary", "fields": {"bans": {"errors": 0, "warnings": 0, "notes": 0, "helps": 0}}}"#,
    ),
    (
        "dependency_check",
        r#"{"reportSchema": "1.1", "scanInfo": {"engineVersion": "12"}, "dependencies": [{"fileName": "a.jar"}]}"#,
    ),
    (
        "stylelint",
        r#"[{"source": "a.css", "warnings": [], "errored": false, "invalidOptionWarnings": []}]"#,
    ),
    (
        "pmd",
        r#"{"formatVersion": 0, "pmdVersion": "7", "files": [], "suppressedViolations": [], "processingErrors": [], "configurationErrors": []}"#,
    ),
    ("pmd", r#"<pmd version="7" timestamp="2025-09-02"></pmd>"#),
    (
        "pylint",
        r#"{"messages": [], "statistics": {"messageTypeCount": {"error": 0}, "modulesLinted": 3, "score": 10}}"#,
    ),
    ("mypy", "Success: no issues found in 2 source files\n"),
    (
        "cppcheck",
        r#"<results version="3"><cppcheck version="2.18"/><errors></errors></results>"#,
    ),
    (
        "trufflehog",
        r#"{"level": "info-0", "ts": "2024", "logger": "trufflehog", "msg": "finished scanning", "verified_secrets": 0}"#,
    ),
    (
        "govulncheck",
        r#"{"config": {"protocol_version": "v1.0.0"}} {"progress": {"message": "Fetching vulnerabilities from the database..."}} {"progress": {"message": "Checking the code against the vulnerabilities..."}}"#,
    ),
    (
        "semgrep",
        r#"{"version": "1", "results": [], "errors": [], "paths": {"scanned": ["a.py"], "skipped": [{"path": "b.py", "reason": "semgrepignore_patterns_match"}]}}"#,
    ),
    (
        "junit",
        r#"<testsuites><testsuite name="a" tests="1" errors="0"><testcase name="x"/></testsuite></testsuites>"#,
    ),
    (
        "terrascan",
        r#"{"results": {"violations": null, "scan_summary": {"policies_validated": 9, "violated_policies": 0}}}"#,
    ),
    (
        "anchore_grype",
        r#"{"matches": [], "descriptor": {"name": "grype", "db": {"status": {"valid": true}}}}"#,
    ),
    (
        "checkov",
        r#"{"check_type": "terraform", "results": {"failed_checks": []}, "summary": {"passed": 3, "failed": 0, "skipped": 1, "resource_count": 2, "checkov_version": "3"}}"#,
    ),
    (
        "kubelinter",
        r#"{"Checks": [{"name": "a"}], "Reports": null, "Summary": {"ChecksStatus": "Passed"}}"#,
    ),
    (
        "popeye",
        r#"{"popeye": {"score": 100, "sections": [{"linter": "pods", "tally": {"ok": 1}, "issues": {"a/b": []}}]}}"#,
    ),
    (
        "trivy",
        r#"{"SchemaVersion": 2, "ArtifactName": "shop/api:1", "ArtifactType": "container_image", "Results": [{"Target": "shop/api:1 (debian 12.9)", "Class": "os-pkgs", "Type": "debian"}]}"#,
    ),
    (
        "ggshield",
        r#"{"id": "x", "type": "path_scan", "total_incidents": 0, "total_occurrences": 0}"#,
    ),
];

/// Reports of nothing that do not say of which tool they are: a person names the format.
const CLEAN_IF_NAMED: &[(&str, &str)] = &[
    ("actionlint", "[]"),
    ("pylint", "[]"),
    ("tflint", r#"{"issues": [], "errors": []}"#),
    ("shellcheck", "[]"),
    ("github_sast", "[]"),
    ("ruff", "[]"),
    ("composer_audit", "{\"advisories\": []}"),
    ("retirejs", "{\"version\": \"2.0.0\", \"data\": []}"),
    (
        "gitlab_dep_scan",
        "{\"version\": \"2.0\", \"vulnerabilities\": [], \"remediations\": []}",
    ),
    (
        "gitlab_sast",
        "{\"version\": \"2.0\", \"vulnerabilities\": [], \"remediations\": []}",
    ),
    ("generic", "{\"findings\": []}"),
    ("cfn_lint", "[]"),
    ("hadolint", "[]"),
    ("tfsec", "{\"results\": null}"),
];

/// Texts that a tool writes in the place of a report.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "kube_score",
        r#"{"Pod/v1//p": {"TypeMeta": {"kind": "Pod"}, "ObjectMeta": {"name": "p"}, "Checks": [{"Check": {"ID": "a"}, "Grade": 1, "Skipped": false, "Comments": null}]}}"#,
        "version \"1\"",
    ),
    (
        "scorecard",
        r#"{"Repo": "r", "Date": "2021-01-01", "Checks": [{"Name": "SAST", "Confidence": 10, "Pass": true}]}"#,
        "version \"1\"",
    ),
    (
        "pmd",
        r#"{"formatVersion": 1, "pmdVersion": "9", "files": [], "suppressedViolations": [], "processingErrors": [], "configurationErrors": []}"#,
        "version \"1\"",
    ),
    (
        "cppcheck",
        r#"<results><error file="a.c" line="1" id="x" severity="error" msg="m"/></results>"#,
        "version \"1\"",
    ),
    (
        "prowler",
        "PROFILE,ACCOUNT_NUM,REGION,TITLE_ID,CHECK_RESULT\n",
        "version \"2\"",
    ),
    (
        "npm_audit",
        r#"{"error": {"code": "ENOLOCK", "summary": "This command requires an existing lockfile.", "detail": ""}}"#,
        "This command requires an existing lockfile.",
    ),
    (
        "npm_audit_7_plus",
        r#"{"message": "request failed", "error": {"code": "ENOTFOUND", "summary": "", "detail": ""}}"#,
        "$.vulnerabilities",
    ),
    (
        "pnpm_audit",
        r#"{"error": {"code": "ERR_PNPM_AUDIT_NO_LOCKFILE", "message": "No pnpm-lock.yaml found"}}"#,
        "ERR_PNPM_AUDIT_NO_LOCKFILE",
    ),
    (
        "yarn_audit",
        r#"{"type": "error", "data": "Received invalid response from npm audit."}"#,
        "Received invalid response",
    ),
    (
        "snyk",
        r#"{"ok": false, "error": "Authentication failed", "path": "/x"}"#,
        "Authentication failed",
    ),
    (
        "trufflehog",
        r#"{"message": "nothing of TruffleHog"}"#,
        "none of the lines has a DetectorName",
    ),
];

#[test]
fn a_scan_that_did_not_see_everything_says_why_and_is_not_clean() {
    for (format, text, reason) in INCOMPLETE {
        let report = read(text.as_bytes(), None, Some(format))
            .unwrap_or_else(|error| panic!("{format}: {error}"));
        let said = serde_json::to_value(&report.completeness).unwrap();
        assert_eq!(said["reason"], *reason, "{format}: {text}");
        assert!(!report.is_clean(), "{format}: {text}");
        // The place is among the problems, so that a person can look it up.
        let is_told = |problem: &holdpoint_importers::Problem| problem.message.contains(reason);
        assert!(report.problems.iter().any(is_told), "{format}: {text}");
    }
}

#[test]
fn a_file_that_only_says_null_is_taken_for_no_scan() {
    // What `jq` prints where the report has no such field.
    for text in ["null", " null\n"] {
        assert!(read(text.as_bytes(), None, None).is_err(), "{text}");
        for importer in holdpoint_importers::IMPORTERS {
            let named = read(text.as_bytes(), None, Some(importer.name()));
            let is_clean = named.is_ok_and(|report| report.is_clean());
            assert!(!is_clean, "{}: {text}", importer.name());
        }
    }
}

#[test]
fn a_complete_scan_without_findings_is_clean() {
    for (format, text) in CLEAN {
        let report =
            read(text.as_bytes(), None, None).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(report.format, *format);
        assert!(report.is_clean(), "{format}: {:?}", report.completeness);
    }
}

#[test]
fn an_error_in_the_place_of_a_report_is_refused_with_what_it_says() {
    for (format, text, said) in REFUSED {
        let error = read(text.as_bytes(), None, Some(format)).expect_err(format);
        assert!(error.to_string().contains(said), "{format}: {error}");
    }
}

#[test]
fn a_bare_report_of_nothing_is_clean_where_a_person_names_its_format() {
    for (format, text) in CLEAN_IF_NAMED {
        let report = read(text.as_bytes(), None, Some(format))
            .unwrap_or_else(|error| panic!("{format}: {error}"));
        assert!(report.is_clean(), "{format}: {text}");
    }
    // Of a format that never writes it, it is no report.
    for (format, text) in [("trivy", "[]"), ("gosec", "{}"), ("brakeman", "[]")] {
        let error = read(text.as_bytes(), None, Some(format)).expect_err(format);
        assert!(error.to_string().contains("nothing in it is of"), "{error}");
    }
}

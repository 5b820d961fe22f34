//! Scanner reports of any size, made up for measuring.

const LEVELS: [&str; 3] = ["error", "warning", "note"];

/// A report as real scanners write them: 200 rules, 877 bytes for each result on average, 100,000 of them. `shift` moves every
/// line, `skip` leaves out the first results, `fresh` adds new ones.
pub(crate) fn sarif(n: usize, shift: usize, skip: usize, fresh: usize) -> Vec<u8> {
    let rules: Vec<_> = (0..200)
        .map(|rule| {
            serde_json::json!({
                "id": format!("lang.security.rule-{rule:03}"),
                "name": format!("Rule{rule}"),
                "shortDescription": { "text": format!("Rule {rule} finds a pattern that is risky in production") },
                "fullDescription": { "text": "A longer text that says why the pattern is risky, and what to do instead. ".repeat(3) },
                "helpUri": format!("https://rules.example.org/{rule}"),
                "defaultConfiguration": { "level": LEVELS[rule % 3] },
                "properties": { "security-severity": format!("{}.5", rule % 10), "tags": ["external/cwe/cwe-079"] },
            })
        })
        .collect();
    let results: Vec<_> = (skip..n)
        .chain(1_000_000..1_000_000 + fresh)
        .map(|at| {
            let rule = at % 200;
            let line = 10 + at % 900 + shift;
            serde_json::json!({
                "ruleId": format!("lang.security.rule-{rule:03}"),
                "ruleIndex": rule,
                "level": "warning",
                "message": { "text": format!("The call at place {at} takes input that was not checked before, and hands it on to a function that trusts it. Check the input first, or use a function that does.") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": format!("src/module_{:03}/file_{:04}.py", at % 97, at % 1931), "uriBaseId": "%SRCROOT%" },
                    "region": { "startLine": line, "startColumn": 5, "endLine": line + 1, "endColumn": 42,
                        "snippet": { "text": format!("    result_{at} = handler_{at}(request.args[\"value_{at}\"], trusted=True)") } },
                } }],
                "properties": { "confidence": "MEDIUM", "likelihood": "HIGH", "note": "x".repeat(267) },
            })
        })
        .collect();
    serde_json::to_vec(&serde_json::json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": { "name": "bench", "version": "1.0", "rules": rules } }, "results": results }],
    }))
    .expect("texts and numbers serialise")
}

//! ScoutSuite, its results (`scoutsuite_results_….js`: JSON behind the name of a variable) and the same as plain JSON.
//!
//! The source is nccgroup/ScoutSuite, `ScoutSuite/core/processingengine.py` and `ScoutSuite/providers/base/provider.py`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of the `items` of each of `services/*/findings` | one finding; of a rule that flags items without naming them, one |
//! | `level` | danger high, warning medium |
//! | `flagged_items` above the listed; a rule without `items` | the rule did not run to its end: the scan is incomplete |
//! | no rule, or nothing checked by any | nothing was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const SCOUTSUITE: Format = Format {
    name: "scoutsuite",
    title: "ScoutSuite results",
    tool: "ScoutSuite",
    detect,
    lists: &[
        "services{}",
        "services/*~/findings?{}",
        "services/*~/findings?/*/items[]",
    ],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(
        sniff.head.trim_start().starts_with("scoutsuite_results")
            || object_with(sniff, &["last_run", "provider_code", "services"]),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('{') {
        return read_results(reading, text);
    }
    let whole = text.whole()?;
    match whole.find('{') {
        // With the line break before it, so that lines count from the file's first.
        Some(at) => {
            let from = whole[..at].find('\n').unwrap_or(at);
            read_results(reading, Body::Whole(&whole[from..]))
        }
        None => Err(reading.broken("line 1", "there is no JSON in it.")),
    }
}

fn read_results(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let (mut n_rules, mut n_checked) = (0_usize, 0.0);
    let pattern = &["services", "*", "findings", "*"];
    let rest = reading.stream(text, &[pattern], &mut |reading, pointer, rule| {
        n_rules += 1;
        n_checked += rule.number("checked_items").unwrap_or(0.0);
        read_rule(reading, pointer, rule);
        Ok(())
    })?;
    reading.tool("", &rest.text("last_run/version"));
    reading.scanned_at(&rest.text("last_run/time"));
    let account = rest.text("account_id");
    if !account.is_empty() {
        reading.target(&format!("{} {account}", rest.text("provider_code")));
    }
    if n_rules == 0 || n_checked <= 0.0 {
        reading.nothing_looked_at("/services", "no rule has checked anything");
    }
    Ok(())
}

fn read_rule(reading: &mut Reading<'_>, pointer: &str, rule: &Loose<'_>) {
    let items = rule.each("items");
    let flagged = rule.number("flagged_items");
    reading.declared(pointer, flagged, items.len());
    if items.is_empty() && flagged.unwrap_or(0.0) <= 0.0 {
        reading.not_a_finding();
        return;
    }
    let severity = match &*rule.text("level") {
        "danger" => Severity::High,
        word => reading.severity(pointer, word),
    };
    let key = pointer.rsplit('/').next().unwrap_or("");
    let nothing = [Loose::Null];
    let items = if items.is_empty() { &nothing } else { items };
    for (at, item) in items.iter().enumerate() {
        reading.add(
            Finding::of(
                &rule.text("description"),
                severity,
                &format!("{pointer}/items/{at}"),
            )
            .with_rule(key)
            .with_rule_name(&rule.text("description"))
            .with_description(&rule.text("rationale"))
            .with_remediation(&rule.text("remediation"))
            .with_link(
                &rule
                    .each("references")
                    .first()
                    .map_or("".into(), Loose::own_text),
            )
            .with_scope(&item.own_text())
            .with_tag(&rule.text("service"))
            .with_category(Category::Configuration),
        );
    }
}

//! Chef InSpec and CINC Auditor, JSON (reporters `json` and `json-min`), and the Heimdall Data Format (HDF), which is the same
//! with what converters add.
//!
//! Source: `inspec/inspec`, `lib/inspec/reporters/json.rb` and `json_min.rb`; `mitre/heimdall2`, `libs/inspecjs/src`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each control with a result that failed | one finding, with the failed results as its message |
//! | a control that was skipped | a person is asked to look |
//! | a result with an exception, of the state error | one finding as the result is (failed: open; else a person is asked to look), and the scan is incomplete |
//! | a control without results | none, and the scan is incomplete |
//! | a control whose results all passed | none |
//! | `impact` | 0.9 critical, 0.7 high, 0.4 medium, 0.1 low, less info; `json-min` has none: unrated |
//! | `waiver_data` in effect, an attestation that it passed | suppressed, with the justification |
//! | a profile that is an overlay | its impact, its waiver and its title count for the control below |
//! | a profile with the status skipped or failed, no control at all | the scan is incomplete |

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const INSPEC: Format = Format {
    name: "inspec",
    title: "InSpec JSON or Heimdall Data Format",
    tool: "InSpec",
    detect,
    lists: &[
        "profiles?/*/controls",
        "profiles?/*/controls/*/results",
        "controls?",
    ],
    read,
};

/// Further results of a control say no more.
const MOST_MESSAGES: usize = 50;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_whole = object_with(sniff, &["profiles", "platform", "statistics"]);
    let is_min = object_with(sniff, &["controls", "statistics", "version"])
        && sniff.text.contains("\"profile_id\"");
    certain_if(is_whole || is_min)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    reading.needs_object(&whole, "")?;
    reading.tool("", &whole.text("version"));
    let n = if whole.has("profiles") {
        read_profiles(reading, &whole)?
    } else {
        read_min(reading, &whole)?
    };
    let counted = whole.at("statistics/controls");
    reading.declared("/statistics/controls/total", counted.number("total"), n);
    if n == 0 {
        reading.nothing_looked_at("/profiles", "no control");
    }
    Ok(())
}

/// The reporter `json-min`: one result after another, without ratings.
fn read_min(reading: &mut Reading<'_>, whole: &Loose<'_>) -> Result<usize, ImportError> {
    let results = reading.needs_list(whole, "controls")?;
    for (at, result) in results.iter().enumerate() {
        let pointer = format!("/controls/{at}");
        reading.needs_object(result, "")?;
        let words = result.first_text(&["code_desc", "id"]);
        let Some(state) = state_of(reading, &pointer, &result.text("id"), result) else {
            reading.not_a_finding();
            continue;
        };
        let severity = impact(reading, &pointer, result.at("impact"));
        let finding = Finding::of(&words, severity, &pointer)
            .with_rule(&result.text("id"))
            .with_message(&result_text(result))
            .with_scope(&result.text("resource"))
            .with_tag(&result.text("profile_id"))
            .with_status(state)
            .with_category(Category::Configuration);
        reading.add(finding);
    }
    Ok(results.len())
}

fn read_profiles(reading: &mut Reading<'_>, whole: &Loose<'_>) -> Result<usize, ImportError> {
    let profiles = reading.needs_list(whole, "profiles")?;
    for (at, profile) in profiles.iter().enumerate() {
        let (name, status) = (profile.text("name"), profile.text("status"));
        if !matches!(&*status, "" | "loaded") {
            let why = profile.first_text(&["skip_message", "status_message", "status"]);
            reading.incomplete(
                format!("/profiles/{at}/status"),
                &format!("the profile {name} is {status}: {why}"),
            );
        }
    }
    // The profile that includes another stands before it; the outermost decides.
    let mut outer: HashMap<String, &Loose<'_>> = HashMap::new();
    let is_below = |profile: &Loose<'_>| !profile.text("parent_profile").is_empty();
    let tops = profiles.iter().filter(|profile| !is_below(profile));
    let mut target = vec![whole.text("platform/target_id")];
    target.extend(tops.map(|profile| profile.text("name")));
    target.retain(|name| !name.is_empty());
    reading.target(&target.join(" "));
    // The controls of the profiles that each profile includes.
    let mut included: HashSet<(Cow<'_, str>, Cow<'_, str>)> = HashSet::new();
    for profile in profiles.iter().filter(|profile| is_below(profile)) {
        let controls = profile.each("controls").iter();
        included
            .extend(controls.map(|control| (profile.text("parent_profile"), control.text("id"))));
    }
    let mut n = 0_usize;
    for (at, profile) in profiles.iter().enumerate() {
        for (c, control) in profile.each("controls").iter().enumerate() {
            let pointer = format!("/profiles/{at}/controls/{c}");
            let id = control.text("id").into_owned();
            let results = reading.optional_list(&pointer, control, "results")?;
            let over = if is_below(profile) {
                outer.get(&id).copied()
            } else {
                None
            };
            let is_overlay = included.contains(&(profile.text("name"), id.as_str().into()));
            if results.is_empty() && is_overlay {
                outer.entry(id).or_insert(control);
                continue;
            }
            n += 1;
            if results.is_empty() {
                reading.incomplete(&*pointer, &format!("the control {id} has no results"));
                continue;
            }
            match finding(reading, &pointer, control, over.unwrap_or(control), results)? {
                Some(finding) => reading.add(finding.with_tag(&profile.text("name"))),
                None => reading.not_a_finding(),
            }
        }
    }
    Ok(n)
}

/// `None` for a result that passed.
fn state_of(
    reading: &mut Reading<'_>,
    pointer: &str,
    control: &str,
    result: &Loose<'_>,
) -> Option<ScannerStatus> {
    // What a check expected and did not find is no error of the check.
    let exception = result.text("exception");
    let has_failed_itself = !exception.is_empty() && !exception.ends_with("NotMetError");
    match &*result.text("status") {
        "failed" if has_failed_itself => {
            let said = result.first_text(&["message", "exception"]);
            reading.incomplete(pointer, &format!("{control} could not be checked: {said}"));
            Some(ScannerStatus::Open)
        }
        "passed" => None,
        "failed" => Some(ScannerStatus::Open),
        "skipped" => Some(ScannerStatus::Review),
        "error" => {
            let said = result.first_text(&["message", "skip_message", "exception"]);
            reading.incomplete(pointer, &format!("{control} could not be checked: {said}"));
            Some(ScannerStatus::Review)
        }
        word => {
            reading.unknown_word(pointer, "status", word);
            Some(ScannerStatus::Open)
        }
    }
}

fn result_text(result: &Loose<'_>) -> String {
    let said = result.first_text(&["message", "skip_message"]);
    let what = result.text("code_desc");
    if said.is_empty() {
        what.into_owned()
    } else {
        format!("{what}: {said}")
    }
}

fn impact(reading: &mut Reading<'_>, pointer: &str, impact: &Loose<'_>) -> Severity {
    let word = impact.own_text();
    match word.parse::<f64>() {
        Ok(number) if (0.0..=1.0).contains(&number) => match number {
            n if n >= 0.9 => Severity::Critical,
            n if n >= 0.7 => Severity::High,
            n if n >= 0.4 => Severity::Medium,
            n if n >= 0.1 => Severity::Low,
            _ => Severity::Info,
        },
        _ => reading.severity(pointer, &word),
    }
}

/// Why a control does not count, where that is in effect.
fn waived(control: &Loose<'_>) -> Option<String> {
    let waiver = control.at("waiver_data");
    let is_skipped = waiver.flag("skipped_due_to_waiver");
    // What has expired says so.
    let is_in_effect = is_skipped || waiver.flag("run") && waiver.text("message").is_empty();
    let justification = waiver.text("justification");
    (is_in_effect && !waiver.own_entries().is_empty()).then(|| justification.into_owned())
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    control: &Loose<'_>,
    over: &Loose<'_>,
    results: &[Loose<'_>],
) -> Result<Option<Finding>, ImportError> {
    let id = control.text("id");
    let mut states = Vec::new();
    let mut messages = Vec::new();
    for (at, result) in results.iter().enumerate() {
        reading.needs_object(result, "")?;
        let pointer = format!("{pointer}/results/{at}");
        if let Some(state) = state_of(reading, &pointer, &id, result) {
            states.push(state);
            if messages.len() < MOST_MESSAGES {
                messages.push(result_text(result));
            }
        }
    }
    if states.is_empty() {
        return Ok(None);
    }
    let mut status = if states.contains(&ScannerStatus::Open) {
        ScannerStatus::Open
    } else {
        ScannerStatus::Review
    };
    let mut reason = waived(over).or_else(|| waived(control));
    let attested = [over, control].into_iter().find(|control| {
        control
            .text("attestation_data/status")
            .eq_ignore_ascii_case("passed")
    });
    let has_passed = results
        .iter()
        .any(|one| one.text("status").eq_ignore_ascii_case("passed"));
    // One that has run out is still there, and adds a result that was skipped in the place of one that passed.
    if status == ScannerStatus::Review
        && has_passed
        && let Some(control) = attested
    {
        reason = reason.or(Some(
            control.text("attestation_data/explanation").into_owned(),
        ));
    }
    if reason.is_some() {
        status = ScannerStatus::Suppressed;
    }
    let own = if over.has("impact") { over } else { control };
    let severity = impact(reading, pointer, own.at("impact"));
    let title = [over, control].map(|control| control.text("title"));
    let title = title.iter().find(|title| !title.is_empty());
    let described = |label: &str| {
        let list = control.each("descriptions").iter();
        let mut list = list.filter(|one| one.text("label") == label);
        list.next().map_or("".into(), |one| one.text("data"))
    };
    let mut finding = Finding::of(title.map_or(&*id, |title| &**title), severity, pointer)
        .with_rule(&id)
        .with_description(&control.text("desc"))
        .with_message(&messages.join("\n"))
        .with_remediation(&control.text("tags/fix"))
        .with_remediation(&described("fix"))
        .with_cwe(control.at("tags/cwe"))
        .with_cwe(control.at("tags/cweid"))
        .with_partial_fingerprint(&id)
        .with_status(status)
        .with_category(Category::Configuration);
    for reference in control.each("refs") {
        finding = finding.with_link(&reference.first_text(&["url", "ref"]));
    }
    for cve in control.each("tags/cve") {
        finding = finding.with_ids(&cve.own_text());
    }
    Ok(Some(match reason {
        Some(reason) => finding.with_suppression_reason(&reason),
        None => finding,
    }))
}

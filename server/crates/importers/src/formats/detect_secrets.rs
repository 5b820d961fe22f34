//! Baselines of Yelp detect-secrets.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each entry of `results` | one finding, severity high |
//! | `is_secret: false` | suppressed: somebody has looked at it with `detect-secrets audit` |
//! | `plugins_used` empty | nothing was looked for: the scan is incomplete |
//! | `hashed_secret` | part of the identity |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const DETECT_SECRETS: Format = Format {
    name: "detect_secrets",
    title: "detect-secrets baseline",
    tool: "detect-secrets",
    detect,
    lists: &["plugins_used", "results{}", "results/*"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(sniff, &["plugins_used"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["results", "*", "*"]],
        &mut |reading, pointer, secret| {
            reading.add(finding(pointer, secret));
            Ok(())
        },
    )?;
    reading.needs_object(&rest, "results")?;
    let plugins = rest.at("plugins_used");
    if plugins.is_list() && plugins.items().is_empty() {
        reading.nothing_looked_at("/plugins_used", "it used no plugins");
    }
    reading.tool("", &rest.text("version"));
    reading.scanned_at(&rest.text("generated_at"));
    Ok(())
}

fn finding(pointer: &str, secret: &Loose<'_>) -> Finding {
    let kind = secret.text("type");
    let is_false = matches!(secret.at("is_secret"), Loose::Bool(false));
    let status = if is_false {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    };
    Finding::of(&kind, Severity::High, pointer)
        .with_rule(&kind)
        .with_path(&secret.text("filename"))
        .with_lines(secret.line("line_number"), None)
        .with_partial_fingerprint(&secret.text("hashed_secret"))
        .with_category(Category::Secret)
        .with_status(status)
}

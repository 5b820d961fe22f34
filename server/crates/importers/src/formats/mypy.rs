//! mypy, JSON lines (`--output json`), with the line of text that sums them up if it is there.
//!
//! The source is python/mypy, `mypy/error_formatter.py` and `mypy/util.py` (`FancyFormatter`).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each line of JSON | one finding: error high, note info; before version 1.12 without a severity, and high |
//! | the code `syntax` | what could not be parsed ends the check: the scan is incomplete |
//! | `Found 3 errors in 2 files (…)` | more counted than listed, "errors prevented further checking": the scan is incomplete |
//! | `Success: no issues found in 3 source files` | no finding; of no file: the scan is incomplete |
//! | a last line without its end | the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::{Loose, broken_piece};
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const MYPY: Format = Format {
    name: "mypy",
    title: "mypy JSON lines",
    tool: "mypy",
    detect,
    lists: &[],
    read,
};

const SUCCESS: &str = "Success: no issues found in ";

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let keys = ["file", "line", "column", "message", "hint", "code"];
    let is_json = object_with(sniff, &keys) || list_with(sniff, &keys);
    certain_if(is_json || sniff.text.trim_start().starts_with(SUCCESS))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('[') {
        return reading.documents(text, &mut |reading, place, message| {
            add(reading, place, message);
            Ok(())
        });
    }
    let (mut n_errors, mut declared) = (0_usize, None);
    text.lines(&mut |number, line| {
        let place = format!("line {number}");
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix(SUCCESS) {
            if rest.starts_with("0 ") {
                reading.nothing_looked_at(&place, "no source file");
            }
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("Found ") {
            let n = rest.split(' ').next().and_then(|n| n.parse::<f64>().ok());
            declared = Some((place.clone(), n));
            if rest.contains("prevented further checking") {
                reading.incomplete(&*place, line);
            }
            return Ok(());
        }
        let message: Loose<'_> = serde_json::from_str(line).map_err(|error| {
            broken_piece(reading.format, line, &error, "$", (number, error.column()))
        })?;
        reading.needs_object(&message, "")?;
        n_errors += usize::from(message.text("severity") != "note");
        add(reading, &place, &message);
        Ok(())
    })?;
    if let Some((place, n)) = declared {
        reading.declared(&place, n, n_errors);
    }
    reading.needs_last_line_break(text)
}

fn add(reading: &mut Reading<'_>, place: &str, message: &Loose<'_>) {
    let path = message.text("file");
    let words = message.text("message");
    let code = message.text("code");
    if code == "syntax" {
        reading.incomplete(place, &format!("{path} could not be parsed: {words}"));
    }
    let severity = match &*message.text("severity") {
        "note" => Severity::Info,
        _ if !message.has("severity") => Severity::High,
        word => reading.severity(place, word),
    };
    reading.add(
        Finding::of(&words, severity, place)
            .with_rule(&code)
            .with_message(&words)
            .with_remediation(&message.text("hint"))
            .with_path(&path)
            .with_lines(message.line("line"), None)
            .with_category(Category::Code),
    );
}

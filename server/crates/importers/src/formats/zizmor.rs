//! zizmor, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each element | one finding, at its primary place; rows and columns count from 0 there |
//! | `determinations.severity` | as it is; Unknown is unrated |
//! | `ignored` | suppressed |

use super::reading::{Format, Reading, adding, certain_or_empty, list_with};
use crate::json::{Loose, whole_number};
use crate::text::{clean_line, normal_path};
use crate::{Body, Category, Confidence, Finding, ImportError, Place, ScannerStatus, Sniff};

pub const ZIZMOR: Format = Format {
    name: "zizmor",
    title: "zizmor JSON",
    tool: "zizmor",
    detect,
    lists: &["*/locations", "*/determinations{}"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_or_empty(sniff, list_with(sniff, &["ident", "determinations"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["*"]], &mut adding(finding))?;
    reading.needs_list(&rest, "").map(|_| ())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, result: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &result.text("determinations/severity"));
    let status = if result.flag("ignored") {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    };
    let places = result.each("locations");
    let nothing = Loose::Null;
    let main = places
        .iter()
        .find(|place| place.text("symbolic/kind") == "Primary");
    let main = main.or(places.first()).unwrap_or(&nothing);
    let message = main.text("symbolic/annotation");
    let mut finding = Finding::of(&result.text("desc"), severity, pointer)
        .with_rule(&result.text("ident"))
        .with_message(&message)
        .with_description(&result.text("desc"))
        .with_link(&result.text("url"))
        .with_path(&path(main))
        .with_lines(
            from_zero(main, "start_point/row"),
            from_zero(main, "end_point/row"),
        )
        .with_columns(
            from_zero(main, "start_point/column"),
            from_zero(main, "end_point/column"),
        )
        .with_snippet(&main.text("concrete/feature"))
        .with_status(status)
        .with_category(Category::Configuration);
    let others = places.iter().filter(|place| !std::ptr::eq(*place, main));
    finding.related = others
        .map(|place| Place {
            path: Some(normal_path(&path(place), None)).filter(|path| !path.is_empty()),
            start_line: from_zero(place, "start_point/row"),
            message: Some(clean_line(&place.text("symbolic/annotation"))),
            ..Place::default()
        })
        .collect();
    finding
}

fn path(place: &Loose<'_>) -> String {
    let key = place.at("symbolic/key");
    let path = key.first_text(&["Local/verbatim_path", "Local/given_path", "Remote/path"]);
    path.into_owned()
}

fn from_zero(place: &Loose<'_>, point: &str) -> Option<u32> {
    let number = place
        .number(&format!("concrete/location/{point}"))
        .and_then(whole_number);
    number.and_then(|number| number.checked_add(1))
}

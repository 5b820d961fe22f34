//! Fairwinds Polaris, JSON.
//!
//! The source is FairwindsOps/polaris, `pkg/validator/output.go` and `pkg/config/severity.go`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each result of an object, of its pod and of the pod's containers without `Success` | one finding |
//! | `Severity` | danger (error before) high, warning medium, ignore info |
//! | `Success` that is neither true nor false | one finding, which is told |
//! | no `Results` | nothing was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use super::tree::pointer_step;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const POLARIS: Format = Format {
    name: "polaris",
    title: "Polaris JSON",
    tool: "polaris",
    detect,
    lists: &["Results", "Results/*/PodResult?~/ContainerResults"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(sniff, &["PolarisOutputVersion", "Results"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_objects = 0_usize;
    let rest = reading.stream(
        text,
        &[&["Results", "*"]],
        &mut |reading, pointer, object| {
            n_objects += 1;
            reading.needs_any(pointer, object, &["Kind"]);
            let (kind, name) = (object.text("Kind"), object.text("Name"));
            let scope = match &*object.text("Namespace") {
                "" => format!("{kind} {name}"),
                space => format!("{kind} {space}/{name}"),
            };
            read_results(reading, pointer, &scope, object)?;
            let pod = object.at("PodResult");
            if pod.is_null() {
                return Ok(());
            }
            reading.needs_object(pod, "")?;
            read_results(reading, &format!("{pointer}/PodResult"), &scope, pod)?;
            for (at, container) in pod.each("ContainerResults").iter().enumerate() {
                reading.needs_object(container, "")?;
                let scope = format!("{scope}, container {}", container.text("Name"));
                let pointer = format!("{pointer}/PodResult/ContainerResults/{at}");
                reading.needs_any(&pointer, container, &["Name"]);
                read_results(reading, &pointer, &scope, container)?;
            }
            Ok(())
        },
    )?;
    reading.scanned_at(&rest.text("AuditTime"));
    // What is not a cluster is often a folder that is there for this run only.
    let name = rest.text("DisplayName");
    if rest.text("SourceType").starts_with("Cluster") {
        reading.target(&name);
    }
    if n_objects == 0 {
        reading.nothing_looked_at("/Results", "it has found no object");
    }
    Ok(())
}

/// The results of one level; versions before 1.0 have written lists of them.
fn read_results(
    reading: &mut Reading<'_>,
    pointer: &str,
    scope: &str,
    level: &Loose<'_>,
) -> Result<(), ImportError> {
    match level.at("Results") {
        Loose::Object(results) => {
            for (key, result) in results {
                let pointer = format!("{pointer}/Results/{}", pointer_step(key));
                read_result(reading, &pointer, scope, key, result);
            }
        }
        Loose::List(results) => {
            for (at, result) in results.iter().enumerate() {
                let pointer = format!("{pointer}/Results/{at}");
                reading.needs_object(result, "")?;
                read_result(reading, &pointer, scope, "", result);
            }
        }
        // A map that was never made, and what older versions leave out.
        Loose::Null => {}
        _ => {
            let message = "an object is required here.";
            return Err(reading.broken(&format!("{pointer}/Results"), message));
        }
    }
    Ok(())
}

fn read_result(
    reading: &mut Reading<'_>,
    pointer: &str,
    scope: &str,
    key: &str,
    result: &Loose<'_>,
) {
    match result.at("Success") {
        Loose::Bool(true) => {
            reading.not_a_finding();
            return;
        }
        Loose::Bool(false) => {}
        other => reading.unknown_word(pointer, "success", &other.own_text()),
    }
    let severity = match &*result.text("Severity") {
        "danger" | "error" => Severity::High,
        "ignore" => Severity::Info,
        word => reading.severity(pointer, word),
    };
    let id = match &*result.text("ID") {
        "" => key.to_owned(),
        id => id.to_owned(),
    };
    let details = result.each("Details").iter().map(Loose::own_text);
    let details: Vec<_> = details.collect();
    reading.add(
        Finding::of(&result.text("Message"), severity, pointer)
            .with_rule(&id)
            .with_message(&result.text("Message"))
            .with_description(&details.join("\n"))
            .with_scope(scope)
            .with_tag(&result.text("Category"))
            .with_category(Category::Configuration),
    );
}

//! The parts of a SARIF 2.1.0 log that Holdpoint reads, as they stand in the file. Absent, null and unknown are the same.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use crate::json::{Count, Loose, Many, Skipped, Text};

/// A value that may be absent, which the standard says something of, or null, which it does not know.
#[derive(Debug, Default)]
pub(super) enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Given<T> {
    pub(super) const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<T> Given<Many<T>> {
    pub(super) fn list(&self) -> &[T] {
        self.value().map_or(&[], |list| list)
    }
}

impl Given<Text<'_>> {
    pub(super) fn text(&self) -> Option<&str> {
        self.value().map(|text| &**text)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

/// A run without its results, which are read one by one afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RunHead<'a> {
    #[serde(borrow)]
    pub(super) tool: Tool<'a>,
    pub(super) artifacts: Many<Artifact<'a>>,
    pub(super) original_uri_base_ids: Option<HashMap<Text<'a>, ArtifactLocation<'a>>>,
    pub(super) invocations: Many<Invocation<'a>>,
    pub(super) version_control_provenance: Many<VersionControl<'a>>,
    pub(super) taxonomies: Many<ToolComponent<'a>>,
    pub(super) logical_locations: Many<LogicalLocation<'a>>,
    pub(super) thread_flow_locations: Many<ThreadFlowLocation<'a>>,
    pub(super) external_property_file_references: Option<ExternalFiles>,
    pub(super) automation_details: Option<AutomationDetails<'a>>,
    pub(super) properties: Option<RunProperties<'a>>,
    pub(super) results: Option<Skipped>,
}

/// Which of several runs for one repository this is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AutomationDetails<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
}

/// What Trivy says of an image.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RunProperties<'a> {
    #[serde(borrow)]
    pub(super) image_name: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExternalFiles {
    pub(super) results: Option<Skipped>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tool<'a> {
    #[serde(borrow)]
    pub(super) driver: ToolComponent<'a>,
    pub(super) extensions: Many<ToolComponent<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolComponent<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) guid: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    pub(super) semantic_version: Option<Text<'a>>,
    pub(super) dotted_quad_file_version: Option<Text<'a>>,
    pub(super) rules: Many<Descriptor<'a>>,
    pub(super) taxa: Many<Descriptor<'a>>,
    pub(super) global_message_strings: Option<HashMap<Text<'a>, Message<'a>>>,
}

/// A rule or a taxon.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Descriptor<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    pub(super) guid: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) deprecated_ids: Many<Text<'a>>,
    pub(super) short_description: Option<Message<'a>>,
    pub(super) full_description: Option<Message<'a>>,
    pub(super) help: Option<Message<'a>>,
    pub(super) help_uri: Option<Text<'a>>,
    pub(super) message_strings: Option<HashMap<Text<'a>, Message<'a>>>,
    pub(super) default_configuration: Option<Configuration<'a>>,
    pub(super) relationships: Many<Relationship<'a>>,
    pub(super) properties: Option<Properties<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Configuration<'a> {
    #[serde(borrow)]
    pub(super) level: Given<Text<'a>>,
    pub(super) rank: Option<Loose<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Relationship<'a> {
    #[serde(borrow)]
    pub(super) target: Reference<'a>,
}

/// A reference to a rule or taxon, by id, index or guid, in the driver or another component.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    pub(super) guid: Option<Text<'a>>,
    pub(super) index: Option<Loose<'a>>,
    pub(super) tool_component: Option<ComponentReference<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ComponentReference<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) guid: Option<Text<'a>>,
    pub(super) index: Option<Loose<'a>>,
}

/// A message, or a multiformat message string.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    pub(super) markdown: Option<Text<'a>>,
    pub(super) id: Option<Text<'a>>,
    pub(super) arguments: Many<Text<'a>>,
}

impl Message<'_> {
    /// The plain text, or the Markdown where there is nothing else.
    pub(super) fn plain(&self) -> Option<&str> {
        let filled = |text: &Option<Text<'_>>| text.as_ref().is_some_and(|t| !t.trim().is_empty());
        if filled(&self.text) {
            self.text.as_deref()
        } else {
            self.markdown
                .as_deref()
                .filter(|text| !text.trim().is_empty())
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Artifact<'a> {
    #[serde(borrow)]
    pub(super) location: Option<ArtifactLocation<'a>>,
    pub(super) contents: Option<Message<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ArtifactLocation<'a> {
    #[serde(borrow)]
    pub(super) uri: Option<Text<'a>>,
    pub(super) uri_base_id: Option<Text<'a>>,
    pub(super) index: Option<Loose<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Invocation<'a> {
    pub(super) execution_successful: Option<bool>,
    #[serde(borrow)]
    pub(super) exit_code: Option<Loose<'a>>,
    pub(super) exit_code_description: Option<Text<'a>>,
    pub(super) exit_signal_name: Option<Text<'a>>,
    pub(super) process_start_failure_message: Option<Text<'a>>,
    pub(super) start_time_utc: Option<Text<'a>>,
    pub(super) end_time_utc: Option<Text<'a>>,
    pub(super) working_directory: Option<ArtifactLocation<'a>>,
    pub(super) tool_execution_notifications: Many<Notification<'a>>,
    pub(super) tool_configuration_notifications: Many<Notification<'a>>,
    pub(super) rule_configuration_overrides: Many<Override<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Override<'a> {
    #[serde(borrow)]
    pub(super) descriptor: Reference<'a>,
    pub(super) configuration: Configuration<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Notification<'a> {
    #[serde(borrow)]
    pub(super) level: Given<Text<'a>>,
    pub(super) message: Message<'a>,
    pub(super) descriptor: Option<Reference<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct VersionControl<'a> {
    #[serde(borrow)]
    pub(super) repository_uri: Option<Text<'a>>,
    pub(super) revision_id: Option<Text<'a>>,
    pub(super) branch: Option<Text<'a>>,
    pub(super) mapped_to: Option<ArtifactLocation<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LogicalLocation<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) fully_qualified_name: Option<Text<'a>>,
    pub(super) index: Option<Loose<'a>>,
}

/// What Holdpoint knows to read from a property bag: not in the standard, but what tools agree upon.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Properties<'a> {
    #[serde(borrow, rename = "security-severity")]
    pub(super) security_severity: Given<Loose<'a>>,
    pub(super) tags: Option<Loose<'a>>,
    pub(super) cwe: Option<Loose<'a>>,
    pub(super) cve: Option<Loose<'a>>,
    pub(super) component: Option<Loose<'a>>,
    #[serde(rename = "componentVersion")]
    pub(super) component_version: Option<Loose<'a>>,
    #[serde(rename = "fixedVersion")]
    pub(super) fixed_version: Option<Loose<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SarifResult<'a> {
    #[serde(borrow)]
    pub(super) rule_id: Option<Text<'a>>,
    pub(super) rule_index: Option<Loose<'a>>,
    pub(super) rule: Option<Reference<'a>>,
    pub(super) kind: Option<Text<'a>>,
    pub(super) level: Given<Text<'a>>,
    pub(super) rank: Option<Loose<'a>>,
    pub(super) message: Option<Message<'a>>,
    pub(super) locations: Many<Location<'a>>,
    pub(super) related_locations: Many<Location<'a>>,
    pub(super) code_flows: Many<CodeFlow<'a>>,
    pub(super) fixes: Many<Fix<'a>>,
    pub(super) suppressions: Given<Many<Suppression<'a>>>,
    pub(super) baseline_state: Given<Text<'a>>,
    pub(super) fingerprints: Option<Loose<'a>>,
    pub(super) partial_fingerprints: Option<Loose<'a>>,
    pub(super) correlation_guid: Option<Text<'a>>,
    pub(super) taxa: Many<Reference<'a>>,
    pub(super) analysis_target: Option<ArtifactLocation<'a>>,
    pub(super) provenance: Option<Provenance<'a>>,
    pub(super) properties: Option<Properties<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Provenance<'a> {
    #[serde(borrow)]
    pub(super) invocation_index: Option<Loose<'a>>,
}

/// `state` is what drafts of the standard called `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Suppression<'a> {
    #[serde(borrow)]
    pub(super) kind: Option<Text<'a>>,
    pub(super) justification: Option<Text<'a>>,
    pub(super) status: Option<Text<'a>>,
    pub(super) state: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "the names are the standard's")]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    pub(super) physical_location: Option<PhysicalLocation<'a>>,
    pub(super) logical_locations: Given<Many<LogicalLocation<'a>>>,
    pub(super) message: Option<Message<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PhysicalLocation<'a> {
    #[serde(borrow)]
    pub(super) artifact_location: Option<ArtifactLocation<'a>>,
    pub(super) region: Option<Region<'a>>,
    pub(super) context_region: Option<Region<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Region<'a> {
    pub(super) start_line: Count,
    pub(super) start_column: Count,
    pub(super) end_line: Count,
    pub(super) end_column: Count,
    #[serde(borrow)]
    pub(super) snippet: Option<Message<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CodeFlow<'a> {
    #[serde(borrow)]
    pub(super) message: Option<Message<'a>>,
    pub(super) thread_flows: Many<ThreadFlow<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ThreadFlow<'a> {
    #[serde(borrow)]
    pub(super) message: Option<Message<'a>>,
    pub(super) locations: Many<ThreadFlowLocation<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ThreadFlowLocation<'a> {
    #[serde(borrow)]
    pub(super) location: Option<Location<'a>>,
    pub(super) index: Option<Loose<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Fix<'a> {
    #[serde(borrow)]
    pub(super) description: Option<Message<'a>>,
    pub(super) artifact_changes: Many<ArtifactChange<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ArtifactChange<'a> {
    #[serde(borrow)]
    pub(super) artifact_location: Option<ArtifactLocation<'a>>,
    pub(super) replacements: Many<Replacement<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Replacement<'a> {
    #[serde(borrow)]
    pub(super) deleted_region: Region<'a>,
    pub(super) inserted_content: Option<Content<'a>>,
}

/// What stands in a file: text, or bytes that are none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    pub(super) binary: Option<Text<'a>>,
}

impl Content<'_> {
    pub(super) fn is_text(&self) -> bool {
        self.text.is_some() || self.binary.is_none()
    }
}

/// The index in a reference: a whole number from 0 on, and whether there was any other number (-1 says "none").
pub(super) fn index_of(value: Option<&Loose<'_>>) -> Option<usize> {
    let number = value?.as_number()?;
    crate::json::whole_number(number).and_then(|n| usize::try_from(n).ok())
}

/// The text of a value of a property bag, if it is one.
pub(super) fn text_of(value: Option<&Loose<'_>>) -> Option<String> {
    match value? {
        Loose::Text(text) if !text.trim().is_empty() => Some(crate::text::clean_line(text)),
        Loose::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A message's text, borrowed or made.
pub(super) type Worded<'a> = Cow<'a, str>;

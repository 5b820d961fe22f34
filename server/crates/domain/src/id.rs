//! The ids of things: UUIDv7 texts, one type for each kind of thing, so that they cannot be mixed up.

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident,)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes any id that could have been made by Holdpoint: 1 to 64 letters, digits or hyphens.
            pub fn parse(text: &str) -> Option<Self> {
                let fits = (1..=64).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                fits.then(|| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// A file kept by its digest and shown under a name.
    AttachmentId,
    CommentId,
    DeliverableId,
    EvidenceId,
    FindingId,
    ItemId,
    /// A rule that maps findings to an item.
    MappingRuleId,
    PatchId,
    PersonId,
    ReviewId,
    ScanId,
    SectionId,
    SeriesId,
    ServiceId,
    SignOffId,
    TemplateId,
    TemplateVersionId,
    TokenId,
    /// One decision about many findings at once.
    TriageBatchId,
}

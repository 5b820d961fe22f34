//! Holdpoint's words and rules: ids, an item's life, policy, verdict, digests.
//!
//! Everything here is a value or a pure function of values. The crate knows no time of day, no randomness, no files and
//! no network: time is always an argument, in Unix milliseconds UTC ([`Millis`]). Start reading at [`verdict`], which is
//! what the rest exists for, then [`item`] and [`signoff`].

pub mod activity;
pub mod digest;
pub mod evidence;
pub mod finding;
pub mod four_eyes;
pub mod id;
pub mod issue;
pub mod item;
pub mod mapping;
pub mod nesting;
pub mod normalise;
pub mod patch;
pub mod pattern;
pub mod person;
pub mod policy;
pub mod release;
pub mod signing_key;
pub mod signoff;
pub mod text;
pub mod triage;
pub mod verdict;

pub use digest::Digest;
pub use finding::{FindingStatus, ScannerClaim, ScannerState, Severity, SuppressionKind};
pub use id::{
    AttachmentId, CommentId, DeliverableId, EvidenceId, FindingId, ItemId, MappingRuleId, PatchId,
    PersonId, ReviewId, ScanId, SectionId, SeriesId, ServiceId, SignOffId, TemplateId,
    TemplateVersionId, TokenId, TriageBatchId,
};
pub use item::{Decision, Gating, ItemState};
pub use patch::PatchState;
pub use person::{InstanceRole, ServiceRole};
pub use policy::Policy;
pub use signing_key::KeyPurpose;
pub use verdict::{Outcome, Verdict};

/// A moment, in Unix milliseconds UTC.
pub type Millis = i64;

/// Declares a closed set of words: the enum, its stable spelling in databases and APIs, and how it is read back.
///
/// A crate that uses it needs serde with its derives.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in the order they are declared.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable spelling used in databases, the API and exports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads the stable spelling back; `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

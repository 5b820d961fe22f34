//! A patch's life: proposed, approved by someone else, applied, verified by a later scan.

use crate::words;

words! {
    /// Where a patch stands. Nobody sets `Verified` by hand: a later scan without the finding does.
    PatchState {
        Proposed => "proposed",
        Rejected => "rejected",
        Approved => "approved",
        Applied => "applied",
        Verified => "verified",
    }
}

impl PatchState {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Proposed => "Proposed",
            Self::Rejected => "Rejected",
            Self::Approved => "Approved",
            Self::Applied => "Applied",
            Self::Verified => "Verified",
        }
    }
}

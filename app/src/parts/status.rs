//! The vocabulary of states: icon and word first, then colour.

use holdpoint_domain::{Decision, FindingStatus, Gating, ItemState, Outcome, PatchState, Severity};
use leptos::prelude::*;

use super::icon::{Ico, Icon};

/// The colour of a state; its meaning is always in icon and word too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Red,
    Orange,
    Amber,
    Green,
    Teal,
    Blue,
    Violet,
    Neutral,
}

impl Tone {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Amber => "amber",
            Self::Green => "green",
            Self::Teal => "teal",
            Self::Blue => "blue",
            Self::Violet => "violet",
            Self::Neutral => "neutral",
        }
    }
}

/// How one state looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub icon: Icon,
    pub tone: Tone,
    pub word: &'static str,
}

const fn look(icon: Icon, tone: Tone, word: &'static str) -> Look {
    Look { icon, tone, word }
}

/// What has a look: pass it to [`St`] or [`Pill`].
pub trait Shown {
    fn look(&self) -> Look;
}

impl Shown for Look {
    fn look(&self) -> Look {
        *self
    }
}

impl Shown for ItemState {
    fn look(&self) -> Look {
        let (icon, tone) = match self {
            Self::Open => (Icon::None, Tone::Neutral),
            Self::InProgress => (Icon::Progress, Tone::Blue),
            Self::InReview => (Icon::Review, Tone::Violet),
            Self::Passed => (Icon::Pass, Tone::Green),
            Self::Failed => (Icon::Fail, Tone::Red),
            Self::NotApplicable => (Icon::NotApplicable, Tone::Neutral),
            Self::Waived => (Icon::Waived, Tone::Amber),
        };
        look(icon, tone, self.label())
    }
}

impl Shown for Decision {
    fn look(&self) -> Look {
        let Look { icon, tone, .. } = self.state().look();
        look(icon, tone, self.label())
    }
}

impl Shown for FindingStatus {
    fn look(&self) -> Look {
        let (icon, tone) = match self {
            Self::Open => (Icon::Open, Tone::Neutral),
            Self::Fixed => (Icon::Pass, Tone::Green),
            Self::FalsePositive => (Icon::NotApplicable, Tone::Neutral),
            Self::RiskAccepted => (Icon::Shield, Tone::Amber),
            Self::Duplicate => (Icon::Copy, Tone::Neutral),
        };
        look(icon, tone, self.label())
    }
}

/// How an open finding looks that the last scan brought back.
pub const REOPENED: Look = look(Icon::Reopened, Tone::Orange, "Reopened");
/// How an open finding looks that a patch is attached to.
pub const FIX_PROPOSED: Look = look(Icon::Patch, Tone::Blue, "Fix proposed");

impl Shown for Severity {
    fn look(&self) -> Look {
        let (icon, tone) = match self {
            Self::Critical => (Icon::Critical, Tone::Red),
            Self::High => (Icon::High, Tone::Orange),
            Self::Unrated => (Icon::Unrated, Tone::Violet),
            Self::Medium => (Icon::Medium, Tone::Amber),
            Self::Low => (Icon::Low, Tone::Teal),
            Self::Info => (Icon::Info, Tone::Neutral),
        };
        look(icon, tone, self.label())
    }
}

impl Shown for Outcome {
    fn look(&self) -> Look {
        match self {
            Self::NoGo => look(Icon::NoGo, Tone::Red, "No-go"),
            Self::Go => look(Icon::Go, Tone::Green, "Go"),
            Self::GoWithWaivers => look(Icon::Conditional, Tone::Amber, "Go with waivers"),
        }
    }
}

impl Shown for PatchState {
    fn look(&self) -> Look {
        let (icon, tone) = match self {
            Self::Proposed => (Icon::Patch, Tone::Blue),
            Self::Rejected => (Icon::Fail, Tone::Red),
            Self::Approved => (Icon::Conditional, Tone::Green),
            Self::Applied => (Icon::Commit, Tone::Teal),
            Self::Verified => (Icon::Pass, Tone::Green),
        };
        look(icon, tone, self.label())
    }
}

/// How things beside a state are marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// "2 days late": see [`super::when::late`].
    Late(String),
    /// Evidence of another commit than the review's.
    Stale,
    /// A sign-off whose ground has changed: "3 changes since".
    Void(String),
    /// What is stored is not what was signed or submitted.
    Damaged,
    /// Evidence that names no commit.
    Unpinned,
    /// A sign-off that counts.
    Valid,
    NotSigned,
    /// A scan that shows nothing about what it skipped.
    Incomplete,
    /// A report before the release decision.
    Draft,
}

/// A state in a table or a sentence: icon and word, no fill.
#[component]
pub fn St<T: Shown>(
    of: T,
    /// What follows the word: "until 30 Jan", "of F-3".
    #[prop(optional, into)]
    more: Option<String>,
) -> impl IntoView {
    let Look { icon, tone, word } = of.look();
    view! {
        <span class="st" data-tone=tone.as_str()>
            <Ico icon />
            {word}
            {more.map(|more| format!(" {more}"))}
        </span>
    }
    .into_any()
}

/// A state in a page's head: filled.
#[component]
pub fn Pill<T: Shown>(
    of: T,
    #[prop(optional, into)] more: Option<String>,
    /// In a row of small things.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let Look { icon, tone, word } = of.look();
    let class = if small { "pill pill-sm" } else { "pill" };
    view! {
        <span class=class data-tone=tone.as_str()>
            <Ico icon />
            {word}
            {more.map(|more| format!(" {more}"))}
        </span>
    }
    .into_any()
}

/// Whether an item holds the release back.
#[component]
pub fn Gate(gating: Gating) -> impl IntoView {
    let (class, icon, word) = match gating {
        Gating::Blocker => ("gate is-blocker", Icon::Blocker, "Blocker"),
        Gating::Advisory => ("gate", Icon::Advisory, "Advisory"),
    };
    view! { <span class=class><Ico icon />{word}</span> }
}

/// A mark beside a state: late, stale, void.
#[component]
pub fn FlagMark(flag: Flag) -> impl IntoView {
    let (class, tone, icon, text) = match flag {
        Flag::Late(text) => ("late", Tone::Red, Icon::Late, text),
        Flag::Stale => ("pill pill-sm", Tone::Amber, Icon::Stale, "Stale".to_owned()),
        Flag::Void(since) if since.is_empty() => ("st", Tone::Amber, Icon::Warn, "Void".to_owned()),
        Flag::Void(since) => ("st", Tone::Amber, Icon::Warn, format!("Void, {since}")),
        Flag::Damaged => ("st", Tone::Red, Icon::Warn, "Damaged".to_owned()),
        Flag::Unpinned => (
            "pill pill-sm",
            Tone::Neutral,
            Icon::Commit,
            "Unpinned".to_owned(),
        ),
        Flag::Valid => ("st", Tone::Green, Icon::Pass, "Valid".to_owned()),
        Flag::NotSigned => ("st", Tone::Neutral, Icon::None, "Not signed".to_owned()),
        Flag::Incomplete => (
            "pill pill-sm",
            Tone::Amber,
            Icon::Warn,
            "Incomplete".to_owned(),
        ),
        Flag::Draft => (
            "pill pill-sm",
            Tone::Neutral,
            Icon::Note,
            "Draft".to_owned(),
        ),
    };
    view! { <span class=class data-tone=tone.as_str()><Ico icon />{text}</span> }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_states_of_a_kind_differ_by_colour_alone() {
        fn check<T: Shown>(all: &[T]) {
            let shapes: BTreeSet<_> = all
                .iter()
                .map(|one| format!("{:?} {}", one.look().icon, one.look().word))
                .collect();
            let words: BTreeSet<_> = all.iter().map(|one| one.look().word).collect();
            assert_eq!(shapes.len(), all.len());
            assert_eq!(words.len(), all.len());
            let icons: BTreeSet<_> = all
                .iter()
                .map(|one| format!("{:?}", one.look().icon))
                .collect();
            assert_eq!(icons.len(), all.len(), "{icons:?}");
        }
        check(ItemState::ALL);
        check(FindingStatus::ALL);
        check(Severity::ALL);
        check(Outcome::ALL);
        check(PatchState::ALL);
        check(Decision::ALL);
    }
}

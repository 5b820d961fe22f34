//! An item's life: `open → in progress → in review → passed | failed | not applicable | waived`.

use thiserror::Error;

use crate::{Millis, words};

words! {
    /// Whether an item holds the release back.
    Gating {
        Blocker => "blocker",
        Advisory => "advisory",
    }
}

words! {
    ItemState {
        Open => "open",
        InProgress => "in_progress",
        InReview => "in_review",
        Passed => "passed",
        Failed => "failed",
        NotApplicable => "not_applicable",
        Waived => "waived",
    }
}

impl ItemState {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::InProgress => "In progress",
            Self::InReview => "In review",
            Self::Passed => "Passed",
            Self::Failed => "Failed",
            Self::NotApplicable => "Not applicable",
            Self::Waived => "Waived",
        }
    }

    /// Whether somebody has decided: only a sign-off leads here.
    pub const fn is_decided(self) -> bool {
        matches!(
            self,
            Self::Passed | Self::Failed | Self::NotApplicable | Self::Waived
        )
    }

    /// Whether the document's box is ticked for it.
    pub const fn ticks_the_box(self) -> bool {
        matches!(self, Self::Passed | Self::NotApplicable)
    }

    /// The state as it counts at a moment: a waiver that has run out puts its item back in review.
    pub fn at(self, waived_until: Option<Millis>, now: Millis) -> Self {
        match self {
            Self::Waived if waived_until.is_none_or(|until| until < now) => Self::InReview,
            state => state,
        }
    }
}

words! {
    /// What a sign-off says of an item.
    Decision {
        Pass => "pass",
        Fail => "fail",
        NotApplicable => "not_applicable",
        Waive => "waive",
    }
}

impl Decision {
    /// The state that the decision leads to.
    pub const fn state(self) -> ItemState {
        match self {
            Self::Pass => ItemState::Passed,
            Self::Fail => ItemState::Failed,
            Self::NotApplicable => ItemState::NotApplicable,
            Self::Waive => ItemState::Waived,
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Fail => "Fail",
            Self::NotApplicable => "Not applicable",
            Self::Waive => "Waive",
        }
    }

    /// Every decision but a pass has to say why.
    pub const fn needs_reason(self) -> bool {
        !matches!(self, Self::Pass)
    }
}

words! {
    /// The moves of an item that nobody signs.
    Step {
        Start => "start",
        RequestReview => "request_review",
        BackToWork => "back_to_work",
        Reopen => "reopen",
        ReviewAgain => "review_again",
        EndWaiver => "end_waiver",
    }
}

impl Step {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Start => "Start work",
            Self::RequestReview => "Request review",
            Self::BackToWork => "Back to work",
            Self::Reopen => "Reopen",
            Self::ReviewAgain => "Review again",
            Self::EndWaiver => "End waiver",
        }
    }
}

/// Why an item cannot make a move.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("This item is {}; \"{}\" is possible only from {from}.", .state.label().to_lowercase(), .step.label())]
pub struct StepError {
    pub state: ItemState,
    pub step: Step,
    pub from: &'static str,
}

/// Where a move leads from a state, or why it is not possible.
pub fn step(state: ItemState, step: Step) -> Result<ItemState, StepError> {
    use ItemState::{Failed, InProgress, InReview, NotApplicable, Open, Passed, Waived};
    match (step, state) {
        (Step::Start, Open | Failed)
        | (Step::BackToWork, InReview)
        | (Step::Reopen, Passed | NotApplicable) => Ok(InProgress),
        (Step::RequestReview, InProgress)
        | (Step::ReviewAgain, Passed | NotApplicable | Failed)
        | (Step::EndWaiver, Waived) => Ok(InReview),
        (step, state) => {
            let from = match step {
                Step::Start => "open or failed",
                Step::RequestReview => "in progress",
                Step::BackToWork => "in review",
                Step::Reopen => "passed or not applicable",
                Step::ReviewAgain => "a decision",
                Step::EndWaiver => "waived",
            };
            Err(StepError { state, step, from })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sign_off_decides() {
        for state in ItemState::ALL {
            for move_ in Step::ALL {
                if let Ok(to) = step(*state, *move_) {
                    assert!(
                        !to.is_decided(),
                        "{move_} leads from {state} to {to} without a signature"
                    );
                }
            }
        }
    }

    #[test]
    fn each_state_offers_the_moves_of_the_workflow() {
        let offered = |state| {
            Step::ALL
                .iter()
                .copied()
                .filter(|s| step(state, *s).is_ok())
                .collect::<Vec<_>>()
        };
        assert_eq!(offered(ItemState::Open), [Step::Start]);
        assert_eq!(offered(ItemState::InProgress), [Step::RequestReview]);
        assert_eq!(offered(ItemState::InReview), [Step::BackToWork]);
        assert_eq!(
            offered(ItemState::Passed),
            [Step::Reopen, Step::ReviewAgain]
        );
        assert_eq!(
            offered(ItemState::NotApplicable),
            [Step::Reopen, Step::ReviewAgain]
        );
        assert_eq!(offered(ItemState::Failed), [Step::Start, Step::ReviewAgain]);
        assert_eq!(offered(ItemState::Waived), [Step::EndWaiver]);
    }

    #[test]
    fn a_waiver_that_ran_out_puts_the_item_back_in_review() {
        assert_eq!(ItemState::Waived.at(Some(10), 10), ItemState::Waived);
        assert_eq!(ItemState::Waived.at(Some(10), 11), ItemState::InReview);
        assert_eq!(ItemState::Waived.at(None, 0), ItemState::InReview);
        assert_eq!(ItemState::Passed.at(Some(10), 11), ItemState::Passed);
    }
}

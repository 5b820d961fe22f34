//! The hold line: one cell per item, in order, up to the gate.

use holdpoint_domain::ItemState;
use leptos::prelude::*;

use super::{
    icon::Ico,
    inline::Inline,
    people::initials,
    status::{Flag, FlagMark, Shown as _, Tone},
};

/// One item on the line.
#[derive(Clone, Debug)]
pub struct HoldCell {
    pub key: String,
    pub title: String,
    pub state: ItemState,
    pub href: String,
    /// "2 days late", if it is.
    pub late: Option<String>,
}

/// One section of the line.
#[derive(Clone, Debug)]
pub struct HoldSection {
    pub title: String,
    pub href: String,
    pub cells: Vec<HoldCell>,
    /// "1 of 3 cleared, 2 blockers left"
    pub summary: String,
}

/// Who signs at the gate.
#[derive(Clone, Debug)]
pub struct HoldSignature {
    pub name: String,
    pub flag: Flag,
    pub href: String,
}

fn class(state: ItemState) -> &'static str {
    match state {
        ItemState::Passed | ItemState::NotApplicable => "hl-cell is-cleared",
        ItemState::Waived => "hl-cell is-waived",
        ItemState::Open => "hl-cell is-none",
        _ => "hl-cell",
    }
}

/// The whole line with its gate.
#[component]
pub fn HoldLine(sections: Vec<HoldSection>, signatures: Vec<HoldSignature>) -> impl IntoView {
    let sections = sections
        .into_iter()
        .map(
            |HoldSection {
                 title,
                 href,
                 cells,
                 summary,
             }| {
                let n = cells.len().clamp(1, 8).to_string();
                let cells = cells
                    .into_iter()
                    .map(|cell| view! { <li>{hold_cell(cell)}</li> })
                    .collect_view();
                view! {
                    <div class="hl-sec" data-n=n>
                        <h3 class="hl-name">
                            <a href=href title=title.clone()><Inline text=title.clone() /></a>
                        </h3>
                        <ol class="hl-cells">{cells}</ol>
                        <p class="hl-num">{summary}</p>
                    </div>
                }
            },
        )
        .collect_view();
    let n_valid = signatures
        .iter()
        .filter(|signature| signature.flag == Flag::Valid)
        .count();
    let summary = format!("{n_valid} of {} signatures valid", signatures.len());
    let signatures = signatures
        .into_iter()
        .map(|HoldSignature { name, flag, href }| {
            let class = if flag == Flag::Valid {
                "hl-sig is-signed"
            } else {
                "hl-sig"
            };
            view! {
                <li>
                    <a class=class href=href title=name.clone()>
                        <span aria-hidden="true">{initials(&name)}</span>
                        <span class="vh">{name.clone()} ": " <FlagMark flag /></span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="holdline">
            <div class="hl-sections">{sections}</div>
            <div class="hl-gate">
                <h3 class="hl-name">"Release decision"</h3>
                <ul class="hl-sigs">{signatures}</ul>
                <p class="hl-num">{summary}</p>
            </div>
        </div>
    }
    .into_any()
}

fn hold_cell(
    HoldCell {
        key,
        title,
        state,
        href,
        late,
    }: HoldCell,
) -> impl IntoView {
    let look = state.look();
    let late = late.map(|late| format!(", {late}")).unwrap_or_default();
    let full = format!("{key} {title}: {}{late}", look.word);
    view! {
        <a class=class(state) data-tone=look.tone.as_str() href=href title=full>
            <Ico icon=look.icon />
            <span aria-hidden="true">{key}</span>
            <span class="vh">{full.clone()}</span>
        </a>
    }
    .into_any()
}

/// More cells than this cannot be told apart, so each then stands for several items.
const MAX_MINI_CELLS: usize = 40;

/// The line in a table: sorted by state, always beside its count.
#[component]
pub fn MiniHoldLine(states: Vec<ItemState>) -> impl IntoView {
    let n_cleared = states.iter().filter(|state| is_cleared(**state)).count();
    let total = states.len();
    view! {
        <span class="row one-line">
            <MiniCells states bar=true />
            <span class="nowrap">
                <b class="strong">{n_cleared}</b>
                " "
                <span class="muted">{format!("of {total}")}</span>
            </span>
        </span>
    }
    .into_any()
}

/// The cells of the small line alone, where the count stands elsewhere in the row.
#[component]
pub fn MiniCells(
    states: Vec<ItemState>,
    /// In the order given, as the document has them; otherwise sorted by state.
    #[prop(optional)]
    in_order: bool,
    /// The hold bar at the end.
    #[prop(optional)]
    bar: bool,
) -> impl IntoView {
    use ItemState::{Failed, NotApplicable, Open, Passed, Waived};
    let states = if states.len() > MAX_MINI_CELLS {
        scaled(&states)
    } else if in_order {
        states
    } else {
        sorted(&states)
    };
    let cells = states
        .into_iter()
        .map(|state| {
            let class = match state {
                Passed | NotApplicable => "c",
                Waived => "w",
                Failed => "f",
                Open => "n",
                _ => "",
            };
            let tone = if state == Open {
                Tone::Neutral
            } else {
                state.look().tone
            };
            view! { <i class=class data-tone=tone.as_str()></i> }
        })
        .collect_view();
    view! { <span class="hl-mini" aria-hidden="true">{cells}{bar.then(|| view! { <b></b> })}</span> }
        .into_any()
}

const ORDER: [ItemState; 7] = [
    ItemState::Passed,
    ItemState::NotApplicable,
    ItemState::Waived,
    ItemState::InReview,
    ItemState::InProgress,
    ItemState::Failed,
    ItemState::Open,
];

const fn is_cleared(state: ItemState) -> bool {
    matches!(
        state,
        ItemState::Passed | ItemState::NotApplicable | ItemState::Waived
    )
}

fn count(states: &[ItemState], of: ItemState) -> usize {
    states.iter().filter(|state| **state == of).count()
}

fn sorted(states: &[ItemState]) -> Vec<ItemState> {
    ORDER
        .into_iter()
        .flat_map(|state| std::iter::repeat_n(state, count(states, state)))
        .collect()
}

/// At most [`MAX_MINI_CELLS`] and a few, in proportion; a state that is there at all has a cell.
fn scaled(states: &[ItemState]) -> Vec<ItemState> {
    ORDER
        .into_iter()
        .flat_map(|state| {
            let n = count(states, state);
            let shown = (n * MAX_MINI_CELLS / states.len()).max(usize::from(n > 0));
            std::iter::repeat_n(state, shown)
        })
        .collect()
}

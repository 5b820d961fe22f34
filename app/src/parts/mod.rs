//! The shared pieces of pages. A part takes finished values and shows them: no queries, no rules.

pub mod controls;
pub mod diff;
pub mod field;
pub mod figure;
pub mod frame;
pub mod hold_line;
pub mod icon;
pub mod inline;
pub mod markdown;
pub mod panel;
pub mod patch;
pub mod people;
pub mod status;
pub mod table;
pub mod when;

pub use controls::{Button, ButtonLink, Confirm, Notice, RowAct, RowRefusal};
pub use diff::{DiffRow, DiffView, Side};
pub use field::{
    CheckField, Choice, Choices, FieldNote, FileField, SelectField, TextArea, TextField,
};
pub use frame::{Crumb, Frame, PageHead, ReviewBar, SoloFrame, Tab};
pub use hold_line::{HoldCell, HoldLine, HoldSection, MiniCells, MiniHoldLine};
pub use icon::{Ico, Icon, Mark};
pub use inline::Inline;
pub use markdown::Prose;
pub use panel::{DigestBox, Empty, Panel, Sha};
pub use people::{Avatar, Nobody, Who};
pub use status::{Flag, Gate, Look, Pill, Shown, St, Tone};
pub use table::{Column, Pager, Sort, Table};
pub use when::{Late, Moment, When};

#[cfg(test)]
mod tests;

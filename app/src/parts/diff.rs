//! A unified diff, shown unified or side by side.

use leptos::prelude::*;

/// One row of a file's diff. Line numbers are those of the file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffRow {
    /// The `@@ … @@` line.
    Hunk(String),
    Same {
        old: u32,
        new: u32,
        text: String,
    },
    Added {
        new: u32,
        text: String,
        touched: bool,
    },
    Removed {
        old: u32,
        text: String,
        touched: bool,
    },
}

/// How a diff is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    #[default]
    Unified,
    BySide,
}

/// One file's rows. `touched` rows are those of a finding and carry a mark.
#[component]
pub fn DiffView(
    /// Names the region: "Diff of executor.go".
    #[prop(into)]
    label: String,
    rows: Vec<DiffRow>,
    #[prop(optional)] side: Side,
) -> impl IntoView {
    let table = match side {
        Side::Unified => unified(label.clone(), rows).into_any(),
        Side::BySide => by_side(label.clone(), rows).into_any(),
    };
    view! { <div class="tbl-wrap" tabindex="0" role="region" aria-label=label>{table}</div> }
}

fn number(n: Option<u32>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}

fn unified(label: String, rows: Vec<DiffRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let (class, old, new, sign, text) = match row {
                DiffRow::Hunk(text) => {
                    return view! {
                        <tr class="hunk">
                            <td class="ln"></td>
                            <td class="ln"></td>
                            <td class="sg"></td>
                            <td>{text}</td>
                        </tr>
                    }
                    .into_any();
                }
                DiffRow::Same { old, new, text } => ("", Some(old), Some(new), "", text),
                DiffRow::Added { new, text, touched } => (
                    if touched { "add mark" } else { "add" },
                    None,
                    Some(new),
                    "+",
                    text,
                ),
                DiffRow::Removed { old, text, touched } => (
                    if touched { "del mark" } else { "del" },
                    Some(old),
                    None,
                    "−",
                    text,
                ),
            };
            view! {
                <tr class=class>
                    <td class="ln">{number(old)}</td>
                    <td class="ln">{number(new)}</td>
                    <td class="sg">{sign}</td>
                    <td class="code">{text}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <table class="lines">
            <caption class="vh">{label}</caption>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

type Half = Option<(u32, String)>;

/// Pairs removed rows with the added rows that follow them.
fn pairs(rows: Vec<DiffRow>) -> Vec<Result<(Half, Half, bool), String>> {
    fn flush(
        removed: &mut Vec<(u32, String)>,
        added: &mut Vec<(u32, String)>,
        out: &mut Vec<Result<(Half, Half, bool), String>>,
    ) {
        let n = removed.len().max(added.len());
        let mut left = removed.drain(..);
        let mut right = added.drain(..);
        out.extend((0..n).map(|_| Ok((left.next(), right.next(), false))));
    }
    let (mut out, mut removed, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match row {
            DiffRow::Removed { old, text, .. } => {
                if !added.is_empty() {
                    flush(&mut removed, &mut added, &mut out);
                }
                removed.push((old, text));
            }
            DiffRow::Added { new, text, .. } => added.push((new, text)),
            DiffRow::Hunk(text) => {
                flush(&mut removed, &mut added, &mut out);
                out.push(Err(text));
            }
            DiffRow::Same { old, new, text } => {
                flush(&mut removed, &mut added, &mut out);
                out.push(Ok((Some((old, text.clone())), Some((new, text)), true)));
            }
        }
    }
    flush(&mut removed, &mut added, &mut out);
    out
}

fn by_side(label: String, rows: Vec<DiffRow>) -> impl IntoView {
    let rows = pairs(rows)
        .into_iter()
        .map(|row| match row {
            Err(text) => view! { <tr class="hunk"><td colspan="6">{text}</td></tr> }.into_any(),
            Ok((left, right, same)) => {
                let class = match (same, &left, &right) {
                    (true, ..) => "same",
                    (_, Some(_), None) => "del",
                    (_, None, Some(_)) => "add",
                    _ => "chg",
                };
                let tint = |half: &Half, tinted: &'static str| match (half, same) {
                    (None, _) => "x",
                    (_, true) => "",
                    _ => tinted,
                };
                let (a, d) = (tint(&right, "a"), tint(&left, "d"));
                let sign = |half: &Half, sign: &'static str| {
                    if half.is_some() && !same { sign } else { "" }
                };
                let (plus, minus) = (sign(&right, "+"), sign(&left, "−"));
                let (old, before) = left.map_or((None, String::new()), |(n, text)| (Some(n), text));
                let (new, after) = right.map_or((None, String::new()), |(n, text)| (Some(n), text));
                view! {
                    <tr class=class>
                        <td class=format!("ln lf {d}")>{number(old)}</td>
                        <td class=format!("sg lf {d}")>{minus}</td>
                        <td class=format!("code lf {d}")>{before}</td>
                        <td class=format!("ln rt r {a}")>{number(new)}</td>
                        <td class=format!("sg rt {a}")>{plus}</td>
                        <td class=format!("code rt {a}")>{after}</td>
                    </tr>
                }
                .into_any()
            }
        })
        .collect_view();
    view! {
        <table class="lines sbs">
            <caption class="vh">{label}</caption>
            <thead class="vh">
                <tr>
                    <th scope="col" colspan="3">"Before"</th>
                    <th scope="col" colspan="3">"After"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_lines_stand_beside_the_added_ones_that_follow_them() {
        let removed = |old, text: &str| DiffRow::Removed {
            old,
            text: text.to_owned(),
            touched: false,
        };
        let added = |new, text: &str| DiffRow::Added {
            new,
            text: text.to_owned(),
            touched: false,
        };
        let rows = vec![
            DiffRow::Hunk("@@".to_owned()),
            removed(1, "a"),
            removed(2, "b"),
            added(1, "c"),
            DiffRow::Same {
                old: 3,
                new: 2,
                text: "s".to_owned(),
            },
            added(3, "d"),
            removed(4, "e"),
        ];
        let half = |n, text: &str| Some((n, text.to_owned()));
        assert_eq!(
            pairs(rows),
            [
                Err("@@".to_owned()),
                Ok((half(1, "a"), half(1, "c"), false)),
                Ok((half(2, "b"), None, false)),
                Ok((half(3, "s"), half(2, "s"), true)),
                Ok((None, half(3, "d"), false)),
                Ok((half(4, "e"), None, false)),
            ]
        );
    }
}

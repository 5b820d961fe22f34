//! A hunk as it is shown: one column, or old and new side by side.

use serde::Serialize;

use crate::{Hunk, Line, LineKind};

/// One line of the unified view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row<'a> {
    /// ` `, `+` or `-`: the change is told by more than its colour.
    pub marker: char,
    pub old_line: Option<u32>,
    pub new_line: Option<u32>,
    pub text: &'a str,
    pub no_newline: bool,
}

/// One line of the side-by-side view: old left, new right.
pub type Pair<'a> = (Option<&'a Line>, Option<&'a Line>);

/// The hunk's lines in one column.
pub fn rows(hunk: &Hunk) -> Vec<Row<'_>> {
    hunk.lines
        .iter()
        .map(|line| Row {
            marker: match line.kind {
                LineKind::Context => ' ',
                LineKind::Add => '+',
                LineKind::Remove => '-',
            },
            old_line: line.old_line,
            new_line: line.new_line,
            text: &line.text,
            no_newline: line.no_newline,
        })
        .collect()
}

/// The hunk's lines in two columns. Within one run of changes the first removed line stands beside the first added one,
/// and so on; this is a matter of layout and does not say that one became the other.
pub fn side_by_side(hunk: &Hunk) -> Vec<Pair<'_>> {
    let mut pairs = Vec::with_capacity(hunk.lines.len());
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for line in &hunk.lines {
        match line.kind {
            LineKind::Remove => removed.push(line),
            LineKind::Add => added.push(line),
            LineKind::Context => {
                pair_up(&mut pairs, &mut removed, &mut added);
                pairs.push((Some(line), Some(line)));
            }
        }
    }
    pair_up(&mut pairs, &mut removed, &mut added);
    pairs
}

fn pair_up<'a>(pairs: &mut Vec<Pair<'a>>, removed: &mut Vec<&'a Line>, added: &mut Vec<&'a Line>) {
    for at in 0..removed.len().max(added.len()) {
        pairs.push((removed.get(at).copied(), added.get(at).copied()));
    }
    removed.clear();
    added.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn removals_stand_beside_additions_and_context_on_both_sides() {
        let patch = parse(b"--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n a\n-b\n-c\n+B\n d\n+e\n").unwrap();
        let hunk = &patch.files[0].hunks[0];
        let text = |line: Option<&Line>| line.map_or("", |line| line.text.as_str()).to_owned();
        let shown: Vec<_> = side_by_side(hunk)
            .into_iter()
            .map(|(old, new)| (text(old), text(new)))
            .collect();
        let expected = [("a", "a"), ("b", "B"), ("c", ""), ("d", "d"), ("", "e")]
            .map(|(old, new)| (old.to_owned(), new.to_owned()));
        assert_eq!(shown, expected);
        let markers: String = rows(hunk).iter().map(|row| row.marker).collect();
        assert_eq!(markers, " --+ +");
    }
}

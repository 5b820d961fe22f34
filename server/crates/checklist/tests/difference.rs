//! Two versions of a checklist, compared.

use holdpoint_checklist::{Difference, Pair, difference, parse};

const OLD: &str = "\
# Checklist

## 1. Setup
- [ ] **Config**: Read the files.
- [ ] **Keys**: No keys in the code.
- [ ] **Logs**: Say what happened and where.

## 2. Running
- [ ] **Alerts**: Somebody is paged within five minutes.
";

fn pairs(pairs: &[Pair]) -> Vec<(usize, usize)> {
    pairs.iter().map(|pair| (pair.old, pair.new)).collect()
}

fn against_old(new: &str) -> Difference {
    difference(&parse(OLD), &parse(new))
}

#[test]
fn boxes_bullets_numbers_and_white_space_are_no_difference() {
    let new = OLD
        .replace("- [ ]", "* [x]")
        .replace("## 1. Setup", "## 3 Setup")
        .replace("Read the", "Read  the")
        .replace('\n', "\r\n");
    let same = against_old(&new);
    assert!(same.is_empty(), "{same:?}");
    assert_eq!(pairs(&same.unchanged), [(0, 0), (1, 1), (2, 2), (3, 3)]);
}

#[test]
fn an_item_put_first_is_added_and_the_others_stay() {
    let new = OLD.replace(
        "- [ ] **Config",
        "- [ ] **Design**: Draw it.\n- [ ] **Config",
    );
    let found = against_old(&new);
    assert_eq!(found.added, [0]);
    assert_eq!(pairs(&found.unchanged), [(0, 1), (1, 2), (2, 3), (3, 4)]);
    assert!(found.removed.is_empty() && found.reworded.is_empty());
}

#[test]
fn a_changed_requirement_or_title_is_reworded() {
    let requirement = against_old(&OLD.replace("No keys in", "No secrets anywhere near"));
    assert_eq!(pairs(&requirement.reworded), [(1, 1)]);
    let title = against_old(&OLD.replace("**Alerts**", "**Paging**"));
    assert_eq!(pairs(&title.reworded), [(3, 3)]);
    assert!(title.added.is_empty() && title.removed.is_empty());
}

#[test]
fn an_item_reworded_behind_a_removed_one_is_still_found() {
    let new = OLD
        .replace("- [ ] **Config**: Read the files.\n", "")
        .replace("**Logs**: Say what", "**Logging**: Say what");
    let found = against_old(&new);
    assert_eq!(found.removed, [0]);
    assert_eq!(pairs(&found.reworded), [(2, 1)]);
    assert_eq!(pairs(&found.unchanged), [(1, 0), (3, 2)]);
}

#[test]
fn another_item_under_the_same_key_is_not_taken_for_it() {
    let new = OLD.replace(
        "**Alerts**: Somebody is paged within five minutes.",
        "**Backups**: Restored every month from tape.",
    );
    let found = against_old(&new);
    assert_eq!((found.removed, found.added), (vec![3], vec![3]));
    assert!(found.reworded.is_empty());
}

#[test]
fn an_item_in_another_section_is_moved() {
    let line = "- [ ] **Logs**: Say what happened and where.\n";
    let new = OLD.replace(line, "") + line;
    let found = against_old(&new);
    assert_eq!(pairs(&found.moved), [(2, 3)]);
    assert_eq!(pairs(&found.unchanged), [(0, 0), (1, 1), (3, 2)]);
}

#[test]
fn equal_items_are_told_apart_by_their_place() {
    let old = parse("# A\n- [ ] same\n# B\n- [ ] same\n");
    let new = parse("# B\n- [ ] same\n# A\n- [ ] same\n- [ ] same\n");
    let found = difference(&old, &new);
    assert_eq!(pairs(&found.unchanged), [(1, 0), (0, 1)]);
    assert_eq!(found.added, [2]);
}

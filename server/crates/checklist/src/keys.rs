//! Keys that are unique, and stay readable where the document repeats itself.

use std::collections::HashMap;

/// Hands out each key once; the second asker of `2.1` gets `2.1-2`.
#[derive(Default)]
pub(crate) struct Keys {
    n_asked: HashMap<String, usize>,
}

impl Keys {
    pub(crate) fn unique(&mut self, key: String) -> String {
        let n_asked = self.n_asked.entry(key.clone()).or_insert(0);
        *n_asked += 1;
        if *n_asked == 1 {
            return key;
        }
        // Keys are digits and dots, save for what was appended here and what was appended to that (`2.1-2.1`). So a key that
        // ends with a hyphen and a number can only have been made here, once for each number.
        format!("{key}-{n_asked}")
    }
}

/// A number that a heading begins with, and the rest: `2.1 Title`, `2. Title`, `3) Title`.
pub(crate) fn split_number(heading: &str) -> Option<(&str, &str)> {
    let end = heading
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .filter(|end| *end > 0)?;
    let rest = heading[end..]
        .strip_prefix([')', ':'])
        .unwrap_or(&heading[end..]);
    let number = heading[..end].strip_suffix('.').unwrap_or(&heading[..end]);
    let parts_fit = number
        .split('.')
        .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    let fits = parts_fit && number.split('.').count() <= 6 && rest.starts_with([' ', '\t']);
    let rest = rest.trim_start();
    (fits && !rest.is_empty()).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_split_off_a_heading_and_a_year_is_not() {
        assert_eq!(
            split_number("2.1 Architecture"),
            Some(("2.1", "Architecture"))
        );
        assert_eq!(split_number("3. Deliverables"), Some(("3", "Deliverables")));
        assert_eq!(split_number("4) Security"), Some(("4", "Security")));
        for none in ["2024 in review", "Phase 22", "2.1", "v1.2 x", "2.x y", ""] {
            assert_eq!(split_number(none), None, "{none}");
        }
    }

    #[test]
    fn a_key_is_handed_out_once() {
        let mut keys = Keys::default();
        let given: Vec<_> = ["1", "1", "1.1", "1", "1.1"]
            .iter()
            .map(|key| keys.unique((*key).to_owned()))
            .collect();
        assert_eq!(given, ["1", "1-2", "1.1", "1-3", "1.1-2"]);
    }
}

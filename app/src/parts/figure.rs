//! Figures and words as people read them.

/// A figure with its thousands apart: "1,204".
pub fn thousands(n: impl TryInto<i64>) -> String {
    let n = n.try_into().unwrap_or(i64::MAX);
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if n < 0 { format!("-{out}") } else { out }
}

/// So many of something: "1 finding", "1,204 findings".
pub fn counted(n: impl TryInto<i64>, one: &str, many: &str) -> String {
    match n.try_into().unwrap_or(i64::MAX) {
        1 => format!("1 {one}"),
        n => format!("{} {many}", thousands(n)),
    }
}

/// How much it is: "999 bytes", "18 kB", "1.2 MB".
pub fn size(bytes: impl TryInto<i64>) -> String {
    match bytes.try_into().unwrap_or(i64::MAX) {
        bytes @ ..1_000 => counted(bytes, "byte", "bytes"),
        bytes @ 1_000..999_500 => format!("{} kB", (bytes + 500) / 1_000),
        bytes => {
            let tenths = bytes.saturating_add(50_000) / 100_000;
            format!("{}.{} MB", thousands(tenths / 10), tenths % 10)
        }
    }
}

/// Words as a sentence or label begins with them.
pub fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_thousands_apart() {
        for (n, expected) in [
            (0, "0"),
            (999, "999"),
            (1_204, "1,204"),
            (-1_000_000, "-1,000,000"),
        ] {
            assert_eq!(thousands(n), expected);
        }
    }

    #[test]
    fn sizes_are_short_and_whole() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (17_600, "18 kB"),
            (999_600, "1.0 MB"),
            (1_250_000, "1.3 MB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn labels_begin_with_a_capital_letter() {
        for (words, expected) in [("due date", "Due date"), ("éa", "Éa"), ("", "")] {
            assert_eq!(capitalised(words), expected);
        }
    }

    #[test]
    fn things_are_counted_in_words_that_fit() {
        let findings = |n: usize| counted(n, "finding", "findings");
        assert_eq!(findings(0), "0 findings");
        assert_eq!(findings(1), "1 finding");
        assert_eq!(findings(1_204), "1,204 findings");
    }
}

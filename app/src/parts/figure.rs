//! Figures as people read them.

/// A figure with its thousands apart: "1,204".
pub fn thousands(n: i64) -> String {
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
}

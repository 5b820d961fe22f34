//! The base score of a CVSS vector, for files that give the vector and no score.

/// The base score of a vector of version 3.0 or 3.1 (FIRST, CVSS v3.1 specification, section 7.1) or 2 (section 3.2.1 of its
/// guide), the score of one of version 4.0, whose tables of equivalence classes are those of the crate `cvss`; `None` for any
/// other text.
pub(super) fn base_score(vector: &str) -> Option<f64> {
    let vector = vector.trim().trim_matches(['(', ')']);
    let metric = |name: &str| {
        let mut parts = vector.split('/').filter_map(|part| part.split_once(':'));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if vector.starts_with("CVSS:4") {
        let vector: cvss::v4::Vector = vector.parse().ok()?;
        return Some(vector.score().value());
    }
    if metric("PR").is_some() {
        version_3(metric)
    } else if metric("Au").is_some() {
        version_2(metric)
    } else {
        None
    }
}

fn version_3<'v>(metric: impl Fn(&str) -> Option<&'v str>) -> Option<f64> {
    let is_changed = metric("S")? == "C";
    let attack_vector = weight(
        metric("AV")?,
        &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)],
    )?;
    let complexity = weight(metric("AC")?, &[("L", 0.77), ("H", 0.44)])?;
    let privileges = if is_changed {
        weight(metric("PR")?, &[("N", 0.85), ("L", 0.68), ("H", 0.5)])?
    } else {
        weight(metric("PR")?, &[("N", 0.85), ("L", 0.62), ("H", 0.27)])?
    };
    let interaction = weight(metric("UI")?, &[("N", 0.85), ("R", 0.62)])?;
    let loss = |name| weight(metric(name)?, &[("H", 0.56), ("L", 0.22), ("N", 0.0)]);
    let base = 1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact = if is_changed {
        7.52 * (base - 0.029) - 3.25 * (base - 0.02_f64).powi(15)
    } else {
        6.42 * base
    };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let exploitability = 8.22 * attack_vector * complexity * privileges * interaction;
    let sum = impact + exploitability;
    let score = if is_changed { 1.08 * sum } else { sum };
    // Rounded up to one digit, past the noise of binary fractions.
    Some(((score.min(10.0) * 10.0) - 1e-6).ceil() / 10.0)
}

fn version_2<'v>(metric: impl Fn(&str) -> Option<&'v str>) -> Option<f64> {
    let access = weight(metric("AV")?, &[("L", 0.395), ("A", 0.646), ("N", 1.0)])?;
    let complexity = weight(metric("AC")?, &[("H", 0.35), ("M", 0.61), ("L", 0.71)])?;
    let authentication = weight(metric("Au")?, &[("M", 0.45), ("S", 0.56), ("N", 0.704)])?;
    let loss = |name| weight(metric(name)?, &[("N", 0.0), ("P", 0.275), ("C", 0.660)]);
    let impact = 10.41 * (1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?));
    let exploitability = 20.0 * access * complexity * authentication;
    let factor = if impact == 0.0 { 0.0 } else { 1.176 };
    let score = ((0.6 * impact) + (0.4 * exploitability) - 1.5) * factor;
    Some((score * 10.0).round() / 10.0)
}

fn weight(value: &str, table: &[(&str, f64)]) -> Option<f64> {
    table
        .iter()
        .find(|(key, _)| *key == value)
        .map(|(_, weight)| *weight)
}

#[cfg(test)]
mod tests {
    use super::base_score;

    #[test]
    fn the_scores_are_those_that_the_national_database_gives() {
        for (vector, score) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", 5.3),
            ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:C/C:L/I:L/A:L", 5.7),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
            ("(AV:N/AC:L/Au:N/C:N/I:P/A:N)", 5.0),
            ("AV:N/AC:M/Au:N/C:N/I:P/A:N", 4.3),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                9.3,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N",
                0.0,
            ),
            (
                "CVSS:4.0/AV:P/AC:H/AT:P/PR:L/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
                1.0,
            ),
        ] {
            let is = base_score(vector).unwrap();
            assert!((is - score).abs() < 0.01, "{vector}: {is}");
        }
        for vector in [
            "",
            "x",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H",
            "CVSS:3.1/AV:X/PR:N",
        ] {
            assert_eq!(base_score(vector), None, "{vector}");
        }
    }
}

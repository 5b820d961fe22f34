//! Texts that people give, checked once: names, reasons, addresses.

use thiserror::Error;

/// Why a text was refused; the message is for the field it stood in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TextError {
    #[error("Write something here: it must not be empty.")]
    Empty,
    #[error("This has {chars} characters; at most {most} fit. Shorten it.")]
    TooLong { chars: usize, most: usize },
    #[error("This contains a control character. Type it again as plain text.")]
    ControlCharacter,
    #[error("{0}")]
    Malformed(&'static str),
}

fn line(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 {
        return Err(TextError::Empty);
    }
    if chars > most {
        return Err(TextError::TooLong { chars, most });
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.to_owned())
}

fn prose(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 {
        return Err(TextError::Empty);
    }
    if chars > most {
        return Err(TextError::TooLong { chars, most });
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.replace("\r\n", "\n"))
}

macro_rules! texts {
    ($($(#[$meta:meta])* $name:ident: $check:ident($most:literal),)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, TextError> {
                $check(text, $most).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )+};
}

texts! {
    /// A name or title on one line: trimmed, not empty, at most 200 characters, no control characters.
    Name: line(200),
    /// A reason given by a person: trimmed, not empty, at most 4,000 characters.
    Reason: prose(4_000),
    /// Markdown written by a person: trimmed, not empty, at most 100,000 characters.
    Prose: prose(100_000),
}

/// A short name in URLs: lower-case letters, digits and single hyphens, at most 60 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 60)?;
        let fits = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if fits {
            Ok(Self(text))
        } else {
            Err(TextError::Malformed(
                "Use lower-case letters, digits and single hyphens, as in `market-maker`.",
            ))
        }
    }

    /// The slug that a name suggests; `None` when nothing of the name fits.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in name.chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.truncate(60);
        Self::parse(slug.trim_end_matches('-')).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address as a name to sign in with, in lower case. Only its shape is checked: something, `@`, something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 254)?.to_lowercase();
        let malformed = TextError::Malformed("Write an e-mail address, as in `ana@example.org`.");
        let (local, host) = text.rsplit_once('@').ok_or(malformed.clone())?;
        let fits = !local.is_empty()
            && !host.is_empty()
            && !text.contains(char::is_whitespace)
            && !text.contains(['<', '>', '"', ',']);
        if fits { Ok(Self(text)) } else { Err(malformed) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A web address that is safe to link to: `http` or `https`, with a host, at most 2,000 characters.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct WebAddress(String);

impl WebAddress {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 2_000)?;
        let malformed =
            TextError::Malformed("Write an address that begins with https:// or http://.");
        let lower = text.to_ascii_lowercase();
        let rest = lower
            .strip_prefix("https://")
            .or_else(|| lower.strip_prefix("http://"))
            .ok_or(malformed.clone())?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let fits = !host.is_empty()
            && !text.contains(char::is_whitespace)
            && !text.contains(['<', '>', '"', '`', '\\']);
        if fits { Ok(Self(text)) } else { Err(malformed) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A git commit id as people write it: 7 to 64 hexadecimal digits, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Commit(String);

impl Commit {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 64)?.to_ascii_lowercase();
        if text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text))
        } else {
            Err(TextError::Malformed(
                "Write a commit id: 7 to 64 hexadecimal digits, as `git rev-parse HEAD` prints it.",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two spellings mean the same commit: one is the beginning of the other.
    pub fn same(one: &str, other: &str) -> bool {
        one.starts_with(other) || other.starts_with(one)
    }
}

/// A calendar date in UTC, spelled `YYYY-MM-DD` as browsers' date fields send it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Date(String);

impl Date {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let malformed = TextError::Malformed("Write a date as YYYY-MM-DD, for example 2026-01-30.");
        let text = line(text, 10)?;
        let mut parts = text.splitn(3, '-');
        let mut number = |digits: usize| -> Option<u32> {
            let part = parts.next()?;
            (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse().ok())?
        };
        let (year, month, day) = (
            number(4).ok_or(malformed.clone())?,
            number(2).ok_or(malformed.clone())?,
            number(2).ok_or(malformed.clone())?,
        );
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        if year >= 1970 && (1..=days).contains(&day) {
            Ok(Self(text))
        } else {
            Err(malformed)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last millisecond of this day in UTC: what is due on a date is late only when the day is over.
    pub fn end(&self) -> crate::Millis {
        let number = |range: std::ops::Range<usize>| -> i64 {
            self.0[range]
                .parse()
                .expect("parse let only digits through")
        };
        (days_from_civil(number(0..4), number(5..7), number(8..10)) + 1) * 86_400_000 - 1
    }

    /// The date of a moment in UTC.
    pub fn of(millis: crate::Millis) -> Self {
        let (year, month, day) = civil_from_days(millis.div_euclid(86_400_000));
        Self(format!("{year:04}-{month:02}-{day:02}"))
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date (the usual era-of-400-years arithmetic).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_texts_are_refused_and_good_ones_kept() {
        assert_eq!(Reason::parse("  \n "), Err(TextError::Empty));
        assert_eq!(
            Reason::parse(&"x".repeat(4_001)),
            Err(TextError::TooLong {
                chars: 4_001,
                most: 4_000
            })
        );
        assert_eq!(Name::parse("a\u{7}b"), Err(TextError::ControlCharacter));
        assert!(Name::parse(" Überwachung ").is_ok_and(|name| name.as_str() == "Überwachung"));
        for slug in ["", "A", "-a", "a-", "a--b", "a/b", "ä"] {
            assert!(Slug::parse(slug).is_err(), "{slug}");
        }
        assert_eq!(
            Slug::from_name("OpenSQT Market Maker!")
                .expect("fits")
                .as_str(),
            "opensqt-market-maker"
        );
        for address in [
            "javascript:alert(1)",
            "https://",
            "http:///x",
            "//host",
            "https://a b",
            "data:text/html,x",
        ] {
            assert!(WebAddress::parse(address).is_err(), "{address}");
        }
        for email in ["a", "@b", "a@", "a b@c", "<a@b>"] {
            assert!(Email::parse(email).is_err(), "{email}");
        }
        for commit in ["", "abc", "zzzzzzz", "main"] {
            assert!(Commit::parse(commit).is_err(), "{commit}");
        }
    }

    #[test]
    fn dates_are_real_days_and_end_when_the_day_does() {
        for date in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "26-01-01",
            "2026-1-1",
            "2026-01-32",
            "x",
        ] {
            assert!(Date::parse(date).is_err(), "{date}");
        }
        let date = Date::parse("2024-02-29").expect("a leap day");
        assert_eq!(date.end(), 1_709_251_199_999);
        assert_eq!(Date::of(date.end()), date);
        assert_eq!(Date::of(date.end() + 1).as_str(), "2024-03-01");
    }
}

//! SHA-256 digests, of bytes and of canonical JSON.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(&Sha256::digest(bytes))
    }

    /// The digest that a hasher, fed piece by piece, came to.
    pub fn finish(hasher: Sha256) -> Self {
        Self::from_hash(&hasher.finalize())
    }

    /// The digest of a value's canonical JSON (RFC 8785), which is the same for the same value on every machine.
    pub fn of_canonical<T: Serialize>(value: &T) -> Self {
        Self::of(canonical_json(value).as_bytes())
    }

    /// Reads 64 hexadecimal digits of either case.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits: enough to recognise, not to rely on.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }

    fn from_hash(hash: &[u8]) -> Self {
        // Importing a large scan makes hundreds of thousands of these; the formatting machinery is ten times slower.
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        Self(
            hash.iter()
                .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
                .collect(),
        )
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a digest is 64 hexadecimal digits")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// A value as canonical JSON (RFC 8785): sorted keys, no white space, one spelling for each number and string.
pub fn canonical_json<T: Serialize>(value: &T) -> String {
    serde_json_canonicalizer::to_string(value).expect(
        "Holdpoint's canonical values have string keys and finite numbers, which always serialise",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        let published = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").as_str(), published);
        assert_eq!(
            Digest::parse(&published.to_uppercase()),
            Digest::parse(published)
        );
    }

    #[test]
    fn the_order_of_keys_does_not_change_the_digest() {
        let one = serde_json::json!({"b": 1, "a": ["x", null]});
        let other = serde_json::json!({"a": ["x", null], "b": 1});
        assert_eq!(Digest::of_canonical(&one), Digest::of_canonical(&other));
        assert_eq!(canonical_json(&one), r#"{"a":["x",null],"b":1}"#);
    }

    #[test]
    fn a_digest_of_wrong_length_or_letters_is_refused() {
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"ä".repeat(32)] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}

//! Patterns of tools, rules and paths, as people write them: `*`, `**` and `?`.

use thiserror::Error;

/// A pattern may be this long, so that looking at 100,000 findings with it stays quick.
pub const MAX_PATTERN: usize = 200;

/// Why a pattern was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    #[error("This has {chars} characters; at most {MAX_PATTERN} fit. Shorten it.")]
    TooLong { chars: usize },
    #[error("This contains a control character. Type it again as plain text.")]
    ControlCharacter,
}

fn checked(text: &str) -> Result<&str, PatternError> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars > MAX_PATTERN {
        return Err(PatternError::TooLong { chars });
    }
    if text.chars().any(char::is_control) {
        return Err(PatternError::ControlCharacter);
    }
    Ok(text)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// One character, but no `/` in a path.
    One,
    /// Any characters, but no `/` in a path.
    Star,
    /// Any folders, or none: `**/`.
    Folders,
    /// All the rest: a `**` at the end.
    Rest,
}

/// What a text has to look like, with signs that stand for others. Empty fits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern<const IS_PATH: bool> {
    text: String,
    tokens: Vec<Token>,
}

/// The name of a tool or rule: `*` stands for any characters, `?` for one; case does not matter. Empty fits everything.
pub type NamePattern = Pattern<false>;

/// A path in the repository, as in a `.gitignore`: `*` and `?` stay within a folder, `**` goes through folders, `vendor/`
/// is all that is below, and what has no `/` is looked for in every folder. Empty fits everything.
pub type PathPattern = Pattern<true>;

impl<const IS_PATH: bool> Pattern<IS_PATH> {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it fits everything, even what has no name or path.
    pub fn is_any(&self) -> bool {
        self.tokens.is_empty()
    }
}

impl NamePattern {
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = checked(text)?;
        let tokens = text
            .to_lowercase()
            .bytes()
            .map(|byte| match byte {
                b'*' => Token::Star,
                b'?' => Token::One,
                byte => Token::Byte(byte),
            })
            .collect();
        Ok(Self {
            text: text.to_owned(),
            tokens,
        })
    }

    pub fn matches(&self, name: Option<&str>) -> bool {
        self.is_any() || name.is_some_and(|name| fits(&self.tokens, &name.to_lowercase(), false))
    }
}

impl PathPattern {
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = checked(text)?;
        let mut rest = text.trim_start_matches("./");
        let mut tokens = Vec::new();
        if let Some(from_root) = rest.strip_prefix('/') {
            rest = from_root;
        } else if !rest.trim_end_matches('/').contains('/') && !rest.is_empty() {
            tokens.push(Token::Folders);
        }
        let mut at_start = true;
        while let Some(c) = rest.chars().next() {
            if at_start && (rest.starts_with("**/") || rest == "**") {
                tokens.push(if rest == "**" {
                    Token::Rest
                } else {
                    Token::Folders
                });
                rest = rest.get(3..).unwrap_or_default();
                continue;
            }
            rest = &rest[c.len_utf8()..];
            match c {
                '*' => tokens.push(Token::Star),
                '?' => tokens.push(Token::One),
                c => {
                    let mut bytes = [0; 4];
                    tokens.extend(c.encode_utf8(&mut bytes).bytes().map(Token::Byte));
                }
            }
            at_start = c == '/';
        }
        if tokens.last() == Some(&Token::Byte(b'/')) {
            tokens.push(Token::Rest);
        }
        Ok(Self {
            text: text.to_owned(),
            tokens,
        })
    }

    pub fn matches(&self, path: Option<&str>) -> bool {
        self.is_any() || path.is_some_and(|path| fits(&self.tokens, path, true))
    }
}

/// Goes back to the last `*`, and when that can take no more to the last `**/`: never further, so the time it takes is
/// bounded by the lengths.
fn fits(tokens: &[Token], text: &str, is_path: bool) -> bool {
    let bytes = text.as_bytes();
    let may_be_taken = |at: usize| at < bytes.len() && !(is_path && bytes[at] == b'/');
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut folders: Option<(usize, usize)> = None;
    loop {
        match tokens.get(token) {
            Some(Token::Rest) => return true,
            Some(Token::Folders) => {
                folders = Some((token + 1, at));
                star = None;
                token += 1;
                continue;
            }
            Some(Token::Star) => {
                star = Some((token + 1, at));
                token += 1;
                continue;
            }
            Some(Token::One) if may_be_taken(at) => {
                at += 1;
                while at < bytes.len() && !text.is_char_boundary(at) {
                    at += 1;
                }
                token += 1;
                continue;
            }
            Some(Token::Byte(byte)) if bytes.get(at) == Some(byte) => {
                at += 1;
                token += 1;
                continue;
            }
            None if at == bytes.len() => return true,
            _ => {}
        }
        if let Some((after, from)) = star
            && may_be_taken(from)
        {
            star = Some((after, from + 1));
            (token, at) = (after, from + 1);
        } else if let Some((after, from)) = folders
            && let Some(slash) = bytes[from..].iter().position(|byte| *byte == b'/')
        {
            let next = from + slash + 1;
            folders = Some((after, next));
            star = None;
            (token, at) = (after, next);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_whatever_their_case() {
        let cases = [
            ("", "anything", true),
            ("gitleaks", "Gitleaks", true),
            ("gitleaks", "gitleaks8", false),
            ("trivy*", "Trivy Operator", true),
            ("python.*.audit.*", "python.lang.security.audit.exec", true),
            ("go/sql-*", "go/sql-injection", true),
            ("*sql*", "go/sql/injection", true),
            ("G10?", "g101", true),
            ("G10?", "G10", false),
            ("?", "ä", true),
        ];
        for (pattern, name, expected) in cases {
            let of = NamePattern::parse(pattern).expect("a pattern");
            assert_eq!(of.matches(Some(name)), expected, "{pattern} and {name}");
        }
        assert!(NamePattern::default().matches(None));
        assert!(!NamePattern::parse("*").expect("a pattern").matches(None));
    }

    #[test]
    fn paths_fit_as_in_a_gitignore() {
        let cases = [
            ("", "a/b.go", true),
            ("*.go", "main.go", true),
            ("*.go", "a/b/main.go", true),
            ("/*.go", "a/main.go", false),
            ("Dockerfile", "deploy/Dockerfile", true),
            ("Dockerfile", "deploy/Dockerfile.old", false),
            ("vendor/", "vendor/x/y.go", true),
            ("vendor/", "a/vendor/y.go", true),
            ("vendor/", "vendor", false),
            ("/vendor/", "a/vendor/y.go", false),
            ("src/*/main.go", "src/a/main.go", true),
            ("src/*/main.go", "src/a/b/main.go", false),
            ("src/**/main.go", "src/a/b/main.go", true),
            ("src/**/main.go", "src/main.go", true),
            ("src/**", "src/a/b", true),
            ("src/**", "lib/a", false),
            ("**/test_*.py", "a/b/test_x.py", true),
            ("**/test_*.py", "a/b/xtest_x.py", false),
            ("**/a/*/c", "x/a/y/b/a/z/c", true),
            ("./src/?.c", "src/x.c", true),
            ("src/?.c", "src//c", false),
        ];
        for (pattern, path, expected) in cases {
            let of = PathPattern::parse(pattern).expect("a pattern");
            assert_eq!(of.matches(Some(path)), expected, "{pattern} and {path}");
        }
        assert!(!PathPattern::parse("**").expect("a pattern").matches(None));
    }

    #[test]
    fn a_pattern_that_goes_back_often_is_still_quick() {
        let pattern = PathPattern::parse(&"**/*a*".repeat(30)).expect("a pattern");
        let path = "a/".repeat(2_000);
        assert!(!pattern.matches(Some(&format!("{path}b"))));
    }

    #[test]
    fn a_long_pattern_and_control_characters_are_refused() {
        assert_eq!(
            PathPattern::parse(&"a".repeat(201)),
            Err(PatternError::TooLong { chars: 201 })
        );
        assert_eq!(
            NamePattern::parse("a\u{0}b"),
            Err(PatternError::ControlCharacter)
        );
    }
}

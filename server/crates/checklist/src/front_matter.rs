//! YAML front matter, as far as checklists use it: `key: value` lines.

/// What stands before the document's Markdown.
pub(crate) struct FrontMatter {
    pub(crate) metadata: Vec<(String, String)>,
    /// Where the Markdown starts.
    pub(crate) end: usize,
}

/// Splits front matter off; without any, only a byte order mark.
pub(crate) fn read(text: &str) -> FrontMatter {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    read_block(text, start).unwrap_or(FrontMatter {
        metadata: Vec::new(),
        end: start,
    })
}

/// `None` unless every line fits: a document may also begin with a thematic break, and must lose no line then.
fn read_block(text: &str, start: usize) -> Option<FrontMatter> {
    let mut at = start;
    let mut metadata: Vec<(String, String)> = Vec::new();
    let mut first = true;
    loop {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = rest[..length].trim_end();
        let ending = match &rest.as_bytes()[length..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        at += length + ending;
        if first {
            if line != "---" {
                return None;
            }
            first = false;
            continue;
        }
        match line {
            "---" | "..." if !metadata.is_empty() => {
                return Some(FrontMatter { metadata, end: at });
            }
            "" => {}
            _ if line.starts_with('#') => {
                // `# Title` is a heading where no front matter is meant, but YAML calls it a comment.
                if metadata.is_empty() {
                    return None;
                }
            }
            _ if line.starts_with([' ', '\t']) || line.starts_with("- ") => {
                let value = line.trim_start();
                let value = value.strip_prefix("- ").unwrap_or(value).trim_start();
                if value.starts_with('[') && value.get(2..3) == Some("]") {
                    return None;
                }
                let (_, known) = metadata.last_mut()?;
                if !known.is_empty() {
                    known.push_str(", ");
                }
                known.push_str(unquoted(value));
            }
            _ => {
                let (key, value) = line.split_once(':')?;
                let is_key = !key.is_empty()
                    && key
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.'));
                if !is_key || !(value.is_empty() || value.starts_with([' ', '\t'])) {
                    return None;
                }
                let value = match value.trim() {
                    "|" | ">" | "|-" | ">-" => "",
                    value => unquoted(value),
                };
                metadata.push((key.trim_end().to_owned(), value.to_owned()));
            }
        }
    }
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|value| value.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lists_and_quotes_are_read() {
        let text = "---\ntitle: \"PRR\"\r\n# a comment\ntags:\n  - a\n  - b\n---\n# H";
        let front = read(text);
        let read: Vec<_> = front
            .metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(read, [("title", "PRR"), ("tags", "a, b")]);
        assert_eq!(&text[front.end..], "# H");
    }

    #[test]
    fn a_document_that_begins_with_a_rule_loses_nothing() {
        for text in [
            "---\n- [ ] a\n---\n",
            "---\n\ntext: yes, but not: only\nplain\n---\n",
            "---\n# H\n\nk: v\n---\n",
            "---\nk: v\n",
            "---\nk: v\n  - [ ] a\n---\n",
            "---\n---\n",
        ] {
            assert_eq!(read(text).end, 0, "{text:?}");
        }
    }
}

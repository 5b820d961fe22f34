//! Reading plain columns back into the product's values; what does not fit is damage, reported with its place.

use crate::StorageError;

/// A word or id that must be there.
pub(crate) fn parsed<T>(
    parse: fn(&str) -> Option<T>,
    value: &str,
    table: &str,
    column: &str,
) -> Result<T, StorageError> {
    parse(value).ok_or_else(|| StorageError::column(table, column, value))
}

/// A word or id that may be absent.
pub(crate) fn parsed_if<T>(
    parse: fn(&str) -> Option<T>,
    value: Option<&str>,
    table: &str,
    column: &str,
) -> Result<Option<T>, StorageError> {
    value
        .map(|value| parsed(parse, value, table, column))
        .transpose()
}

/// The pattern of `like … escape '\'` that finds a text anywhere, whatever characters it has.
pub(crate) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What a finding is searched by, in small letters, where one of these texts goes beyond ASCII; else nothing, since the
/// databases' `lower` does as well then. (It knows no other letters on SQLite, nor on PostgreSQL with the locale C.)
pub(crate) fn folded(texts: [Option<&str>; 4]) -> Option<String> {
    if texts.iter().flatten().all(|text| text.is_ascii()) {
        return None;
    }
    let texts: Vec<_> = texts.into_iter().flatten().collect();
    Some(texts.join("\u{1f}").to_lowercase())
}

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

//! One style sheet out of many: `@import` put in place, comments and needless space left out.
//!
//! Not a CSS parser: it knows strings, comments, brackets and `@import "…" layer(…)`, which is all that bundling asks
//! for, and refuses what it cannot place rather than passing broken CSS on in silence. So the same sheet comes out
//! with and without Node.js.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The sheet with its imports in place, shortened.
pub(crate) fn bundle(main: &Path) -> Result<String> {
    inline(main, &mut Vec::new())
}

/// A sheet's text, shortened, every import replaced by what it names. `open` holds the sheets we are inside of.
fn inline(file: &Path, open: &mut Vec<PathBuf>) -> Result<String> {
    let file = file
        .canonicalize()
        .with_context(|| format!("cannot find the style sheet {}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if open.contains(&file) {
        bail!("{name} imports itself");
    }
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let short = shorten(&text).with_context(|| format!("in {name}"))?;
    open.push(file.clone());
    let mut sheet = String::with_capacity(short.len());
    let mut rest = short.as_str();
    let mut rules_begun = false;
    while !rest.is_empty() {
        let (statement, after) = split_statement(rest);
        rest = after;
        if let Some(import) = statement.strip_prefix("@import") {
            if rules_begun {
                bail!("{name}: `@import{import}` stands after a rule, where browsers ignore it");
            }
            let import =
                Import::parse(import).with_context(|| format!("{name}: `@import{import}`"))?;
            let folder = file.parent().expect("a sheet lies in a folder");
            let imported = inline(&folder.join(import.path), open)?;
            sheet.push_str(&import.wrap(&imported));
        } else {
            rules_begun |= !statement.starts_with("@layer") && !statement.starts_with("@charset");
            sheet.push_str(statement);
        }
    }
    open.pop();
    Ok(sheet)
}

/// `url("print.css") layer(print) print;` taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Import<'a> {
    path: &'a str,
    layer: Option<&'a str>,
    media: &'a str,
}

impl<'a> Import<'a> {
    fn parse(import: &'a str) -> Result<Self> {
        let import = import.trim().trim_end_matches(';').trim();
        let (in_url, import) = match import.strip_prefix("url(") {
            Some(inner) => (true, inner.trim_start()),
            None => (false, import),
        };
        let Some(quote) = import.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            bail!("write the path in quotes");
        };
        let Some((path, mut rest)) = import[1..].split_once(quote) else {
            bail!("the path's closing quote is missing");
        };
        if in_url {
            rest = rest
                .trim_start()
                .strip_prefix(')')
                .context("the `url(` is never closed")?;
        }
        rest = rest.trim();
        let mut layer = None;
        if let Some(inner) = rest.strip_prefix("layer(") {
            let (name, after) = inner
                .split_once(')')
                .context("the `layer(` is never closed")?;
            layer = Some(name);
            rest = after.trim();
        }
        if rest.starts_with("supports(") || rest.starts_with("layer") {
            bail!("the bundler does not know \"{rest}\"; it knows `layer(name)` and a media query");
        }
        Ok(Self {
            path,
            layer,
            media: rest,
        })
    }

    /// The imported sheet under the conditions of its import.
    fn wrap(&self, sheet: &str) -> String {
        let layered = match self.layer {
            Some(layer) => format!("@layer {layer}{{{sheet}}}"),
            None => sheet.to_owned(),
        };
        if self.media.is_empty() {
            layered
        } else {
            format!("@media {}{{{layered}}}", self.media)
        }
    }
}

/// The first statement (up to its `;` or through its block) and what follows it.
fn split_statement(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, c) {
            (_, '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text.split_at(at + 1);
                }
            }
            (None, ';') if depth == 0 => return text.split_at(at + 1),
            _ => {}
        }
    }
    (text, "")
}

/// Leaves out comments and space that means nothing; refuses brackets and strings that do not close.
fn shorten(text: &str) -> Result<String> {
    let mut short = String::with_capacity(text.len());
    let mut chars = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .chars()
        .peekable();
    let mut line = 1;
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut space = false;
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        }
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if c == '/' && chars.peek() == Some(&'*') {
            let begun = line;
            chars.next();
            let mut star = false;
            loop {
                match chars.next() {
                    None => bail!("line {begun}: the comment is never closed"),
                    Some('/') if star => break,
                    Some(inner) => {
                        line += usize::from(inner == '\n');
                        star = inner == '*';
                    }
                }
            }
            // A comment parts two words without being a space: `.a/**/.b` is not `.a .b`.
            let beside_space = space
                || chars.peek().is_none_or(|next| next.is_whitespace())
                || short.ends_with(['{', '}', ';', ',', ':']);
            if !beside_space && !short.is_empty() {
                short.push_str("/**/");
            }
            continue;
        }
        if space {
            // Space before `:` or `(` can mean something (`a :hover`, `and (`), so it stays there.
            let needless = short.is_empty()
                || short.ends_with(['{', '}', ';', ',', '(', ':'])
                || matches!(c, '{' | '}' | ';' | ',' | ')');
            if !needless {
                short.push(' ');
            }
            space = false;
        }
        match c {
            '"' | '\'' => {
                let begun = line;
                short.push(c);
                loop {
                    match chars.next() {
                        None | Some('\n') => bail!("line {begun}: the string is never closed"),
                        Some('\\') => {
                            short.push('\\');
                            short.extend(chars.next());
                        }
                        Some(inner) => {
                            short.push(inner);
                            if inner == c {
                                break;
                            }
                        }
                    }
                }
                continue;
            }
            '\\' => {
                short.push(c);
                short.extend(chars.next());
                continue;
            }
            '{' | '(' | '[' => open.push((c, line)),
            '}' | ')' | ']' => {
                let expected = match c {
                    '}' => '{',
                    ')' => '(',
                    _ => '[',
                };
                match open.pop() {
                    Some((opening, _)) if opening == expected => {}
                    Some((opening, begun)) => {
                        bail!("line {line}: `{c}` closes the `{opening}` of line {begun}")
                    }
                    None => bail!("line {line}: `{c}` closes nothing"),
                }
                if c == '}' && short.ends_with(';') {
                    short.pop();
                }
            }
            _ => {}
        }
        short.push(c);
    }
    if let Some((opening, begun)) = open.pop() {
        bail!("line {begun}: `{opening}` is never closed");
    }
    Ok(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> PathBuf {
        let name = std::thread::current()
            .name()
            .unwrap_or("css")
            .replace(':', "-");
        let folder = std::env::temp_dir().join(format!("holdpoint-{name}-{}", std::process::id()));
        for (name, text) in files {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        folder
    }

    #[test]
    fn imports_are_put_in_place_inside_their_layers() {
        let folder = folder(&[
            (
                "main.css",
                "@layer reset, parts;\n@import \"reset.css\" layer(reset);\n@import 'parts/all.css' layer(parts);\n",
            ),
            ("reset.css", "* { margin: 0; }\n"),
            ("parts/all.css", "@import \"badge.css\";\n"),
            ("parts/badge.css", ".badge { color: red; }"),
        ]);
        let sheet = bundle(&folder.join("main.css")).unwrap();
        assert_eq!(
            sheet,
            "@layer reset,parts;@layer reset{*{margin:0}}@layer parts{.badge{color:red}}"
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_import_keeps_its_layer_and_its_media() {
        let import = Import::parse(" url(\"print.css\") layer(print) print;").unwrap();
        assert_eq!(import.path, "print.css");
        assert_eq!(import.wrap("a{}"), "@media print{@layer print{a{}}}");
        assert!(Import::parse("\"x.css\" supports(display: grid)").is_err());
        assert!(Import::parse("x.css").is_err());
    }

    #[test]
    fn an_import_that_is_missing_is_an_error_with_its_name() {
        let folder = folder(&[("main.css", "@import \"gone.css\";")]);
        let error = format!("{:#}", bundle(&folder.join("main.css")).unwrap_err());
        assert!(error.contains("gone.css"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_sheet_that_imports_itself_is_an_error() {
        let folder = folder(&[
            ("main.css", "@import \"a.css\";"),
            ("a.css", "@import \"main.css\";"),
        ]);
        let error = format!("{:#}", bundle(&folder.join("main.css")).unwrap_err());
        assert!(error.contains("imports itself"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn space_that_means_something_stays() {
        let cases = [
            ("a :hover { x: y }", "a :hover{x:y}"),
            ("a:hover , b > c { }", "a:hover,b > c{}"),
            (
                "@media (width < 40rem) and (hover) {a{b:c}}",
                "@media (width < 40rem) and (hover){a{b:c}}",
            ),
            (
                "a { width: calc(1px + (2px * 3)); }",
                "a{width:calc(1px + (2px * 3))}",
            ),
            (
                "a{content:\"  /* no */ ; }\"}",
                "a{content:\"  /* no */ ; }\"}",
            ),
            ("a { --x: ; b: c }", "a{--x:;b:c}"),
            ("a { & :is(b, c) d { e: f } }", "a{& :is(b,c) d{e:f}}"),
            (".a/* x */.b { c: d /* e */ f }", ".a/**/.b{c:d f}"),
            ("a { margin: 0 -1px }", "a{margin:0 -1px}"),
        ];
        for (input, expected) in cases {
            assert_eq!(shorten(input).unwrap(), expected, "{input}");
        }
    }

    #[test]
    fn what_does_not_close_is_named_with_its_line() {
        let cases = [
            ("a {\n b: c\n", "line 1"),
            ("a { b: c }\n}", "line 2"),
            ("\n/* never", "line 2"),
            ("a { b: \"c\n\" }", "line 1"),
            ("a { b: (c } )", "line 1"),
        ];
        for (input, expected) in cases {
            let error = shorten(input).unwrap_err().to_string();
            assert!(error.contains(expected), "{input}: {error}");
        }
    }
}

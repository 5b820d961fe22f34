//! A file that is too long to be held is gone through piece by piece, and says the same.

mod common;

use std::path::PathBuf;

use holdpoint_importers::{Finding, IMPORTERS, ImportError, InputLimits, Summary, read_source};

type Read = Result<(Summary, Vec<Finding>), ImportError>;

fn read_with(limits: InputLimits, bytes: &[u8], name: Option<&str>, format: Option<&str>) -> Read {
    let mut findings = Vec::new();
    let summary = read_source(&bytes, limits, name, format, &mut |finding| {
        findings.push(finding);
    })?;
    Ok((summary, findings))
}

fn at_once(bytes: &[u8], name: Option<&str>, format: Option<&str>) -> Read {
    read_with(InputLimits::default(), bytes, name, format)
}

fn in_pieces(bytes: &[u8], name: Option<&str>, format: Option<&str>) -> Read {
    let limits = InputLimits {
        at_once_bytes: 0,
        ..InputLimits::default()
    };
    read_with(limits, bytes, name, format)
}

fn reports() -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).expect("a report can be read");
        (path, bytes)
    };
    common::reports().into_iter().map(read).collect()
}

#[test]
fn every_report_says_the_same_in_pieces() {
    let mut n_read = 0;
    for (path, bytes) in reports() {
        let name = path.file_name().and_then(|name| name.to_str());
        let whole = at_once(&bytes, name, None);
        n_read += usize::from(whole.is_ok());
        assert_eq!(in_pieces(&bytes, name, None), whole, "{}", path.display());
    }
    assert!(n_read > 90, "{n_read}");
}

#[test]
fn a_report_that_was_cut_off_is_refused_in_pieces_where_it_is_refused_whole() {
    for (path, bytes) in reports() {
        if bytes.len() > 200_000 {
            continue;
        }
        let Ok(format) = at_once(&bytes, None, None).map(|(summary, _)| summary.format) else {
            continue;
        };
        for end in (1..6).map(|part| bytes.len() * part / 6) {
            let cut = &bytes[..end];
            let (whole, pieces) = (
                at_once(cut, None, Some(format)),
                in_pieces(cut, None, Some(format)),
            );
            match (&whole, &pieces) {
                (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces, "{} at {end}", path.display()),
                (Err(whole), Err(pieces)) => assert_eq!(
                    whole.to_string(),
                    pieces.to_string(),
                    "{} at {end}",
                    path.display()
                ),
                _ => panic!("{} at {end}: {whole:?} and {pieces:?}", path.display()),
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_shown_and_told_wherever_a_piece_ends() {
    // 0xe4 is no UTF-8; each character and each of its bytes comes to lie before and after the border of two pieces of 64 KiB.
    for start in 65_536 - 12..=65_536 {
        let before = "[\n\n{\"RuleID\":\"a\",\"Description\":\"";
        let mut bytes = vec![b' '; start - before.len()];
        bytes.extend(before.as_bytes());
        bytes.extend("ä\u{1f600}".as_bytes());
        bytes.extend(b"\xe4\",\n\"File\":\"a.py\",\"StartLine\":3}]");
        let (summary, found) = at_once(&bytes, None, Some("gitleaks")).unwrap();
        assert_eq!(summary.problems[0].where_, "line 3");
        let pieces = in_pieces(&bytes, None, Some("gitleaks"));
        assert_eq!(pieces, Ok((summary, found)), "{start}");
    }
}

#[test]
fn what_is_held_of_a_long_file_has_a_limit() {
    let limits = InputLimits {
        at_once_bytes: 0,
        whole_bytes: 100_000,
        ..InputLimits::default()
    };
    let text = "x".repeat(150_000);
    let many = |one: &str| vec![one; 4_000].join(",");
    let fine = format!(
        r#"{{"results":[{}],"errors":[],"version":"1"}}"#,
        many(
            r#"{"check_id":"a","path":"a.py","start":{"line":1},"extra":{"message":"m","severity":"ERROR"}}"#
        )
    );
    let read = |bytes: &str, format| read_with(limits, bytes.as_bytes(), None, Some(format));
    // The findings are let go one by one.
    assert_eq!(read(&fine, "semgrep").unwrap().1.len(), 4_000);
    let long_rest = format!(r#"{{"results":[],"errors":[],"version":"1","note":"{text}"}}"#);
    let long_line = format!("{{\"SourceMetadata\":\"{text}\"}}\n");
    let long_row = format!("title,severity\n\"{text}\",high\n");
    let long_name = format!("<checkstyle><file name=\"{text}\"/></checkstyle>");
    let many_names = format!(
        "<checkstyle><other>{}</other></checkstyle>",
        format!("<a b=\"{}\"/>", &text[..50_000]).repeat(4)
    );
    let files = format!("<file name=\"{}\"/>", &text[..50_000]).repeat(8);
    assert!(read(&format!("<checkstyle>{files}</checkstyle>"), "checkstyle").is_ok());
    assert!(
        read(&many_names, "checkstyle")
            .is_err_and(|refused| refused.to_string().contains("held in memory"))
    );
    let rows = format!("\"{}\",high\n", &text[..50_000]).repeat(8);
    assert!(read(&format!("title,severity\n{rows}"), "generic").is_ok());
    for (bytes, format) in [
        (&long_rest, "semgrep"),
        (&long_line, "trufflehog"),
        (&format!("a.yaml:1:2: [error] {text} (rule)\n"), "yamllint"),
        (&long_name, "checkstyle"),
        (&long_row, "generic"),
    ] {
        let refused = read(bytes, format);
        assert!(
            matches!(
                refused,
                Err(ImportError::PieceTooLarge {
                    most_bytes: 100_000,
                    ..
                })
            ),
            "{format}: {refused:?}"
        );
    }
}

#[test]
fn a_list_of_countless_values_is_refused() {
    let values = "[],".repeat(4_100_000);
    for (format, bytes) in [
        (
            "semgrep",
            format!(r#"{{"results":[],"errors":[{values}0]}}"#),
        ),
        ("snyk", format!(r#"{{"vulnerabilities":[{values}0]}}"#)),
    ] {
        let refused = at_once(bytes.as_bytes(), None, Some(format)).unwrap_err();
        let message = refused.to_string();
        assert!(message.contains("more than 4000000 values"), "{message}");
    }
}

#[test]
fn a_bill_of_materials_with_nothing_in_it_is_refused() {
    for bytes in [&b"<bom><!-- cyclonedx --></bom>"[..], b"[\"bomFormat\"]"] {
        for read in [at_once, in_pieces] {
            let refused = read(bytes, None, Some("cyclonedx")).unwrap_err();
            assert!(
                refused.to_string().contains("an object is required"),
                "{refused}"
            );
        }
    }
}

#[test]
fn every_format_reads_an_empty_or_foreign_text_in_pieces_as_it_does_whole() {
    for importer in IMPORTERS {
        for text in [
            "",
            " \n",
            "{}",
            "[]",
            "null",
            "<a/>",
            "<bom><!-- cyclonedx --></bom>",
            "a,b\n1,2\n",
            "{\"a\":",
        ] {
            let format = Some(importer.name());
            let whole = at_once(text.as_bytes(), None, format);
            let pieces = in_pieces(text.as_bytes(), None, format);
            assert_eq!(pieces, whole, "{} of {text:?}", importer.name());
        }
    }
}

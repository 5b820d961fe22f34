//! SSLyze: what a TLS server accepts, as JSON (from 3.0 on) or XML (before).
//!
//! SSLyze states facts and judges few of them. What is a finding here, for each target:
//!
//! | JSON | XML | finding | severity |
//! |---|---|---|---|
//! | `heartbleed`, `openssl_ccs_injection` | `heartbleed`, `openssl_ccs` | CVE-2014-0160, CVE-2014-0224 | high, as their base score |
//! | `robot` | `robot` | an oracle: strong, weak | high, medium |
//! | `tls_compression` | `compression` | CRIME, CVE-2012-4929 | medium |
//! | `tls_fallback_scsv` | `fallback` | it is not supported | low |
//! | `session_renegotiation` | `reneg` | insecure, or open to denial of service | medium |
//! | `certificate_info` | `certinfo` | a store that refuses the chain, another host's name, SHA-1, wrong order; all as one | medium |
//! | `ssl_2_0_cipher_suites` … `tls_1_1_cipher_suites` | `sslv2` … `tlsv1_1` | the protocol is accepted | SSL high, TLS medium |
//! | `tls_1_2_cipher_suites`, `tls_1_3_cipher_suites` | `tlsv1_2`, `tlsv1_3` | suites that BSI TR-02102-2 does not recommend, all of a protocol as one | medium |
//!
//! Targets that could not be reached, targets of which nothing was asked, commands that failed and those that do not say what they
//! always say make the scan incomplete; commands that nobody asked for do not.

use std::borrow::Cow;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with, root_is};
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError};

pub const SSLYZE: Format = Format {
    name: "sslyze",
    title: "SSLyze JSON or XML",
    tool: "sslyze",
    detect: |sniff| {
        certain_if(
            object_with(sniff, &["server_scan_results"])
                || (root_is(sniff, "document") && sniff.text.contains("SSLyzeVersion")),
        )
    },
    lists: &[
        "server_scan_results",
        "server_connectivity_errors?",
        "invalid_server_strings?[]",
    ],
    read: |reading, text| {
        if text.begins_with('<') {
            read_xml(reading, text)
        } else {
            read_json(reading, text)
        }
    },
};

/// A protocol's name, its command in JSON and its element in XML, and how bad it is to accept it; `None` where that
/// depends on the suites.
const PROTOCOLS: [(&str, &str, &str, Option<Severity>); 6] = [
    (
        "SSL 2.0",
        "ssl_2_0_cipher_suites",
        "sslv2",
        Some(Severity::High),
    ),
    (
        "SSL 3.0",
        "ssl_3_0_cipher_suites",
        "sslv3",
        Some(Severity::High),
    ),
    (
        "TLS 1.0",
        "tls_1_0_cipher_suites",
        "tlsv1",
        Some(Severity::Medium),
    ),
    (
        "TLS 1.1",
        "tls_1_1_cipher_suites",
        "tlsv1_1",
        Some(Severity::Medium),
    ),
    ("TLS 1.2", "tls_1_2_cipher_suites", "tlsv1_2", None),
    ("TLS 1.3", "tls_1_3_cipher_suites", "tlsv1_3", None),
];

/// What is either so or not, and is a finding if it is: rule, name, severity, what it means, CVE.
type Flaw = (
    &'static str,
    &'static str,
    Severity,
    &'static str,
    &'static str,
);

const HEARTBLEED: Flaw = (
    "heartbleed",
    "Heartbleed",
    Severity::High,
    "lets its memory be read from outside",
    "CVE-2014-0160",
);
const CCS_INJECTION: Flaw = (
    "openssl_ccs_injection",
    "CCS injection",
    Severity::High,
    "lets a weak session key be forced upon it",
    "CVE-2014-0224",
);
const COMPRESSION: Flaw = (
    "tls_compression",
    "TLS compression",
    Severity::Medium,
    "compresses, which lets secrets be guessed from lengths (CRIME)",
    "CVE-2012-4929",
);
const NO_FALLBACK_PROTECTION: Flaw = (
    "tls_fallback_scsv",
    "No protection against downgrades",
    Severity::Low,
    "does not support TLS_FALLBACK_SCSV",
    "",
);

/// A target's facts that count, in either form.
#[derive(Default)]
struct Target {
    /// `host:port`.
    name: String,
    pointer: String,
    flaws: Vec<Flaw>,
    robot: String,
    renegotiation: Vec<&'static str>,
    certificate: Vec<String>,
    /// What is accepted of each of [`PROTOCOLS`].
    accepted: [Vec<String>; PROTOCOLS.len()],
}

impl Target {
    fn note(&mut self, flaw: Flaw, is_there: bool) {
        if is_there {
            self.flaws.push(flaw);
        }
    }

    fn add_to(&self, reading: &mut Reading<'_>) {
        let mut add = |rule: &str, words: &str, severity: Severity, said: &str, cve: &str| {
            reading.add(
                Finding::of(&format!("{words} ({})", self.name), severity, &self.pointer)
                    .with_rule(rule)
                    .with_rule_name(words)
                    .with_message(&format!("{} {said}", self.name))
                    .with_ids(cve)
                    .with_scope(&self.name)
                    .with_partial_fingerprint(&self.name)
                    .with_category(Category::Web),
            );
        };
        for (rule, words, severity, said, cve) in &self.flaws {
            add(rule, words, *severity, said, cve);
        }
        let oracle = self.robot.strip_prefix("VULNERABLE_");
        if let Some(oracle) = oracle {
            let severity = if oracle.starts_with("STRONG") {
                Severity::High
            } else {
                Severity::Medium
            };
            let said = format!("answers as an oracle ({})", self.robot);
            add("robot", "ROBOT attack", severity, &said, "");
        }
        if !self.renegotiation.is_empty() {
            let said = self.renegotiation.join(" and ");
            let words = "Problems with session renegotiation";
            add("session_renegotiation", words, Severity::Medium, &said, "");
        }
        if !self.certificate.is_empty() {
            let said = format!("has problems: {}", self.certificate.join("; "));
            let words = "Problems in certificate deployments";
            add("certificate_info", words, Severity::Medium, &said, "");
        }
        for ((protocol, rule, _, severity), accepted) in PROTOCOLS.iter().zip(&self.accepted) {
            if let Some(severity) = severity {
                if !accepted.is_empty() {
                    let said = format!("accepts {protocol} connections");
                    let words = format!("{protocol} not recommended");
                    add(rule, &words, *severity, &said, "");
                }
                continue;
            }
            let poor = accepted.iter().filter(|suite| !is_recommended(suite));
            let poor: Vec<&str> = poor.map(String::as_str).collect();
            if !poor.is_empty() {
                let words = format!("Unrecommended cipher suites for {protocol}");
                let said = format!("accepts {}", poor.join(", "));
                add(rule, &words, Severity::Medium, &said, "");
            }
        }
    }
}

/// Whether BSI TR-02102-2 recommends a suite of TLS 1.2 or 1.3 that has forward secrecy.
fn is_recommended(suite: &str) -> bool {
    if let Some((exchange, cipher)) = suite.split_once("_WITH_") {
        let is_forward_secret =
            exchange.starts_with("TLS_ECDHE_") || exchange.starts_with("TLS_DHE_");
        let mode = cipher
            .strip_prefix("AES_128_")
            .or(cipher.strip_prefix("AES_256_"));
        let modes = [
            "CBC_SHA256",
            "CBC_SHA384",
            "GCM_SHA256",
            "GCM_SHA384",
            "CCM",
        ];
        return is_forward_secret && mode.is_some_and(|mode| modes.contains(&mode));
    }
    let of_1_3 = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_CCM_SHA256",
    ];
    of_1_3.contains(&suite)
}

fn host_and_port(host: &str, port: &str) -> String {
    if port.is_empty() {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

/// The text with 0 in the place of every whole number that no floating point number can hold: SSLyze writes the modulus of
/// an RSA key as a number of many hundred digits, and nothing here depends on it.
fn without_moduli(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut out, mut kept_to) = (String::new(), 0);
    let (mut at, mut is_string) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if is_string => at += 1,
            b'"' => is_string = !is_string,
            b'0'..=b'9' if !is_string => {
                let digits = bytes[at..].iter().take_while(|b| b.is_ascii_digit());
                let n_digits = digits.count();
                if n_digits > LONGEST_NUMBER {
                    out.push_str(&text[kept_to..at]);
                    out.push('0');
                    kept_to = at + n_digits;
                }
                at += n_digits - 1;
            }
            _ => {}
        }
        at += 1;
    }
    if kept_to == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept_to..]);
    Cow::Owned(out)
}

/// So many digits always fit into a floating point number.
const LONGEST_NUMBER: usize = 300;

fn read_json(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let text = text.whole()?;
    let text = without_moduli(&text);
    let mut n_scans = 0_usize;
    let rest = reading.stream(
        Body::Whole(&text),
        &[&["server_scan_results", "*"]],
        &mut |reading, pointer, scan| {
            n_scans += 1;
            let place = if scan.has("server_location") {
                scan.at("server_location")
            } else {
                scan.at("server_info/server_location")
            };
            let name = host_and_port(
                &place.first_text(&["hostname", "ip_address"]),
                &place.text("port"),
            );
            for key in ["connectivity_status", "scan_status"] {
                let status = scan.text(key);
                if !matches!(&*status, "" | "COMPLETED") || scan.has(key) && status.is_empty() {
                    reading.incomplete(pointer, &format!("{name} could not be scanned: {status}"));
                    return Ok(());
                }
            }
            let key = if scan.has("scan_result") {
                "scan_result"
            } else {
                "scan_commands_results"
            };
            reading.needs_object(scan, key)?;
            for (command, _) in scan.entries("scan_commands_errors") {
                reading.incomplete(pointer, &format!("{command} failed on {name}"));
            }
            let results = scan.at(key);
            for (command, result) in results.own_entries() {
                let status = result.text("status");
                // Older versions have no status.
                let is_known = matches!(&*status, "COMPLETED" | "NOT_SCHEDULED");
                if !is_known && result.has("status") {
                    let why = result.first_text(&["error_reason", "status"]);
                    reading.incomplete(pointer, &format!("{command} failed on {name}: {why}"));
                }
                let own = if result.has("result") {
                    result.at("result")
                } else {
                    result
                };
                let list = match &**command {
                    "certificate_info" => "certificate_deployments",
                    command if command.ends_with("_cipher_suites") => "accepted_cipher_suites",
                    _ => continue,
                };
                if own.is_object() && status != "NOT_SCHEDULED" {
                    reading.needs_list(own, list)?;
                }
            }
            let target = of_json(results, name, pointer);
            if !matches!(&*target.robot, "" | "UNKNOWN_INCONSISTENT_RESULTS")
                && !target.robot.starts_with("VULNERABLE_")
                && !target.robot.starts_with("NOT_VULNERABLE_")
            {
                reading.unknown_word(pointer, "result of robot", &target.robot);
            } else if target.robot.starts_with("UNKNOWN") {
                let said = format!("robot could not be told on {}", target.name);
                reading.incomplete(pointer, &said);
            }
            target.add_to(reading);
            Ok(())
        },
    )?;
    reading.needs_list(&rest, "server_scan_results")?;
    reading.tool("", &rest.text("sslyze_version"));
    reading.scanned_at(&rest.text("date_scans_completed"));
    if n_scans == 0 {
        reading.nothing_looked_at("/server_scan_results", "no server");
    }
    for key in ["server_connectivity_errors", "invalid_server_strings"] {
        if !rest.each(key).is_empty() {
            let n = rest.each(key).len();
            reading.incomplete(
                format!("/{key}"),
                &format!("{n} targets could not be scanned"),
            );
        }
    }
    Ok(())
}

fn of_json(results: &Loose<'_>, name: String, pointer: &str) -> Target {
    // From 5.0 on the result lies below its status.
    let of = |command: &str| {
        let value = results.at(command);
        if value.has("result") {
            value.at("result")
        } else {
            value
        }
    };
    let is_false = |value: &Loose<'_>| matches!(value, Loose::Bool(false));
    let mut target = Target {
        name,
        pointer: pointer.to_owned(),
        robot: of("robot").text("robot_result").into_owned(),
        ..Target::default()
    };
    let is_so = |command: &str, key: &str| of(command).flag(key);
    target.note(
        HEARTBLEED,
        is_so("heartbleed", "is_vulnerable_to_heartbleed"),
    );
    target.note(
        CCS_INJECTION,
        is_so("openssl_ccs_injection", "is_vulnerable_to_ccs_injection"),
    );
    target.note(
        COMPRESSION,
        is_so("tls_compression", "supports_compression"),
    );
    let fallback = of("tls_fallback_scsv").at("supports_fallback_scsv");
    target.note(NO_FALLBACK_PROTECTION, is_false(fallback));
    let renegotiation = of("session_renegotiation");
    target.renegotiates(
        is_false(renegotiation.at("supports_secure_renegotiation")),
        renegotiation.flag("accepts_client_renegotiation")
            || renegotiation.flag("is_vulnerable_to_client_renegotiation_dos"),
    );
    for deployment in of("certificate_info").each("certificate_deployments") {
        let mut note = |is: bool, words: &str| {
            if is {
                target.certificate.push(words.to_owned());
            }
        };
        let hostname = deployment.at("leaf_certificate_subject_matches_hostname");
        note(is_false(hostname), OTHER_HOST);
        note(
            is_false(deployment.at("received_chain_has_valid_order")),
            WRONG_ORDER,
        );
        note(
            deployment.flag("verified_chain_has_sha1_signature"),
            SHA1_SIGNATURE,
        );
        note(
            deployment.flag("verified_chain_has_legacy_symantec_anchor"),
            SYMANTEC_ANCHOR,
        );
        for path in deployment.each("path_validation_results") {
            let error = path.first_text(&["openssl_error_string", "validation_error"]);
            if !error.is_empty() || is_false(path.at("was_validation_successful")) {
                let store = path.text("trust_store/name");
                note(true, &format!("{store}: {error}"));
            }
        }
    }
    for ((_, command, ..), accepted) in PROTOCOLS.iter().zip(&mut target.accepted) {
        let suites = of(command).each("accepted_cipher_suites").iter();
        accepted.extend(suites.map(|suite| suite.text("cipher_suite/name").into_owned()));
    }
    target
}

const OTHER_HOST: &str = "the certificate is of another host";
const WRONG_ORDER: &str = "the chain is in the wrong order";
const SHA1_SIGNATURE: &str = "the chain has a SHA-1 signature";
const SYMANTEC_ANCHOR: &str =
    "the chain ends in an anchor of Symantec, which browsers do not trust";

impl Target {
    fn renegotiates(&mut self, is_insecure: bool, by_client: bool) {
        if is_insecure {
            self.renegotiation
                .push("does not support secure renegotiation");
        }
        if by_client {
            self.renegotiation
                .push("lets clients renegotiate, which is open to denial of service");
        }
    }
}

fn read_xml(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let document = reading.xml(text, "document")?;
    reading.tool("", &document.text("SSLyzeVersion"));
    reading.needs_object(&document, "results")?;
    for (at, scan) in document.each("results/target").iter().enumerate() {
        let pointer = format!("target {at}");
        let name = host_and_port(&scan.first_text(&["host", "ip"]), &scan.text("port"));
        for (command, result) in scan.own_entries() {
            let failed = result.has("exception") || !result.text("errors").is_empty();
            if failed || result.at("errors").is_object() {
                reading.incomplete(&*pointer, &format!("{command} failed on {name}"));
                continue;
            }
            // What such a command always says.
            let place = format!("{pointer}, {command}");
            if PROTOCOLS
                .iter()
                .any(|(_, _, element, _)| element == command)
            {
                reading.needs_any(&place, result, &["acceptedCipherSuites"]);
            } else if command == "certinfo" {
                let validation = result.at("certificateValidation");
                reading.needs_any(
                    &place,
                    validation,
                    &["hostnameValidation", "pathValidation"],
                );
            }
        }
        let is_attribute =
            |name: &str| matches!(name, "host" | "ip" | "port" | "tlsWrappedProtocol");
        if !scan
            .own_entries()
            .iter()
            .any(|(name, _)| !is_attribute(name))
        {
            reading.nothing_looked_at(&pointer, &format!("no command was run on {name}"));
        }
        for path in scan.each("certinfo/certificateValidation/pathValidation") {
            let result = path.first_text(&["validationResult", "error"]);
            if !is_validation(&result) {
                reading.unknown_word(&pointer, "result of a validation", &result);
            }
        }
        of_xml(scan, name, pointer).add_to(reading);
    }
    let invalid = document.each("invalidTargets/invalidTarget").len();
    if document.each("results/target").is_empty() && invalid == 0 {
        reading.nothing_looked_at("results", "no server");
    }
    if invalid > 0 {
        let reason = format!("{invalid} targets could not be scanned");
        reading.incomplete("invalidTargets", &reason);
    }
    Ok(())
}

/// Whether these are words of OpenSSL for how a chain fares; they change from version to version, and any but `ok` is a finding.
fn is_validation(result: &str) -> bool {
    const PARTS: [&str; 7] = [
        "certificate",
        "signature",
        "hostname",
        "path length",
        "purpose",
        "crl",
        "issuer",
    ];
    let result = result.to_ascii_lowercase();
    result == "ok" || PARTS.iter().any(|part| result.contains(part))
}

fn of_xml(scan: &Loose<'_>, name: String, pointer: String) -> Target {
    let is = |path: &str, word: &str| scan.text(path).eq_ignore_ascii_case(word);
    let mut target = Target {
        name,
        pointer,
        robot: scan.text("robot/robotAttack/resultEnum").into_owned(),
        ..Target::default()
    };
    target.note(
        HEARTBLEED,
        is("heartbleed/openSslHeartbleed/isVulnerable", "true"),
    );
    target.note(
        CCS_INJECTION,
        is("openssl_ccs/openSslCcsInjection/isVulnerable", "true"),
    );
    target.note(
        COMPRESSION,
        is("compression/compressionMethod/isSupported", "true"),
    );
    target.note(
        NO_FALLBACK_PROTECTION,
        is("fallback/tlsFallbackScsv/isSupported", "false"),
    );
    target.renegotiates(
        is("reneg/sessionRenegotiation/isSecure", "false"),
        is("reneg/sessionRenegotiation/canBeClientInitiated", "true"),
    );
    let validation = scan.at("certinfo/certificateValidation");
    let mut note = |is: bool, words: &str| {
        if is {
            target.certificate.push(words.to_owned());
        }
    };
    let hostname =
        "certinfo/certificateValidation/hostnameValidation/certificateMatchesServerHostname";
    note(is(hostname, "false"), OTHER_HOST);
    let order = "certinfo/receivedCertificateChain/isChainOrderValid";
    note(is(order, "false"), WRONG_ORDER);
    let verified = validation.at("verifiedCertificateChain");
    note(verified.flag("hasSha1SignedCertificate"), SHA1_SIGNATURE);
    note(
        verified.flag("isAffectedBySymantecDeprecation"),
        SYMANTEC_ANCHOR,
    );
    for path in validation.each("pathValidation") {
        let result = path.first_text(&["validationResult", "error"]);
        let store = path.text("usingTrustStore");
        note(result != "ok", &format!("{store}: {result}"));
    }
    for ((_, _, element, _), accepted) in PROTOCOLS.iter().zip(&mut target.accepted) {
        let path = format!("{element}/acceptedCipherSuites");
        let suites = scan.at(&path).each("cipherSuite").iter();
        accepted.extend(suites.map(|suite| suite.text("name").into_owned()));
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_are_too_long_are_left_out() {
        let long = "7".repeat(617);
        let text = format!("{{\"a\\\"\": [{long}, 12, \"{long}\"], \"b\": {long}}}");
        let expected = format!("{{\"a\\\"\": [0, 12, \"{long}\"], \"b\": 0}}");
        assert_eq!(without_moduli(&text), expected);
        assert!(matches!(without_moduli("[12]"), Cow::Borrowed("[12]")));
    }

    #[test]
    fn suites_without_forward_secrecy_or_with_old_hashes_are_not_recommended() {
        for suite in [
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
            "TLS_AES_256_GCM_SHA384",
        ] {
            assert!(is_recommended(suite), "{suite}");
        }
        for suite in [
            "TLS_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
            "TLS_DH_anon_WITH_AES_128_GCM_SHA256",
            "TLS_CHACHA20_POLY1305_SHA256",
            "",
        ] {
            assert!(!is_recommended(suite), "{suite}");
        }
    }
}

//! Checking a report or a bundle again, offline: with the keys alone, without trusting who hands it over.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, Read, Seek},
};

use holdpoint_domain::{Digest, Millis};
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::{
    allowed_signers::absolute_time,
    archive::{self, Entry, Packing},
    bundle::{
        ALLOWED_SIGNERS, BUNDLE_FORMAT, LOG_PROOFS, MANIFEST, MANIFEST_SIGNATURE, Manifest, REPORT,
        REPORT_JSON, REPORT_SIGNATURE, members,
    },
    facts::Facts,
    log::check_log,
    markdown::SIGNED_AT,
    signing::{
        AllowedKeys, BUNDLE_NAMESPACE, REPORT_NAMESPACE, is_written_as_signed, own_key, verify,
    },
};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    Right,
    Wrong,
    /// Worth knowing, and no reason to distrust.
    Note,
}

/// One thing that was checked, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub outcome: CheckOutcome,
    pub what: String,
}

/// All that was checked, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    pub checks: Vec<Check>,
    /// The fingerprint of the key that signed.
    pub signed_by: Option<String>,
    /// Whether that key was given by whoever asks, rather than by the file itself.
    pub is_proven: bool,
}

impl Verification {
    /// Whether a key to trust signed it and nothing was wrong.
    pub fn verified(&self) -> bool {
        self.is_proven && self.is_consistent()
    }

    /// Whether a signature was checked and nothing was wrong, whosever the key is.
    pub fn is_consistent(&self) -> bool {
        self.signed_by.is_some()
            && self
                .checks
                .iter()
                .all(|check| check.outcome != CheckOutcome::Wrong)
    }

    pub(crate) fn right(&mut self, what: impl Into<String>) {
        self.push(CheckOutcome::Right, what.into());
    }

    pub(crate) fn wrong(&mut self, what: impl Into<String>) {
        self.push(CheckOutcome::Wrong, what.into());
    }

    /// Adds what is worth knowing and no reason to distrust.
    pub fn note(&mut self, what: impl Into<String>) {
        self.push(CheckOutcome::Note, what.into());
    }

    /// What a hostile file says of itself is cut and printed without control characters.
    fn push(&mut self, outcome: CheckOutcome, what: String) {
        let what: String = what
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .take(500)
            .collect();
        self.checks.push(Check { outcome, what });
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let word = match check.outcome {
                CheckOutcome::Right => "ok   ",
                CheckOutcome::Wrong => "WRONG",
                CheckOutcome::Note => "note ",
            };
            writeln!(f, "{word}  {}", check.what)?;
        }
        f.write_str(if self.verified() {
            "Verified."
        } else if self.is_consistent() {
            "Consistent in itself, not proven: whoever made it could have made its key too. Give a key that you trust with --key."
        } else {
            "Not verified."
        })
    }
}

/// Checks that one of these keys signed exactly this report. Where keys are valid for a time and no moment was given with
/// them, that of the signing counts which the report names.
/// `name` is what the file is called in what is said of it.
pub fn verify_report(
    name: &str,
    report: &[u8],
    signature: &str,
    keys: &AllowedKeys,
) -> Verification {
    let mut result = Verification {
        is_proven: true,
        ..Verification::default()
    };
    signed(
        &mut result,
        name,
        REPORT_NAMESPACE,
        report,
        signature,
        &keys.at_least(signed_at(report)),
    );
    result
}

/// Checks a report with the key that its signature names itself. That shows whether both are whole, and nothing of who made
/// them: [`Verification::verified`] is false.
pub fn inspect_report(name: &str, report: &[u8], signature: &str) -> Verification {
    let Some(own) = own_key(signature) else {
        return verify_report(name, report, signature, &AllowedKeys::default());
    };
    let mut result = Verification::default();
    result.note(format!(
        "No key was given, so the signature's own is used. It is whose it should be only if {} is a fingerprint at that \
         Holdpoint's /.well-known/holdpoint-signing-keys.",
        own.fingerprints().join(", ")
    ));
    signed(&mut result, name, REPORT_NAMESPACE, report, signature, &own);
    result
}

/// The moment for which a report's own command asks, as `-Overify-time` takes it: in the last of its commands, since texts of
/// people may stand before.
pub fn verify_time(report: &str) -> Option<&str> {
    let (_, rest) = report.rsplit_once(SIGNED_AT)?;
    let time = rest.split_whitespace().next()?;
    absolute_time(time, &|_| None).map(|_| time)
}

/// When a report says that it was signed.
fn signed_at(report: &[u8]) -> Option<Millis> {
    let time = verify_time(std::str::from_utf8(report).ok()?)?;
    absolute_time(time, &|_| None)?.checked_mul(1_000)
}

fn signed(
    result: &mut Verification,
    name: &str,
    namespace: &str,
    bytes: &[u8],
    signature: &str,
    keys: &AllowedKeys,
) {
    match verify(namespace, bytes, signature, keys) {
        Ok(signer) => {
            result.right(format!(
                "{name} is signed by the key {} and was not changed since.",
                signer.fingerprint
            ));
            result.signed_by = Some(signer.fingerprint);
        }
        Err(error) => result.wrong(format!("{name}: {error}")),
    }
}

/// How much a bundle may hold before it is refused: a small file can unpack to anything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub files: usize,
    /// Of all files together, unpacked.
    pub total_bytes: u64,
    /// Of each file that is read into memory: manifest, report, signatures.
    pub text_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 200_000,
            total_bytes: 64 * 1024 * 1024 * 1024,
            text_bytes: 256 * 1024 * 1024,
        }
    }
}

/// Checks a bundle byte for byte: both signatures, that it holds exactly the files of its manifest with their digests and
/// nothing beside, and that the evidence and patches which the report names are among them. Without `keys` the bundle's own
/// are used, which shows that it is consistent in itself but not whose it is: [`Verification::verified`] is then false.
pub fn verify_bundle(
    mut file: impl Read + Seek,
    keys: Option<&AllowedKeys>,
    limits: Limits,
) -> Verification {
    let mut result = Verification {
        is_proven: keys.is_some(),
        ..Verification::default()
    };
    if let Err(problem) = check_bundle(&mut file, keys, limits, &mut result) {
        result.wrong(problem);
    }
    if result
        .checks
        .iter()
        .any(|check| check.outcome == CheckOutcome::Wrong)
    {
        result.signed_by = None;
    }
    result
}

fn check_bundle<F: Read + Seek>(
    file: &mut F,
    keys: Option<&AllowedKeys>,
    limits: Limits,
    result: &mut Verification,
) -> Result<(), String> {
    let mut zip = opened(file)?;
    let entries = entries(&mut zip, limits)?;
    let mut text = |name: &str| text(&mut zip, name, limits);
    let as_text = |name: &str, bytes: Vec<u8>| {
        String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8 text."))
    };
    let manifest_bytes = text(MANIFEST)?;
    let manifest_signature = as_text(MANIFEST_SIGNATURE, text(MANIFEST_SIGNATURE)?)?;
    let report = text(REPORT)?;
    let report_signature = as_text(REPORT_SIGNATURE, text(REPORT_SIGNATURE)?)?;
    let report_json = text(REPORT_JSON)?;
    let own_keys = as_text(ALLOWED_SIGNERS, text(ALLOWED_SIGNERS)?)?;

    let manifest: Manifest = serde_json::from_slice(&manifest_bytes)
        .map_err(|error| format!("{MANIFEST} is not a manifest: {error}."))?;
    if manifest.format != BUNDLE_FORMAT {
        return Err(format!(
            "{MANIFEST} has the format {:?}; this program reads {BUNDLE_FORMAT}. Use the Holdpoint that wrote it.",
            manifest.format
        ));
    }
    let own;
    let keys = if let Some(keys) = keys {
        keys
    } else {
        own =
            AllowedKeys::parse(&own_keys).map_err(|error| format!("{ALLOWED_SIGNERS}: {error}"))?;
        result.note(format!(
            "No key was given, so the bundle's own is used. It is whose it should be only if {} is the fingerprint at \
             that Holdpoint's /.well-known/holdpoint-signing-keys.",
            own.fingerprints().join(", ")
        ));
        &own
    };
    signed(
        result,
        MANIFEST,
        BUNDLE_NAMESPACE,
        &manifest_bytes,
        &manifest_signature,
        &keys.at_least(Some(manifest.signed_at)),
    );
    if !is_written_as_signed(&manifest_signature) {
        result.wrong(format!("{MANIFEST_SIGNATURE} was written anew."));
    }
    signed(
        result,
        REPORT,
        REPORT_NAMESPACE,
        &report,
        &report_signature,
        &keys.at_least(signed_at(&report)),
    );
    check_layout(file, &manifest, &entries, result)?;
    let mut zip = opened(file)?;
    let names = entries.iter().map(|entry| entry.name.clone()).collect();
    let digests = check_files(&mut zip, &manifest, &names, limits, result)?;
    let facts: Facts = serde_json::from_slice(&report_json)
        .map_err(|error| format!("{REPORT_JSON} cannot be read: {error}."))?;
    check_evidence(&facts, &manifest, &digests, result);
    let mut of_log = BTreeMap::new();
    // All of them together are no longer than one text may be.
    let mut rest = limits;
    for name in digests.keys().filter(|name| name.starts_with(LOG_PROOFS)) {
        let bytes = self::text(&mut zip, name, rest)?;
        rest.text_bytes = rest.text_bytes.saturating_sub(bytes.len() as u64);
        of_log.insert(name.clone(), as_text(name, bytes)?);
    }
    check_log(&of_log, &facts, keys, result);
    Ok(())
}

fn opened<F: Read + Seek>(file: &mut F) -> Result<ZipArchive<&mut F>, String> {
    ZipArchive::new(file).map_err(|error| {
        format!("This is no bundle: it is no whole ZIP file ({error}). It may have been cut off.")
    })
}

/// What the directory at the end says of each file. The places of the files follow from their sizes.
fn entries<F: Read + Seek>(zip: &mut ZipArchive<F>, limits: Limits) -> Result<Vec<Entry>, String> {
    if zip.len() > limits.files {
        return Err(format!(
            "The bundle holds {} files; at most {} are read.",
            zip.len(),
            limits.files
        ));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let entry = zip
            .by_index_raw(index)
            .map_err(|error| format!("The bundle cannot be read: {error}."))?;
        let name = entry.name().to_owned();
        if !is_plain_path(&name) || entry.is_dir() || entry.is_symlink() || entry.encrypted() {
            return Err(format!("{name:?} is no file that a bundle may hold."));
        }
        let packing = if name == MANIFEST || name == MANIFEST_SIGNATURE {
            Packing::Stored
        } else {
            Packing::Deflated
        };
        let offset = entries.last().map_or(Some(0), Entry::ends);
        let entry = Entry {
            name,
            packing,
            crc32: entry.crc32(),
            size_bytes: entry.size(),
            packed_bytes: entry.compressed_size(),
            offset: offset.ok_or("The bundle's sizes are no sizes of files.")?,
        };
        entries.push(entry);
    }
    Ok(entries)
}

fn text<F: Read + Seek>(
    zip: &mut ZipArchive<F>,
    name: &str,
    limits: Limits,
) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let entry = zip
        .by_name(name)
        .map_err(|_| format!("{name} is missing or cannot be read."))?;
    entry
        .take(limits.text_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{name} is damaged: {error}."))?;
    if bytes.len() as u64 > limits.text_bytes {
        return Err(format!(
            "{name} is larger than {} bytes.",
            limits.text_bytes
        ));
    }
    Ok(bytes)
}

/// Whether the files lie in the manifest's order with nothing before, between or behind them, their headers say what a bundle's
/// say, and their packed bytes are those of the manifest.
fn check_layout<F: Read + Seek>(
    file: &mut F,
    manifest: &Manifest,
    entries: &[Entry],
    result: &mut Verification,
) -> Result<(), String> {
    let cannot = |error: io::Error| format!("The bundle cannot be read: {error}.");
    let listed = manifest.files.iter().map(|listed| listed.path.as_str());
    let order = listed.chain([MANIFEST, MANIFEST_SIGNATURE]);
    if !entries.iter().map(|entry| entry.name.as_str()).eq(order) {
        result.wrong(format!(
            "The bundle does not hold the files of {MANIFEST}, each once and in their order."
        ));
    }
    if let Some(at) = archive::first_difference(file, entries).map_err(cannot)? {
        result.wrong(format!(
            "Byte {at} of the bundle is not the one that belongs there: something stands between its files, or was changed."
        ));
    }
    for (entry, listed) in entries.iter().zip(&manifest.files) {
        let found = archive::packed_digest(file, entry).map_err(cannot)?;
        if found.as_str() != listed.packed_sha256 || entry.packed_bytes != listed.packed_bytes {
            result.wrong(format!("{} was packed anew.", listed.path));
        }
        if entry.size_bytes != listed.size_bytes {
            result.wrong(another_size(&entry.name));
        }
    }
    // The list itself and its signature are in no list, and lie there as they are.
    for entry in entries {
        if entry.packing == Packing::Stored && entry.size_bytes != entry.packed_bytes {
            result.wrong(another_size(&entry.name));
        }
    }
    Ok(())
}

fn another_size(name: &str) -> String {
    format!("The headers of {name} give it a size that it does not have.")
}

/// Reads every file of the manifest and says which are not what it says; their digests by path.
fn check_files<F: Read + Seek>(
    zip: &mut ZipArchive<F>,
    manifest: &Manifest,
    names: &BTreeSet<String>,
    limits: Limits,
    result: &mut Verification,
) -> Result<BTreeMap<String, String>, String> {
    let mut digests = BTreeMap::new();
    let mut total = 0_u64;
    let mut n_right = 0_usize;
    for listed in &manifest.files {
        if digests.contains_key(&listed.path) {
            result.wrong(format!("{} is listed twice in {MANIFEST}.", listed.path));
            continue;
        }
        total = total.saturating_add(listed.size_bytes);
        if total > limits.total_bytes {
            return Err(format!(
                "The bundle unpacks to more than {} bytes, so it was not read further.",
                limits.total_bytes
            ));
        }
        digests.insert(listed.path.clone(), String::new());
        if !names.contains(&listed.path) {
            result.wrong(format!("{} is missing.", listed.path));
            continue;
        }
        let found = zip
            .by_name(&listed.path)
            .map_err(io::Error::from)
            .and_then(|entry| digest(entry, listed.size_bytes));
        match found {
            Ok((sha256, size)) if sha256 == listed.sha256 && size == listed.size_bytes => {
                n_right += 1;
                digests.insert(listed.path.clone(), sha256);
            }
            Ok(_) => result.wrong(format!(
                "{} was changed: its digest is another.",
                listed.path
            )),
            Err(error) => result.wrong(format!("{} is damaged: {error}.", listed.path)),
        }
    }
    for name in names {
        if name != MANIFEST && name != MANIFEST_SIGNATURE && !digests.contains_key(name) {
            result.wrong(format!("{name} was added: {MANIFEST} does not name it."));
        }
    }
    if n_right == manifest.files.len() {
        result.right(format!(
            "All {n_right} files have the digests of {MANIFEST}."
        ));
    }
    Ok(digests)
}

/// Whether the evidence and patches that the report names are there, under their own digests.
fn check_evidence(
    facts: &Facts,
    manifest: &Manifest,
    digests: &BTreeMap<String, String>,
    result: &mut Verification,
) {
    let members = members(facts);
    let mut n_right = 0_usize;
    for member in &members {
        match digests.get(&member.path) {
            Some(sha256) if *sha256 == member.sha256.to_ascii_lowercase() => n_right += 1,
            Some(_) => result.wrong(format!(
                "{} is not what the report names: its digest is another.",
                member.path
            )),
            None if manifest.missing.contains(&member.path) => result.wrong(format!(
                "{} is named by the report and was already gone when the bundle was made: the bundle is not whole.",
                member.path
            )),
            None => result.wrong(format!(
                "{} is named by the report and missing.",
                member.path
            )),
        }
    }
    if n_right == members.len() {
        result.right(format!(
            "All {n_right} files of evidence and patches that the report names are there."
        ));
    }
}

fn digest(mut entry: impl Read, expected_bytes: u64) -> io::Result<(String, u64)> {
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    let mut piece = vec![0; 64 * 1024];
    loop {
        match entry.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&piece[..n]);
                size += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if size > expected_bytes {
            return Err(io::Error::other("it is larger than the manifest says"));
        }
    }
    Ok((Digest::finish(hasher).as_str().to_owned(), size))
}

/// Names that mean the same wherever the bundle is unpacked.
fn is_plain_path(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name.split('/').all(|part| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
}

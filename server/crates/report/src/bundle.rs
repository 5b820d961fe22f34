//! The bundle: a report with all it stands on in one ZIP file.
//!
//! `manifest.json` names every other file with its SHA-256 digest and is signed itself, so a change anywhere in the
//! bundle shows. Equal facts and files give equal bytes.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek, Write},
};

use holdpoint_domain::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{
    exports,
    facts::Facts,
    markdown::markdown,
    signing::{BUNDLE_NAMESPACE, REPORT_NAMESPACE, SigningKey},
};

pub const MANIFEST: &str = "manifest.json";
pub const MANIFEST_SIGNATURE: &str = "manifest.json.sig";
pub const REPORT: &str = "report.md";
pub const REPORT_SIGNATURE: &str = "report.md.sig";
pub const REPORT_JSON: &str = "report.json";
pub const ALLOWED_SIGNERS: &str = "allowed_signers";
pub const LOG_HEAD: &str = "log-head.json";

/// The version of the manifest, in its `format` field.
pub const BUNDLE_FORMAT: &str = "holdpoint-bundle@v1";

/// What a bundle holds beside the signature of this list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    /// Sorted by path.
    pub files: Vec<ManifestFile>,
    /// What belongs here and could not be had, sorted by path.
    pub missing: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    pub path: String,
    pub sha256: String,
    pub size_bytes: u64,
}

/// A stored file that belongs into the bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Within the bundle.
    pub path: String,
    pub sha256: String,
    pub of: MemberOf,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberOf {
    Evidence { id: String },
    Patch { number: i64 },
}

/// Why no bundle could be written.
#[derive(Debug, Error)]
pub enum BundleError {
    #[error("{path} is damaged: its SHA-256 is {found}, not {expected}. Restore it from a backup.")]
    Damaged {
        path: String,
        expected: String,
        found: String,
    },
    #[error("{path} could not be read")]
    Read {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("the bundle could not be written")]
    Write(#[source] io::Error),
    #[error("a draft is not signed, so it has no bundle; sign the release decision first")]
    Draft,
    #[error("{0} has no usable SHA-256 digest")]
    NoDigest(String),
}

impl From<ZipError> for BundleError {
    fn from(error: ZipError) -> Self {
        Self::Write(error.into())
    }
}

/// The stored files that a bundle of these facts holds, sorted by path: all evidence but the withdrawn, and all patches.
pub fn members(facts: &Facts) -> Vec<Member> {
    let evidence = facts
        .items
        .iter()
        .flat_map(|item| &item.evidence)
        .filter(|evidence| evidence.withdrawn.is_none())
        .map(|evidence| Member {
            path: evidence.bundle_path(),
            sha256: evidence.sha256.clone(),
            of: MemberOf::Evidence {
                id: evidence.id.clone(),
            },
        });
    let patches = facts.patches.iter().map(|patch| Member {
        path: patch.bundle_path(),
        sha256: patch.sha256.clone(),
        of: MemberOf::Patch {
            number: patch.number,
        },
    });
    let mut members: Vec<_> = evidence.chain(patches).collect();
    members.sort();
    // Equal files of several items lie there once.
    members.dedup_by(|later, first| later.path == first.path);
    members
}

/// Writes the bundle. `open` gives a stored file's bytes, or nothing where they are gone, which the manifest then says;
/// bytes that are not what the facts say are an error, and what was written until then is to be thrown away.
pub fn bundle<W, R>(
    facts: &Facts,
    key: &SigningKey,
    mut open: impl FnMut(&Member) -> io::Result<Option<R>>,
    out: W,
) -> Result<W, BundleError>
where
    W: Write + Seek,
    R: Read,
{
    if facts.is_draft() {
        return Err(BundleError::Draft);
    }
    let report = markdown(facts.clone());
    let signature = key.sign(REPORT_NAMESPACE, report.as_bytes());
    let head = serde_json::to_string_pretty(&facts.activity)
        .expect("a number and a digest always serialise");
    let mut texts = BTreeMap::new();
    texts.insert(REPORT, report);
    texts.insert(REPORT_SIGNATURE, signature);
    texts.insert(REPORT_JSON, exports::json(facts.clone()));
    texts.insert("findings.sarif", exports::sarif(facts.clone()));
    texts.insert("findings.csv", exports::csv(facts.clone()));
    texts.insert(ALLOWED_SIGNERS, key.public_line() + "\n");
    texts.insert(LOG_HEAD, head + "\n");

    let mut zip = ZipWriter::new(out);
    let mut manifest = Manifest {
        format: BUNDLE_FORMAT.to_owned(),
        files: Vec::new(),
        missing: Vec::new(),
    };
    for (path, text) in &texts {
        let written = store(&mut zip, path, &mut text.as_bytes())?;
        manifest.files.push(written);
    }
    for member in members(facts) {
        if Digest::parse(&member.sha256).is_none() {
            return Err(BundleError::NoDigest(member.path));
        }
        let read = |source| BundleError::Read {
            path: member.path.clone(),
            source,
        };
        let Some(mut bytes) = open(&member).map_err(read)? else {
            manifest.missing.push(member.path);
            continue;
        };
        let written = store(&mut zip, &member.path, &mut bytes)?;
        if !written.sha256.eq_ignore_ascii_case(&member.sha256) {
            return Err(BundleError::Damaged {
                path: member.path,
                expected: member.sha256,
                found: written.sha256,
            });
        }
        manifest.files.push(written);
    }
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = serde_json::to_string_pretty(&manifest)
        .expect("a manifest of texts and numbers always serialises")
        + "\n";
    store(&mut zip, MANIFEST, &mut manifest.as_bytes())?;
    let signature = key.sign(BUNDLE_NAMESPACE, manifest.as_bytes());
    store(&mut zip, MANIFEST_SIGNATURE, &mut signature.as_bytes())?;
    Ok(zip.finish()?)
}

fn store<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    path: &str,
    bytes: &mut dyn Read,
) -> Result<ManifestFile, BundleError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
        .large_file(true);
    zip.start_file(path, options)?;
    let mut hasher = Sha256::new();
    let mut size_bytes = 0_u64;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let n = match bytes.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                return Err(BundleError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        hasher.update(&piece[..n]);
        size_bytes += n as u64;
        zip.write_all(&piece[..n]).map_err(BundleError::Write)?;
    }
    Ok(ManifestFile {
        path: path.to_owned(),
        sha256: Digest::finish(hasher).as_str().to_owned(),
        size_bytes,
    })
}

//! The bundle: a report with all it stands on in one ZIP file.
//!
//! `manifest.json` names every other file in its order, with the SHA-256 digests of its bytes and of its packed bytes, and is
//! signed itself; what stands between the files follows from them ([`crate::archive`]). So each byte of a bundle is one that
//! was signed. Equal facts and files give equal bytes.

use std::io::{self, Read, Seek, Write};

use holdpoint_domain::{Digest, Millis};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    archive::{Packing, Writer},
    exports,
    facts::Facts,
    signing::{BUNDLE_NAMESPACE, SignError, SigningKey},
};

pub const MANIFEST: &str = "manifest.json";
pub const MANIFEST_SIGNATURE: &str = "manifest.json.sig";
pub const REPORT: &str = "report.md";
pub const REPORT_SIGNATURE: &str = "report.md.sig";
pub const REPORT_JSON: &str = "report.json";
pub const ALLOWED_SIGNERS: &str = "allowed_signers";
pub const LOG_HEAD: &str = "log-head.json";
/// The signed head of the log, what it goes on from, and before and behind the number of its entry each sign-off's proof.
pub const LOG_CHECKPOINT: &str = "log/checkpoint";
pub const LOG_HISTORY: &str = "log/history.json";
pub const LOG_PROOFS: &str = "log/";
pub const LOG_PROOF_ENDING: &str = ".tlog-proof";

/// The version of the manifest, in its `format` field.
pub const BUNDLE_FORMAT: &str = "holdpoint-bundle@v2";

/// What a bundle holds beside the signature of this list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    /// For when the signature of this list is to be checked, in Unix milliseconds: keys are valid for a time.
    pub signed_at: Millis,
    /// In the order in which they lie in the bundle.
    pub files: Vec<ManifestFile>,
    /// What belongs here and could not be had.
    pub missing: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    pub path: String,
    pub sha256: String,
    pub size_bytes: u64,
    /// Of the file as it lies in the bundle.
    pub packed_sha256: String,
    pub packed_bytes: u64,
}

/// What a bundle is made of beside stored files.
#[derive(Clone, Debug)]
pub struct Contents {
    pub facts: Facts,
    /// `report.md` and its signature, as they were signed.
    pub report: String,
    pub signature: String,
    /// The lines of `allowed_signers` that both signatures are checked with.
    pub allowed_signers: String,
    /// For when the manifest's signature is to be checked.
    pub signed_at: Millis,
    /// What proves from outside that the log holds what the report names: files under `log/`, by path.
    pub proofs: Vec<(String, String)>,
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
    #[error(transparent)]
    Sign(#[from] SignError),
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

/// Writes the bundle. `open` gives a stored file's bytes, or nothing where they are gone, which the manifest then says: such
/// a bundle does not verify. Bytes that are not what the facts say are an error, and what was written until then is to be
/// thrown away. Nothing but the facts is held in memory.
pub fn bundle<W, R>(
    contents: Contents,
    key: &SigningKey,
    mut open: impl FnMut(&Member) -> io::Result<Option<R>>,
    out: W,
) -> Result<W, BundleError>
where
    W: Write + Seek,
    R: Read,
{
    if contents.facts.is_draft() {
        return Err(BundleError::Draft);
    }
    let facts = contents.facts.sorted();
    let head = serde_json::to_string_pretty(&facts.activity)
        .expect("a number and a digest always serialise");
    let members = members(&facts);
    let mut bundle = Bundle {
        archive: Writer::new(out),
        manifest: Manifest {
            format: BUNDLE_FORMAT.to_owned(),
            signed_at: contents.signed_at,
            files: Vec::new(),
            missing: Vec::new(),
        },
    };
    bundle.text(ALLOWED_SIGNERS, &contents.allowed_signers)?;
    bundle.text(LOG_HEAD, &(head + "\n"))?;
    for (path, text) in &contents.proofs {
        bundle.text(path, text)?;
    }
    bundle.text(REPORT, &contents.report)?;
    bundle.text(REPORT_SIGNATURE, &contents.signature)?;
    bundle.add(REPORT_JSON, |out| exports::write_json(&facts, out))?;
    let facts = exports::counting(facts);
    bundle.add("findings.sarif", |out| exports::write_sarif(&facts, out))?;
    bundle.add("findings.csv", |out| exports::write_csv(&facts, out))?;
    drop(facts);
    for member in members {
        if Digest::parse(&member.sha256).is_none() {
            return Err(BundleError::NoDigest(member.path));
        }
        let read = |source| BundleError::Read {
            path: member.path.clone(),
            source,
        };
        let Some(mut bytes) = open(&member).map_err(read)? else {
            bundle.manifest.missing.push(member.path);
            continue;
        };
        let found = bundle.add(&member.path, |out| io::copy(&mut bytes, out).map(drop))?;
        if !found.eq_ignore_ascii_case(&member.sha256) {
            return Err(BundleError::Damaged {
                path: member.path,
                expected: member.sha256,
                found,
            });
        }
    }
    let Bundle {
        mut archive,
        manifest,
    } = bundle;
    let manifest = serde_json::to_string_pretty(&manifest)
        .expect("a manifest of texts and numbers always serialises")
        + "\n";
    let signature = key.sign(BUNDLE_NAMESPACE, manifest.as_bytes())?;
    // Not packed, so that no byte of them depends on how.
    for (path, text) in [(MANIFEST, manifest), (MANIFEST_SIGNATURE, signature)] {
        archive
            .add(path, Packing::Stored, |out| out.write_all(text.as_bytes()))
            .map_err(BundleError::Write)?;
    }
    archive.finish().map_err(BundleError::Write)
}

struct Bundle<W> {
    archive: Writer<W>,
    manifest: Manifest,
}

impl<W: Write + Seek> Bundle<W> {
    fn text(&mut self, path: &str, text: &str) -> Result<(), BundleError> {
        self.add(path, |out| out.write_all(text.as_bytes()))?;
        Ok(())
    }

    /// Adds a file, and gives its digest.
    fn add(
        &mut self,
        path: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<String, BundleError> {
        let stored = self
            .archive
            .add(path, Packing::Deflated, fill)
            .map_err(BundleError::Write)?;
        let sha256: String = stored.sha256.into();
        self.manifest.files.push(ManifestFile {
            path: path.to_owned(),
            sha256: sha256.clone(),
            size_bytes: stored.size_bytes,
            packed_sha256: stored.packed_sha256.into(),
            packed_bytes: stored.packed_bytes,
        });
        Ok(sha256)
    }
}

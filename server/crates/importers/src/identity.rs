//! When two findings of two scans are the same finding.
//!
//! The line is no part of it, so that moved code stays the same finding. Findings are compared within a series, which has
//! one tool; only a finding of another tool in the same file names its own in the key. In this order:
//!
//! | basis | what the key is made of, beside such a tool |
//! |---|---|
//! | fingerprint | the tool's own fingerprint |
//! | partial fingerprint | rule, path, what the tool contributes |
//! | shared fingerprint | the fingerprint, rule, path, context, component: one file used it for different places |
//! | component | rule, path, component: a dependency |
//! | snippet | rule, path, snippet, component |
//! | message | rule, path, message, component |
//!
//! What a finding is in (an image, a function, a product) is its scope. It may be called otherwise at the next build, so it is in
//! the key of a message only; findings with equal keys are told apart by it first.
//!
//! Where the tool gives a version of the component, it belongs to every key: a decision about one version says nothing of
//! another. Findings with equal keys in one file are told apart by their order: line, column, content.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::Finding;
use crate::finding::words;
use crate::text::{is_normal, normal_message, normal_path, normal_snippet};

/// The version of the rules above; it is part of every key.
pub const VERSION: u32 = 1;

words! {
    /// What an identity rests on.
    IdentityBasis {
        Fingerprint => "fingerprint",
        PartialFingerprint => "partial_fingerprint",
        SharedFingerprint => "shared_fingerprint",
        Component => "component",
        Snippet => "snippet",
        Message => "message",
    }
}

impl IdentityBasis {
    /// What is equal when two findings with this basis are the same, for a sentence.
    pub const fn equal_parts(self) -> &'static str {
        match self {
            Self::Fingerprint => "the tool's fingerprint is equal",
            Self::PartialFingerprint => "rule, file and the tool's fingerprint are equal",
            Self::SharedFingerprint => {
                "fingerprint, rule, file and context are equal (the tool used one fingerprint for several places)"
            }
            Self::Component => "rule, file, component and version are equal",
            Self::Snippet => "rule, file and snippet are equal",
            Self::Message => "rule, file and message are equal",
        }
    }

    /// What a finding is recognised by in later scans, as a sentence; `ordinal` is its place among equal ones, from 0.
    pub fn explanation(self, ordinal: u32) -> String {
        let parts = match self {
            Self::Fingerprint => "Recognised by the tool's own fingerprint",
            Self::PartialFingerprint => "Recognised by rule, file and the tool's own fingerprint",
            Self::SharedFingerprint => {
                "Recognised by fingerprint, rule, file and context, since the tool gave one fingerprint to several places"
            }
            Self::Component => "Recognised by rule, file, component and version",
            Self::Snippet => "Recognised by rule, file and snippet",
            Self::Message => "Recognised by rule, file and message",
        };
        if ordinal == 0 {
            format!("{parts}.")
        } else {
            format!(
                "{parts}; number {} of several equal ones, by order.",
                ordinal + 1
            )
        }
    }
}

/// The first half of a SHA-256 digest, written as 32 lower-case hexadecimal digits: far more than it takes to tell the
/// findings of a series apart, and half as long to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Halves are read several times as fast as the whole.
        let (high, low) = fits.then(|| text.split_at(16))?;
        let half = |text| u64::from_str_radix(text, 16).ok().map(u128::from);
        Some(Self(((half(high)? << 64) | half(low)?).to_be_bytes()))
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The number that its digits write.
    pub const fn as_number(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// Its first four bytes, in the same order as keys.
    fn beginning(self) -> u32 {
        let [first, second, third, fourth, ..] = self.0;
        u32::from_be_bytes([first, second, third, fourth])
    }

    fn finish(hasher: Sha256) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&hasher.finalize()[..16]);
        Self(half)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.as_number())
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What makes a finding the same finding in the next scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    pub key: Key,
    /// Rule, path, context and component without any fingerprint: finds the same finding again when a tool begins or
    /// stops to give fingerprints. Of a finding without fingerprint that is the key, and this has the scope too: it tells
    /// equal ones apart.
    pub context: Key,
    /// The place among the findings of this file with the same key, from 0.
    pub ordinal: u32,
    pub basis: IdentityBasis,
}

impl AsRef<Self> for Identity {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsMut<Self> for Identity {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl Identity {
    /// Why the finding has this identity, as a sentence.
    pub fn explanation(&self) -> String {
        self.basis.explanation(self.ordinal)
    }
}

/// The identities of all findings of one file, in their order.
pub fn identify(findings: &[Finding]) -> Vec<Identity> {
    let mut twins = Twins::default();
    let mut identities: Vec<_> = findings.iter().map(|finding| twins.add(finding)).collect();
    twins.finish(&mut identities);
    identities
}

/// Tells findings with equal keys apart, which come one by one and of which only the whole file tells how many there are:
/// keeps a few bytes for each, not the finding.
#[derive(Debug, Default)]
pub struct Twins {
    places: Vec<TwinPlace>,
    /// For each full fingerprint the first place (rule and path) it was used for, and whether there were others.
    fingerprints: HashMap<Key, FingerprintUse>,
}

#[derive(Debug)]
struct FingerprintUse {
    place: u64,
    is_shared: bool,
}

/// What orders equal findings.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TwinPlace {
    line: u32,
    column: u32,
    content: u64,
}

impl Twins {
    /// With room for so many findings.
    pub fn for_about(findings: usize) -> Self {
        Self {
            places: Vec::with_capacity(findings),
            fingerprints: HashMap::new(),
        }
    }

    /// The identity of a finding as far as it tells by itself; [`Twins::finish`] tells the rest.
    pub fn add(&mut self, finding: &Finding) -> Identity {
        let about = About::of(finding);
        let (tool, rule, path) = (&*about.tool, about.rule, &*about.path);
        let component = about.component;

        let (context_basis, context_text) = context_of(finding, rule, component);
        let parts = [tool, rule, path, &context_text, component];
        let mut context = key(context_basis, parts, about.version);
        let fingerprint = finding
            .fingerprint
            .as_deref()
            .map(str::trim)
            .filter(|f| is_fingerprint(f));
        let (basis, key) = match fingerprint {
            None => {
                let plain = context;
                // The scope may have another name at each build (an image's tag), so it is in no key; it tells twins apart.
                if let Some(scope) = finding.scope.as_deref()
                    && context_basis != IdentityBasis::Message
                {
                    context = key_of(context_basis, &[&plain.0, scope.as_bytes()]);
                }
                (context_basis, plain)
            }
            Some(print) => {
                let (basis, key) =
                    about.printed(print, finding.fingerprint_is_partial, about.version);
                if basis == IdentityBasis::Fingerprint {
                    let place = fnv(&[rule.as_bytes(), path.as_bytes()]);
                    self.fingerprints
                        .entry(key)
                        .and_modify(|used| used.is_shared |= used.place != place)
                        .or_insert(FingerprintUse {
                            place,
                            is_shared: false,
                        });
                }
                (basis, key)
            }
        };
        self.places.push(TwinPlace {
            line: finding.start_line.unwrap_or(0),
            column: finding.start_column.unwrap_or(0),
            content: content_of(finding),
        });
        Identity {
            key,
            context,
            ordinal: 0,
            basis,
        }
    }

    /// Completes the identities of all findings of a file, in the order in which they were added.
    pub fn finish<T: AsRef<Identity> + AsMut<Identity>>(self, findings: &mut [T]) {
        for finding in &mut *findings {
            let identity = finding.as_mut();
            let is_shared = |used: &FingerprintUse| used.is_shared;
            if identity.basis == IdentityBasis::Fingerprint
                && self.fingerprints.get(&identity.key).is_some_and(is_shared)
            {
                identity.basis = IdentityBasis::SharedFingerprint;
                identity.key = key_of(identity.basis, &[&identity.key.0, &identity.context.0]);
            }
        }
        // The first bytes of a key mostly tell it from all others.
        let key = |at: u32| findings[at as usize].as_ref().key;
        let place = |at: u32| &self.places[at as usize];
        let beginnings = (findings.iter()).map(|finding| finding.as_ref().key.beginning());
        let mut order: Vec<(u32, u32)> = beginnings.zip(0..).collect();
        order.sort_unstable_by(|(one_begins, one), (other_begins, other)| {
            one_begins
                .cmp(other_begins)
                .then_with(|| key(*one).cmp(&key(*other)))
                .then_with(|| place(*one).cmp(place(*other)))
        });
        let mut before = None;
        for (_, at) in order {
            let identity = findings[at as usize].as_mut();
            before = match before {
                Some((same, ordinal)) if same == identity.key => Some((same, ordinal + 1)),
                _ => Some((identity.key, 0)),
            };
            identity.ordinal = before.map_or(0, |(_, ordinal)| ordinal);
        }
    }
}

/// What a finding's keys name beside what tells it from others.
struct About<'f> {
    tool: String,
    rule: &'f str,
    path: Cow<'f, str>,
    component: &'f str,
    /// Of the component; empty if the tool gives none.
    version: &'f str,
}

impl<'f> About<'f> {
    fn of(finding: &'f Finding) -> Self {
        let given = finding.path.as_deref().unwrap_or("");
        let rule = finding.rule.as_deref().or(finding.rule_name.as_deref());
        Self {
            tool: finding.tool.as_deref().map(tool_name).unwrap_or_default(),
            rule: rule
                .or(finding.cve.first().map(String::as_str))
                .unwrap_or("")
                .trim(),
            path: if is_normal(given) {
                Cow::Borrowed(given)
            } else {
                Cow::Owned(normal_path(given, None))
            },
            component: finding.component.as_deref().unwrap_or("").trim(),
            version: finding.component_version.as_deref().unwrap_or("").trim(),
        }
    }

    fn printed(&self, print: &str, is_partial: bool, version: &str) -> (IdentityBasis, Key) {
        if is_partial {
            let basis = IdentityBasis::PartialFingerprint;
            let parts = [&self.tool, self.rule, &self.path, print];
            (basis, key(basis, parts, version))
        } else {
            let basis = IdentityBasis::Fingerprint;
            (basis, key(basis, [&self.tool, print], version))
        }
    }
}

/// A version in few bytes: what a finding has beside a key that was made without its version.
pub fn version_mark(version: &str) -> u32 {
    let hash = fnv(&[version.trim().as_bytes()]);
    let (high, low) = (hash >> 32, hash & u64::from(u32::MAX));
    u32::try_from(high ^ low).unwrap_or_default()
}

/// The keys that a finding with a version had before versions belonged to keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unversioned {
    pub(crate) key: Key,
    /// Without the fingerprint that it has, since the tool may not have given one then.
    pub(crate) without_print: Option<Key>,
    /// See [`version_mark`].
    pub(crate) version: u32,
}

impl Unversioned {
    pub(crate) fn of(finding: &Finding) -> Option<Self> {
        let about = About::of(finding);
        if about.version.is_empty() {
            return None;
        }
        let (basis, text) = context_of(finding, about.rule, about.component);
        let parts = [
            &*about.tool,
            about.rule,
            &*about.path,
            &text,
            about.component,
        ];
        let context = key(basis, parts, "");
        let print = finding.fingerprint.as_deref().map(str::trim);
        let printed = print.filter(|print| is_fingerprint(print)).map(|print| {
            let (_, key) = about.printed(print, finding.fingerprint_is_partial, "");
            key
        });
        Some(Self {
            key: printed.unwrap_or(context),
            without_print: printed.and(Some(context)),
            version: version_mark(about.version),
        })
    }
}

/// The keys that a finding would have if its tool gave only some of its fingerprints, as it may have before; mostly none.
pub(crate) fn former_keys(finding: &Finding) -> Option<Box<[Key]>> {
    if finding.former_fingerprints.is_empty() {
        return None;
    }
    let about = About::of(finding);
    let former = finding.former_fingerprints.iter();
    let keys = former.map(|print| {
        about
            .printed(&print.text, print.is_partial, about.version)
            .1
    });
    Some(keys.collect())
}

fn tool_name(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A text that stands in the place of a fingerprint but says that there is none, for instance Semgrep's.
fn is_fingerprint(text: &str) -> bool {
    !text.is_empty() && !text.eq_ignore_ascii_case("requires login")
}

fn context_of(finding: &Finding, rule: &str, component: &str) -> (IdentityBasis, String) {
    // The message of a dependency finding names versions of other things too, which change while the problem stays.
    if !component.is_empty() && !rule.is_empty() {
        return (IdentityBasis::Component, String::new());
    }
    if let Some(snippet) = finding.snippet.as_deref().and_then(normal_snippet) {
        return (IdentityBasis::Snippet, snippet);
    }
    let message = finding.message.as_deref().unwrap_or(&finding.title);
    let mut message = normal_message(message);
    if let Some(scope) = &finding.scope {
        message.push('\n');
        message.push_str(scope);
    }
    (IdentityBasis::Message, message)
}

/// Each part with its length, so that no two lists of parts run into the same bytes.
fn key_of(basis: IdentityBasis, parts: &[&[u8]]) -> Key {
    let mut hasher = Sha256::new();
    hasher.update(VERSION.to_le_bytes());
    for part in std::iter::once(&basis.as_str().as_bytes()).chain(parts) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    Key::finish(hasher)
}

/// Without a version it is as if there were no such part.
fn key<const N: usize>(basis: IdentityBasis, parts: [&str; N], version: &str) -> Key {
    let mut parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    if !version.is_empty() {
        parts.push(version.as_bytes());
    }
    key_of(basis, &parts)
}

/// Only orders equal twins at one place, so that the order of results in the file does not matter.
fn content_of(finding: &Finding) -> u64 {
    fnv(&[
        finding.title.as_bytes(),
        finding.message.as_deref().unwrap_or("").as_bytes(),
        finding.snippet.as_deref().unwrap_or("").as_bytes(),
        finding
            .component_version
            .as_deref()
            .unwrap_or("")
            .as_bytes(),
        finding.fingerprint.as_deref().unwrap_or("").as_bytes(),
        finding.severity.as_str().as_bytes(),
        finding.status.as_str().as_bytes(),
        &finding.end_line.unwrap_or(0).to_le_bytes(),
        &finding.end_column.unwrap_or(0).to_le_bytes(),
    ])
}

/// FNV-1a, which unlike the standard library's hasher is the same in every release.
fn fnv(parts: &[&[u8]]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

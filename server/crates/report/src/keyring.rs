//! The instance's public keys: which there are, what each is for, from when until when, and how one came from another.
//!
//! They are kept as a chain of signed lists. The first list is signed by a key that it names; every later one by a key that
//! the list before it names and that was valid then, for every purpose that the list changes. So whoever trusts the first
//! list can check the newest, and whoever writes into the database can put no key of their own among them.

use holdpoint_domain::{Digest, KeyPurpose, Millis, digest::canonical_json};
use serde::{Deserialize, Serialize};
use ssh_key::{HashAlg, PublicKey, SshSig};
use thiserror::Error;

use crate::{
    format::zoneless,
    signing::{
        ATTESTATION_NAMESPACE, AllowedKeys, BUNDLE_NAMESPACE, KEYS_NAMESPACE, LOG_NAMESPACE,
        PRINCIPAL, REPORT_NAMESPACE, SignError, SigningKey, public_pem, verify,
    },
};

/// The version of the list, in its `format` field.
pub const KEY_LIST_FORMAT: &str = "holdpoint-keys@v1";

/// `valid-after` in `allowed_signers` lines has no time zone, so OpenSSH takes it for local time: it is put so much earlier
/// that a new key counts in every zone at once.
const WESTERNMOST_ZONE: Millis = 12 * 3_600_000;

/// `valid-before` is put so much later that a key's last signature counts in every zone, too.
const EASTERNMOST_ZONE: Millis = 14 * 3_600_000;
/// The second that is not over yet counts whole.
const PART_OF_SECOND: Millis = 999;

/// One public key of the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedKey {
    /// "SHA256:…", as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// "ssh-ed25519 AAAA… comment".
    pub public_key: String,
    pub purposes: Vec<KeyPurpose>,
    /// Unix milliseconds UTC.
    pub valid_after: Millis,
    /// When another key took its place; what it signed before stays valid.
    pub valid_before: Option<Millis>,
    /// Since when its private half may not be used any more, not even for reports of its own time.
    pub retired: Option<Millis>,
}

impl ListedKey {
    /// A key that is valid from now on.
    pub fn new(key: &SigningKey, purposes: &[KeyPurpose], valid_after: Millis) -> Self {
        Self {
            fingerprint: key.fingerprint(),
            public_key: key.public_key(),
            purposes: purposes.to_vec(),
            valid_after,
            valid_before: None,
            retired: None,
        }
    }

    fn parsed(&self) -> Option<PublicKey> {
        let key = PublicKey::from_openssh(&self.public_key).ok()?;
        let is_named = key.fingerprint(HashAlg::Sha256).to_string() == self.fingerprint
            && key.key_data().ed25519().is_some();
        is_named.then_some(key)
    }

    fn is_for(&self, purpose: KeyPurpose) -> bool {
        self.purposes.contains(&purpose)
    }

    fn is_valid_at(&self, at: Millis) -> bool {
        self.valid_after <= at && self.valid_before.is_none_or(|before| at < before)
    }

    fn namespaces(&self) -> String {
        let purposes = self.purposes.iter();
        let mut namespaces: Vec<_> = purposes
            .flat_map(|purpose| namespaces_of(*purpose))
            .copied()
            .collect();
        namespaces.push(KEYS_NAMESPACE);
        namespaces.join(",")
    }

    /// The line for an `allowed_signers` file.
    fn allowed_signers_line(&self, valid_before: Option<Millis>) -> String {
        self.line(
            &zoneless(self.valid_after.saturating_sub(WESTERNMOST_ZONE)),
            valid_before.map(|at| zoneless(at.saturating_add(EASTERNMOST_ZONE + PART_OF_SECOND))),
        )
    }

    /// The line with the moments themselves, in a spelling that older OpenSSH does not read.
    fn exact_line(&self) -> String {
        let before = self.valid_before;
        self.line(
            &format!("{}Z", zoneless(self.valid_after)),
            before.map(|at| format!("{}Z", zoneless(at.saturating_add(PART_OF_SECOND)))),
        )
    }

    fn line(&self, after: &str, before: Option<String>) -> String {
        let before = before
            .map(|before| format!(",valid-before=\"{before}\""))
            .unwrap_or_default();
        format!(
            "{PRINCIPAL} namespaces=\"{}\",valid-after=\"{after}\"{before} {}\n",
            self.namespaces(),
            self.public_key
        )
    }
}

/// What a key for this purpose may sign.
pub const fn namespaces_of(purpose: KeyPurpose) -> &'static [&'static str] {
    match purpose {
        KeyPurpose::Report => &[REPORT_NAMESPACE, BUNDLE_NAMESPACE],
        KeyPurpose::Log => &[LOG_NAMESPACE],
        KeyPurpose::Attestation => &[ATTESTATION_NAMESPACE],
    }
}

/// What is signed: every key that the instance has or had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyList {
    format: String,
    /// From 0.
    sequence: i64,
    at: Millis,
    /// The SHA-256 digest of the list before.
    previous: Option<String>,
    keys: Vec<ListedKey>,
}

/// A list with its signature, as it is stored and published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedKeyList {
    /// Canonical JSON (RFC 8785): exactly what is signed.
    pub statement: String,
    /// Armored, under the namespace `holdpoint-keys@v1`.
    pub signature: String,
}

/// Why the stored lists are not the instance's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyListError {
    #[error("list {sequence} of the signing keys is damaged: {why}")]
    Damaged { sequence: usize, why: &'static str },
    #[error("list {sequence} of the signing keys is not signed by a key of the list before it")]
    Unsigned { sequence: usize },
    #[error("there is no list of signing keys")]
    Empty,
}

/// Why a list could not be continued.
#[derive(Debug, Error)]
pub enum KeyChangeError {
    #[error("{0} is no key of this Holdpoint. List them with `holdpoint key list`.")]
    Unknown(String),
    #[error("{0} is in use. Rotate it first: `holdpoint key rotate`.")]
    InUse(String),
    #[error("{0} is retired already.")]
    Retired(String),
    #[error("{0} is a key of this Holdpoint already. Give a new one.")]
    Repeated(String),
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// All keys of an instance, checked list by list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    newest: KeyList,
    digest: String,
}

impl KeyRing {
    /// Reads the lists from the first, and checks each against the one before.
    pub fn read(lists: &[SignedKeyList]) -> Result<Self, KeyListError> {
        let mut ring: Option<Self> = None;
        for (sequence, signed) in lists.iter().enumerate() {
            let damaged = |why| KeyListError::Damaged { sequence, why };
            let list: KeyList = serde_json::from_str(&signed.statement)
                .map_err(|_| damaged("it is no list of keys"))?;
            if canonical_json(&list) != signed.statement || list.format != KEY_LIST_FORMAT {
                return Err(damaged("it is not in the form that is signed"));
            }
            if usize::try_from(list.sequence) != Ok(sequence)
                || list.previous.as_ref() != ring.as_ref().map(|ring| &ring.digest)
            {
                return Err(damaged("it does not follow the list before it"));
            }
            if list.keys.iter().any(|key| key.parsed().is_none()) {
                return Err(damaged("it names a key that cannot be read"));
            }
            let before = ring.as_ref().map_or(&[][..], |ring| ring.keys());
            let changed = changed_purposes(before, &list).map_err(damaged)?;
            // Of the first list, whatever it names itself.
            let signers = if sequence == 0 { &list.keys } else { before };
            let is_signed = signers
                .iter()
                .filter(|key| sequence == 0 || key.is_valid_at(list.at))
                .filter(|key| sequence == 0 || changed.iter().all(|purpose| key.is_for(*purpose)))
                .any(|key| signed_by(signed, key));
            if !is_signed {
                return Err(KeyListError::Unsigned { sequence });
            }
            ring = Some(Self {
                newest: list,
                digest: Digest::of(signed.statement.as_bytes()).into(),
            });
        }
        ring.ok_or(KeyListError::Empty)
    }

    /// The first list of an instance, signed by the first of these keys.
    pub fn first(
        keys: &[(&SigningKey, &[KeyPurpose])],
        valid_after: Millis,
        at: Millis,
    ) -> Result<SignedKeyList, SignError> {
        let list = KeyList {
            format: KEY_LIST_FORMAT.to_owned(),
            sequence: 0,
            at,
            previous: None,
            keys: keys
                .iter()
                .map(|(key, purposes)| ListedKey::new(key, purposes, valid_after))
                .collect(),
        };
        let (signer, _) = keys
            .first()
            .expect("an instance has a key from its first list on");
        list.signed_by(signer)
    }

    /// Every key, oldest first.
    pub fn keys(&self) -> &[ListedKey] {
        &self.newest.keys
    }

    pub fn key(&self, fingerprint: &str) -> Option<&ListedKey> {
        self.keys()
            .iter()
            .find(|key| key.fingerprint == fingerprint)
    }

    /// How many lists were signed.
    pub fn n_lists(&self) -> i64 {
        self.newest.sequence + 1
    }

    /// The key that signs for this purpose now.
    pub fn current(&self, purpose: KeyPurpose) -> Option<&ListedKey> {
        let valid = |key: &&ListedKey| key.is_for(purpose) && key.valid_before.is_none();
        self.keys().iter().rfind(valid)
    }

    /// The key that was to sign for this purpose at a moment.
    pub fn at(&self, purpose: KeyPurpose, moment: Millis) -> Option<&ListedKey> {
        let of_purpose = || self.keys().iter().filter(move |key| key.is_for(purpose));
        of_purpose()
            .rfind(|key| key.is_valid_at(moment))
            .or_else(|| of_purpose().next())
    }

    /// `allowed_signers` lines of every key.
    pub fn allowed_signers(&self) -> String {
        self.keys()
            .iter()
            .map(|key| key.allowed_signers_line(key.valid_before))
            .collect()
    }

    /// `allowed_signers` as it stood at a moment: later rotations change nothing in it.
    pub fn allowed_signers_as_of(&self, moment: Millis) -> String {
        let first = self.keys().iter().map(|key| key.valid_after).min();
        let known = self
            .keys()
            .iter()
            .filter(|key| key.valid_after <= moment || Some(key.valid_after) == first);
        known
            .map(|key| key.allowed_signers_line(key.valid_before.filter(|at| *at <= moment)))
            .collect()
    }

    /// The keys that a signature may come from, each for its purposes and exactly its time: ask about a moment with
    /// [`AllowedKeys::at`].
    pub fn allowed_keys(&self) -> AllowedKeys {
        let lines: String = self.keys().iter().map(ListedKey::exact_line).collect();
        AllowedKeys::parse(&lines).expect("a ring has a key, and writes lines that are read")
    }

    /// Every key as PEM, each with a line that says what it is, for tools other than OpenSSH.
    pub fn pem(&self) -> String {
        let mut text = String::new();
        for key in self.keys() {
            let purposes: Vec<_> = key
                .purposes
                .iter()
                .map(|purpose| purpose.as_str())
                .collect();
            let before = key
                .valid_before
                .map(|at| format!(" to {}", crate::format::timestamp(at)))
                .unwrap_or_default();
            text.push_str(&format!(
                "# {} for {}, valid from {}{before}\n",
                key.fingerprint,
                purposes.join(", "),
                crate::format::timestamp(key.valid_after)
            ));
            text.push_str(
                &key.parsed()
                    .and_then(|key| public_pem(&key))
                    .unwrap_or_default(),
            );
        }
        text
    }

    /// Puts successors in a key's place from now on, signed by the key that goes.
    pub fn rotated(
        &self,
        old: &SigningKey,
        successors: &[(&SigningKey, &[KeyPurpose])],
        now: Millis,
    ) -> Result<SignedKeyList, KeyChangeError> {
        let fingerprint = old.fingerprint();
        let mut list = self.next(now);
        let key = list
            .keys
            .iter_mut()
            .find(|key| key.fingerprint == fingerprint && key.valid_before.is_none())
            .ok_or_else(|| KeyChangeError::Unknown(fingerprint.clone()))?;
        // Two changes within one millisecond, or a clock that went back, leave no key without a time of its own.
        let now = list.at.max(key.valid_after.saturating_add(1));
        list.at = now;
        key.valid_before = Some(now);
        for (successor, purposes) in successors {
            if self.key(&successor.fingerprint()).is_some() {
                return Err(KeyChangeError::Repeated(successor.fingerprint()));
            }
            list.keys.push(ListedKey::new(successor, purposes, now));
        }
        Ok(list.signed_by(old)?)
    }

    /// Says that a key's private half is gone, signed by a key that serves its purposes now.
    pub fn retired(
        &self,
        fingerprint: &str,
        signer: &SigningKey,
        now: Millis,
    ) -> Result<SignedKeyList, KeyChangeError> {
        let mut list = self.next(now);
        let key = list
            .keys
            .iter_mut()
            .find(|key| key.fingerprint == fingerprint)
            .ok_or_else(|| KeyChangeError::Unknown(fingerprint.to_owned()))?;
        if key.valid_before.is_none() {
            return Err(KeyChangeError::InUse(fingerprint.to_owned()));
        }
        if key.retired.is_some() {
            return Err(KeyChangeError::Retired(fingerprint.to_owned()));
        }
        key.retired = Some(list.at);
        Ok(list.signed_by(signer)?)
    }

    fn next(&self, now: Millis) -> KeyList {
        KeyList {
            format: KEY_LIST_FORMAT.to_owned(),
            sequence: self.newest.sequence + 1,
            at: now.max(self.newest.at),
            previous: Some(self.digest.clone()),
            keys: self.newest.keys.clone(),
        }
    }
}

impl KeyList {
    fn signed_by(&self, key: &SigningKey) -> Result<SignedKeyList, SignError> {
        let statement = canonical_json(self);
        Ok(SignedKeyList {
            signature: key.sign(KEYS_NAMESPACE, statement.as_bytes())?,
            statement,
        })
    }
}

fn signed_by(list: &SignedKeyList, key: &ListedKey) -> bool {
    // Told by the key within the signature first, since checking one costs more.
    let names_it = SshSig::from_pem(&list.signature).is_ok_and(|signature| {
        signature
            .public_key()
            .fingerprint(HashAlg::Sha256)
            .to_string()
            == key.fingerprint
    });
    names_it
        && AllowedKeys::parse(&key.public_key).is_ok_and(|keys| {
            verify(
                KEYS_NAMESPACE,
                list.statement.as_bytes(),
                &list.signature,
                &keys,
            )
            .is_ok()
        })
}

/// The purposes of the keys in which a list differs from the one before. No key leaves a list, none changes but by ending.
fn changed_purposes(before: &[ListedKey], list: &KeyList) -> Result<Vec<KeyPurpose>, &'static str> {
    let mut purposes = Vec::new();
    let mut change = |key: &ListedKey| {
        for purpose in &key.purposes {
            if !purposes.contains(purpose) {
                purposes.push(*purpose);
            }
        }
    };
    if list.keys.len() < before.len() || list.keys.is_empty() {
        return Err("a key is missing in it");
    }
    for (old, new) in before.iter().zip(&list.keys) {
        let fixed = |key: &ListedKey| {
            (
                key.fingerprint.clone(),
                key.public_key.clone(),
                key.purposes.clone(),
                key.valid_after,
            )
        };
        let ends_once = |old: Option<Millis>, new: Option<Millis>| old.is_none() || old == new;
        if fixed(old) != fixed(new)
            || !ends_once(old.valid_before, new.valid_before)
            || !ends_once(old.retired, new.retired)
        {
            return Err("it changes what was said of a key");
        }
        // Any valid key may say that the private half of one that has ended is gone.
        if old.valid_before != new.valid_before {
            change(new);
        }
    }
    for (place, key) in list.keys.iter().enumerate().skip(before.len()) {
        if list.keys[..place]
            .iter()
            .any(|other| other.fingerprint == key.fingerprint)
        {
            return Err("it names a key twice");
        }
        if key.purposes.is_empty() {
            return Err("it names a key without a purpose");
        }
        change(key);
    }
    if list
        .keys
        .iter()
        .any(|key| key.retired.is_some() && key.valid_before.is_none())
    {
        return Err("it retires a key that is in use");
    }
    let serves = |purpose: &KeyPurpose| {
        list.keys
            .iter()
            .any(|key| key.is_for(*purpose) && key.valid_before.is_none())
    };
    if !KeyPurpose::ALL.iter().all(serves) {
        return Err("it leaves a purpose without a key");
    }
    Ok(purposes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = 1_769_610_660_123;
    const HOUR: Millis = 3_600_000;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&[n; 32], &format!("key {n}"))
    }

    /// An instance with one key for reports, one for the log, one for attestations.
    fn first() -> Vec<SignedKeyList> {
        let (report, log, attestation) = (key(1), key(2), key(3));
        let keys: [(&SigningKey, &[KeyPurpose]); 3] = [
            (&report, &[KeyPurpose::Report]),
            (&log, &[KeyPurpose::Log]),
            (&attestation, &[KeyPurpose::Attestation]),
        ];
        vec![KeyRing::first(&keys, START, START).unwrap()]
    }

    fn rotate(lists: &mut Vec<SignedKeyList>, old: u8, new: u8, purpose: KeyPurpose, now: Millis) {
        let ring = KeyRing::read(lists).unwrap();
        lists.push(
            ring.rotated(&key(old), &[(&key(new), &[purpose])], now)
                .unwrap(),
        );
    }

    #[test]
    fn a_key_that_was_rotated_twice_still_vouches_for_its_own_time() {
        let mut lists = first();
        let before = KeyRing::read(&lists).unwrap().allowed_signers_as_of(START);
        rotate(&mut lists, 1, 4, KeyPurpose::Report, START + HOUR);
        rotate(&mut lists, 4, 5, KeyPurpose::Report, START + 2 * HOUR);
        let ring = KeyRing::read(&lists).unwrap();
        assert_eq!((ring.n_lists(), ring.keys().len()), (3, 5));
        let at = |moment| {
            ring.at(KeyPurpose::Report, moment)
                .unwrap()
                .fingerprint
                .clone()
        };
        assert_eq!(at(START), key(1).fingerprint());
        assert_eq!(at(0), key(1).fingerprint(), "before all keys, the first");
        assert_eq!(at(START + HOUR), key(4).fingerprint());
        assert_eq!(at(START + 3 * HOUR), key(5).fingerprint());
        assert_eq!(
            ring.current(KeyPurpose::Report).unwrap().fingerprint,
            key(5).fingerprint()
        );
        assert_eq!(
            ring.current(KeyPurpose::Log).unwrap().fingerprint,
            key(2).fingerprint()
        );
        assert_eq!(
            ring.allowed_signers_as_of(START),
            before,
            "a rotation changes no list of before"
        );

        let keys = AllowedKeys::parse(&ring.allowed_signers()).unwrap();
        let signature = key(1).sign(REPORT_NAMESPACE, b"x").unwrap();
        let check = |at| verify(REPORT_NAMESPACE, b"x", &signature, &keys.clone().at(at)).is_ok();
        assert!(check(START) && check(START + 15 * HOUR) && !check(START + 16 * HOUR));
        let of_log = key(2).sign(REPORT_NAMESPACE, b"x").unwrap();
        for keys in [keys.at(START), ring.allowed_keys().at(START)] {
            assert!(
                verify(REPORT_NAMESPACE, b"x", &of_log, &keys).is_err(),
                "the log's key signs no report"
            );
        }
        let keys = ring.allowed_keys();
        assert!(verify(REPORT_NAMESPACE, b"x", &signature, &keys.at(START)).is_ok());
    }

    #[test]
    fn nobody_without_the_old_key_adds_or_changes_one() {
        type Change = fn(&mut KeyList);
        let lists = first();
        let ring = KeyRing::read(&lists).unwrap();
        let stranger = key(9);
        let purposes: &[KeyPurpose] = &[KeyPurpose::Report];
        let forged = |change: &dyn Fn(&mut KeyList), signer: &SigningKey| {
            let mut list = ring.next(START + HOUR);
            change(&mut list);
            let mut all = lists.clone();
            all.push(list.signed_by(signer).unwrap());
            KeyRing::read(&all)
        };
        let add = |list: &mut KeyList| {
            list.keys
                .push(ListedKey::new(&stranger, purposes, START + HOUR));
        };
        assert!(forged(&add, &key(1)).is_ok());
        let unsigned = Err(KeyListError::Unsigned { sequence: 1 });
        assert_eq!(forged(&add, &stranger), unsigned, "by itself");
        assert_eq!(forged(&add, &key(2)), unsigned, "by the log's key");
        let cases: [(&str, Change); 7] = [
            ("purposes", |list| {
                list.keys[1].purposes.push(KeyPurpose::Report);
            }),
            ("since", |list| list.keys[0].valid_after -= 1),
            ("key", |list| list.keys[0].public_key = key(9).public_key()),
            ("gone", |list| drop(list.keys.pop())),
            ("no successor", |list| {
                list.keys[0].valid_before = Some(START + HOUR);
            }),
            ("retired in use", |list| list.keys[0].retired = Some(START)),
            ("sequence", |list| list.sequence = 2),
        ];
        for (name, change) in cases {
            assert!(
                matches!(
                    forged(&change, &key(1)),
                    Err(KeyListError::Damaged { sequence: 1, .. })
                ),
                "{name}"
            );
        }
        let mut edited = lists.clone();
        edited[0].statement = edited[0].statement.replace("report", "log");
        assert!(KeyRing::read(&edited).is_err());
        assert_eq!(KeyRing::read(&[]), Err(KeyListError::Empty));
    }

    #[test]
    fn an_ended_key_signs_no_further_list() {
        let mut lists = first();
        rotate(&mut lists, 1, 4, KeyPurpose::Report, START + HOUR);
        let ring = KeyRing::read(&lists).unwrap();
        let list = ring
            .retired(&key(1).fingerprint(), &key(1), START + 2 * HOUR)
            .unwrap();
        let with = |list| KeyRing::read(&[lists.clone(), vec![list]].concat());
        assert_eq!(with(list), Err(KeyListError::Unsigned { sequence: 2 }));
        let list = ring
            .retired(&key(1).fingerprint(), &key(4), START + 2 * HOUR)
            .unwrap();
        let ring = with(list).unwrap();
        assert_eq!(
            ring.key(&key(1).fingerprint()).unwrap().retired,
            Some(START + 2 * HOUR)
        );
        for (fingerprint, expected) in [
            (key(1).fingerprint(), "retired already"),
            (key(4).fingerprint(), "in use"),
            (key(9).fingerprint(), "no key"),
        ] {
            let refused = ring
                .retired(&fingerprint, &key(4), START + 3 * HOUR)
                .unwrap_err();
            assert!(refused.to_string().contains(expected), "{refused}");
        }
    }

    #[test]
    fn rotations_within_one_millisecond_follow_each_other() {
        let mut lists = first();
        for n in 0..5 {
            rotate(
                &mut lists,
                if n == 0 { 1 } else { 3 + n },
                4 + n,
                KeyPurpose::Report,
                START,
            );
        }
        let ring = KeyRing::read(&lists).unwrap();
        assert_eq!(
            ring.current(KeyPurpose::Report).unwrap().fingerprint,
            key(8).fingerprint()
        );
    }

    #[test]
    fn lines_and_pem_say_all_that_is_known() {
        let mut lists = first();
        rotate(&mut lists, 1, 4, KeyPurpose::Report, START + HOUR);
        let ring = KeyRing::read(&lists).unwrap();
        let lines = ring.allowed_signers();
        let first = lines.lines().next().unwrap();
        assert!(
            first.starts_with(
                "holdpoint namespaces=\"holdpoint-report@v1,holdpoint-bundle@v1,holdpoint-keys@v1\",\
                 valid-after=\"20260128023100\",valid-before=\"20260129053101\" ssh-ed25519 "
            ),
            "{first}"
        );
        assert_eq!(lines.lines().count(), 4);
        let pem = ring.pem();
        assert_eq!(pem.matches("-----BEGIN PUBLIC KEY-----").count(), 4);
        assert!(pem.contains(&key(4).fingerprint()), "{pem}");
    }
}

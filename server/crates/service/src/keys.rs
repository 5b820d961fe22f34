//! The instance's signing keys.
//!
//! The database holds the public halves with what each is for ([`KeyRing`]), the same for every node; each node has the
//! private halves in its [`KeyStore`]. A change of the keys is seen by a running server at its next signature.

use std::sync::{Arc, Mutex, PoisonError};

use holdpoint_domain::{Digest, KeyPurpose, Millis};
use holdpoint_report::{
    KeyRing, ListedKey, SignedKeyList, SigningKey, keyring::KeyChangeError, signing::SignError,
};
use holdpoint_storage::{StorageError, StoredKeyList, Tx};

use crate::{
    ServiceError, Services,
    accounts::SYSTEM,
    import::off_the_async_threads,
    key_store::{KeyStoreError, words},
};

/// Where an older Holdpoint kept the one private key that it had.
const OLD_KEY: &str = "signing_key";

/// Kept from the moment that key is deleted until the file is free of its bytes.
const TO_ERASE: &str = "signing_key_to_erase";

/// A signing key as `holdpoint key list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    pub key: ListedKey,
    /// Whether it signs now, for at least one purpose.
    pub is_current: bool,
    /// Whether this machine has its private half.
    pub is_here: bool,
}

/// The ring that was read last, so that the lists are not checked again for each signature.
#[derive(Debug, Default)]
pub(crate) struct RingCache(Mutex<Option<(Vec<StoredKeyList>, Arc<KeyRing>)>>);

impl From<KeyStoreError> for ServiceError {
    fn from(error: KeyStoreError) -> Self {
        Self::unavailable(error)
    }
}

impl From<SignError> for ServiceError {
    fn from(error: SignError) -> Self {
        Self::unavailable(error)
    }
}

impl From<KeyChangeError> for ServiceError {
    fn from(error: KeyChangeError) -> Self {
        match error {
            KeyChangeError::Sign(error) => error.into(),
            refused => Self::rejected("", refused.to_string()),
        }
    }
}

/// Using the keys.
impl Services {
    /// The key that signs for this purpose now.
    pub(crate) async fn signing_key(
        &self,
        purpose: KeyPurpose,
    ) -> Result<SigningKey, ServiceError> {
        let ring = self.key_ring().await?;
        let key = ring
            .current(purpose)
            .expect("a ring has a key for each purpose");
        self.private_half(key.clone()).await
    }

    /// The key that was to sign for this purpose at a moment, so that what speaks of that moment verifies as of it whenever
    /// it is asked for. Where its private half is gone, the key of now.
    pub(crate) async fn signing_key_at(
        &self,
        purpose: KeyPurpose,
        moment: Millis,
    ) -> Result<SigningKey, ServiceError> {
        let ring = self.key_ring().await?;
        if let Some(key) = ring
            .at(purpose, moment)
            .filter(|key| key.retired.is_none())
            .cloned()
        {
            let keys = self.keys().clone();
            let found = off_the_async_threads(move || Ok(keys.find(&key.fingerprint)?)).await?;
            if let Some(key) = found {
                return Ok(key);
            }
        }
        self.signing_key(purpose).await
    }

    /// The key that signs the log, and since when, in a unit of work that has locked the log's tree: none takes its place
    /// until that ends. `chosen` was looked up before it, where reading a file keeps nobody waiting, and is nearly always it.
    pub(crate) async fn log_key_until_done(
        &self,
        tx: &mut Tx,
        chosen: &SigningKey,
    ) -> Result<(SigningKey, Millis), ServiceError> {
        let ring = self.ring_of(tx.signing_key_lists().await?)?;
        let current = ring
            .current(KeyPurpose::Log)
            .expect("a ring has a key for each purpose");
        let key = if current.fingerprint == chosen.fingerprint() {
            chosen.clone()
        } else {
            self.private_half(current.clone()).await?
        };
        Ok((key, current.valid_after))
    }

    async fn private_half(&self, key: ListedKey) -> Result<SigningKey, ServiceError> {
        let keys = self.keys().clone();
        off_the_async_threads(move || Ok(keys.get(&key)?)).await
    }

    /// Every public key of the instance, as lines of OpenSSH's `allowed_signers`.
    pub async fn allowed_signers(&self) -> Result<String, ServiceError> {
        Ok(self.key_ring().await?.allowed_signers())
    }

    /// Every public key of the instance as PEM.
    pub async fn public_keys_pem(&self) -> Result<String, ServiceError> {
        Ok(self.key_ring().await?.pem())
    }

    /// The signed lists by which each key introduced its successor, from the first.
    pub async fn key_lists(&self) -> Result<Vec<SignedKeyList>, ServiceError> {
        self.key_ring().await?;
        let mut tx = self.database().read().await?;
        Ok(signed(&tx.signing_key_lists().await?))
    }

    /// The instance's public keys; made, or taken out of the database, at the first use.
    pub(crate) async fn key_ring(&self) -> Result<Arc<KeyRing>, ServiceError> {
        let mut tx = self.database().read().await?;
        let lists = tx.signing_key_lists().await?;
        drop(tx);
        if lists.is_empty() {
            self.make_first_keys().await?;
            let mut tx = self.database().read().await?;
            let lists = tx.signing_key_lists().await?;
            return self.ring_of(lists);
        }
        self.ring_of(lists)
    }

    fn ring_of(&self, lists: Vec<StoredKeyList>) -> Result<Arc<KeyRing>, ServiceError> {
        let mut cached = self
            .ring_cache()
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((of, ring)) = &*cached
            && *of == lists
        {
            return Ok(ring.clone());
        }
        let ring = KeyRing::read(&signed(&lists)).map_err(ServiceError::unavailable)?;
        let ring = Arc::new(ring);
        *cached = Some((lists, ring.clone()));
        Ok(ring)
    }

    /// Whether this machine can sign for every purpose, with keys of this instance alone. False where no key was ever made;
    /// none is.
    pub async fn has_private_keys(&self) -> Result<bool, ServiceError> {
        let mut tx = self.database().read().await?;
        let lists = tx.signing_key_lists().await?;
        drop(tx);
        if lists.is_empty() {
            return Ok(false);
        }
        let ring = self.ring_of(lists)?;
        let keys = self.keys().clone();
        off_the_async_threads(move || Ok(keys.refuse_strangers(&ring)?)).await?;
        self.check_private_keys().await?;
        Ok(true)
    }

    /// Whether this machine can sign for every purpose.
    pub(crate) async fn check_private_keys(&self) -> Result<(), ServiceError> {
        for purpose in KeyPurpose::ALL {
            self.signing_key(*purpose).await?;
        }
        Ok(())
    }
}

/// Making, changing and ending keys: for the start of the server and for the command line, which has the machine anyway.
impl Services {
    /// Makes the keys ready before the server answers anybody: there are some, this machine has the private halves, and no
    /// private key here belongs to another instance. Says what was done, if anything was.
    pub async fn open_keys(&self) -> Result<Option<String>, ServiceError> {
        let moved = self.take_key_out_of_database().await?;
        let ring = self.key_ring().await?;
        let keys = self.keys().clone();
        off_the_async_threads(move || {
            keys.settle(&ring)?;
            Ok(keys.refuse_strangers(&ring)?)
        })
        .await?;
        self.check_private_keys().await?;
        Ok(moved)
    }

    /// An older Holdpoint kept its private key in the database: it is moved into a file, and its bytes are erased there.
    pub async fn take_key_out_of_database(&self) -> Result<Option<String>, ServiceError> {
        let mut tx = self.database().read().await?;
        let (stored, to_erase) = (tx.setting(OLD_KEY).await?, tx.setting(TO_ERASE).await?);
        drop(tx);
        if stored.is_none() && to_erase.is_none() {
            return Ok(None);
        }
        let mut said = None;
        if let Some(pem) = stored {
            let key = SigningKey::from_openssh(&pem)
                .map_err(|error| StorageError::Damaged(format!("the signing key: {error}")))?;
            let path = self.move_old_key(key).await?;
            said = Some(format!(
                "the signing key was in the database. It is in {} now, and no longer in the database; backups made before \
                 still hold it. Back up that file, and run `holdpoint key rotate` if others could read the database",
                path.display()
            ));
        }
        self.database().erase_deleted().await?;
        let mut tx = self.database().write().await?;
        tx.delete_setting(TO_ERASE).await?;
        tx.commit().await?;
        Ok(said)
    }

    async fn move_old_key(&self, key: SigningKey) -> Result<std::path::PathBuf, ServiceError> {
        let purposes = KeyPurpose::ALL;
        let (keys, moving) = (self.keys().clone(), key.clone());
        let path = off_the_async_threads(move || Ok(keys.keep(&moving, purposes)?)).await?;
        let mut tx = self.database().write().await?;
        let lists = tx.signing_key_lists().await?;
        if lists.is_empty() {
            let now = self.now();
            // It signed all that there is.
            let since = tx.first_activity_at().await?.unwrap_or(now).min(now);
            let first = KeyRing::first(&[(&key, purposes)], since, now)?;
            self.keep_list(
                &mut tx,
                0,
                first,
                "moved the signing key out of the database",
            )
            .await?;
        } else if self.ring_of(lists)?.key(&key.fingerprint()).is_none() {
            let message = "an older Holdpoint still works on this database and made a signing key there. Stop it first";
            return Err(ServiceError::unavailable(message));
        }
        tx.erase_setting(OLD_KEY).await?;
        tx.set_setting(TO_ERASE, "1").await?;
        tx.commit().await?;
        self.settle_keys().await?;
        Ok(path)
    }

    async fn settle_keys(&self) -> Result<(), ServiceError> {
        let mut tx = self.database().read().await?;
        let ring = self.ring_of(tx.signing_key_lists().await?)?;
        drop(tx);
        let keys = self.keys().clone();
        off_the_async_threads(move || Ok(keys.settle(&ring)?)).await
    }

    /// Of two nodes that start at once, one makes the keys; the other finds that it has no private halves.
    async fn make_first_keys(&self) -> Result<(), ServiceError> {
        if self.take_key_out_of_database().await?.is_some() {
            return Ok(());
        }
        let store = self.keys().clone();
        let single = off_the_async_threads(move || Ok(store.single()?)).await?;
        let made: Vec<(SigningKey, &[KeyPurpose])> = match single {
            Some(key) => vec![(key, KeyPurpose::ALL)],
            None => self.make_keys(KeyPurpose::ALL).await?,
        };
        let listed: Vec<_> = made
            .iter()
            .map(|(key, purposes)| (key, *purposes))
            .collect();
        let now = self.now();
        let first = KeyRing::first(&listed, now, now)?;
        let mut tx = self.database().write().await?;
        let stored = self
            .keep_list(&mut tx, 0, first, "made the signing keys")
            .await;
        match stored {
            Ok(()) => tx.commit().await?,
            Err(ServiceError::Conflict(_)) => {
                drop(tx);
                return self.discard_keys(made).await;
            }
            Err(error) => return Err(error),
        }
        self.settle_keys().await
    }

    /// A new key for each of these purposes, its private half kept here.
    async fn make_keys(
        &self,
        purposes: &[KeyPurpose],
    ) -> Result<Vec<(SigningKey, &'static [KeyPurpose])>, ServiceError> {
        let made: Vec<_> = KeyPurpose::ALL
            .chunks(1)
            .filter(|purpose| purposes.contains(&purpose[0]))
            .map(|purpose| {
                let mut seed = [0; 32];
                self.ids().fill(&mut seed);
                let comment = format!("holdpoint {}", words(purpose));
                (SigningKey::from_seed(&seed, &comment), purpose)
            })
            .collect();
        let (store, keep) = (self.keys().clone(), made.clone());
        off_the_async_threads(move || {
            for (key, purposes) in &keep {
                store.keep(key, purposes)?;
            }
            Ok(())
        })
        .await?;
        Ok(made)
    }

    async fn discard_keys(
        &self,
        made: Vec<(SigningKey, &'static [KeyPurpose])>,
    ) -> Result<(), ServiceError> {
        let store = self.keys().clone();
        off_the_async_threads(move || {
            for (key, _) in &made {
                store.discard(key)?;
            }
            Ok(())
        })
        .await
    }

    /// Stores the next list and notes it in the activity log.
    async fn keep_list(
        &self,
        tx: &mut Tx,
        sequence: i64,
        list: SignedKeyList,
        summary: &str,
    ) -> Result<(), ServiceError> {
        let digest = Digest::of(list.statement.as_bytes());
        let list = StoredKeyList {
            statement: list.statement,
            signature: list.signature,
        };
        if !tx
            .insert_signing_key_list(sequence, &list, self.now())
            .await?
        {
            return Err(StorageError::Conflict.into());
        }
        let mut entry = self.about(
            SYSTEM,
            "instance.keys_changed",
            "instance",
            "instance",
            summary,
        );
        entry.after = Some(serde_json::json!({ "keys_sha256": digest }).to_string());
        tx.append_activity(entry).await?;
        Ok(())
    }

    /// Every signing key, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<KeyView>, ServiceError> {
        let ring = self.key_ring().await?;
        let store = self.keys().clone();
        off_the_async_threads(move || {
            ring.keys()
                .iter()
                .map(|key| {
                    Ok(KeyView {
                        key: key.clone(),
                        is_current: key.valid_before.is_none(),
                        is_here: store.find(&key.fingerprint)?.is_some(),
                    })
                })
                .collect()
        })
        .await
    }

    /// Puts a successor in the place of the key that signs for this purpose, or of every key; the old ones sign it. With
    /// `to`, the public half of a key that is here already, such as in an ssh-agent. Gives the fingerprints of the new keys.
    pub async fn rotate_keys(
        &self,
        purpose: Option<KeyPurpose>,
        to: Option<&str>,
    ) -> Result<Vec<String>, ServiceError> {
        let (ring, now) = (self.key_ring().await?, self.now());
        let mut ending: Vec<ListedKey> = Vec::new();
        for asked in KeyPurpose::ALL {
            if purpose.is_none_or(|purpose| purpose == *asked)
                && let Some(key) = ring.current(*asked)
                && !ending.contains(key)
            {
                ending.push(key.clone());
            }
        }
        if to.is_some() && ending.len() > 1 {
            let message = "One key cannot take the place of several. Say which with --purpose.";
            return Err(ServiceError::rejected("purpose", message));
        }
        let given = match to {
            Some(text) => Some(self.key_to_adopt(text).await?),
            None => None,
        };
        let mut made = Vec::new();
        let mut lists = Vec::new();
        let mut now_ring = (*ring).clone();
        let mut all = self.key_lists().await?;
        for key in &ending {
            let old = self.private_half(key.clone()).await?;
            let fresh;
            let successors: Vec<(&SigningKey, &[KeyPurpose])> = if let Some(given) = &given {
                vec![(given, &key.purposes)]
            } else {
                fresh = self.make_keys(&key.purposes).await?;
                made.extend(fresh.iter().cloned());
                fresh
                    .iter()
                    .map(|(key, purposes)| (key, *purposes))
                    .collect()
            };
            let list = now_ring.rotated(&old, &successors, now)?;
            all.push(list.clone());
            now_ring = KeyRing::read(&all).map_err(ServiceError::unavailable)?;
            lists.push(list);
        }
        let fingerprints: Vec<_> = now_ring.keys()[ring.keys().len()..]
            .iter()
            .map(|key| key.fingerprint.clone())
            .collect();
        let stored = self
            .keep_lists(ring.n_lists(), lists, now, "rotated the signing keys")
            .await;
        // Only then it is certain that the list is not kept. Of a commit that nobody answered it may be, and these are the
        // instance's keys.
        if matches!(stored, Err(ServiceError::Conflict(_))) {
            self.discard_keys(made).await?;
        }
        stored?;
        self.settle_keys().await?;
        Ok(fingerprints)
    }

    /// A key whose private half is here already, by its public half.
    async fn key_to_adopt(&self, public_key: &str) -> Result<SigningKey, ServiceError> {
        let key = ssh_key::PublicKey::from_openssh(public_key.trim()).map_err(|_| {
            ServiceError::rejected("to", "This is no public key: give a file such as key.pub.")
        })?;
        let fingerprint = key.fingerprint(ssh_key::HashAlg::Sha256).to_string();
        let (store, wanted) = (self.keys().clone(), fingerprint.clone());
        off_the_async_threads(move || Ok(store.find(&wanted)?))
            .await?
            .ok_or_else(|| {
                let message = format!(
                    "The private half of {fingerprint} is neither in the folder of keys nor in the ssh-agent that the \
                     configuration names."
                );
                ServiceError::rejected("to", message)
            })
    }

    /// Retires a key that another has followed: its private half is deleted here, and used nowhere any more. What it signed
    /// still verifies.
    pub async fn retire_key(&self, fingerprint: &str) -> Result<(), ServiceError> {
        let (ring, now) = (self.key_ring().await?, self.now());
        let signer = self.signing_key(KeyPurpose::Report).await?;
        let list = ring.retired(fingerprint, &signer, now)?;
        self.keep_lists(ring.n_lists(), vec![list], now, "retired a signing key")
            .await?;
        let (store, fingerprint) = (self.keys().clone(), fingerprint.to_owned());
        off_the_async_threads(move || Ok(store.destroy(&fingerprint).map(drop)?)).await
    }

    /// Stores lists of a moment in one unit of work; when somebody else changed the keys meanwhile, none.
    async fn keep_lists(
        &self,
        first: i64,
        lists: Vec<SignedKeyList>,
        at: Millis,
        summary: &str,
    ) -> Result<(), ServiceError> {
        let mut tx = self.database().write().await?;
        // Heads of the log are signed under the same lock, so that none is of a key that had ended by then.
        tx.lock_log_tree().await?;
        let newest = tx.newest_checkpoint().await?;
        if newest.is_some_and(|head| head.signed_at > at) {
            return Err(StorageError::Conflict.into());
        }
        for (sequence, list) in (first..).zip(lists) {
            self.keep_list(&mut tx, sequence, list, summary).await?;
        }
        Ok(tx.commit().await?)
    }
}

fn signed(lists: &[StoredKeyList]) -> Vec<SignedKeyList> {
    lists
        .iter()
        .map(|list| SignedKeyList {
            statement: list.statement.clone(),
            signature: list.signature.clone(),
        })
        .collect()
}

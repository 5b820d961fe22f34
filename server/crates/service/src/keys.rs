//! The instance's signing key, and the signed ends of the activity log.

use holdpoint_domain::{
    Digest,
    activity::{ChainError, ChainVerifier},
    digest::canonical_json,
};
use holdpoint_report::signing::{AllowedKeys, LOG_NAMESPACE, SigningKey, verify};
use holdpoint_storage::{StorageError, Tx};
use serde::Serialize;

use crate::{ServiceError, Services};

const KEY: &str = "signing_key";

/// What is signed of the log: its length and the digest of its last entry. A chain alone can be rewritten or cut at the
/// end; this cannot, without the key.
#[derive(Serialize)]
struct LogHead<'a> {
    sequence: i64,
    digest: &'a str,
}

/// What checking the activity log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogVerification {
    /// How many entries the chain has.
    pub length: i64,
    pub head: String,
    /// How many signed heads were checked against it.
    pub n_signed_heads: usize,
    /// What is wrong, in words; empty when the log verifies.
    pub problems: Vec<String>,
}

impl Services {
    /// The instance's key; made at the first use, and the same on every node.
    pub(crate) async fn signing_key(&self) -> Result<SigningKey, ServiceError> {
        let mut tx = self.database().read().await?;
        let stored = tx.setting(KEY).await?;
        drop(tx);
        let pem = match stored {
            Some(pem) => pem,
            None => {
                let mut seed = [0; 32];
                self.ids().fill(&mut seed);
                let pem = SigningKey::from_seed(&seed, "holdpoint").to_openssh();
                let mut tx = self.database().write().await?;
                let pem = tx.setting_or_insert(KEY, &pem).await?;
                tx.commit().await?;
                pem
            }
        };
        SigningKey::from_openssh(&pem)
            .map_err(|error| StorageError::Damaged(format!("the signing key: {error}")).into())
    }

    /// The instance's public key as a line of OpenSSH's `allowed_signers`.
    pub async fn public_key_line(&self) -> Result<String, ServiceError> {
        Ok(self.signing_key().await?.public_line())
    }

    /// Signs the log as it stands in this unit of work and keeps the signature.
    pub(crate) async fn sign_log_head(
        &self,
        tx: &mut Tx,
        key: &SigningKey,
        occasion: &str,
    ) -> Result<i64, ServiceError> {
        let (sequence, digest) = tx.activity_head().await?;
        let signature = key.sign(
            LOG_NAMESPACE,
            canonical_json(&LogHead {
                sequence,
                digest: &digest,
            })
            .as_bytes(),
        );
        let digest = Digest::parse(&digest)
            .ok_or_else(|| StorageError::Damaged("the log's head".to_owned()))?;
        tx.keep_signed_head(sequence, &digest, occasion, &signature, self.now())
            .await?;
        Ok(sequence)
    }

    /// Checks the whole activity log: each entry carries the digest of the one before, nothing is missing at the end, and
    /// every head that was ever signed is in the chain. For the command line, which has the database anyway.
    pub async fn verify_log(&self) -> Result<LogVerification, ServiceError> {
        let key = self.signing_key().await?;
        let keys = AllowedKeys::parse(&key.public_line())
            .map_err(|error| StorageError::Damaged(format!("the signing key: {error}")))?;
        let mut tx = self.database().read().await?;
        let mut signed = tx.signed_heads().await?.into_iter().peekable();
        let mut chain = ChainVerifier::default();
        let mut problems = Vec::new();
        let mut n_signed_heads = 0;
        'chain: loop {
            let entries = tx.activity_after(chain.length(), 1_000).await?;
            if entries.is_empty() {
                break;
            }
            for stored in entries {
                if let Err(error) = chain.take(&stored.entry, &stored.digest) {
                    let error: ChainError = error;
                    problems.push(format!("The chain is broken: {error}."));
                    break 'chain;
                }
                while let Some((sequence, digest, signature)) =
                    signed.next_if(|(sequence, ..)| *sequence == chain.length())
                {
                    n_signed_heads += 1;
                    if digest != chain.head() {
                        problems.push(format!("Entry {sequence} is not the one that was signed."));
                    }
                    let head = canonical_json(&LogHead {
                        sequence,
                        digest: &digest,
                    });
                    if let Err(error) = verify(LOG_NAMESPACE, head.as_bytes(), &signature, &keys) {
                        problems.push(format!(
                            "The signature over entry {sequence} does not verify: {error}."
                        ));
                    }
                }
            }
        }
        if problems.is_empty() {
            for (sequence, ..) in signed {
                problems.push(format!("The log was signed at entry {sequence}, which is missing: entries were cut off."));
            }
            let (sequence, digest) = tx.activity_head().await?;
            if (sequence, digest.as_str()) != (chain.length(), chain.head()) {
                problems.push(format!(
                    "The log should end at entry {sequence} and ends at entry {}.",
                    chain.length()
                ));
            }
        }
        Ok(LogVerification {
            length: chain.length(),
            head: chain.head().to_owned(),
            n_signed_heads,
            problems,
        })
    }
}

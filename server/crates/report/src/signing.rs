//! The instance's Ed25519 keys and their SSH signatures, which `ssh-keygen -Y verify` checks without Holdpoint.

use std::{fmt, sync::Arc};

use ed25519_dalek::{
    Signer as _, VerifyingKey,
    pkcs8::{EncodePublicKey as _, spki::der::pem},
};
use holdpoint_domain::Millis;
use ssh_key::{
    Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig,
    private::{Ed25519Keypair, KeypairData},
    public::{Ed25519PublicKey, KeyData},
};
use thiserror::Error;

pub use crate::allowed_signers::{AllowedKeys, KeysError};
use crate::{allowed_signers::Unsuitable, format::timestamp};

/// What a signature is for is part of it, so that one made for a log is none for a report.
pub const REPORT_NAMESPACE: &str = "holdpoint-report@v1";
pub const BUNDLE_NAMESPACE: &str = "holdpoint-bundle@v1";
pub const LOG_NAMESPACE: &str = "holdpoint-log@v1";
pub const ATTESTATION_NAMESPACE: &str = "holdpoint-attestation@v1";
/// Of the lists by which one key introduces the next: see [`crate::keyring`].
pub const KEYS_NAMESPACE: &str = "holdpoint-keys@v1";

/// Who signs, as `ssh-keygen -I` asks for it and as `allowed_signers` lines name it.
pub const PRINCIPAL: &str = "holdpoint";

/// One of the instance's keys, able to sign. It prints nothing of its private half.
#[derive(Clone)]
pub struct SigningKey {
    public: PublicKey,
    private: PrivateHalf,
}

#[derive(Clone)]
enum PrivateHalf {
    Here(Box<PrivateKey>),
    Elsewhere(Arc<dyn ExternalSigner>),
}

/// Holds a private key that does not leave it, such as an ssh-agent.
pub trait ExternalSigner: Send + Sync {
    /// The Ed25519 signature over these bytes, by the private half of this public key.
    fn sign(
        &self,
        public: &PublicKey,
        bytes: &[u8],
    ) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>>;
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

/// Why a signing key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error(
        "The signing key is not an OpenSSH private key. Give the file that Holdpoint wrote at its first start."
    )]
    Malformed(#[source] ssh_key::Error),
    #[error("The signing key is of the kind {0}. Holdpoint signs with ssh-ed25519 keys only.")]
    OtherKind(String),
    #[error(
        "The signing key is protected by a passphrase. Take it off with `ssh-keygen -p`, or put the key into an ssh-agent."
    )]
    Encrypted,
}

/// Why nothing was signed: whatever holds the private key did not do it.
#[derive(Debug, Error)]
pub enum SignError {
    #[error("nothing was signed with the key {fingerprint}")]
    Refused {
        fingerprint: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the signature that was made is not of the key {fingerprint}")]
    OtherKey { fingerprint: String },
}

impl SigningKey {
    /// The key that these 32 random bytes make; the same bytes make the same key.
    pub fn from_seed(seed: &[u8; 32], comment: &str) -> Self {
        let keypair = KeypairData::from(Ed25519Keypair::from_seed(seed));
        let comment: String = comment
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Self::of(
            PrivateKey::new(keypair, comment.trim())
                .expect("an Ed25519 key pair made from a seed is whole"),
        )
    }

    /// Reads the text of an OpenSSH private key file.
    pub fn from_openssh(pem: &str) -> Result<Self, KeyError> {
        let key = PrivateKey::from_openssh(pem).map_err(KeyError::Malformed)?;
        if key.is_encrypted() {
            return Err(KeyError::Encrypted);
        }
        if key.key_data().ed25519().is_none() {
            return Err(KeyError::OtherKind(key.algorithm().to_string()));
        }
        Ok(Self::of(key))
    }

    fn of(key: PrivateKey) -> Self {
        Self {
            public: key.public_key().clone(),
            private: PrivateHalf::Here(Box::new(key)),
        }
    }

    /// A key whose private half stays where it is.
    pub fn external(public: PublicKey, signer: Arc<dyn ExternalSigner>) -> Result<Self, KeyError> {
        ed25519_bytes(&public)
            .ok_or_else(|| KeyError::OtherKind(public.algorithm().to_string()))?;
        Ok(Self {
            public,
            private: PrivateHalf::Elsewhere(signer),
        })
    }

    /// The text of an OpenSSH private key file, to be readable by nobody else; `None` where the private half is elsewhere.
    pub fn to_openssh(&self) -> Option<String> {
        match &self.private {
            PrivateHalf::Here(key) => Some(
                key.to_openssh(LineEnding::LF)
                    .expect("an unencrypted Ed25519 key always has an OpenSSH form")
                    .to_string(),
            ),
            PrivateHalf::Elsewhere(_) => None,
        }
    }

    /// "ssh-ed25519 AAAA… comment".
    pub fn public_key(&self) -> String {
        self.public
            .to_openssh()
            .expect("a public key that was read always has an OpenSSH form")
    }

    /// The 32 bytes of the public key.
    pub fn public_bytes(&self) -> [u8; 32] {
        ed25519_bytes(&self.public).expect("no other kind of key is taken")
    }

    /// A line for an `allowed_signers` file: this key, for every purpose and any time.
    pub fn public_line(&self) -> String {
        let namespaces = [
            REPORT_NAMESPACE,
            BUNDLE_NAMESPACE,
            LOG_NAMESPACE,
            ATTESTATION_NAMESPACE,
            KEYS_NAMESPACE,
        ];
        format!(
            "{PRINCIPAL} namespaces=\"{}\" {}",
            namespaces.join(","),
            self.public_key()
        )
    }

    /// "SHA256:…", as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        self.public.fingerprint(HashAlg::Sha256).to_string()
    }

    /// An armored SSH signature. Ed25519 needs no randomness: the same bytes give the same signature.
    pub fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String, SignError> {
        const NAMED: &str =
            "a namespace with a name and an Ed25519 signature make an SSH signature";
        let signed = SshSig::signed_data(namespace, HashAlg::Sha512, bytes).expect(NAMED);
        let signature = Signature::new(Algorithm::Ed25519, self.sign_bytes(&signed)?).expect(NAMED);
        let key = self.public.key_data().clone();
        Ok(SshSig::new(key, namespace, HashAlg::Sha512, signature)
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .expect(NAMED))
    }

    /// The bare Ed25519 signature over these bytes, for formats that have their own way to say what is signed.
    pub fn sign_bytes(&self, bytes: &[u8]) -> Result<[u8; 64], SignError> {
        match &self.private {
            PrivateHalf::Here(key) => {
                let pair = key
                    .key_data()
                    .ed25519()
                    .expect("no other kind of key is taken");
                Ok(ed25519_dalek::SigningKey::from(&pair.private)
                    .sign(bytes)
                    .to_bytes())
            }
            PrivateHalf::Elsewhere(signer) => {
                let signature =
                    signer
                        .sign(&self.public, bytes)
                        .map_err(|source| SignError::Refused {
                            fingerprint: self.fingerprint(),
                            source,
                        })?;
                // What is handed out is checked: an agent may hold another key than it says.
                VerifyingKey::from_bytes(&self.public_bytes())
                    .and_then(|key| key.verify_strict(bytes, &signature.into()))
                    .map_err(|_| SignError::OtherKey {
                        fingerprint: self.fingerprint(),
                    })?;
                Ok(signature)
            }
        }
    }
}

fn ed25519_bytes(key: &PublicKey) -> Option<[u8; 32]> {
    match key.key_data() {
        KeyData::Ed25519(Ed25519PublicKey(bytes)) => Some(*bytes),
        _ => None,
    }
}

/// The public key as PEM, for tools other than OpenSSH. `None` for another kind of key, or bytes that are no key.
pub(crate) fn public_pem(key: &PublicKey) -> Option<String> {
    VerifyingKey::from_bytes(&ed25519_bytes(key)?)
        .ok()?
        .to_public_key_pem(pem::LineEnding::LF)
        .ok()
}

/// Whose signature it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// "SHA256:…".
    pub fingerprint: String,
    pub comment: String,
}

/// Why a signature is not accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SignatureError {
    #[error("The signature is not an SSH signature.")]
    Malformed,
    #[error("The signature was made for `{made_for}`, not for `{expected}`.")]
    OtherNamespace { made_for: String, expected: String },
    #[error("The signature is of the key {fingerprint}, which is not among the keys given.")]
    OtherKey { fingerprint: String },
    #[error("The signature is of the key {fingerprint}, which may not sign for `{namespace}`.")]
    NotForThis {
        fingerprint: String,
        namespace: String,
    },
    #[error("The signature is of the key {fingerprint}, which was not valid {}.", moment_asked(*.at))]
    NotValid {
        fingerprint: String,
        at: Option<Millis>,
    },
    #[error(
        "The signature is of a key of the kind {0}. Holdpoint signs with ssh-ed25519 keys only."
    )]
    OtherKind(String),
    #[error(
        "The signature does not match: the content or the signature was changed after signing."
    )]
    Mismatch,
}

fn moment_asked(at: Option<Millis>) -> String {
    match at {
        Some(at) => format!("at {}", timestamp(at)),
        None => "for ever; say with --time for which moment to ask".to_owned(),
    }
}

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "\n-----END SSH SIGNATURE-----";

/// Reads an armored signature as OpenSSH does: of any line widths and line ends, and whatever stands behind it.
fn read(armored: &str) -> Option<SshSig> {
    let rest = armored.strip_prefix(BEGIN)?;
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    let (letters, _) = rest.starts_with('\n').then_some(rest)?.split_once(END)?;
    let letters: Vec<char> = letters
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let lines: Vec<String> = letters
        .chunks(70)
        .map(|line| line.iter().collect())
        .collect();
    let plain = format!("{BEGIN}\n{}{END}\n", lines.join("\n"));
    let signature = SshSig::from_pem(&plain).ok()?;
    let is_one_spelling = signature
        .to_pem(LineEnding::LF)
        .is_ok_and(|again| again.split_whitespace().eq(plain.split_whitespace()));
    (signature.version() == SshSig::VERSION && is_one_spelling).then_some(signature)
}

/// The key that a signature says it is of, which proves nothing.
pub(crate) fn own_key(armored: &str) -> Option<AllowedKeys> {
    let signature = read(armored)?;
    Some(AllowedKeys::of(signature.public_key().clone()))
}

/// Whether an armored signature is written exactly as [`SigningKey::sign`] writes it.
pub(crate) fn is_written_as_signed(armored: &str) -> bool {
    read(armored)
        .and_then(|signature| signature.to_pem(LineEnding::LF).ok())
        .is_some_and(|again| again == armored)
}

/// Checks that one of these keys signed exactly these bytes under this namespace.
pub fn verify(
    namespace: &str,
    bytes: &[u8],
    signature: &str,
    keys: &AllowedKeys,
) -> Result<Signer, SignatureError> {
    let signature = read(signature).ok_or(SignatureError::Malformed)?;
    if signature.namespace() != namespace {
        return Err(SignatureError::OtherNamespace {
            made_for: signature.namespace().to_owned(),
            expected: namespace.to_owned(),
        });
    }
    let signer = signature.public_key();
    let fingerprint = signer.fingerprint(HashAlg::Sha256).to_string();
    let key = match keys.find(signer, namespace) {
        Ok(key) => key,
        Err(Unsuitable::NotAmongThem) => return Err(SignatureError::OtherKey { fingerprint }),
        Err(Unsuitable::OtherNamespace) => {
            return Err(SignatureError::NotForThis {
                fingerprint,
                namespace: namespace.to_owned(),
            });
        }
        Err(Unsuitable::NotValid { at }) => {
            return Err(SignatureError::NotValid { fingerprint, at });
        }
    };
    if key.key_data().ed25519().is_none() {
        return Err(SignatureError::OtherKind(key.algorithm().to_string()));
    }
    key.verify(namespace, bytes, &signature)
        .map_err(|_| SignatureError::Mismatch)?;
    Ok(Signer {
        fingerprint,
        comment: key.comment().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32], "the test's key")
    }

    #[test]
    fn a_key_survives_being_written_and_read() {
        let again = SigningKey::from_openssh(&key().to_openssh().unwrap()).unwrap();
        assert_eq!(again.public_line(), key().public_line());
        assert_eq!(
            again.to_openssh(),
            key().to_openssh(),
            "the same seed gives the same file"
        );
        assert_eq!(
            again.sign(REPORT_NAMESPACE, b"x").unwrap(),
            key().sign(REPORT_NAMESPACE, b"x").unwrap()
        );
        assert!(!format!("{:?}", key()).contains("PRIVATE"));
    }

    #[test]
    fn a_signature_holds_for_its_bytes_its_namespace_and_its_key_only() {
        let keys = AllowedKeys::parse(&key().public_line()).unwrap();
        let signature = key().sign(REPORT_NAMESPACE, b"report").unwrap();
        let signer = verify(REPORT_NAMESPACE, b"report", &signature, &keys).unwrap();
        assert_eq!(signer.fingerprint, key().fingerprint());
        assert_eq!(
            verify(REPORT_NAMESPACE, b"Report", &signature, &keys),
            Err(SignatureError::Mismatch)
        );
        assert!(matches!(
            verify(LOG_NAMESPACE, b"report", &signature, &keys),
            Err(SignatureError::OtherNamespace { .. })
        ));
        let other = SigningKey::from_seed(&[8; 32], "");
        assert!(matches!(
            verify(
                REPORT_NAMESPACE,
                b"report",
                &other.sign(REPORT_NAMESPACE, b"report").unwrap(),
                &keys
            ),
            Err(SignatureError::OtherKey { .. })
        ));
        assert_eq!(
            verify(REPORT_NAMESPACE, b"report", "nonsense", &keys),
            Err(SignatureError::Malformed)
        );
    }

    #[test]
    fn lists_of_keys_are_read_as_ssh_keygen_reads_them_or_refused() {
        let line = key().public_line();
        let alone = line.split_once("\" ").unwrap().1;
        for good in [
            line.clone(),
            alone.to_owned(),
            format!("# note\n\n* {alone}\r\n"),
            format!("a,holdpoint {alone}"),
        ] {
            assert_eq!(
                AllowedKeys::parse(&good).unwrap().fingerprints(),
                [key().fingerprint()],
                "{good}"
            );
        }
        let elsewhere =
            AllowedKeys::parse(&format!("holdpoint namespaces=\"git\" {alone}")).unwrap();
        let signature = key().sign(REPORT_NAMESPACE, b"x").unwrap();
        assert!(verify(REPORT_NAMESPACE, b"x", &signature, &elsewhere).is_err());
        for bad in [
            "",
            "# nothing",
            "holdpoint",
            "holdpoint x",
            &format!("someone {alone}"),
            &format!("holdpoint cert-authority {alone}"),
            "holdpoint ssh-ed25519 AAAA",
            "holdpoint namespaces=\"",
        ] {
            assert!(AllowedKeys::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_an_open_ed25519_key_signs() {
        assert!(matches!(
            SigningKey::from_openssh("nonsense"),
            Err(KeyError::Malformed(_))
        ));
    }
}

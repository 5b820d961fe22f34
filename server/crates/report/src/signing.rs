//! The instance's Ed25519 key and its SSH signatures, which `ssh-keygen -Y verify` checks without Holdpoint.

use ssh_key::{
    Fingerprint, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig,
    private::{Ed25519Keypair, KeypairData},
};
use thiserror::Error;

/// What a signature is for is part of it, so that one made for a log is none for a report.
pub const REPORT_NAMESPACE: &str = "holdpoint-report@v1";
pub const BUNDLE_NAMESPACE: &str = "holdpoint-bundle@v1";
pub const LOG_NAMESPACE: &str = "holdpoint-log@v1";

/// Who signs, as `ssh-keygen -I` asks for it and as `allowed_signers` lines name it.
pub const PRINCIPAL: &str = "holdpoint";

/// The instance's key. It prints nothing of itself.
pub struct SigningKey(PrivateKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
    #[error("The signing key is protected by a passphrase. Take it off with `ssh-keygen -p`.")]
    Encrypted,
}

impl SigningKey {
    /// The key that these 32 random bytes make; the same bytes make the same key.
    pub fn from_seed(seed: &[u8; 32], comment: &str) -> Self {
        let keypair = KeypairData::from(Ed25519Keypair::from_seed(seed));
        let comment: String = comment
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Self(
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
        Ok(Self(key))
    }

    /// The text of an OpenSSH private key file, to be readable by nobody else.
    pub fn to_openssh(&self) -> String {
        self.0
            .to_openssh(LineEnding::LF)
            .expect("an unencrypted Ed25519 key always has an OpenSSH form")
            .to_string()
    }

    /// The line for an `allowed_signers` file.
    pub fn public_line(&self) -> String {
        let public = self
            .0
            .public_key()
            .to_openssh()
            .expect("an Ed25519 public key always has an OpenSSH form");
        format!(
            "{PRINCIPAL} namespaces=\"{REPORT_NAMESPACE},{BUNDLE_NAMESPACE},{LOG_NAMESPACE}\" {public}"
        )
    }

    /// "SHA256:…", as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// An armored SSH signature. Ed25519 needs no randomness: the same bytes give the same signature.
    pub fn sign(&self, namespace: &str, bytes: &[u8]) -> String {
        self.0
            .sign(namespace, HashAlg::Sha512, bytes)
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .expect("an Ed25519 key signs whatever it is given under a namespace with a name")
    }
}

/// The public keys that a signature may come from.
#[derive(Clone, Debug, Default)]
pub struct AllowedKeys(Vec<Allowed>);

#[derive(Clone, Debug)]
struct Allowed {
    /// Absent: any namespace.
    namespaces: Option<Vec<String>>,
    key: PublicKey,
}

/// Why a list of public keys cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeysError {
    #[error("There is no public key in it. Give the lines of /.well-known/holdpoint-signing-keys.")]
    Empty,
    #[error("Line {line}: {why}. Write `holdpoint ssh-ed25519 AAAA…`, or the public key alone.")]
    Line { line: usize, why: String },
}

impl AllowedKeys {
    /// Reads `allowed_signers` lines, or public keys alone. What cannot be judged is refused rather than left out.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: String| KeysError::Line { line: n + 1, why };
            keys.push(allowed(line).map_err(wrong)?);
        }
        if keys.is_empty() {
            return Err(KeysError::Empty);
        }
        Ok(Self(keys))
    }

    /// The keys' fingerprints.
    pub fn fingerprints(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|allowed| fingerprint(&allowed.key).to_string())
            .collect()
    }
}

fn allowed(line: &str) -> Result<Allowed, String> {
    let is_key = |text: &str| {
        text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-")
    };
    let mut namespaces = None;
    let mut rest = line;
    if !is_key(line) {
        let (principals, after) = line
            .split_once(char::is_whitespace)
            .ok_or("the key is missing")?;
        let named = principals
            .trim_matches('"')
            .split(',')
            .any(|p| p == PRINCIPAL || p == "*");
        if !named {
            return Err(format!("it is not a key of the principal `{PRINCIPAL}`"));
        }
        rest = after.trim_start();
        while !is_key(rest) {
            let (option, after) = option(rest).ok_or("the key is missing")?;
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if !name.eq_ignore_ascii_case("namespaces") {
                return Err(format!("the option `{name}` cannot be judged here"));
            }
            let value = value.trim_matches('"');
            namespaces = Some(value.split(',').map(|n| n.trim().to_owned()).collect());
            rest = after;
        }
    }
    let key = PublicKey::from_openssh(rest).map_err(|_| "this is no public key".to_owned())?;
    if key.key_data().ed25519().is_none() {
        return Err(format!(
            "the key is of the kind {}, not ssh-ed25519",
            key.algorithm()
        ));
    }
    Ok(Allowed { namespaces, key })
}

/// The first option of a line and what follows it; white space or a comma ends it, but not within quotes.
fn option(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|c: char| {
        if c == '"' {
            quoted = !quoted;
        }
        !quoted && (c.is_whitespace() || c == ',')
    })?;
    let after = text[end..].trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    (end > 0).then_some((&text[..end], after))
}

fn fingerprint(key: &PublicKey) -> Fingerprint {
    key.fingerprint(HashAlg::Sha256)
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
    #[error(
        "The signature does not match: the content or the signature was changed after signing."
    )]
    Mismatch,
}

/// Reads an armored signature in its one spelling, but for line widths and line ends.
fn read(armored: &str) -> Option<SshSig> {
    let signature = SshSig::from_pem(armored.trim_start()).ok()?;
    let again = signature.to_pem(LineEnding::LF).ok()?;
    let letters = |text: &str| -> String { text.split_whitespace().collect() };
    (signature.version() == SshSig::VERSION && letters(&again) == letters(armored))
        .then_some(signature)
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
    let allowed = keys.0.iter().find(|allowed| {
        allowed.key.key_data() == signature.public_key()
            && allowed
                .namespaces
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| name == namespace || name == "*"))
    });
    let Some(Allowed { key, .. }) = allowed else {
        let of = signature.public_key().fingerprint(HashAlg::Sha256);
        return Err(SignatureError::OtherKey {
            fingerprint: of.to_string(),
        });
    };
    key.verify(namespace, bytes, &signature)
        .map_err(|_| SignatureError::Mismatch)?;
    Ok(Signer {
        fingerprint: fingerprint(key).to_string(),
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
        let again = SigningKey::from_openssh(&key().to_openssh()).unwrap();
        assert_eq!(again.public_line(), key().public_line());
        assert_eq!(
            again.to_openssh(),
            key().to_openssh(),
            "the same seed gives the same file"
        );
        assert_eq!(
            again.sign(REPORT_NAMESPACE, b"x"),
            key().sign(REPORT_NAMESPACE, b"x")
        );
        assert!(!format!("{:?}", key()).contains("PRIVATE"));
    }

    #[test]
    fn a_signature_holds_for_its_bytes_its_namespace_and_its_key_only() {
        let keys = AllowedKeys::parse(&key().public_line()).unwrap();
        let signature = key().sign(REPORT_NAMESPACE, b"report");
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
                &other.sign(REPORT_NAMESPACE, b"report"),
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
        let signature = key().sign(REPORT_NAMESPACE, b"x");
        assert!(verify(REPORT_NAMESPACE, b"x", &signature, &elsewhere).is_err());
        for bad in [
            "",
            "# nothing",
            "holdpoint",
            "holdpoint x",
            &format!("someone {alone}"),
            &format!("holdpoint valid-before=\"20200101\" {alone}"),
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

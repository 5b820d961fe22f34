//! Sealing a secret so that only whoever has another secret can read it again.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::Services;

const NONCE_BYTES: usize = 24;

impl Services {
    /// Seals a secret with another, of which nobody may be able to guess the text. What it is for is bound to it: it opens
    /// for that only.
    pub fn seal(&self, with: &str, purpose: &str, secret: &str) -> Vec<u8> {
        let mut sealed = vec![0; NONCE_BYTES];
        self.ids().fill(&mut sealed);
        let nonce: [u8; NONCE_BYTES] = sealed[..].try_into().expect("it is as long as a nonce");
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: purpose.as_bytes(),
        };
        let encrypted = cipher(with)
            .encrypt(&nonce.into(), payload)
            .expect("a text in memory is never too long for the cipher");
        sealed.extend(encrypted);
        sealed
    }

    /// Opens what was sealed; `None` with another secret, for another purpose, or when one bit was changed.
    pub fn unseal(&self, with: &str, purpose: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, encrypted) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let payload = Payload {
            msg: encrypted,
            aad: purpose.as_bytes(),
        };
        String::from_utf8(cipher(with).decrypt(&nonce.into(), payload).ok()?).ok()
    }
}

fn cipher(with: &str) -> XChaCha20Poly1305 {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, with.as_bytes())
        .expand(b"holdpoint one-time secret", &mut key)
        .expect("32 bytes are not too many");
    XChaCha20Poly1305::new(&key.into())
}

//! Ed25519 keys in the forms that OpenSSL reads and writes.
//!
//! A private key is a PKCS #8 file in PEM (RFC 8410), as of `openssl genpkey -algorithm ed25519`. A public key is the
//! one line between the marks of `openssl pkey -pubout`: 60 characters that begin with `MCowBQYDK2VwAyEA`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::SecretBytes;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// In front of 32 bytes of private key: PKCS #8, version 1, id-Ed25519.
const PRIVATE: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// In front of 32 bytes of public key: SubjectPublicKeyInfo, id-Ed25519.
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// A private key. It has no `Debug` and is never shown.
#[allow(missing_debug_implementations)]
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl PublicKey {
    /// Reads the line.
    pub fn parse(line: &str) -> Result<Self, String> {
        let problem = || {
            "has to be the line between the marks of `openssl pkey -pubout`: MCowBQYDK2VwAyEA and 44 more characters"
                .to_owned()
        };
        let bytes = STANDARD.decode(line.trim()).map_err(|_| problem())?;
        let key = bytes.strip_prefix(&PUBLIC).ok_or_else(problem)?;
        Ok(Self(key.try_into().map_err(|_| problem())?))
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

impl SigningKey {
    /// A new one: its file. The error is the system's.
    pub fn generate() -> Result<SecretBytes, String> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| e.to_string())?;
        let der = SecretBytes::new([PRIVATE.as_slice(), &seed].concat());
        let line = SecretBytes::new(STANDARD.encode(der.expose()).into_bytes());
        let (begin, end) = (format!("{BEGIN}\n"), format!("\n{END}\n"));
        Ok(SecretBytes::new([begin.as_bytes(), line.expose(), end.as_bytes()].concat()))
    }

    /// Reads the file. The error never shows its content.
    pub fn from_pem(pem: &SecretBytes) -> Result<Self, String> {
        let problem = || {
            "it is no private key of Ed25519 in PEM (without a password); `muster plugin keygen` and `openssl \
             genpkey -algorithm ed25519` make one"
                .to_owned()
        };
        let text = std::str::from_utf8(pem.expose()).map_err(|_| problem())?;
        let (_, rest) = text.split_once(BEGIN).ok_or_else(problem)?;
        let (line, _) = rest.split_once(END).ok_or_else(problem)?;
        let line: Vec<u8> = line.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let line = SecretBytes::new(line);
        let der = SecretBytes::new(STANDARD.decode(line.expose()).map_err(|_| problem())?);
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.expose()).map_err(|_| problem())?;
        Ok(Self { pair })
    }

    /// The other half.
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.iter_mut().zip(self.pair.public_key().as_ref()).for_each(|(to, from)| *to = *from);
        PublicKey(key)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode([PUBLIC.as_slice(), &self.0].concat()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

//! The one type for what must not be seen.

use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

use crate::cbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Text that must not be seen: zeroized on drop, no `Display`, no serde, a `Debug` that shows nothing.
///
/// It can be encoded as CBOR, because a credential has to cross from the plugin to its host inside a command, and
/// because a running agent's snapshot has to hold a secret that is not stored yet.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Secret(#[n(0)] String);

impl Secret {
    /// Takes text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Every call is a place to look at: a credential, a signature, a store.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Zeroize for Secret {
    fn zeroize(&mut self) {
        wipe(&mut mem::take(&mut self.0).into_bytes());
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Bytes that must not be seen: what a [`Store`](crate::Command::Store) carries, a packet with a secret in it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct SecretBytes(#[cbor(n(0), with = "crate::cbor::bytes")] Vec<u8>);

impl SecretBytes {
    /// Takes bytes in.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Hands the bytes on, for a caller that has to own them. From there on they are the caller's to wipe.
    pub fn into_inner(mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Zeroize for SecretBytes {
    fn zeroize(&mut self) {
        wipe(&mut self.0);
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.0.len())
    }
}

/// Zeros in all that is allocated, many bytes at a time: what `zeroize` does for a `Vec` itself, it does byte by byte.
fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    // From here on nobody may say that the zeros are never read.
    zeroize::optimization_barrier(bytes.as_slice());
    bytes.clear();
}

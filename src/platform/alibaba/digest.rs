//! HMAC (RFC 2104) with the three hashes that Alibaba's devices and apps sign with.
//!
//! The `hmac` crate is generic over the hash, and a plugin would carry its whole machinery three times; here there is
//! one for all.

use zeroize::Zeroize;

use crate::hash::{self, Hash};

pub(super) fn hmac_md5(secret: &[u8], parts: &[&[u8]]) -> Mac {
    hmac(hash::md5, 16, secret, parts)
}

pub(super) fn hmac_sha1(secret: &[u8], parts: &[&[u8]]) -> Mac {
    hmac(hash::sha1, 20, secret, parts)
}

pub(super) fn hmac_sha256(secret: &[u8], parts: &[&[u8]]) -> Mac {
    hmac(hash::sha256, 32, secret, parts)
}

/// What any of the three gives.
pub(super) struct Mac {
    bytes: [u8; 32],
    length: usize,
}

impl AsRef<[u8]> for Mac {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// All three hashes work on blocks of 64 bytes.
const BLOCK: usize = 64;

/// `length` is that of the hash in bytes.
#[inline(never)]
fn hmac(hash: Hash, length: usize, secret: &[u8], parts: &[&[u8]]) -> Mac {
    let hashed;
    let mut key = secret;
    if secret.len() > BLOCK {
        hashed = hash(&[secret]);
        key = &hashed[..length];
    }
    let joined;
    let text = match parts {
        [whole] => *whole,
        parts => {
            joined = parts.concat();
            &joined
        }
    };
    let inner = padded(hash, key, 0x36, text);
    Mac { bytes: padded(hash, key, 0x5c, &inner[..length]), length }
}

#[inline(never)]
fn padded(hash: Hash, key: &[u8], pad: u8, text: &[u8]) -> [u8; 32] {
    let mut block = [pad; BLOCK];
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    let hashed = hash(&[&block, text]);
    block.zeroize();
    hashed
}

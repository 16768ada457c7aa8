//! HMAC with the three hashes that Alibaba's devices and apps sign with.
//!
//! RFC 2104 over the crates' hashes. The `hmac` crate is generic over the hash, and a plugin would carry its whole
//! machinery three times; here the hashes alone are there three times, and HMAC once.

use alloc::vec::Vec;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

pub(super) fn hmac_md5(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac(hash::<Md5>, secret, parts)
}

pub(super) fn hmac_sha1(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac(hash::<Sha1>, secret, parts)
}

pub(super) fn hmac_sha256(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac(hash::<Sha256>, secret, parts)
}

/// The hash of a first part and all others in a row.
type Hash = fn(&[u8], &[&[u8]]) -> Vec<u8>;

fn hash<D: Digest>(first: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = D::new();
    hash.update(first);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().to_vec()
}

/// All three hashes work on blocks of 64 bytes.
const BLOCK: usize = 64;

#[inline(never)]
fn hmac(hash: Hash, secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut key = [0; BLOCK];
    if secret.len() > BLOCK {
        key.iter_mut().zip(hash(secret, &[])).for_each(|(to, from)| *to = from);
    } else {
        key.iter_mut().zip(secret).for_each(|(to, &from)| *to = from);
    }
    key.iter_mut().for_each(|byte| *byte ^= 0x36);
    let inner = hash(&key, parts);
    key.iter_mut().for_each(|byte| *byte ^= 0x36 ^ 0x5c);
    let mac = hash(&key, &[&inner]);
    key.zeroize();
    mac
}

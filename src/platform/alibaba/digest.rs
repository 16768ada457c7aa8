//! HMAC with the three hashes that Alibaba's devices and apps sign with.

use alloc::vec::Vec;

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

pub(super) fn hmac_md5(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::<Md5>(secret, parts)
}

pub(super) fn hmac_sha1(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::<Sha1>(secret, parts)
}

pub(super) fn hmac_sha256(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::<Sha256>(secret, parts)
}

/// The crate's own constructor from a slice returns a `Result` that no key length can make an error. Filling the key
/// block here, as RFC 2104 says, needs no `unwrap`.
fn hmac<D: EagerHash + Digest>(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut key = hmac::digest::Key::<Hmac<D>>::default();
    if secret.len() > key.len() {
        let hash = D::digest(secret);
        key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    } else {
        key.iter_mut().zip(secret).for_each(|(to, &from)| *to = from);
    }
    let mut mac = Hmac::<D>::new(&key);
    key.as_mut_slice().zeroize();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

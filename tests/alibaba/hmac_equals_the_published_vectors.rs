//! HMAC is put together here over the crates' hashes: RFC 2202 (MD5, SHA-1) and RFC 4231 (SHA-256), test case 2, and keys
//! of just one block and of more than one, which Python's `hmac` module computed.

use muster::Secret;
use muster::alibaba::credentials::SignMethod::{self, HmacMd5, HmacSha1, HmacSha256};

const TEXT: &[u8] = b"what do ya want for nothing?";

fn check(key: &str, method: SignMethod, expected: &str) {
    let key = Secret::new(key);
    assert_eq!(muster::hex::lower(&method.hmac(&key, &[TEXT])), expected);
    // Parts in a row are one text.
    let (one, two) = TEXT.split_at(11);
    assert_eq!(muster::hex::lower(&method.hmac(&key, &[one, b"", two])), expected);
}

#[test]
fn short_key() {
    check("Jefe", HmacMd5, "750c783e6ab0b503eaa86e310a5db738");
    check("Jefe", HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    check("Jefe", HmacSha256, sha256);
}

#[test]
fn key_of_one_block() {
    let key = "k".repeat(64);
    check(&key, HmacMd5, "57d03236278cda70601f79dbfc333daa");
    check(&key, HmacSha1, "ed0aed232b1eee94cd353dfe1c3651c391fb524b");
    let sha256 = "63f12563e45dcef7c354a6ba71d0c713aa28eea869b5a199da814b225867f54c";
    check(&key, HmacSha256, sha256);
}

#[test]
fn key_of_more_than_a_block_is_hashed_first() {
    let key = "k".repeat(80);
    check(&key, HmacMd5, "11b5df492daea75dc363bd660f26bde0");
    check(&key, HmacSha1, "c845db7dc1ecfe95b8e22fc011e3605794650b07");
    let sha256 = "925f1368916daf5cdc8b1d00485752b8ab6f78354bbd4d3449dc3d25a5f86f87";
    check(&key, HmacSha256, sha256);
}

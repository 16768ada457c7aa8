//! Signatures and blocks that device and phone exchange over Bluetooth and on the local network.
//!
//! Sources: Breeze `core/auth.c`, the older `ali_auth.c` and `transport.c`, and iotkit-embedded `awss_build_sign_src`.
//! Recorded in `tests/vectors/alibaba.json`. Deliberately absent: the transports (GATT, CoAP, SoftAP).

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::cipher::{Random, cbc_decrypt, cbc_encrypt};
use super::credentials::SignMethod;
use crate::hex;
use crate::secret::{Secret, SecretBytes};

/// The fixed IV of a Breeze session.
const BREEZE_IV: &[u8; 16] = b"0123456789ABCDEF";

/// A Breeze session's block: AES-128-CBC with a fixed IV, filled up with zeros. `key` is that of cipher type 6 or 7
/// (old generation) or 3 or 4 (devices built with enhanced authentication).
pub fn breeze_encrypt(key: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    cbc_encrypt(key, BREEZE_IV, plain)
}

/// The reverse of [`breeze_encrypt`]; `None` if it is no whole number of blocks.
pub fn breeze_decrypt(key: &[u8; 16], bytes: &[u8]) -> Option<SecretBytes> {
    cbc_decrypt(key, BREEZE_IV, bytes)
}

/// The signature that a bound Breeze device advertises is the first 4 bytes of this hash.
pub fn breeze_advertising_sign(
    product_key: &str,
    device_name: &str,
    device_secret: &Secret,
    sequence: u32,
) -> [u8; 32] {
    sha256(&[
        b"deviceName",
        device_name.as_bytes(),
        b"deviceSecret",
        device_secret.expose().as_bytes(),
        b"productKey",
        product_key.as_bytes(),
        b"sequence",
        &sequence.to_le_bytes(),
    ])
}

/// The network signature of Breeze's second version. The secret is the product's or the device's, by the mode.
pub fn breeze_v2_signature(
    model_id: u32,
    product_key: &str,
    device_name: &str,
    secret: &Secret,
) -> [u8; 32] {
    sha256(&[
        b"clientId",
        hex::upper(&model_id.to_be_bytes()).as_bytes(),
        b"deviceName",
        device_name.as_bytes(),
        b"productKey",
        product_key.as_bytes(),
        b"deviceSecret",
        secret.expose().as_bytes(),
    ])
}

/// How a device that is not online yet signs its announcement on the local network.
pub fn discovery_sign(
    method: SignMethod,
    secret: &Secret,
    random: Random,
    product_key: &str,
    device_name: &str,
) -> Vec<u8> {
    method.hmac(secret, &[&random.0, device_name.as_bytes(), product_key.as_bytes()])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

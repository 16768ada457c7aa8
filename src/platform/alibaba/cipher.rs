//! Keys for handing Wi-Fi credentials and Bluetooth sessions to a device, as cloud and device derive them.
//!
//! ```text
//! 3 per product, 4 per device:            sha256( secret , random )
//! 6 BLE per product, 7 BLE per device:    sha256( secret , mac , random )
//! ```
//!
//! A comma is one byte 0x2C; the secret is its ASCII text; `random` is 16 bytes and `mac` 6 bytes in printed order. The
//! first 16 bytes of the hash are the AES-128 key. Source: seed document "Device provisioning service", `Get a key`;
//! byte order, lengths and the AES modes from the vendor's device SDKs (`awss_crypt.c`, Breeze `ali_auth.c`), whose
//! results the vectors in `tests/vectors/alibaba.json` record.
//!
//! Deliberately absent: types 0, 1, 2 and 5 (open, default keys, per manufacturer): `/awss/cipher/get` does not know
//! them, and a default key protects nothing.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::cbor::{Decode, Encode};
use aes::Aes128;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use sha2::{Digest, Sha256};
use zeroize::ZeroizeOnDrop;

use crate::hex;
use crate::secret::{Secret, SecretBytes};

/// `cipherType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CipherType {
    /// By the ProductSecret: what an empty cipherType means.
    #[default]
    #[n(3)]
    PerProduct,
    /// By the DeviceSecret.
    #[n(4)]
    PerDevice,
    /// Bluetooth, by the ProductSecret.
    #[n(6)]
    BlePerProduct,
    /// Bluetooth, by the DeviceSecret.
    #[n(7)]
    BlePerDevice,
}

impl CipherType {
    /// The number on the wire; `None` for one that this service does not know.
    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            3 => Some(Self::PerProduct),
            4 => Some(Self::PerDevice),
            6 => Some(Self::BlePerProduct),
            7 => Some(Self::BlePerDevice),
            _ => None,
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::PerProduct => 3,
            Self::PerDevice => 4,
            Self::BlePerProduct => 6,
            Self::BlePerDevice => 7,
        }
    }

    /// Whether the device's own secret is used, and not the product's.
    pub fn is_per_device(self) -> bool {
        matches!(self, Self::PerDevice | Self::BlePerDevice)
    }

    /// Whether the MAC address is part of it.
    pub fn is_ble(self) -> bool {
        matches!(self, Self::BlePerProduct | Self::BlePerDevice)
    }
}

impl FromStr for CipherType {
    type Err = CipherError;

    fn from_str(text: &str) -> Result<Self, CipherError> {
        text.parse().ok().and_then(Self::from_number).ok_or(CipherError::Type)
    }
}

/// Why no key can be derived, or no password encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CipherError {
    /// The type is not 3, 4, 6 or 7.
    Type,
    /// `random` is not 32 hex characters.
    Random,
    /// The MAC address is not 6 bytes of hex.
    Mac,
    /// Types 6 and 7 need a MAC address.
    MacMissing,
    /// The secret is empty.
    Secret,
    /// The encrypted password is not hex, or no whole number of AES blocks, or too long.
    Password,
}

impl fmt::Display for CipherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type => "the cipher type has to be 3, 4, 6 or 7",
            Self::Random => "random has to be 32 hex characters (16 bytes)",
            Self::Mac => "the MAC address has to be 12 hex digits, bare or in pairs with : or -",
            Self::MacMissing => "cipher types 6 and 7 need the device's MAC address",
            Self::Secret => "the secret is empty",
            Self::Password => "the password has to be hex of 1 to 16 whole AES blocks",
        })
    }
}

impl core::error::Error for CipherError {}

/// A MAC address in printed order. A Bluetooth advertisement carries the bytes reversed: turn them round first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = CipherError;

    /// `AA:BB:CC:DD:EE:FF`, `aa-bb-cc-dd-ee-ff` or `aabbccddeeff`.
    fn from_str(text: &str) -> Result<Self, CipherError> {
        let bare = |text: &str| -> Option<[u8; 6]> { hex::decode(text)?.try_into().ok() };
        let parts = |separator| {
            let mut pairs = text.split(separator);
            let all = pairs.clone().count() == 6 && pairs.all(|pair| pair.len() == 2);
            all.then(|| text.replace(separator, ""))
        };
        let joined = parts(':').or_else(|| parts('-'));
        bare(joined.as_deref().unwrap_or(text)).map(Self).ok_or(CipherError::Mac)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if i == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

/// The 16 bytes that device and app agree on: announced by the device, or all zero in broadcast modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random(pub [u8; 16]);

impl FromStr for Random {
    type Err = CipherError;

    /// 32 hex characters of either case. The seed's "32-byte hexadecimal string" counts characters.
    fn from_str(text: &str) -> Result<Self, CipherError> {
        let bytes = hex::decode(text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(CipherError::Random)
    }
}

/// The key, and the hash that it is cut from.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct Derived {
    /// All of the hash.
    pub sha256: [u8; 32],
    /// Its first 16 bytes: the AES-128 key.
    pub key: [u8; 16],
}

impl Derived {
    /// The key as `/awss/cipher/get` returns it: 32 upper-case hex characters (assumed; see the platform's page).
    pub fn key_hex(&self) -> Secret {
        Secret::new(hex::upper(&self.key))
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived(…)")
    }
}

/// `contentByteArray`: the bytes that are hashed. They hold the secret.
///
/// `mac` has to be there for types 6 and 7, and is not looked at for 3 and 4 (the seed's own sample sends one).
pub fn content(
    cipher: CipherType,
    secret: &Secret,
    mac: Option<Mac>,
    random: Random,
) -> Result<SecretBytes, CipherError> {
    if secret.is_empty() {
        return Err(CipherError::Secret);
    }
    let mut bytes = Vec::with_capacity(secret.expose().len() + 24);
    bytes.extend_from_slice(secret.expose().as_bytes());
    bytes.push(b',');
    if cipher.is_ble() {
        bytes.extend_from_slice(&mac.ok_or(CipherError::MacMissing)?.0);
        bytes.push(b',');
    }
    bytes.extend_from_slice(&random.0);
    Ok(SecretBytes::new(bytes))
}

/// Derives the key.
pub fn derive(
    cipher: CipherType,
    secret: &Secret,
    mac: Option<Mac>,
    random: Random,
) -> Result<Derived, CipherError> {
    let sha256: [u8; 32] = Sha256::digest(content(cipher, secret, mac, random)?.expose()).into();
    let mut key = [0; 16];
    key.copy_from_slice(&sha256[..16]);
    Ok(Derived { sha256, key })
}

/// The longest password that is encrypted or decrypted: Wi-Fi allows 63 characters or 64 hex digits, so this is ample.
const MAX_PASSWORD: usize = 256;

/// Encrypts a Wi-Fi password for a device in one of the access-point modes: AES-128-CBC, IV = random, padded with
/// zeros, as upper-case hex. A password ends at its first NUL, as the padding demands.
pub fn awss_password(
    key: &[u8; 16],
    random: Random,
    password: &Secret,
) -> Result<String, CipherError> {
    let bytes = password.expose().as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_PASSWORD || bytes.contains(&0) {
        return Err(CipherError::Password);
    }
    Ok(hex::upper(&cbc_encrypt(key, &random.0, bytes)))
}

/// What the device makes of it.
pub fn awss_password_decrypt(
    key: &[u8; 16],
    random: Random,
    passwd: &str,
) -> Result<SecretBytes, CipherError> {
    let bytes = hex::decode(passwd).ok_or(CipherError::Password)?;
    if bytes.is_empty() || bytes.len() > MAX_PASSWORD {
        return Err(CipherError::Password);
    }
    cbc_decrypt(key, &random.0, &bytes).ok_or(CipherError::Password)
}

/// AES-128-CBC, filled up with zeros to whole blocks.
pub(super) fn cbc_encrypt(key: &[u8; 16], iv: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    let mut cipher = cbc::Encryptor::<Aes128>::new(key.into(), iv.into());
    let mut out = Vec::with_capacity(plain.len().next_multiple_of(16));
    for chunk in plain.chunks(16) {
        let mut block = [0; 16];
        block.iter_mut().zip(chunk).for_each(|(to, &from)| *to = from);
        cipher.encrypt_block((&mut block).into());
        out.extend_from_slice(&block);
    }
    out
}

/// The reverse, zeros at the end cut off; `None` if it is no whole number of blocks.
pub(super) fn cbc_decrypt(key: &[u8; 16], iv: &[u8; 16], bytes: &[u8]) -> Option<SecretBytes> {
    let (blocks, rest) = bytes.as_chunks::<16>();
    if !rest.is_empty() {
        return None;
    }
    let mut cipher = cbc::Decryptor::<Aes128>::new(key.into(), iv.into());
    let mut out = Vec::with_capacity(bytes.len());
    for block in blocks {
        let mut block = *block;
        cipher.decrypt_block((&mut block).into());
        out.extend_from_slice(&block);
    }
    let end = out.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    out.truncate(end);
    Some(SecretBytes::new(out))
}

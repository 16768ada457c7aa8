//! `muster tool cipher`.

use muster::alibaba::cipher::{CipherType, Mac, Random, content, derive};
use muster::{Secret, hex};
use serde_json::json;

use super::{Answer, unusable};
use crate::exit::Exit;

/// Derive the AES-128 key that app and device use while the device is provisioned.
#[derive(Debug, clap::Args)]
pub(super) struct Cipher {
    /// 3 by product, 4 by device, 6 Bluetooth by product, 7 Bluetooth by device.
    #[arg(long = "type")]
    cipher: String,
    /// ProductSecret (3, 6) or DeviceSecret (4, 7).
    #[arg(long)]
    secret: String,
    /// 32 hex characters.
    #[arg(long)]
    random: String,
    /// MAC address as printed, for types 6 and 7.
    #[arg(long)]
    mac: Option<String>,
}

impl Cipher {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let cipher: CipherType = self.cipher.parse().map_err(|e| unusable("--type", e))?;
        let random: Random = self.random.parse().map_err(|e| unusable("--random", e))?;
        let mac = self.mac.as_deref().map(str::parse::<Mac>).transpose();
        let mac = mac.map_err(|e| unusable("--mac", e))?;
        let secret = Secret::new(self.secret);
        let bytes = content(cipher, &secret, mac, random).map_err(|e| unusable("cipher", e))?;
        let derived = derive(cipher, &secret, mac, random).map_err(|e| unusable("cipher", e))?;
        let (sha256, key) = (hex::lower(&derived.sha256), hex::lower(&derived.key));
        let (whose, parts) = match (cipher.is_per_device(), cipher.is_ble()) {
            (false, false) => ("ProductSecret", "secret 2C random"),
            (true, false) => ("DeviceSecret", "secret 2C random"),
            (false, true) => ("ProductSecret", "secret 2C mac 2C random"),
            (true, true) => ("DeviceSecret", "secret 2C mac 2C random"),
        };
        let text = format!(
            "cipherType {number} hashes the {whose}, each part separated by one comma byte (2C):\n\
             \n  parts    {parts}\n  bytes    {length}\n  SHA-256  {sha256}\n  AES key  {key}\n\
             \nThe AES-128 key is the first half of the hash. /awss/cipher/get returns it as {upper}.",
            number = cipher.number(),
            length = bytes.expose().len(),
            upper = key.to_ascii_uppercase(),
        );
        Ok(Answer { json: json!({ "sha256": sha256, "key": key }), text })
    }
}

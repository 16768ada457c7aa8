//! The key of local provisioning (Alibaba).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{ToolError, ToolStep};
use crate::hex;
use crate::platform::alibaba::cipher::{CipherType, Mac, Random, content, derive};
use crate::secret::Secret;

/// What a key is derived from.
#[derive(serde::Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct CipherInput {
    /// 3 by product, 4 by device, 6 Bluetooth by product, 7 Bluetooth by device.
    pub r#type: u32,
    /// ProductSecret (3, 6) or DeviceSecret (4, 7).
    pub secret: String,
    /// 32 hex characters.
    pub random: String,
    /// MAC address as printed, for types 6 and 7.
    #[serde(default)]
    pub mac: Option<String>,
}

/// The key.
#[derive(serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CipherOutput {
    /// 64 hex characters.
    pub sha256: String,
    /// 32 hex characters: the first half.
    pub key: String,
    /// How.
    pub steps: Vec<ToolStep>,
}

/// Derives the AES-128 key that app and device use while the device is provisioned.
pub fn cipher(input: &CipherInput) -> Result<CipherOutput, ToolError> {
    let unusable = |error| ToolError::new("cipher", error);
    let cipher = CipherType::from_number(input.r#type.into())
        .ok_or_else(|| ToolError::new("type", "has to be 3, 4, 6 or 7"))?;
    let random: Random = input.random.parse().map_err(|e| ToolError::new("random", e))?;
    let mac = input.mac.as_deref().filter(|mac| !mac.is_empty()).map(str::parse::<Mac>);
    let mac = mac.transpose().map_err(|e| ToolError::new("mac", e))?;
    let secret = Secret::new(input.secret.as_str());
    let bytes = content(cipher, &secret, mac, random).map_err(unusable)?;
    let derived = derive(cipher, &secret, mac, random).map_err(unusable)?;
    let (sha256, key) = (hex::lower(&derived.sha256), hex::lower(&derived.key));
    let parts = match (cipher.is_per_device(), cipher.is_ble()) {
        (false, false) => "ProductSecret , random",
        (true, false) => "DeviceSecret , random",
        (false, true) => "ProductSecret , mac , random",
        (true, true) => "DeviceSecret , mac , random",
    };
    let mut steps = Vec::from([ToolStep::new("parts", parts)]);
    // In the order in which they are hashed.
    let mac_hex = mac.filter(|_| cipher.is_ble()).map(|mac| hex::lower(&mac.0));
    let secret_hex = hex::lower(input.secret.as_bytes());
    let name = if cipher.is_per_device() { "DeviceSecret" } else { "ProductSecret" };
    steps.push(ToolStep::new(&["bytes of the ", name, " (ASCII)"].concat(), secret_hex));
    steps.push(ToolStep::new("comma", "2c"));
    if let Some(mac) = mac_hex {
        steps.push(ToolStep::new("MAC", mac));
        steps.push(ToolStep::new("second comma", "2c"));
    }
    steps.push(ToolStep::new("random", hex::lower(&random.0)));
    steps.extend([
        ToolStep::new("bytes", hex::lower(bytes.expose())),
        ToolStep::new("length", bytes.expose().len().to_string()),
        ToolStep::new("SHA-256", sha256.as_str()),
        ToolStep::new("AES-128 key", key.as_str()),
        ToolStep::new("/awss/cipher/get", key.to_ascii_uppercase()),
    ]);
    Ok(CipherOutput { sha256, key, steps })
}

//! A Wi-Fi password on its way to a device in an access-point mode (Alibaba), and back.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{ToolError, ToolStep};
use crate::hex;
use crate::platform::alibaba::cipher::{Random, awss_password, awss_password_decrypt};
use crate::secret::Secret;

/// What a password is encrypted with, or decrypted: one of `password` and `passwd`.
#[derive(serde::Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct WifiInput {
    /// AES-128, 32 hex characters: what `/awss/cipher/get` returns.
    pub key: String,
    /// 32 hex characters: the initialisation vector.
    pub random: String,
    /// As a person types it.
    #[serde(default)]
    pub password: Option<String>,
    /// Encrypted, hex.
    #[serde(default)]
    pub passwd: Option<String>,
}

/// The password in both forms.
#[derive(serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WifiOutput {
    /// As a person types it.
    pub password: String,
    /// Upper-case hex, as the device takes it.
    pub passwd: String,
    /// How.
    pub steps: Vec<ToolStep>,
}

/// AES-128-CBC, the random as initialisation vector, filled up with zeros to whole blocks.
pub fn wifi(input: &WifiInput) -> Result<WifiOutput, ToolError> {
    let key = hex::decode(&input.key).and_then(|key| <[u8; 16]>::try_from(key).ok());
    let key = key.ok_or_else(|| ToolError::new("key", "has to be 32 hex digits"))?;
    let random: Random = input.random.parse().map_err(|e| ToolError::new("random", e))?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (password, passwd) = match (given(&input.password), given(&input.passwd)) {
        (Some(_), Some(_)) => {
            return Err(ToolError::new("passwd", "must not be set together with password"));
        }
        (None, None) => return Err(ToolError::new("password", "is missing")),
        (Some(password), None) => {
            let passwd = awss_password(&key, random, &Secret::new(password.as_str()))
                .map_err(|_| ToolError::new("password", "has to be 1 to 256 bytes without NUL"))?;
            (password, passwd)
        }
        (None, Some(passwd)) => {
            let plain = awss_password_decrypt(&key, random, &passwd)
                .map_err(|e| ToolError::new("passwd", e))?;
            let password = core::str::from_utf8(plain.expose()).map(ToString::to_string);
            let wrong = "gives no text under this key and random";
            (password.map_err(|_| ToolError::new("passwd", wrong))?, passwd.to_ascii_uppercase())
        }
    };
    let mut padded = password.as_bytes().to_vec();
    padded.resize(passwd.len() / 2, 0);
    let steps = Vec::from([
        ToolStep::new("AES-128 key", hex::lower(&key)),
        ToolStep::new("IV = random", hex::lower(&random.0)),
        ToolStep::new("plain", hex::lower(password.as_bytes())),
        ToolStep::new("padded", hex::lower(&padded)),
        ToolStep::new("AES-128-CBC", passwd.as_str()),
    ]);
    Ok(WifiOutput { password, passwd, steps })
}

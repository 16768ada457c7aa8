//! `muster tool cipher`.

use muster::tool::{CipherInput, cipher};
use serde_json::json;

use super::{Answer, explained, refused};
use crate::exit::Exit;

/// Derive the AES-128 key that app and device use while the device is provisioned.
#[derive(Debug, clap::Args)]
pub(super) struct Cipher {
    /// 3 by product, 4 by device, 6 Bluetooth by product, 7 Bluetooth by device.
    #[arg(long = "type")]
    cipher: u32,
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
        let Self { cipher: r#type, secret, random, mac } = self;
        let key = cipher(&CipherInput { r#type, secret, random, mac }).map_err(refused)?;
        // The bytes begin with the secret itself, which is on the command line already and need not be on the screen.
        let steps: Vec<_> =
            key.steps.iter().filter(|step| !step.name.starts_with("bytes")).collect();
        let text = format!(
            "cipherType {} hashes its parts with one comma byte (2C) between them:\n\n{}\n\
             The AES-128 key is the first half of the hash.",
            r#type,
            explained(steps),
        );
        Ok(Answer { json: json!({ "sha256": key.sha256, "key": key.key }), text })
    }
}

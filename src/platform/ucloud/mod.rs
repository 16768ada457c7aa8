//! UCloud UIoT Core: dynamic and static registration, firmware updates, thing-model properties.
//!
//! # Registration, as the vendor's page "动态注册" has it (the seed document)
//!
//! A device that knows only its product's secret logs in to MQTT with ClientID `ProductSN.DeviceSN`, UserName
//! `ProductSN|DeviceSN|2` and the ProductSecret ("pre-authentication"). In that session it may do one thing: subscribe
//! to `/$system/P/D/password_reply` and publish `{"RequestID":"…"}` to `/$system/P/D/password`. The reply carries the
//! device's own password. With that it logs in as `ProductSN|DeviceSN|1`, which activates it. From then on dynamic
//! registration is closed for it until an operator resets it.
//!
//! # What the device does about it
//!
//! Store the secret, only then leave the first session, only then log in with it. A device that has a stored secret
//! never registers again on its own, whatever the cloud answers: a person decides that
//! ([`Intent::RegisterAgain`](crate::Intent::RegisterAgain)).
//!
//! # Settings
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `broker` | required | `mqtt://`, `mqtts://`, `ws://` or `wss://` URL |
//! | `product_sn` | required | ProductSN: 4–24 letters, digits, `-`, `_` (the vendor's have 16) |
//! | `product_secret` | – | ProductSecret; needed to register dynamically |
//! | `device_sn` | required | DeviceSN: 4–64 letters, digits, `-`, `_`, `@`, `:` |
//! | `device_secret` | – | the device's own secret, for static registration |
//! | `keep_alive` | 240 | seconds, 30–1200; the platform refuses any other |
//! | `firmware_version` | `1.0.0` | what runs now: 1–32 letters, digits, `.`, `-`, `_` |
//! | `module` | `default` | firmware module: 4–32 of the same characters |
//! | `firmware_max_size` | 10485760 | bytes; a larger image is not fetched |
//! | `reply_timeout_ms` | 10000 | 1000–600000: how long a reply is awaited |
//! | `request_retries` | 3 | 0–10: how often an unanswered request is repeated |
//! | `credential_retries` | 10 | 0–100: how often the connection may break during one registration before the device stops |
//!
//! A configured `device_secret` wins over a stored one, and nothing is registered or stored then. The one exception:
//! a secret that was registered on a person's demand (`RegisterAgain`) while this very `device_secret` was configured
//! has voided it, so the stored one is used. The stored value remembers which configured secret it replaced, by its
//! SHA-256.
//!
//! # Deliberately absent
//!
//! Sub-devices of gateways, event and command of the thing model on the device's side, the HTTP door (`/auth`,
//! `/topic/…`), and the older OTA bodies in lower case. `docs/protocols/ucloud.md` lists sources and assumptions.

#[cfg(feature = "cloud")]
pub(crate) mod cloud;
pub(crate) mod device;
pub(crate) mod wire;

use alloc::string::{String, ToString};

pub use wire::{AuthMode, Credentials, credentials};

use crate::error::ConfigError;
use crate::output::Identity;
use crate::platform::PlatformName;
use crate::secret::Secret;
use crate::settings::{Settings, problem};

/// The configuration of one device. See the [module](self) for the settings.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) broker: String,
    pub(crate) product_sn: String,
    pub(crate) product_secret: Option<Secret>,
    pub(crate) device_sn: String,
    pub(crate) device_secret: Option<Secret>,
    pub(crate) keep_alive: u16,
    pub(crate) firmware_version: String,
    pub(crate) module: String,
    pub(crate) firmware_max_size: u64,
    pub(crate) reply_timeout_ms: u64,
    pub(crate) request_retries: u32,
    pub(crate) credential_retries: u32,
}

impl Config {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut reader = settings.reader();
        let config = Self {
            broker: reader.url("broker", &["mqtt", "mqtts", "ws", "wss"], None)?,
            product_sn: reader.required("product_sn")?.to_string(),
            product_secret: reader.secret("product_secret"),
            device_sn: reader.required("device_sn")?.to_string(),
            device_secret: reader.secret("device_secret"),
            keep_alive: small(reader.number("keep_alive", 30..=1200, 240)?),
            firmware_version: reader.text("firmware_version", "1.0.0"),
            module: reader.text("module", wire::DEFAULT_MODULE),
            firmware_max_size: reader.number(
                "firmware_max_size",
                1..=1 << 32,
                wire::MAX_FIRMWARE,
            )?,
            reply_timeout_ms: reader.number("reply_timeout_ms", 1_000..=600_000, 10_000)?,
            request_retries: u32::from(small(reader.number("request_retries", 0..=10, 3)?)),
            credential_retries: u32::from(small(reader.number(
                "credential_retries",
                0..=100,
                10,
            )?)),
        };
        reader.finish()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !wire::is_product_sn(&self.product_sn) {
            return Err(problem("product_sn", "has to be 4 to 24 letters, digits, `-` or `_`"));
        }
        if !wire::is_device_sn(&self.device_sn) {
            let shape = "has to be 4 to 64 letters, digits, `-`, `_`, `@` or `:`";
            return Err(problem("device_sn", shape));
        }
        for (key, secret) in
            [("product_secret", &self.product_secret), ("device_secret", &self.device_secret)]
        {
            if secret.as_ref().is_some_and(|secret| !wire::is_secret(secret.expose())) {
                return Err(problem(key, "has to be 1 to 64 printable ASCII characters"));
            }
        }
        if !wire::is_version(&self.firmware_version) {
            let shape = "has to be 1 to 32 letters, digits, `.`, `-` or `_`";
            return Err(problem("firmware_version", shape));
        }
        if !wire::is_module(&self.module) {
            return Err(problem("module", "has to be 4 to 32 letters, digits, `.`, `-` or `_`"));
        }
        Ok(())
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_sn, &self.device_sn)
    }

    fn identity(&self) -> Identity {
        Identity {
            platform: PlatformName::Ucloud,
            product: self.product_sn.clone(),
            device: self.device_sn.clone(),
        }
    }

    fn topic(&self, name: &str) -> String {
        wire::system_topic(&self.product_sn, &self.device_sn, name)
    }
}

/// The reader has checked the range already.
fn small(n: u64) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

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

use crate::output::Identity;
use crate::platform::PlatformName;
use crate::secret::Secret;
use crate::settings::{Reader, Shape};

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
    pub(crate) fn read(s: &mut Reader<'_>) -> Self {
        Self {
            broker: s.broker(),
            product_sn: s.shaped("product_sn", None, PRODUCT_SN).to_string(),
            product_secret: s.secret("product_secret", SECRET),
            device_sn: s.shaped("device_sn", None, DEVICE_SN).to_string(),
            device_secret: s.secret("device_secret", SECRET),
            keep_alive: s.number("keep_alive", 30, 1200, 240) as u16,
            firmware_version: s.shaped("firmware_version", Some("1.0.0"), VERSION).to_string(),
            module: s.shaped("module", Some(wire::DEFAULT_MODULE), MODULE).to_string(),
            firmware_max_size: s.number("firmware_max_size", 1, 1 << 32, wire::MAX_FIRMWARE),
            reply_timeout_ms: s.number("reply_timeout_ms", 1_000, 600_000, 10_000),
            request_retries: s.number("request_retries", 0, 10, 3) as u32,
            credential_retries: s.number("credential_retries", 0, 100, 10) as u32,
        }
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_sn, &self.device_sn)
    }

    pub(crate) fn reach(&self) -> crate::Reach<'_> {
        crate::Reach {
            broker: Some(&self.broker),
            http: None,
            topics: &["/$system/{product}/{device}/#"],
            store: &[crate::StoreKey::Credential, crate::StoreKey::Firmware],
            // UFile, whose hosts are named for bucket and region.
            firmware_hosts: &["*.ufileos.com", "*.ucloud.cn"],
            firmware_max_size: Some(self.firmware_max_size),
        }
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

const PRODUCT_SN: Shape = (wire::is_product_sn, "has to be 4 to 24 letters, digits, `-` or `_`");
const DEVICE_SN: Shape =
    (wire::is_device_sn, "has to be 4 to 64 letters, digits, `-`, `_`, `@` or `:`");
const SECRET: Shape = (wire::is_secret, "has to be 1 to 64 printable ASCII characters");
const VERSION: Shape = (wire::is_version, "has to be 1 to 32 letters, digits, `.`, `-` or `_`");
const MODULE: Shape = (wire::is_module, "has to be 4 to 32 letters, digits, `.`, `-` or `_`");

//! The settings of a krtyun device.

use alloc::string::String;

use super::wire::{self, Assumed, Topic};
use crate::secret::Secret;
use crate::settings::{Reader, Shape};
use crate::time::Millis;

/// Where a device reports no period of its own: once an hour.
const REPORT_INTERVAL_S: u64 = 3_600;
/// Images are refused beyond this, unless the settings say otherwise.
const FIRMWARE_MAX_SIZE: u64 = 64 * 1024 * 1024;

/// What one device is, and how it behaves. See `docs/protocols/krtyun.md` for the keys.
///
/// | key | meaning | default |
/// | --- | --- | --- |
/// | `broker` | `mqtt://`, `mqtts://`, `ws://` or `wss://` | |
/// | `product_id`, `device_id` | who it is | |
/// | `product_secret` | for registration | |
/// | `device_secret` | its own secret, where it is known: no registration, and it beats a stored one | |
/// | `hardware_version`, `firmware_version` | as reported | `1.0.0` |
/// | `report_interval_s` | seconds between reports; 0: only after a login | 3600 |
/// | `keep_alive` | MQTT keep alive in seconds | 60 |
/// | `firmware_max_size` | bytes | 64 MiB |
/// | `firmware_sha256` | the only image to accept | |
/// | `reply_timeout_ms`, `request_retries` | waiting for an answer | 10000, 3 |
/// | `register.match_id` | only an issue with our `ID` counts (assumed) | true |
/// | `register.match_cmd` | only an issue with the table's `CMD` counts (assumed) | true |
/// | `cmd.…`, `key.…`, `back.refused` | the table of assumed names | see `docs/protocols/krtyun.md` |
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) broker: String,
    pub(super) product_id: String,
    pub(super) device_id: String,
    /// Absent only if `device_secret` is there.
    pub(super) product_secret: Option<Secret>,
    pub(super) device_secret: Option<Secret>,
    pub(super) hardware_version: String,
    pub(super) firmware_version: String,
    /// 0: only after a login.
    pub(super) report_interval_s: u64,
    pub(super) keep_alive: u16,
    pub(super) firmware_max_size: u64,
    /// Or nothing.
    pub(super) firmware_sha256: String,
    pub(super) reply_timeout: Millis,
    pub(super) request_retries: u32,
    pub(super) match_id: bool,
    pub(super) match_cmd: bool,
    pub(super) assumed: Assumed,
    pub(super) topics: Topics,
}

/// The four topics of this device.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    pub(super) register_post: String,
    pub(super) register_set: String,
    pub(super) ota_post: String,
    pub(super) ota_set: String,
}

impl Config {
    pub(crate) fn read(s: &mut Reader<'_>) -> Self {
        let product_id = s.shaped("product_id", None, NAME);
        let device_id = s.shaped("device_id", None, NAME);
        let device_secret = s.secret("device_secret", SECRET);
        let product_secret = s.secret("product_secret", SECRET);
        if device_secret.is_none() && product_secret.is_none() {
            s.fail("product_secret", "is missing; it may be absent only if device_secret is set");
        }
        Self {
            broker: s.broker(),
            product_id: product_id.into(),
            device_id: device_id.into(),
            product_secret,
            device_secret,
            hardware_version: s.shaped("hardware_version", Some("1.0.0"), VERSION).into(),
            firmware_version: s.shaped("firmware_version", Some("1.0.0"), VERSION).into(),
            report_interval_s: s.number("report_interval_s", 0, 31_536_000, REPORT_INTERVAL_S),
            keep_alive: s.number("keep_alive", 0, u16::MAX.into(), 60) as u16,
            firmware_max_size: s.number("firmware_max_size", 1, 1 << 40, FIRMWARE_MAX_SIZE),
            firmware_sha256: digest(s),
            reply_timeout: Millis(s.number("reply_timeout_ms", 100, 600_000, 10_000)),
            request_retries: s.number("request_retries", 0, 20, 3) as u32,
            match_id: s.flag("register.match_id", true),
            match_cmd: s.flag("register.match_cmd", true),
            assumed: assumed(s),
            topics: Topics {
                register_post: Topic::RegisterPost.of(product_id, device_id),
                register_set: Topic::RegisterSet.of(product_id, device_id),
                ota_post: Topic::OtaPost.of(product_id, device_id),
                ota_set: Topic::OtaSet.of(product_id, device_id),
            },
        }
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_id, &self.device_id)
    }

    pub(crate) fn reach(&self) -> crate::Reach<'_> {
        crate::Reach {
            broker: Some(&self.broker),
            http: None,
            topics: &["/sys/{product}/{device}/thing/#"],
            store: &[crate::StoreKey::Credential, crate::StoreKey::Firmware],
            firmware_hosts: &[],
            firmware_max_size: Some(self.firmware_max_size),
        }
    }
}

/// An id stands in topics, so it has to be one level of one.
const NAME: Shape = (wire::is_name, wire::NAME_RULE);
const SECRET: Shape = (wire::is_secret, wire::SECRET_RULE);
const VERSION: Shape = (wire::is_version, wire::VERSION_RULE);

fn digest(s: &mut Reader<'_>) -> String {
    let is_digest = |hex: &str| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let hex = s.shaped("firmware_sha256", Some(""), (is_digest, "has to be 64 hex digits"));
    hex.to_ascii_lowercase()
}

fn assumed(s: &mut Reader<'_>) -> Assumed {
    let mut table = Assumed::default();
    for key in Assumed::KEYS {
        if let Some(value) = s.optional(key)
            && let Err(why) = table.set(key, value)
        {
            s.fail(key, why);
        }
    }
    table
}

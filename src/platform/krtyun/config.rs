//! The settings of a krtyun device.

use alloc::string::{String, ToString};
use core::time::Duration;

use super::wire::{self, Assumed, Topic};
use crate::error::ConfigError;
use crate::secret::Secret;
use crate::settings::{Reader, Settings, problem};

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
    /// `None`: only after a login.
    pub(super) report_interval: Option<Duration>,
    pub(super) keep_alive: u16,
    pub(super) firmware_max_size: u64,
    pub(super) firmware_sha256: Option<String>,
    pub(super) reply_timeout: Duration,
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
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut s = settings.reader();
        let product_id = name(&mut s, "product_id")?;
        let device_id = name(&mut s, "device_id")?;
        let device_secret = usable_secret(&mut s, "device_secret")?;
        let product_secret = usable_secret(&mut s, "product_secret")?;
        if device_secret.is_none() && product_secret.is_none() {
            return Err(problem(
                "product_secret",
                "is missing; it may be absent only if device_secret is set",
            ));
        }
        let topics = Topics {
            register_post: Topic::RegisterPost.of(&product_id, &device_id),
            register_set: Topic::RegisterSet.of(&product_id, &device_id),
            ota_post: Topic::OtaPost.of(&product_id, &device_id),
            ota_set: Topic::OtaSet.of(&product_id, &device_id),
        };
        let config = Self {
            broker: s.url("broker", &["mqtt", "mqtts", "ws", "wss"], None)?,
            product_id,
            device_id,
            product_secret,
            device_secret,
            hardware_version: version(&mut s, "hardware_version")?,
            firmware_version: version(&mut s, "firmware_version")?,
            report_interval: match s.number(
                "report_interval_s",
                0..=31_536_000,
                REPORT_INTERVAL_S,
            )? {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
            keep_alive: number(&mut s, "keep_alive", 0, u16::MAX, 60)?,
            firmware_max_size: s.number("firmware_max_size", 1..=1 << 40, FIRMWARE_MAX_SIZE)?,
            firmware_sha256: digest(&mut s)?,
            reply_timeout: Duration::from_millis(s.number(
                "reply_timeout_ms",
                100..=600_000,
                10_000,
            )?),
            request_retries: number(&mut s, "request_retries", 0, 20, 3)?,
            match_id: s.flag("register.match_id", true)?,
            match_cmd: s.flag("register.match_cmd", true)?,
            assumed: assumed(&mut s)?,
            topics,
        };
        s.finish()?;
        Ok(config)
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_id, &self.device_id)
    }
}

/// An id stands in topics, so it has to be one level of one.
fn name(s: &mut Reader<'_>, key: &'static str) -> Result<String, ConfigError> {
    let text = s.required(key)?;
    if wire::is_name(text) { Ok(text.to_string()) } else { Err(problem(key, wire::NAME_RULE)) }
}

fn usable_secret(s: &mut Reader<'_>, key: &'static str) -> Result<Option<Secret>, ConfigError> {
    match s.optional(key) {
        None => Ok(None),
        Some(text) if wire::is_secret(text) => Ok(Some(Secret::from(text))),
        Some(_) => Err(problem(key, wire::SECRET_RULE)),
    }
}

fn version(s: &mut Reader<'_>, key: &'static str) -> Result<String, ConfigError> {
    let text = s.text(key, "1.0.0");
    if wire::is_version(&text) { Ok(text) } else { Err(problem(key, wire::VERSION_RULE)) }
}

fn number<T: TryFrom<u64> + Into<u64>>(
    s: &mut Reader<'_>,
    key: &'static str,
    low: T,
    high: T,
    default: u64,
) -> Result<T, ConfigError> {
    let value = s.number(key, low.into()..=high.into(), default)?;
    T::try_from(value).map_err(|_| problem(key, "is out of range"))
}

fn digest(s: &mut Reader<'_>) -> Result<Option<String>, ConfigError> {
    match s.optional("firmware_sha256") {
        None => Ok(None),
        Some(hex) if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Ok(Some(hex.to_ascii_lowercase()))
        }
        Some(_) => Err(problem("firmware_sha256", "has to be 64 hex digits")),
    }
}

fn assumed(s: &mut Reader<'_>) -> Result<Assumed, ConfigError> {
    let mut table = Assumed::default();
    for key in Assumed::KEYS {
        if let Some(value) = s.optional(key) {
            table.set(key, value).map_err(|why| problem(key, why))?;
        }
    }
    Ok(table)
}

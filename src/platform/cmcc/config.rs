//! Settings of one device, read into types once.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::cmei::Cmei;
use super::imei::Imei;
use super::ip::is_ip;
use super::{PRODUCTION, TEST};
use crate::error::ConfigError;
use crate::num;
use crate::secret::Secret;
use crate::settings::{Reader, Settings, problem};

/// The configuration of one device. The setting keys are the field names, unless a field says otherwise.
#[derive(Clone, Debug)]
pub struct Config {
    /// From `environment` or `base_url`; no slash at its end.
    pub(super) base_url: String,
    pub(super) product_id: String,
    pub(super) product_key: Secret,
    pub(super) device_no_type: DeviceNoType,
    pub(super) device_no: String,
    /// `device_no_from` is `product_id`.
    pub(super) product_id_is_number: bool,
    pub(super) params: Params,
    /// An IMEI among the settings fails its check digit.
    pub(super) odd_imei: bool,
    pub(super) strategy: Strategy,
    /// `interval_s`
    pub(super) interval_ms: u64,
    /// `jitter_s`
    pub(super) jitter_ms: u64,
    /// `limit_s`
    pub(super) limit_ms: u64,
    /// `reply_timeout_ms`
    pub(super) reply_timeout: Duration,
    pub(super) request_retries: u32,
}

/// `deviceNoType`: what kind of number names the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceNoType {
    /// The maker's serial number.
    Sn,
    /// IMEI, of a cellular product.
    Imei,
    /// CMEI, of any other product.
    Cmei,
}

impl DeviceNoType {
    /// As the protocol writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sn => "SN",
            Self::Imei => "IMEI",
            Self::Cmei => "CMEI",
        }
    }

    /// From the protocol's spelling, upper case as there.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sn, Self::Imei, Self::Cmei].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// When to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The document's strategy 2: an interval with a random offset.
    Interval,
    /// The document's strategy 1: at the first use of a day, which the host tells by
    /// [`Intent::Use`](crate::Intent::Use).
    Daily,
}

/// `params` of a report: every key is always sent.
#[derive(Clone, Debug)]
pub(super) struct Params {
    pub(super) inner_ip: Vec<String>,
    pub(super) net_speed: String,
    pub(super) net_type: String,
    pub(super) platform: String,
    pub(super) sdk_version: String,
    pub(super) firmware_version: String,
    pub(super) imei: String,
    pub(super) cmei: String,
    pub(super) mac: String,
}

#[derive(Clone, Copy)]
enum Environment {
    Production,
    Test,
    Local,
}

impl Config {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut s = settings.reader();
        let base_url = base_url(&mut s)?;
        let product_id = product_id(&mut s)?;
        let product_key = s.secret("product_key").ok_or_else(|| {
            problem("product_key", "is missing: the platform shows it beside the product id")
        })?;
        let device_no_type = s.choice(
            "device_no_type",
            &[("SN", DeviceNoType::Sn), ("IMEI", DeviceNoType::Imei), ("CMEI", DeviceNoType::Cmei)],
        )?;
        let (device_no, product_id_is_number) = device_no(&mut s, device_no_type, &product_id)?;
        let (params, odd_imei) = params(&mut s, device_no_type, &device_no)?;
        let strategy = s.choice(
            "strategy",
            &[
                ("interval", Strategy::Interval),
                ("2", Strategy::Interval),
                ("daily", Strategy::Daily),
                ("1", Strategy::Daily),
            ],
        )?;
        let limit_ms = s.number("limit_s", 10..=86_400, 86_400)? * 1_000;
        let interval_ms = s.number("interval_s", 1..=86_400, 43_200)? * 1_000;
        let jitter_ms = s.number("jitter_s", 0..=43_200, 900)? * 1_000;
        let config = Self {
            base_url,
            product_id,
            product_key,
            device_no_type,
            device_no,
            product_id_is_number,
            params,
            odd_imei,
            strategy,
            interval_ms,
            jitter_ms,
            limit_ms,
            reply_timeout: Duration::from_millis(s.number(
                "reply_timeout_ms",
                100..=600_000,
                15_000,
            )?),
            request_retries: u32::try_from(s.number("request_retries", 0..=100, 3)?).unwrap_or(3),
        };
        if jitter_ms > interval_ms {
            return Err(problem("jitter_s", "has to be at most interval_s"));
        }
        if strategy == Strategy::Interval && interval_ms + jitter_ms > limit_ms - config.guard_ms()
        {
            return Err(problem(
                "interval_s",
                "and jitter_s together have to leave a 48th of limit_s (half an hour of a day) for retries",
            ));
        }
        s.finish()?;
        Ok(config)
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_id, &self.device_no)
    }

    /// The time before the limit that is left for retries.
    pub(super) fn guard_ms(&self) -> u64 {
        self.limit_ms / 48
    }
}

fn base_url(s: &mut Reader<'_>) -> Result<String, ConfigError> {
    let environment = s.choice(
        "environment",
        &[
            ("production", Environment::Production),
            ("test", Environment::Test),
            ("local", Environment::Local),
        ],
    )?;
    let preset = match environment {
        Environment::Production => Some(PRODUCTION),
        Environment::Test => Some(TEST),
        Environment::Local => None,
    };
    if preset.is_none() && s.optional("base_url").is_none() {
        return Err(problem("base_url", "is missing: environment local has no preset"));
    }
    let url = s.url("base_url", &["https", "http"], preset)?;
    if url.contains(['?', '#']) {
        return Err(problem("base_url", "must have neither query nor fragment"));
    }
    Ok(url.trim_end_matches('/').to_string())
}

fn product_id(s: &mut Reader<'_>) -> Result<String, ConfigError> {
    let id = s.required("product_id")?;
    if id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(id.to_string())
    } else {
        Err(problem(
            "product_id",
            "has to be up to 64 letters and digits, as the platform shows it",
        ))
    }
}

/// The device number, and whether it is the product id (the document's Q&A 4, second way). A number looked up by an
/// account (the first way) is a `device_no` like any other.
fn device_no(
    s: &mut Reader<'_>,
    kind: DeviceNoType,
    product_id: &str,
) -> Result<(String, bool), ConfigError> {
    let given = s.optional("device_no");
    match (s.optional("device_no_from"), given) {
        (None | Some("setting"), Some(number)) => {
            check_number(kind, number).map_err(|what| problem("device_no", &what))?;
            Ok((number.to_string(), false))
        }
        (None | Some("setting"), None) => Err(problem(
            "device_no",
            "is missing; a device that cannot read its own may set device_no_from=product_id, which the vendor does \
             not recommend",
        )),
        (Some("product_id"), None) if kind == DeviceNoType::Sn => {
            Ok((product_id.to_string(), true))
        }
        (Some("product_id"), None) => {
            Err(problem("device_no_type", "has to be SN if the product id is the device number"))
        }
        (Some("product_id"), Some(_)) => {
            Err(problem("device_no", "must not be set together with device_no_from=product_id"))
        }
        (Some(_), _) => Err(problem("device_no_from", "has to be setting or product_id")),
    }
}

/// Whether `number` can be a number of this kind; shared with the cloud's import.
pub(super) fn check_number(kind: DeviceNoType, number: &str) -> Result<(), String> {
    match kind {
        DeviceNoType::Sn => {
            let good = !number.is_empty()
                && num::characters(number) <= 64
                && !number.chars().any(|c| c.is_control() || c.is_whitespace());
            if good {
                Ok(())
            } else {
                Err("has to be 1 to 64 characters without white space".to_string())
            }
        }
        DeviceNoType::Imei => Imei::parse(number).map(|_| ()).map_err(|error| error.text()),
        DeviceNoType::Cmei => Cmei::parse(number).map(|_| ()).map_err(|error| error.text()),
    }
}

fn params(
    s: &mut Reader<'_>,
    kind: DeviceNoType,
    device_no: &str,
) -> Result<(Params, bool), ConfigError> {
    let cellular = s.flag("cellular", false)?;
    // A device whose number is its IMEI or CMEI knows it.
    let own = |wanted: DeviceNoType| (kind == wanted).then_some(device_no);
    let imei = s.raw("imei").or_else(|| own(DeviceNoType::Imei));
    let cmei = s.raw("cmei").or_else(|| own(DeviceNoType::Cmei));
    if cellular && imei.is_none() {
        return Err(problem(
            "imei",
            "has to be set for a cellular product (set it to nothing if it cannot be read)",
        ));
    }
    if !cellular && cmei.is_none() {
        return Err(problem(
            "cmei",
            "has to be set for a product that is not cellular (set it to nothing if it cannot be read)",
        ));
    }
    let (imei, cmei) = (imei.unwrap_or_default(), cmei.unwrap_or_default());
    let mut odd_imei = false;
    if !imei.is_empty() {
        let parsed = Imei::parse(imei).map_err(|error| problem("imei", &error.text()))?;
        odd_imei = !parsed.check_digit_fits();
    }
    Cmei::parse_reported(cmei).map_err(|error| problem("cmei", &error.text()))?;
    if kind == DeviceNoType::Imei && !odd_imei {
        odd_imei = Imei::parse(device_no).is_ok_and(|imei| !imei.check_digit_fits());
    }
    let mac = s.raw("mac").unwrap_or_default();
    let params = Params {
        inner_ip: inner_ip(s)?,
        net_speed: param(s, "net_speed", "0Mbps")?,
        net_type: param(s, "net_type", if cellular { "5G" } else { "wifi" })?,
        platform: param(s, "os", "RTOS")?,
        sdk_version: param(s, "sdk_version", "ai_http_1.0")?,
        firmware_version: param(s, "firmware_version", "1.0.0")?,
        imei: imei.to_string(),
        cmei: cmei.to_string(),
        mac: dashed_mac(mac).ok_or_else(|| {
            problem("mac", "has to be six bytes in hex, such as 50-5A-65-51-82-13, or nothing")
        })?,
    };
    if !params.sdk_version.starts_with("ai_") {
        return Err(problem("sdk_version", "has to begin with ai_"));
    }
    Ok((params, odd_imei))
}

fn param(s: &mut Reader<'_>, key: &'static str, default: &str) -> Result<String, ConfigError> {
    let text = s.text(key, default);
    if num::characters(&text) <= 64 && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(problem(key, "has to be at most 64 printable characters"))
    }
}

/// At most this many addresses are reported.
pub(super) const MAX_ADDRESSES: usize = 16;

fn inner_ip(s: &mut Reader<'_>) -> Result<Vec<String>, ConfigError> {
    // The document's own value for "cannot be read".
    let list = s.optional("inner_ip").unwrap_or("127.0.0.1");
    let addresses: Vec<String> = list.split(',').map(|ip| ip.trim().to_string()).collect();
    if addresses.len() <= MAX_ADDRESSES && addresses.iter().all(|ip| is_ip(ip)) {
        Ok(addresses)
    } else {
        Err(problem("inner_ip", "has to be up to 16 IP addresses with commas between them"))
    }
}

/// `xx-xx-xx-xx-xx-xx` in upper case from `:` or `-` or no separator; `None` if it is no MAC address.
fn dashed_mac(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let separator = text.chars().find(|c| matches!(c, ':' | '-'));
    let bytes: Vec<&str> = match separator {
        Some(separator) => text.split(separator).collect(),
        None => (0..6).map(|i| text.get(2 * i..2 * i + 2)).collect::<Option<_>>()?,
    };
    let hex = |byte: &&str| byte.len() == 2 && byte.bytes().all(|b| b.is_ascii_hexdigit());
    let length = if separator.is_some() { 17 } else { 12 };
    let good = bytes.len() == 6 && text.len() == length && bytes.iter().all(hex);
    good.then(|| bytes.join("-").to_ascii_uppercase())
}

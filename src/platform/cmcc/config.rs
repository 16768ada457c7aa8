//! Settings of one device, read into types once.

use alloc::string::{String, ToString};

use super::ip::is_ip;
use super::{PRODUCTION, TEST, cmei, imei};
use crate::num;
use crate::secret::Secret;
use crate::settings::{Reader, Shape};
use crate::time::Millis;

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
    pub(super) reply_timeout: Millis,
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
    const ALL: [Self; 3] = [Self::Sn, Self::Imei, Self::Cmei];

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
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
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
    /// A JSON array.
    pub(super) inner_ip: String,
    pub(super) net_speed: String,
    pub(super) net_type: String,
    pub(super) platform: String,
    pub(super) sdk_version: String,
    pub(super) firmware_version: String,
    pub(super) imei: String,
    pub(super) cmei: String,
    pub(super) mac: String,
}

impl Config {
    pub(crate) fn read(s: &mut Reader<'_>) -> Self {
        let base_url = base_url(s);
        let product_id = s.shaped("product_id", None, PRODUCT_ID);
        let product_key = s.secret("product_key", ANYTHING).unwrap_or_else(|| {
            s.fail("product_key", "is missing: the platform shows it beside the product id");
            Secret::default()
        });
        let device_no_type = match s.choice("device_no_type", &["SN", "IMEI", "CMEI"]) {
            0 => DeviceNoType::Sn,
            1 => DeviceNoType::Imei,
            _ => DeviceNoType::Cmei,
        };
        let (device_no, product_id_is_number) = device_no(s, device_no_type, product_id);
        let (params, odd_imei) = params(s, device_no_type, device_no);
        let strategy = match s.choice("strategy", &["interval", "2", "daily", "1"]) {
            0 | 1 => Strategy::Interval,
            _ => Strategy::Daily,
        };
        let config = Self {
            base_url,
            product_id: product_id.into(),
            product_key,
            device_no_type,
            device_no: device_no.into(),
            product_id_is_number,
            params,
            odd_imei,
            strategy,
            limit_ms: s.number("limit_s", 10, 86_400, 86_400) * 1_000,
            interval_ms: s.number("interval_s", 1, 86_400, 43_200) * 1_000,
            jitter_ms: s.number("jitter_s", 0, 43_200, 900) * 1_000,
            reply_timeout: Millis(s.number("reply_timeout_ms", 100, 600_000, 15_000)),
            request_retries: s.number("request_retries", 0, 100, 3) as u32,
        };
        let (interval, jitter) = (config.interval_ms, config.jitter_ms);
        if jitter > interval {
            s.fail("jitter_s", "has to be at most interval_s");
        }
        if strategy == Strategy::Interval && interval + jitter > config.limit_ms - config.guard_ms()
        {
            s.fail(
                "interval_s",
                "and jitter_s together have to leave a 48th of limit_s (half an hour of a day) for retries",
            );
        }
        config
    }

    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.product_id, &self.device_no)
    }

    pub(crate) fn reach(&self) -> crate::Reach<'_> {
        crate::Reach {
            broker: None,
            http: Some(&self.base_url),
            topics: &[],
            store: &[crate::StoreKey::Credential, crate::StoreKey::Schedule],
            firmware_hosts: &[],
            firmware_max_size: None,
        }
    }

    /// The time before the limit that is left for retries.
    pub(super) fn guard_ms(&self) -> u64 {
        self.limit_ms / 48
    }
}

const ANYTHING: Shape = (|_| true, "");
const PRODUCT_ID: Shape = (
    |id| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    "has to be up to 64 letters and digits, as the platform shows it",
);

fn base_url(s: &mut Reader<'_>) -> String {
    let environment = s.choice("environment", &["production", "test", "local"]);
    let preset = [PRODUCTION, TEST].get(environment).copied();
    if preset.is_none() && s.optional("base_url").is_none() {
        s.fail("base_url", "is missing: environment local has no preset");
    }
    let url = s.base_url("base_url", &["https", "http"], preset);
    if url.bytes().any(|byte| matches!(byte, b'?' | b'#')) {
        s.fail("base_url", "must have neither query nor fragment");
    }
    url
}

/// The device number, and whether it is the product id (the document's Q&A 4, second way). A number looked up by an
/// account (the first way) is a `device_no` like any other.
fn device_no<'a>(s: &mut Reader<'a>, kind: DeviceNoType, product_id: &'a str) -> (&'a str, bool) {
    let given = s.optional("device_no");
    let from = s.choice("device_no_from", &["setting", "product_id"]);
    match (from, given) {
        (0, Some(number)) => {
            if let Err(what) = check_number(kind, number) {
                s.fail("device_no", &what);
            }
            return (number, false);
        }
        (0, None) => s.fail(
            "device_no",
            "is missing; a device that cannot read its own may set device_no_from=product_id, which the vendor does \
             not recommend",
        ),
        (_, Some(_)) => {
            s.fail("device_no", "must not be set together with device_no_from=product_id");
        }
        (_, None) if kind != DeviceNoType::Sn => {
            s.fail("device_no_type", "has to be SN if the product id is the device number");
        }
        _ => {}
    }
    (product_id, true)
}

/// `char::is_whitespace`, which brings a table, without those that are control characters.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Whether `number` can be a number of this kind; shared with the cloud's import.
pub(super) fn check_number(kind: DeviceNoType, number: &str) -> Result<(), String> {
    let name = match kind {
        DeviceNoType::Sn => {
            let good = !number.is_empty()
                && num::characters(number) <= 64
                && !number.chars().any(|c| c.is_control() || is_space(c));
            let rule = "has to be 1 to 64 characters without white space";
            return if good { Ok(()) } else { Err(rule.to_string()) };
        }
        DeviceNoType::Imei => imei::NAME,
        DeviceNoType::Cmei => cmei::NAME,
    };
    match imei::digits(number) {
        Err(shape) => Err(shape.text(name)),
        Ok(()) if kind == DeviceNoType::Cmei && !number.starts_with("11") => {
            Err(cmei::PREFIX.to_string())
        }
        Ok(()) => Ok(()),
    }
}

fn params(s: &mut Reader<'_>, kind: DeviceNoType, device_no: &str) -> (Params, bool) {
    let cellular = s.flag("cellular", false);
    // A device whose number is its IMEI or CMEI knows it.
    let own = |wanted: DeviceNoType| (kind == wanted).then_some(device_no);
    let imei = s.raw("imei").or_else(|| own(DeviceNoType::Imei));
    let cmei = s.raw("cmei").or_else(|| own(DeviceNoType::Cmei));
    if cellular && imei.is_none() {
        s.fail(
            "imei",
            "has to be set for a cellular product (set it to nothing if it cannot be read)",
        );
    }
    if !cellular && cmei.is_none() {
        s.fail(
            "cmei",
            "has to be set for a product that is not cellular (set it to nothing if it cannot be read)",
        );
    }
    let (imei, cmei) = (imei.unwrap_or_default(), cmei.unwrap_or_default());
    if !imei.is_empty()
        && let Err(what) = check_number(DeviceNoType::Imei, imei)
    {
        s.fail("imei", &what);
    }
    if !cmei.is_empty()
        && let Err(what) = check_number(DeviceNoType::Cmei, cmei)
    {
        s.fail("cmei", &what);
    }
    let odd = |imei: &str| {
        let computed = imei::check_digit(imei.get(..imei::DIGITS - 1).unwrap_or_default());
        computed != imei.bytes().last().map(|byte| byte.wrapping_sub(b'0'))
    };
    let odd_imei = odd(imei) || own(DeviceNoType::Imei).is_some_and(odd);
    let mac = dashed_mac(s.raw("mac").unwrap_or_default());
    if mac.is_none() {
        let rule = "has to be six bytes in hex, such as 50-5A-65-51-82-13, or nothing";
        s.fail("mac", rule);
    }
    let params = Params {
        inner_ip: inner_ip(s),
        net_speed: param(s, "net_speed", "0Mbps"),
        net_type: param(s, "net_type", if cellular { "5G" } else { "wifi" }),
        platform: param(s, "os", "RTOS"),
        sdk_version: param(s, "sdk_version", "ai_http_1.0"),
        firmware_version: param(s, "firmware_version", "1.0.0"),
        imei: imei.to_string(),
        cmei: cmei.to_string(),
        mac: mac.unwrap_or_default(),
    };
    if !params.sdk_version.starts_with("ai_") {
        s.fail("sdk_version", "has to begin with ai_");
    }
    (params, odd_imei)
}

#[inline(never)]
fn param(s: &mut Reader<'_>, key: &'static str, default: &str) -> String {
    let good = |text: &str| num::characters(text) <= 64 && !text.chars().any(char::is_control);
    s.shaped(key, Some(default), (good, "has to be at most 64 printable characters")).to_string()
}

/// At most this many addresses are reported.
pub(super) const MAX_ADDRESSES: usize = 16;

/// As the JSON array that is reported.
fn inner_ip(s: &mut Reader<'_>) -> String {
    // The document's own value for "cannot be read".
    let list = s.optional("inner_ip").unwrap_or("127.0.0.1");
    let (mut json, mut count) = (String::from("["), 0);
    let mut rest = list;
    loop {
        let end = rest.bytes().position(|byte| byte == b',').unwrap_or(rest.len());
        let ip = rest.get(..end).unwrap_or_default().trim_ascii();
        count += 1;
        if count > MAX_ADDRESSES || !is_ip(ip) {
            s.fail("inner_ip", "has to be up to 16 IP addresses with commas between them");
        }
        json.push('"');
        json.push_str(ip);
        json.push('"');
        match rest.get(end + 1..) {
            Some(behind) => rest = behind,
            None => break,
        }
        json.push(',');
    }
    json.push(']');
    json
}

/// `xx-xx-xx-xx-xx-xx` in upper case from `:` or `-` or no separator; `None` if it is no MAC address.
fn dashed_mac(text: &str) -> Option<String> {
    let separator = text.bytes().find(|byte| matches!(byte, b':' | b'-'));
    let (width, length) = if separator.is_some() { (3, 17) } else { (2, 12) };
    if text.is_empty() {
        return Some(String::new());
    }
    if text.len() != length {
        return None;
    }
    let mut out = String::new();
    for (at, byte) in text.bytes().enumerate() {
        if at > 0 && at % width == 0 {
            out.push('-');
        }
        if byte.is_ascii_hexdigit() && at % width < 2 {
            out.push(char::from(byte.to_ascii_uppercase()));
        } else if Some(byte) != separator || at % width < 2 {
            return None;
        }
    }
    Some(out)
}

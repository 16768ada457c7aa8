//! Names, topics and bodies, for both sides. Sources: the seed document for registration; the vendor's pages
//! `topic.md`, `thingmode/*.md` and `ota.md` and its C SDK for the rest.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Error, PeerMisbehaved};
use crate::json::{Document, Object, Value};
use crate::num;
use crate::secret::Secret;

pub(crate) const PASSWORD: &str = "password";
pub(crate) const PASSWORD_REPLY: &str = "password_reply";
pub(crate) const OTA_UP: &str = "ota/upstream";
pub(crate) const OTA_DOWN: &str = "ota/downstream";
pub(crate) const POST: &str = "tmodel/property/post";
pub(crate) const POST_REPLY: &str = "tmodel/property/post_reply";
pub(crate) const SET: &str = "tmodel/property/set";
pub(crate) const SET_REPLY: &str = "tmodel/property/set_reply";

/// The module that counts where none is named.
pub(crate) const DEFAULT_MODULE: &str = "default";
/// The largest image that the vendor's console takes.
pub(crate) const MAX_FIRMWARE: u64 = 10 * 1024 * 1024;
/// The longest RequestID that is answered: the reply has to fit into the vendor's C SDK's buffer.
pub(crate) const MAX_REQUEST_ID: usize = 256;

/// The third part of the UserName.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// `1`: with the device's own secret.
    Static,
    /// `2`: with the product's secret, to be given the device's own.
    Dynamic,
}

impl AuthMode {
    fn digit(self) -> &'static str {
        match self {
            Self::Static => "1",
            Self::Dynamic => "2",
        }
    }
}

/// What CONNECT carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `ProductSN.DeviceSN`
    pub client_id: String,
    /// `ProductSN|DeviceSN|mode`
    pub username: String,
    /// The device's own secret, or the product's.
    pub password: Secret,
}

/// Makes the three elements of a login.
pub fn credentials(
    product_sn: &str,
    device_sn: &str,
    mode: AuthMode,
    secret: &Secret,
) -> Credentials {
    let (client_id, username) = names(product_sn, device_sn, mode);
    Credentials { client_id, username, password: secret.clone() }
}

/// ClientID and user name.
pub(crate) fn names(product_sn: &str, device_sn: &str, mode: AuthMode) -> (String, String) {
    let username = [product_sn, "|", device_sn, "|", mode.digit()].concat();
    ([product_sn, ".", device_sn].concat(), username)
}

/// Takes the names of a login apart: ProductSN, DeviceSN and mode; `None` if they contradict each other.
#[cfg(feature = "cloud")]
pub(crate) fn parse_names<'a>(
    client_id: &str,
    username: &'a str,
) -> Option<(&'a str, &'a str, AuthMode)> {
    let mut parts = username.split('|');
    let (product, device, mode) = (parts.next()?, parts.next()?, parts.next()?);
    let mode = match mode {
        "1" => AuthMode::Static,
        "2" => AuthMode::Dynamic,
        _ => return None,
    };
    let fits = client_id.strip_prefix(product)?.strip_prefix('.')? == device;
    (fits && parts.next().is_none()).then_some((product, device, mode))
}

/// `/$system/P/D/name`
pub(crate) fn system_topic(product: &str, device: &str, name: &str) -> String {
    ["/$system/", product, "/", device, "/", name].concat()
}

/// What stands behind `/$system/P/D/`, if the topic is this device's.
pub(crate) fn system_name<'t>(topic: &'t str, product: &str, device: &str) -> Option<&'t str> {
    let rest = topic.strip_prefix("/$system/")?;
    let rest = rest.strip_prefix(product)?.strip_prefix('/')?;
    rest.strip_prefix(device)?.strip_prefix('/')
}

#[allow(clippy::manual_contains, reason = "a search made for speed: 350 bytes of the plugin")]
fn shaped(text: &str, lengths: core::ops::RangeInclusive<usize>, others: &[u8]) -> bool {
    lengths.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || others.iter().any(|other| *other == b))
}

/// The vendor's have 16 characters; at most 24 keep every topic within 128 bytes.
pub(crate) fn is_product_sn(text: &str) -> bool {
    shaped(text, 4..=24, b"-_")
}

/// As the vendor's console takes them.
pub(crate) fn is_device_sn(text: &str) -> bool {
    shaped(text, 4..=64, b"-_@:")
}

pub(crate) fn is_version(text: &str) -> bool {
    shaped(text, 1..=32, b".-_")
}

pub(crate) fn is_module(text: &str) -> bool {
    shaped(text, 4..=32, b".-_")
}

/// 16 characters by document; anything printable up to 64 is taken.
pub(crate) fn is_secret(text: &str) -> bool {
    num::is_printable(text, 64)
}

/// `{"RequestID":"…"}`
pub(crate) fn password_request(request_id: &str) -> Vec<u8> {
    Object::new().string("RequestID", request_id).bytes()
}

/// The reply to a password request.
#[derive(Debug)]
pub(crate) struct PasswordReply {
    pub(crate) request_id: String,
    pub(crate) ret_code: String,
    /// What the cloud says beside a code other than 0; not documented for this topic.
    pub(crate) message: String,
    pub(crate) password: Result<Secret, PeerMisbehaved>,
}

impl PasswordReply {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let doc = Document::open(bytes);
        let root = doc.root();
        let password = root.text_or_empty("Password");
        let reply = Self {
            request_id: root.must("RequestID"),
            ret_code: root.must("RetCode"),
            message: root.text_or_empty("Message"),
            password: match is_secret(&password) {
                true => Ok(Secret::new(password)),
                false => Err(PeerMisbehaved::UnusableSecret),
            },
        };
        doc.finish()?;
        Ok(reply)
    }
}

/// `{"Method":…,"Payload":{"Module":…,"Version":…}}`
pub(crate) fn ota_report(method: &str, module: &str, version: &str) -> Vec<u8> {
    let payload = Object::new().string("Module", module).string("Version", version);
    Object::new().string("Method", method).object("Payload", payload).bytes()
}

/// `report_progress`
pub(crate) fn ota_progress(state: &str, percent: u8, module: &str, version: &str) -> Vec<u8> {
    let payload = Object::new()
        .string("State", state)
        .number("Percent", i64::from(percent))
        .string("Module", module)
        .string("Version", version);
    Object::new().string("Method", "report_progress").object("Payload", payload).bytes()
}

/// `report_fail`
pub(crate) fn ota_fail(code: i64, module: &str, version: &str) -> Vec<u8> {
    let payload =
        Object::new().number("ErrCode", code).string("Module", module).string("Version", version);
    Object::new().string("Method", "report_fail").object("Payload", payload).bytes()
}

/// A RequestID as it has to be echoed: with its own JSON type, in ASCII. `None` if it is neither string nor number, or
/// too long to answer.
pub(crate) fn echo(request_id: Value<'_>) -> Option<String> {
    let text = request_id.as_text()?;
    let raw = request_id.raw();
    let echo = if raw.is_ascii() { raw.to_string() } else { crate::json::string(&text) };
    (echo.len() <= MAX_REQUEST_ID).then_some(echo)
}

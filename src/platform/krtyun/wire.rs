//! Topics and bodies, read and written by both sides.
//!
//! Dispatch goes by the topic first: the vendor's code uses the same `CMD` numbers for other things on other topics.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};
use crate::num;

use crate::error::{CodecError, Error, PeerMisbehaved, Rejected};
use crate::json::{Document, Object, Value};
use crate::secret::Secret;

/// `CMD` of a version report (seed document).
const REPORT: i64 = 10;
/// `CMD` of an order to update, and of the answer to it (seed document).
const UPGRADE: i64 = 11;
/// What `BACK` says if all is well (seed document); anything else is a no (the vendor's console code).
pub(super) const OK: &str = "OK";

/// The topics of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    RegisterPost,
    RegisterSet,
    OtaPost,
    OtaSet,
}

impl Topic {
    fn path(self) -> &'static str {
        match self {
            Self::RegisterPost => "register/post",
            Self::RegisterSet => "register/set",
            Self::OtaPost => "ota/post",
            Self::OtaSet => "ota/set",
        }
    }

    pub(super) fn of(self, product: &str, device: &str) -> String {
        ["/sys/", product, "/", device, "/thing/", self.path()].concat()
    }
}

/// What stands behind `/sys/{product}/{device}/` in `topic`; `None` if it is not of that device.
#[cfg(feature = "cloud")]
pub(super) fn own<'a>(topic: &'a str, product: &str, device: &str) -> Option<&'a str> {
    topic
        .strip_prefix("/sys/")?
        .strip_prefix(product)?
        .strip_prefix('/')?
        .strip_prefix(device)?
        .strip_prefix('/')
}

#[cfg(feature = "cloud")]
impl Topic {
    /// Which of the four a device's [`own`] topic is.
    pub(super) fn parse(own: &str) -> Option<Self> {
        let path = own.strip_prefix("thing/")?;
        [Self::RegisterPost, Self::RegisterSet, Self::OtaPost, Self::OtaSet]
            .into_iter()
            .find(|topic| topic.path() == path)
    }
}

/// Numbers and names that the vendor's document leaves out with its pictures. **All assumed**, by the likeness of
/// `CMD` 10 and 11; a setting (device) or product switch (cloud) of the same name replaces each.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Assumed {
    #[n(0)]
    pub(super) request: i64,
    #[n(1)]
    pub(super) issue: i64,
    #[n(2)]
    pub(super) confirm: i64,
    #[n(3)]
    pub(super) product_id: String,
    #[n(4)]
    pub(super) device_id: String,
    #[n(5)]
    pub(super) device_secret: String,
    /// `BACK` of a device that will not update.
    #[n(6)]
    pub(super) refused: String,
}

impl Default for Assumed {
    fn default() -> Self {
        Self {
            request: 20,
            issue: 21,
            confirm: 21,
            product_id: "PRODUCT_ID".to_string(),
            device_id: "DEVICE_ID".to_string(),
            device_secret: "DEVICE_SECRET".to_string(),
            refused: "ERROR".to_string(),
        }
    }
}

impl Assumed {
    /// The names of the entries, in settings and switches.
    pub(super) const KEYS: [&'static str; 7] = [
        "cmd.register_request",
        "cmd.register_issue",
        "cmd.register_confirm",
        "key.product_id",
        "key.device_id",
        "key.device_secret",
        "back.refused",
    ];

    /// Replaces one entry; the error says what would be right.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        let word = match key {
            "key.product_id" => &mut self.product_id,
            "key.device_id" => &mut self.device_id,
            "key.device_secret" => &mut self.device_secret,
            "back.refused" if value == OK => return Err("has to be anything but OK"),
            "back.refused" => &mut self.refused,
            _ => {
                let number = match key {
                    "cmd.register_request" => &mut self.request,
                    "cmd.register_issue" => &mut self.issue,
                    "cmd.register_confirm" => &mut self.confirm,
                    _ => return Err("is not an entry of the table"),
                };
                *number = match num::read(value) {
                    Some(n) if n <= u64::from(u32::MAX) => n.cast_signed(),
                    _ => return Err("has to be a number from 0 to 4294967295"),
                };
                return Ok(());
            }
        };
        if !num::is_printed(value, 64) {
            return Err("has to be 1 to 64 printable ASCII characters without spaces");
        }
        *word = value.to_string();
        Ok(())
    }

    /// The entries as settings show them.
    #[cfg(feature = "cloud")]
    pub(super) fn entries(&self) -> [(&'static str, String); 7] {
        let [request, issue, confirm, product, device, secret, refused] = Self::KEYS;
        [
            (request, num::text_signed(self.request)),
            (issue, num::text_signed(self.issue)),
            (confirm, num::text_signed(self.confirm)),
            (product, self.product_id.clone()),
            (device, self.device_id.clone()),
            (secret, self.device_secret.clone()),
            (refused, self.refused.clone()),
        ]
    }
}

// What the device sends.

pub(super) fn request(table: &Assumed, id: &str, product: &str, device: &str) -> Vec<u8> {
    Object::new()
        .number("CMD", table.request)
        .string("ID", id)
        .string(&table.product_id, product)
        .string(&table.device_id, device)
        .bytes()
}

pub(super) fn confirmation(table: &Assumed, id: &str) -> Vec<u8> {
    Object::new().number("CMD", table.confirm).string("ID", id).string("BACK", OK).bytes()
}

pub(super) fn report(hardware: &str, firmware: &str) -> Vec<u8> {
    Object::new()
        .number("CMD", REPORT)
        .string("HW_VERSION", hardware)
        .string("FW_VERSION", firmware)
        .bytes()
}

pub(super) fn back(id: &str, back: &str) -> Vec<u8> {
    Object::new().number("CMD", UPGRADE).string("ID", id).string("BACK", back).bytes()
}

// What the device receives.

/// On `register/set`: the secret.
#[derive(Debug)]
pub(super) struct Issue {
    /// Absent only if a setting lets it be.
    pub(super) id: Option<String>,
    pub(super) secret: Secret,
}

/// Which parts of an issue have to be as assumed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strictness<'a> {
    /// The `ID` that it has to carry; `None`: any, or none.
    pub(super) id: Option<&'a str>,
    pub(super) cmd: bool,
}

impl Issue {
    pub(super) fn parse(
        bytes: &[u8],
        table: &Assumed,
        strict: Strictness<'_>,
        (product, device): (&str, &str),
    ) -> Result<Self, Error> {
        let doc = Document::open_trailing_comma(bytes);
        let root = doc.root();
        if strict.cmd {
            must_command(root, table.issue);
        }
        let mut id = None;
        if strict.id.is_some() || root.get("ID").is_some() {
            id = Some(root.must_be("ID", is_id));
        }
        if strict.id.is_some_and(|want| id.as_deref() != Some(want)) {
            root.wrong(PeerMisbehaved::WrongRequestId);
        }
        root.must_not_contradict(&table.product_id, product);
        root.must_not_contradict(&table.device_id, device);
        let names =
            [table.device_secret.as_str(), "DEVICE_SECRET", "DeviceSecret", "SECRET", "KEY"];
        let name = names.into_iter().find(|name| root.text(name).is_some());
        let secret = root.text_or_empty(name.unwrap_or_default());
        if name.is_some() {
            if !is_secret(&secret) {
                root.wrong(PeerMisbehaved::UnusableSecret);
            }
        } else if let Some(back) = root.text("BACK") {
            root.wrong(Rejected::code(&back, "", &[]));
        } else {
            root.wrong(CodecError::missing(&table.device_secret));
        }
        doc.finish()?;
        Ok(Self { id, secret: Secret::new(secret) })
    }
}

/// On `ota/set`: an order to update.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) version: String,
}

/// An order that cannot be followed, with its `ID` if it can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadOrder {
    pub(super) id: Option<String>,
    pub(super) error: Error,
}

impl Order {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BadOrder> {
        let doc = Document::open_trailing_comma(bytes);
        let root = doc.root();
        must_command(root, UPGRADE);
        let id = root.must_be("ID", is_id);
        let answerable = doc.is_good();
        // The document's text calls the target VERSION, its example FW_VERSION.
        let in_text = root.get("FW_VERSION").is_none() && root.get("VERSION").is_some();
        let version = if in_text { "VERSION" } else { "FW_VERSION" };
        let version = root.must_be(version, is_version);
        let url = root.must("URL");
        if !is_firmware_url(&url) {
            root.wrong(PeerMisbehaved::ForbiddenUrl);
        }
        match doc.finish() {
            Ok(()) => Ok(Self { id, url, version }),
            Err(error) => Err(BadOrder { id: answerable.then_some(id), error }),
        }
    }
}

// What the cloud receives.

/// On `register/post`.
#[cfg(feature = "cloud")]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RegisterPost {
    /// Without `BACK`: the request.
    Request { id: String },
    /// With `BACK`: the confirmation.
    Confirm { id: Option<String>, back: String },
}

#[cfg(feature = "cloud")]
impl RegisterPost {
    /// `strict`: `CMD`, `ID` and both names have to be as the table says. Otherwise a missing `ID` is made empty,
    /// `CMD` is not looked at, and the names count only if they are there.
    pub(super) fn parse(
        bytes: &[u8],
        table: &Assumed,
        strict: bool,
        (product, device): (&str, &str),
    ) -> Result<Self, CodecError> {
        let doc = Document::parse_trailing_comma(bytes)?;
        let root = doc.object()?;
        let back = root.text("BACK");
        let cmd = if back.is_some() { table.confirm } else { table.request };
        if strict && number(root, "CMD")? != cmd {
            return Err(CodecError::invalid("CMD"));
        }
        if let Some(back) = back {
            let id = if strict || root.get("ID").is_some() { Some(id(root)?) } else { None };
            return Ok(Self::Confirm { id, back: shorten(&back) });
        }
        for (key, own) in [(&table.product_id, product), (&table.device_id, device)] {
            match root.text(key) {
                Some(named) if named == own => {}
                Some(_) => return Err(CodecError::invalid(key)),
                None if strict => return Err(CodecError::missing(key)),
                None => {}
            }
        }
        if !strict && root.get("ID").is_none() {
            return Ok(Self::Request { id: String::new() });
        }
        Ok(Self::Request { id: id(root)? })
    }
}

/// On `ota/post`.
#[cfg(feature = "cloud")]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OtaPost {
    Report { hardware: String, firmware: String },
    Back { id: String, back: String },
}

#[cfg(feature = "cloud")]
impl OtaPost {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        let doc = Document::parse_trailing_comma(without_outer_id(bytes))?;
        let root = doc.object()?;
        match number(root, "CMD")? {
            REPORT => {
                let version = |key: &str| match root.text(key) {
                    None => Err(CodecError::missing(key)),
                    Some(text) if is_version(&text) => Ok(text.into_owned()),
                    Some(_) => Err(CodecError::invalid(key)),
                };
                Ok(Self::Report {
                    hardware: version("HW_VERSION")?,
                    firmware: version("FW_VERSION")?,
                })
            }
            UPGRADE => {
                let back = root.text("BACK").ok_or_else(|| CodecError::missing("BACK"))?;
                Ok(Self::Back { id: id(root)?, back: shorten(&back) })
            }
            _ => Err(CodecError::invalid("CMD")),
        }
    }
}

/// The document's example of `CMD` 10 has `"ID":…` behind the closing brace. Cuts that off; it means nothing to us.
#[cfg(feature = "cloud")]
fn without_outer_id(bytes: &[u8]) -> &[u8] {
    let Some(brace) = bytes.iter().rposition(|&b| b == b'}') else { return bytes };
    let (object, tail) = bytes.split_at(brace + 1);
    let is_id = tail
        .trim_ascii_start()
        .strip_prefix(b"\"ID\"")
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"));
    if is_id { object } else { bytes }
}

// What the cloud sends.

#[cfg(feature = "cloud")]
pub(super) fn issue(table: &Assumed, id: &str, secret: &Secret) -> Vec<u8> {
    Object::new()
        .number("CMD", table.issue)
        .string("ID", id)
        .string(&table.device_secret, secret.expose())
        .bytes()
}

#[cfg(feature = "cloud")]
pub(super) fn order(id: &str, url: &str, version: &str) -> Vec<u8> {
    Object::new()
        .number("CMD", UPGRADE)
        .string("ID", id)
        .string("URL", url)
        .string("FW_VERSION", version)
        .bytes()
}

// Shapes.

pub(super) const NAME_RULE: &str =
    "has to be 1 to 64 printable ASCII characters without space, / + or #";
pub(super) const SECRET_RULE: &str = "has to be 1 to 64 printable ASCII characters without spaces";
pub(super) const VERSION_RULE: &str = "has to be 1 to 64 printable ASCII characters without spaces";

/// A ProductID or DeviceID: the vendor's are numbers; one topic level, whatever else (assumed).
pub(super) fn is_name(text: &str) -> bool {
    is_word(text) && !text.bytes().any(|byte| matches!(byte, b'/' | b'+' | b'#'))
}

pub(super) fn is_secret(text: &str) -> bool {
    is_word(text)
}

pub(super) fn is_version(text: &str) -> bool {
    is_word(text)
}

/// `ID` is echoed: any short text, as long as it is there.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 1..=64) && !text.chars().any(char::is_control)
}

/// "URL地址必须为HTTP链接" (seed document): HTTP, and nothing else.
pub(super) fn is_firmware_url(url: &str) -> bool {
    let rest = match url.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http://") => rest,
        _ => return false,
    };
    num::is_printed(url, 1024) && !matches!(rest.as_bytes(), [] | [b'/' | b':' | b'?' | b'#', ..])
}

fn is_word(text: &str) -> bool {
    num::is_printed(text, 64)
}

/// `CMD` has to be this one.
fn must_command(root: Value<'_>, command: i64) {
    if root.must_count("CMD").cast_signed() != command {
        root.invalid("CMD");
    }
}

#[cfg(feature = "cloud")]
fn number(root: Value<'_>, key: &str) -> Result<i64, CodecError> {
    let value = root.get(key).ok_or_else(|| CodecError::missing(key))?;
    value.as_i64().ok_or_else(|| CodecError::invalid(key))
}

#[cfg(feature = "cloud")]
fn id(root: Value<'_>) -> Result<String, CodecError> {
    match root.text("ID") {
        None => Err(CodecError::missing("ID")),
        Some(id) if is_id(&id) => Ok(id.into_owned()),
        Some(_) => Err(CodecError::invalid("ID")),
    }
}

#[cfg(feature = "cloud")]
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

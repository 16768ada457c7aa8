//! Topics and messages between a device and its cloud.
//!
//! Sources: iotkit-embedded `dev_bind` and `dev_model` (bind token, permit), help.aliyun.com "OTA updates" (document
//! 89307), "Device properties", "notify-gateway-topology-changes", and dynamic registration over MQTT.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Error, PeerMisbehaved, Rejected};
use crate::json::{Document, Object, Value};
use crate::num;
use crate::output::Event;
use crate::platform::update::Offer;

/// Dynamic registration over HTTP.
pub(crate) const REGISTER_PATH: &str = "/auth/register/device";
/// Where the server pushes a DeviceSecret, without a subscription.
pub(crate) const EXT_REGISTER: &str = "/ext/register";
/// Where it pushes a client id and a token.
pub(crate) const EXT_REGNWL: &str = "/ext/regnwl";

pub(crate) const MATCH: &str = "thing/awss/enrollee/match";
pub(crate) const MATCH_REPLY: &str = "thing/awss/enrollee/match_reply";
pub(crate) const PERMIT: &str = "thing/gateway/permit";
pub(crate) const PERMIT_REPLY: &str = "thing/gateway/permit_reply";
pub(crate) const TOPO_CHANGE: &str = "thing/topo/change";
pub(crate) const TOPO_CHANGE_REPLY: &str = "thing/topo/change_reply";
pub(crate) const PROPERTY_SET: &str = "thing/service/property/set";
pub(crate) const PROPERTY_SET_REPLY: &str = "thing/service/property/set_reply";
pub(crate) const PROPERTY_POST: &str = "thing/event/property/post";
pub(crate) const PROPERTY_POST_REPLY: &str = "thing/event/property/post_reply";

pub(crate) const OTA_INFORM: &str = "inform";
pub(crate) const OTA_UPGRADE: &str = "upgrade";
pub(crate) const OTA_PROGRESS: &str = "progress";

/// `/sys/{pk}/{dn}/{what}`.
pub(crate) fn sys(product_key: &str, device_name: &str, what: &str) -> String {
    ["/sys/", product_key, "/", device_name, "/", what].concat()
}

/// `/ota/device/{what}/{pk}/{dn}`.
pub(crate) fn ota(product_key: &str, device_name: &str, what: &str) -> String {
    ["/ota/device/", what, "/", product_key, "/", device_name].concat()
}

/// What follows `{before}{pk}/{dn}` in a topic.
#[inline(never)]
pub(crate) fn after<'a>(
    before: &str,
    product_key: &str,
    device_name: &str,
    topic: &'a str,
) -> Option<&'a str> {
    let rest = topic.strip_prefix(before)?.strip_prefix(product_key)?;
    rest.strip_prefix('/')?.strip_prefix(device_name)
}

/// `{"id","version":"1.0","params":{…},"method"}`, what the thing model's messages look like.
pub(crate) fn thing(id: &str, method: &str, params: &str) -> Vec<u8> {
    Object::new()
        .string("id", id)
        .string("version", "1.0")
        .raw("params", params)
        .string("method", method)
        .bytes()
}

/// A bind token's report.
pub(crate) fn match_report(id: &str, token: &str) -> Vec<u8> {
    let params = Object::new().string("token", token).end();
    thing(id, "thing.awss.enrollee.match", &params)
}

/// A firmware version's report.
pub(crate) fn inform(id: &str, version: &str) -> Vec<u8> {
    let params = Object::new().string("version", version);
    Object::new().string("id", id).object("params", params).bytes()
}

/// An update's progress: 1 to 100, or -1 update, -2 download, -3 verification, -4 installation failed.
pub(crate) fn progress(id: &str, step: i8, text: &str) -> Vec<u8> {
    let params = Object::new().string("step", &num::text_signed(step.into())).string("desc", text);
    Object::new().string("id", id).object("params", params).bytes()
}

/// The answer to a message of the cloud: its `id` as it stood there, with its own JSON type.
pub(crate) fn reply(id: &str, code: i64) -> Vec<u8> {
    Object::new().raw("id", id).number("code", code).raw("data", "{}").bytes()
}

/// Reads the `params` of a message that wants an answer. Plain functions, so that there is one [`asked`] for all.
pub(crate) type Read = fn(Value<'_>) -> Event;

/// A message of the cloud that wants an answer: its `id` (JSON, a string or a number), and what it says. A message whose
/// `params` cannot be used is answered with 400.
pub(crate) fn asked(payload: &[u8], read: Read) -> Result<(String, Result<Event, Error>), Error> {
    let doc = Document::open(payload);
    doc.finish()?;
    let root = doc.root();
    let id = root.get("id").filter(|id| id.as_text().is_some_and(|text| text.len() <= 64));
    let said = read(root.must_open("params"));
    Ok((id.map_or("\"0\"", Value::raw).to_string(), doc.finish().map(|()| said)))
}

/// A gateway may take in sub-devices.
pub(crate) fn permit(params: Value<'_>) -> Event {
    let seconds = params.must_count("time");
    if seconds > 65_535 {
        params.invalid("time");
    }
    let product = params.text("productKey").filter(|key| !key.is_empty());
    Event::Permit { seconds: seconds as u32, product: product.map(|key| short(&key)) }
}

/// Sub-devices of a gateway changed.
pub(crate) fn topo_change(params: Value<'_>) -> Event {
    let status = params.must_count("status");
    if !matches!(status, 0 | 1 | 2 | 8) {
        params.invalid("status");
    }
    let mut devices = Vec::new();
    if let Some(list) = params.must_have("subList") {
        if !list.is_array() {
            params.invalid("subList");
        }
        for item in list.elements() {
            let (product, device) = (item.must("productKey"), item.must("deviceName"));
            devices.push([&short(&product), "/", &short(&device)].concat());
        }
    }
    Event::Topology { status: status as u8, devices }
}

/// Names from the cloud for a person's eyes.
fn short(text: &str) -> String {
    crate::error::plain(text, 64)
}

/// The `params` of a property set, as they stand in the text.
pub(crate) fn property_set(params: Value<'_>) -> Event {
    Event::PropertiesSet { json: params.raw().to_string() }
}

/// The cloud's answer to a message of ours.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) id: String,
    pub(crate) result: Result<(), Rejected>,
}

impl Reply {
    /// Whether it answers message `id`, which was sent as text.
    #[inline(never)]
    pub(crate) fn answers(&self, id: u32) -> bool {
        self.id == num::text(id.into())
    }
}

pub(crate) fn parse_reply(payload: &[u8]) -> Result<Reply, Error> {
    let doc = Document::open(payload);
    let root = doc.root();
    let (id, code) = (root.must("id"), root.must("code"));
    doc.finish()?;
    let result = if code == "200" {
        Ok(())
    } else {
        Err(Rejected::code(&code, &root.text_or_empty("message"), &[]))
    };
    Ok(Reply { id, result })
}

/// What an upgrade message asks for.
#[derive(Debug)]
pub(crate) enum Upgrade {
    /// An image for this device's firmware.
    Image(Offer),
    /// For a module that this device does not have, by its name.
    OtherModule(String),
}

/// `/ota/device/upgrade`: one file over HTTP or HTTPS. Packages of several files and downloads through MQTT are not
/// taken, and say so.
pub(crate) fn parse_upgrade(payload: &[u8], max_size: u64) -> Result<Upgrade, Error> {
    let doc = Document::open(payload);
    let root = doc.root();
    let code = root.text_or_empty("code");
    if !matches!(code.as_str(), "" | "1000" | "200") {
        root.wrong(Rejected::code(&code, &root.text_or_empty("message"), &[]));
    }
    let data = root.must_open("data");
    let module = data.text_or_empty("module");
    if !matches!(module.as_str(), "" | "default") {
        doc.finish()?;
        return Ok(Upgrade::OtherModule(short(&module)));
    }
    let version = data.must_be("version", |version| num::is_printable(version, 64));
    let url = data.must("url");
    let host = url.strip_prefix("http://").or(url.strip_prefix("https://")).unwrap_or_default();
    if host.is_empty() || !num::is_printed(&url, 4096) {
        data.wrong(PeerMisbehaved::ForbiddenUrl);
    }
    let size = data.get("size").map(|_| data.must_count("size"));
    let (mut md5, mut sha256) = (digest(data, "md5", 32), String::new());
    match data.text_or_empty("signMethod").to_ascii_lowercase().as_str() {
        "sha256" => sha256 = digest(data, "sign", 64),
        "md5" if data.get("sign").is_some() => md5 = digest(data, "sign", 32),
        _ => {}
    }
    let reference = short(&root.text_or_empty("id"));
    doc.finish()?;
    Ok(Upgrade::Image(Offer { reference, version, url, size, md5, sha256, max_size }))
}

/// A digest of so many hexadecimal digits, or nothing.
#[inline(never)]
fn digest(data: Value<'_>, key: &str, digits: usize) -> String {
    let text = data.text_or_empty(key);
    let good = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !good && !text.is_empty() {
        data.invalid(key);
    }
    text.to_ascii_lowercase()
}

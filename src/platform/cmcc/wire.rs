//! Requests and answers as bytes, and what of them is believed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

use super::config::Config;
use super::{REPORT, SECRET_INFO};
use crate::error::{CodecError, Error, PeerMisbehaved, Rejected};
use crate::http::{Request, Response};
use crate::json::{self, Document, Object, Value};
use crate::secret::Secret;

/// What `secret/info` gives, and a device keeps.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Credential {
    #[n(0)]
    pub(super) device_id: String,
    #[n(1)]
    pub(super) device_secret: Secret,
}

/// `POST secret/info`
pub(super) fn info_request(config: &Config) -> Request {
    let body = Object::new()
        .string("deviceNoType", config.device_no_type.as_str())
        .string("deviceNo", &config.device_no)
        .string("productId", &config.product_id)
        .string("productKey", config.product_key.expose());
    post(config, SECRET_INFO, body)
}

/// `POST report`
pub(super) fn report_request(config: &Config, credential: &Credential) -> Request {
    let params = &config.params;
    let params = Object::new()
        .raw("innerIp", &json::array(params.inner_ip.iter().map(|ip| json::string(ip))))
        .string("netSpeed", &params.net_speed)
        .string("netType", &params.net_type)
        .string("platform", &params.platform)
        .string("sdkVersion", &params.sdk_version)
        .string("firmwareVersion", &params.firmware_version)
        .string("imei", &params.imei)
        .string("cmei", &params.cmei)
        .string("mac", &params.mac);
    let body = Object::new()
        .string("deviceId", &credential.device_id)
        .string("deviceSecret", credential.device_secret.expose())
        .string("productId", &config.product_id)
        .string("productKey", config.product_key.expose())
        .object("params", params);
    post(config, REPORT, body)
}

fn post(config: &Config, path: &str, body: Object) -> Request {
    Request {
        method: "POST".to_string(),
        url: [&config.base_url, "/", path].concat(),
        headers: alloc::vec![("Content-Type".to_string(), "application/json".to_string())],
        body: body.bytes(),
    }
}

/// The answer to `secret/info`.
pub(super) fn read_info(config: &Config, response: &Response) -> Result<Credential, Error> {
    let doc = accepted(response, &[&config.product_key])?;
    let data = data(&doc)?;
    // What the answer does not name, it cannot contradict.
    let other = |key: &str, ours: &str| data.text(key).is_some_and(|theirs| theirs != ours);
    if other("deviceNo", &config.device_no) || other("productId", &config.product_id) {
        return Err(PeerMisbehaved::WrongIdentity.into());
    }
    let field = |key: &str| data.text(key).ok_or_else(|| CodecError::missing(key));
    let (device_id, secret) = (field("deviceId")?, field("deviceSecret")?);
    if !usable(&device_id) {
        return Err(CodecError::invalid("deviceId").into());
    }
    if !usable(&secret) {
        return Err(PeerMisbehaved::UnusableSecret.into());
    }
    Ok(Credential { device_id: device_id.into_owned(), device_secret: Secret::new(secret) })
}

/// The answer to `report`. `protocolTypeTime`, a string or a number in the field, is nothing a device acts on.
pub(super) fn read_report(
    config: &Config,
    credential: &Credential,
    response: &Response,
) -> Result<(), Error> {
    let doc = accepted(response, &[&config.product_key, &credential.device_secret])?;
    let id = doc.object()?.get("data").and_then(|data| data.text("deviceId"));
    if id.is_some_and(|id| id != credential.device_id) {
        return Err(PeerMisbehaved::WrongIdentity.into());
    }
    Ok(())
}

/// HTTP status 200, JSON, `code` 200 and `success` not false.
fn accepted(response: &Response, secrets: &[&Secret]) -> Result<Document, Error> {
    if response.status != 200 {
        // Gateways answer with pages; only the platform's own words are worth showing.
        let doc = Document::parse(&response.body).ok();
        let text = doc.as_ref().and_then(|doc| message(doc.root())).unwrap_or_default();
        return Err(Rejected::http(response.status, &text, secrets).into());
    }
    let doc = Document::parse(&response.body)?;
    let root = doc.object()?;
    let code = root.text("code").ok_or_else(|| CodecError::missing("code"))?;
    let code = code.trim();
    let denied = root.get("success").is_some_and(|success| {
        success.as_bool() == Some(false) || success.as_str().is_some_and(|text| text == "false")
    });
    if code != "200" || denied {
        let text = message(root).unwrap_or_default();
        return Err(Rejected::code(code, &text, secrets).into());
    }
    Ok(doc)
}

/// The table calls it `message`, its own remark on errors `msg`.
fn message(root: Value<'_>) -> Option<String> {
    ["message", "msg"].into_iter().find_map(|key| root.text(key)).map(|text| text.into_owned())
}

fn data(doc: &Document) -> Result<Value<'_>, CodecError> {
    let data = doc.object()?.get("data").ok_or_else(|| CodecError::missing("data"))?;
    if data.is_object() { Ok(data) } else { Err(CodecError::invalid("data")) }
}

fn usable(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The credential as it is stored, with the number that it belongs to: readable by people and flashers.
pub(super) fn write_credential(config: &Config, credential: &Credential) -> Vec<u8> {
    Object::new()
        .string("device_no", &config.device_no)
        .string("device_no_type", config.device_no_type.as_str())
        .string("product_id", &config.product_id)
        .string("device_id", &credential.device_id)
        .string("device_secret", credential.device_secret.expose())
        .bytes()
}

/// What [`write_credential`] wrote. `Ok(None)`: it belongs to another number or product, so a new one is to be asked
/// for. `Err`: it cannot be read, and asking anew is a person's decision.
pub(super) fn read_credential(
    config: &Config,
    bytes: &[u8],
) -> Result<Option<Credential>, CodecError> {
    let doc = Document::parse(bytes)?;
    let root = doc.object()?;
    let field = |key: &str| root.text(key).ok_or_else(|| CodecError::missing(key));
    let (device_id, device_secret) = (field("device_id")?, field("device_secret")?);
    if field("device_no")? != config.device_no || field("product_id")? != config.product_id {
        return Ok(None);
    }
    if !usable(&device_id) || !usable(&device_secret) {
        return Err(CodecError::invalid("device_secret"));
    }
    Ok(Some(Credential {
        device_id: device_id.into_owned(),
        device_secret: Secret::new(device_secret),
    }))
}

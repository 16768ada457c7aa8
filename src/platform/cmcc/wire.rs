//! Requests and answers as bytes, and what of them is believed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::num;
use crate::snapshot::Kept;

use super::config::Config;
use super::{REPORT, SECRET_INFO};
use crate::error::{Error, PeerMisbehaved, Rejected};
use crate::http::{Request, Response};
use crate::json::{Document, Object};
use crate::secret::Secret;

/// What `secret/info` gives, and a device keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Kept)]
pub(super) struct Credential {
    pub(super) device_id: String,
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
        .raw("innerIp", &params.inner_ip)
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
    let doc = accepted(response, &[&config.product_key]);
    let data = doc.root().must_open("data");
    data.must_not_contradict("deviceNo", &config.device_no);
    data.must_not_contradict("productId", &config.product_id);
    let device_id = data.must_be("deviceId", usable);
    let secret = data.must("deviceSecret");
    if !usable(&secret) {
        data.wrong(PeerMisbehaved::UnusableSecret);
    }
    doc.finish()?;
    Ok(Credential { device_id, device_secret: Secret::new(secret) })
}

/// The answer to `report`. `protocolTypeTime`, a string or a number in the field, is nothing a device acts on.
pub(super) fn read_report(
    config: &Config,
    credential: &Credential,
    response: &Response,
) -> Result<(), Error> {
    let doc = accepted(response, &[&config.product_key, &credential.device_secret]);
    if let Some(data) = doc.root().get("data") {
        data.must_not_contradict("deviceId", &credential.device_id);
    }
    doc.finish()
}

/// HTTP status 200, JSON, `code` 200 and `success` not false.
fn accepted<'t>(response: &'t Response, secrets: &[&Secret]) -> Document<'t> {
    let doc = Document::open(&response.body);
    let root = doc.root();
    // The table calls it `message`, its own remark on errors `msg`.
    let message = root.text("message").or_else(|| root.text("msg")).unwrap_or_default();
    if response.status != 200 {
        // Gateways answer with pages; only the platform's own words are worth showing.
        let _page = doc.finish();
        root.wrong(Rejected::http(response.status, &message, secrets));
    }
    let code = root.must("code");
    let denied = root.get("success").is_some_and(|success| {
        success.as_bool() == Some(false) || success.as_str().is_some_and(|text| text == "false")
    });
    if code.trim_ascii() != "200" || denied {
        root.wrong(Rejected::code(code.trim_ascii(), &message, secrets));
    }
    drop(message);
    doc
}

fn usable(text: &str) -> bool {
    num::is_printed(text, 128)
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
pub(super) fn read_credential(config: &Config, bytes: &[u8]) -> Result<Option<Credential>, Error> {
    let doc = Document::open(bytes);
    let root = doc.root();
    let credential = Credential {
        device_id: root.must_be("device_id", usable),
        device_secret: Secret::new(root.must_be("device_secret", usable)),
    };
    let (device_no, product_id) = (root.must("device_no"), root.must("product_id"));
    doc.finish()?;
    let ours = device_no == config.device_no && product_id == config.product_id;
    Ok(ours.then_some(credential))
}

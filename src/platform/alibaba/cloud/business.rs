//! The envelope of every call: `{id, version?, request{apiVer, iotToken?, language?, appKey?}, params}` in,
//! `{id, code, message, localizedMsg?, data}` out, always with HTTP status 200.
//!
//! Any `apiVer` is taken, and `version` may be absent: the vendor's pages and clients differ in both. `id` is echoed as
//! it came, string or number.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use super::registry::Key;
use super::{CloudState, gateway};
use crate::cloud::{CloudCx, HttpRequest, RequestId, What};
use crate::json::{self, Document, Object, Value};

/// An honest no, with the vendor's code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct No {
    pub(super) code: u64,
    /// Which parameter, or what else a person may want to know.
    detail: String,
}

/// Codes and their texts, from the vendor's error tables (help 127995 and homelink pages); 6608 from the seed.
const CODES: [(u64, &str, &str); 15] = [
    (400, "request error", "请求错误"),
    (401, "request auth error", "请求认证错误"),
    (403, "request forbidden", "请求被禁止"),
    (404, "service not found", "服务未找到"),
    (460, "request parameter error", "请求参数错误"),
    (500, "service error", "服务端错误"),
    (2000, "param is invalid", "参数不合法"),
    (2063, "iotId not exist", "iotId不存在"),
    (2065, "identityId and iotId not bound", "identityId和iotId没有绑定关系"),
    (2066, "identityId is not manager", "identityId不是管理员"),
    (5005, "product not found", "产品不存在"),
    (6100, "device not found", "设备不存在"),
    (6204, "device disabled", "设备已禁用"),
    (6608, "token not found", "token不存在"),
    (503, "service not available", "服务不可用"),
];

impl No {
    pub(super) fn code(code: u64) -> Self {
        Self { code, detail: String::new() }
    }

    pub(super) fn because(code: u64, detail: &str) -> Self {
        Self { code, detail: detail.to_string() }
    }

    /// 460, naming the parameter.
    pub(super) fn param(detail: &str) -> Self {
        Self::because(460, detail)
    }

    /// The code's own text.
    pub(super) fn english(&self) -> &'static str {
        CODES.iter().find(|row| row.0 == self.code).map_or("service error", |row| row.1)
    }

    fn text(&self, chinese: bool) -> String {
        let row = CODES.iter().find(|row| row.0 == self.code);
        let text = row.map_or("service error", |row| if chinese { row.2 } else { row.1 });
        if self.detail.is_empty() { text.to_string() } else { format!("{text}: {}", self.detail) }
    }
}

/// The JSON of `data`, or a no.
pub(super) type Answer = Result<String, No>;

/// The parameters of one call.
#[derive(Clone, Copy)]
pub(super) struct Params<'a>(pub(super) Value<'a>);

impl<'a> Params<'a> {
    /// A string that is not empty.
    pub(super) fn text(self, key: &str) -> Result<Cow<'a, str>, No> {
        self.maybe(key)?.ok_or_else(|| No::param(&format!("{key} is missing")))
    }

    pub(super) fn maybe(self, key: &str) -> Result<Option<Cow<'a, str>>, No> {
        match self.0.get(key) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) if text.len() <= 256 => Ok(Some(text).filter(|text| !text.is_empty())),
                _ => Err(No::param(&format!("{key} has to be a string of at most 256 bytes"))),
            },
        }
    }

    /// A JSON integer in a range.
    pub(super) fn integer(self, key: &str, low: u64, high: u64) -> Result<u64, No> {
        let value = self.0.get(key).ok_or_else(|| No::param(&format!("{key} is missing")))?;
        let number = if value.is_string() { None } else { value.as_u64() };
        number
            .filter(|n| (low..=high).contains(n))
            .ok_or_else(|| No::param(&format!("{key} has to be an integer from {low} to {high}")))
    }

    pub(super) fn object(self, key: &str) -> Result<Params<'a>, No> {
        match self.0.get(key) {
            Some(value) if value.is_object() => Ok(Params(value)),
            _ => Err(No::param(&format!("{key} has to be an object"))),
        }
    }
}

impl CloudState {
    /// A request that may be one of an app's calls.
    pub(super) fn call(&mut self, id: RequestId, request: &HttpRequest, cx: &mut CloudCx<'_>) {
        let path = request.path.as_str();
        let admitted = self.gateway.admit(&self.registry, request, cx);
        let document = admitted.and_then(|()| {
            let document =
                Document::parse(&request.body).map_err(|_| gateway::Refusal::InvalidRequestBody)?;
            document.object().map_err(|_| gateway::Refusal::InvalidRequestBody)?;
            Ok(document)
        });
        let document = match document {
            Ok(document) => document,
            Err(refusal) => {
                // The string to sign goes to the caller and not into the log.
                let reason = match &refusal {
                    gateway::Refusal::InvalidSignature(_) => "Invalid Signature".to_string(),
                    other => other.message(),
                };
                cx.log(What::Refused, "", format!("{}: {reason}", shown_path(path)));
                let response = gateway::refused(&refusal, cx);
                return cx.respond(id, response);
            }
        };
        let envelope = document.root();
        let answer = self.answer(path, envelope, cx);
        match &answer {
            Ok(_) => cx.log(What::Accepted, "", path.to_string()),
            Err(no) => {
                let detail = format!("{}: {} {}", shown_path(path), no.code, no.text(false));
                cx.log(What::Refused, "", detail);
            }
        }
        let language = envelope.get("request").and_then(|r| r.text("language"));
        let chinese = language.is_some_and(|language| language.starts_with("zh"));
        let body = reply(envelope, answer, chinese, cx);
        let response = gateway::passed(body, cx);
        cx.respond(id, response);
    }

    fn answer(&mut self, path: &str, envelope: Value<'_>, cx: &mut CloudCx<'_>) -> Answer {
        if !PATHS.contains(&path) {
            return Err(No::code(404));
        }
        let empty = Document::parse(b"{}").map_err(|_| No::code(500))?;
        let envelope = Params(envelope);
        let request = envelope.object("request")?;
        request.text("apiVer")?;
        let params = match envelope.0.get("params") {
            None => Params(empty.root()),
            Some(_) => envelope.object("params")?,
        };
        match path {
            "/kit/debug/ping" => return ping(params),
            "/account/createSessionByAuthCode" => return self.create_session(params, cx),
            "/account/checkOrRefreshSession" => return self.refresh_session(params, cx),
            "/awss/cipher/get" if !self.registry.settings.cipher_needs_token => {
                return self.cipher(params, cx);
            }
            _ => {}
        }
        let who = self.who(request, cx)?;
        match path {
            "/awss/enrollee/list/get" => self.list(&who, params, cx),
            "/awss/enrollee/product/filter" => self.filter(params),
            "/awss/token/check" => self.check_token(params, cx),
            "/awss/token/user/bind" => self.bind_by_token(&who, params, cx),
            "/awss/time/window/user/bind" => self.bind_by_window(&who, params, cx),
            "/awss/cipher/get" => self.cipher(params, cx),
            "/thing/gateway/permit" => self.permit(&who, params, cx),
            _ => self.remove_topology(&who, params, cx),
        }
    }

    /// The owner whose iotToken this is.
    fn who(&self, request: Params<'_>, cx: &CloudCx<'_>) -> Result<String, No> {
        let token = request.maybe("iotToken").ok().flatten().ok_or_else(|| No::code(401))?;
        let identity = self.registry.owner_of_iot_token(&token).ok_or_else(|| No::code(401))?;
        match self.registry.owner(identity) {
            Some(owner) if cx.unix() < owner.iot_token_until => Ok(identity.to_string()),
            _ => Err(No::code(401)),
        }
    }

    /// The device that `productKey` and `deviceName` name.
    pub(super) fn named(&self, params: Params<'_>) -> Result<Key, No> {
        let (product, device) = (params.text("productKey")?, params.text("deviceName")?);
        self.known(&product, &device)
    }

    pub(super) fn known(&self, product: &str, device: &str) -> Result<Key, No> {
        self.registry.product(product).ok_or_else(|| No::code(5005))?;
        let key = Key::new(product, device);
        self.registry.device(&key).ok_or_else(|| No::code(6100))?;
        Ok(key)
    }
}

/// All calls there are.
const PATHS: [&str; 11] = [
    "/awss/enrollee/list/get",
    "/awss/enrollee/product/filter",
    "/awss/token/check",
    "/awss/token/user/bind",
    "/awss/time/window/user/bind",
    "/awss/cipher/get",
    "/thing/gateway/permit",
    "/thing/topo/remove",
    "/kit/debug/ping",
    "/account/createSessionByAuthCode",
    "/account/checkOrRefreshSession",
];

/// Echoes: the vendor's SDKs test themselves with it.
fn ping(params: Params<'_>) -> Answer {
    Ok(params.0.get("input").map_or("null", Value::raw).to_string())
}

fn reply(envelope: Value<'_>, answer: Answer, chinese: bool, cx: &mut CloudCx<'_>) -> String {
    // A string or a number is echoed as it came; anything else gets an id of the cloud's own.
    let sent = envelope.get("id").filter(|id| id.as_text().is_some() && id.raw().len() <= 256);
    let id = match sent {
        Some(id) => id.raw().to_string(),
        None => json::string(&cx.rng.uuid()),
    };
    let reply = Object::new().raw("id", &id);
    match answer {
        Ok(data) => reply.number("code", 200).string("message", "success").raw("data", &data).end(),
        Err(no) => {
            let code = i64::try_from(no.code).unwrap_or(500);
            reply
                .number("code", code)
                .string("message", &no.text(false))
                .string("localizedMsg", &no.text(chinese))
                .end()
        }
    }
}

/// A path that a stranger chose, for the log.
fn shown_path(path: &str) -> String {
    path.chars().filter(|c| !c.is_control()).take(100).collect()
}

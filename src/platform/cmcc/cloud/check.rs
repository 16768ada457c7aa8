//! Bodies, field by field. A refusal names the field that it is about.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::CodecError;
use crate::json::{self, Document, Object, Value};
use crate::platform::cmcc::cmei::Cmei;
use crate::platform::cmcc::config::MAX_ADDRESSES;
use crate::platform::cmcc::imei::Imei;

/// Longer than any id, key or secret of the platform.
const MAX_ID: usize = 128;
/// As long as any text in `params` may be, in bytes. Kept reports consist of these, so it bounds the memory.
const MAX_PARAM: usize = 64;

/// A body that can be read.
pub(super) struct Body<'t>(Document<'t>);

impl<'t> Body<'t> {
    pub(super) fn parse(bytes: &'t [u8]) -> Result<Self, String> {
        let explain = |error| match error {
            CodecError::TooLong => "请求体过长",
            CodecError::TooDeep => "请求体嵌套过深",
            CodecError::NotUtf8 => "请求体不是UTF-8编码",
            CodecError::NotAnObject => "请求体不是JSON对象",
            _ => "请求体不是合法的JSON",
        };
        let doc = Document::parse(bytes).map_err(|error| explain(error).to_string())?;
        doc.object().map_err(|error| explain(error).to_string())?;
        Ok(Self(doc))
    }

    fn root(&self) -> Value<'_> {
        self.0.root()
    }

    /// The product it speaks of, before anything is checked: a product has switches of its own.
    pub(super) fn product_id(&self) -> Option<Cow<'_, str>> {
        self.root().text("productId")
    }

    /// A string that has to be there and to say something.
    pub(super) fn id(&self, key: &str) -> Result<Cow<'_, str>, String> {
        let value = self.root().get(key).ok_or_else(|| missing(key))?;
        let text = value.as_str().ok_or_else(|| wrong(key, "应为字符串"))?;
        if text.is_empty() {
            return Err(wrong(key, "不能为空"));
        }
        if text.len() > MAX_ID {
            return Err(wrong(key, "过长"));
        }
        Ok(text)
    }

    pub(super) fn params(&self, lenient: bool) -> Result<Params<'_>, String> {
        let params = self.root().get("params").ok_or_else(|| missing("params"))?;
        if !params.is_object() {
            return Err(wrong("params", "应为对象"));
        }
        let strict = !lenient;
        let text = |key: &str| {
            let value = match params.get(key) {
                Some(value) => value,
                None if strict => return Err(missing(&named(key))),
                None => return Ok(Cow::Borrowed("")),
            };
            let text = if strict { value.as_str() } else { value.as_text() };
            let text = text.ok_or_else(|| wrong(&named(key), "应为字符串"))?;
            bounded(key, text)
        };
        let filled = |key: &str| {
            let text = text(key)?;
            if strict && text.is_empty() {
                return Err(wrong(&named(key), "不能为空"));
            }
            Ok(text)
        };
        let params = Params {
            inner_ip: inner_ip(params, strict)?,
            net_speed: filled("netSpeed")?,
            net_type: filled("netType")?,
            platform: filled("platform")?,
            sdk_version: filled("sdkVersion")?,
            firmware_version: filled("firmwareVersion")?,
            imei: text("imei")?,
            cmei: text("cmei")?,
            mac: text("mac")?,
        };
        if strict { params.check() } else { Ok(params) }
    }
}

fn inner_ip(params: Value<'_>, strict: bool) -> Result<Vec<Cow<'_, str>>, String> {
    const KEY: &str = "innerIp";
    const NAME: &str = "params.innerIp";
    let value = match params.get(KEY) {
        Some(value) => value,
        None if strict => return Err(missing(NAME)),
        None => return Ok(Vec::new()),
    };
    if !strict && let Some(text) = value.as_str() {
        // A mistake that devices make: one string instead of an array.
        return Ok(alloc::vec![bounded(KEY, text)?]);
    }
    if !value.is_array() {
        return Err(wrong(NAME, "应为字符串数组"));
    }
    let mut addresses = Vec::new();
    for element in value.elements() {
        let text = element.as_str().ok_or_else(|| wrong(NAME, "应为字符串数组"))?;
        if addresses.len() == MAX_ADDRESSES {
            return Err(wrong(NAME, "过长"));
        }
        if strict && text.is_empty() {
            return Err(wrong(NAME, "不能为空"));
        }
        addresses.push(bounded(KEY, text)?);
    }
    if strict && addresses.is_empty() {
        return Err(wrong(NAME, "不能为空"));
    }
    Ok(addresses)
}

fn bounded<'a>(key: &str, text: Cow<'a, str>) -> Result<Cow<'a, str>, String> {
    if text.len() > MAX_PARAM {
        return Err(wrong(&named(key), "过长"));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(&named(key), "含有控制字符"));
    }
    Ok(text)
}

/// A key inside `params`, for people.
fn named(key: &str) -> String {
    ["params.", key].concat()
}

/// `params` of a report.
pub(super) struct Params<'a> {
    inner_ip: Vec<Cow<'a, str>>,
    net_speed: Cow<'a, str>,
    net_type: Cow<'a, str>,
    platform: Cow<'a, str>,
    sdk_version: Cow<'a, str>,
    pub(super) firmware_version: Cow<'a, str>,
    imei: Cow<'a, str>,
    cmei: Cow<'a, str>,
    mac: Cow<'a, str>,
}

impl Params<'_> {
    fn check(self) -> Result<Self, String> {
        if !self.sdk_version.starts_with("ai_") {
            return Err(wrong("params.sdkVersion", "应以ai_开头"));
        }
        if !self.imei.is_empty() && Imei::parse(&self.imei).is_err() {
            return Err(wrong("params.imei", "应为15位数字或空字符串"));
        }
        if Cmei::parse_reported(&self.cmei).is_err() {
            return Err(wrong("params.cmei", "应为11开头的15位数字或空字符串"));
        }
        if !is_dashed_mac(&self.mac) {
            return Err(wrong("params.mac", "格式应为xx-xx-xx-xx-xx-xx或空字符串"));
        }
        Ok(self)
    }

    pub(super) fn object(&self) -> Object {
        Object::new()
            .raw("innerIp", &json::array(self.inner_ip.iter().map(|ip| json::string(ip))))
            .string("netSpeed", &self.net_speed)
            .string("netType", &self.net_type)
            .string("platform", &self.platform)
            .string("sdkVersion", &self.sdk_version)
            .string("firmwareVersion", &self.firmware_version)
            .string("imei", &self.imei)
            .string("cmei", &self.cmei)
            .string("mac", &self.mac)
    }
}

/// `xx-xx-xx-xx-xx-xx` in hex of either case, or nothing.
fn is_dashed_mac(text: &str) -> bool {
    text.is_empty()
        || text.len() == 17
            && text.bytes().enumerate().all(|(i, byte)| match i % 3 {
                2 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
}

fn missing(field: &str) -> String {
    wrong(field, "缺失")
}

fn wrong(field: &str, what: &str) -> String {
    ["参数错误: ", field, " ", what].concat()
}

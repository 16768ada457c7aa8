//! The eight calls of the document, each with parameters that are right by construction.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::json::{self, Object};
use crate::platform::alibaba::cipher::{CipherType, Mac, Random};

/// The calls by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum CallName {
    /// `/awss/enrollee/list/get`
    List,
    /// `/awss/enrollee/product/filter`
    Filter,
    /// `/awss/token/check`
    TokenCheck,
    /// `/awss/token/user/bind`
    TokenBind,
    /// `/awss/time/window/user/bind`
    WindowBind,
    /// `/awss/cipher/get`
    Cipher,
    /// `/thing/gateway/permit`
    Permit,
    /// `/thing/topo/remove`
    TopoRemove,
    /// `/account/checkOrRefreshSession`, beyond the document: another `iotToken`.
    Refresh,
}

impl CallName {
    /// All of them.
    pub const ALL: [CallName; 9] = [
        Self::List,
        Self::Filter,
        Self::TokenCheck,
        Self::TokenBind,
        Self::WindowBind,
        Self::Cipher,
        Self::Permit,
        Self::TopoRemove,
        Self::Refresh,
    ];

    /// As written in settings and on command lines.
    pub fn as_str(self) -> &'static str {
        self.api_ver_key().trim_start_matches("api_ver.")
    }

    /// The path, which is signed.
    pub fn path(self) -> &'static str {
        match self {
            Self::List => "/awss/enrollee/list/get",
            Self::Filter => "/awss/enrollee/product/filter",
            Self::TokenCheck => "/awss/token/check",
            Self::TokenBind => "/awss/token/user/bind",
            Self::WindowBind => "/awss/time/window/user/bind",
            Self::Cipher => "/awss/cipher/get",
            Self::Permit => "/thing/gateway/permit",
            Self::TopoRemove => "/thing/topo/remove",
            Self::Refresh => "/account/checkOrRefreshSession",
        }
    }

    /// The setting for another version than the document's.
    pub(super) fn api_ver_key(self) -> &'static str {
        match self {
            Self::List => "api_ver.list",
            Self::Filter => "api_ver.filter",
            Self::TokenCheck => "api_ver.token_check",
            Self::TokenBind => "api_ver.token_bind",
            Self::WindowBind => "api_ver.window_bind",
            Self::Cipher => "api_ver.cipher",
            Self::Permit => "api_ver.permit",
            Self::TopoRemove => "api_ver.topo_remove",
            Self::Refresh => "api_ver.refresh",
        }
    }

    /// `apiVer` by the document's tables. Its samples say 1.0.2 here and there.
    pub fn document_version(self) -> &'static str {
        match self {
            Self::List | Self::Filter | Self::Cipher => "1.0.7",
            Self::TokenCheck => "1.0.9",
            Self::TokenBind | Self::WindowBind => "1.0.8",
            Self::Permit | Self::TopoRemove => "1.0.2",
            Self::Refresh => "1.0.4",
        }
    }

    /// Whether asking twice does no more than asking once. A second removal would be refused although the first worked.
    pub(super) fn is_repeatable(self) -> bool {
        self != Self::TopoRemove
    }
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A parameter that the document does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ParameterError {
    /// Which, by the document's name.
    pub parameter: &'static str,
    /// What would be right.
    pub problem: &'static str,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.parameter, self.problem)
    }
}

impl core::error::Error for ParameterError {}

fn wrong(parameter: &'static str, problem: &'static str) -> ParameterError {
    ParameterError { parameter, problem }
}

/// A device by the names that it announces itself with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DeviceName {
    /// ProductKey.
    pub product_key: String,
    /// DeviceName.
    pub device_name: String,
}

impl DeviceName {
    /// Names one.
    pub fn new(product_key: &str, device_name: &str) -> Self {
        Self { product_key: product_key.to_string(), device_name: device_name.to_string() }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.product_key, self.device_name)
    }
}

/// What a key is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CipherRequest {
    /// 3, 4, 6 or 7.
    pub cipher: CipherType,
    /// Needed for types 3 and 4.
    pub product_key: Option<String>,
    /// Needed for types 6 and 7: hexadecimal, opaque.
    pub product_id: Option<String>,
    /// Needed for types 4 and 7.
    pub device_name: Option<String>,
    /// Needed for types 6 and 7.
    pub mac: Option<Mac>,
    /// As the device announced it; zeros in broadcast modes.
    pub random: Random,
}

/// One call with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub(super) name: CallName,
    pub(super) params: Params,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Params {
    /// JSON, as it is sent.
    Json(String),
    /// Its second key's spelling is the configuration's.
    TopoRemove { iot_id: String, sub_iot_id: String },
    /// The refresh token is put in when it is sent: no secret rests here.
    Refresh,
}

impl Call {
    /// Which call it is.
    pub fn name(&self) -> CallName {
        self.name
    }

    /// The list of discovered devices: `page_size` 1 to 99, `page_num` from 1.
    pub fn list(page_size: u32, page_num: u32) -> Result<Self, ParameterError> {
        if !(1..=99).contains(&page_size) {
            return Err(wrong("pageSize", "has to be 1 to 99"));
        }
        if page_num < 1 {
            return Err(wrong("pageNum", "starts from 1"));
        }
        let (size, num) = (page_size.to_string(), page_num.to_string());
        let params = Object::new().raw("pageSize", &size).raw("pageNum", &num);
        Ok(Self::json(CallName::List, params))
    }

    /// Of the devices found locally, those that can be bound. `scope_all` includes products under development: how the
    /// SDK's PRODUCT_SCOPE_ALL travels is not documented; (assumed) `productStatusEnv` = `dev`, as on a newer page.
    pub fn filter(devices: &[DeviceName], scope_all: bool) -> Result<Self, ParameterError> {
        // Far below the gateway's body limit, far above what a radio hears.
        if devices.is_empty() || devices.len() > 200 {
            return Err(wrong("iotDevices", "has to hold 1 to 200 devices"));
        }
        let entries: Result<Vec<String>, ParameterError> =
            devices.iter().map(|device| Ok(names(Object::new(), device)?.end())).collect();
        let params = Object::new().raw("iotDevices", &json::array(entries?));
        let params = if scope_all { params.string("productStatusEnv", "dev") } else { params };
        Ok(Self::json(CallName::Filter, params))
    }

    /// Whose token it is. A `device_name` needs a `product_key`.
    pub fn token_check(
        token: &str,
        product_key: Option<&str>,
        device_name: Option<&str>,
    ) -> Result<Self, ParameterError> {
        if device_name.is_some() && product_key.is_none() {
            return Err(wrong("productKey", "has to be given with a deviceName"));
        }
        let mut params = Object::new().string("token", text("token", token)?);
        if let Some(product_key) = product_key {
            params = params.string("productKey", text("productKey", product_key)?);
        }
        if let Some(device_name) = device_name {
            params = params.string("deviceName", text("deviceName", device_name)?);
        }
        Ok(Self::json(CallName::TokenCheck, params))
    }

    /// Binds by the token that the device reported. The document requires a home; newer pages do not.
    pub fn token_bind(
        home_id: Option<&str>,
        device: &DeviceName,
        token: &str,
    ) -> Result<Self, ParameterError> {
        let params = names(home(home_id)?, device)?.string("token", text("token", token)?);
        Ok(Self::json(CallName::TokenBind, params))
    }

    /// Binds in the first minutes after the device's power-on.
    pub fn window_bind(home_id: Option<&str>, device: &DeviceName) -> Result<Self, ParameterError> {
        Ok(Self::json(CallName::WindowBind, names(home(home_id)?, device)?))
    }

    /// The key for handing over Wi-Fi credentials, or for a Bluetooth session.
    pub fn cipher(request: &CipherRequest) -> Result<Self, ParameterError> {
        let cipher = request.cipher;
        let mut info = Object::new();
        match &request.device_name {
            Some(name) => info = info.string("deviceName", text("deviceName", name)?),
            None if cipher.is_per_device() => {
                return Err(wrong("deviceName", "is required for per-device keys (types 4 and 7)"));
            }
            None => {}
        }
        let mut more = Object::new();
        if cipher.is_ble() {
            let id = request.product_id.as_deref().unwrap_or_default();
            if id.is_empty() || id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(wrong("productId", "has to be hexadecimal for Bluetooth devices"));
            }
            let mac = request.mac;
            let mac =
                mac.ok_or_else(|| wrong("params.mac", "is required for Bluetooth devices"))?;
            info = info.string("productId", id);
            more = more.string("mac", &crate::hex::lower(&mac.0));
        } else {
            let key = request.product_key.as_deref();
            let key =
                key.ok_or_else(|| wrong("productKey", "is required for non-Bluetooth devices"))?;
            info = info.string("productKey", text("productKey", key)?);
        }
        let info = info
            .number("cipherType", i64::from(cipher.number()))
            .string("random", &crate::hex::upper(&request.random.0))
            .object("params", more);
        Ok(Self::json(CallName::Cipher, Object::new().object("deviceInfoForCipher", info)))
    }

    /// Opens or closes joining on a gateway: 0 always, 1 to 65534 seconds, 65535 closed.
    pub fn permit(iot_id: &str, product_key: &str, time: u32) -> Result<Self, ParameterError> {
        if time > 65_535 {
            return Err(wrong(
                "time",
                "has to be 0 (always), 1 to 65534 seconds, or 65535 (closed)",
            ));
        }
        let params = Object::new()
            .string("iotId", text("iotId", iot_id)?)
            .string("productKey", text("productKey", product_key)?)
            .number("time", i64::from(time));
        Ok(Self::json(CallName::Permit, params))
    }

    /// Takes a sub-device from its gateway.
    pub fn topo_remove(iot_id: &str, sub_iot_id: &str) -> Result<Self, ParameterError> {
        let params = Params::TopoRemove {
            iot_id: text("iotId", iot_id)?.to_string(),
            sub_iot_id: text("subIotId", sub_iot_id)?.to_string(),
        };
        Ok(Self { name: CallName::TopoRemove, params })
    }

    pub(super) fn refresh() -> Self {
        Self { name: CallName::Refresh, params: Params::Refresh }
    }

    fn json(name: CallName, params: Object) -> Self {
        Self { name, params: Params::Json(params.end()) }
    }
}

fn text<'a>(parameter: &'static str, text: &'a str) -> Result<&'a str, ParameterError> {
    if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
        return Err(wrong(parameter, "has to be text of 1 to 256 bytes"));
    }
    Ok(text)
}

fn names(params: Object, device: &DeviceName) -> Result<Object, ParameterError> {
    Ok(params
        .string("productKey", text("productKey", &device.product_key)?)
        .string("deviceName", text("deviceName", &device.device_name)?))
}

fn home(home_id: Option<&str>) -> Result<Object, ParameterError> {
    match home_id {
        Some(home_id) => Ok(Object::new().string("homeId", text("homeId", home_id)?)),
        None => Ok(Object::new()),
    }
}

/// The whole body of a call.
pub(super) fn envelope(
    call: &Call,
    config: &super::AppConfig,
    iot_token: Option<&str>,
    refresh_token: Option<&str>,
    id: &str,
) -> Vec<u8> {
    let mut request = Object::new().string("apiVer", config.api_ver(call.name));
    if call.name != CallName::Refresh {
        request = request.maybe("iotToken", iot_token);
    }
    request = request.string("language", &config.language);
    if matches!(call.name, CallName::TokenBind | CallName::WindowBind) {
        request = request.string("appKey", &config.app_key);
    }
    let params = match &call.params {
        Params::Json(json) => json.clone(),
        Params::TopoRemove { iot_id, sub_iot_id } => {
            Object::new().string("iotId", iot_id).string(config.sub_iot_id_key, sub_iot_id).end()
        }
        Params::Refresh => {
            let request = Object::new()
                .maybe("refreshToken", refresh_token)
                .maybe("identityId", config.identity_id.as_deref());
            Object::new().object("request", request).end()
        }
    };
    Object::new()
        .string("id", id)
        .string("version", "1.0")
        .object("request", request)
        .raw("params", &params)
        .bytes()
}

/// The path of `base_url`, which the signature covers too, and the call's own.
pub(super) fn signed_path(base_url: &str, call: CallName) -> String {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let prefix = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{prefix}{}", call.path())
}

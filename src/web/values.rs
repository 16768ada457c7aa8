//! Values that cross into JavaScript and back, and errors.

use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::agent::Stored;
use crate::alibaba::cipher::{CipherType, Mac, Random};
use crate::app::{BindBy, BindPlan, Call, CallName, CipherPlan, CipherRequest, DeviceName, Wifi};
#[cfg(feature = "cloud")]
use crate::cloud::OperationError;
use crate::error::{ApiMisuse, ConfigError, Error};
use crate::input::Intent;
use crate::output::StoreKey;
use crate::platform::PlatformName;
use crate::secret::{Secret, SecretBytes};
use crate::settings::Settings;

/// What a device is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceOptions {
    pub(super) platform: PlatformName,
    pub(super) settings: BTreeMap<String, String>,
    /// By the names of [`StoreKey`], and [`VERSION`].
    #[serde(default)]
    pub(super) stored: BTreeMap<String, Vec<u8>>,
}

/// The name under which the version of the installed image is stored.
pub(super) const VERSION: &str = "version";

impl DeviceOptions {
    pub(super) fn settings(&self) -> Settings {
        let mut settings = settings(&self.settings);
        // What was installed is what runs.
        if let Some(version) =
            self.stored.get(VERSION).and_then(|bytes| core::str::from_utf8(bytes).ok())
        {
            settings.set("firmware_version", version);
        }
        settings
    }

    pub(super) fn stored(&self) -> Stored {
        let mut stored = Stored::empty();
        for key in StoreKey::ALL {
            if let Some(value) = self.stored.get(key.name()) {
                stored.insert(key, SecretBytes::new(value.clone()));
            }
        }
        stored
    }
}

pub(super) fn settings(given: &BTreeMap<String, String>) -> Settings {
    let mut settings = Settings::new();
    for (key, value) in given {
        settings.set(key, value);
    }
    settings
}

/// What a person, or the firmware around us, wants.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntentInput {
    intent: String,
    /// Of `use`: `yyyymmdd`.
    #[serde(default)]
    date: Option<u32>,
    /// Of `post_properties`: a JSON object.
    #[serde(default)]
    json: Option<String>,
}

impl IntentInput {
    pub(super) fn build(self) -> Result<Intent, JsValue> {
        Ok(match &*self.intent {
            "try_again" => Intent::TryAgain,
            "register_again" => Intent::RegisterAgain,
            "use" => Intent::Use { date: need(self.date, "date")? },
            "report" => Intent::Report,
            "post_properties" => Intent::PostProperties { json: need(self.json, "json")? },
            "new_bind_token" => Intent::NewBindToken,
            "request_firmware" => Intent::RequestFirmware,
            _ => return Err(invalid("intent", "is nothing that a device knows")),
        })
    }
}

/// A device by its two names.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DeviceNameOf {
    product_key: String,
    device_name: String,
}

impl From<DeviceNameOf> for DeviceName {
    fn from(name: DeviceNameOf) -> Self {
        Self { product_key: name.product_key, device_name: name.device_name }
    }
}

/// One of the owner's calls: its name, and what it takes. Flat, because a tagged enum is ten times the code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppCall {
    call: String,
    #[serde(default)]
    page_size: Option<u32>,
    #[serde(default)]
    page_num: Option<u32>,
    #[serde(default)]
    devices: Vec<DeviceNameOf>,
    #[serde(default)]
    scope_all: bool,
    #[serde(default)]
    device: Option<DeviceNameOf>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    home_id: Option<String>,
    #[serde(default)]
    r#type: Option<u32>,
    #[serde(default)]
    product_key: Option<String>,
    #[serde(default)]
    product_id: Option<String>,
    #[serde(default)]
    device_name: Option<String>,
    #[serde(default)]
    mac: Option<String>,
    #[serde(default)]
    random: Option<String>,
    #[serde(default)]
    iot_id: Option<String>,
    #[serde(default)]
    sub_iot_id: Option<String>,
    #[serde(default)]
    time: Option<u32>,
}

/// The guided bind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppBindPlan {
    /// What was found; empty: ask the cloud for its list.
    #[serde(default)]
    devices: Vec<DeviceNameOf>,
    /// Which of them; the first that can be bound if absent.
    #[serde(default)]
    choose: Option<DeviceNameOf>,
    /// Also products under development.
    #[serde(default)]
    scope_all: bool,
    /// `token` or `window`.
    by: String,
    /// The token, if it is known already.
    #[serde(default)]
    token: Option<String>,
    /// The configured home if absent.
    #[serde(default)]
    home_id: Option<String>,
    /// Ask for a key and hand Wi-Fi credentials over first.
    #[serde(default)]
    cipher: Option<AppCipherPlan>,
}

/// Which key, and what to encrypt with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AppCipherPlan {
    r#type: u32,
    /// As the device announced it; zeros if absent.
    #[serde(default)]
    random: Option<String>,
    #[serde(default)]
    mac: Option<String>,
    #[serde(default)]
    product_id: Option<String>,
    /// The network that the device is to join.
    #[serde(default)]
    ssid: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

impl AppCall {
    /// The call as the core makes it, for the configured home if it names none.
    pub(super) fn build(self, home: Option<&str>) -> Result<Call, JsValue> {
        let home = self.home_id.as_deref().or(home);
        match &*self.call {
            "list" => Call::list(self.page_size.unwrap_or(20), self.page_num.unwrap_or(1)),
            "filter" => {
                let devices: Vec<DeviceName> = self.devices.into_iter().map(Into::into).collect();
                Call::filter(&devices, self.scope_all)
            }
            "token_check" => Call::token_check(
                &need(self.token, "token")?,
                self.product_key.as_deref(),
                self.device_name.as_deref(),
            ),
            "token_bind" => {
                let device = need(self.device, "device")?.into();
                Call::token_bind(home, &device, &need(self.token, "token")?)
            }
            "window_bind" => Call::window_bind(home, &need(self.device, "device")?.into()),
            "cipher" => Call::cipher(&CipherRequest {
                cipher: cipher_type(need(self.r#type, "type")?)?,
                product_key: self.product_key,
                product_id: self.product_id,
                device_name: self.device_name,
                mac: self.mac.as_deref().map(mac_of).transpose()?,
                random: random_of(&need(self.random, "random")?)?,
            }),
            "permit" => Call::permit(
                &need(self.iot_id, "iot_id")?,
                &need(self.product_key, "product_key")?,
                need(self.time, "time")?,
            ),
            "topo_remove" => Call::topo_remove(
                &need(self.iot_id, "iot_id")?,
                &need(self.sub_iot_id, "sub_iot_id")?,
            ),
            _ => return Err(invalid("call", "is none of the owner's calls")),
        }
        .map_err(|error| invalid(error.parameter, error.problem))
    }
}

fn need<T>(value: Option<T>, name: &str) -> Result<T, JsValue> {
    value.ok_or_else(|| invalid(name, "is missing"))
}

impl AppBindPlan {
    pub(super) fn build(self) -> Result<BindPlan, JsValue> {
        let cipher = match self.cipher {
            None => None,
            Some(plan) => Some(CipherPlan {
                cipher: cipher_type(plan.r#type)?,
                random: match &plan.random {
                    Some(random) => random_of(random)?,
                    None => random_of("00000000000000000000000000000000")?,
                },
                mac: plan.mac.as_deref().map(mac_of).transpose()?,
                product_id: plan.product_id,
                wifi: plan.ssid.map(|ssid| Wifi {
                    ssid,
                    password: Secret::new(plan.password.unwrap_or_default()),
                }),
            }),
        };
        Ok(BindPlan {
            devices: self.devices.into_iter().map(Into::into).collect(),
            choose: self.choose.map(Into::into),
            scope_all: self.scope_all,
            cipher,
            by: match &*self.by {
                "token" => BindBy::Token(self.token),
                "window" => BindBy::Window,
                _ => return Err(invalid("by", "has to be token or window")),
            },
            home_id: self.home_id,
        })
    }
}

fn cipher_type(number: u32) -> Result<CipherType, JsValue> {
    CipherType::from_number(number.into()).ok_or_else(|| invalid("type", "has to be 3, 4, 6 or 7"))
}

fn mac_of(text: &str) -> Result<Mac, JsValue> {
    text.parse().map_err(|_| invalid("mac", "has to be a MAC address"))
}

fn random_of(text: &str) -> Result<Random, JsValue> {
    text.parse().map_err(|_| invalid("random", "has to be 32 hex characters"))
}

/// A value for JavaScript: plain objects, `undefined` for what is absent, numbers for all numbers.
pub(super) fn js<T: Serialize + ?Sized>(value: &T) -> JsValue {
    let serializer = Serializer::new()
        .serialize_maps_as_objects(true)
        .serialize_missing_as_null(true)
        .serialize_large_number_types_as_bigints(false);
    value.serialize(&serializer).unwrap_or(JsValue::NULL)
}

/// A value from JavaScript. The message of a failure names the field, and holds no value.
pub(super) fn from_js<T: serde::de::DeserializeOwned>(
    what: &str,
    value: JsValue,
) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| {
        let text = JsValue::from(error);
        let text = js_sys::Error::from(text).message();
        fault("misuse", &std::format!("{what}: {}", String::from(text)), None, JsValue::NULL)
    })
}

/// An `Error` with a code, the next move and more.
pub(super) fn fault(code: &str, message: &str, next: Option<&str>, data: JsValue) -> JsValue {
    let error = js_sys::Error::new(message);
    let set = |name: &str, value: JsValue| {
        let _ = js_sys::Reflect::set(&error, &name.into(), &value);
    };
    set("name", "MusterError".into());
    set("code", code.into());
    if let Some(next) = next {
        set("next", next.into());
    }
    set("data", data);
    error.into()
}

#[derive(Serialize)]
struct BadSetting<'a> {
    key: &'a str,
    problem: &'a str,
}

/// An input of a calculator.
pub(super) fn bad_value(key: &str, problem: &str) -> JsValue {
    fault("invalid", &std::format!("{key}: {problem}"), None, js(&BadSetting { key, problem }))
}

fn invalid(key: &str, problem: &str) -> JsValue {
    fault("invalid", &std::format!("{key} {problem}"), None, js(&BadSetting { key, problem }))
}

pub(super) fn config(error: &ConfigError) -> JsValue {
    let data = js(&BadSetting { key: &error.key, problem: &error.problem });
    fault("config", &error.to_string(), None, data)
}

pub(super) fn misuse(error: &ApiMisuse) -> JsValue {
    let (code, next) = match error {
        ApiMisuse::Config(error) => return config(error),
        ApiMisuse::StoredForAnotherDevice => {
            ("stored_for_another_device", Some("give this device a name of its own in the storage"))
        }
        ApiMisuse::StoredUnreadable(_) => ("stored_unreadable", None),
        ApiMisuse::IntentNotSupported => ("not_supported", None),
        _ => ("misuse", None),
    };
    fault(code, &error.to_string(), next, JsValue::NULL)
}

#[cfg(feature = "cloud")]
pub(super) fn refused(error: &OperationError) -> JsValue {
    let code = js(&error.kind).as_string().unwrap_or_default();
    fault(&code, &error.message, None, JsValue::NULL)
}

pub(super) fn call_failed(call: CallName, error: &Error) -> JsValue {
    let text = std::format!("{} failed", call.path());
    fault("call_failed", &text, None, js(error))
}

/// The two ends of a promise.
pub(super) struct Reply {
    resolve: js_sys::Function,
    reject: js_sys::Function,
}

impl Reply {
    pub(super) fn give(self, result: Result<JsValue, JsValue>) {
        let (call, value) = match result {
            Ok(value) => (self.resolve, value),
            Err(error) => (self.reject, error),
        };
        let _ = call.call1(&JsValue::UNDEFINED, &value);
    }
}

/// A promise, whose end is given to `hand`. Far smaller than a future for each.
pub(super) fn promise(hand: impl FnOnce(Reply)) -> js_sys::Promise {
    let mut hand = Some(hand);
    js_sys::Promise::new(&mut |resolve, reject| {
        if let Some(hand) = hand.take() {
            hand(Reply { resolve, reject });
        }
    })
}

/// What is asked of something that is over.
pub(super) fn stopped() -> JsValue {
    fault("stopped", "it was stopped", Some("start another one"), JsValue::NULL)
}

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
use crate::cloud::OperationError;
use crate::error::{ApiMisuse, ConfigError, Error};
use crate::input::Intent;
use crate::output::StoreKey;
use crate::platform::PlatformName;
use crate::secret::{Secret, SecretBytes};
use crate::settings::Settings;
use crate::time::Timer;

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

/// What will happen next, unless something else happens before.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Next {
    /// When: milliseconds since 1970.
    pub at: f64,
    /// Why.
    pub why: NextWhy,
}

/// Why something will happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NextWhy {
    /// The reply to the step in hand is late.
    Reply,
    /// Back-off is over: connect, or ask again.
    Retry,
    /// A heartbeat or a periodic report is due.
    Heartbeat,
    /// A token that this device made runs out, or has to be reported again.
    Token,
    /// Progress of an update has to be reported, or an update gave no sign of life.
    Update,
    /// The wall clock is to be compared with the monotonic one.
    Clock,
    /// MQTT's PINGREQ is due, or the answer to one is late.
    KeepAlive,
}

impl From<Timer> for NextWhy {
    fn from(timer: Timer) -> Self {
        match timer {
            Timer::Reply => Self::Reply,
            Timer::Retry => Self::Retry,
            Timer::Heartbeat => Self::Heartbeat,
            Timer::Token => Self::Token,
            Timer::Update => Self::Update,
            Timer::Clock => Self::Clock,
        }
    }
}

/// What a person, or the firmware around us, wants.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum IntentInput {
    /// Go on after a stop; also cuts a back-off short.
    TryAgain,
    /// Forget the stored credential and register anew.
    RegisterAgain,
    /// The device is used on this local date.
    Use {
        /// `yyyymmdd`.
        date: u32,
    },
    /// Send the heartbeat or version report now.
    Report,
    /// Post properties.
    PostProperties {
        /// JSON object.
        json: String,
    },
    /// Make a new bind token and report it (Alibaba).
    NewBindToken,
    /// Ask whether an update is pending (UCloud).
    RequestFirmware,
}

impl From<IntentInput> for Intent {
    fn from(intent: IntentInput) -> Self {
        match intent {
            IntentInput::TryAgain => Self::TryAgain,
            IntentInput::RegisterAgain => Self::RegisterAgain,
            IntentInput::Use { date } => Self::Use { date },
            IntentInput::Report => Self::Report,
            IntentInput::PostProperties { json } => Self::PostProperties { json },
            IntentInput::NewBindToken => Self::NewBindToken,
            IntentInput::RequestFirmware => Self::RequestFirmware,
        }
    }
}

/// A device by its two names.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DeviceNameOf {
    /// ProductKey.
    pub product_key: String,
    /// DeviceName.
    pub device_name: String,
}

impl From<DeviceNameOf> for DeviceName {
    fn from(name: DeviceNameOf) -> Self {
        Self { product_key: name.product_key, device_name: name.device_name }
    }
}

/// One of the owner's calls.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum AppCall {
    /// `/awss/enrollee/list/get`
    List {
        /// 1 to 99; 20 if absent.
        #[serde(default)]
        page_size: Option<u32>,
        /// From 1.
        #[serde(default)]
        page_num: Option<u32>,
    },
    /// `/awss/enrollee/product/filter`
    Filter {
        /// Which.
        devices: Vec<DeviceNameOf>,
        /// Also products under development.
        #[serde(default)]
        scope_all: Option<bool>,
    },
    /// `/awss/token/check`
    TokenCheck {
        /// As the device reported it.
        token: String,
        /// ProductKey.
        #[serde(default)]
        product_key: Option<String>,
        /// DeviceName; needs the ProductKey.
        #[serde(default)]
        device_name: Option<String>,
    },
    /// `/awss/token/user/bind`
    TokenBind {
        /// Which.
        device: DeviceNameOf,
        /// As it reported it.
        token: String,
        /// The configured home if absent.
        #[serde(default)]
        home_id: Option<String>,
    },
    /// `/awss/time/window/user/bind`
    WindowBind {
        /// Which.
        device: DeviceNameOf,
        /// The configured home if absent.
        #[serde(default)]
        home_id: Option<String>,
    },
    /// `/awss/cipher/get`
    Cipher {
        /// 3, 4, 6 or 7.
        r#type: u32,
        /// For types 3 and 4.
        #[serde(default)]
        product_key: Option<String>,
        /// For types 6 and 7.
        #[serde(default)]
        product_id: Option<String>,
        /// For types 4 and 7.
        #[serde(default)]
        device_name: Option<String>,
        /// For types 6 and 7.
        #[serde(default)]
        mac: Option<String>,
        /// 32 hex characters.
        random: String,
    },
    /// `/thing/gateway/permit`
    Permit {
        /// Of the gateway.
        iot_id: String,
        /// Of the sub-devices.
        product_key: String,
        /// 0 always, 1–65534 seconds, 65535 closed.
        time: u32,
    },
    /// `/thing/topo/remove`
    TopoRemove {
        /// Of the gateway.
        iot_id: String,
        /// Of the sub-device.
        sub_iot_id: String,
    },
}

/// The guided bind.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct AppBindPlan {
    /// What was found; empty: ask the cloud for its list.
    pub devices: Vec<DeviceNameOf>,
    /// Which of them; the first that can be bound if absent.
    #[serde(default)]
    pub choose: Option<DeviceNameOf>,
    /// Also products under development.
    #[serde(default)]
    pub scope_all: Option<bool>,
    /// How.
    pub by: AppBindBy,
    /// The token, if it is known already.
    #[serde(default)]
    pub token: Option<String>,
    /// The configured home if absent.
    #[serde(default)]
    pub home_id: Option<String>,
    /// Ask for a key and hand Wi-Fi credentials over first.
    #[serde(default)]
    pub cipher: Option<AppCipherPlan>,
}

/// How a device is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AppBindBy {
    /// By the token that it announces.
    Token,
    /// By the time since its power-on.
    Window,
}

/// Which key, and what to encrypt with it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct AppCipherPlan {
    /// 3, 4, 6 or 7.
    pub r#type: u32,
    /// As the device announced it; zeros if absent.
    #[serde(default)]
    pub random: Option<String>,
    /// For types 6 and 7.
    #[serde(default)]
    pub mac: Option<String>,
    /// For types 6 and 7.
    #[serde(default)]
    pub product_id: Option<String>,
    /// The network that the device is to join.
    #[serde(default)]
    pub ssid: Option<String>,
    /// Its password.
    #[serde(default)]
    pub password: Option<String>,
}

impl AppCall {
    /// The call as the core makes it, for the configured home if it names none.
    pub(super) fn build(self, home: Option<&str>) -> Result<Call, JsValue> {
        match self {
            Self::List { page_size, page_num } => {
                Call::list(page_size.unwrap_or(20), page_num.unwrap_or(1))
            }
            Self::Filter { devices, scope_all } => {
                let devices: Vec<DeviceName> = devices.into_iter().map(Into::into).collect();
                Call::filter(&devices, scope_all.unwrap_or(false))
            }
            Self::TokenCheck { token, product_key, device_name } => {
                Call::token_check(&token, product_key.as_deref(), device_name.as_deref())
            }
            Self::TokenBind { device, token, home_id } => {
                Call::token_bind(home_id.as_deref().or(home), &device.into(), &token)
            }
            Self::WindowBind { device, home_id } => {
                Call::window_bind(home_id.as_deref().or(home), &device.into())
            }
            Self::Cipher { r#type, product_key, product_id, device_name, mac, random } => {
                Call::cipher(&CipherRequest {
                    cipher: cipher_type(r#type)?,
                    product_key,
                    product_id,
                    device_name,
                    mac: mac.as_deref().map(mac_of).transpose()?,
                    random: random_of(&random)?,
                })
            }
            Self::Permit { iot_id, product_key, time } => Call::permit(&iot_id, &product_key, time),
            Self::TopoRemove { iot_id, sub_iot_id } => Call::topo_remove(&iot_id, &sub_iot_id),
        }
        .map_err(|error| invalid(error.parameter, error.problem))
    }
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
            scope_all: self.scope_all.unwrap_or(false),
            cipher,
            by: match self.by {
                AppBindBy::Token => BindBy::Token(self.token),
                AppBindBy::Window => BindBy::Window,
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

/// What a call returned, in the words of [`crate::app::Reply`].
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum AppReply {
    /// Of `list`.
    Discovered {
        /// The page.
        page: crate::app::Discovered,
    },
    /// Of `filter`.
    Filtered {
        /// Those that can be bound.
        devices: Vec<crate::app::Bindable>,
    },
    /// Of `token_check`.
    Token {
        /// Whose.
        holder: crate::app::TokenHolder,
    },
    /// Of the two binds.
    Bound {
        /// The device's.
        iot_id: String,
    },
    /// Of `cipher`: 32 hex characters. A secret: it is told to the caller alone.
    Key {
        /// AES-128.
        key: String,
    },
    /// Of the calls that return nothing.
    Done,
}

impl From<crate::app::Reply> for AppReply {
    fn from(reply: crate::app::Reply) -> Self {
        use crate::app::Reply;
        match reply {
            Reply::Discovered(page) => Self::Discovered { page },
            Reply::Filtered(devices) => Self::Filtered { devices },
            Reply::Token(holder) => Self::Token { holder },
            Reply::Bound { iot_id } => Self::Bound { iot_id },
            Reply::Key(key) => Self::Key { key: key.hex().expose().into() },
            Reply::Done => Self::Done,
        }
    }
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

pub(super) fn refused(error: &OperationError) -> JsValue {
    let code = js(&error.kind).as_string().unwrap_or_default();
    fault(&code, &error.message, None, JsValue::NULL)
}

pub(super) fn call_failed(call: CallName, error: &Error) -> JsValue {
    let text = std::format!("{} failed", call.path());
    fault("call_failed", &text, None, js(error))
}

/// What is asked of something that is over.
pub(super) fn stopped() -> JsValue {
    fault("stopped", "it was stopped", Some("start another one"), JsValue::NULL)
}

//! Values that cross into JavaScript, errors, and promises.

use std::format;
use std::string::ToString;

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

#[cfg(feature = "cloud")]
use crate::cloud::OperationError;
use crate::error::{ApiMisuse, ConfigError};

/// A value for JavaScript: plain objects, `null` for what is absent, numbers for all numbers.
pub(super) fn js<T: Serialize + ?Sized>(value: &T) -> JsValue {
    let serializer = Serializer::new()
        .serialize_maps_as_objects(true)
        .serialize_missing_as_null(true)
        .serialize_large_number_types_as_bigints(false);
    value.serialize(&serializer).unwrap_or(JsValue::NULL)
}

/// An object of these members.
pub(super) fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in members {
        let _ = js_sys::Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
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

fn wrong(key: &str, problem: &str) -> JsValue {
    object(&[("key", key.into()), ("problem", problem.into())])
}

/// An input of a calculator.
#[cfg(feature = "tool")]
pub(super) fn bad_value(key: &str, problem: &str) -> JsValue {
    fault("misuse", &format!("{key}: {problem}"), None, wrong(key, problem))
}

/// An input that says nothing which is known here. Not `invalid`, which is an operator's word: a cloud refused.
pub(super) fn invalid(key: &str, problem: &str) -> JsValue {
    fault("misuse", &format!("{key} {problem}"), None, wrong(key, problem))
}

pub(super) fn config(error: &ConfigError) -> JsValue {
    let data = wrong(&error.key, &error.problem);
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

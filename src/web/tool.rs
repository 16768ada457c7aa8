//! The calculators: see [`crate::tool`].

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::string::String;
use wasm_bindgen::prelude::*;

use super::{fetch, values};
use crate::tool::{self as core, ToolError};

/// Computes: the name of a calculator and its input in, its result out. Throws a `MusterError` that names the input.
#[wasm_bindgen]
pub fn tool(name: &str, input: JsValue) -> Result<JsValue, JsValue> {
    match name {
        "cipher" => done(core::cipher(&read(input)?)),
        "sign" => done(core::sign(&read(input)?)),
        "credentials" => done(core::credentials(&read(input)?)),
        "credential_modes" => Ok(modes()),
        "cmei_check" => Ok(values::js(&core::cmei_check(&text(input, "cmei")))),
        "cmei_build" => done(core::cmei_build(&read(input)?, &mut random())),
        "cmei_batch" => done(core::cmei_batch(&read(input)?, &mut random())),
        "imei_check" => Ok(values::js(&core::imei_check(&text(input, "imei")))),
        _ => Err(values::fault("misuse", "there is no such calculator", None, JsValue::NULL)),
    }
}

fn read<T: DeserializeOwned>(input: JsValue) -> Result<T, JsValue> {
    values::from_js("input", input)
}

fn text(input: JsValue, name: &str) -> String {
    let value = js_sys::Reflect::get(&input, &name.into()).ok();
    value.and_then(|value| value.as_string()).unwrap_or_default()
}

fn done<T: Serialize>(result: Result<T, ToolError>) -> Result<JsValue, JsValue> {
    match result {
        Ok(value) => Ok(values::js(&value)),
        Err(error) => Err(values::bad_value(&error.input, &error.problem)),
    }
}

fn modes() -> JsValue {
    let all = js_sys::Object::new();
    for platform in crate::PlatformName::ALL {
        let modes = values::js(core::credential_modes(platform));
        let _ = js_sys::Reflect::set(&all, &platform.as_str().into(), &modes);
    }
    all.into()
}

/// The last digit of a number means nothing: without entropy it is as good as any.
fn random() -> impl FnMut() -> u8 {
    let (mut block, mut used) = ([0; 32], 32);
    move || {
        if used == block.len() {
            block = fetch::seed().unwrap_or_default();
            used = 0;
        }
        used += 1;
        block.get(used - 1).copied().unwrap_or_default()
    }
}

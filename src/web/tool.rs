//! The calculators: see [`crate::tool`].

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::read::Members;
use super::{fetch, values};
use crate::secret::SecretBytes;
use crate::tool::{self as core, ToolError};

/// Computes: the name of a calculator and its input in, its result out. Throws a `MusterError` that names the input.
#[wasm_bindgen]
pub fn tool(name: &str, input: JsValue) -> Result<JsValue, JsValue> {
    if name == "credential_modes" {
        return Ok(modes());
    }
    let of = Members::of("input", input)?;
    let result = match name {
        "cipher" => done(core::cipher(&core::CipherInput {
            r#type: of.number("type")?,
            secret: of.text("secret")?,
            random: of.text("random")?,
            mac: of.maybe_text("mac")?,
        })),
        "sign" => {
            let input = core::SignInput {
                algorithm: of.maybe_text("algorithm")?,
                secret: of.text("secret")?,
                method: of.maybe_text("method")?,
                path: of.text("path")?,
                query: of.pairs("query")?,
                form: of.pairs("form")?,
                headers: of.pairs("headers")?,
                body: of.maybe_text("body")?,
            };
            // Whatever else a request has, a signature does not cover.
            return done(core::sign(&input));
        }
        "credentials" => done(core::credentials(&core::CredentialsInput {
            platform: of.platform("platform")?,
            mode: of.text("mode")?,
            settings: of.map("settings")?,
        })),
        "cmei_check" => Ok(values::js(&core::cmei_check(&of.text("cmei")?))),
        "cmei_build" => {
            let (tui, serial) = (of.text("tui")?, of.number("serial")?);
            let input = core::CmeiBuildInput { tui, serial, digit: of.maybe_text("digit")? };
            done(core::cmei_build(&input, &mut random()))
        }
        "cmei_batch" => {
            let (tui, count) = (of.text("tui")?, of.number("count")?);
            let first = of.maybe_number("first")?.unwrap_or(0);
            let input = core::CmeiBatchInput { tui, first, count, digit: of.maybe_text("digit")? };
            done(core::cmei_batch(&input, &mut random()))
        }
        "wifi" => done(core::wifi(&core::WifiInput {
            key: of.text("key")?,
            random: of.text("random")?,
            password: of.maybe_text("password")?,
            passwd: of.maybe_text("passwd")?,
        })),
        "handover" => handover(&of),
        "nvs" => nvs(&of),
        "imei_check" => Ok(values::js(&core::imei_check(&of.text("imei")?))),
        _ => {
            return Err(values::fault(
                "misuse",
                "there is no such calculator",
                None,
                JsValue::NULL,
            ));
        }
    };
    of.finish()?;
    result
}

/// What a device stored, as a file: the result has its `bytes`.
fn handover(of: &Members) -> Result<JsValue, JsValue> {
    let form = of.text("form")?;
    let form = core::HandoverForm::from_name(&form)
        .ok_or_else(|| values::bad_value("form", "has to be json, header, csv or nvs"))?;
    let format = of.maybe_number("format")?.unwrap_or(2);
    let format = core::NvsFormat::from_number(format)
        .ok_or_else(|| values::bad_value("format", "has to be 1 or 2"))?;
    let input = core::HandoverInput {
        platform: of.platform("platform")?,
        credential: SecretBytes::new(of.text("credential")?.into_bytes()),
        form,
        namespace: of.maybe_text("namespace")?,
        size: of.maybe_number("size")?,
        format,
    };
    let made = core::handover(&input).map_err(|e| values::bad_value(&e.input, &e.problem))?;
    let result = values::js(&made);
    let bytes = js_sys::Uint8Array::from(made.bytes.expose());
    let _ = js_sys::Reflect::set(&result, &"bytes".into(), &bytes);
    Ok(result)
}

/// An image of an NVS partition from Espressif's CSV; rows that name files cannot be read here.
fn nvs(of: &Members) -> Result<JsValue, JsValue> {
    let wrong = |error: ToolError| values::bad_value(&error.input, &error.problem);
    let format = of.maybe_number("format")?.unwrap_or(2);
    let format = core::NvsFormat::from_number(format)
        .ok_or_else(|| values::bad_value("format", "has to be 1 or 2"))?;
    let size = of.number("size")?;
    let no_files = |_: &str| Err("a page reads no files: write the value into the row".into());
    let entries = core::nvs_rows(&of.text("csv")?, no_files).map_err(wrong)?;
    let image = core::nvs_image(&entries, size, format).map_err(wrong)?;
    Ok(values::object(&[
        ("places", values::js(&image.places)),
        ("pages_used", image.pages_used.into()),
        ("pages", (size / 4096).into()),
        ("read_only", image.read_only.into()),
        ("bytes", js_sys::Uint8Array::from(image.bytes.expose()).into()),
    ]))
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

//! A recorded life, step by step: see [`crate::replay`].

use std::string::ToString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wasm_bindgen::prelude::*;

use super::{fetch, values};
use crate::replay::{Player, Recording, ReplayError};
use crate::secret::SecretBytes;

/// A recorded life, at one of its steps.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Replay {
    player: Player,
}

#[wasm_bindgen]
impl Replay {
    /// From what `Device.recording()` gave, or from a session file: Base64. Throws a `MusterError` if it is none, or the
    /// device cannot begin as recorded.
    #[wasm_bindgen(constructor)]
    pub fn new(recording: JsValue) -> Result<Replay, JsValue> {
        let bytes = match recording.as_string() {
            Some(text) => STANDARD.decode(text).ok(),
            None => recording.dyn_ref::<js_sys::Uint8Array>().map(js_sys::Uint8Array::to_vec),
        };
        let bytes = SecretBytes::new(bytes.ok_or_else(|| thrown(&ReplayError::Unreadable))?);
        let recording = Recording::read(bytes.expose()).map_err(|error| thrown(&error))?;
        let player = Player::new(recording).map_err(|error| thrown(&error))?;
        Ok(Self { player })
    }

    /// How many inputs there are; the last step.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.player.length()
    }

    /// At which step it is.
    #[wasm_bindgen(getter)]
    pub fn at(&self) -> usize {
        self.player.at()
    }

    /// One step forward; false at the end.
    pub fn step(&mut self) -> bool {
        self.player.step()
    }

    /// One step back; false at the beginning.
    pub fn back(&mut self) -> bool {
        self.player.back()
    }

    /// To this step, or the last one.
    #[wasm_bindgen(js_name = goTo)]
    pub fn go_to(&mut self, step: usize) {
        self.player.go_to(step);
    }

    /// The step that it is at: a `ReplayPlace`.
    pub fn place(&self) -> JsValue {
        values::js(&self.player.place())
    }

    /// All steps in few words: a list of `ReplayMark`.
    pub fn marks(&self) -> JsValue {
        values::js(&self.player.marks())
    }

    /// Runs all of it, and says where this build says something else than was recorded: a `ReplayCheck`.
    pub fn check(&self) -> Result<JsValue, JsValue> {
        self.player.check().map(|check| values::js(&check)).map_err(|error| thrown(&error))
    }

    /// For a session file: Base64 without a secret in it, the first step at which the stand-ins lead elsewhere, and how
    /// much there is.
    pub fn cover(&self) -> Result<JsValue, JsValue> {
        let covered = self.player.recording().cover(fetch::seed()?);
        let covered = covered.map_err(|error| thrown(&error))?;
        let text = STANDARD.encode(covered.recording.to_bytes().expose());
        Ok(values::object(&[
            ("core", covered.recording.core.as_str().into()),
            ("steps", number(covered.recording.inputs.len())),
            ("dropped", number(usize::try_from(covered.recording.dropped).unwrap_or(usize::MAX))),
            ("strays", covered.strays.map_or(JsValue::NULL, number)),
            ("recording", text.into()),
        ]))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn number(n: usize) -> JsValue {
    JsValue::from_f64(n as f64)
}

fn thrown(error: &ReplayError) -> JsValue {
    let code = match error {
        ReplayError::Misuse(misuse) => return values::misuse(misuse),
        ReplayError::Newer(_) | ReplayError::Unknown => "replay_unknown",
        ReplayError::SecretLeft => "replay_secret_left",
        _ => "replay_unreadable",
    };
    let next = match error {
        ReplayError::Newer(_) | ReplayError::Unknown => Some("open it with a newer build"),
        _ => None,
    };
    values::fault(code, &error.to_string(), next, JsValue::NULL)
}

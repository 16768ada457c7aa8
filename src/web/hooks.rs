//! What the JavaScript around us does for us.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Of a [`Device`](super::Device).
    pub type DeviceHooks;

    /// New lines of the timeline: an array of `Entry`.
    #[wasm_bindgen(method)]
    pub(super) fn entries(this: &DeviceHooks, entries: Array);

    /// What will happen next: a `Next`, or null.
    #[wasm_bindgen(method)]
    pub(super) fn next(this: &DeviceHooks, next: JsValue);

    /// How far the rules of faults are: an array of `Armed`.
    #[wasm_bindgen(method)]
    pub(super) fn faults(this: &DeviceHooks, armed: JsValue);

    /// A fault has cut the power. It is back after so many milliseconds, or not at all (null).
    #[wasm_bindgen(method)]
    pub(super) fn cut(this: &DeviceHooks, restart_ms: JsValue);

    /// Puts a value under a name, or erases it (no value). The promise settles when that will survive a power cut.
    #[wasm_bindgen(method, catch)]
    pub(super) fn store(
        this: &DeviceHooks,
        key: &str,
        value: Option<Uint8Array>,
    ) -> Result<Promise, JsValue>;

    /// Of an `App`.
    #[cfg(feature = "app")]
    pub type AppHooks;

    /// New lines of the timeline: an array of `Entry`.
    #[cfg(feature = "app")]
    #[wasm_bindgen(method)]
    pub(super) fn entries(this: &AppHooks, entries: Array);

    /// Of a `Cloud`.
    #[cfg(feature = "cloud")]
    pub type CloudHooks;

    /// Puts values under names, or erases them (`undefined`), all or nothing: an array of `[name, Uint8Array?]`.
    #[cfg(feature = "cloud")]
    #[wasm_bindgen(method, catch)]
    pub(super) fn persist(this: &CloudHooks, changes: Array) -> Result<Promise, JsValue>;

    /// New lines of the log: an array of `LogLine`.
    #[cfg(feature = "cloud")]
    #[wasm_bindgen(method)]
    pub(super) fn log(this: &CloudHooks, lines: Array);

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    pub(super) fn log_error(text: &str);
}

/// `Debug` of what JavaScript gave us shows nothing of it.
macro_rules! opaque {
    ($($Hooks:ident),*) => { $(
        impl core::fmt::Debug for $Hooks {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($Hooks))
            }
        }
    )* };
}

opaque!(DeviceHooks);
#[cfg(feature = "app")]
opaque!(AppHooks);
#[cfg(feature = "cloud")]
opaque!(CloudHooks);

//! The browser's API over the same core: [`Device`], [`App`], [`Cloud`] and the calculators, for a Web Worker.
//!
//! The agent, the app and the clouds are those of the rest of this crate; here they get a clock, randomness, sockets
//! (gloo-net), storage (the page's, through a hook) and timers. It is meant to run in a dedicated Worker: a browser
//! slows the timers of a page in the background down to one a minute, and MQTT's keep alive would not live through it.
//! It also runs in a page, or in Node where there is a global `WebSocket`.
//!
//! One task for each device: everything that happens comes to it in one queue, one thing after the other. So a value
//! is stored before anything that comes after it, and news of an old connection are recognised and dropped.
//!
//! | module | what it does |
//! | --- | --- |
//! | `device`, `driver` | one device: what JavaScript sees, and the driver around [`Agent`](crate::Agent) |
//! | `app` | one owner: the driver around [`App`](crate::app::App) |
//! | `fleet` | many devices in one Worker, without timelines |
//! | `tab` | the four clouds in this tab, no server |
//! | `link` | bytes of one MQTT session, over a WebSocket or into the tab's cloud |
//! | `replay` | a recorded life, step by step |
//! | `fetch` | HTTP requests and downloads |
//! | `driver/faults`, `spoil`, `rules` | faults that a person armed: of messages, clocks and connections; of images; how they are read |
//! | `relay` | the other way there: by the relay of the page's own server |
//! | `trouble` | what a browser hides about a failure |
//! | `hooks`, `clock`, `values` | what crosses into JavaScript |

// What a smaller module leaves out is used in the complete one, and that one is linted.
#![cfg_attr(
    not(all(feature = "lab", feature = "app", feature = "cloud", feature = "tool")),
    allow(dead_code)
)]

#[cfg(feature = "app")]
mod app;
mod clock;
mod device;
mod driver;
mod fetch;
#[cfg(feature = "fleet")]
mod fleet;
mod hooks;
mod link;
mod read;
mod record;
#[cfg(feature = "lab")]
mod relay;
#[cfg(not(feature = "lab"))]
#[path = "no_relay.rs"]
mod relay;
#[cfg(feature = "tool")]
mod replay;
#[cfg(feature = "lab")]
mod rules;
mod spoil;
#[cfg(feature = "cloud")]
mod tab;
#[cfg(not(feature = "cloud"))]
#[path = "no_tab.rs"]
mod tab;
#[cfg(feature = "tool")]
mod tool;
mod trouble;
mod values;

#[cfg(feature = "app")]
pub use app::App;
pub use device::Device;
#[cfg(feature = "fleet")]
pub use fleet::{Fleet, FleetHooks};
#[cfg(feature = "app")]
pub use hooks::AppHooks;
#[cfg(feature = "cloud")]
pub use hooks::CloudHooks;
pub use hooks::DeviceHooks;
#[cfg(feature = "tool")]
pub use replay::Replay;
#[cfg(feature = "cloud")]
pub use tab::Cloud;
#[cfg(feature = "tool")]
pub use tool::tool;

use wasm_bindgen::prelude::*;

/// Once, before anything else: a panic says where it was, and nothing that it saw.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(std::boxed::Box::new(|panic| {
        let place = match panic.location() {
            Some(at) => std::format!("muster panicked at {}:{}", at.file(), at.line()),
            None => "muster panicked".into(),
        };
        hooks::log_error(&place);
    }));
    trouble::watch_policy();
}

/// The version of this build.
#[wasm_bindgen]
pub fn version() -> std::string::String {
    env!("CARGO_PKG_VERSION").into()
}

/// How many WebSocket handshakes of this Worker may be pending from now on, at most 8: the Workers of a page share what
/// the browser takes. Returns how many are pending now, which may be more.
#[wasm_bindgen(js_name = setPending)]
pub fn set_pending(most: u32) -> usize {
    link::set_pending(most as usize)
}

/// Whether the value of a setting is a secret, so that a form can hide it.
#[wasm_bindgen(js_name = isSecretSetting)]
pub fn is_secret_setting(platform: &str, key: &str) -> bool {
    platform.parse().is_ok_and(|platform| crate::trace::is_secret_setting(platform, key))
}

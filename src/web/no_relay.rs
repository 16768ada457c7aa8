//! A module without the relay goes where a browser goes.

use std::string::String;

use gloo_net::websocket::futures::WebSocket;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::fetch::{Aborter, Broken, Head};
use super::read::Members;
use crate::error::Failure;
use crate::trace::Trouble;

/// There is one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// As a browser does.
    Direct,
}

type No = (Failure, Option<Trouble>);

impl Route {
    pub(super) fn of(_: bool) -> Self {
        Self::Direct
    }

    /// `relay` is no option here.
    pub(super) fn read(_: &Members) -> Result<Self, JsValue> {
        Ok(Self::Direct)
    }

    #[expect(clippy::unused_self, reason = "as of the one with the relay")]
    pub(super) fn is_relay(self) -> bool {
        false
    }

    #[expect(clippy::unused_self, reason = "as of the one with the relay")]
    pub(super) fn carries(self, _: &str) -> bool {
        false
    }
}

#[expect(clippy::unused_async, reason = "as of the relay")]
pub(super) async fn socket(url: &str) -> Result<WebSocket, No> {
    Err(gone(url))
}

pub(super) fn refusal(_: &str, url: &str) -> Option<No> {
    Some(gone(url))
}

pub(super) fn gone(_: &str) -> No {
    (Failure::Unreachable, None)
}

#[expect(clippy::unused_async, reason = "as of the relay")]
pub(super) async fn ask(
    _: &str,
    _: &str,
    _: &[(String, String)],
    _: Option<Uint8Array>,
    _: &Aborter,
) -> Result<Head, Broken> {
    Err(Broken { failure: Failure::Unreachable, trouble: None })
}

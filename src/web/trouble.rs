//! What a browser hides about a failure, found out by a second look.
//!
//! To a page a refused certificate, a wrong port, a missing CORS header and a policy are one and the same error, so
//! that it cannot map a network. A request in the mode `no-cors` tells some of them apart: it fails where nobody
//! answers, and succeeds (with an answer that cannot be read) where somebody does.

use std::boxed::Box;
use std::cell::RefCell;
use std::string::{String, ToString};

use futures_util::future::{Either, select};
use gloo_net::http::{Method, RequestBuilder};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;

use super::fetch::Aborter;
use crate::trace::{Trouble, TroubleReason};

/// How long the second look may take.
const LOOK: u32 = 5_000;

std::thread_local! {
    /// The last address that the page's own policy blocked.
    static BLOCKED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Listens to what the page's Content-Security-Policy blocks.
pub(super) fn watch_policy() {
    let listener = Closure::<dyn Fn(JsValue)>::new(|event: JsValue| {
        let uri = js_sys::Reflect::get(&event, &"blockedURI".into()).ok();
        if let Some(uri) = uri.and_then(|uri| uri.as_string()) {
            BLOCKED.set(uri);
        }
    });
    let global = js_sys::global();
    if let Ok(add) = js_sys::Reflect::get(&global, &"addEventListener".into())
        && let Some(add) = add.dyn_ref::<js_sys::Function>()
    {
        let _ = add.call2(&global, &"securitypolicyviolation".into(), listener.as_ref());
    }
    // For as long as the Worker lives.
    Box::leak(Box::new(listener));
}

fn trouble(reason: TroubleReason, url: &str) -> Trouble {
    Trouble { reason, url: url.to_string(), detail: None }
}

/// What is known without trying.
pub(super) fn forbidden(url: &str, schemes: &[&str]) -> Option<Trouble> {
    if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
        return Some(trouble(TroubleReason::BadUrl, url));
    }
    let open = url.starts_with("ws://") || url.starts_with("http://");
    let mixed = open && page_is_secure() && !is_loopback(url);
    mixed.then(|| trouble(TroubleReason::MixedContent, url))
}

/// The constructor of a WebSocket threw.
pub(super) fn refused(url: &str, message: &str) -> Trouble {
    let reason = if url.starts_with("ws://") && page_is_secure() {
        TroubleReason::MixedContent
    } else {
        TroubleReason::BadUrl
    };
    Trouble { detail: Some(message.to_string()), ..trouble(reason, url) }
}

/// A WebSocket did not open.
pub(super) async fn behind_socket(url: &str) -> Trouble {
    if blocked(url) {
        return trouble(TroubleReason::RefusedByPolicy, url);
    }
    // `ws` to `http`, `wss` to `https`.
    let http = ["http", url.strip_prefix("ws").unwrap_or(url)].concat();
    let reason = match answers(&http).await {
        true => TroubleReason::NotWebsocket,
        false => TroubleReason::Unreachable,
    };
    trouble(reason, url)
}

/// A request failed without a response.
pub(super) async fn behind_request(url: &str) -> Trouble {
    if blocked(url) {
        return trouble(TroubleReason::RefusedByPolicy, url);
    }
    let reason = match answers(url).await {
        true => TroubleReason::Cors,
        false => TroubleReason::Unreachable,
    };
    trouble(reason, url)
}

/// Whether anybody answers there at all. HEAD, so that nothing is set in motion.
async fn answers(url: &str) -> bool {
    let aborter = Aborter::new();
    let request = RequestBuilder::new(url)
        .method(Method::HEAD)
        .mode(web_sys::RequestMode::NoCors)
        .credentials(web_sys::RequestCredentials::Omit)
        .cache(web_sys::RequestCache::NoStore)
        .referrer_policy(web_sys::ReferrerPolicy::NoReferrer)
        .abort_signal(aborter.signal().as_ref())
        .build();
    let Ok(request) = request else { return false };
    match select(Box::pin(request.send()), TimeoutFuture::new(LOOK)).await {
        Either::Left((response, _)) => response.is_ok(),
        Either::Right(_) => {
            aborter.abort();
            false
        }
    }
}

fn blocked(url: &str) -> bool {
    let blocked = BLOCKED.take();
    !blocked.is_empty() && (url.starts_with(&blocked) || blocked.starts_with(url))
}

fn page_is_secure() -> bool {
    let location = js_sys::Reflect::get(&js_sys::global(), &"location".into());
    let protocol =
        location.and_then(|location| js_sys::Reflect::get(&location, &"protocol".into()));
    protocol.is_ok_and(|protocol| protocol.as_string().as_deref() == Some("https:"))
}

/// Browsers trust these without TLS.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name.starts_with("127.")
        || name == "[::1]"
}

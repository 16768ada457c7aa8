//! The other way to a cloud that a browser cannot reach: by the relay of the server that this page came from
//! (`muster up --relay`, `docs/console/relay.md`).
//!
//! A page opens no TCP socket, and reads no answer of a server that does not name its origin. The relay does both, for
//! this page alone: each use carries a token that only a page of the same origin can ask for. It is kept here, in the
//! Worker, and never reaches the page, an address or a timeline.
//!
//! | | |
//! | --- | --- |
//! | `POST /api/relay/token` | the token, if there is a relay |
//! | `/relay/mqtt?to=mqtts://…` | a WebSocket of subprotocol `mqtt`, the token beside it; its first message is text and says whether the broker was reached, all others are MQTT |
//! | `POST /relay/http` | one request; where to, method and headers in headers of the relay's own, which come back likewise |
//!
//! Deliberately absent: WebSockets by the relay. A browser opens those itself.

use std::cell::RefCell;
use std::string::{String, ToString};
use std::vec::Vec;

use gloo_net::http::{Method, RequestBuilder, Response as FetchResponse};
use gloo_net::websocket::futures::WebSocket;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::fetch::{self, Aborter, Broken, Head};
use super::read::Members;
use crate::error::Failure;
use crate::trace::{Trouble, TroubleReason};

/// How a device gets to its cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// As a browser does.
    Direct,
    /// By the relay of the page's own server.
    Relay,
}

/// Why there is no connection: for the core, and for the person.
type No = (Failure, Option<Trouble>);

/// Longer answers of the relay's own are nonsense.
const WORDS: usize = 16 * 1024;

std::thread_local! {
    /// The token, once somebody needed it.
    static TOKEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Route {
    pub(super) fn of(relay: bool) -> Self {
        if relay { Self::Relay } else { Self::Direct }
    }

    /// As options say.
    pub(super) fn read(options: &Members) -> Result<Self, JsValue> {
        options.flag("relay").map(Self::of)
    }

    pub(super) fn is_relay(self) -> bool {
        self == Self::Relay
    }

    /// Whether a broker at this address is reached by the relay.
    pub(super) fn carries(self, url: &str) -> bool {
        self == Self::Relay
            && ["mqtt://", "mqtts://", "tcp://", "ssl://"].iter().any(|s| url.starts_with(s))
    }
}

/// A WebSocket to the relay, on its way to the broker.
pub(super) async fn socket(url: &str) -> Result<WebSocket, No> {
    let (origin, token) = access(url).await?;
    // `http` to `ws`, `https` to `wss`.
    let address = [
        "ws",
        origin.strip_prefix("http").unwrap_or(&origin),
        "/relay/mqtt?to=",
        &String::from(js_sys::encode_uri_component(url)),
    ]
    .concat();
    let protocols: Array =
        [JsValue::from("mqtt"), JsValue::from(["muster-relay.", &token].concat())]
            .into_iter()
            .collect();
    let socket = web_sys::WebSocket::new_with_str_sequence(&address, &protocols);
    socket.ok().and_then(|socket| WebSocket::try_from(socket).ok()).ok_or_else(|| gone(url))
}

/// What the relay's first message says against it; `None` if the broker is reached.
pub(super) fn refusal(said: &str, url: &str) -> Option<No> {
    if said.is_empty() {
        let trouble = trouble(TroubleReason::RelayTimedOut, url, None);
        return Some((Failure::TimedOut, Some(trouble)));
    }
    let said = js_sys::JSON::parse(said).unwrap_or(JsValue::NULL);
    match member(&said, "error") {
        Some(error) => Some(no(&error, url)),
        None if member(&said, "open").is_some() => None,
        None => Some(gone(url)),
    }
}

/// The relay itself is not there any more.
pub(super) fn gone(url: &str) -> No {
    forget();
    (Failure::Unreachable, Some(trouble(TroubleReason::RelayOff, url, None)))
}

/// Sends a request by the relay.
pub(super) async fn ask(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<Uint8Array>,
    aborter: &Aborter,
) -> Result<Head, Broken> {
    let broken = |(failure, trouble)| Broken { failure, trouble };
    let unfit = || Broken { failure: Failure::Protocol, trouble: None };
    let (origin, token) = access(url).await.map_err(broken)?;
    let pairs: Array = headers
        .iter()
        .map(|(name, value)| JsValue::from(Array::of2(&name.into(), &value.into())))
        .collect();
    let pairs = js_sys::JSON::stringify(&pairs).map_err(|_| unfit())?;
    let pairs = String::from(pairs);
    if ![method, url, &pairs].into_iter().all(fetch::plain) {
        return Err(unfit());
    }
    let builder = builder(&[&origin, "/relay/http"].concat(), Method::POST, aborter)
        .header("Content-Type", "application/octet-stream")
        .header("X-Relay-Token", &token)
        .header("X-Relay-To", url)
        .header("X-Relay-Method", method)
        .header("X-Relay-Headers", &pairs);
    let request = match body {
        Some(body) => builder.body(body),
        None => builder.build(),
    };
    let response = request.map_err(|_| unfit())?.send().await.map_err(|_| broken(gone(url)))?;
    let own = response.headers();
    match own.get("x-relay").as_deref() {
        Some("answer") => {}
        Some("error") => {
            let said = words(&response, url).await;
            return Err(broken(no(&said, url)));
        }
        _ => return Err(broken(gone(url))),
    }
    let status = own.get("x-relay-status").and_then(|status| status.parse().ok());
    let headers = own.get("x-relay-headers").and_then(|pairs| read_pairs(&pairs));
    match (status, headers) {
        (Some(status), Some(headers)) => Ok(Head { status, headers, response }),
        _ => Err(broken(gone(url))),
    }
}

/// The page's origin, and the token of its server's relay.
async fn access(url: &str) -> Result<(String, String), No> {
    let location = js_sys::Reflect::get(&js_sys::global(), &"location".into());
    let origin = location
        .ok()
        .and_then(|location| member(&location, "origin"))
        .and_then(|origin| origin.as_string())
        .filter(|origin| origin.starts_with("http"))
        .ok_or_else(|| gone(url))?;
    if let Some(token) = TOKEN.with_borrow(Clone::clone) {
        return Ok((origin, token));
    }
    let asking = Asking(Aborter::new());
    let request = builder(&[&origin, "/api/relay/token"].concat(), Method::POST, &asking.0)
        .header("Content-Type", "application/json")
        .build();
    let response = request.map_err(|_| gone(url))?.send().await.map_err(|_| gone(url))?;
    let said = words(&response, url).await;
    let token = member(&said, "token").and_then(|token| token.as_string());
    let token = token.filter(|_| response.ok()).ok_or_else(|| gone(url))?;
    TOKEN.set(Some(token.clone()));
    Ok((origin, token))
}

/// A request that ends with the wait for it.
struct Asking(Aborter);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn forget() {
    TOKEN.set(None);
}

/// The page's own server, and yet with the mode `cors`: of a request without a referrer, the Fetch specification ("append a
/// request `Origin` header") sends `Origin: null` in any other mode, and the relay wants to know the page.
fn builder(url: &str, method: Method, aborter: &Aborter) -> RequestBuilder {
    RequestBuilder::new(url)
        .method(method)
        .mode(web_sys::RequestMode::Cors)
        .credentials(web_sys::RequestCredentials::Omit)
        .cache(web_sys::RequestCache::NoStore)
        .referrer_policy(web_sys::ReferrerPolicy::NoReferrer)
        .abort_signal(aborter.signal().as_ref())
}

/// The JSON that the relay answered with; null if it is none.
async fn words(response: &FetchResponse, url: &str) -> JsValue {
    let mut bytes = Vec::new();
    let mut take = async |chunk: Vec<u8>| {
        if bytes.len() + chunk.len() > WORDS {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
        Ok(true)
    };
    match fetch::read(response, url, &mut take).await {
        Ok(()) => js_sys::JSON::parse(&String::from_utf8_lossy(&bytes)).unwrap_or(JsValue::NULL),
        Err(_) => JsValue::NULL,
    }
}

/// `{ kind, message }` of the relay's, as the core and the person need it.
fn no(error: &JsValue, url: &str) -> No {
    let text = |name| member(error, name).and_then(|value| value.as_string());
    let kind = text("kind").unwrap_or_default();
    use TroubleReason as R;
    let (failure, reason) = match &*kind {
        "off" => (Failure::Unreachable, R::RelayOff),
        // The next try asks for the new one.
        "token" => (Failure::Lost, R::RelayToken),
        "host" => (Failure::Forbidden, R::RelayHost),
        "address" => (Failure::Forbidden, R::RelayAddress),
        "redirect" => (Failure::Forbidden, R::RelayRedirect),
        "dns" => (Failure::Dns, R::RelayDns),
        "refused" => (Failure::Unreachable, R::RelayRefused),
        "tls" => (Failure::Tls, R::RelayTls),
        "timed_out" => (Failure::TimedOut, R::RelayTimedOut),
        "limit" => (Failure::TooLarge, R::RelayLimit),
        _ => (Failure::Lost, R::RelayFailed),
    };
    if matches!(reason, R::RelayToken | R::RelayOff) {
        forget();
    }
    (failure, Some(trouble(reason, url, text("message"))))
}

fn trouble(reason: TroubleReason, url: &str, detail: Option<String>) -> Trouble {
    Trouble { reason, url: url.to_string(), detail }
}

fn member(of: &JsValue, name: &str) -> Option<JsValue> {
    let value = js_sys::Reflect::get(of, &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// `[["Name", "value"], …]`
fn read_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = js_sys::JSON::parse(text).ok()?.dyn_into::<Array>().ok()?;
    let pair = |pair: JsValue| {
        let pair = pair.dyn_into::<Array>().ok()?;
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    pairs.iter().map(pair).collect()
}

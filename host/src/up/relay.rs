//! The relay: takes the console to clouds that a browser cannot reach.
//!
//! A page opens no TCP socket and reads no answer of a server that does not name the page's origin (CORS). With
//! `muster up --relay` its own server does both for it: MQTT over WebSocket to MQTT over TCP or TLS, and single HTTP
//! requests. It is off unless asked for, because a server that connects elsewhere on a browser's word is a way into
//! networks that the browser could not reach. What keeps it from being one:
//!
//! | who | only pages of this very server: `Host` has to be a literal address, `Origin` has to be there and be this server's, and each use carries a token that only such a page can ask for |
//! | --- | --- |
//! | where to | only hosts and ports of a list (`allow`): the vendors', and those of `--relay-allow` |
//! | which address | a name is resolved once, the address looked at, and that address connected to (`dial`): none of this machine or a private network, unless the address itself is on the list |
//! | what | MQTT has to begin with CONNECT; of HTTP, only headers that clouds of devices know, and redirects only to where the list leads |
//! | how much | connections, bytes of a message and of an answer, time (the constants of each part) |
//!
//! `docs/console/relay.md` is the page for people. Deliberately absent: WebSockets to the cloud (a browser opens those
//! itself), client certificates, and a proxy between relay and cloud.

mod allow;
mod dial;
mod http;
mod mqtt;
mod refusal;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use muster::hex;
use serde_json::json;
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::http::{Answer, Arrival};
use super::{Up, guard};
use crate::device::tls;
use crate::exit::Exit;
use allow::AllowList;
use dial::Dialer;
pub(crate) use http::door as http;
pub(crate) use mqtt::door as mqtt;
use refusal::{Kind, Refusal};

/// Connections to brokers at once: what one browser can open, and room for a reload.
const CONNECTIONS: usize = 512;
/// Requests at once.
const REQUESTS: usize = 64;

/// Arguments of the relay.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct RelayArgs {
    /// Let the console reach clouds that a browser cannot: MQTT over TCP and TLS, and HTTP without CORS. To the vendors'
    /// hosts alone, and only for pages of this server.
    #[arg(long)]
    pub(crate) relay: bool,
    /// One more host for the relay, such as broker.example:8883, *.example.com:443 or 127.0.0.1:1883. Without a port:
    /// 80, 443, 1883 and 8883. Addresses of this machine or of a private network have to be named as addresses.
    #[arg(long, value_name = "HOST[:PORT]", requires = "relay")]
    pub(crate) relay_allow: Vec<String>,
    /// An authority that the relay trusts beside the public ones (PEM), such as a broker's own.
    #[arg(long, value_name = "FILE", requires = "relay")]
    pub(crate) relay_ca: Option<PathBuf>,
    /// Run the relay although operators may come in from other machines. Whoever reaches the console can use it.
    #[arg(long, requires = "relay")]
    pub(crate) relay_beyond_loopback: bool,
}

/// A relay that is switched on.
#[derive(Debug)]
pub(crate) struct Relay {
    token: Token,
    dialer: Dialer,
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

/// Shown by pages of this server with each use.
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    fn new() -> Result<Self, Exit> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|e| Exit::local(format!("the system gives no random numbers: {e}"), ""))?;
        Ok(Self(hex::lower(&bytes)))
    }

    /// Takes as long whatever is shown.
    fn is(&self, shown: &str) -> bool {
        let (own, shown) = (self.0.as_bytes(), shown.as_bytes());
        let differ = own.iter().zip(shown).fold(0, |differ, (a, b)| differ | (a ^ b));
        own.len() == shown.len() && differ == 0
    }
}

impl Relay {
    /// The relay that the arguments ask for, if any.
    pub(crate) fn new(args: &RelayArgs, operators_at_home: bool) -> Result<Option<Self>, Exit> {
        if !args.relay {
            return Ok(None);
        }
        if !operators_at_home && !args.relay_beyond_loopback {
            return Err(Exit::usage(
                "--relay and an --operator-listen beyond loopback: other machines could use this one to connect elsewhere",
                "leave one of the two out, or say that it is meant: --relay-beyond-loopback",
            ));
        }
        Ok(Some(Self {
            token: Token::new()?,
            dialer: Dialer::new(
                AllowList::new(&args.relay_allow)?,
                tls::public_and(args.relay_ca.as_deref())?,
            ),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            requests: Arc::new(Semaphore::new(REQUESTS)),
        }))
    }

    /// What is printed at the start.
    pub(crate) fn summary(&self) -> String {
        let own: Vec<String> = self.dialer.allowed().own().collect();
        let mut text = "on, for the console alone, to the four vendors' hosts".to_owned();
        if !own.is_empty() {
            text += " and ";
            text += &own.join(", ");
        }
        text
    }
}

/// `GET /api/relay`: whether there is one, where it goes, and what of that it was started with.
pub(crate) async fn status(State(up): State<Arc<Up>>) -> Answer {
    Ok(super::http::json(&match &up.relay {
        Some(relay) => json!({
            "on": true,
            "allow": relay.dialer.allowed().all().collect::<Vec<_>>(),
            "own": relay.dialer.allowed().own().collect::<Vec<_>>(),
        }),
        None => json!({ "on": false, "allow": [], "own": [] }),
    }))
}

/// `POST /api/relay/token`: what a page of this server has to show. The guard of the API is around it, and a page of
/// another origin could neither send this nor read the answer.
pub(crate) async fn token(State(up): State<Arc<Up>>, headers: HeaderMap) -> Answer {
    let Some(relay) = &up.relay else {
        let off = Refusal::off();
        return Err(ApiError::new(off.status(), "off", off.message, off.next));
    };
    if headers.get(header::ORIGIN).is_none() {
        return Err(ApiError::forbidden(NO_ORIGIN, "open the console in a browser"));
    }
    Ok(super::http::json(&json!({ "token": relay.token.0 })))
}

const NO_ORIGIN: &str =
    "the relay is for the console's own pages, and a browser names a page's Origin";

/// The relay, for a page of this server; the token is looked at separately.
fn admit<'a>(
    up: &'a Up,
    arrival: &Extension<Arrival>,
    headers: &HeaderMap,
) -> Result<&'a Relay, Refusal> {
    let relay = up.relay.as_ref().ok_or_else(Refusal::off)?;
    let page = |message: &str| {
        Refusal::new(Kind::Page, message, "use the console that this server serves")
    };
    guard::operator(arrival, headers).map_err(|error| page(error.message()))?;
    if headers.get_all(header::ORIGIN).iter().count() != 1 {
        return Err(page(NO_ORIGIN));
    }
    // Not of a WebSocket: browsers do not agree whether `ws` and `http` are one site.
    let socket = headers.contains_key(header::UPGRADE);
    let site = headers.get("sec-fetch-site");
    if !socket && site.is_some_and(|site| site.as_bytes() != b"same-origin") {
        return Err(page("the request comes from another web page (Sec-Fetch-Site)"));
    }
    Ok(relay)
}

impl Relay {
    fn check(&self, token: Option<&str>) -> Result<(), Refusal> {
        if token.is_some_and(|token| self.token.is(token)) {
            return Ok(());
        }
        Err(Refusal::new(
            Kind::Token,
            "the relay does not know this token",
            "reload the page: `muster up` was started anew",
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_token_is_itself_alone() {
        let token = Token::new().unwrap();
        assert_eq!(token.0.len(), 64);
        assert!(token.is(&token.0.clone()));
        let mut other = token.0.clone();
        let last = if other.pop() == Some('0') { '1' } else { '0' };
        assert!(!token.is(&other));
        other.push(last);
        assert!(!token.is(&other));
        for wrong in ["", "x", &format!("{}0", token.0)] {
            assert!(!token.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn operators_from_elsewhere_and_a_relay_have_to_be_meant() {
        let args = RelayArgs { relay: true, ..RelayArgs::default() };
        assert!(Relay::new(&args, true).unwrap().is_some());
        assert!(Relay::new(&args, false).unwrap_err().next.contains("--relay-beyond-loopback"));
        let meant = RelayArgs { relay_beyond_loopback: true, ..args };
        assert!(Relay::new(&meant, false).unwrap().is_some());
        assert!(Relay::new(&RelayArgs::default(), true).unwrap().is_none());
    }
}

//! `POST /relay/http`: one request, sent to a host of the list; its answer, streamed back.
//!
//! Where to, the method and the headers are in headers of the relay's own, and the cloud's status and headers come back
//! in such: to the browser the relay's answer is always a plain 200 of this server, so that no cloud's redirect,
//! cookie or policy acts on the console.
//!
//! | asked with | |
//! | --- | --- |
//! | `X-Relay-Token` | the token |
//! | `X-Relay-To`, `X-Relay-Method` | an absolute `http://` or `https://` URL; GET, HEAD, POST, PUT or DELETE |
//! | `X-Relay-Headers` | JSON, `[["Name","value"],…]` |
//! | **answered with** | |
//! | `X-Relay: answer` | `X-Relay-Status`, `X-Relay-Headers`, the body |
//! | `X-Relay: error` | the relay's own refusal, see `refusal` |
//!
//! China Mobile's document wants `X-AI-IP`, the device's address, on both of its calls when it is not the device itself
//! that makes them ("非设备接入时必传"). The relay is such a server, so it adds the header, and takes none from the page.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::dial::{Reached, Target, late};
use super::refusal::{Kind, Refusal};
use super::{Relay, admit};
use crate::device::http::join;
use crate::up::Up;
use crate::up::http::{Arrival, plain, read, text};

/// The longest body that is sent on.
const BODY: usize = 64 * 1024;
/// The longest answer to anything but GET.
const ANSWER: u64 = 1024 * 1024;
/// The longest answer to GET: firmware.
const IMAGE: u64 = 256 * 1024 * 1024;
/// All headers together, either way.
const HEADERS: usize = 16 * 1024;
/// From the request to the answer's headers: a page waits 30 seconds, and is to hear the reason.
const ANSWER_WITHIN: Duration = Duration::from_secs(25);
/// A body may take long, but not stand still.
const PIECE_WITHIN: Duration = Duration::from_secs(30);
const REDIRECTS: usize = 5;

/// What clouds of devices know; `x-ca-…` beside them.
const SENT: [&str; 8] = [
    "accept",
    "authorization",
    "ca_version",
    "content-md5",
    "content-type",
    "date",
    "range",
    "user-agent",
];
/// Of these, what a host hears to which another one leads: it was not asked to be trusted with more.
const SENT_ON: [&str; 3] = ["accept", "range", "user-agent"];
/// Of the connection, not of the answer; and cookies, which a page may not see.
const KEPT_BACK: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(crate) async fn door(
    State(up): State<Arc<Up>>,
    arrival: Extension<Arrival>,
    request: Request,
) -> Response {
    if request.method() != Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "the relay takes POST\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    forward(&up, &arrival, request).await.unwrap_or_else(|refusal| refusal.response())
}

async fn forward(
    up: &Up,
    arrival: &Extension<Arrival>,
    request: Request,
) -> Result<Response, Refusal> {
    let relay = admit(up, arrival, request.headers())?;
    relay.check(own(request.headers(), "x-relay-token").ok())?;
    let slot = Arc::clone(&relay.requests).try_acquire_owned().map_err(|_| Refusal::busy())?;
    let (parts, body) = request.into_parts();
    let asked = Asked::read(&parts.headers)?;
    let body = read(body, BODY).await.map_err(|_| {
        let message = format!("the request's body is longer than {BODY} bytes, or broke off");
        Refusal::new(Kind::Limit, message, "send less at once")
    })?;
    let peer = arrival.peer;
    let (target, answer) = timeout(ANSWER_WITHIN, follow(relay, &asked, body.into(), peer))
        .await
        .unwrap_or_else(|_| Err(late(&asked.place.target)))?;
    answered(&asked, &target, answer, slot)
}

/// What a page asks for.
struct Asked {
    method: Method,
    place: Place,
    headers: HeaderMap,
}

impl Asked {
    fn read(given: &HeaderMap) -> Result<Self, Refusal> {
        let method = match own(given, "x-relay-method")? {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "DELETE" => Method::DELETE,
            _ => return Err(Refusal::invalid("X-Relay-Method is not one that the relay sends")),
        };
        let place = Place::parse(own(given, "x-relay-to")?)
            .ok_or_else(|| Refusal::invalid("X-Relay-To is no http:// or https:// address"))?;
        let pairs = own(given, "x-relay-headers")?;
        if pairs.len() > HEADERS {
            return Err(Refusal::new(
                Kind::Limit,
                "the request's headers are too long",
                "send less",
            ));
        }
        let pairs: Vec<(String, String)> = serde_json::from_str(pairs)
            .map_err(|_| Refusal::invalid("X-Relay-Headers is no JSON of names and values"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let known = |name: &HeaderName| {
                SENT.contains(&name.as_str()) || name.as_str().starts_with("x-ca-")
            };
            let name =
                HeaderName::from_bytes(name.as_bytes()).ok().filter(known).ok_or_else(|| {
                    Refusal::invalid(format!(
                        "the relay does not send the header `{}`",
                        shown(&name)
                    ))
                })?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
                Refusal::invalid(format!("the value of `{name}` cannot be sent in a header"))
            })?;
            headers.append(name, value);
        }
        Ok(Self { method, place, headers })
    }

    fn redirects(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// A header of the relay's own, which has to be there once.
fn own<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    let mut all = headers.get_all(name).iter();
    match (all.next().and_then(|value| value.to_str().ok()), all.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Refusal::invalid(format!("the request has to have one header {name}"))),
    }
}

/// A name that somebody else chose, for a message.
fn shown(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_graphic()).take(40).collect()
}

/// An HTTP address.
#[derive(Clone, Debug)]
struct Place {
    url: String,
    target: Target,
    /// As it is in a request.
    path: Uri,
}

impl Place {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.split('#').next()?.parse().ok()?;
        let (tls, usual) = match uri.scheme_str()? {
            "http" => (false, 80),
            "https" => (true, 443),
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // By hand: the library takes what is no number for no port at all.
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => usual,
            rest => rest.strip_prefix(':')?.parse().ok().filter(|&port| port != 0)?,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).parse().ok()?;
        let target = Target { tls, host: host.to_owned(), port };
        (!host.is_empty()).then(|| Self { url: url.to_owned(), target, path })
    }

    /// What `Host` has to say.
    fn host(&self) -> String {
        let usual = if self.target.tls { 443 } else { 80 };
        let text = self.target.to_string();
        if self.target.port == usual {
            text.rsplit_once(':').map_or(text.clone(), |(host, _)| host.to_owned())
        } else {
            text
        }
    }
}

/// The answer; of GET and HEAD the first that is no redirect. A signed POST means what it says to the host that it was
/// signed for, so its redirect is the answer.
async fn follow(
    relay: &Relay,
    asked: &Asked,
    body: Bytes,
    peer: IpAddr,
) -> Result<(Target, hyper::Response<Incoming>), Refusal> {
    let mut place = asked.place.clone();
    let mut headers = asked.headers.clone();
    relay.dialer.check(&place.target)?;
    for _ in 0..=REDIRECTS {
        let answer = send(relay, &asked.method, &place, &headers, body.clone(), peer).await?;
        let to = answer.headers().get(header::LOCATION).map(text);
        let (true, true, Some(to)) = (asked.redirects(), answer.status().is_redirection(), to)
        else {
            return Ok((place.target, answer));
        };
        let from = place.target.to_string();
        let next = Place::parse(&join(&place.url, &to)).ok_or_else(|| {
            let message = format!("{from} redirects to what is no http:// or https:// address");
            Refusal::new(Kind::Redirect, message, "ask whoever runs that server")
        })?;
        relay.dialer.check(&next.target).map_err(|refusal| Refusal {
            kind: Kind::Redirect,
            message: format!(
                "{from} redirects to {}, which is not on the relay's list",
                next.target
            ),
            ..refusal
        })?;
        if place.target.tls && !next.target.tls {
            let message = format!("{from} redirects from https to http");
            return Err(Refusal::new(
                Kind::Redirect,
                message,
                "give the http:// address if it is meant",
            ));
        }
        if next.target != place.target {
            headers = sent_on(&headers);
        }
        place = next;
    }
    let message = format!("{} redirects without an end", place.target);
    Err(Refusal::new(Kind::Failed, message, "ask whoever runs that server"))
}

fn sent_on(headers: &HeaderMap) -> HeaderMap {
    let known = headers.iter().filter(|(name, _)| SENT_ON.contains(&name.as_str()));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

async fn send(
    relay: &Relay,
    method: &Method,
    place: &Place,
    headers: &HeaderMap,
    body: Bytes,
    peer: IpAddr,
) -> Result<hyper::Response<Incoming>, Refusal> {
    let Reached { stream, from, .. } = relay.dialer.dial(&place.target).await?;
    let failed = |error: hyper::Error| {
        let message = format!("{} did not answer as HTTP demands: {error}", place.target);
        Refusal::new(Kind::Failed, message, "check port and scheme of the address")
    };
    // Names in title case: servers of devices compare them byte by byte now and then.
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .title_case_headers(true)
        .max_buf_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    // Ends with the answer, or with whoever waits for it.
    tokio::spawn(connection);
    let mut request = hyper::Request::new(Body::from(body));
    *request.method_mut() = method.clone();
    *request.uri_mut() = place.path.clone();
    *request.headers_mut() = headers.clone();
    let headers = request.headers_mut();
    let invalid = |_| Refusal::invalid("X-Relay-To cannot be a Host header");
    headers.insert(header::HOST, HeaderValue::from_str(&place.host()).map_err(invalid)?);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
        .entry(header::USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("muster-relay/", env!("CARGO_PKG_VERSION"))));
    if *method == Method::POST && wants_device_ip(place.path.path()) {
        let ip = device_ip(peer, from).to_string();
        headers.insert("x-ai-ip", HeaderValue::from_str(&ip).map_err(invalid)?);
    }
    sender.send_request(request).await.map_err(failed)
}

/// China Mobile's two calls.
fn wants_device_ip(path: &str) -> bool {
    ["/v2/customer/device/secret/info", "/v2/customer/device/report"]
        .iter()
        .any(|call| path.ends_with(call))
}

/// The simulated device is where its page is: if that is this machine, then at the address by which this machine
/// reaches the cloud.
fn device_ip(peer: IpAddr, from: Option<IpAddr>) -> IpAddr {
    let peer = peer.to_canonical();
    match from {
        Some(own) if peer.is_loopback() => own.to_canonical(),
        _ => peer,
    }
}

/// The cloud's answer, in the relay's own.
fn answered(
    asked: &Asked,
    target: &Target,
    answer: hyper::Response<Incoming>,
    slot: OwnedSemaphorePermit,
) -> Result<Response, Refusal> {
    let most = if asked.method == Method::GET { IMAGE } else { ANSWER };
    let too_large = |what: &str| {
        let message = format!("the {what} of {target} is larger than the relay carries");
        Refusal::new(Kind::Limit, message, "fetch it with `muster device` in a terminal")
    };
    let (parts, body) = answer.into_parts();
    let length =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse().ok());
    // Of HEAD it is the length of what is not sent.
    if asked.method != Method::HEAD && length.is_some_and(|length: u64| length > most) {
        return Err(too_large("answer"));
    }
    let pairs: Vec<(&str, String)> = parts
        .headers
        .iter()
        .filter(|(name, _)| !KEPT_BACK.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect();
    let pairs = ascii(&crate::up::json(&pairs));
    if pairs.len() > HEADERS {
        return Err(too_large("head of the answer"));
    }
    let (Ok(status), Ok(pairs)) =
        (HeaderValue::from_str(parts.status.as_str()), HeaderValue::from_str(&pairs))
    else {
        return Err(Refusal::new(Kind::Failed, "the answer's head cannot be carried", ""));
    };
    let mut response = Response::new(Body::from_stream(pieces(Body::new(body), most, slot)));
    let headers = response.headers_mut();
    headers.insert("x-relay", HeaderValue::from_static("answer"));
    headers.insert("x-relay-status", status);
    headers.insert("x-relay-headers", pairs);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// The body, at most so long and never standing still. What breaks off breaks off for the page too.
fn pieces(
    body: Body,
    most: u64,
    slot: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let state = (body.into_data_stream(), most, slot);
    stream::try_unfold(state, |(mut body, left, slot)| async move {
        let piece = match timeout(PIECE_WITHIN, body.next()).await {
            Ok(None) => return Ok(None),
            Ok(Some(piece)) => piece.map_err(std::io::Error::other)?,
            Err(_) => return Err(std::io::ErrorKind::TimedOut.into()),
        };
        let left = left.checked_sub(piece.len() as u64).ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(Some((piece, (body, left, slot))))
    })
}

/// JSON that fits into a header.
fn ascii(json: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parse = |url: &str| {
            Place::parse(url)
                .map(|p| (p.target.tls, p.target.to_string(), p.host(), p.path.to_string()))
        };
        let one = |tls, at: &str, host: &str, path: &str| {
            Some((tls, at.to_owned(), host.to_owned(), path.to_owned()))
        };
        assert_eq!(parse("http://h"), one(false, "h:80", "h", "/"));
        assert_eq!(
            parse("https://h.example:11443/a?b=c#d"),
            one(true, "h.example:11443", "h.example:11443", "/a?b=c")
        );
        assert_eq!(parse("http://[::1]:8/x"), one(false, "[::1]:8", "[::1]:8", "/x"));
        assert_eq!(parse("https://[::1]/"), one(true, "[::1]:443", "[::1]", "/"));
        for bad in [
            "",
            "h",
            "/a",
            "ftp://h",
            "http://",
            "http://u@h/",
            "http://h:/",
            "http://h:0/",
            "http://h:x/",
            "mqtt://h",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_devices_address_is_told_to_china_mobile_alone() {
        assert!(wants_device_ip("/v2/customer/device/secret/info"));
        assert!(wants_device_ip("/prefix/v2/customer/device/report"));
        for other in ["/", "/auth/register/device", "/v2/customer/device/report/x"] {
            assert!(!wants_device_ip(other), "{other}");
        }
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        // A page on this machine: its device is where this machine is seen.
        assert_eq!(device_ip(ip("127.0.0.1"), Some(ip("192.168.1.7"))), ip("192.168.1.7"));
        assert_eq!(device_ip(ip("::1"), Some(ip("::ffff:10.0.0.2"))), ip("10.0.0.2"));
        assert_eq!(device_ip(ip("10.1.1.9"), Some(ip("192.168.1.7"))), ip("10.1.1.9"));
    }

    #[test]
    fn headers_travel_as_json_in_ascii() {
        assert_eq!(ascii(r#"[["a","中文 😀"]]"#), r#"[["a","\u4e2d\u6587 \ud83d\ude00"]]"#);
    }

    #[test]
    fn only_known_headers_are_sent() {
        let asked = |pairs: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-relay-method", HeaderValue::from_static("POST"));
            headers.insert("x-relay-to", HeaderValue::from_static("https://h/"));
            headers.insert("x-relay-headers", HeaderValue::from_static(pairs));
            Asked::read(&headers).map(|asked| asked.headers.len())
        };
        assert_eq!(
            asked(r#"[["Content-Type","application/json"],["X-Ca-Key","1"],["Date","x"]]"#)
                .unwrap(),
            3
        );
        for bad in [
            "",
            "{}",
            r#"[["a"]]"#,
            r#"[["Cookie","x"]]"#,
            r#"[["Host","x"]]"#,
            r#"[["X-AI-IP","1.2.3.4"]]"#,
            r#"[["Content-Length","1"]]"#,
            r#"[["Transfer-Encoding","chunked"]]"#,
            r#"[["Connection","x"]]"#,
            r#"[["Accept","a\r\nb: c"]]"#,
            r#"[["Proxy-Authorization","x"]]"#,
            r#"[["X-Forwarded-For","x"]]"#,
        ] {
            assert_eq!(asked(bad).unwrap_err().kind, Kind::Invalid, "{bad}");
        }
    }
}

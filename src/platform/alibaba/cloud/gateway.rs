//! API Gateway in front of the business: who calls, and is it really they.
//!
//! Refusals are HTTP statuses with the reason in `X-Ca-Error-Message`, in the words of the vendor's table (page 43906);
//! every answer carries `X-Ca-Request-Id`. Checked in this order (the vendor documents none): method, AppKey,
//! signature, timestamp, Content-MD5, nonce, rate, body. A nonce is used up only by a request that is genuine.
//!
//! The names in `X-Ca-Signature-Headers` are signed as they are spelled there, sorted bytewise; where the list is
//! absent only `X-Ca-Key` is signed. That is what makes the phone's, Java's, Python's, Node's and Tea's spellings all
//! work.
//!
//! Nonces are held in memory only: a captured request can be played again after a restart of this cloud for as long as
//! its timestamp is good.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::registry::Registry;
use crate::cloud::{CloudCx, HttpRequest};
use crate::http::{Response, header};
use crate::platform::alibaba::sign::{
    Algorithm, SignedRequest, content_md5, signature, split_signature_headers, string_to_sign,
};

/// How far a timestamp may be off, and how long a nonce is remembered.
const WINDOW_MS: u64 = 15 * 60 * 1_000;
/// The server's string to sign is cut here in the error message: it goes into a header.
const MAX_SHOWN: usize = 2_048;

/// Why a request does not reach the business.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    InvalidHttpMethod,
    InvalidAppKey,
    Unauthorized,
    EmptySignature,
    /// With the server's string to sign.
    InvalidSignature(String),
    InvalidTimestamp,
    TimestampExpired,
    InvalidContentMd5,
    NonceUsed,
    Throttled,
    EmptyRequestBody,
    InvalidRequestBody,
}

impl Refusal {
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::EmptySignature => 404,
            Self::Unauthorized | Self::Throttled => 403,
            _ => 400,
        }
    }

    /// The value of `X-Ca-Error-Message`.
    pub(super) fn message(&self) -> String {
        let fixed = match self {
            Self::InvalidSignature(string) => {
                return format!("Invalid Signature, Server StringToSign:`{}`", shown(string));
            }
            Self::InvalidHttpMethod => "Invalid HttpMethod",
            Self::InvalidAppKey => "Invalid AppKey",
            Self::Unauthorized => "Unauthorized",
            Self::EmptySignature => "Empty Signature",
            Self::InvalidTimestamp => "Invalid Timestamp",
            Self::TimestampExpired => "Timestamp Expired",
            Self::InvalidContentMd5 => "Invalid Content-MD5",
            Self::NonceUsed => "Nonce Used",
            Self::Throttled => "Throttled by APP Flow Control",
            Self::EmptyRequestBody => "Empty Request Body",
            Self::InvalidRequestBody => "Invalid Request Body",
        };
        fixed.to_string()
    }
}

/// Line feeds as `#`, and nothing that would break out of a header.
fn shown(string: &str) -> String {
    string
        .chars()
        .take(MAX_SHOWN)
        .map(|c| match c {
            '\n' => '#',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

/// What the gateway remembers.
#[derive(Debug, Default)]
pub(super) struct Gateway {
    nonces: BTreeMap<[u8; 32], u64>,
    /// The same, the oldest first.
    by_age: VecDeque<([u8; 32], u64)>,
    /// Requests of each AppKey in the second in hand.
    rates: BTreeMap<String, (u64, u64)>,
}

impl Gateway {
    /// Lets a request pass to the business, or says why not.
    pub(super) fn admit(
        &mut self,
        registry: &Registry,
        request: &HttpRequest,
        cx: &CloudCx<'_>,
    ) -> Result<(), Refusal> {
        if request.method != "POST" {
            return Err(Refusal::InvalidHttpMethod);
        }
        let key = header(&request.headers, "X-Ca-Key").unwrap_or_default();
        let app = registry.app_key(key).ok_or(Refusal::InvalidAppKey)?;
        if !app.authorized {
            return Err(Refusal::Unauthorized);
        }
        let theirs = header(&request.headers, "X-Ca-Signature").map(str::trim).unwrap_or_default();
        if theirs.is_empty() {
            return Err(Refusal::EmptySignature);
        }
        let form = if is_form(request) { parse_form(&request.body) } else { Vec::new() };
        let listed =
            header(&request.headers, "X-Ca-Signature-Headers").map(split_signature_headers);
        let names = listed.unwrap_or_else(|| Vec::from(["X-Ca-Key".to_string()]));
        let string = string_to_sign(&SignedRequest {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            form: &form,
            headers: &request.headers,
            signed_headers: Some(&names),
        });
        let method = header(&request.headers, "X-Ca-Signature-Method").unwrap_or("HmacSHA256");
        let genuine = method
            .trim()
            .parse::<Algorithm>()
            .is_ok_and(|algorithm| same(&signature(algorithm, &app.secret, &string), theirs));
        if !genuine {
            return Err(Refusal::InvalidSignature(string));
        }
        check_timestamp(request, cx)?;
        check_md5(request)?;
        self.check_nonce(key, request, cx)?;
        self.check_rate(key, registry.settings.flow_limit, cx)?;
        if request.body.is_empty() {
            return Err(Refusal::EmptyRequestBody);
        }
        if is_form(request) {
            return Err(Refusal::InvalidRequestBody);
        }
        Ok(())
    }

    fn check_nonce(
        &mut self,
        key: &str,
        request: &HttpRequest,
        cx: &CloudCx<'_>,
    ) -> Result<(), Refusal> {
        let now = cx.now.mono.0;
        while let Some(&(oldest, until)) = self.by_age.front()
            && (until <= now || self.by_age.len() >= cx.limits.remembered.max(1))
        {
            self.by_age.pop_front();
            self.nonces.remove(&oldest);
        }
        let Some(nonce) = header(&request.headers, "X-Ca-Nonce") else { return Ok(()) };
        let digest =
            Sha256::new().chain_update(key).chain_update([0]).chain_update(nonce).finalize();
        let id: [u8; 32] = digest.into();
        if self.nonces.contains_key(&id) {
            return Err(Refusal::NonceUsed);
        }
        let until = now.saturating_add(WINDOW_MS);
        self.nonces.insert(id, until);
        self.by_age.push_back((id, until));
        Ok(())
    }

    /// Only known AppKeys get here, so the table is no larger than theirs.
    fn check_rate(&mut self, key: &str, limit: u64, cx: &CloudCx<'_>) -> Result<(), Refusal> {
        if limit == 0 {
            return Ok(());
        }
        let second = cx.now.mono.0 / 1_000;
        let rate = self.rates.entry(key.to_string()).or_insert((second, 0));
        if rate.0 != second {
            *rate = (second, 0);
        }
        rate.1 = rate.1.saturating_add(1);
        if rate.1 > limit { Err(Refusal::Throttled) } else { Ok(()) }
    }
}

/// Only if sent, and only if this cloud knows the time.
fn check_timestamp(request: &HttpRequest, cx: &CloudCx<'_>) -> Result<(), Refusal> {
    let Some(sent) = header(&request.headers, "X-Ca-Timestamp") else { return Ok(()) };
    let sent: u64 = sent.trim().parse().map_err(|_| Refusal::InvalidTimestamp)?;
    match cx.now.unix {
        Some(now) if now.0.abs_diff(sent) > WINDOW_MS => Err(Refusal::TimestampExpired),
        _ => Ok(()),
    }
}

/// Apart from the signature, which covers the header and not the body. A digest of nothing is refused too.
fn check_md5(request: &HttpRequest) -> Result<(), Refusal> {
    let Some(sent) = header(&request.headers, "Content-MD5") else { return Ok(()) };
    match content_md5(&request.body) {
        Some(md5) if md5 == sent.trim() => Ok(()),
        _ => Err(Refusal::InvalidContentMd5),
    }
}

pub(super) fn is_form(request: &HttpRequest) -> bool {
    header(&request.headers, "Content-Type").is_some_and(|value| {
        let kind = value.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// Fields of `application/x-www-form-urlencoded`; what is not UTF-8 after decoding is left out.
fn parse_form(body: &[u8]) -> Vec<(String, String)> {
    form_fields(body).map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

/// The same, one by one.
pub(super) fn form_fields(body: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let fields = body.split(|&byte| byte == b'&').filter(|field| !field.is_empty());
    fields.filter_map(|field| {
        let mut parts = field.splitn(2, |&byte| byte == b'=');
        let (key, value) = (parts.next()?, parts.next().unwrap_or_default());
        Some((form_decode(key)?, form_decode(value)?))
    })
}

fn form_decode(part: &[u8]) -> Option<Cow<'_, str>> {
    if !part.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return core::str::from_utf8(part).ok().map(Cow::Borrowed);
    }
    let mut out = Vec::with_capacity(part.len());
    let mut rest = part;
    loop {
        // Plain bytes in one go.
        let plain = rest.iter().position(|byte| matches!(byte, b'+' | b'%'));
        let (run, tail) = rest.split_at(plain.unwrap_or(rest.len()));
        out.extend_from_slice(run);
        let Some((&byte, tail)) = tail.split_first() else { break };
        rest = tail;
        match tail.get(..2).filter(|_| byte == b'%').and_then(hex_pair) {
            Some(decoded) => {
                out.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => out.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    crate::hex::decode(core::str::from_utf8(pair).ok()?)?.first().copied()
}

/// Compares in a time that does not depend on where they differ.
fn same(ours: &str, theirs: &str) -> bool {
    ours.len() == theirs.len()
        && ours.bytes().zip(theirs.bytes()).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}

/// An answer of the gateway itself.
pub(super) fn refused(refusal: &Refusal, cx: &mut CloudCx<'_>) -> Response {
    let headers =
        Vec::from([request_id(cx), ("X-Ca-Error-Message".to_string(), refusal.message())]);
    Response { status: refusal.status(), headers, body: Vec::new() }
}

/// An answer of the business, passed on.
pub(super) fn passed(body: String, cx: &mut CloudCx<'_>) -> Response {
    let mut response = Response::json(body);
    response.headers.push(request_id(cx));
    response
}

fn request_id(cx: &mut CloudCx<'_>) -> (String, String) {
    ("X-Ca-Request-Id".to_string(), cx.rng.uuid().to_ascii_uppercase())
}

//! API Gateway request signing, as apps sign and as the gateway checks.
//!
//! ```text
//! METHOD \n Accept \n Content-MD5 \n Content-Type \n Date \n
//! Name:value \n            (each signed header, names sorted bytewise, spelled as sent)
//! /path?key=value&key2     (query and form together, sorted by key, values raw)
//! ```
//!
//! Source: help.aliyun.com "API Gateway, request signatures" and Living Link page 143207, checked against vectors that
//! the Java, Python, Node and Tea clients agreed on (`tests/vectors/alibaba.json`). The body is no part of the string:
//! it is protected through `Content-MD5` alone, so whoever verifies has to compare that digest apart from the
//! signature.
//!
//! Deliberately absent: reading a request's signature back and nonce or clock checks; those are the gateway's.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::digest;
use crate::http::header;
use crate::secret::Secret;

/// `X-Ca-Signature-Method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// What the server-side clients use, and the gateway's default.
    #[default]
    HmacSha256,
    /// What the phone's SDK uses.
    HmacSha1,
}

/// A signature method with another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// As written in `X-Ca-Signature-Method`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HmacSHA256",
            Self::HmacSha1 => "HmacSHA1",
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        [Self::HmacSha256, Self::HmacSha1]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature method has to be HmacSHA256 or HmacSHA1")
    }
}

impl core::error::Error for UnknownAlgorithm {}

/// What a signature covers.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// `POST`, … in upper case.
    pub method: &'a str,
    /// Beginning with `/`, without the query.
    pub path: &'a str,
    /// Query parameters, not percent-encoded.
    pub query: &'a [(String, String)],
    /// Fields of a form body, not percent-encoded; empty for any other body.
    pub form: &'a [(String, String)],
    /// Names and values as sent. Content-MD5 is taken from here, so that a verifier sees what the client signed.
    pub headers: &'a [(String, String)],
    /// The names in `X-Ca-Signature-Headers`, in any order. `None`: see [`default_signed_headers`].
    pub signed_headers: Option<&'a [String]>,
}

/// `Debug` shows method and path: headers and query may hold tokens.
impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedRequest({} {})", self.method, self.path)
    }
}

/// Headers that have a line of their own, or that carry the signature: never among the signed ones.
const NEVER_SIGNED: [&str; 6] =
    ["X-Ca-Signature", "X-Ca-Signature-Headers", "Accept", "Content-MD5", "Content-Type", "Date"];

fn never_signed(name: &str) -> bool {
    NEVER_SIGNED.iter().any(|never| never.eq_ignore_ascii_case(name))
}

/// Every header that begins with `x-ca-`, whatever its case, but for the signature and the list itself: sorted
/// bytewise, spelled as given. This is what all the vendor's clients sign.
pub fn default_signed_headers(headers: &[(String, String)]) -> Vec<String> {
    let names = headers.iter().map(|(name, _)| name.as_str());
    sorted(names.filter(|name| {
        name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("x-ca-"))
            && !never_signed(name)
    }))
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = names.map(ToOwned::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// Splits the value of `X-Ca-Signature-Headers`: commas in every client, colons on one page of the vendor's.
pub fn split_signature_headers(value: &str) -> Vec<String> {
    let names = value.split([',', ':']).map(str::trim);
    names.filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

/// The text that is signed.
pub fn string_to_sign(request: &SignedRequest<'_>) -> String {
    let mut out = String::from(request.method);
    out.push('\n');
    for name in ["Accept", "Content-MD5", "Content-Type", "Date"] {
        out.push_str(header(request.headers, name).unwrap_or_default());
        out.push('\n');
    }
    let names = match request.signed_headers {
        Some(names) => sorted(names.iter().map(String::as_str).filter(|name| !never_signed(name))),
        None => default_signed_headers(request.headers),
    };
    for name in names {
        out.push_str(&name);
        out.push(':');
        out.push_str(header(request.headers, &name).unwrap_or_default());
        out.push('\n');
    }
    push_resource(&mut out, request);
    out
}

/// Path and parameters. Of a repeated key the first value counts; an empty value leaves the key alone.
fn push_resource(out: &mut String, request: &SignedRequest<'_>) {
    let mut parameters: Vec<&(String, String)> = request.query.iter().chain(request.form).collect();
    // A stable sort keeps the first of a repeated key in front.
    parameters.sort_by(|a, b| a.0.cmp(&b.0));
    parameters.dedup_by(|later, first| later.0 == first.0);
    out.push_str(request.path);
    for (i, (key, value)) in parameters.into_iter().enumerate() {
        out.push(if i == 0 { '?' } else { '&' });
        out.push_str(key);
        if !value.is_empty() {
            out.push('=');
            out.push_str(value);
        }
    }
}

/// The value of `Content-MD5` for a body that is no form; `None` for an empty body, whose header is left out.
pub fn content_md5(body: &[u8]) -> Option<String> {
    (!body.is_empty()).then(|| STANDARD.encode(Md5::digest(body)))
}

/// The value of `X-Ca-Signature`.
pub fn signature(algorithm: Algorithm, secret: &Secret, string: &str) -> String {
    let (key, text) = (secret.expose().as_bytes(), string.as_bytes());
    STANDARD.encode(match algorithm {
        Algorithm::HmacSha256 => digest::hmac_sha256(key, &[text]),
        Algorithm::HmacSha1 => digest::hmac_sha1(key, &[text]),
    })
}

/// What an app gives to sign a POST with a JSON body.
#[derive(Clone, Copy)]
pub struct JsonPost<'a> {
    /// Beginning with `/`.
    pub path: &'a str,
    /// The JSON bytes.
    pub body: &'a [u8],
    /// AppKey.
    pub app_key: &'a str,
    /// AppSecret.
    pub app_secret: &'a Secret,
    /// By which HMAC.
    pub algorithm: Algorithm,
    /// A UUID that is never used again.
    pub nonce: &'a str,
    /// Unix milliseconds, where the wall clock is known: without one the gateway's clock check is forgone.
    pub timestamp_ms: Option<u64>,
    /// RFC 1123, if it is to be sent: browsers do not allow it.
    pub date: Option<&'a str>,
    /// `TEST`, `PRE` or `RELEASE`, if it is to be sent.
    pub stage: Option<&'a str>,
}

/// `Debug` shows the path: the body holds the owner's token.
impl fmt::Debug for JsonPost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonPost({}, {} bytes)", self.path, self.body.len())
    }
}

/// All headers that a signed POST with a JSON body has to send, in this order and spelling, signature last.
///
/// Accept is given explicitly: many HTTP clients add their own and so break the signature.
pub fn json_post_headers(post: &JsonPost<'_>) -> Vec<(String, String)> {
    let timestamp = post.timestamp_ms.map(|ms| alloc::format!("{ms}"));
    let md5 = content_md5(post.body);
    let mut headers: Vec<(String, String)> = [
        ("Accept", Some("application/json; charset=utf-8")),
        ("Content-Type", Some("application/octet-stream; charset=utf-8")),
        ("Content-MD5", md5.as_deref()),
        ("Date", post.date),
        ("X-Ca-Key", Some(post.app_key)),
        ("X-Ca-Nonce", Some(post.nonce)),
        ("X-Ca-Timestamp", timestamp.as_deref()),
        ("X-Ca-Signature-Method", Some(post.algorithm.as_str())),
        ("X-Ca-Stage", post.stage),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
    .collect();
    let names = default_signed_headers(&headers);
    let string = string_to_sign(&SignedRequest {
        method: "POST",
        path: post.path,
        query: &[],
        form: &[],
        headers: &headers,
        signed_headers: Some(&names),
    });
    let signature = signature(post.algorithm, post.app_secret, &string);
    headers.push(("X-Ca-Signature-Headers".to_owned(), names.join(",")));
    headers.push(("X-Ca-Signature".to_owned(), signature));
    headers
}

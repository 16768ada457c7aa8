//! HTTP: requests of the core, and downloads that are hashed while they stream.

use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;

use futures_util::future::{Either, select};
use gloo_net::http::{Method, RequestBuilder, Response as FetchResponse};
use gloo_timers::future::TimeoutFuture;
use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, ReadableStreamDefaultReader};

use super::relay::{self, Route};
use super::spoil::{self, Fault, Pour};
use super::trouble;
use super::values;
use crate::error::Failure;
use crate::hex;
use crate::http::{MAX_BODY, Request, Response, header};
use crate::input::{Answer, Progress};
use crate::output::Download;
use crate::trace::{Trouble, TroubleReason};

/// How long a request may take.
const ANSWER_WITHIN: u32 = 30_000;
/// How long a download may bring nothing.
pub(super) const IDLE: u32 = 30_000;
/// Progress is told this often.
const TELL_EVERY: f64 = 100.0;

/// Ends a request or a download that nobody waits for any more.
#[derive(Clone, Debug)]
pub(super) struct Aborter(Option<AbortController>);

impl Aborter {
    pub(super) fn new() -> Self {
        Self(AbortController::new().ok())
    }

    pub(super) fn abort(&self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.signal().is_some_and(|signal| signal.aborted())
    }

    pub(super) fn signal(&self) -> Option<AbortSignal> {
        self.0.as_ref().map(AbortController::signal)
    }
}

/// An image that is in the staging slot: in a simulator its digest is what matters.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) size: u64,
    pub(super) md5: String,
    pub(super) sha256: String,
}

/// Why there is no image.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) failure: Failure,
    pub(super) trouble: Option<Trouble>,
}

/// 32 bytes of the browser's randomness.
pub(super) fn seed() -> Result<[u8; 32], JsValue> {
    let missing =
        || values::fault("misuse", "there is no crypto.getRandomValues here", None, JsValue::NULL);
    let crypto = js_sys::Reflect::get(&js_sys::global(), &"crypto".into())?;
    let crypto: web_sys::Crypto = crypto.dyn_into().map_err(|_| missing())?;
    let mut seed = [0; 32];
    crypto.get_random_values_with_u8_array(&mut seed).map_err(|_| missing())?;
    Ok(seed)
}

/// Sends a request of the core's.
pub(super) async fn request(
    request: &Request,
    route: Route,
    aborter: &Aborter,
) -> (Answer, Option<Trouble>) {
    match exchange(request, route, aborter).await {
        Ok(response) => (Answer::Response(response), None),
        Err(broken) => (Answer::Failed(broken.failure), broken.trouble),
    }
}

async fn exchange(request: &Request, route: Route, aborter: &Aborter) -> Result<Response, Broken> {
    let exchange = async {
        let body = (!request.body.is_empty()).then(|| Uint8Array::from(&*request.body));
        let Head { status, headers, response } =
            head(route, &request.method, &request.url, &request.headers, body, aborter).await?;
        let mut body = Vec::new();
        read(&response, &request.url, &mut async |chunk: Vec<u8>| {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
            Ok(true)
        })
        .await?;
        Ok(Response { status, headers, body })
    };
    match select(Box::pin(exchange), TimeoutFuture::new(ANSWER_WITHIN)).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => {
            aborter.abort();
            Err(late(&request.url))
        }
    }
}

/// What came before the body.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// Its body is the answer's.
    pub(super) response: FetchResponse,
}

/// Asks whoever the route leads to.
async fn head(
    route: Route,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<Uint8Array>,
    aborter: &Aborter,
) -> Result<Head, Broken> {
    if route.is_relay() {
        return relay::ask(method, url, headers, body, aborter).await;
    }
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| Broken { failure: Failure::Protocol, trouble: None })?;
    let response = send(method, url, headers, body, aborter).await?;
    let headers = response.headers().entries().collect();
    Ok(Head { status: response.status(), headers, response })
}

fn late(url: &str) -> Broken {
    let trouble = Trouble { reason: TroubleReason::TimedOut, url: url.to_string(), detail: None };
    Broken { failure: Failure::TimedOut, trouble: Some(trouble) }
}

/// Streams an image and hashes it.
pub(super) async fn download(
    download: &Download,
    route: Route,
    aborter: &Aborter,
    fault: Option<Fault>,
    progress: &mut impl FnMut(Progress),
) -> Result<Image, Broken> {
    spoil::refusal(fault.as_ref())?;
    let Head { status, headers, response } =
        head(route, "GET", &download.url, &[], None, aborter).await?;
    if status != 200 {
        return Err(Broken { failure: Failure::Status(status), trouble: None });
    }
    let announced = header(&headers, "content-length").and_then(|text| text.parse().ok());
    let mut pour = Pour::new(download, announced, fault, aborter, progress);
    let mut take = async |chunk: Vec<u8>| pour.take(&chunk).await;
    read(&response, &download.url, &mut take).await.inspect_err(|_| aborter.abort())?;
    Ok(pour.end())
}

/// Both digests of a stream, and how far it is.
pub(super) struct Hasher {
    md5: md5::Md5,
    sha256: Sha256,
    received: u64,
    total: Option<u64>,
    most: u64,
    told: f64,
}

impl Hasher {
    pub(super) fn new(download: &Download, announced: Option<u64>) -> Self {
        Self {
            md5: md5::Md5::new(),
            sha256: Sha256::new(),
            received: 0,
            total: announced.or(download.size),
            most: download.max_size,
            told: 0.0,
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn take(
        &mut self,
        chunk: &[u8],
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), Failure> {
        self.received += chunk.len() as u64;
        if self.received > self.most {
            return Err(Failure::TooLarge);
        }
        self.md5.update(chunk);
        self.sha256.update(chunk);
        let now = js_sys::Date::now();
        if now - self.told >= TELL_EVERY {
            self.told = now;
            progress(Progress { received: self.received, total: self.total });
        }
        Ok(())
    }

    pub(super) fn end(self, progress: &mut impl FnMut(Progress)) -> Image {
        progress(Progress { received: self.received, total: self.total });
        let md5: [u8; 16] = self.md5.finalize().into();
        let sha256: [u8; 32] = self.sha256.finalize().into();
        Image { size: self.received, md5: hex::lower(&md5), sha256: hex::lower(&sha256) }
    }
}

/// Nothing of the page goes along: no cookies, no referrer, no cache.
async fn send(
    method: Method,
    url: &str,
    headers: &[(String, String)],
    body: Option<Uint8Array>,
    aborter: &Aborter,
) -> Result<FetchResponse, Broken> {
    if let Some(trouble) = trouble::forbidden(url, &["http://", "https://"]) {
        return Err(Broken { failure: Failure::Forbidden, trouble: Some(trouble) });
    }
    let mut builder = RequestBuilder::new(url)
        .method(method)
        .mode(web_sys::RequestMode::Cors)
        .credentials(web_sys::RequestCredentials::Omit)
        .cache(web_sys::RequestCache::NoStore)
        .referrer_policy(web_sys::ReferrerPolicy::NoReferrer)
        .abort_signal(aborter.signal().as_ref());
    for (name, value) in headers {
        if !plain(value) {
            return Err(Broken { failure: Failure::Protocol, trouble: None });
        }
        builder = builder.header(name, value);
    }
    let request = match body {
        Some(body) => builder.body(body),
        None => builder.build(),
    };
    let request = request.map_err(|_| Broken { failure: Failure::Protocol, trouble: None })?;
    match request.send().await {
        Ok(response) => Ok(response),
        Err(_) => {
            let trouble = trouble::behind_request(url).await;
            let failure = match trouble.reason {
                TroubleReason::RefusedByPolicy | TroubleReason::Cors => Failure::Forbidden,
                _ => Failure::Unreachable,
            };
            Err(Broken { failure, trouble: Some(trouble) })
        }
    }
}

/// Whether a browser takes it as a header's value; anything else makes it throw.
pub(super) fn plain(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

/// Hands on the body, piece by piece, until the end of it or of the taker's patience.
pub(super) async fn read(
    response: &FetchResponse,
    url: &str,
    take: &mut impl AsyncFnMut(Vec<u8>) -> Result<bool, Failure>,
) -> Result<(), Broken> {
    let lost = || Broken { failure: Failure::Lost, trouble: None };
    let Some(stream) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().dyn_into().map_err(|_| lost())?;
    loop {
        let chunk = match select(JsFuture::from(reader.read()), TimeoutFuture::new(IDLE)).await {
            Either::Left((chunk, _)) => chunk.map_err(|_| lost())?,
            Either::Right(_) => {
                let _ = reader.cancel();
                return Err(late(url));
            }
        };
        let get = |name: &str| js_sys::Reflect::get(&chunk, &name.into()).map_err(|_| lost());
        if get("done")?.is_truthy() {
            return Ok(());
        }
        let bytes: Uint8Array = get("value")?.dyn_into().map_err(|_| lost())?;
        let taken = take(bytes.to_vec()).await;
        if !matches!(taken, Ok(true)) {
            let _ = reader.cancel();
            return taken.map(drop).map_err(|failure| Broken { failure, trouble: None });
        }
    }
}

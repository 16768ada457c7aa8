//! The one HTTP port: the vendors' own paths at the root, firmware, MQTT over WebSocket, the console, the start page
//! and the operator API.
//!
//! Header names go out in title case (`Content-Length`): a device SDK in the field compares them byte by byte.
//! Nothing but the console's files is ever compressed, for the same reason.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures_util::StreamExt;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use muster::cloud::HttpRequest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::listen::{Patient, accept};
use super::{Up, api, console, firmware, guard, page, relay, ws};

/// The longest body that a vendor's cloud reads.
const BODY: usize = 64 * 1024;
/// All header lines of a request together.
const HEAD: usize = 32 * 1024;
/// A client that has not sent its whole header by then, or its next request, is cut off.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// The same for a body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// No cloud takes longer for an answer; this only guards against a lost one.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// What a handler may know about the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Whether operators may come in here.
    pub(crate) operators: bool,
    /// Who came in.
    pub(crate) peer: IpAddr,
}

/// Serves one listener for ever.
pub(crate) async fn serve(up: Arc<Up>, listener: TcpListener, slots: Arc<Semaphore>) {
    let service = TowerToHyperService::new(router(Arc::clone(&up)));
    loop {
        // Taken before the next connection is: those beyond the limit wait in the system's queue.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let (stream, peer) = accept(&listener).await;
        let Ok(local) = stream.local_addr() else { continue };
        let (service, doors) = (service.clone(), up.doors);
        tokio::spawn(async move {
            let arrival = Arrival { operators: doors.operators_at(local), peer: peer.ip() };
            connection(stream, arrival, service).await;
            drop(slot);
        });
    }
}

async fn connection(stream: TcpStream, arrival: Arrival, service: TowerToHyperService<Router>) {
    let service =
        hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(arrival);
            service.call(request)
        });
    // Errors here are clients that went away or do not speak HTTP; the latter were told so.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(Patient::new(stream)), service)
        .with_upgrades()
        .await;
}

fn router(up: Arc<Up>) -> Router {
    let operator = Router::new()
        .route("/api", get(api::index))
        .route("/api/status", get(api::status))
        .route("/api/products", get(api::products))
        .route("/api/devices", get(api::devices))
        .route("/api/reports", get(api::reports))
        .route("/api/upgrades", get(api::upgrades))
        .route("/api/owners", get(api::owners))
        .route("/api/log", get(api::log))
        .route("/api/demo", get(api::demo))
        .route("/api/relay", get(relay::status))
        .route("/api/relay/token", post(relay::token))
        .route("/api/operate", post(api::operate))
        .route("/api/firmware", post(firmware::upload))
        .route("/api/{*rest}", any(api::unknown))
        .method_not_allowed_fallback(api::wrong_method)
        .layer(axum::middleware::from_fn(guard::api));
    Router::new()
        .merge(operator)
        .route("/", any(root))
        .route("/start", any(start))
        .route("/console", any(console::file))
        .route("/console/", any(console::file))
        .route("/console/{*path}", any(console::file))
        .route("/mqtt/{platform}", get(ws::door))
        .route("/relay/mqtt", get(relay::mqtt))
        .route("/relay/http", any(relay::http))
        .route("/firmware/{id}/{name}", any(firmware::download))
        .fallback(vendor)
        .with_state(up)
}

/// `/` is the console, or the start page in its place; but UCloud documents its WebSocket without a path.
async fn root(
    State(up): State<Arc<Up>>,
    Extension(arrival): Extension<Arrival>,
    request: Request,
) -> Response {
    if is_websocket(request.headers()) {
        return ws::ucloud_root(up, request).await;
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return vendor(State(up), request).await;
    }
    if let Err(error) = guard::operator(&arrival, request.headers()) {
        return (StatusCode::FORBIDDEN, format!("{}\n", error.message())).into_response();
    }
    match &up.console {
        Some(console) => console::index(console, request.uri(), request.headers()).await,
        None => page::start(&up, request.headers()).await,
    }
}

/// What runs where, and how to try it from a terminal.
async fn start(
    State(up): State<Arc<Up>>,
    Extension(arrival): Extension<Arrival>,
    request: Request,
) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return vendor(State(up), request).await;
    }
    if let Err(error) = guard::operator(&arrival, request.headers()) {
        return (StatusCode::FORBIDDEN, format!("{}\n", error.message())).into_response();
    }
    page::start(&up, request.headers()).await
}

fn is_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Everything that is not ours is the vendors'.
async fn vendor(State(up): State<Arc<Up>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = match decode(parts.uri.path(), false) {
        Some(path) => path,
        None => return plain(StatusCode::BAD_REQUEST, "the path is not percent-encoded UTF-8\n"),
    };
    let body = match read(body, BODY).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let request = HttpRequest {
        method: parts.method.as_str().to_owned(),
        path,
        query: query(parts.uri.query().unwrap_or_default()),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body,
    };
    let answer = match tokio::time::timeout(ANSWER_TIME, up.engine.request(request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            return plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the cloud cannot store at the moment\n",
            );
        }
        Err(_) => return plain(StatusCode::GATEWAY_TIMEOUT, "the cloud did not answer\n"),
    };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // Vendors put UTF-8 into header values.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Response> {
    let too_large = || {
        let mut response =
            plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than is read here\n");
        // The rest of it is not read, so the connection cannot be used again.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut stream = body.into_data_stream();
    let all = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk =
                chunk.map_err(|_| plain(StatusCode::BAD_REQUEST, "the body broke off\n"))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    match tokio::time::timeout(BODY_TIME, all).await {
        Ok(result) => result,
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time\n")),
    }
}

/// A short answer for people.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
    (status, kind, text).into_response()
}

/// Bytes that are UTF-8 in the field; anything else is read as ISO-8859-1.
pub(crate) fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Query parameters in the order sent. A pair that is not UTF-8 is left out.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(key, true)?, decode(value, true)?))
        })
        .collect()
}

/// Undoes percent-encoding; in a query `+` is a space.
pub(crate) fn decode(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// JSON, never cached, never guessed to be something else.
pub(crate) fn json(value: &impl serde::Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, super::json(value)).into_response()
}

/// The answer of an API call.
pub(crate) type Answer = Result<Response, ApiError>;

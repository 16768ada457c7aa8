//! The console: the page at `/`, and everything it loads below `/console/`.
//!
//! Its files are part of this program if they had been built when it was (`cargo xtask web`, `host/build.rs`); `--console
//! DIR` serves a folder in their place, as it is at that moment, for those who work on the page. Without either, `/` is
//! the start page.
//!
//! | | `index.html` | `assets/` | the rest |
//! | --- | --- | --- | --- |
//! | address | `/` | `/console/assets/…` | `/console/…` |
//! | may be kept | asked for again each time | for ever: the name holds a hash | asked for again each time |
//!
//! `sw.js` is the page's service worker: it answers for `/` too while this program does not run.
//!
//! Compression is for these files alone: devices read the vendors' paths and firmware, and some of them cannot inflate.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use muster::hex;
use sha2::{Digest, Sha256};

use super::http::{Arrival, plain};
use super::{Up, guard};
use crate::exit::Exit;

/// What the page and its worker may do. Scripts, styles and WebAssembly come from here alone, and nothing is inline.
///
/// A person may name a cloud of their own, at any address, so `connect-src` allows every host, though only what MQTT
/// over WebSocket and the vendors' HTTP need. That nothing else is asked is seen by the browser tests.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; font-src 'self'; worker-src 'self'; \
    connect-src 'self' ws: wss: http: https:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What a person's script may do, in its own Worker: be evaluated, and nothing else. It has no network at all, whatever it
/// finds there: not even this server, not even another script.
const SCRIPT_POLICY: &str = "default-src 'none'; script-src 'unsafe-eval'; sandbox allow-scripts";

/// The Worker of scripts is in a file of its own, because a worker is bound by the policy that its own file came with.
const SCRIPT_WORKER: &str = "assets/script-worker-";

/// A file of the console as it was built.
pub(crate) struct Embedded {
    /// Below `dist/`, with `/` between the folders.
    path: &'static str,
    /// Tells contents apart.
    tag: &'static str,
    plain: &'static [u8],
    /// Where it is smaller.
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// Where the console's files come from.
#[derive(Clone)]
pub(crate) enum Console {
    Embedded(&'static [Embedded]),
    Folder(PathBuf),
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(files) => write!(f, "Embedded({} files)", files.len()),
            Self::Folder(folder) => f.debug_tuple("Folder").field(folder).finish(),
        }
    }
}

impl Console {
    /// The folder, or what is built in, if anything is.
    pub(crate) fn new(folder: Option<PathBuf>) -> Result<Option<Self>, Exit> {
        match folder {
            Some(folder) if folder.join("index.html").is_file() => Ok(Some(Self::Folder(folder))),
            Some(folder) => Err(Exit::usage(
                format!("--console {}: there is no index.html in it", folder.display()),
                "name the folder that `cargo xtask web` builds: www/dist",
            )),
            None if EMBEDDED.is_empty() => Ok(None),
            None => Ok(Some(Self::Embedded(EMBEDDED))),
        }
    }

    async fn file(&self, path: &str) -> Option<Asset> {
        match self {
            Self::Embedded(files) => {
                let file = files.iter().find(|file| file.path == path)?;
                Some(Asset {
                    tag: file.tag.into(),
                    plain: Bytes::from_static(file.plain),
                    gzip: file.gzip.map(Bytes::from_static),
                })
            }
            Self::Folder(folder) => {
                let relative = Path::new(path);
                if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
                    return None;
                }
                let bytes = tokio::fs::read(folder.join(relative)).await.ok()?;
                let digest = hex::lower(&Sha256::digest(&bytes));
                let tag = digest.get(..16).unwrap_or_default().to_owned();
                Some(Asset { tag, plain: bytes.into(), gzip: None })
            }
        }
    }
}

/// A file that is asked for.
struct Asset {
    tag: String,
    plain: Bytes,
    gzip: Option<Bytes>,
}

/// `GET /`, for a browser.
pub(crate) async fn index(console: &Console, uri: &Uri, headers: &HeaderMap) -> Response {
    if let Some(address) = by_address(headers, uri) {
        let to = [(header::LOCATION, address), (header::CACHE_CONTROL, NO_STORE)];
        return (StatusCode::FOUND, to).into_response();
    }
    match console.file("index.html").await {
        Some(asset) => answer(&asset, "index.html", headers),
        None => plain(StatusCode::NOT_FOUND, "the console's index.html is gone\n"),
    }
}

/// `/console/…`
pub(crate) async fn file(
    State(up): State<Arc<Up>>,
    Extension(arrival): Extension<Arrival>,
    request: Request,
) -> Response {
    if let Err(error) = guard::operator(&arrival, request.headers()) {
        return (StatusCode::FORBIDDEN, format!("{}\n", error.message())).into_response();
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response =
            plain(StatusCode::METHOD_NOT_ALLOWED, "the console's files are fetched with GET\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    // Names that need percent-encoding are not among them.
    let path = request.uri().path();
    let path = path.strip_prefix("/console").unwrap_or(path).trim_start_matches('/');
    if path.is_empty() || path == "index.html" {
        let to =
            [(header::LOCATION, HeaderValue::from_static("/")), (header::CACHE_CONTROL, NO_STORE)];
        return (StatusCode::FOUND, to).into_response();
    }
    let asset = match &up.console {
        Some(console) => console.file(path).await,
        None => None,
    };
    match asset {
        Some(asset) => answer(&asset, path, request.headers()),
        None => {
            let mut response = plain(StatusCode::NOT_FOUND, "the console has no such file\n");
            response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
            response
        }
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Where a page at `localhost` should be instead: firmware and the vendors' paths are named by address, and to a
/// browser `localhost` is another origin than `127.0.0.1`. The port stays, it may be one that is forwarded to ours.
fn by_address(headers: &HeaderMap, uri: &Uri) -> Option<HeaderValue> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, format!(":{port}")),
        None => (host, String::new()),
    };
    if !name.eq_ignore_ascii_case("localhost") {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    HeaderValue::from_str(&format!("http://127.0.0.1{port}/{query}")).ok()
}

/// The file, or that the browser has it already. For `HEAD`, hyper leaves the body out and keeps its length.
fn answer(asset: &Asset, path: &str, headers: &HeaderMap) -> Response {
    let (body, tag, encoding) = match &asset.gzip {
        Some(gzip) if takes_gzip(headers) => {
            (gzip, format!("\"{}-gzip\"", asset.tag), Some("gzip"))
        }
        _ => (&asset.plain, format!("\"{}\"", asset.tag), None),
    };
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    for (name, value) in SECURITY {
        out.insert(name, HeaderValue::from_static(value));
    }
    if path.starts_with(SCRIPT_WORKER) {
        let policy = HeaderValue::from_static(SCRIPT_POLICY);
        out.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let keep = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if path == SERVICE_WORKER {
        // It lies below `/console/`, and serves the page at `/`.
        let scope = HeaderName::from_static("service-worker-allowed");
        out.insert(scope, HeaderValue::from_static("/"));
    }
    if asset.gzip.is_some() {
        out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if has_already(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Body::from(body.clone());
    response
}

/// What keeps the page for times without this program (`www/src/offline/worker.ts`).
const SERVICE_WORKER: &str = "sw.js";

/// With every file: a worker is bound by the policy that its own script came with.
const SECURITY: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// RFC 9110, 12.5.3: `gzip`, or `*`, unless its weight is 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut any = false;
    for item in lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let refused = parts
            .filter_map(|part| part.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .any(|(_, weight)| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            return !refused;
        }
        any |= coding == "*" && !refused;
    }
    any
}

fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|item| item.trim().trim_start_matches("W/"))
        .any(|item| item == "*" || item == tag)
}

/// What Vite puts into `dist`.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        // A browser compiles it while it streams only under this name.
        "wasm" => "application/wasm",
        "json" | "map" => "application/json; charset=utf-8",
        "webmanifest" => "application/manifest+json; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn asset() -> Asset {
        Asset {
            tag: "abc".into(),
            plain: Bytes::from_static(b"plain"),
            gzip: Some(Bytes::from_static(b"small")),
        }
    }

    #[test]
    fn a_browser_gets_the_small_form_only_if_it_takes_it() {
        for takes in ["gzip", "br, GZIP;q=0.5", "*", "deflate, *;q=0.1", "x-gzip", "gzip; q=1"] {
            assert!(takes_gzip(&headers(&[(header::ACCEPT_ENCODING, takes)])), "{takes}");
        }
        for not in ["", "br", "identity", "gzip;q=0", "gzip; q=0.0, br", "*;q=0", "gzip;q=0, *"] {
            assert!(!takes_gzip(&headers(&[(header::ACCEPT_ENCODING, not)])), "{not}");
        }
        assert!(!takes_gzip(&headers(&[])));
    }

    #[test]
    fn the_small_form_has_its_own_tag_and_says_what_it_is() {
        let small = answer(&asset(), "assets/a.js", &headers(&[(header::ACCEPT_ENCODING, "gzip")]));
        let plain = answer(&asset(), "assets/a.js", &headers(&[]));
        assert_eq!(small.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
        assert_ne!(small.headers()[header::ETAG], plain.headers()[header::ETAG]);
        for response in [small, plain] {
            assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        }
    }

    #[test]
    fn scripts_may_be_evaluated_in_their_own_worker_alone_and_have_no_network_there() {
        let policy = |path| {
            let response = answer(&asset(), path, &headers(&[]));
            response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
        };
        let script = policy("assets/script-worker-abc.js");
        assert!(script.starts_with("default-src 'none'; script-src 'unsafe-eval'"), "{script}");
        assert!(!script.contains("connect-src") && !script.contains("'self'"), "{script}");
        for path in ["index.html", "assets/worker-abc.js", "assets/index.js", "script-worker-a.js"]
        {
            assert!(!policy(path).contains("'unsafe-eval'"), "{path}");
        }
    }

    #[test]
    fn what_the_browser_has_already_is_not_sent_again() {
        let asked = |tags| {
            let headers =
                headers(&[(header::IF_NONE_MATCH, tags), (header::ACCEPT_ENCODING, "gzip")]);
            answer(&asset(), "index.html", &headers)
        };
        for tags in ["\"abc-gzip\"", "\"x\", W/\"abc-gzip\"", "*"] {
            let response = asked(tags);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{tags}");
            assert_eq!(response.headers()[header::ETAG], "\"abc-gzip\"");
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        }
        for tags in ["\"abc\"", "\"\"", "abc-gzip"] {
            assert_eq!(asked(tags).status(), StatusCode::OK, "{tags}");
        }
    }

    #[test]
    fn the_service_worker_alone_may_serve_the_page_and_is_asked_for_again_each_time() {
        let scope = "service-worker-allowed";
        let worker = answer(&asset(), "sw.js", &headers(&[]));
        assert_eq!(worker.headers()[scope], "/");
        assert_eq!(worker.headers()[header::CACHE_CONTROL], "no-cache");
        for other in ["index.html", "assets/sw.js", "manifest.webmanifest"] {
            assert!(
                answer(&asset(), other, &headers(&[])).headers().get(scope).is_none(),
                "{other}"
            );
        }
        let manifest = answer(&asset(), "manifest.webmanifest", &headers(&[]));
        assert_eq!(
            manifest.headers()[header::CONTENT_TYPE],
            "application/manifest+json; charset=utf-8"
        );
    }

    #[test]
    fn localhost_is_sent_to_the_address() {
        let to = |host, uri: &'static str| {
            let address = by_address(&headers(&[(header::HOST, host)]), &Uri::from_static(uri));
            address.map(|address| address.to_str().unwrap().to_owned())
        };
        assert_eq!(to("localhost:7878", "/").as_deref(), Some("http://127.0.0.1:7878/"));
        assert_eq!(to("LocalHost", "/?lang=zh").as_deref(), Some("http://127.0.0.1/?lang=zh"));
        for stays in ["127.0.0.1:7878", "[::1]:7878", "192.168.1.5", "localhost.example:1"] {
            assert_eq!(to(stays, "/"), None, "{stays}");
        }
    }
}

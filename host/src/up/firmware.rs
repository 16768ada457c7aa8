//! Firmware images: taken from the operator, kept as files, given to devices.
//!
//! An image is hashed while it streams into a temporary file; only when the file and its folder are on the disk is
//! its name known to a cloud. Its address is made of its own digest, so it can never change under a device that is
//! fetching it in pieces.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use md5::Md5;
use muster::cloud::{Action, Operation, OperationResult};
use muster::{SecretBytes, hex};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::error::ApiError;
use super::http::{Answer, plain};
use super::{Up, api, store};

/// The largest image that is taken.
pub(crate) const MAX_IMAGE: u64 = 64 * 1024 * 1024;
/// Images that are taken at once.
pub(crate) const UPLOADS: usize = 4;
/// An operator's upload that moves nothing for this long has failed.
const IDLE: std::time::Duration = std::time::Duration::from_secs(60);
/// Bytes read from the disk at once.
const CHUNK: u64 = 64 * 1024;

/// Where images live.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("firmware")
}

/// Makes the folder, and throws away what an upload left behind that the power cut short.
pub(crate) fn prepare(data: &Path) -> Result<(), crate::exit::Exit> {
    let folder = folder(data);
    store::make_private_dir(&folder)?;
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

const TEMPORARY: &str = "upload-";

/// `POST /api/firmware?platform=&product=&version=&module=`: the raw image.
pub(crate) async fn upload(State(up): State<Arc<Up>>, request: Request) -> Answer {
    let query = api::Query::of(&request);
    let platform = query.platform()?;
    let product = query.required("product")?.to_owned();
    let version = query.required("version")?.to_owned();
    let module = query.get("module").map(str::to_owned);
    query.only(&["platform", "product", "version", "module"])?;
    if !plain_name(&version) || version.len() > 32 {
        return Err(ApiError::invalid(
            "a version has 1 to 32 letters, digits, `.`, `-` and `_`",
            "choose another version, such as 1.0.1",
        ));
    }
    if request.body().size_hint().lower() > MAX_IMAGE {
        return Err(too_large());
    }
    // Better before 64 MiB were sent than after.
    api::find_product(&up.engine, platform, &product).await?;
    let Ok(_slot) = up.uploads.acquire().await else {
        return Err(super::engine::Unavailable.into());
    };

    let folder = folder(&up.data);
    let staged = Staged::new(&folder).await?;
    let image = staged.fill(request.into_body()).await?;
    let name = file_name(&product, module.as_deref(), &version);
    let id = image.sha256.get(..32).unwrap_or(&image.sha256).to_owned();
    let fresh = staged.keep(&folder, &id, &name).await?;

    let path = format!("/{id}/{name}");
    let action = Action::AddFirmware {
        product,
        module,
        version,
        url: format!("{STAND_IN}{path}"),
        size: image.size,
        md5: image.md5.clone(),
        sha256: image.sha256.clone(),
    };
    match up.engine.operate(Operation { platform, action }).await {
        Ok(Ok(OperationResult::Done)) => {}
        Ok(Ok(_)) => {}
        Ok(Err(refused)) => {
            if fresh {
                let _ = tokio::fs::remove_file(folder.join(&id).join(&name)).await;
                let _ = tokio::fs::remove_dir(folder.join(&id)).await;
            }
            return Err(refused.into());
        }
        // Perhaps it is kept, perhaps not: the file stays, it harms nobody.
        Err(unavailable) => return Err(unavailable.into()),
    }
    Ok(super::http::json(&json!({
        "url": format!("{}{path}", up.addresses.firmware), "size": image.size, "md5": image.md5, "sha256": image.sha256,
    })))
}

/// What the clouds keep in place of the address of this server, which may be another one after the next start: they
/// know an image as `STAND_IN/<id>/<name>`, and the engine puts the real address into what goes out to devices.
const STAND_IN: &str = "http://firmware.muster.invalid";

/// A message to a device, with the address at which it can fetch firmware now.
pub(crate) fn with_base(payload: SecretBytes, base: &str) -> SecretBytes {
    let (bytes, needle) = (payload.expose(), STAND_IN.as_bytes());
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(needle.len()).position(|window| window == needle) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(base.as_bytes());
        rest = after.get(needle.len()..).unwrap_or_default();
    }
    if rest.len() == bytes.len() {
        return payload;
    }
    out.extend_from_slice(rest);
    SecretBytes::new(out)
}

fn file_name(product: &str, module: Option<&str>, version: &str) -> String {
    let part = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .take(64)
            .collect()
    };
    let module = module.map(|m| format!("-{}", part(m))).unwrap_or_default();
    format!("{}{module}-{version}.bin", part(product))
}

fn plain_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

fn too_large() -> ApiError {
    ApiError::too_large(
        format!("an image has at most {} MiB", MAX_IMAGE / 1024 / 1024),
        "make it smaller; the vendors' own limits are lower still",
    )
}

struct Image {
    size: u64,
    md5: String,
    sha256: String,
}

/// A file that is being filled. Removed unless it is kept.
struct Staged {
    path: PathBuf,
    file: Option<File>,
}

impl Staged {
    async fn new(folder: &Path) -> Result<Self, ApiError> {
        let mut name = [0; 8];
        getrandom::fill(&mut name)
            .map_err(|e| ApiError::storage(format!("no random numbers: {e}")))?;
        let path = folder.join(format!("{TEMPORARY}{}", hex::lower(&name)));
        let file = File::create_new(&path).await.map_err(failed)?;
        Ok(Self { path, file: Some(file) })
    }

    async fn fill(&self, body: Body) -> Result<Image, ApiError> {
        let mut file = match &self.file {
            Some(file) => file.try_clone().await.map_err(failed)?,
            None => return Err(ApiError::storage("the temporary file is gone")),
        };
        let (mut sha256, mut md5, mut size) = (Sha256::new(), Md5::new(), 0u64);
        let mut stream = body.into_data_stream();
        loop {
            let next = tokio::time::timeout(IDLE, stream.next()).await;
            let broken = || ApiError::invalid("the image broke off", "send it again");
            let Some(chunk) = next.map_err(|_| broken())? else { break };
            let chunk = chunk.map_err(|_| broken())?;
            size += chunk.len() as u64;
            if size > MAX_IMAGE {
                return Err(too_large());
            }
            sha256.update(&chunk);
            md5.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
        }
        if size == 0 {
            return Err(ApiError::invalid("the image is empty", "send the raw image as the body"));
        }
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        Ok(Image { size, md5: hex::lower(&md5.finalize()), sha256: hex::lower(&sha256.finalize()) })
    }

    /// Gives the file its name. `false`: the very same image was there already.
    async fn keep(mut self, folder: &Path, id: &str, name: &str) -> Result<bool, ApiError> {
        self.file = None;
        let (from, folder, id, name) =
            (self.path.clone(), folder.to_owned(), id.to_owned(), name.to_owned());
        let kept = tokio::task::spawn_blocking(move || -> io::Result<bool> {
            let home = folder.join(&id);
            std::fs::create_dir_all(&home)?;
            let target = home.join(&name);
            let fresh = !target.exists();
            std::fs::rename(&from, &target)?;
            store::sync_dir(&home)?;
            store::sync_dir(&folder)?;
            Ok(fresh)
        });
        kept.await
            .map_err(|e| ApiError::storage(format!("the image could not be kept: {e}")))?
            .map_err(failed)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After `keep` there is nothing of this name any more.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[allow(clippy::needless_pass_by_value)] // the shape that `map_err` wants
fn failed(error: io::Error) -> ApiError {
    ApiError::storage(format!("the image could not be kept: {error}"))
}

/// `GET` and `HEAD /firmware/<id>/<name>`.
pub(crate) async fn download(State(up): State<Arc<Up>>, request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "firmware is fetched with GET\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let missing = || plain(StatusCode::NOT_FOUND, "there is no such image\n");
    let mut segments = request.uri().path().trim_start_matches("/firmware/").split('/');
    let (Some(id), Some(name), None) = (segments.next(), segments.next(), segments.next()) else {
        return missing();
    };
    if id.len() != 32 || !plain_name(id) || !plain_name(name) {
        return missing();
    }
    let Ok(file) = File::open(folder(&up.data).join(id).join(name)).await else { return missing() };
    let Ok(size) = file.metadata().await.map(|meta| meta.len()) else { return missing() };
    respond(request.headers(), request.method() == Method::HEAD, id, file, size).await
}

async fn respond(headers: &HeaderMap, head: bool, id: &str, mut file: File, size: u64) -> Response {
    let etag = format!("\"{id}\"");
    let tag = HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\""));
    let names = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    out.insert(header::ETAG, tag);
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-transform"));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

    let same = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == etag;
    if names(header::IF_NONE_MATCH).is_some_and(|tags| tags.split(',').map(str::trim).any(same)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let asked = match names(header::RANGE) {
        // RFC 9110: a range is for GET alone, and only of the representation that `If-Range` names.
        Some(range) if !head && names(header::IF_RANGE).is_none_or(|tag| tag == etag) => {
            parse_range(range, size)
        }
        _ => Range::All,
    };
    let (first, length) = match asked {
        Range::All => (0, size),
        Range::Part { first, last } => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
            (first, last - first + 1)
        }
        Range::Outside => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            set(&mut response, header::CONTENT_LENGTH, "0");
            return response;
        }
    };
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    if head {
        return response;
    }
    if file.seek(io::SeekFrom::Start(first)).await.is_err() {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the image cannot be read\n");
    }
    *response.body_mut() = Body::from_stream(pieces(file, length));
    response
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// `length` bytes of a file, a piece at a time. A file that ends early is an error, which breaks the connection: a
/// device must not take a short image for a whole one.
fn pieces(file: File, length: u64) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let want = usize::try_from(left.min(CHUNK)).unwrap_or(CHUNK as usize);
        let mut piece = vec![0; want];
        file.read_exact(&mut piece).await?;
        Ok(Some((Bytes::from(piece), (file, left - want as u64))))
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// None, or one that is not understood: the whole.
    All,
    Part {
        first: u64,
        last: u64,
    },
    /// Begins behind the end.
    Outside,
}

/// Single ranges only; a list of them is answered with the whole, as RFC 9110 allows.
fn parse_range(text: &str, size: u64) -> Range {
    let Some((unit, range)) = text.split_once('=') else { return Range::All };
    if !unit.trim().eq_ignore_ascii_case("bytes") || range.contains(',') {
        return Range::All;
    }
    let Some((first, last)) = range.trim().split_once('-') else { return Range::All };
    let number = |text: &str| match text.trim() {
        digits if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            // More digits than a u64 has are a number behind any end.
            Some(digits.parse().unwrap_or(u64::MAX))
        }
        _ => None,
    };
    match (first.trim().is_empty(), number(first), last.trim().is_empty(), number(last)) {
        (true, _, _, Some(0)) => Range::Outside,
        (true, _, _, Some(_)) if size == 0 => Range::Outside,
        (true, _, _, Some(suffix)) => {
            Range::Part { first: size.saturating_sub(suffix), last: size - 1 }
        }
        (_, Some(first), true, _) if first < size => Range::Part { first, last: size - 1 },
        (_, Some(first), false, Some(last)) if first <= last && first < size => {
            Range::Part { first, last: last.min(size - 1) }
        }
        (_, Some(first), false, Some(last)) if first > last => Range::All,
        (_, Some(_), true, _) | (_, Some(_), false, Some(_)) => Range::Outside,
        _ => Range::All,
    }
}

#[cfg(test)]
mod tests {
    use super::{Range, STAND_IN, parse_range, with_base};
    use muster::SecretBytes;

    #[test]
    fn devices_are_told_the_address_of_today() {
        let told =
            |text: &str| with_base(SecretBytes::new(text.as_bytes().to_vec()), "http://h:1/f");
        assert_eq!(told("{}").expose(), b"{}");
        let kept = format!("{{\"a\":\"{STAND_IN}/1/x?Version=1\",\"b\":\"{STAND_IN}/2/y\"}}");
        assert_eq!(
            told(&kept).expose(),
            br#"{"a":"http://h:1/f/1/x?Version=1","b":"http://h:1/f/2/y"}"#
        );
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let part = |first, last| Range::Part { first, last };
        for (text, size, expected) in [
            ("bytes=0-4096", 10_000, part(0, 4096)),
            ("bytes=8194-12290", 10_000, part(8194, 9999)),
            ("bytes=9999-", 10_000, part(9999, 9999)),
            ("bytes=-1", 10_000, part(9999, 9999)),
            ("bytes=-20000", 10_000, part(0, 9999)),
            ("BYTES = 0-0", 1, part(0, 0)),
            ("bytes=10000-14096", 10_000, Range::Outside),
            ("bytes=10000-", 10_000, Range::Outside),
            ("bytes=-0", 10_000, Range::Outside),
            ("bytes=0-", 0, Range::Outside),
            ("bytes=-5", 0, Range::Outside),
            ("bytes=99999999999999999999999-", 10_000, Range::Outside),
            ("bytes=0-99999999999999999999999", 10_000, part(0, 9999)),
            ("bytes=5-2", 10_000, Range::All),
            ("bytes=0-1,3-4", 10_000, Range::All),
            ("bytes=+1-2", 10_000, Range::All),
            ("bytes=a-b", 10_000, Range::All),
            ("items=0-1", 10_000, Range::All),
            ("bytes", 10_000, Range::All),
            ("bytes=", 10_000, Range::All),
            ("bytes=-", 10_000, Range::All),
        ] {
            assert_eq!(parse_range(text, size), expected, "{text} of {size}");
        }
    }
}

//! Firmware: a download into a staging file, and two slots of which one runs.
//!
//! ```text
//! firmware/staging.bin      the download, hashed while it streams in
//! firmware/slots/a/image.bin, about.json
//! firmware/slots/b/…
//! firmware/slots/current    `a` or `b`, replaced in one step
//! ```
//!
//! The slot that runs is never written to. A process that is killed at any moment leaves the old image current or the
//! new one, each whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use md5::Md5;
use muster::{Download, Downloaded, Failure, Install, Progress, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::http::{self, Http};
use super::{policy, store};

/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Waits before the second, third, … try. Each byte that arrives starts them anew.
const RETRY_AFTER: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// The firmware folder of one device.
#[derive(Clone, Debug)]
pub(super) struct Firmware {
    dir: PathBuf,
}

/// What is in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) version: String,
    pub(super) sha256: String,
    pub(super) size: u64,
}

/// Why no image arrived: for the core, and for the person.
type NoImage = (Failure, String);

impl Firmware {
    pub(super) fn new(device: &Path) -> Self {
        Self { dir: device.join("firmware") }
    }

    /// What the current slot holds; `None` on a device that was never updated.
    pub(super) fn running(&self) -> io::Result<Option<About>> {
        let Some(slot) = self.current()? else { return Ok(None) };
        let about = std::fs::read(self.slot(slot).join("about.json"))?;
        serde_json::from_slice(&about).map(Some).map_err(io::Error::from)
    }

    /// Streams the image into the staging file. Blocks; `tell` hears how far it is, `stop` ends it.
    pub(super) fn download(
        &self,
        http: &Http,
        allowed: &policy::Firmware,
        download: &Download,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Progress),
    ) -> (Downloaded, Option<String>) {
        match self.stage(http, allowed, download, stop, tell) {
            Ok(staged) => (staged, None),
            Err((failure, detail)) => (Downloaded::Failed(failure), Some(detail)),
        }
    }

    fn stage(
        &self,
        http: &Http,
        allowed: &policy::Firmware,
        download: &Download,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Downloaded, NoImage> {
        let disk = |e: io::Error| {
            (Failure::Lost, format!("the image cannot be written to {}: {e}", self.dir.display()))
        };
        store::make(&self.dir).map_err(disk)?;
        let file = store::private(OpenOptions::new().write(true).create(true).truncate(true))
            .open(self.staging())
            .map_err(disk)?;
        let mut staging = Staging {
            file,
            received: 0,
            md5: Md5::new(),
            sha256: Sha256::new(),
            total: download.size,
            etag: None,
            told: Instant::now(),
        };
        tell(Progress { received: 0, total: staging.total });
        let mut tries = 0;
        loop {
            let before = staging.received;
            let broken = match staging.fetch(http, allowed, download, stop, tell) {
                Ok(()) => break,
                Err(Broken::Final(failure, detail)) => return Err((failure, detail)),
                Err(Broken::Again(failure, detail)) => (failure, detail),
                Err(Broken::Disk(error)) => return Err(disk(error)),
            };
            if staging.received > before {
                tries = 0;
            }
            let Some(wait) = RETRY_AFTER.get(tries) else { return Err(broken) };
            tries += 1;
            let until = Instant::now() + *wait;
            while Instant::now() < until {
                if stop.load(Ordering::Relaxed) {
                    return Err(stopped());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        staging.file.sync_all().and_then(|()| store::sync_dir(&self.dir)).map_err(disk)?;
        tell(Progress { received: staging.received, total: Some(staging.received) });
        Ok(Downloaded::Complete {
            size: staging.received,
            md5: hex::lower(&staging.md5.finalize()),
            sha256: hex::lower(&staging.sha256.finalize()),
        })
    }

    /// Makes the staged image the current one, if it is the one that was verified.
    pub(super) fn install(&self, install: &Install) -> io::Result<()> {
        let staging = self.staging();
        let (size, sha256) = digest(&staging)?;
        if !sha256.eq_ignore_ascii_case(&install.sha256) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the staged image is not the one that was verified",
            ));
        }
        let name = if self.current()? == Some("a") { "b" } else { "a" };
        let slot = self.slot(name);
        store::make(&slot)?;
        // Removed first: between the image's rename and the new text, the slot would name the wrong version.
        store::remove(&slot.join("about.json"))?;
        std::fs::rename(&staging, slot.join("image.bin"))?;
        let about = About { version: install.version.clone(), sha256, size };
        let text = serde_json::to_vec_pretty(&about)?;
        store::replace(&slot.join("about.json"), &slot.join(".about.tmp"), &text)?;
        store::sync_dir(&self.dir)?;
        let slots = self.dir.join("slots");
        store::replace(&slots.join("current"), &slots.join(".current.tmp"), name.as_bytes())
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn staging(&self) -> PathBuf {
        self.dir.join("staging.bin")
    }

    fn slot(&self, name: &str) -> PathBuf {
        self.dir.join("slots").join(name)
    }

    fn current(&self) -> io::Result<Option<&'static str>> {
        match std::fs::read_to_string(self.dir.join("slots/current")) {
            Ok(text) if text.trim() == "a" => Ok(Some("a")),
            Ok(text) if text.trim() == "b" => Ok(Some("b")),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "names no slot")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// An image on its way in.
struct Staging {
    file: File,
    received: u64,
    md5: Md5,
    sha256: Sha256,
    total: Option<u64>,
    etag: Option<String>,
    told: Instant,
}

/// Why a try ended early.
enum Broken {
    /// Worth another try.
    Again(Failure, String),
    /// Not.
    Final(Failure, String),
    Disk(io::Error),
}

impl Staging {
    /// One try, going on where the last one broke off.
    fn fetch(
        &mut self,
        http: &Http,
        allowed: &policy::Firmware,
        download: &Download,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<(), Broken> {
        let (url, response) = self.ask(http, allowed, &download.url)?;
        let host = http::host(&url);
        let again = |error: &ureq::Error| again(error, &url);
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        let length = response.body().content_length();
        match status {
            200 => self.start_over().map_err(Broken::Disk)?,
            206 if header("content-range").and_then(range_start) == Some(self.received) => {}
            206 => {
                self.start_over().map_err(Broken::Disk)?;
                let detail = format!("{host} sent another range than the one asked for");
                return Err(Broken::Again(Failure::Protocol, detail));
            }
            // The file ends where we are: it is shorter than it was, or we have it all.
            416 if self.received > 0 && self.total == Some(self.received) => return Ok(()),
            408 | 429 | 500..=599 => {
                let detail = format!("{host} answered with HTTP status {status}");
                return Err(Broken::Again(Failure::Status(status), detail));
            }
            _ => {
                let detail = format!("{host} answered with HTTP status {status}");
                return Err(Broken::Final(Failure::Status(status), detail));
            }
        }
        // A weak tag does not promise the same bytes.
        self.etag = header("etag").filter(|tag| !tag.starts_with("W/")).map(str::to_owned);
        let end = length.map(|length| self.received.saturating_add(length));
        if end.is_some() {
            self.total = end;
        }
        let too_large = || {
            let detail = format!("the image is larger than {} bytes", download.max_size);
            Broken::Final(Failure::TooLarge, detail)
        };
        if end.is_some_and(|end| end > download.max_size) {
            return Err(too_large());
        }
        // One byte more than allowed, so that too many are seen as too many.
        let limit = download.max_size.saturating_sub(self.received).saturating_add(1);
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader().take(limit);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if stop.load(Ordering::Relaxed) {
                let (failure, detail) = stopped();
                return Err(Broken::Final(failure, detail));
            }
            let n = match body.read(&mut buffer) {
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let error = ureq::Error::from(error);
                    return Err(again(&error));
                }
            };
            // Reading may have taken long: by now the file may be another download's.
            if stop.load(Ordering::Relaxed) {
                continue;
            }
            let bytes = buffer.get(..n).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            self.file.write_all(bytes).map_err(Broken::Disk)?;
            self.md5.update(bytes);
            self.sha256.update(bytes);
            self.received += n as u64;
            if self.received > download.max_size {
                return Err(too_large());
            }
            if self.told.elapsed() >= TELL_EVERY {
                self.told = Instant::now();
                tell(Progress { received: self.received, total: self.total });
            }
        }
        if end.is_some_and(|end| end != self.received) {
            let detail = format!("{host} ended the image early");
            return Err(Broken::Again(Failure::Lost, detail));
        }
        Ok(())
    }

    /// The first answer that is no redirect, and where it is from. Every address on the way has to be allowed.
    fn ask(
        &self,
        http: &Http,
        allowed: &policy::Firmware,
        url: &str,
    ) -> Result<(String, ureq::http::Response<ureq::Body>), Broken> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            if let Err(refused) = allowed.check(&url) {
                let detail = format!(
                    "this device's policy forbids {asked}; if it is right, allow it with `{rule}` under [policy] in the \
                     profile",
                    asked = refused.asked,
                    rule = refused.rule
                );
                return Err(Broken::Final(Failure::Forbidden, detail));
            }
            let response = http
                .download(&url, self.received, self.etag.as_deref())
                .map_err(|e| again(&e, &url))?;
            let to = response.headers().get("location").and_then(|to| to.to_str().ok());
            match (response.status().as_u16(), to) {
                (301 | 302 | 303 | 307 | 308, Some(to)) => url = http::join(&url, to),
                _ => return Ok((url, response)),
            }
        }
        let detail = format!("{} redirects without an end", http::host(&url));
        Err(Broken::Final(Failure::Protocol, detail))
    }

    fn start_over(&mut self) -> io::Result<()> {
        use std::io::Seek;
        self.file.set_len(0)?;
        self.file.rewind()?;
        (self.received, self.md5, self.sha256) = (0, Md5::new(), Sha256::new());
        Ok(())
    }
}

fn again(error: &ureq::Error, url: &str) -> Broken {
    let (failure, detail) = http::failure(error, url);
    match failure {
        Failure::Forbidden | Failure::Tls => Broken::Final(failure, detail),
        _ => Broken::Again(failure, detail),
    }
}

fn stopped() -> NoImage {
    (Failure::Lost, "the download was stopped".into())
}

/// `bytes 100-199/200` begins at 100.
fn range_start(header: &str) -> Option<u64> {
    header.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.parse().ok()
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = file.read(&mut buffer)?;
        let bytes = buffer.get(..n).unwrap_or_default();
        if bytes.is_empty() {
            return Ok((size, hex::lower(&hash.finalize())));
        }
        hash.update(bytes);
        size += n as u64;
    }
}

#[cfg(test)]
mod tests;

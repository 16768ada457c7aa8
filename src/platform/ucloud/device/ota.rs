//! Firmware updates: what the cloud orders and what it is told.

use alloc::string::String;
use alloc::vec::Vec;

use crate::num;
use crate::snapshot::Kept;

use super::Config;
use crate::agent::Cx;
use crate::error::{Error, Failure, PeerMisbehaved};
use crate::json::Document;
use crate::output::{QoS, UpdateFailure};
use crate::platform::ucloud::wire;
use crate::platform::update::{Ending, Moved, Offer, Updater};
use crate::time::{Instant, Millis};

/// The vendor's SDK reports every five seconds.
const PROGRESS_EVERY: Millis = Millis::of_secs(5);

/// A message on `ota/downstream`.
#[derive(Debug)]
pub(super) enum Order {
    Update(Offer),
    Cancel { module: String, version: String },
}

/// ErrCode: the image cannot be fetched from this URL.
pub(super) const NO_SUCH_FILE: i64 = -1;

/// Why an order is not followed.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: Error,
    /// The cloud has to hear that this version will not come.
    pub(super) report: Option<String>,
}

impl Order {
    pub(super) fn parse(bytes: &[u8], config: &Config) -> Result<Self, Refusal> {
        let doc = Document::open(bytes);
        let root = doc.root();
        let method = root.must("Method");
        let payload = root.must_open("Payload");
        payload.must_not_contradict("Module", &config.module);
        if payload.get("Module").is_none() && config.module != wire::DEFAULT_MODULE {
            payload.wrong(PeerMisbehaved::WrongIdentity);
        }
        // The version becomes part of paths on the host: nothing but the documented characters.
        let version = payload.must_be("Version", wire::is_version);
        let module = config.module.clone();
        if method == "cancel_update" {
            return match doc.finish() {
                Ok(()) => Ok(Self::Cancel { module, version }),
                Err(error) => Err(Refusal { error, report: None }),
            };
        }
        if method != "update_firmware" {
            root.invalid("Method");
        }
        let is_md5 = |md5: &str| md5.len() == 32 && md5.bytes().all(|b| b.is_ascii_hexdigit());
        let md5 = payload.must_be("MD5", is_md5).to_ascii_lowercase();
        let size = payload.get("Size").map(|_| payload.must_count("Size"));
        let url = payload.must("URL");
        let readable = doc.is_good();
        if !is_url(&url) {
            payload.wrong(PeerMisbehaved::ForbiddenUrl);
        }
        if let Err(error) = doc.finish() {
            return Err(Refusal { error, report: readable.then_some(version) });
        }
        let (max_size, sha256) = (config.firmware_max_size, String::new());
        Ok(Self::Update(Offer { reference: module, version, url, size, md5, sha256, max_size }))
    }
}

fn is_url(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| !matches!(host.as_bytes(), [] | [b'/' | b':', ..]))
        && num::is_printed(url, 1024)
}

/// The vendor's ErrCode for a failure.
fn error_code(failure: &UpdateFailure) -> i64 {
    match failure {
        UpdateFailure::Refused(403) => -2,
        UpdateFailure::Url | UpdateFailure::Refused(_) => NO_SUCH_FILE,
        UpdateFailure::Download(Failure::TimedOut | Failure::Lost) => -3,
        UpdateFailure::Download(_) => -1,
        UpdateFailure::Size | UpdateFailure::Digest => -4,
        UpdateFailure::Install => -5,
    }
}

/// The report of how an update ended.
pub(super) fn ending_body(offer: &Offer, ending: &Ending) -> Vec<u8> {
    match ending {
        Ending::Succeeded => wire::ota_report("report_success", &offer.reference, &offer.version),
        Ending::Failed(failure) => {
            wire::ota_fail(error_code(failure), &offer.reference, &offer.version)
        }
    }
}

/// What the cloud was told of a download's progress.
#[derive(Debug, Default, Kept)]
pub(super) struct ProgressReports {
    at: Option<Instant>,
    percent: u8,
}

impl ProgressReports {
    /// Percent 0 first, then at most every five seconds, then 100; QoS 0, as the vendor's SDK does it.
    pub(super) fn report(
        &mut self,
        moved: &Moved,
        updater: &Updater,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        let Some(offer) = updater.offer() else { return };
        let now = cx.mono();
        match *moved {
            Moved::Accepted => self.send("downloading", 0, offer, config, cx),
            Moved::Progress { received, total } => {
                let percent = percent(received, total.or(offer.size));
                let due = self.at.is_none_or(|at| now >= at + PROGRESS_EVERY);
                if percent != self.percent && (due || percent == 100) {
                    self.send("downloading", percent, offer, config, cx);
                }
            }
            Moved::Installing => {
                if self.percent != 100 {
                    self.send("downloading", 100, offer, config, cx);
                }
                self.send("burning", 0, offer, config, cx);
                *self = Self::default();
            }
            Moved::Nothing | Moved::NotKept | Moved::Ended => {}
        }
    }

    fn send(&mut self, state: &str, percent: u8, offer: &Offer, config: &Config, cx: &mut Cx<'_>) {
        let body = wire::ota_progress(state, percent, &offer.reference, &offer.version);
        cx.publish(config.topic(wire::OTA_UP), QoS::AtMostOnce, body);
        *self = Self { at: Some(cx.mono()), percent };
    }
}

fn percent(received: u64, total: Option<u64>) -> u8 {
    match total {
        // Without a size nothing can be said but that it goes on.
        None | Some(0) => 0,
        // Beyond 2^57 bytes the last percent may be off by one.
        Some(total) if total > u64::MAX / 100 => (received / (total / 100)).min(100) as u8,
        Some(total) => (received.min(total) * 100 / total) as u8,
    }
}

/// `report_version` and `request_firmware`: what runs.
pub(super) fn version(method: &str, updater: &Updater, config: &Config) -> Vec<u8> {
    wire::ota_report(method, &config.module, updater.running())
}

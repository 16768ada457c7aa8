//! Firmware updates, as far as they are the same on every platform: keep the order, fetch, verify, install, and have
//! the result reported, whatever is cut in between.
//!
//! The image never passes through here: the host streams, hashes and installs it. Platforms translate their orders
//! into an [`Offer`] and [`Moved`] into their reports.

use alloc::string::{String, ToString};
use core::time::Duration;

use crate::cbor::{Decode, Encode};
use crate::num;

use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{ApiMisuse, Failure, LocalFailure};
use crate::input::{Downloaded, Input, Outcome};
use crate::json::{Document, Object};
use crate::output::{Download, Event, Install, Step, StoreKey, Token, Update, UpdateFailure};
use crate::time::Timer;

/// A download that shows no sign of life for this long is given up and tried again.
const DOWNLOAD_SILENCE: Duration = Duration::from_secs(60);
/// How often a broken download is tried in all.
const DOWNLOAD_TRIES: u32 = 4;

/// An order to update, as parsed from the cloud's message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Offer {
    /// The cloud's id of the order, or UCloud's module: whatever the report has to name.
    #[n(0)]
    pub(crate) reference: String,
    #[n(1)]
    pub(crate) version: String,
    #[n(2)]
    pub(crate) url: String,
    #[n(3)]
    pub(crate) size: Option<u64>,
    /// Lower-case hex.
    #[n(4)]
    pub(crate) md5: Option<String>,
    /// Lower-case hex.
    #[n(5)]
    pub(crate) sha256: Option<String>,
    #[n(6)]
    pub(crate) max_size: u64,
}

/// The update of one device. Lives as long as the device, across connections.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Updater {
    /// The version that runs.
    #[n(0)]
    running: String,
    #[n(1)]
    state: State,
}

#[derive(Debug, Encode, Decode)]
enum State {
    #[n(0)]
    Idle,
    /// The order is being stored; it is acknowledged after that.
    #[n(1)]
    Keeping(#[n(0)] Token, #[n(1)] Offer),
    /// Kept, and waiting for [`Updater::resume`], or for a retry.
    #[n(2)]
    Waiting(#[n(0)] Offer, #[n(1)] Backoff),
    #[n(3)]
    Downloading(#[n(0)] Token, #[n(1)] Offer, #[n(2)] Backoff),
    /// That the image is about to be installed is being stored.
    #[n(4)]
    Announcing(#[n(0)] Token, #[n(1)] Offer, #[n(2)] String),
    #[n(5)]
    Installing(#[n(0)] Token, #[n(1)] Offer),
    /// The end is known, and the cloud has to hear of it.
    #[n(6)]
    Ended(#[n(0)] Offer, #[n(1)] Ending),
    /// The cloud heard of it; the order is being erased.
    #[n(7)]
    Forgetting(#[n(0)] Token),
}

/// How an update ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Ending {
    #[n(0)]
    Succeeded,
    #[n(1)]
    Failed(#[n(0)] UpdateFailure),
}

/// What a platform has to tell its cloud now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The input was ours, and there is nothing to tell.
    Nothing,
    /// The order is on stable storage: acknowledge it. The download has begun.
    Accepted,
    /// The order could not be kept: refuse it, if the protocol can.
    NotKept,
    /// The download goes on.
    Progress { received: u64, total: Option<u64> },
    /// Verified; it is being installed.
    Installing,
    /// [`Updater::ending`] is there to report.
    Ended,
}

impl Updater {
    /// Takes up what a cut left behind.
    pub(crate) fn start(running: &str, stored: &Stored) -> Result<Self, ApiMisuse> {
        let state = match stored.get(StoreKey::Firmware) {
            None => State::Idle,
            Some(kept) => {
                let (offer, installing) = read_kept(kept.expose())
                    .ok_or(ApiMisuse::StoredUnreadable(StoreKey::Firmware))?;
                if offer.version == running {
                    State::Ended(offer, Ending::Succeeded)
                } else if installing {
                    // It was about to be installed, and the old version came up.
                    State::Ended(offer, Ending::Failed(UpdateFailure::Install))
                } else {
                    State::Waiting(offer, Backoff::login())
                }
            }
        };
        Ok(Self { running: running.to_string(), state })
    }

    /// The version that runs.
    pub(crate) fn running(&self) -> &str {
        &self.running
    }

    /// The order in hand, if any.
    pub(crate) fn offer(&self) -> Option<&Offer> {
        match &self.state {
            State::Idle | State::Forgetting(_) => None,
            State::Keeping(_, offer)
            | State::Waiting(offer, _)
            | State::Downloading(_, offer, _)
            | State::Announcing(_, offer, _)
            | State::Installing(_, offer)
            | State::Ended(offer, _) => Some(offer),
        }
    }

    /// The order that is being stored, and has to be acknowledged after that.
    #[cfg(feature = "krtyun")]
    pub(crate) fn keeping(&self) -> Option<&Offer> {
        match &self.state {
            State::Keeping(_, offer) => Some(offer),
            _ => None,
        }
    }

    /// The order that is being worked on: kept, and not at its end.
    #[cfg(feature = "krtyun")]
    pub(crate) fn in_hand(&self) -> Option<&Offer> {
        self.offer().filter(|_| self.ending().is_none())
    }

    /// What has to be reported, now or after the next login. Say [`Updater::reported`] once the cloud has it.
    pub(crate) fn ending(&self) -> Option<(&Offer, &Ending)> {
        match &self.state {
            State::Ended(offer, ending) => Some((offer, ending)),
            _ => None,
        }
    }

    /// A new order. `false`: it is the one in hand, or an image is being installed just now; the cloud will order
    /// again.
    pub(crate) fn order(&mut self, offer: Offer, cx: &mut Cx<'_>) -> bool {
        if self.offer().is_some_and(|at_work| {
            at_work.version == offer.version && at_work.url == offer.url && self.ending().is_none()
        }) || matches!(self.state, State::Announcing(..) | State::Installing(..))
        {
            return false;
        }
        self.drop_work(cx);
        cx.event(Event::Update {
            update: Update::Offered {
                from: self.running.clone(),
                to: offer.version.clone(),
                size: offer.size,
            },
        });
        let token = cx.store(StoreKey::Firmware, write_kept(&offer, false));
        self.state = State::Keeping(token, offer);
        true
    }

    /// The cloud takes the order back. Too late once it is being installed: `false`.
    pub(crate) fn cancel(&mut self, cx: &mut Cx<'_>) -> bool {
        match self.state {
            State::Keeping(..) | State::Waiting(..) | State::Downloading(..) => {
                self.drop_work(cx);
                cx.event(Event::Update { update: Update::Cancelled });
                self.state = State::Forgetting(cx.erase(StoreKey::Firmware));
                true
            }
            _ => false,
        }
    }

    /// After a login: goes on with an order that a cut interrupted.
    pub(crate) fn resume(&mut self, cx: &mut Cx<'_>) {
        if let State::Waiting(..) = self.state {
            self.download(cx);
        }
    }

    /// The cloud has the ending.
    pub(crate) fn reported(&mut self, cx: &mut Cx<'_>) {
        if let State::Ended(_, ending) = &self.state {
            if *ending == Ending::Succeeded {
                let version = self.running.clone();
                cx.event(Event::Update { update: Update::Reported { version } });
            }
            self.state = State::Forgetting(cx.erase(StoreKey::Firmware));
        }
    }

    /// `None`: the input is not about the update.
    pub(crate) fn handle(&mut self, input: &Input, cx: &mut Cx<'_>) -> Option<Moved> {
        match (&mut self.state, input) {
            (State::Keeping(token, _), Input::Stored(t, outcome)) if token == t => {
                if *outcome != Outcome::Done {
                    self.state = State::Idle;
                    self.say_failed(UpdateFailure::Install, cx);
                    return Some(Moved::NotKept);
                }
                let State::Keeping(_, offer) = core::mem::replace(&mut self.state, State::Idle)
                else {
                    return Some(Moved::Nothing);
                };
                self.state = State::Waiting(offer, Backoff::login());
                self.download(cx);
                Some(Moved::Accepted)
            }
            (State::Downloading(token, ..), Input::Progress(t, progress)) if token == t => {
                cx.after(Timer::Update, DOWNLOAD_SILENCE);
                let (received, total) = (progress.received, progress.total);
                cx.event(Event::Update { update: Update::Downloading { received, total } });
                Some(Moved::Progress { received, total })
            }
            (State::Downloading(token, offer, backoff), Input::Downloaded(t, end))
                if token == t =>
            {
                cx.stop(Timer::Update);
                let (offer, backoff, end) = (offer.clone(), *backoff, end.clone());
                Some(self.downloaded(offer, backoff, end, cx))
            }
            (State::Announcing(token, offer, sha256), Input::Stored(t, outcome)) if token == t => {
                if *outcome != Outcome::Done {
                    let offer = offer.clone();
                    return Some(self.end(offer, Ending::Failed(UpdateFailure::Install), cx));
                }
                cx.step(Step::Install);
                let install = Install { version: offer.version.clone(), sha256: sha256.clone() };
                let token = cx.install(install);
                self.state = State::Installing(token, offer.clone());
                Some(Moved::Installing)
            }
            (State::Installing(token, offer), Input::Installed(t, outcome)) if token == t => {
                let offer = offer.clone();
                if *outcome == Outcome::Done {
                    let to = offer.version.clone();
                    let from = core::mem::replace(&mut self.running, to.clone());
                    cx.event(Event::Update { update: Update::Installed { from, to } });
                    self.state = State::Ended(offer, Ending::Succeeded);
                    Some(Moved::Ended)
                } else {
                    Some(self.end(offer, Ending::Failed(UpdateFailure::Install), cx))
                }
            }
            (State::Forgetting(token), Input::Stored(t, _)) if token == t => {
                // If erasing failed, the next start reports the same ending once more: harmless.
                self.state = State::Idle;
                Some(Moved::Nothing)
            }
            _ => None,
        }
    }

    /// [`Timer::Update`] expired.
    pub(crate) fn expired(&mut self, cx: &mut Cx<'_>) -> Moved {
        match &self.state {
            State::Waiting(..) => {
                self.download(cx);
                Moved::Nothing
            }
            State::Downloading(token, offer, backoff) => {
                let (token, offer, backoff) = (*token, offer.clone(), *backoff);
                cx.cancel_download(token);
                self.downloaded(offer, backoff, Downloaded::Failed(Failure::TimedOut), cx)
            }
            _ => Moved::Nothing,
        }
    }

    fn download(&mut self, cx: &mut Cx<'_>) {
        if let State::Waiting(offer, backoff) = &self.state {
            cx.step(Step::Download);
            let token = cx.download(Download {
                url: offer.url.clone(),
                size: offer.size,
                version: offer.version.clone(),
                max_size: offer.max_size,
            });
            cx.after(Timer::Update, DOWNLOAD_SILENCE);
            self.state = State::Downloading(token, offer.clone(), *backoff);
        }
    }

    fn downloaded(
        &mut self,
        offer: Offer,
        mut backoff: Backoff,
        end: Downloaded,
        cx: &mut Cx<'_>,
    ) -> Moved {
        let failure = match end {
            Downloaded::Complete { size, .. } if offer.size.is_some_and(|s| s != size) => {
                UpdateFailure::Size
            }
            Downloaded::Complete { md5, sha256, .. } => {
                let fits = |want: &Option<String>, got: &str| {
                    want.as_ref().is_none_or(|w| w.eq_ignore_ascii_case(got))
                };
                if fits(&offer.md5, &md5) && fits(&offer.sha256, &sha256) {
                    let digest = offer.md5.is_some() || offer.sha256.is_some();
                    cx.event(Event::Update { update: Update::Verified { digest } });
                    let token = cx.store(StoreKey::Firmware, write_kept(&offer, true));
                    self.state = State::Announcing(token, offer, sha256);
                    return Moved::Nothing;
                }
                UpdateFailure::Digest
            }
            Downloaded::Failed(Failure::Status(status)) => UpdateFailure::Refused(status),
            Downloaded::Failed(Failure::Forbidden) => UpdateFailure::Url,
            Downloaded::Failed(Failure::TooLarge) => UpdateFailure::Size,
            Downloaded::Failed(failure) => {
                if backoff.failures() + 1 < DOWNLOAD_TRIES {
                    cx.retrying(Timer::Update, failure.into(), &mut backoff);
                    self.state = State::Waiting(offer, backoff);
                    return Moved::Nothing;
                }
                UpdateFailure::Download(failure)
            }
        };
        self.end(offer, Ending::Failed(failure), cx)
    }

    fn end(&mut self, offer: Offer, ending: Ending, cx: &mut Cx<'_>) -> Moved {
        if let Ending::Failed(reason) = &ending {
            self.say_failed(reason.clone(), cx);
        }
        self.state = State::Ended(offer, ending);
        Moved::Ended
    }

    fn say_failed(&self, reason: UpdateFailure, cx: &mut Cx<'_>) {
        cx.event(Event::Update { update: Update::Failed { reason } });
    }

    fn drop_work(&mut self, cx: &mut Cx<'_>) {
        cx.stop(Timer::Update);
        if let State::Downloading(token, ..) = self.state {
            cx.cancel_download(token);
        }
        self.state = State::Idle;
    }
}

/// The kept order as JSON: a person may look into the store of a device that is stuck.
fn write_kept(offer: &Offer, installing: bool) -> alloc::vec::Vec<u8> {
    let size = offer.size.map(num::text);
    Object::new()
        .string("version", &offer.version)
        .string("url", &offer.url)
        .maybe("size", size.as_deref())
        .maybe("md5", offer.md5.as_deref())
        .maybe("sha256", offer.sha256.as_deref())
        .string("reference", &offer.reference)
        .string("max_size", &num::text(offer.max_size))
        .bool("installing", installing)
        .bytes()
}

fn read_kept(bytes: &[u8]) -> Option<(Offer, bool)> {
    let doc = Document::open(bytes);
    let root = doc.root();
    let text = |key: &str| root.text(key).map(|t| t.into_owned());
    let offer = Offer {
        reference: root.must("reference"),
        version: root.must("version"),
        url: root.must("url"),
        size: root.get("size").and_then(|v| v.as_u64()),
        md5: text("md5"),
        sha256: text("sha256"),
        max_size: root.must_count("max_size"),
    };
    let installing = root.get("installing")?.as_bool()?;
    doc.is_good().then_some((offer, installing))
}

/// That a store failed, as the error to show.
pub(crate) fn store_failed() -> crate::Error {
    crate::Error::Local { failure: LocalFailure::Store }
}

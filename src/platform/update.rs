//! Firmware updates, as far as they are the same on every platform: keep the order, fetch, verify, install, and have
//! the result reported, whatever is cut in between.
//!
//! The image never passes through here: the host streams, hashes and installs it. Platforms translate their orders
//! into an [`Offer`] and [`Moved`] into their reports.

use alloc::string::{String, ToString};

use crate::num;
use crate::snapshot::Kept;

use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{ApiMisuse, Failure, LocalFailure};
use crate::input::{Downloaded, Input, Outcome};
use crate::json::{Document, Object};
use crate::output::{Download, Event, Install, Step, StoreKey, Token, Update, UpdateFailure};
use crate::time::{Millis, Timer};

/// A download that shows no sign of life for this long is given up and tried again.
const DOWNLOAD_SILENCE: Millis = Millis::of_secs(60);
/// How often a broken download is tried in all.
const DOWNLOAD_TRIES: u32 = 4;

/// An order to update, as parsed from the cloud's message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Kept)]
pub(crate) struct Offer {
    /// The cloud's id of the order, or UCloud's module: whatever the report has to name.
    pub(crate) reference: String,
    pub(crate) version: String,
    pub(crate) url: String,
    pub(crate) size: Option<u64>,
    /// Lower-case hex, or nothing.
    pub(crate) md5: String,
    /// Lower-case hex, or nothing.
    pub(crate) sha256: String,
    pub(crate) max_size: u64,
}

impl Offer {
    /// Whether there is a digest to compare with.
    pub(crate) fn is_protected(&self) -> bool {
        !self.md5.is_empty() || !self.sha256.is_empty()
    }
}

/// The update of one device. Lives as long as the device, across connections.
#[derive(Debug, Default, Kept)]
pub(crate) struct Updater {
    /// The version that runs.
    running: String,
    state: State,
    /// Of the command whose answer is awaited.
    token: Token,
    /// The order in hand, or the last one.
    offer: Offer,
    /// Of downloads.
    backoff: Backoff,
    /// Of the staged image.
    sha256: String,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
enum State {
    #[default]
    Idle,
    /// The order is being stored; it is acknowledged after that.
    Keeping,
    /// Kept, and waiting for [`Updater::resume`], or for a retry.
    Waiting,
    Downloading,
    /// That the image is about to be installed is being stored.
    Announcing,
    Installing,
    /// The end is known, and the cloud has to hear of it.
    Ended,
    /// The cloud heard of it; the order is being erased.
    Forgetting,
}

/// How an update ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Kept)]
pub(crate) enum Ending {
    #[default]
    Succeeded,
    Failed(UpdateFailure),
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
    pub(crate) fn start(&mut self, running: &str, stored: &Stored, cx: &mut Cx<'_>) {
        self.running = running.to_string();
        let Some(kept) = stored.get(StoreKey::Firmware) else { return };
        let Some((offer, installing)) = read_kept(kept.expose()) else {
            return cx.misuse(ApiMisuse::StoredUnreadable(StoreKey::Firmware));
        };
        self.state = if offer.version == running {
            State::Ended
        } else if installing {
            // It was about to be installed, and the old version came up.
            self.ending = Ending::Failed(UpdateFailure::Install);
            State::Ended
        } else {
            State::Waiting
        };
        self.offer = offer;
    }

    /// The version that runs.
    pub(crate) fn running(&self) -> &str {
        &self.running
    }

    /// The order in hand, if any.
    pub(crate) fn offer(&self) -> Option<&Offer> {
        (!matches!(self.state, State::Idle | State::Forgetting)).then_some(&self.offer)
    }

    /// Of the order in hand, or of the last one.
    #[cfg(feature = "krtyun")]
    pub(crate) fn reference(&self) -> &str {
        &self.offer.reference
    }

    /// Whether the order is being stored, and has to be acknowledged after that.
    #[cfg(feature = "krtyun")]
    pub(crate) fn is_keeping(&self) -> bool {
        self.state == State::Keeping
    }

    /// The order that is being worked on: kept, and not at its end.
    #[cfg(feature = "krtyun")]
    pub(crate) fn in_hand(&self) -> Option<&Offer> {
        self.offer().filter(|_| self.state != State::Ended)
    }

    /// What has to be reported, now or after the next login. Say [`Updater::reported`] once the cloud has it.
    pub(crate) fn ending(&self) -> Option<(&Offer, &Ending)> {
        (self.state == State::Ended).then_some((&self.offer, &self.ending))
    }

    /// A new order. `false`: it is the one in hand, or an image is being installed just now; the cloud will order
    /// again.
    #[inline(never)]
    pub(crate) fn order(&mut self, offer: Offer, cx: &mut Cx<'_>) -> bool {
        let same = self.offer.version == offer.version && self.offer.url == offer.url;
        match self.state {
            State::Announcing | State::Installing => return false,
            State::Keeping | State::Waiting | State::Downloading if same => return false,
            _ => {}
        }
        self.drop_work(cx);
        say(
            Update::Offered {
                from: self.running.clone(),
                to: offer.version.clone(),
                size: offer.size,
            },
            cx,
        );
        self.offer = offer;
        self.store(State::Keeping, false, cx);
        true
    }

    /// The cloud takes the order back. Too late once it is being installed: `false`.
    #[inline(never)]
    pub(crate) fn cancel(&mut self, cx: &mut Cx<'_>) -> bool {
        let in_time = matches!(self.state, State::Keeping | State::Waiting | State::Downloading);
        if in_time {
            self.drop_work(cx);
            say(Update::Cancelled, cx);
            self.forget(cx);
        }
        in_time
    }

    /// After a login: goes on with an order that a cut interrupted.
    pub(crate) fn resume(&mut self, cx: &mut Cx<'_>) {
        if self.state == State::Waiting {
            self.download(cx);
        }
    }

    /// The cloud has the ending.
    #[inline(never)]
    pub(crate) fn reported(&mut self, cx: &mut Cx<'_>) {
        if self.state == State::Ended {
            if self.ending == Ending::Succeeded {
                say(Update::Reported { version: self.running.clone() }, cx);
            }
            self.forget(cx);
        }
    }

    /// `None`: the input is not about the update.
    #[inline(never)]
    pub(crate) fn handle(&mut self, input: &Input, cx: &mut Cx<'_>) -> Option<Moved> {
        let ours = match input {
            Input::Stored(token, _)
            | Input::Progress(token, _)
            | Input::Downloaded(token, _)
            | Input::Installed(token, _) => *token == self.token,
            _ => false,
        };
        if !ours {
            return None;
        }
        let done =
            matches!(input, Input::Stored(_, Outcome::Done) | Input::Installed(_, Outcome::Done));
        match (self.state, input) {
            (State::Keeping, Input::Stored(..)) if !done => {
                self.state = State::Idle;
                say(Update::Failed { reason: UpdateFailure::Install }, cx);
                Some(Moved::NotKept)
            }
            (State::Keeping, Input::Stored(..)) => {
                self.backoff = Backoff::login();
                self.download(cx);
                Some(Moved::Accepted)
            }
            (State::Downloading, Input::Progress(_, progress)) => {
                cx.after(Timer::Update, DOWNLOAD_SILENCE);
                let (received, total) = (progress.received, progress.total);
                say(Update::Downloading { received, total }, cx);
                Some(Moved::Progress { received, total })
            }
            (State::Downloading, Input::Downloaded(_, end)) => Some(self.downloaded(end, cx)),
            (State::Announcing, Input::Stored(..)) if done => {
                cx.step(Step::Install);
                let (version, sha256) = (self.offer.version.clone(), self.sha256.clone());
                self.token = cx.install(Install { version, sha256 });
                self.state = State::Installing;
                Some(Moved::Installing)
            }
            (State::Announcing, Input::Stored(..)) | (State::Installing, Input::Installed(..))
                if !done =>
            {
                Some(self.failed(UpdateFailure::Install, cx))
            }
            (State::Installing, Input::Installed(..)) => {
                let to = self.offer.version.clone();
                let from = core::mem::replace(&mut self.running, to.clone());
                say(Update::Installed { from, to }, cx);
                self.ending = Ending::Succeeded;
                self.state = State::Ended;
                Some(Moved::Ended)
            }
            (State::Forgetting, Input::Stored(..)) => {
                // If erasing failed, the next start reports the same ending once more: harmless.
                self.state = State::Idle;
                Some(Moved::Nothing)
            }
            _ => None,
        }
    }

    /// [`Timer::Update`] expired.
    #[inline(never)]
    pub(crate) fn expired(&mut self, cx: &mut Cx<'_>) -> Moved {
        match self.state {
            State::Waiting => {
                self.download(cx);
                Moved::Nothing
            }
            State::Downloading => {
                cx.cancel_download(self.token);
                self.downloaded(&Downloaded::Failed(Failure::TimedOut), cx)
            }
            _ => Moved::Nothing,
        }
    }

    #[inline(never)]
    fn download(&mut self, cx: &mut Cx<'_>) {
        cx.step(Step::Download);
        self.token = cx.download(Download {
            url: self.offer.url.clone(),
            size: self.offer.size,
            version: self.offer.version.clone(),
            max_size: self.offer.max_size,
        });
        cx.after(Timer::Update, DOWNLOAD_SILENCE);
        self.state = State::Downloading;
    }

    #[inline(never)]
    fn downloaded(&mut self, end: &Downloaded, cx: &mut Cx<'_>) -> Moved {
        cx.stop(Timer::Update);
        let offer = &self.offer;
        let failure = match end {
            Downloaded::Complete { size, .. } if offer.size.is_some_and(|s| s != *size) => {
                UpdateFailure::Size
            }
            Downloaded::Complete { md5, sha256, .. } => {
                let fits =
                    |want: &str, got: &str| want.is_empty() || want.eq_ignore_ascii_case(got);
                if fits(&offer.md5, md5) && fits(&offer.sha256, sha256) {
                    say(Update::Verified { digest: offer.is_protected() }, cx);
                    self.sha256 = sha256.clone();
                    self.store(State::Announcing, true, cx);
                    return Moved::Nothing;
                }
                UpdateFailure::Digest
            }
            Downloaded::Failed(Failure::Status(status)) => UpdateFailure::Refused(*status),
            Downloaded::Failed(Failure::Forbidden) => UpdateFailure::Url,
            Downloaded::Failed(Failure::TooLarge) => UpdateFailure::Size,
            Downloaded::Failed(failure) => {
                if self.backoff.failures() + 1 < DOWNLOAD_TRIES {
                    cx.retrying(Timer::Update, (*failure).into(), &mut self.backoff);
                    self.state = State::Waiting;
                    return Moved::Nothing;
                }
                UpdateFailure::Download(*failure)
            }
        };
        self.failed(failure, cx)
    }

    #[inline(never)]
    fn failed(&mut self, reason: UpdateFailure, cx: &mut Cx<'_>) -> Moved {
        say(Update::Failed { reason: reason.clone() }, cx);
        self.ending = Ending::Failed(reason);
        self.state = State::Ended;
        Moved::Ended
    }

    fn store(&mut self, state: State, installing: bool, cx: &mut Cx<'_>) {
        self.token = cx.store(StoreKey::Firmware, write_kept(&self.offer, installing));
        self.state = state;
    }

    fn forget(&mut self, cx: &mut Cx<'_>) {
        self.token = cx.erase(StoreKey::Firmware);
        self.state = State::Forgetting;
    }

    fn drop_work(&mut self, cx: &mut Cx<'_>) {
        cx.stop(Timer::Update);
        if self.state == State::Downloading {
            cx.cancel_download(self.token);
        }
    }
}

fn say(update: Update, cx: &mut Cx<'_>) {
    cx.event(Event::Update { update });
}

/// The kept order as JSON: a person may look into the store of a device that is stuck.
fn write_kept(offer: &Offer, installing: bool) -> alloc::vec::Vec<u8> {
    let size = offer.size.map(num::text).unwrap_or_default();
    Object::new()
        .string("version", &offer.version)
        .string("url", &offer.url)
        .given("size", &size)
        .given("md5", &offer.md5)
        .given("sha256", &offer.sha256)
        .string("reference", &offer.reference)
        .string("max_size", &num::text(offer.max_size))
        .bool("installing", installing)
        .bytes()
}

fn read_kept(bytes: &[u8]) -> Option<(Offer, bool)> {
    let doc = Document::open(bytes);
    let root = doc.root();
    let offer = Offer {
        reference: root.must("reference"),
        version: root.must("version"),
        url: root.must("url"),
        size: root.get("size").and_then(|v| v.as_u64()),
        md5: root.text_or_empty("md5"),
        sha256: root.text_or_empty("sha256"),
        max_size: root.must_count("max_size"),
    };
    let installing = root.get("installing")?.as_bool()?;
    doc.is_good().then_some((offer, installing))
}

/// That a store failed, as the error to show.
pub(crate) fn store_failed() -> crate::Error {
    crate::Error::Local { failure: LocalFailure::Store }
}

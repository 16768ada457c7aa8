//! A device at work.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};
use crate::num;

use super::downlink::{Heard, ignored};
use super::session::{Session, progress, text_id, version_reported};
use super::{Shared, State};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{CodecError, Error, Failure};
use crate::input::{Ack, Input};
use crate::json::Document;
use crate::output::{Event, QoS, Step, Token, UpdateFailure};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire::{self, Reply};
use crate::platform::update::{Ending, Moved};
use crate::time::Timer;

/// Logged in, version and bind token reported.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Online {
    #[n(0)]
    pub(super) session: Box<Session>,
    #[n(1)]
    report: Report,
    /// Ids of property posts that are not answered yet.
    #[n(2)]
    posts: Vec<u32>,
    /// The progress last reported, so that a download does not make a message of every block.
    #[n(3)]
    percent: i8,
}

/// Which report is on its way.
#[derive(Debug, PartialEq, Eq, Encode, Decode)]
enum Report {
    #[n(0)]
    None,
    #[n(1)]
    Version(#[n(0)] Token),
    /// That an update failed.
    #[n(2)]
    Failure(#[n(0)] Token),
}

/// Posts that wait for their answers at once.
const MAX_POSTS: usize = 16;

/// Publishes the version that runs.
pub(super) fn inform(config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) -> Token {
    let payload = wire::inform(&text_id(shared), shared.updater.running());
    let topic = wire::ota(&config.product_key, &config.device_name, wire::OTA_INFORM);
    cx.publish(topic, QoS::AtLeastOnce, payload)
}

impl Online {
    pub(super) fn enter(
        config: &Config,
        mut session: Box<Session>,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        session.login.backoff = Backoff::login();
        cx.event(Event::Ready);
        let mut online =
            Box::new(Self { session, report: Report::None, posts: Vec::new(), percent: 0 });
        online.report_ending(config, shared, cx);
        shared.updater.resume(cx);
        State::Online(online)
    }

    pub(super) fn handle(
        mut self: Box<Self>,
        config: &Config,
        input: &Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        if let Input::Acked(acked, Ack::Published) = input {
            match self.report {
                Report::Version(token) if token == *acked => {
                    self.report = Report::None;
                    // The newest report is followed, and it is sent whenever the version changes.
                    version_reported(true, shared, cx);
                    return State::Online(self);
                }
                Report::Failure(token) if token == *acked => {
                    self.report = Report::None;
                    shared.updater.reported(cx);
                    return State::Online(self);
                }
                _ => {}
            }
        }
        match self.session.common(config, input, shared, cx) {
            Ok(Heard::Nothing) => {}
            Ok(Heard::MatchReply(reply)) => self.session.binder.answered(config, &reply, cx),
            Ok(Heard::PostReply(reply)) => self.posted(reply, cx),
            Ok(Heard::SameVersion) => self.report_version(config, shared, cx),
            Err(error) => return self.session.over(error, cx),
        }
        State::Online(self)
    }

    pub(super) fn report_version(&mut self, config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) {
        cx.step(Step::ReportVersion);
        let token = inform(config, shared, cx);
        self.follow(Report::Version(token));
    }

    /// Follows a report; one that is still on its way is not news any more.
    fn follow(&mut self, report: Report) {
        match core::mem::replace(&mut self.report, report) {
            Report::None => {}
            Report::Version(token) | Report::Failure(token) => self.session.remember(token),
        }
    }

    /// [`Timer::Token`].
    pub(super) fn token_expired(mut self: Box<Self>, config: &Config, cx: &mut Cx<'_>) -> State {
        self.session.binding_expired(config, cx);
        State::Online(self)
    }

    pub(super) fn post(
        &mut self,
        config: &Config,
        json: &str,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) {
        if let Err(error) = Document::parse_object(json.as_bytes()) {
            ignored(error.into(), cx);
            return;
        }
        if self.posts.len() >= MAX_POSTS {
            ignored(CodecError::TooLong.into(), cx);
            return;
        }
        cx.step(Step::PostProperties);
        let id = shared.id();
        let payload = wire::thing(&num::text(id.into()), "thing.event.property.post", json.trim());
        let topic = wire::sys(&config.product_key, &config.device_name, wire::PROPERTY_POST);
        self.session.publish(topic, QoS::AtLeastOnce, payload, cx);
        self.posts.push(id);
        cx.after(Timer::Reply, config.reply_timeout);
    }

    fn posted(&mut self, reply: Reply, cx: &mut Cx<'_>) {
        let Some(at) = self.posts.iter().position(|&id| reply.answers(id)) else {
            cx.stray();
            return;
        };
        self.posts.remove(at);
        if self.posts.is_empty() {
            cx.stop(Timer::Reply);
        }
        match reply.result {
            Ok(()) => cx.event(Event::PropertiesPosted),
            Err(by) => ignored(by.into(), cx),
        }
    }

    /// [`Timer::Reply`]: property posts were not answered. They are not repeated: newer ones replace them.
    pub(super) fn late(mut self: Box<Self>, cx: &mut Cx<'_>) -> State {
        self.posts.clear();
        ignored(Error::NoReply { step: Step::PostProperties }, cx);
        State::Online(self)
    }

    /// The update moved on: the cloud has to hear of it.
    pub(super) fn moved(
        &mut self,
        config: &Config,
        moved: Moved,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) {
        match moved {
            Moved::Nothing => {}
            Moved::Accepted => {
                self.percent = 1;
                progress(config, &mut self.session, 1, "accepted", shared, cx);
            }
            Moved::NotKept => {
                progress(config, &mut self.session, -1, "no storage", shared, cx);
            }
            Moved::Progress { received, total } => {
                let percent = match total {
                    Some(total) if total > 0 => received.saturating_mul(100) / total,
                    _ => 0,
                };
                let percent = i8::try_from(percent.min(99)).unwrap_or(99);
                if percent >= self.percent.saturating_add(10) {
                    self.percent = percent;
                    progress(config, &mut self.session, percent, "downloading", shared, cx);
                }
            }
            Moved::Installing => {
                progress(config, &mut self.session, 100, "verified", shared, cx);
            }
            Moved::Ended => self.report_ending(config, shared, cx),
        }
    }

    /// Success is the new version; a failure has a step below zero.
    fn report_ending(&mut self, config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) {
        let (step, text) = match shared.updater.ending() {
            None => return,
            Some((_, Ending::Succeeded)) => return self.report_version(config, shared, cx),
            Some((_, Ending::Failed(reason))) => match reason {
                UpdateFailure::Url => (-2, "the URL cannot be used"),
                UpdateFailure::Refused(_) => (-2, "the server refused"),
                UpdateFailure::Download(_) => (-2, "the download broke"),
                UpdateFailure::Size => (-3, "wrong size"),
                UpdateFailure::Digest => (-3, "wrong digest"),
                UpdateFailure::Install => (-4, "not installed"),
            },
        };
        let payload = wire::progress(&text_id(shared), step, text);
        let topic = wire::ota(&config.product_key, &config.device_name, wire::OTA_PROGRESS);
        let token = cx.publish(topic, QoS::AtLeastOnce, payload);
        self.follow(Report::Failure(token));
    }
}

/// What a person asked of a device that is not online.
pub(super) fn not_online(cx: &mut Cx<'_>) {
    ignored(Failure::Unreachable.into(), cx);
}

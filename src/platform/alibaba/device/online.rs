//! A device at work.

use crate::snapshot::Kept;

use super::{Flow, State, ignored};
use crate::agent::Cx;
use crate::error::{CodecError, Error};
use crate::json::Document;
use crate::num;
use crate::output::{Event, Step, Token, UpdateFailure};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire::{self, Reply};
use crate::platform::update::{Ending, Moved};
use crate::time::Timer;

/// Which report is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
pub(super) enum Report {
    #[default]
    None,
    Version,
    /// That an update failed.
    Failure,
}

/// Posts that wait for their answers at once.
const MAX_POSTS: usize = 16;

impl Flow {
    /// The report on its way is acknowledged.
    pub(super) fn reported(&mut self, cx: &mut Cx<'_>) {
        match core::mem::replace(&mut self.report, Report::None) {
            // The newest report is followed, and it is sent whenever the version changes.
            Report::Version => self.version_reported(true, cx),
            _ => self.updater.reported(cx),
        }
    }

    pub(super) fn report_version(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::ReportVersion);
        let token = self.inform(config, cx);
        self.follow(Report::Version, token);
    }

    /// Follows a report; one that is still on its way is not news any more.
    fn follow(&mut self, report: Report, token: Token) {
        let old = core::mem::replace(&mut self.awaited, token);
        if self.report != Report::None {
            self.remember(old);
        }
        self.report = report;
    }

    pub(super) fn post(&mut self, json: &str, config: &Config, cx: &mut Cx<'_>) {
        if let Err(error) = Document::open(json.as_bytes()).finish() {
            return ignored(error, cx);
        }
        if self.posts.len() >= MAX_POSTS {
            return ignored(CodecError::TooLong, cx);
        }
        cx.step(Step::PostProperties);
        let id = self.id();
        let id_text = num::text(id.into());
        let payload = wire::thing(&id_text, "thing.event.property.post", json.trim_ascii());
        self.publish(wire::PROPERTY_POST, payload, config, cx);
        self.posts.push(id);
        cx.after(Timer::Reply, config.reply_timeout);
    }

    pub(super) fn posted(&mut self, reply: Reply, cx: &mut Cx<'_>) {
        let Some(at) = self.posts.iter().position(|&id| reply.answers(id)) else {
            return cx.stray();
        };
        self.posts.remove(at);
        if self.posts.is_empty() {
            cx.stop(Timer::Reply);
        }
        match reply.result {
            Ok(()) => cx.event(Event::PropertiesPosted),
            Err(by) => ignored(by, cx),
        }
    }

    /// [`Timer::Reply`]: property posts were not answered. They are not repeated: newer ones replace them.
    pub(super) fn posts_unanswered(&mut self, cx: &mut Cx<'_>) {
        self.posts.clear();
        ignored(Error::NoReply { step: Step::PostProperties }, cx);
    }

    /// The update moved on: the cloud has to hear of it. Without a session the ending waits for the next login, and
    /// progress is nobody's business.
    pub(super) fn moved(&mut self, moved: &Moved, config: &Config, cx: &mut Cx<'_>) {
        if self.state != State::Online {
            return;
        }
        let (step, text) = match *moved {
            Moved::Nothing => return,
            Moved::Accepted => (1, "accepted"),
            Moved::NotKept => (-1, "no storage"),
            Moved::Progress { received, total } => {
                let percent = match total {
                    Some(total) if total > 0 => received.saturating_mul(100) / total,
                    _ => 0,
                };
                let percent = percent.min(99) as u8;
                if percent < self.percent.saturating_add(10) {
                    return;
                }
                (percent as i8, "downloading")
            }
            Moved::Installing => (100, "verified"),
            Moved::Ended => return self.report_ending(config, cx),
        };
        if matches!(moved, Moved::Accepted | Moved::Progress { .. }) {
            self.percent = step.unsigned_abs();
        }
        let token = self.progress(step, text, config, cx);
        self.remember(token);
    }

    /// Success is the new version; a failure has a step below zero.
    pub(super) fn report_ending(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let (step, text) = match self.updater.ending() {
            None => return,
            Some((_, Ending::Succeeded)) => return self.report_version(config, cx),
            Some((_, Ending::Failed(reason))) => match reason {
                UpdateFailure::Url => (-2, "the URL cannot be used"),
                UpdateFailure::Refused(_) => (-2, "the server refused"),
                UpdateFailure::Download(_) => (-2, "the download broke"),
                UpdateFailure::Size => (-3, "wrong size"),
                UpdateFailure::Digest => (-3, "wrong digest"),
                UpdateFailure::Install => (-4, "not installed"),
            },
        };
        let token = self.progress(step, text, config, cx);
        self.follow(Report::Failure, token);
    }
}

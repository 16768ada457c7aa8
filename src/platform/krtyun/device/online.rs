//! The steps with the device's own secret: log in, subscribe, report, update.

use crate::cbor::{Decode, Encode};

use core::time::Duration;

use super::super::credential::{Credential, Standing};
use super::super::wire::{self, BadOrder, Order};
use super::register::Goal;
use super::{Job, Next, State, refused_once_more, why};
use crate::error::Error;
use crate::input::{Ack, Closed, Input, Message, Outcome};
use crate::output::{Advice, Due, Event, QoS, Step, StoreKey, Token, Warning};
use crate::platform::update::Offer;
use crate::time::{Instant, Timer, UnixTime};

/// A session that lasted this long ends the back-off: its end is news, not one more failure.
const SETTLED: Duration = Duration::from_secs(60);

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectLogin {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    credential: Credential,
}

/// The platform let us in for the first time; that is being stored.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectProvenStored {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    token: Token,
    #[n(2)]
    credential: Credential,
    #[n(3)]
    since: Instant,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectOtaSubscribed {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    token: Token,
    #[n(2)]
    credential: Credential,
    #[n(3)]
    since: Instant,
}

/// Logged in. [`Timer::Heartbeat`] runs while no report is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Online {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    credential: Credential,
    #[n(2)]
    since: Instant,
    #[n(3)]
    report: Report,
}

#[derive(Debug, Encode, Decode)]
enum Report {
    #[n(0)]
    Done,
    /// [`Timer::Reply`] runs, or [`Timer::Retry`] between two tries.
    #[n(1)]
    Sent {
        #[n(0)]
        token: Token,
        #[n(1)]
        tries: u32,
    },
}

impl Job<'_, '_> {
    pub(super) fn login(&mut self, credential: Credential) -> State {
        self.cx.step(Step::Login);
        let connection = self.connect(credential.secret.clone());
        State::LoggingIn(ExpectLogin { connection, credential })
    }

    fn refused(&mut self, credential: Credential, code: u8) -> State {
        let error = why(Closed::Refused(code));
        match code {
            4 | 5 => {}
            1 | 2 => return self.stop(Next::Login(credential), error, Advice::AskVendor),
            _ => return self.rest(Next::Login(credential), error),
        }
        // Never registering anew by ourselves: only a registration that was cut short is finished.
        let (mut credential, refusals) = refused_once_more(credential);
        match &mut credential.standing {
            Standing::Unproven { refusals: count, .. } => {
                if refusals <= self.config.request_retries {
                    self.rest(Next::Register(Goal::Confirm(credential)), error)
                } else {
                    *count = 0;
                    self.stop(Next::Login(credential), error, Advice::CheckDevice)
                }
            }
            Standing::Configured | Standing::Proven => {
                self.stop(Next::Login(credential), error, Advice::CheckDevice)
            }
        }
    }

    fn subscribe_ota(
        &mut self,
        connection: Token,
        credential: Credential,
        since: Instant,
    ) -> State {
        self.cx.step(Step::Subscribe);
        let token = self.cx.subscribe(self.config.topics.ota_set.clone());
        self.await_reply();
        State::Subscribing(ExpectOtaSubscribed { connection, token, credential, since })
    }

    /// The session ended.
    fn lost(&mut self, credential: Credential, since: Instant, error: Error) -> State {
        if self.cx.now().mono >= since + SETTLED {
            self.history.backoff.reset();
        }
        self.rest(Next::Login(credential), error)
    }

    fn publish_report(&mut self) -> Token {
        let c = self.config;
        let body = wire::report(&c.hardware_version, self.update.running());
        self.await_reply();
        self.cx.publish(c.topics.ota_post.clone(), QoS::AtLeastOnce, body)
    }

    /// Takes an order. `true`: it is fulfilled already, so report.
    fn ordered(&mut self, message: &Message) -> bool {
        let order = match Order::parse(message.payload.expose()) {
            Ok(order) => order,
            Err(BadOrder { id, error }) => {
                self.warn(error);
                if let Some(id) = id {
                    self.answer_refused(&id);
                }
                return false;
            }
        };
        let Order { id, url, version } = order;
        if version == self.update.running() {
            // Back to what runs: an update that is under way is off, unless it is too late.
            if self.update.in_hand().is_none() || self.update.cancel(self.cx) {
                self.answer(&id, wire::OK);
                return true;
            }
            self.answer_refused(&id);
            return false;
        }
        let repeated = self.update.in_hand().is_some_and(|o| o.version == version && o.url == url);
        let offer = Offer {
            reference: id.clone(),
            version,
            url,
            size: None,
            md5: None,
            sha256: self.config.firmware_sha256.clone(),
            max_size: self.config.firmware_max_size,
        };
        if self.update.order(offer, self.cx) {
            // The answer follows once the order is kept.
            if self.config.firmware_sha256.is_none() {
                self.cx.event(Event::Warning { warning: Warning::UnprotectedImage });
            }
        } else if !repeated {
            // Another image is being installed just now.
            self.answer_refused(&id);
        } else if self.update.keeping().is_none() {
            self.answer(&id, wire::OK);
        }
        false
    }
}

impl ExpectLogin {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Connected(connection) if connection == self.connection => {
                let since = job.cx.now().mono;
                job.cx.stop(Timer::Reply);
                job.cx.event(Event::Ready);
                job.update.resume(job.cx);
                let Credential { secret, standing } = self.credential;
                match standing {
                    Standing::Unproven { .. } => {
                        let credential = Credential { secret, standing: Standing::Proven };
                        let json = credential.to_json(job.config);
                        let token = job.cx.store(StoreKey::Credential, json);
                        State::Proving(ExpectProvenStored { connection, token, credential, since })
                    }
                    standing => {
                        job.subscribe_ota(connection, Credential { secret, standing }, since)
                    }
                }
            }
            Input::Closed(connection, closed) if connection == self.connection => match closed {
                Closed::Refused(code) => job.refused(self.credential, code),
                closed => job.rest(Next::Login(self.credential), why(closed)),
            },
            input => {
                job.stray(&input);
                State::LoggingIn(self)
            }
        }
    }

    pub(super) fn expired(self, job: &mut Job<'_, '_>) -> State {
        job.cx.close(self.connection);
        job.rest(Next::Login(self.credential), Error::NoReply { step: Step::Login })
    }
}

impl ExpectProvenStored {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Stored(token, outcome) if token == self.token => {
                if let Outcome::Failed(failure) = outcome {
                    // The secret itself is stored; the next start may at most confirm it once more.
                    job.warn(Error::Local { failure });
                }
                job.subscribe_ota(self.connection, self.credential, self.since)
            }
            Input::Closed(connection, closed) if connection == self.connection => {
                job.lost(self.credential, self.since, why(closed))
            }
            input => {
                job.stray(&input);
                State::Proving(self)
            }
        }
    }
}

impl ExpectOtaSubscribed {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Acked(token, ack) if token == self.token => {
                if ack == Ack::SubscribeRefused {
                    let topic = job.config.topics.ota_set.clone();
                    job.cx.event(Event::Warning { warning: Warning::SubscribeRefused { topic } });
                }
                job.cx.step(Step::ReportVersion);
                let Self { connection, credential, since, .. } = self;
                let online = Online { connection, credential, since, report: Report::Done };
                State::Online(online.report(job))
            }
            // An order may overtake the acknowledgement; the report follows anyway.
            Input::Message(message) if message.topic == job.config.topics.ota_set => {
                job.ordered(&message);
                State::Subscribing(self)
            }
            Input::Closed(connection, closed) if connection == self.connection => {
                job.lost(self.credential, self.since, why(closed))
            }
            input => {
                job.stray(&input);
                State::Subscribing(self)
            }
        }
    }

    pub(super) fn expired(self, job: &mut Job<'_, '_>) -> State {
        job.cx.close(self.connection);
        job.lost(self.credential, self.since, Error::NoReply { step: Step::Subscribe })
    }
}

impl Online {
    /// Reports the versions now. A report on its way is overtaken, for the version may be another.
    pub(super) fn report(mut self, job: &mut Job<'_, '_>) -> Self {
        job.cx.stop(Timer::Retry);
        job.cx.stop(Timer::Heartbeat);
        let token = job.publish_report();
        self.report = Report::Sent { token, tries: 1 };
        self
    }

    pub(super) fn handle(mut self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Message(message) if message.topic == job.config.topics.ota_set => {
                if job.ordered(&message) {
                    State::Online(self.report(job))
                } else {
                    State::Online(self)
                }
            }
            Input::Acked(acked, Ack::Published) => match self.report {
                Report::Sent { token, .. } if acked == token => {
                    job.cx.stop(Timer::Reply);
                    job.cx.stop(Timer::Retry);
                    self.report = Report::Done;
                    reported(job);
                    State::Online(self)
                }
                _ => {
                    job.cx.stray();
                    State::Online(self)
                }
            },
            Input::Closed(connection, closed) if connection == self.connection => {
                job.lost(self.credential, self.since, why(closed))
            }
            input => {
                job.stray(&input);
                State::Online(self)
            }
        }
    }

    pub(super) fn expired(mut self, timer: Timer, job: &mut Job<'_, '_>) -> State {
        let Report::Sent { tries, .. } = self.report else {
            return State::Online(self.report(job));
        };
        let silence = Error::NoReply { step: Step::ReportVersion };
        if timer == Timer::Retry {
            let token = job.publish_report();
            self.report = Report::Sent { token, tries: tries + 1 };
        } else if tries <= job.config.request_retries {
            job.back_off(silence);
        } else {
            // QoS 1 and no acknowledgement: the connection is dead, whatever TCP says.
            job.cx.close(self.connection);
            return job.lost(self.credential, self.since, silence);
        }
        State::Online(self)
    }
}

/// The platform has the report. If an update has ended, it tells of that: an end has a report of its own sent, which
/// overtakes any other.
fn reported(job: &mut Job<'_, '_>) {
    job.update.reported(job.cx);
    let event = match job.config.report_interval {
        Some(period) => {
            let next = job.cx.after(Timer::Heartbeat, period);
            let now = job.cx.now();
            let wait = next.millis_since(now.mono);
            let next_unix = now.unix.map(|UnixTime(ms)| UnixTime(ms.saturating_add(wait)));
            Event::Heartbeat { next: Some(next), next_unix, why: Due::Period }
        }
        None => Event::Heartbeat { next: None, next_unix: None, why: Due::KeepAlive },
    };
    job.cx.event(event);
}

//! Carries out what the app wants: one thread, requests in turn, one timer, and a person who may type a token.

use std::io::BufRead;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant as Clock, SystemTime, UNIX_EPOCH};

use muster::app::{App, AppEvent, AppInput, AppOutput};
use muster::{Error, Instant, Now, UnixTime};

use super::show::{self, Shown};
use crate::device::http::Http;
use crate::device::tls::Trust;
use crate::exit::Exit;

pub(super) struct Driver {
    app: App,
    http: Http,
    begin: Clock,
    shown: Shown,
}

/// Why the loop ends.
enum End {
    Done,
    Failed(Exit),
}

impl Driver {
    pub(super) fn new(make: impl FnOnce(Now) -> App, json: bool, reveal: bool) -> Self {
        let begin = Clock::now();
        let app = make(now(begin));
        Self { app, http: Http::new(&Trust::Public), begin, shown: Shown { json, reveal } }
    }

    /// One call, and its reply.
    pub(super) fn call(&mut self, input: AppInput) -> Result<(), Exit> {
        let (_sender, nothing) = mpsc::channel();
        self.run(input, &nothing, None)
    }

    /// The guided flow. A token may be typed while it waits for one.
    pub(super) fn bind(
        &mut self,
        input: AppInput,
        typed: bool,
        within: Duration,
    ) -> Result<(), Exit> {
        let (sender, inputs) = mpsc::channel();
        if typed {
            self.shown.note("type the bind token that the device announced, then Enter");
            thread::spawn(move || {
                for line in std::io::stdin().lock().lines() {
                    let Ok(line) = line else { return };
                    let token = line.trim().to_owned();
                    if !token.is_empty() && sender.send(AppInput::BindToken(token)).is_err() {
                        return;
                    }
                }
                // End of input is no end of the flow: a token may come from the cloud's own list.
                thread::park();
            });
        }
        self.run(input, &inputs, Some(within))
    }

    fn run(
        &mut self,
        first: AppInput,
        inputs: &mpsc::Receiver<AppInput>,
        within: Option<Duration>,
    ) -> Result<(), Exit> {
        let end = within.map(|within| self.begin.elapsed() + within);
        let mut input = Some(first);
        loop {
            if let Some(input) = input.take() {
                self.app.handle_input(input, now(self.begin));
            }
            let deadline = loop {
                match self.app.poll_output() {
                    AppOutput::Timeout(at) => break at,
                    AppOutput::Request(token, request) => {
                        let (answer, detail) = self.http.request(&request);
                        if let Some(detail) = detail {
                            self.shown.note(&detail);
                        }
                        self.app.handle_input(AppInput::Response(token, answer), now(self.begin));
                    }
                    output => {
                        if let Some(end) = self.output(output) {
                            return match end {
                                End::Done => Ok(()),
                                End::Failed(exit) => Err(exit),
                            };
                        }
                    }
                }
            };
            let passed = self.begin.elapsed();
            if end.is_some_and(|end| passed >= end) {
                return Err(Exit::network(
                    "the bind did not end in time",
                    "see whether the device is online; --within",
                ));
            }
            let Some(Instant(at)) = deadline else {
                return Err(Exit::network(
                    "the app waits for nothing",
                    "this is a bug; please report it",
                ));
            };
            let mut wait = Duration::from_millis(at).saturating_sub(passed);
            if let Some(end) = end {
                wait = wait.min(end.saturating_sub(passed));
            }
            input = match inputs.recv_timeout(wait) {
                Ok(typed) => Some(typed),
                Err(mpsc::RecvTimeoutError::Timeout) => Some(AppInput::Timeout),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    thread::sleep(wait);
                    Some(AppInput::Timeout)
                }
            };
        }
    }

    fn output(&mut self, output: AppOutput) -> Option<End> {
        match output {
            AppOutput::Replied { call, result, .. } => match result {
                Ok(reply) => {
                    self.shown.reply(call, &reply);
                    Some(End::Done)
                }
                Err(error) => Some(End::Failed(exit(&error))),
            },
            AppOutput::TokenNeeded => {
                self.app.handle_input(AppInput::NoIotToken, now(self.begin));
                self.shown.note(
                    "the iotToken is missing or has run out: set another with --set iot_token=…",
                );
                None
            }
            AppOutput::Session { .. } => {
                self.shown.note(
                    "the session was renewed for this run; a new iotToken is used from here on",
                );
                None
            }
            AppOutput::HandOver(hand_over) => {
                self.shown.hand_over(&hand_over);
                None
            }
            AppOutput::Event(event) => {
                self.shown.event(&event);
                match event {
                    AppEvent::Bound { .. } => Some(End::Done),
                    AppEvent::Cancelled => Some(End::Failed(Exit::rejected("cancelled", ""))),
                    AppEvent::Failed { failure, .. } => Some(End::Failed(show::failed(&failure))),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The exit that an error of a call deserves.
pub(super) fn exit(error: &Error) -> Exit {
    let text = crate::text::error(error, muster::PlatformName::Alibaba);
    match error {
        Error::Rejected { .. } => Exit::rejected(text, show::next(error)),
        Error::Codec { .. } | Error::PeerMisbehaved { .. } => Exit::rejected(
            text,
            "the cloud does not answer as documented: see docs/protocols/alibaba.md",
        ),
        _ => Exit::network(
            text,
            "check base_url and the network; for the local clouds: cargo xtask up",
        ),
    }
}

fn now(begin: Clock) -> Now {
    let mono = Instant(u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX));
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let unix = unix.and_then(|t| u64::try_from(t.as_millis()).ok()).map(UnixTime);
    Now { mono, unix }
}

//! `shapes.txt`: the bytes of every variant that the wire knows, each under its name in `docs/abi.md`, so that the
//! page can be held to them (`host/tests/runtimes/the_page_about_the_bytes_is_right.rs`).
//!
//! How many variants there are is asked of the decoder, not of a list: a new one without an example fails here, and a
//! new example without its line in the page fails there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use muster::cbor::{self, Decode, Encode, Encoder, Fault};
use muster::http::{Request, Response};
use muster::wire::{Handle, Open, Refusal, Restore};
use muster::*;

#[test]
fn with_the_bytes_that_are_written_down() {
    let text = shapes();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/shapes.txt");
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap();
    for (number, (now, then)) in text.lines().zip(written.lines()).enumerate() {
        assert_eq!(now, then, "line {} of {}", number + 1, file.display());
    }
    assert_eq!(text.lines().count(), written.lines().count());
}

struct Shapes(String);

impl Shapes {
    fn one(&mut self, name: &str, value: &impl Encode) {
        let _ = writeln!(self.0, "{name} {}", hex::lower(&cbor::encode(value)));
    }

    /// Examples of an enum whose variants are arrays: a number, then fields.
    fn all<T: Encode + Decode>(&mut self, name: &str, examples: impl IntoIterator<Item = T>) {
        let mut seen = BTreeSet::new();
        for example in examples {
            let bytes = cbor::encode(&example);
            assert_eq!(bytes[0] >> 5, 4, "{name}: not an array");
            seen.insert(bytes[1]);
            self.one(name, &example);
        }
        let known = |n: u32| {
            let mut e = Encoder::new();
            e.variant(n, 0);
            cbor::decode::<T>(&e.into_bytes()).err() != Some(Fault::Unknown)
        };
        let count = self.complete(name, &seen, known);
        for fields in 0..3 {
            let more = "00".repeat(fields);
            let _ = writeln!(self.0, "no {name} {:02x}{count:02x}{more}", 0x81 + fields);
        }
    }

    /// Examples of an enum whose variants are numbers.
    fn numbers<T: Encode + Decode>(&mut self, name: &str, examples: impl IntoIterator<Item = T>) {
        let mut seen = BTreeSet::new();
        for example in examples {
            seen.insert(cbor::encode(&example)[0]);
            self.one(name, &example);
        }
        let known = |n: u32| cbor::decode::<T>(&cbor::encode(&n)).err() != Some(Fault::Unknown);
        let count = self.complete(name, &seen, known);
        let _ = writeln!(self.0, "no {name} {count:02x}");
    }

    fn complete(&self, name: &str, seen: &BTreeSet<u8>, known: impl Fn(u32) -> bool) -> u8 {
        let count = (0..24).find(|&n| !known(n)).unwrap() as u8;
        assert_eq!(*seen, (0..count).collect(), "{name}: examples of every variant, and no others");
        count
    }
}

fn text() -> String {
    "text".into()
}

fn bytes() -> SecretBytes {
    SecretBytes::new(vec![1, 2, 3])
}

fn shapes() -> String {
    let mut s = Shapes(String::from(
        "# An example of every kind of message of byte schema 1, under its name in docs/abi.md; `no`: what is not one.\n\
         # MUSTER_UPDATE=1 cargo test --test conformance writes it.\n",
    ));
    let now = Now::new(1_000, 1_767_225_600_000);
    let settings = Settings::new().with("broker", "mqtt://127.0.0.1:1883");
    let mut stored = Stored::empty();
    for key in StoreKey::ALL {
        stored.insert(key, bytes());
    }
    let platform = PlatformName::Ucloud;
    s.one("open", &Open::new(platform, settings.clone(), stored, [7; 32], now));
    s.one("open", &Open::new(platform, settings.clone(), Stored::empty(), [7; 32], Now::mono(0)));
    s.one("restore", &Restore::new(platform, settings, bytes(), now));
    s.one("handle", &Handle { now, input: Input::Timeout });
    s.one("now", &now);
    s.numbers("platform", PlatformName::ALL);
    s.numbers("store-key", StoreKey::ALL);
    s.numbers("qos", [QoS::AtMostOnce, QoS::AtLeastOnce]);
    inputs(&mut s);
    outputs(&mut s);
    events(&mut s);
    errors(&mut s);
    s.0
}

fn failures() -> [Failure; 9] {
    [
        Failure::Dns,
        Failure::Unreachable,
        Failure::Tls,
        Failure::TimedOut,
        Failure::Lost,
        Failure::Protocol,
        Failure::TooLarge,
        Failure::Forbidden,
        Failure::Status(403),
    ]
}

fn inputs(s: &mut Shapes) {
    let token = Token(7);
    let response = Response { status: 200, headers: vec![(text(), text())], body: b"{}".to_vec() };
    let complete = Downloaded::Complete { size: 4096, md5: text(), sha256: text() };
    let intents = [
        Intent::TryAgain,
        Intent::RegisterAgain,
        Intent::Use { date: 20_260_101 },
        Intent::Report,
        Intent::PostProperties { json: text() },
        Intent::NewBindToken,
        Intent::RequestFirmware,
    ];
    s.all("intent", intents);
    s.all("failure", failures());
    s.all("closed", [Closed::Refused(4), Closed::Failed(Failure::Dns), Closed::Requested]);
    let acks = [Ack::Published, Ack::Subscribed(QoS::AtLeastOnce), Ack::SubscribeRefused];
    s.all("ack", acks);
    let answers = [Answer::Response(response.clone()), Answer::Failed(Failure::TimedOut)];
    s.all("answer", answers);
    s.all("outcome", [Outcome::Done, Outcome::Failed(LocalFailure::Store)]);
    s.all("downloaded", [complete.clone(), Downloaded::Failed(Failure::Lost)]);
    s.all(
        "input",
        [
            Input::Timeout,
            Input::Connected(token),
            Input::Closed(token, Closed::Requested),
            Input::Message(Message { topic: text(), payload: bytes() }),
            Input::Acked(token, Ack::Published),
            Input::Response(token, Answer::Response(response)),
            Input::Stored(token, Outcome::Done),
            Input::Progress(token, Progress { received: 70_000, total: None }),
            Input::Downloaded(token, complete),
            Input::Installed(token, Outcome::Failed(LocalFailure::Install)),
            Input::User(Intent::Report),
        ],
    );
}

fn outputs(s: &mut Shapes) {
    let token = Token(70_000);
    let connect = Connect {
        url: text(),
        client_id: text(),
        username: text(),
        password: Secret::new("secret"),
        keep_alive: 240,
    };
    let headers = vec![(text(), text())];
    let request = Request { method: text(), url: text(), headers, body: b"{}".to_vec() };
    let download = Download { url: text(), size: None, version: text(), max_size: 1 << 33 };
    s.all(
        "command",
        [
            Command::Connect(token, connect),
            Command::Close(token),
            Command::Subscribe(token, Subscribe { topic: text(), qos: QoS::AtLeastOnce }),
            Command::Publish(
                token,
                Publish { topic: text(), qos: QoS::AtMostOnce, payload: bytes() },
            ),
            Command::Request(token, request),
            Command::Store(token, StoreKey::Credential, bytes()),
            Command::Erase(token, StoreKey::Firmware),
            Command::Download(token, Download { size: Some(4096), ..download.clone() }),
            Command::Download(token, download),
            Command::CancelDownload(token),
            Command::Install(token, Install { version: text(), sha256: text() }),
        ],
    );
    s.all(
        "output",
        [
            Output::Command(Command::Close(token)),
            Output::Event(Event::Ready),
            Output::Timeout(Some(Instant(10_000))),
            Output::Timeout(None),
        ],
    );
}

fn events(s: &mut Shapes) {
    let identity = Identity { platform: PlatformName::Krtyun, product: text(), device: text() };
    let (next, unix) = (Instant(9_000), UnixTime(1_767_225_600_000));
    let error = || Error::Network { failure: Failure::Lost };
    s.numbers(
        "step",
        [
            Step::ConnectToRegister,
            Step::SubscribeForSecret,
            Step::RequestSecret,
            Step::StoreSecret,
            Step::ConfirmSecret,
            Step::LeaveRegistration,
            Step::Login,
            Step::Subscribe,
            Step::ReportVersion,
            Step::Heartbeat,
            Step::ReportToken,
            Step::Download,
            Step::Install,
            Step::EraseSecret,
            Step::PostProperties,
        ],
    );
    let due = [Due::Period, Due::PeriodWithJitter, Due::FirstUseOfDay, Due::Limit, Due::KeepAlive];
    s.numbers("due", due);
    s.numbers(
        "advice",
        [
            Advice::CheckProductSecret,
            Advice::ImportDevice,
            Advice::AlreadyRegistered,
            Advice::CheckDevice,
            Advice::CheckStorage,
            Advice::CheckNetwork,
            Advice::AskVendor,
        ],
    );
    s.all(
        "update-failure",
        [
            UpdateFailure::Url,
            UpdateFailure::Refused(403),
            UpdateFailure::Download(Failure::Lost),
            UpdateFailure::Size,
            UpdateFailure::Digest,
            UpdateFailure::Install,
        ],
    );
    s.all(
        "update",
        [
            Update::Offered { from: text(), to: text(), size: None },
            Update::Downloading { received: 1, total: Some(2) },
            Update::Verified { digest: true },
            Update::Installed { from: text(), to: text() },
            Update::Reported { version: text() },
            Update::Failed { reason: UpdateFailure::Size },
            Update::Cancelled,
        ],
    );
    s.all(
        "warning",
        [
            Warning::Ignored { error: error() },
            Warning::ProductIdAsDeviceNumber,
            Warning::ImeiCheckDigit,
            Warning::ClockJumped,
            Warning::UnprotectedImage,
            Warning::SubscribeRefused { topic: text() },
            Warning::SecretConfigured,
        ],
    );
    s.all(
        "event",
        [
            Event::Step { step: Step::Login },
            Event::Registered { identity },
            Event::Ready,
            Event::Heartbeat { next: Some(next), next_unix: Some(unix), why: Due::Period },
            Event::Heartbeat { next: None, next_unix: None, why: Due::KeepAlive },
            Event::Update { update: Update::Cancelled },
            Event::Retrying { error: error(), failures: 2, in_ms: 4_000 },
            Event::Stopped { error: error(), advice: Advice::CheckNetwork },
            Event::Warning { warning: Warning::ClockJumped },
            Event::PropertiesSet { json: text() },
            Event::PropertiesPosted,
            Event::BindToken { token: text(), for_ms: 60_000 },
            Event::Permit { seconds: 60, product: None },
            Event::Topology { status: 0, devices: vec![text()] },
            Event::Scheduled { next, next_unix: None, why: Due::Limit },
        ],
    );
}

fn errors(s: &mut Shapes) {
    let config = || ConfigError { key: text(), problem: text() };
    let missing = || LocalFailure::MissingSetting(text());
    let codec = [
        CodecError::NotJson,
        CodecError::NotAnObject,
        CodecError::NotUtf8,
        CodecError::TooLong,
        CodecError::TooDeep,
        CodecError::Missing(text()),
        CodecError::Invalid(text()),
    ];
    s.all("codec-error", codec.clone());
    let misbehaved = [
        PeerMisbehaved::WrongRequestId,
        PeerMisbehaved::UnusableSecret,
        PeerMisbehaved::WrongIdentity,
        PeerMisbehaved::ForbiddenUrl,
        PeerMisbehaved::ClosedEarly,
    ];
    s.all("misbehaviour", misbehaved);
    let rejected = [
        Rejected::Connack { code: 4 },
        Rejected::Suback { topic: text() },
        Rejected::Code { code: text(), message: text() },
        Rejected::Http { status: 500, message: text() },
    ];
    s.all("rejection", rejected.clone());
    s.all("local-failure", [LocalFailure::Store, LocalFailure::Install, missing()]);
    s.all(
        "error",
        [
            Error::Codec { error: codec[0].clone() },
            Error::PeerMisbehaved { how: PeerMisbehaved::ClosedEarly },
            Error::Rejected { by: rejected[0].clone() },
            Error::Network { failure: Failure::Dns },
            Error::NoReply { step: Step::RequestSecret },
            Error::Local { failure: missing() },
        ],
    );
    s.all(
        "misuse",
        [
            ApiMisuse::Config(config()),
            ApiMisuse::StoredForAnotherDevice,
            ApiMisuse::StoredUnreadable(StoreKey::Credential),
            ApiMisuse::SnapshotUnreadable,
            ApiMisuse::IntentNotSupported,
        ],
    );
    s.all(
        "refusal",
        [
            Refusal::Misuse(ApiMisuse::Config(config())),
            Refusal::Malformed,
            Refusal::Schema { oldest: 1, newest: 1 },
            Refusal::TooLong,
            Refusal::AlreadyOpen,
            Refusal::NotOpen,
        ],
    );
}

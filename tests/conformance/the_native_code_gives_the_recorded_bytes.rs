//! `(settings, stored, seed, inputs)` decides every byte, today and tomorrow.

use std::fs;
use std::path::{Path, PathBuf};

use muster::cbor::{self, Encoder};
use muster::wire::{self, Guest, Handle, Open, Restore};
use muster::{Input, Now, PlatformName, Settings, Stored};

use super::lives;
use super::transcript::{self, Entry};

#[test]
fn for_ucloud() {
    check("ucloud", || life(PlatformName::Ucloud));
}

#[test]
fn for_cmcc() {
    check("cmcc", || life(PlatformName::Cmcc));
}

#[test]
fn for_krtyun() {
    check("krtyun", || life(PlatformName::Krtyun));
}

#[test]
fn for_alibaba() {
    check("alibaba", || life(PlatformName::Alibaba));
}

#[test]
fn for_requests_that_are_refused() {
    check("refusals", refusals);
}

fn check(name: &str, record: fn() -> (String, Vec<Entry>)) {
    let file = folder().join(name).with_extension("txt");
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        let (about, entries) = record();
        fs::write(&file, transcript::write(&about, &entries)).unwrap();
    }
    let entries = transcript::read(&fs::read_to_string(&file).unwrap());
    let mut guest = Guest::new();
    for (i, entry) in entries.iter().enumerate() {
        match entry {
            Entry::New => guest = Guest::new(),
            Entry::Call { function, request, reply } => {
                let got = call(&mut guest, function, request);
                assert!(
                    got == *reply,
                    "{name}: call {i}, `{function}`, gives other bytes than tests/conformance/{name}.txt has. If \
                     the change is meant: MUSTER_UPDATE=1 cargo test --test conformance"
                );
            }
        }
    }
    assert!(entries.len() > 10, "{name}: {} entries", entries.len());
}

fn call(guest: &mut Guest, function: &str, request: &[u8]) -> Vec<u8> {
    match function {
        "describe" => guest.describe(),
        "open" => guest.open(request.to_vec()),
        "handle" => guest.handle(request.to_vec()),
        "save" => guest.save(),
        "restore" => guest.restore(request.to_vec()),
        other => panic!("no function `{other}`"),
    }
}

/// Writes down what it asks of the native code.
struct Recorder {
    guest: Guest,
    entries: Vec<Entry>,
}

impl Recorder {
    fn start() -> Self {
        Self { guest: Guest::new(), entries: Vec::new() }
    }

    fn call(&mut self, function: &str, request: &[u8]) -> Vec<u8> {
        let reply = call(&mut self.guest, function, request);
        self.entries.push(Entry::Call {
            function: function.into(),
            request: request.to_vec(),
            reply: reply.clone(),
        });
        reply
    }

    fn fresh(&mut self) {
        self.guest = Guest::new();
        self.entries.push(Entry::New);
    }
}

/// A whole life, half of it in a second instance that goes on where the first was.
fn life(platform: PlatformName) -> (String, Vec<Entry>) {
    let life = lives::life(platform);
    let rec = life.recording;
    let mut recorder = Recorder::start();
    recorder.call("describe", &[]);
    let open = Open::new(platform, life.settings.clone(), rec.stored, rec.seed, rec.born);
    recorder.call("open", open.to_bytes().expose());
    let half = rec.inputs.len() / 2;
    for (i, (now, input)) in rec.inputs.into_iter().enumerate() {
        if i == half {
            let saved = wire::saved(&recorder.call("save", &[])).unwrap().unwrap();
            recorder.fresh();
            let restore = Restore::new(platform, life.settings.clone(), saved, now);
            recorder.call("restore", restore.to_bytes().expose());
        }
        recorder.call("handle", Handle { now, input }.to_bytes().expose());
    }
    recorder.call("save", &[]);
    let about = format!(
        "A device's life at the simulated cloud of `{platform}`: registration, heartbeats, updates, intents, lost \
         connections.\nThe product, the device and every secret in it are made up. Format: README.md."
    );
    (about, recorder.entries)
}

/// What is not done, and a device that lives on.
fn refusals() -> (String, Vec<Entry>) {
    let settings = Settings::new()
        .with("broker", "mqtt://127.0.0.1:18832")
        .with("product_id", "1700000001")
        .with("product_secret", "theproductsecret")
        .with("device_id", "880001");
    let now = Now::new(0, 1_767_225_600_000);
    let open = |settings: &Settings| {
        Open::new(PlatformName::Krtyun, settings.clone(), Stored::empty(), [1; 32], now)
    };
    let good = open(&settings).to_bytes();
    let timeout = Handle { now: Now::mono(5), input: Input::Timeout }.to_bytes();

    let mut recorder = Recorder::start();
    recorder.call("handle", timeout.expose());
    recorder.call("save", &[]);
    for end in [0, 1, 2, 20, good.expose().len() - 1] {
        recorder.call("open", &good.expose()[..end]);
    }
    for promise in [
        &[0x9a, 0xff, 0xff, 0xff, 0xff][..],
        &[0xa1, 0, 0x7a, 0xff, 0xff, 0xff, 0xff],
        &[0x9f, 0xff],
    ] {
        recorder.call("open", promise);
    }
    recorder.call("open", &[0x81; 1024]);
    let mut newer = open(&settings);
    newer.schema = 7;
    recorder.call("open", newer.to_bytes().expose());
    recorder.call("open", open(&settings.clone().with("colour", "blue")).to_bytes().expose());
    recorder.call("open", open(&settings.clone().with("device_id", "")).to_bytes().expose());
    let snapshot = muster::SecretBytes::new(vec![1, 2, 3]);
    let restore = Restore::new(PlatformName::Krtyun, settings.clone(), snapshot, now);
    recorder.call("restore", restore.to_bytes().expose());

    recorder.call("open", good.expose());
    recorder.call("open", good.expose());
    recorder.call("handle", &timeout.expose()[..timeout.expose().len() - 1]);
    // Input 4711, with fields that nobody knows.
    let mut e = Encoder::new();
    e.map(2);
    e.number(0);
    cbor::Encode::encode(&Now::mono(7), &mut e);
    e.number(1);
    e.variant(4711, 2);
    e.text("what");
    e.bytes(&[1, 2, 3]);
    recorder.call("handle", &e.into_bytes());
    recorder.call("handle", timeout.expose());
    let about =
        "Requests that a plugin refuses or ignores, each with its reply. Format: README.md.";
    (about.into(), recorder.entries)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

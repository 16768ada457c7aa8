//! The device stays online, and where nothing was different, on the very same connection.

use std::path::Path;

use muster::{Output, Publish, QoS, SecretBytes, Token};
use muster_host::device::stage;
use serde_json::Value;

use super::clouds::{Clouds, secret_in};
use super::hostile::reply;
use super::maker::{Maker, Saying, is_upgrade, release, state, trapping};
use super::process::{Device, device};
use super::scripted::Listener;

fn settings(listener: &Listener) -> String {
    format!(
        "broker = \"{}\"\nproduct_id = \"1\"\ndevice_id = \"2\"\ndevice_secret = \"TheDeviceSecret\"",
        listener.url()
    )
}

const REPORT: &str = "/sys/1/2/thing/ota/post";

fn reverted(living: &mut Device) -> Value {
    living.until("a revert", |event| is_upgrade(event, "reverted"))
}

fn is_undone(store: &Path, counter: u64) {
    let state = state(store);
    assert_eq!((&state["active"], &state["trial"]), (&Value::Null, &Value::Null));
    assert_eq!(state["counter"], 0);
    assert_eq!(state["last"]["outcome"], "reverted");
    assert_eq!(state["last"]["counter"], counter);
}

#[test]
fn a_trap_costs_neither_the_connection_nor_the_input() {
    let (maker, listener, dir) = (Maker::new(), Listener::bind(), tempfile::tempdir().unwrap());
    let store = dir.path().join("d");
    let file = maker.profile(dir.path(), &settings(&listener), "trial_s = 0");
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    let mut peer = listener.accept();
    let (packet, filters) = peer.subscription();

    // At `restore`: the old one has never stopped.
    stage(&store, &maker.package(&trapping("restore", 0), 1)).unwrap();
    let how = reverted(&mut living);
    assert_eq!(how["how"], "went_on", "{how}");
    assert!(how["why"].as_str().unwrap().contains("restore"), "{how}");
    is_undone(&store, 1);

    // At the first input.
    stage(&store, &maker.package(&trapping("handle", 0), 2)).unwrap();
    let how = reverted(&mut living);
    assert_eq!(how["how"], "went_on", "{how}");
    is_undone(&store, 2);

    // At the third: the second is the subscription's answer, of which a publication comes; the third answers that.
    stage(&store, &maker.package(&trapping("handle", 2), 3)).unwrap();
    living.until("a trial", |event| is_upgrade(event, "trial"));
    peer.suback(packet, filters);
    let (_, id) = peer.publish_on(REPORT);
    peer.puback(id);
    let how = reverted(&mut living);
    assert_eq!(how["how"], "went_on", "{how}");
    is_undone(&store, 3);
    // The old one has the answer that the new one died of.
    living.until_event("heartbeat");

    // A good one is taken as ever.
    stage(&store, &maker.package(&release(4), 4)).unwrap();
    living.until("a trial", |event| is_upgrade(event, "trial"));
    let (_, id) = peer.publish_on(REPORT);
    peer.puback(id);
    living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
    assert!(listener.is_quiet(), "it has connected again: {}", living.story());
    living.signal("-INT");
    let ended = living.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
}

#[test]
fn one_that_did_something_else_costs_the_connection_and_nothing_more() {
    let (maker, listener, dir) = (Maker::new(), Listener::bind(), tempfile::tempdir().unwrap());
    let store = dir.path().join("d");
    let file = maker.profile(dir.path(), &settings(&listener), "trial_s = 0");
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    let mut peer = listener.accept();
    let (_, id) = peer.publish_on(REPORT);
    peer.puback(id);
    living.until_event("ready");
    // It answers the first input with a publication of its own, and dies of the second.
    let publish = Publish {
        topic: REPORT.into(),
        qos: QoS::AtLeastOnce,
        payload: SecretBytes::new(b"{}".to_vec()),
    };
    let publish = Output::Command(muster::Command::Publish(Token(9_000), publish));
    let odd = Saying {
        schemas: [1, 1, 2],
        open: Vec::new(),
        restore: reply(&[Output::Timeout(None)]),
        handle: reply(&[publish, Output::Timeout(None)]),
    };
    stage(&store, &maker.package(&odd.wasm(), 1)).unwrap();
    let (payload, id) = peer.publish_on(REPORT);
    assert_eq!(payload, b"{}");
    peer.puback(id);
    let how = reverted(&mut living);
    assert_eq!(how["how"], "opened", "{how}");
    is_undone(&store, 1);
    let mut peer = listener.accept();
    let (_, id) = peer.publish_on(REPORT);
    peer.puback(id);
    living.until_event("ready");
}

#[test]
fn one_that_is_not_heard_of_in_time_is_reverted() {
    let (maker, listener, dir) = (Maker::new(), Listener::bind(), tempfile::tempdir().unwrap());
    let store = dir.path().join("d");
    let file = maker.profile(dir.path(), &settings(&listener), "trial_s = 0\ntrial_limit_s = 1");
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    let mut peer = listener.accept();
    let (_, id) = peer.publish_on(REPORT);
    peer.puback(id);
    living.until_event("ready");
    // It restores, reports, and nobody acknowledges that.
    stage(&store, &maker.package(&release(1), 1)).unwrap();
    let how = reverted(&mut living);
    assert_eq!(how["how"], "went_on", "{how}");
    is_undone(&store, 1);
    // The report is still awaited, and the old one goes on waiting for it.
    let (_, id) = peer.publish_on(REPORT);
    peer.puback(id);
    living.until_event("heartbeat");
    assert!(listener.is_quiet());
}

#[test]
fn one_that_traps_at_every_start_is_reverted_at_its_start() {
    let (maker, clouds) = (Maker::new(), Clouds::start());
    let (store, local) = (clouds.store("d"), clouds.local());
    let file = maker.profile(clouds.dir.path(), "", "trial_s = 0");
    let args = ["--local", &local, "--config", &file];
    let mut first = Device::start(device("ucloud", &store, &args));
    first.until_event("ready");
    let secret = secret_in(&store);
    first.kill();
    stage(&store, &maker.package(&trapping("open", 0), 1)).unwrap();
    let mut living = Device::start(device("ucloud", &store, &args));
    let how = reverted(&mut living);
    assert_eq!(how["how"], "opened", "{how}");
    living.until_event("ready");
    assert_eq!(secret_in(&store), secret);
    assert!(!living.seen.iter().any(|event| event["step"] == "request_secret"));
}

#[test]
fn a_confirmed_one_that_keeps_failing_gives_way_to_the_one_before() {
    let (maker, clouds) = (Maker::new(), Clouds::start());
    let (store, local) = (clouds.store("d"), clouds.local());
    let limits = "trial_s = 0\n[limits]\nrestarts = 1\nrestart_after_ms = 10";
    let file = maker.profile(clouds.dir.path(), "", limits);
    let args = ["--local", &local, "--config", &file];
    let mut living = Device::start(device("krtyun", &store, &args));
    living.until_event("ready");
    stage(&store, &maker.package(&release(1), 1)).unwrap();
    living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
    // Good for the report that proves it and a few inputs; a fresh instance has as many.
    stage(&store, &maker.package(&trapping("handle", 3), 2)).unwrap();
    living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
    assert_eq!(state(&store)["active"], "b");
    let mut fell = Value::Null;
    for _ in 0..20 {
        living.signal("-USR1");
        std::thread::sleep(std::time::Duration::from_millis(100));
        if state(&store)["active"] == "a" {
            fell = living.until("a fall-back", |event| is_upgrade(event, "fell_back"));
            break;
        }
    }
    assert_eq!(fell["to"], "muster 1.1.0 (counter 1, slot a)", "{}", living.story());
    living.until_event("ready");
    assert_eq!(state(&store)["counter"], 2);
    assert!(
        !living
            .seen
            .iter()
            .any(|event| { event["event"] == "upgrade" && event["stage"] == "reverted" })
    );
}

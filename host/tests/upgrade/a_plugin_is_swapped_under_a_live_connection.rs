//! Between two inputs, with `save` and `restore`: the session, what was subscribed and what is awaited live on.

use std::time::Duration;

use muster_host::device::stage;

use super::clouds::{Clouds, secret_in};
use super::maker::{Maker, is_upgrade, release, state};
use super::process::{Device, device};
use super::scripted::Listener;

#[test]
fn an_answer_that_the_old_one_awaited_is_heard_by_the_new_one() {
    let (maker, listener, dir) = (Maker::new(), Listener::bind(), tempfile::tempdir().unwrap());
    let store = dir.path().join("d");
    let settings = format!(
        "broker = \"{}\"\nproduct_id = \"1\"\ndevice_id = \"2\"\ndevice_secret = \"TheDeviceSecret\"",
        listener.url()
    );
    let file = maker.profile(dir.path(), &settings, "trial_s = 0");
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    let mut peer = listener.accept();
    // The subscription is under way.
    let (packet, filters) = peer.subscription();
    stage(&store, &maker.package(&release(1), 1)).unwrap();
    let trial = living.until("a trial", |event| is_upgrade(event, "trial"));
    assert_eq!(trial["how"], "went_on", "{trial}");
    assert_eq!(state(&store)["trial"]["starts"], 1);
    // Its token was given by the old instance.
    peer.suback(packet, filters);
    let (_, id) = peer.publish_on("/sys/1/2/thing/ota/post");
    peer.puback(id);
    living.until_event("heartbeat");
    living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
    let state = state(&store);
    assert_eq!((&state["active"], &state["counter"]), (&"a".into(), &1.into()));

    // And once more, to the other slot, with a report under way.
    living.signal("-USR1");
    let (_, first) = peer.publish_on("/sys/1/2/thing/ota/post");
    stage(&store, &maker.package(&release(2), 2)).unwrap();
    let trial = living.until("a trial", |event| is_upgrade(event, "trial"));
    assert_eq!(trial["how"], "went_on", "{trial}");
    let (_, second) = peer.publish_on("/sys/1/2/thing/ota/post");
    peer.puback(first);
    peer.puback(second);
    living.until_event("heartbeat");
    living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
    assert!(listener.is_quiet(), "it has connected again: {}", living.story());
    living.signal("-INT");
    assert_eq!(living.end().code, Some(0));
}

#[test]
fn every_platform_goes_on_and_confirms_by_itself() {
    let (maker, clouds) = (Maker::new(), Clouds::start());
    let local = clouds.local();
    let file = maker.profile(clouds.dir.path(), "", "trial_s = 0");
    let package = maker.package(&release(7), 7);
    for platform in ["ucloud", "krtyun", "alibaba", "cmcc"] {
        let store = clouds.store(platform);
        let args = ["--local", &local, "--config", &file];
        let mut living = Device::start(device(platform, &store, &args));
        living.until_event("ready");
        let secret = secret_in(&store);
        stage(&store, &package).unwrap();
        let trial = living.until("a trial", |event| is_upgrade(event, "trial"));
        assert_eq!(trial["how"], "went_on", "{platform}: {trial}");
        let before = living.seen.len();
        living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
        let since = &living.seen[before..];
        assert!(
            !since.iter().any(|event| event["step"] == "connect" || event["event"] == "ready"),
            "{platform} logged in again: {}",
            living.story()
        );
        living.signal("-INT");
        assert_eq!(living.end().code, Some(0));
        // At the next start it is what runs.
        let mut again = Device::start(device(platform, &store, &args));
        let first = again.next().unwrap();
        assert_eq!(first["plugin"], "muster 1.7.0 (counter 7, slot a)");
        again.until_event("ready");
        assert_eq!(secret_in(&store), secret);
        assert!(!again.seen.iter().any(|event| event["step"] == "request_secret"));
    }
}

#[test]
fn a_package_staged_while_the_device_is_off_is_on_trial_at_its_start() {
    let (maker, clouds) = (Maker::new(), Clouds::start());
    let (store, local) = (clouds.store("d"), clouds.local());
    let file = maker.profile(clouds.dir.path(), "", "trial_s = 1");
    let args = ["--local", &local, "--config", &file];
    let mut first = Device::start(device("krtyun", &store, &args));
    first.until_event("ready");
    first.kill();
    stage(&store, &maker.package(&release(3), 3)).unwrap();
    let mut living = Device::start(device("krtyun", &store, &args));
    let trial = living.until("a trial", |event| is_upgrade(event, "trial"));
    assert_eq!(trial["how"], "opened");
    living.until_event("ready");
    // Not before its time.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(state(&store)["active"], serde_json::Value::Null);
    living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
    assert_eq!(state(&store)["active"], "a");
}

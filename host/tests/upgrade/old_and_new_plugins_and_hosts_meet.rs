//! A plugin that is older than the host, one that is newer, and what each side does about the other.
//!
//! `krtyun-snapshot-1.wasm` is a real one: built from this project's sources before the snapshots changed (commit
//! 8d91058, `cargo xtask plugin krtyun`). It speaks byte schema 1 like this host, and its snapshots are of schema 1,
//! those of today of schema 2. A host of another byte schema than 1 does not exist yet; plugins that say so are made
//! for the purpose.

use muster::{Command, Output, Token};
use muster_host::device::stage;
use serde_json::Value;

use super::clouds::{Clouds, secret_in};
use super::hostile::{raw_reply, reply};
use super::maker::{Maker, Saying, is_upgrade, marked, release, ship, state};
use super::process::{Device, device, run};

const OLD: &[u8] = include_bytes!("../data/krtyun-snapshot-1.wasm");

#[test]
fn a_device_goes_from_an_old_plugin_to_a_new_one_and_back_with_its_secret() {
    let (maker, clouds) = (Maker::new(), Clouds::start());
    assert_eq!(maker.describe(OLD).snapshot_schema, 1);
    assert_eq!(maker.describe(&release(1)).snapshot_schema, muster::SNAPSHOT_SCHEMA);
    let (store, local) = (clouds.store("d"), clouds.local());
    let file = maker.profile(clouds.dir.path(), "", "trial_s = 0");
    let old = ship(clouds.dir.path(), &maker.package(OLD, 1)).display().to_string();
    // An old guest in a new host: it registers.
    let args = ["--local", &local, "--config", &file, "--plugin", &old];
    let mut living = Device::start(device("krtyun", &store, &args));
    living.until_event("ready");
    let secret = secret_in(&store).unwrap();
    let swaps = [
        // Another snapshot schema: the new one opens from what is stored.
        (release(1), "opened"),
        (release(2), "went_on"),
        // Back to the old module, with a higher counter.
        (OLD.to_vec(), "opened"),
        (marked(OLD, 4), "went_on"),
        (release(5), "opened"),
    ];
    for (counter, (wasm, how)) in (1..).zip(swaps) {
        stage(&store, &maker.package(&wasm, counter)).unwrap();
        let trial = living.until("a trial", |event| is_upgrade(event, "trial"));
        assert_eq!(trial["how"], how, "{counter}: {trial}");
        living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
        assert_eq!(state(&store)["counter"], counter);
        assert_eq!(secret_in(&store).unwrap(), secret);
    }
    living.signal("-INT");
    let ended = living.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    let asked = ended.events.iter().filter(|event| event["step"] == "request_secret").count();
    assert_eq!(asked, 1, "{}", ended.story());
    assert_eq!(clouds.view("krtyun", &clouds.name("krtyun"))["secret"], secret.as_str());
}

#[test]
fn a_plugin_of_another_schema_is_refused_before_it_runs() {
    let (maker, clouds) = (Maker::new(), Clouds::start());
    let (store, local) = (clouds.store("d"), clouds.local());
    let file = maker.profile(clouds.dir.path(), "", "");
    let mut living =
        Device::start(device("krtyun", &store, &["--local", &local, "--config", &file]));
    living.until_event("ready");
    for (counter, schemas, next) in
        [(1, [2, 3, 9], "upgrade the host first"), (2, [0, 0, 1], "for this version of the host")]
    {
        let plugin = Saying { schemas, open: vec![], restore: vec![], handle: vec![] }.wasm();
        stage(&store, &maker.package(&plugin, counter)).unwrap();
        let refused = living.until("a refusal", |event| is_upgrade(event, "refused"));
        assert_eq!((&refused["code"], &refused["blame"]), (&"schema".into(), &"maker".into()));
        assert!(refused["next"].as_str().unwrap().contains(next), "{refused}");
        assert_eq!(state(&store)["last"]["outcome"], "refused");
    }
    // A real one that lacks this device's platform.
    let other = clouds.store("other");
    let mut living =
        Device::start(device("ucloud", &other, &["--local", &local, "--config", &file]));
    living.until_event("ready");
    stage(&other, &maker.package(OLD, 1)).unwrap();
    let refused = living.until("a refusal", |event| is_upgrade(event, "refused"));
    assert_eq!(refused["code"], "platform", "{refused}");
}

#[test]
fn a_newer_plugin_that_also_speaks_this_schema_is_taken_until_it_says_what_the_host_does_not_know()
{
    let (maker, clouds) = (Maker::new(), Clouds::start());
    let (store, local) = (clouds.store("d"), clouds.local());
    let file = maker.profile(clouds.dir.path(), "", "trial_s = 0");
    let mut living =
        Device::start(device("krtyun", &store, &["--local", &local, "--config", &file]));
    living.until_event("ready");
    // A command of tomorrow, and an event of tomorrow before it.
    let unknown_command = raw_reply(2, |e| {
        e.variant(0, 1);
        e.variant(99, 1);
        e.number(1);
        e.variant(2, 1);
        e.null();
    });
    let close = Output::Command(Command::Close(Token(77)));
    for (counter, handle, why) in [
        (1, unknown_command, "command"),
        // A command that breaks the contract: it closes what it never opened.
        (2, reply(&[close, Output::Timeout(None)]), "token 77"),
    ] {
        let schemas = [1, 2, muster::SNAPSHOT_SCHEMA];
        let restore = reply(&[Output::Timeout(None)]);
        let plugin = Saying { schemas, open: vec![], restore, handle }.wasm();
        stage(&store, &maker.package(&plugin, counter)).unwrap();
        let trial = living.until("a trial", |event| is_upgrade(event, "trial"));
        assert_eq!(trial["how"], "went_on");
        let reverted = living.until("a revert", |event| is_upgrade(event, "reverted"));
        assert_eq!(reverted["how"], "went_on", "{reverted}");
        assert!(reverted["why"].as_str().unwrap().contains(why), "{reverted}");
    }
    living.until_event("heartbeat");
    living.signal("-INT");
    let ended = living.end();
    let connected = ended.events.iter().filter(|event| event["event"] == "ready").count();
    assert_eq!((ended.code, connected), (Some(0), 1), "{}", ended.story());
}

#[test]
fn a_host_that_no_longer_takes_what_a_slot_holds_starts_with_what_it_came_with() {
    let (maker, clouds) = (Maker::new(), Clouds::start());
    let (store, local) = (clouds.store("d"), clouds.local());
    let file = maker.profile(clouds.dir.path(), "", "trial_s = 0");
    let args = ["--local", &local, "--config", &file];
    let mut living = Device::start(device("krtyun", &store, &args));
    living.until_event("ready");
    stage(&store, &maker.package(&release(3), 3)).unwrap();
    living.until("a confirmation", |event| is_upgrade(event, "confirmed"));
    living.kill();
    // The profile that comes with a newer host.
    let file = maker.profile(clouds.dir.path(), "", "min_counter = 4");
    let ended = run("krtyun", &store, &["--local", &local, "--config", &file, "--until", "ready"]);
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert_eq!(ended.events[0]["plugin"], "built in");
    let passed = ended.events.iter().find(|event| is_upgrade(event, "passed_over")).unwrap();
    assert_eq!((&passed["slot"], &passed["code"]), (&"a".into(), &"older".into()));
    assert_eq!(state(&store)["active"], "a");
    assert_ne!(ended.events[0], Value::Null);
}

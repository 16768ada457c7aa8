//! Whatever a plugin does, the device says who is to blame, starts it again a few times, and ends with its secret
//! where it was.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use muster::http::Request;
use muster::{
    Command, Download, Event, Install, Output, Publish, QoS, SecretBytes, StoreKey, Subscribe,
    Token,
};
use serde_json::Value;

use super::hostile::{Plugin, asking, at_once, connect, raw_reply, reply, waiting};
use super::mosquitto::Broker;
use super::process::{Ended, run, write};

const SECRET: &str = "{\"device_secret\":\"StoredBefore\"}";

/// Where no broker is.
const NOBODY: &str = "mqtt://127.0.0.1:1";

fn profile(dir: &Path, broker: &str, tables: &str) -> String {
    let text = format!(
        "broker = \"{broker}\"\nproduct_id = \"1\"\ndevice_id = \"2\"\ndevice_secret = \"TheDeviceSecret\"\n{tables}\n"
    );
    write(dir, "profile.toml", &text).display().to_string()
}

/// Runs it with these tables, and looks after the secret.
fn runs(plugin: &Plugin, tables: &str, more: &[&str]) -> Ended {
    runs_at(NOBODY, plugin, tables, more)
}

fn runs_at(broker: &str, plugin: &Plugin, tables: &str, more: &[&str]) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("d");
    std::fs::create_dir(&store).unwrap();
    write(&store, "credential.json", SECRET);
    let config = profile(dir.path(), broker, tables);
    let file = plugin.write(dir.path());
    let args = [&["--config", &config, "--plugin", &file][..], more].concat();
    let ended = run("krtyun", &store, &args);
    let kept = std::fs::read_to_string(store.join("credential.json")).unwrap();
    assert_eq!(kept, SECRET, "{}", ended.story());
    ended
}

fn named<'e>(ended: &'e Ended, event: &str) -> Vec<&'e Value> {
    ended.events.iter().filter(|e| e["event"] == event).collect()
}

/// It fails, is started again once, fails again, and is given up, all with this reason.
fn is_given_up(what: &str, plugin: &Plugin, limits: &str, reason: &str) {
    is_given_up_by(what, plugin, limits, NOBODY, reason);
}

fn is_given_up_by(what: &str, plugin: &Plugin, limits: &str, broker: &str, reason: &str) -> Ended {
    let tables =
        format!("[limits]\nlast_good = \"none\"\nrestarts = 1\nrestart_after_ms = 20\n{limits}");
    let ended = runs_at(broker, plugin, &tables, &["--for", "120s"]);
    assert_eq!(ended.code, Some(4), "{what}: {}", ended.story());
    let failures = named(&ended, "plugin_failed");
    assert_eq!(failures.len(), 2, "{what}: {}", ended.story());
    for failure in &failures {
        assert_eq!(failure["blame"], "plugin", "{what}: {failure}");
        assert!(failure["why"].as_str().unwrap().contains(reason), "{what}: {failure}");
    }
    assert_eq!((&failures[0]["restart"], &failures[0]["in_ms"]), (&1.into(), &20.into()));
    assert_eq!(failures[1]["next"], "end");
    assert!(ended.stderr.contains("\n  next: what is stored is safe"), "{what}: {}", ended.stderr);
    ended
}

#[test]
fn one_that_traps_wherever_it_can() {
    for traps in ["cabi_realloc", "open", "handle", "post open", "post handle"] {
        let plugin = Plugin { traps, ..Plugin::handling(reply(&[at_once()])) };
        is_given_up(traps, &plugin, "", "it gave up");
    }
    let start = "(func $start (unreachable)) (start $start)";
    let plugin = Plugin { more: start, ..Plugin::handling(reply(&[at_once()])) };
    is_given_up("start", &plugin, "", "`its start`");
}

#[test]
fn one_that_takes_more_than_it_may() {
    let plugin = |first| Plugin { first, ..Plugin::handling(reply(&[at_once()])) };
    let endless = plugin("(loop (br 0))");
    is_given_up("fuel", &endless, "deadline_ms = 0", "its fuel ran out");
    let long = "fuel = 10000000000\ndeadline_ms = 50";
    is_given_up("time", &endless, long, "its time ran out");
    is_given_up("stack", &plugin("(drop (call $deep))"), "", "its stack ran out");
    let bomb = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)";
    is_given_up("memory", &plugin(bomb), "", "memory beyond its limit");
    // It has eight pages before it has done anything.
    is_given_up("first memory", &plugin(""), "memory_pages = 7", "`its start`");
    let start = "(func $start (loop (br 0))) (start $start)";
    let plugin = Plugin { more: start, ..Plugin::handling(reply(&[at_once()])) };
    is_given_up("start", &plugin, "", "its fuel ran out");
}

#[test]
fn one_whose_replies_are_none() {
    let outputs = |n: u32| {
        let event = Output::Event(Event::Ready);
        let many: Vec<_> = (1..n).map(|_| event.clone()).chain([Output::Timeout(None)]).collect();
        reply(&many)
    };
    let unknown = raw_reply(2, |e| {
        e.variant(0, 1);
        e.variant(4711, 1);
        e.number(1);
        muster::cbor::Encode::encode(&at_once(), e);
    });
    let nested = vec![0x81; 40_000];
    for (what, handle, reason) in [
        ("nothing", vec![], "not what the schema says"),
        ("a promise of 4 GB", vec![0x9a, 0xff, 0xff, 0xff, 0xff], "not what the schema says"),
        (
            "a text of 4 GB",
            vec![0x82, 0x00, 0x7a, 0xff, 0xff, 0xff, 0xff],
            "not what the schema says",
        ),
        ("arrays in arrays", nested, "not what the schema says"),
        (
            "no end",
            raw_reply(1, |e| muster::cbor::Encode::encode(&Output::Event(Event::Ready), e)),
            "does not end",
        ),
        ("an unknown command", unknown, "it asks for command 4711"),
        ("65 outputs", outputs(65), "65 outputs for one input are more"),
    ] {
        is_given_up(what, &Plugin::handling(handle), "", reason);
    }
    is_given_up(
        "2 KiB",
        &Plugin::handling(vec![0; 2048]),
        "reply_bytes = 1024",
        "2048 bytes are more than the 1024",
    );
    let lie = Plugin { first: "(return (i32.const 524285))", ..Plugin::handling(vec![0]) };
    is_given_up("a pointer", &lie, "", "outside of its memory");
}

#[test]
fn one_that_forges_tokens() {
    let url = "mqtt://127.0.0.1:1";
    let firmware = || Command::Erase(Token(1), StoreKey::Firmware);
    let fetch = |token| {
        let url = "http://127.0.0.1:1/f".into();
        Command::Download(
            Token(token),
            Download { url, size: None, version: "2".into(), max_size: 1 },
        )
    };
    for (what, commands, reason) in [
        (
            "a token twice",
            vec![connect(1, url, 60), firmware()],
            "its store or erase bears token 1",
        ),
        ("a close of nothing", vec![Command::Close(Token(9))], "its close bears token 9"),
        (
            "a close of another",
            vec![connect(1, url, 60), Command::Close(Token(2))],
            "its close bears token 2",
        ),
        ("a cancellation of nothing", vec![Command::CancelDownload(Token(3))], "bears token 3"),
        (
            "a cancellation of another",
            vec![fetch(1), Command::CancelDownload(Token(2))],
            "bears token 2",
        ),
    ] {
        is_given_up(what, &Plugin::saying(waiting(&commands), reply(&[at_once()])), "", reason);
    }
}

#[test]
fn of_a_reply_that_breaks_the_contract_nothing_is_carried_out() {
    let broker = TcpListener::bind("127.0.0.1:0").unwrap();
    broker.set_nonblocking(true).unwrap();
    let url = format!("mqtt://{}", broker.local_addr().unwrap());
    let value = SecretBytes::new(b"{\"device_secret\":\"Replaced\"}".to_vec());
    let store = Command::Store(Token(2), StoreKey::Credential, value);
    for (what, last, reason) in [
        ("a forged token", Command::Close(Token(9)), "its close bears token 9"),
        ("one violation too many", Command::Erase(Token(3), StoreKey::Credential), "asked 1 times"),
    ] {
        let says = reply(&[
            Output::Command(connect(1, &url, 60)),
            Output::Command(store.clone()),
            Output::Event(Event::Ready),
            Output::Command(last),
            Output::Timeout(None),
        ]);
        // `is_given_up` sees that the secret stays.
        let ended = is_given_up_by(what, &Plugin::handling(says), "violations = 1", &url, reason);
        assert!(named(&ended, "ready").is_empty(), "{what}: {}", ended.story());
        assert!(broker.accept().is_err(), "{what}: somebody was reached");
    }
}

#[test]
fn what_it_stores_over_a_secret_does_not_lose_the_secret() {
    let value = SecretBytes::new(b"{}".to_vec());
    let store = [Command::Store(Token(1), StoreKey::Credential, value)];
    let plugin = Plugin::saying(waiting(&store), waiting(&[]));
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("d");
    std::fs::create_dir(&root).unwrap();
    write(&root, "credential.json", SECRET);
    let config = profile(dir.path(), NOBODY, "");
    let file = plugin.write(dir.path());
    let ended = run("krtyun", &root, &["--config", &config, "--plugin", &file, "--for", "1s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert_eq!(std::fs::read_to_string(root.join("credential.json")).unwrap(), "{}");
    assert_eq!(std::fs::read_to_string(root.join("credential.before.json")).unwrap(), SECRET);
}

#[test]
fn the_last_good_plugin_takes_over() {
    let broker = Broker::start();
    let url = format!("mqtt://127.0.0.1:{}", broker.tcp);
    let dir = broker.dir.path();
    let plugin = Plugin { traps: "handle", ..Plugin::handling(reply(&[at_once()])) };
    let hostile = plugin.write(dir);
    let good = muster_host::plugin::embedded_bytes();
    std::fs::write(dir.join("good.wasm"), good).unwrap();
    for (last_good, more) in [
        // By default the one that is built in.
        ("", &["--plugin", hostile.as_str()][..]),
        ("last_good = \"good.wasm\"", &["--plugin", hostile.as_str()]),
    ] {
        let tables = format!("[limits]\nrestarts = 2\nrestart_after_ms = 20\n{last_good}");
        let config = profile(dir, &url, &tables);
        let args = [&["--config", &config, "--until", "ready"][..], more].concat();
        let ended = run("krtyun", &dir.join("d"), &args);
        assert_eq!(ended.code, Some(0), "{}", ended.story());
        let failures = named(&ended, "plugin_failed");
        let next: Vec<_> = failures.iter().map(|failure| failure["next"].as_str()).collect();
        assert_eq!(next, [Some("again"), Some("again"), Some("last_good")]);
        let waits: Vec<_> = failures.iter().map(|failure| failure["in_ms"].as_u64()).collect();
        assert_eq!(waits, [Some(20), Some(40), Some(20)]);
    }
    // One that is none is told before anything is tried.
    let config = profile(dir, &url, "[limits]\nlast_good = \"nowhere.wasm\"");
    let ended = run("krtyun", &dir.join("d"), &["--config", &config]);
    assert_eq!(ended.code, Some(4), "{}", ended.story());
    assert!(ended.stderr.contains("nowhere.wasm"), "{}", ended.stderr);
}

#[test]
fn one_that_never_rests_is_held_back() {
    let limits = "commands_per_minute = 30\nthrottled_for_s = 1";
    let store = [Command::Erase(Token(1), StoreKey::Firmware)];
    for (what, plugin) in [
        ("calls", Plugin::handling(reply(&[at_once()]))),
        ("answers", Plugin::saying(waiting(&store), waiting(&store))),
        // A connection that nobody waits for is closed again and again.
        (
            "closes",
            Plugin::saying(
                waiting(&[connect(1, "mqtt://127.0.0.1:1", 60), Command::Close(Token(1))]),
                waiting(&[Command::Close(Token(1))]),
            ),
        ),
    ] {
        is_given_up(what, &plugin, limits, "never rests");
    }
}

#[test]
fn one_that_never_rests_keeps_nobody_from_ending_the_device() {
    let plugin = Plugin::handling(reply(&[at_once()]));
    let begin = Instant::now();
    let ended = runs(
        &plugin,
        "[limits]\ncommands_per_minute = 60000\nthrottled_for_s = 3600",
        &["--for", "2s"],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert!(begin.elapsed() < Duration::from_secs(30));
    let ended = runs(&plugin, "[limits]\ncommands_per_minute = 30", &["--for", "2s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert_eq!(named(&ended, "held_back").len(), 1, "{}", ended.story());
}

#[test]
fn what_the_policy_forbids_is_refused_told_and_counted() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let at = elsewhere.local_addr().unwrap();
    let t = Token(1);
    let (method, url) = ("POST".into(), format!("http://{at}/"));
    let request = Request { method, url, headers: vec![], body: b"TheDeviceSecret".to_vec() };
    let payload = SecretBytes::new(b"TheDeviceSecret".to_vec());
    let publish = |topic: &str| Publish {
        topic: topic.into(),
        qos: QoS::AtMostOnce,
        payload: payload.clone(),
    };
    let subscribe = |topic: &str| Subscribe { topic: topic.into(), qos: QoS::AtLeastOnce };
    let download =
        |url: String, max_size| Download { url, size: None, version: "2".into(), max_size };
    for (rule, blame, command) in [
        ("brokers", "plugin", connect(1, &format!("mqtt://{at}"), 60)),
        ("http", "plugin", Command::Request(t, request)),
        ("topics", "plugin", Command::Publish(t, publish("/sys/1/3/thing/ota/post"))),
        ("topics", "plugin", Command::Subscribe(t, subscribe("/sys/1/+/thing/ota/set"))),
        (
            "store",
            "plugin",
            Command::Store(t, StoreKey::Schedule, SecretBytes::new(b"{}".to_vec())),
        ),
        (
            "values",
            "plugin",
            Command::Store(t, StoreKey::Credential, SecretBytes::new(b"{".to_vec())),
        ),
        ("secret", "plugin", Command::Erase(t, StoreKey::Credential)),
        (
            "firmware_max_size",
            "plugin",
            Command::Download(t, download("http://127.0.0.1:1/".into(), u64::MAX)),
        ),
        ("firmware_hosts", "cloud", Command::Download(t, download(format!("http://{at}/f"), 1))),
        (
            "firmware_schemes",
            "cloud",
            Command::Download(t, download("file:///etc/passwd".into(), 1)),
        ),
    ] {
        let tables = "[limits]\nviolations = 3\nrestarts = 0\nlast_good = \"none\"\n[policy]\nfirmware_hosts = [\"ota.example.com\"]";
        // Nobody answers a publication: it has to ask for its next turn.
        let unanswered = matches!(command, Command::Publish(..));
        let says = if unanswered { asking(&[command]) } else { waiting(&[command]) };
        let plugin = Plugin::saying(says.clone(), says);
        let ended = runs(&plugin, tables, &["--for", "2s"]);
        let refused = named(&ended, "refused");
        for one in &refused {
            assert_eq!((&one["rule"], &one["blame"]), (&rule.into(), &blame.into()), "{one}");
        }
        assert!(!ended.shows("TheDeviceSecret"), "{rule}: {}", ended.story());
        if blame == "plugin" {
            assert_eq!(ended.code, Some(4), "{rule}: {}", ended.story());
            assert_eq!(refused.len(), 3, "{rule}: {}", ended.story());
            assert_eq!(refused[2]["violations"], 3);
            assert!(ended.stderr.contains("asked 3 times"), "{rule}: {}", ended.stderr);
        } else {
            // The plugin only passes on what the cloud says.
            assert_eq!(ended.code, Some(0), "{rule}: {}", ended.story());
            assert!(
                refused.len() > 3 && refused[3]["violations"] == 0,
                "{rule}: {}",
                ended.story()
            );
        }
        assert!(elsewhere.accept().is_err(), "{rule}: somebody was reached");
    }
}

#[test]
fn an_image_that_was_not_verified_is_not_installed() {
    let install = Install { version: "2".into(), sha256: "0".repeat(64) };
    let plugin = Plugin::saying(waiting(&[Command::Install(Token(1), install)]), waiting(&[]));
    let ended = runs(&plugin, "", &["--for", "1s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert!(ended.shows("the image was not installed"), "{}", ended.story());
}

#[test]
fn the_connection_lives_while_the_plugin_computes() {
    let broker = Broker::start();
    let url = format!("mqtt://127.0.0.1:{}", broker.tcp);
    let roots = "(local.set $x (f64.sqrt (local.get $x)))".repeat(64);
    let slow = format!("(local $x f64) (local.set $x (f64.const 2)) (loop {roots} (br 0))");
    let plugin = Plugin {
        // For as long as it may: roots of roots cost time and little fuel.
        first: Box::leak(slow.into_boxed_str()),
        ..Plugin::saying(asking(&[connect(1, &url, 1)]), reply(&[at_once()]))
    };
    let file = plugin.write(broker.dir.path());
    let tables =
        "[limits]\nfuel = 10000000000\ndeadline_ms = 8000\nrestarts = 0\nlast_good = \"none\"";
    let config = profile(broker.dir.path(), &url, tables);
    let args = ["--config", &config, "--plugin", &file];
    let ended = run("krtyun", &broker.dir.path().join("d"), &args);
    assert_eq!(ended.code, Some(4), "{}", ended.story());
    assert!(ended.shows("its time ran out"), "{}", ended.story());
    // The server drops who is silent for a second and a half.
    let log = broker.log().join("\n");
    assert!(!log.contains("exceeded timeout"), "{log}");
    assert!(log.matches("Received PINGREQ from c").count() >= 5, "{log}");
    assert!(log.contains("Received DISCONNECT from c"), "{log}");
}

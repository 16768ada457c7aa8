//! Lines on stdin, SIGUSR1, Ctrl-C.

use super::clouds::Clouds;
use super::mosquitto::Broker;
use super::process::{Device, device};

#[test]
fn typed_commands_are_carried_out_and_nonsense_is_answered() {
    let clouds = Clouds::start();
    let args = ["--local", &clouds.local(), "--commands"];
    let mut living = Device::start(device("krtyun", &clouds.store("d"), &args));
    living.until_event("heartbeat");
    living.type_line("report");
    living.until_event("heartbeat");
    living.type_line("juggle");
    living.until("an answer", |e| e.to_string().contains("`juggle` is not a command"));
    living.type_line("bind-token");
    living.until("an answer", |e| e.to_string().contains("krtyun has no such thing to do"));
    living.signal("-USR1");
    living.until_event("heartbeat");
    living.type_line("quit");
    let ended = living.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
}

#[test]
fn ctrl_c_sends_disconnect_and_leaves_everything_stored() {
    let broker = Broker::start();
    let store = broker.dir.path().join("d");
    for signal in ["-INT", "-TERM"] {
        let file = broker.device_file(&format!("mqtt://127.0.0.1:{}", broker.tcp), 60);
        let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
        living.until_event("ready");
        living.signal(signal);
        let ended = living.end();
        assert_eq!(ended.code, Some(0), "{}", ended.story());
    }
    broker.wait_for(&["Received DISCONNECT from 20191210"], 2);
}

#[test]
fn a_stop_waits_for_a_person_who_can_type() {
    let clouds = Clouds::start();
    let set = "product_key=WrongProductKey";
    let args = ["--local", &clouds.local(), "--commands", "--set", set];
    let mut living = Device::start(device("cmcc", &clouds.store("d"), &args));
    living.until_event("stopped");
    living.type_line("again");
    living.until_event("stopped");
    living.type_line("quit");
    let ended = living.end();
    assert_eq!(ended.code, Some(1), "{}", ended.story());
}

#[test]
fn the_time_given_is_the_time_lived() {
    let clouds = Clouds::start();
    let begin = std::time::Instant::now();
    let args = ["--local", &clouds.local(), "--for", "1500ms"];
    let ended = Device::start(device("ucloud", &clouds.store("d"), &args)).end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert!(begin.elapsed().as_millis() >= 1500);
}

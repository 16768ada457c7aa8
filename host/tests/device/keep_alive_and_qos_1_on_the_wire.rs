//! PINGREQ in time, QoS 1 in both directions, redelivery.

use std::process::{Command, Stdio};

use super::mosquitto::Broker;
use super::process::{Device, device, write};
use super::scripted::Listener;

#[test]
fn a_device_with_nothing_to_say_pings_and_stays_connected() {
    let broker = Broker::start();
    let store = broker.dir.path().join("d");
    let file = broker.device_file(&format!("mqtt://127.0.0.1:{}", broker.tcp), 2);
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    living.until_event("ready");
    // More than the three seconds after which Mosquitto drops a client with a keep alive of two.
    broker.wait_for(&["Received PINGREQ from 20191210"], 4);
    broker.wait_for(&["Sending PINGRESP to 20191210"], 4);
    living.signal("-INT");
    let ended = living.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert!(!ended.events.iter().any(|e| e["event"] == "retrying"), "{}", ended.story());
}

#[test]
fn a_broker_that_is_frozen_is_found_out() {
    let broker = Broker::start();
    let store = broker.dir.path().join("d");
    let listener = Listener::bind();
    let file = broker.device_file(&listener.url(), 1);
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    let mut peer = listener.accept();
    let (_, id) = peer.publish_on("/sys/20191210/10001/thing/ota/post");
    peer.puback(id);
    living.until_event("ready");
    // No PINGRESP from here on; the connection stays open.
    living.until("the broker's silence", |e| e.to_string().contains("is silent"));
    drop(peer);
    listener.accept();
}

#[test]
fn what_the_broker_sends_with_qos_1_is_acknowledged() {
    let broker = Broker::start();
    let store = broker.dir.path().join("d");
    let file = broker.device_file(&format!("mqtt://127.0.0.1:{}", broker.tcp), 60);
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    living.until_event("ready");
    let port = broker.tcp.to_string();
    // An order that no device may take: the document allows http:// only.
    let order = "{\"CMD\":11,\"ID\":\"1\",\"URL\":\"ftp://x/y\",\"FW_VERSION\":\"2\"}";
    let topic = "/sys/20191210/10001/thing/ota/set";
    let sent = Command::new("mosquitto_pub")
        .args(["-p", &port, "-q", "1", "-t", topic, "-m", order])
        .stdin(Stdio::null())
        .status()
        .unwrap_or_else(|e| {
            panic!("mosquitto_pub: {e}; install Debian's package mosquitto-clients")
        });
    assert!(sent.success());
    living.until("a warning", |e| e.to_string().contains("forbidden_url"));
    broker.wait_for(&["Received PUBACK from 20191210"], 1);
    living.signal("-INT");
    assert_eq!(living.end().code, Some(0));
}

#[test]
fn a_redelivered_message_is_acknowledged_again_and_carried_out_once() {
    let dir = tempfile::tempdir().unwrap();
    let listener = Listener::bind();
    let text = format!(
        "broker = \"{}\"\nproduct_id = \"1\"\ndevice_id = \"2\"\ndevice_secret = \"TheDeviceSecret\"\n",
        listener.url()
    );
    let file = write(dir.path(), "c.toml", &text).display().to_string();
    let mut living = Device::start(device("krtyun", &dir.path().join("d"), &["--config", &file]));
    let mut peer = listener.accept();
    let (_, id) = peer.publish_on("/sys/1/2/thing/ota/post");
    peer.puback(id);
    living.until_event("ready");
    // PUBLISH, QoS 1, packet 0x1234; then the same with DUP.
    let (topic, order) = (
        "/sys/1/2/thing/ota/set",
        "{\"CMD\":11,\"ID\":\"9\",\"URL\":\"http://127.0.0.1:1/f\",\"FW_VERSION\":\"2\"}",
    );
    let mut packet = vec![0x32, (2 + topic.len() + 2 + order.len()) as u8, 0, topic.len() as u8];
    packet.extend_from_slice(topic.as_bytes());
    packet.extend_from_slice(&[0x12, 0x34]);
    packet.extend_from_slice(order.as_bytes());
    peer.send(&packet);
    living.until("the order", |e| e["event"] == "update");
    packet[0] |= 8;
    peer.send(&packet);
    peer.wait_for(&[0x40, 2, 0x12, 0x34]);
    let first = peer.raw.windows(4).position(|w| w == [0x40, 2, 0x12, 0x34]).unwrap();
    peer.raw.drain(..=first);
    peer.wait_for(&[0x40, 2, 0x12, 0x34]);
    living.signal("-INT");
    let ended = living.end();
    let offered = |e: &&serde_json::Value| e.to_string().contains("\"offered\"");
    assert_eq!(ended.events.iter().filter(offered).count(), 1, "{}", ended.story());
}

#[test]
fn a_report_that_was_not_acknowledged_is_sent_again_on_the_next_connection() {
    let dir = tempfile::tempdir().unwrap();
    let listener = Listener::bind();
    let text = format!(
        "broker = \"{}\"\nproduct_id = \"1\"\ndevice_id = \"2\"\ndevice_secret = \"TheDeviceSecret\"\n",
        listener.url()
    );
    let file = write(dir.path(), "c.toml", &text).display().to_string();
    let args = ["--config", &file, "--for", "60s"];
    let mut living = Device::start(device("krtyun", &dir.path().join("d"), &args));
    let mut peer = listener.accept();
    let (report, _) = peer.publish_on("/sys/1/2/thing/ota/post");
    // The connection breaks with the report in flight.
    drop(peer);
    let mut peer = listener.accept();
    let (again, id) = peer.publish_on("/sys/1/2/thing/ota/post");
    assert_eq!(again, report);
    peer.puback(id);
    living.until_event("heartbeat");
    living.signal("-INT");
    assert_eq!(living.end().code, Some(0));
}

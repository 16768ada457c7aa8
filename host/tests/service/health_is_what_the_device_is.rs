//! The answers at the socket follow the device's life; `muster device status` tells them to a person.

use super::clouds::Clouds;
use super::living::{Living, ask, service};
use super::mosquitto::Broker;
use super::process::write;

#[test]
fn a_device_that_lives_is_healthy_and_ready() {
    let clouds = Clouds::start();
    let store = clouds.store("d");
    let mut device =
        Living::start(service("ucloud", &store, &["--local", &clouds.local()]), &store);
    device.until("heartbeat");
    let (status, head, body) = device.get("/health");
    assert_eq!(status, 200, "{head}\n{body}");
    assert!(head.contains("application/json") && head.contains("Connection: close"), "{head}");
    let health = device.health();
    for (key, value) in [
        ("healthy", true.into()),
        ("registered", true.into()),
        ("connected", true.into()),
        ("failures", 0.into()),
        ("pid", device.pid().into()),
        ("device", clouds.name("ucloud").into()),
        ("plugin", "built in".into()),
        ("state", serde_json::Value::from("ready")),
    ] {
        assert_eq!(health[key], value, "{key}: {health}");
    }
    assert!(health["last_heartbeat"].is_string(), "{health}");
    assert!(health["next_due"].is_null(), "MQTT's keep alive stands in for the next: {health}");
    assert_eq!(device.get("/ready").0, 200);
    assert!(device.metric("muster_device_ready") == Some(1.0));
    assert!(device.metric("muster_device_publishes_total").unwrap() >= 2.0);
    assert!(device.metric("muster_device_plugin_call_fuel_sum").unwrap() > 1e4);

    let (code, told, _) = ask(&["status", "--store", store.to_str().unwrap()]);
    assert!(code == Some(0) && told.contains("state:          ready since"), "{told}");
    let (code, json, _) = ask(&["status", "--json", "--socket", device.socket.to_str().unwrap()]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(code == Some(0) && json["healthy"] == true, "{json}");

    device.kill();
    let (code, _, problem) = ask(&["status", "--store", store.to_str().unwrap()]);
    assert!(code == Some(4) && problem.contains("no answer at"), "{problem}");
    assert!(device.socket.exists(), "what a killed process leaves");
    // It is replaced, and the device is the same.
    let mut device =
        Living::start(service("ucloud", &store, &["--local", &clouds.local()]), &store);
    device.until("heartbeat");
    assert_eq!(device.metric("muster_device_registrations_total"), Some(0.0));
    assert_eq!(device.metric("muster_device_registered"), Some(1.0));
}

#[test]
fn a_device_without_its_broker_says_why_and_is_unhealthy_after_a_while() {
    let mut broker = Broker::start();
    let store = broker.dir.path().join("d");
    let file = broker.device_file(&format!("mqtt://127.0.0.1:{}", broker.tcp), 60);
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("\n[service]\nunhealthy_after_s = 10\n");
    write(broker.dir.path(), "service.toml", &text);
    let file = broker.dir.path().join("service.toml");
    let args = ["--config", file.to_str().unwrap()];
    let mut device = Living::start(service("krtyun", &store, &args), &store);
    device.until("ready");
    assert_eq!(device.get("/ready").0, 200);
    device.until("heartbeat");
    let health = device.until_health("reported", |health| health["last_heartbeat"].is_string());
    assert!(health["next_due"].as_str() > health["last_heartbeat"].as_str(), "{health}");
    broker.kill();
    device.until("retrying");
    let health = device.until_health("retrying", |health| health["state"] == "retrying");
    assert_eq!(
        (&health["connected"], &health["healthy"]),
        (&false.into(), &true.into()),
        "{health}"
    );
    let problem = &health["last_error"];
    assert!(problem["what"].as_str().unwrap().starts_with("no connection"), "{health}");
    assert!(problem["next"].as_str().unwrap().contains("tried again in"), "{health}");
    assert_eq!(device.get("/ready").0, 503);
    let health = device.until_health("unhealthy", |health| health["healthy"] == false);
    assert_eq!(health["why"], "it has not been ready for too long");
    assert_eq!(device.get("/health").0, 503);
    let (code, _, problem) = ask(&["status", "--store", store.to_str().unwrap()]);
    assert!(code == Some(3) && problem.contains("not been ready"), "{problem}");
    broker.again();
    device.until_health("well again", |health| {
        health["healthy"] == true && health["state"] == "ready"
    });
    assert_eq!(device.metric("muster_device_disconnects_total{reason=\"lost\"}"), Some(1.0));
}

//! Mosquitto is killed with -9 while a device is logged in, and comes back on the same port.

use super::mosquitto::Broker;
use super::process::{Device, device};

#[test]
fn the_device_notices_waits_and_logs_in_again() {
    let mut broker = Broker::start();
    let store = broker.dir.path().join("d");
    let file = broker.device_file(&format!("mqtt://127.0.0.1:{}", broker.tcp), 60);
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    living.until_event("ready");
    for _ in 0..2 {
        broker.kill();
        living.until_event("retrying");
        broker.again();
        living.until("a login", |e| e["step"] == "login");
        // The version report after a login is acknowledged by the broker.
        let logins = broker.log().len();
        living.until_event("ready");
        assert!(broker.log().len() >= logins);
    }
    living.signal("-INT");
    let ended = living.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    broker.wait_for(&["New client connected", "as 20191210"], 3);
    assert!(!ended.has_step("request_secret"), "{}", ended.story());
}

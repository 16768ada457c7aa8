//! The built-in plugin, and an input that costs more than `[limits]` lets it: another instance goes on from what is
//! stored.

use std::process::{Command, Stdio};

use super::clouds::{Clouds, secret_in};
use super::mosquitto::Broker;
use super::process::{Device, device, run, write};

#[test]
fn it_logs_in_again_with_the_secret_that_it_has() {
    let clouds = Clouds::start();
    let (store, local) = (clouds.store("d"), clouds.local());
    let registered = run("krtyun", &store, &["--local", &local, "--until", "registered"]);
    assert_eq!(registered.code, Some(0), "{}", registered.story());
    let secret = secret_in(&store).unwrap();

    // A broker that passes on whatever anybody sends.
    let broker = Broker::start();
    let (product, name) = (clouds.product("krtyun"), clouds.name("krtyun"));
    let text = format!(
        "broker = \"mqtt://127.0.0.1:{}\"\nproduct_id = \"{product}\"\ndevice_id = \"{name}\"\n\
         product_secret = \"{}\"\n[limits]\nfuel = 1000000\nrestart_after_ms = 50\n",
        broker.tcp,
        clouds.setting("krtyun", "product_secret"),
    );
    let config = write(clouds.dir.path(), "profile.toml", &text).display().to_string();
    let mut living = Device::start(device("krtyun", &store, &["--config", &config]));
    // By then it has subscribed.
    living.until_event("heartbeat");
    for _ in 0..2 {
        let order = format!("{{\"CMD\":11,\"x\":[{}1]}}", "1,".repeat(30_000));
        let topic = format!("/sys/{product}/{name}/thing/ota/set");
        let sent = Command::new("mosquitto_pub")
            .args(["-p", &broker.tcp.to_string(), "-q", "1", "-t", &topic, "-m", &order])
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(sent.success());
        let failed = living.until_event("plugin_failed");
        assert_eq!(failed["blame"], "plugin", "{failed}");
        assert!(failed["why"].as_str().unwrap().contains("its fuel ran out"), "{failed}");
        living.until_event("heartbeat");
    }
    // The old connections were closed in due form.
    broker.wait_for(&["Received DISCONNECT from"], 2);
    living.signal("-INT");
    let ended = living.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());
    assert!(!ended.has_step("request_secret"), "{}", ended.story());
    assert_eq!(secret_in(&store).unwrap(), secret);
    assert_eq!(clouds.view("krtyun", &name)["secret"], secret.as_str());
}

#[test]
fn a_message_longer_than_the_plugin_reads_is_ignored() {
    let broker = Broker::start();
    let file = broker.device_file(&format!("mqtt://127.0.0.1:{}", broker.tcp), 60);
    let store = broker.dir.path().join("d");
    let mut living = Device::start(device("krtyun", &store, &["--config", &file]));
    living.until_event("ready");
    let long = write(broker.dir.path(), "long", &"x".repeat(100_000)).display().to_string();
    let sent = Command::new("mosquitto_pub")
        .args(["-p", &broker.tcp.to_string(), "-q", "1", "-t", "/sys/20191210/10001/thing/ota/set"])
        .args(["-f", &long])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(sent.success());
    living.until("a note", |e| e.to_string().contains("longer than the plugin reads"));
    living.signal("-USR1");
    living.until_event("heartbeat");
    living.signal("-INT");
    assert_eq!(living.end().code, Some(0));
}

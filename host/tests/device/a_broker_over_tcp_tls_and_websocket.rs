//! Transports, against a real Mosquitto.

use super::mosquitto::Broker;
use super::process::run;

#[test]
fn all_transports_reach_ready() {
    let broker = Broker::start();
    let ca = broker.dir.path().join("ca.pem").display().to_string();
    for (url, more) in [
        (format!("mqtt://127.0.0.1:{}", broker.tcp), vec![]),
        (format!("mqtts://localhost:{}", broker.tls), vec!["--ca", &ca]),
        (format!("mqtts://127.0.0.1:{}", broker.tls), vec!["--ca", &ca]),
        (format!("ws://127.0.0.1:{}/mqtt", broker.websocket), vec![]),
        (format!("wss://localhost:{}/mqtt", broker.secure_websocket), vec!["--ca", &ca]),
    ] {
        let file = broker.device_file(&url, 60);
        let args = [&["--config", &file, "--until", "ready"][..], &more].concat();
        let ended = run("krtyun", &broker.dir.path().join("d"), &args);
        assert_eq!(ended.code, Some(0), "{url}: {}", ended.story());
    }
    broker.wait_for(&["New client connected", "as 20191210", "c1, k60, u'10001'"], 5);
}

/// What a person reads, and the code a script sees, when TLS does not work out.
fn refused(broker: &Broker, url: &str, more: &[&str], says: &str) {
    let file = broker.device_file(url, 60);
    let args = [&["--config", &file, "--until", "ready", "--for", "2s"][..], more].concat();
    let ended = run("krtyun", &broker.dir.path().join("d"), &args);
    assert_eq!(ended.code, Some(3), "{url}: {}", ended.story());
    assert!(ended.shows(says), "{url}: {}", ended.story());
    assert!(!ended.shows("TheDeviceSecret"));
}

#[test]
fn tls_that_cannot_be_trusted_is_refused_with_the_reason() {
    let broker = Broker::start();
    let other = broker.dir.path().join("other-ca.pem").display().to_string();
    let tls = format!("mqtts://localhost:{}", broker.tls);
    refused(&broker, &tls, &[], "--ca FILE");
    refused(&broker, &tls, &["--ca", &other], "a CA that is not trusted here");
    let plain = format!("mqtts://localhost:{}", broker.tcp);
    let ca = broker.dir.path().join("ca.pem").display().to_string();
    refused(&broker, &plain, &["--ca", &ca], "TLS");
    // The other way round: plain MQTT to a TLS port.
    refused(&broker, &format!("mqtt://localhost:{}", broker.tls), &[], "localhost");
    // And a WebSocket where there is none.
    refused(&broker, &format!("ws://localhost:{}", broker.tcp), &[], "localhost");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let broker = Broker::start();
    let ca = broker.dir.path().join("ca.pem").display().to_string();
    let url = format!("mqtts://localhost:{}", broker.misnamed);
    refused(&broker, &url, &["--ca", &ca], "the certificate is for another name than localhost");
    let url = format!("wss://127.0.0.1:{}/", broker.misnamed);
    refused(&broker, &url, &["--ca", &ca], "the certificate is for another name than 127.0.0.1");
}

#[test]
fn a_ca_file_that_is_none_is_told_before_anything_is_tried() {
    let broker = Broker::start();
    let file = broker.device_file("mqtts://localhost:1", 60);
    for (name, text) in [("none.pem", ""), ("key.pem", "-----BEGIN NONSENSE-----\n")] {
        let bad = super::process::write(broker.dir.path(), name, text).display().to_string();
        let args = ["--config", &file, "--ca", &bad];
        let ended = run("krtyun", &broker.dir.path().join("d"), &args);
        assert_eq!(ended.code, Some(4), "{}", ended.story());
        assert!(ended.stderr.contains("PEM"), "{}", ended.stderr);
    }
}

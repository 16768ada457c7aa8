use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Clouds, mosquitto, stderr, text};

#[test]
fn mosquitto_rr_registers_at_ucloud_and_mosquitto_pub_and_sub_use_the_secret() {
    let clouds = Clouds::start();
    let (product, device) =
        (clouds.demo("ucloud", "product_sn"), clouds.demo("ucloud", "device_sn"));
    let (host, port) = clouds.mqtt("ucloud");
    let (port, client) = (port.to_string(), format!("{product}.{device}"));
    let register = |user: &str, password: &str| {
        let topic = format!("/$system/{product}/{device}/password");
        mosquitto(
            "mosquitto_rr",
            &[
                "-V",
                "mqttv311",
                "-h",
                &host,
                "-p",
                &port,
                "-i",
                &client,
                "-u",
                user,
                "-P",
                password,
                "-q",
                "1",
                "-t",
                &topic,
                "-e",
                &format!("{topic}_reply"),
                "-m",
                r#"{"RequestID": "100"}"#,
                "-W",
                "10",
            ],
        )
    };
    let dynamic = format!("{product}|{device}|2");
    let output = register(&dynamic, &clouds.demo("ucloud", "product_secret"));
    let reply: Value =
        serde_json::from_str(&text(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let secret = reply["Password"].as_str().unwrap();
    assert_eq!(reply["RequestID"], "100");

    let user = format!("{product}|{device}|1");
    let publish = |secret: &str| {
        mosquitto(
            "mosquitto_pub",
            &[
                "-V",
                "mqttv311",
                "-h",
                &host,
                "-p",
                &port,
                "-i",
                &client,
                "-u",
                &user,
                "-P",
                secret,
                "-q",
                "1",
                "-t",
                &format!("/{product}/{device}/upload"),
                "-m",
                "{}",
            ],
        )
    };
    let output = publish(secret);
    assert!(output.status.success(), "{}", stderr(&output));
    let output = publish("not-the-secret16");
    assert!(!output.status.success(), "a wrong secret is refused");

    let wrong = register(&dynamic, "not-the-secret16");
    assert!(text(&wrong).is_empty());
}

#[test]
fn mosquitto_pub_and_sub_register_at_krtyun() {
    let clouds = Clouds::start();
    let (product, device) =
        (clouds.demo("krtyun", "product_id"), clouds.demo("krtyun", "device_id"));
    let secret = clouds.demo("krtyun", "product_secret");
    let (host, port) = clouds.mqtt("krtyun");
    let port = port.to_string();
    let topic = format!("/sys/{product}/{device}/thing/register");
    let output = mosquitto(
        "mosquitto_rr",
        &[
            "-V",
            "mqttv311",
            "-h",
            &host,
            "-p",
            &port,
            "-i",
            &product,
            "-u",
            &device,
            "-P",
            &secret,
            "-q",
            "1",
            "-t",
            &format!("{topic}/post"),
            "-e",
            &format!("{topic}/set"),
            "-W",
            "10",
            "-m",
            &format!(r#"{{"CMD":20,"ID":"m1","PRODUCT_ID":"{product}","DEVICE_ID":"{device}"}}"#),
        ],
    );
    let issue: Value =
        serde_json::from_str(&text(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let device_secret = issue["DEVICE_SECRET"].as_str().unwrap();
    let confirm = format!(r#"{{"CMD":21,"ID":{},"BACK":"OK"}}"#, issue["ID"]);
    let common =
        ["-V", "mqttv311", "-h", &host, "-p", &port, "-i", &product, "-u", &device, "-q", "1"];
    let confirmed = mosquitto(
        "mosquitto_pub",
        &[&common[..], &["-P", &secret, "-t", &format!("{topic}/post"), "-m", &confirm]].concat(),
    );
    // The platform may close the socket before or after the client's own DISCONNECT; what counts is the activation.
    let _ = confirmed;
    assert_ne!(clouds.device("krtyun", &product, &device)["state"], "inactive");

    // An order to update reaches a subscriber that logged in with the secret.
    let mut subscriber = Command::new("mosquitto_sub")
        .args(common)
        .args([
            "-P",
            device_secret,
            "-t",
            &format!("/sys/{product}/{device}/thing/ota/set"),
            "-C",
            "1",
            "-W",
            "15",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let muster = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(["cloud", "--platform", "krtyun", "--url", clouds.http()])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    };
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("rtthread.rbl");
    std::fs::write(&image, b"firmware").unwrap();
    muster(&["firmware", &image.to_string_lossy(), "--version", "1.0.1"]);
    muster(&["push", "--version", "1.0.1", "--device", &device]);
    let mut order = String::new();
    std::io::Read::read_to_string(&mut subscriber.stdout.take().unwrap(), &mut order).unwrap();
    assert!(subscriber.wait().unwrap().success());
    let order: Value = serde_json::from_str(order.trim()).unwrap();
    assert_eq!(order["CMD"], 11);
    assert_eq!(order["FW_VERSION"], "1.0.1");
    assert!(order["URL"].as_str().unwrap().starts_with("http://"));
}

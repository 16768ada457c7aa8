//! A whole life of each platform with everything logged: registration, heartbeat, report, a bind token, a firmware
//! update, a restart with the stored secret. Nothing of it that is secret is to be read anywhere.

use muster::{Advice, Command, Error, Event, Output, Publish, QoS, Rejected, SecretBytes, Token};

use super::clouds::{Clouds, secret_in};
use super::hostile::{Plugin, asking, reply};
use super::living::{Living, service};
use super::process::write;

/// What nobody may read: from the settings, the stored credential, and what the cloud knows of the device.
fn secrets(clouds: &Clouds, platform: &str, store: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let settings = clouds.demo[platform]["settings"].as_object().unwrap();
    for (key, value) in settings {
        if key.contains("secret") || (platform == "cmcc" && key == "product_key") {
            found.push(value.as_str().unwrap().to_owned());
        }
    }
    found.push(secret_in(store).unwrap());
    found.retain(|secret| !secret.is_empty());
    assert!(found.len() >= 2, "{platform}: a product's and a device's");
    found
}

#[test]
fn no_secret_is_in_log_metrics_or_health_of_any_platform() {
    let clouds = Clouds::start();
    let profile = write(clouds.dir.path(), "p.toml", "[service]\nlog_level = \"debug\"\n");
    let image = vec![7_u8; 40_000];
    for platform in ["ucloud", "cmcc", "krtyun", "alibaba"] {
        let store = clouds.store(platform);
        // The demo's settings, and a profile for the log's level.
        let mut text = String::new();
        for (key, value) in clouds.demo[platform]["settings"].as_object().unwrap() {
            text += &format!("{key} = {value}\n");
        }
        text += &std::fs::read_to_string(&profile).unwrap();
        let file = write(clouds.dir.path(), &format!("{platform}.toml"), &text);
        let args = ["--config", file.to_str().unwrap()];
        let mut said = String::new();
        for life in 0..2 {
            let mut device = Living::start(service(platform, &store, &args), &store);
            device.until_each(match platform {
                // An earlier heartbeat may still stand.
                "cmcc" => &["ready"],
                _ => &["ready", "heartbeat"],
            });
            if life == 0 && platform != "cmcc" {
                clouds.upload(platform, "9.9.9", &image);
                clouds.push(platform, "9.9.9");
                while !device.until("update").to_string().contains("reported") {}
            }
            device.signal("-USR1");
            device.until("heartbeat");
            for path in ["/health", "/ready", "/metrics", "/"] {
                said += &device.get(path).2;
            }
            device.signal("-TERM");
            let (code, log, out) = device.end();
            assert_eq!(code, Some(0), "{log:#?}");
            said += &log.join("\n");
            said += &out;
        }
        assert!(
            said.contains("\"level\":\"debug\"") && said.contains("\"what\":\"store\""),
            "{said}"
        );
        for secret in secrets(&clouds, platform, &store) {
            assert!(!said.contains(&secret), "{platform} shows {secret}:\n{said}");
        }
        for word in ["\"password\":", "\"token\":", "\"sign\":", "\"payload\":"] {
            assert!(!said.contains(word), "{platform} shows a field {word}:\n{said}");
        }
    }
}

/// What stops a device may repeat what it was sent: a cloud's refusal, or whatever a plugin says. The last line of the log
/// is written when the device is gone already.
#[test]
fn no_secret_is_in_the_last_line_of_a_device_that_was_stopped() {
    const SECRET: &str = "n0b0dy-may-see-this";
    let refusal = Error::Rejected {
        by: Rejected::Code { code: "1".into(), message: format!("the secret {SECRET} is wrong") },
    };
    let stopped = Event::Stopped { error: refusal, advice: Advice::CheckProductSecret };
    let publish = Publish {
        topic: format!("/elsewhere/{SECRET}"),
        payload: SecretBytes::new(vec![]),
        qos: QoS::AtMostOnce,
    };
    let forbidden = Command::Publish(Token(1), publish);
    for (says, code, event) in [
        (reply(&[Output::Event(stopped), Output::Timeout(None)]), 1, "stopped"),
        (asking(&[forbidden]), 4, "plugin_failed"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let plugin = Plugin::handling(says).write(dir.path());
        let text = format!(
            "broker = \"mqtt://127.0.0.1:9\"\nproduct_sn = \"70ly1tvowt696r15\"\nproduct_secret = \"{SECRET}\"\n\
             device_sn = \"112233445566\"\nfirmware_version = \"1.0.0\"\n\
             [limits]\nlast_good = \"none\"\nrestarts = 0\nviolations = 1\n"
        );
        let file = write(dir.path(), "p.toml", &text).display().to_string();
        let store = dir.path().join("d");
        let command = service("ucloud", &store, &["--config", &file, "--plugin", &plugin]);
        let mut device = Living::start(command, &store);
        let end = device.until("end");
        let (ended, log, _) = device.end();
        assert_eq!(ended, Some(code), "{log:#?}");
        assert!(log.iter().any(|line| line.contains(&format!("\"{event}\""))), "{log:#?}");
        assert!(end["why"].as_str().unwrap().contains("[hidden]"), "{end}");
        assert_eq!((&end["code"], &end["device"]), (&code.into(), &"112233445566".into()), "{end}");
        assert!(!log.join("\n").contains(SECRET), "{log:#?}");
    }
}

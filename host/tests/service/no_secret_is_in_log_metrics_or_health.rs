//! A whole life of each platform with everything logged: registration, heartbeat, report, a bind token, a firmware
//! update, a restart with the stored secret. Nothing of it that is secret is to be read anywhere.

use super::clouds::{Clouds, secret_in};
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

//! Settings.

use muster::{Config, PlatformName, Settings};

use super::bench::{over_mqtt, settings};

fn problem(settings: &Settings) -> String {
    Config::from_settings(PlatformName::Alibaba, settings).unwrap_err().to_string()
}

#[test]
fn every_setting_is_taken() {
    let all = settings()
        .with("registration", "http")
        .with("auth_type", "register")
        .with("instance_id", "iot-060a")
        .with("device_secret", "s")
        .with("sign_method", "hmacsha1")
        .with("secure_mode", "-2")
        .with("firmware_version", "1.2.3-rc 4")
        .with("firmware_max_size", "1000000")
        .with("bind_token", "off")
        .with("bind_token_life_s", "120")
        .with("gateway", "false")
        .with("keep_alive", "60")
        .with("reply_timeout_ms", "5000")
        .with("request_retries", "5");
    let config = Config::from_settings(PlatformName::Alibaba, &all).unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("example1") && !shown.contains("ffFnFlKQW3HYjjPR"), "{shown}");
}

#[test]
fn what_is_wrong_is_named() {
    for (key, value) in [
        ("broker", "http://h"),
        ("broker", ""),
        ("product_key", ""),
        ("product_key", "a/b"),
        ("device_name", "a+b"),
        ("device_name", "a|b"),
        ("device_name", "a,b"),
        ("device_name", "a&b"),
        ("device_name", &"x".repeat(65)),
        ("auth_url", "ftp://h"),
        ("registration", "coap"),
        ("auth_type", "none"),
        ("sign_method", "sha256"),
        ("secure_mode", "1"),
        ("instance_id", "a,securemode=3"),
        ("firmware_version", "\u{7}"),
        ("firmware_max_size", "0"),
        ("bind_token", "maybe"),
        ("bind_token_life_s", "0"),
        ("bind_token_life_s", "1801"),
        ("keep_alive", "29"),
        ("keep_alive", "1201"),
        ("reply_timeout_ms", "99"),
        ("request_retries", "21"),
        ("colour", "blue"),
    ] {
        let said = problem(&settings().with(key, value));
        assert!(said.contains(&format!("`{key}`")), "{key}={value}: {said}");
    }
}

#[test]
fn registration_needs_what_it_needs() {
    let said = problem(&settings().with("product_secret", ""));
    assert!(said.contains("`product_secret`") && said.contains("device_secret"), "{said}");
    assert!(problem(&settings().with("auth_url", "")).contains("`auth_url`"));
    assert!(problem(&settings().with("auth_type", "regnwl")).contains("`auth_type`"));
    let alone =
        over_mqtt().with("auth_url", "").with("product_secret", "").with("device_secret", "s");
    assert!(Config::from_settings(PlatformName::Alibaba, &alone).is_ok());
}

use muster::{
    Agent, ApiMisuse, Config, Now, PlatformName, SecretBytes, Settings, StoreKey, Stored,
};

use crate::support::*;

fn key_of(settings: &Settings) -> String {
    Config::from_settings(PlatformName::Krtyun, settings).unwrap_err().key
}

#[test]
fn what_is_missing_wrong_or_unknown_is_named() {
    for missing in ["broker", "product_id", "product_secret", "device_id"] {
        assert_eq!(key_of(&settings().with(missing, "")), missing);
    }
    for (key, wrong) in [
        ("broker", "http://h"),
        ("broker", "mqtt://"),
        ("product_id", "a/b"),
        ("device_id", "a+b"),
        ("device_id", "#"),
        ("device_id", "a b"),
        ("product_secret", "a b"),
        ("device_secret", "é"),
        ("hardware_version", "1 0"),
        ("firmware_version", "\u{7}"),
        ("report_interval_s", "-1"),
        ("keep_alive", "65536"),
        ("firmware_max_size", "0"),
        ("firmware_sha256", "ff"),
        ("firmware_sha256", &"g".repeat(64)),
        ("reply_timeout_ms", "99"),
        ("request_retries", "21"),
        ("register.match_id", "perhaps"),
        ("cmd.register_request", "twenty"),
        ("cmd.register_issue", "-1"),
        ("key.device_secret", "a b"),
        ("back.refused", "OK"),
        ("colour", "red"),
    ] {
        assert_eq!(key_of(&settings().with(key, wrong)), key, "{key} = {wrong}");
    }
    Config::from_settings(PlatformName::Krtyun, &settings().with("keep_alive", "0")).unwrap();
}

#[test]
fn what_is_stored_has_to_be_ours() {
    let start = |json: &str| {
        let mut stored = Stored::empty();
        stored.insert(StoreKey::Credential, SecretBytes::new(json.as_bytes().to_vec()));
        Agent::new(config(&settings()), stored, [0; 32], Now::mono(0)).map(|_| ())
    };
    let unreadable = Err(ApiMisuse::StoredUnreadable(StoreKey::Credential));
    for json in [
        "",
        "{}",
        "[]",
        &format!(r#"{{"product_id":"{PRODUCT}","device_id":"{DEVICE}"}}"#),
        &format!(r#"{{"product_id":"{PRODUCT}","device_id":"{DEVICE}","device_secret":""}}"#),
        &format!(
            r#"{{"product_id":"{PRODUCT}","device_id":"{DEVICE}","device_secret":"x","proven":false}}"#
        ),
        &format!(
            r#"{{"product_id":"{PRODUCT}","device_id":"{DEVICE}","device_secret":"x","proven":7}}"#
        ),
    ] {
        assert_eq!(start(json), unreadable, "{json}");
    }
    let other = format!(r#"{{"product_id":"{PRODUCT}","device_id":"other","device_secret":"x"}}"#);
    assert_eq!(start(&other), Err(ApiMisuse::StoredForAnotherDevice));
}

#[test]
fn a_kept_order_that_cannot_be_read_is_said_so() {
    let mut stored = stored(true);
    stored.insert(StoreKey::Firmware, SecretBytes::new(b"{".to_vec()));
    let agent = Agent::new(config(&settings()), stored, [0; 32], Now::mono(0));
    assert_eq!(agent.unwrap_err(), ApiMisuse::StoredUnreadable(StoreKey::Firmware));
}

#[test]
fn intents_of_other_platforms_are_refused() {
    let mut hand = Hand::new(&settings(), stored(true));
    for intent in [muster::Intent::NewBindToken, muster::Intent::RequestFirmware] {
        let result = hand.agent.handle_input(muster::Input::User(intent), hand.now);
        assert_eq!(result, Err(ApiMisuse::IntentNotSupported));
    }
}

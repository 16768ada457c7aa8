use muster::cmcc::{PRODUCTION, TEST};
use muster::{Config, Event, Now, PlatformName, Settings, Stored, Warning};

use super::setup::{Hand, KEY, NUMBER, PRODUCT, settings};

fn problem(settings: &Settings) -> (String, String) {
    let error = Config::from_settings(PlatformName::Cmcc, settings).unwrap_err();
    (error.key, error.problem)
}

fn first_url(settings: &Settings) -> String {
    let config = Config::from_settings(PlatformName::Cmcc, settings).unwrap();
    Hand::new(config, Stored::empty(), Now::mono(0)).request().1.url
}

fn param(settings: &Settings, key: &str) -> serde_json::Value {
    let config = Config::from_settings(PlatformName::Cmcc, settings).unwrap();
    let mut hand = Hand::new(config, Stored::empty(), Now::mono(0));
    hand.reply(r#"{"code":"200","data":{"deviceId":"1","deviceSecret":"s"}}"#);
    hand.stored();
    let body: serde_json::Value = serde_json::from_slice(&hand.request().1.body).unwrap();
    body["params"][key].clone()
}

fn bare() -> Settings {
    Settings::new()
        .with("product_id", PRODUCT)
        .with("product_key", KEY)
        .with("device_no", "SN-1")
        .with("cmei", "")
}

#[test]
fn the_documents_environments_are_presets_and_a_base_url_wins() {
    const INFO: &str = "/v2/customer/device/secret/info";
    assert_eq!(first_url(&bare()), [PRODUCTION, INFO].concat());
    assert_eq!(PRODUCTION, "https://ivs.chinamobiledevice.com:11443");
    assert_eq!(first_url(&bare().with("environment", "test")), [TEST, INFO].concat());
    assert_eq!(TEST, "https://62b98tux.cxzfdm.com:30101");
    let own = bare().with("environment", "test").with("base_url", "http://127.0.0.1:7878/");
    assert_eq!(first_url(&own), ["http://127.0.0.1:7878", INFO].concat());
    let (key, why) = problem(&bare().with("environment", "local"));
    assert_eq!(key, "base_url");
    assert!(why.contains("missing"));
    for bad in ["ftp://x", "x", "http://", "http://a/?q", "http://a/#f", "http://a b"] {
        assert_eq!(problem(&bare().with("base_url", bad)).0, "base_url", "{bad}");
    }
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    for key in ["product_id", "product_key", "device_no"] {
        assert_eq!(problem(&bare().with(key, "")).0, key);
    }
    assert_eq!(problem(&bare().with("X-AI-IP", "10.0.0.1")).0, "X-AI-IP");
    for (key, bad) in [
        ("environment", "staging"),
        ("device_no_type", "MAC"),
        ("device_no_type", "sn"),
        ("product_id", "12 34"),
        ("device_no", "a b"),
        ("device_no_from", "account"),
        ("inner_ip", "10.0.0.1;10.0.0.2"),
        ("inner_ip", "10.0.0.256"),
        ("mac", "50-5A-65-51-82"),
        ("mac", "50-5A:65-51-82-13"),
        ("mac", "505A6551821G"),
        ("mac", "é05A6551821"),
        ("sdk_version", "http_1.0"),
        ("imei", "49015420323751"),
        ("cmei", "11123456123456X"),
        ("net_type", "wi\nfi"),
        ("strategy", "3"),
        ("limit_s", "86401"),
        ("reply_timeout_ms", "0"),
        ("request_retries", "-1"),
        ("cellular", "maybe"),
    ] {
        assert_eq!(problem(&bare().with(key, bad)).0, key, "{key} = {bad}");
    }
    let over = bare().with("interval_s", "86000").with("jitter_s", "900");
    assert_eq!(problem(&over).0, "interval_s");
    assert_eq!(problem(&bare().with("interval_s", "60").with("jitter_s", "61")).0, "jitter_s");
}

#[test]
fn a_cellular_product_has_to_say_its_imei_and_any_other_its_cmei() {
    let no_cmei = Settings::new()
        .with("product_id", PRODUCT)
        .with("product_key", KEY)
        .with("device_no", "SN-1");
    assert_eq!(problem(&no_cmei).0, "cmei");
    assert_eq!(problem(&no_cmei.clone().with("cellular", "true")).0, "imei");
    assert_eq!(param(&no_cmei.clone().with("cmei", ""), "cmei"), "");
    let cellular = no_cmei.with("cellular", "true").with("imei", "490154203237518");
    assert_eq!(param(&cellular, "imei"), "490154203237518");
    assert_eq!(param(&cellular, "cmei"), "");
    // A device whose number is its CMEI knows it.
    let own = Settings::new()
        .with("product_id", PRODUCT)
        .with("product_key", KEY)
        .with("device_no_type", "CMEI")
        .with("device_no", NUMBER);
    assert_eq!(param(&own, "cmei"), NUMBER);
}

#[test]
fn a_mac_address_is_sent_with_dashes_in_upper_case() {
    for mac in ["50:5a:65:51:82:1f", "50-5a-65-51-82-1f", "505A6551821f", "50-5A-65-51-82-1F"] {
        assert_eq!(param(&settings().with("mac", mac), "mac"), "50-5A-65-51-82-1F", "{mac}");
    }
    assert_eq!(param(&settings().with("mac", ""), "mac"), "");
}

#[test]
fn addresses_go_out_as_an_array() {
    let two = settings().with("inner_ip", "10.229.111.172, fe80::1");
    assert_eq!(param(&two, "innerIp"), serde_json::json!(["10.229.111.172", "fe80::1"]));
    assert_eq!(param(&settings(), "innerIp"), serde_json::json!(["127.0.0.1"]));
}

#[test]
fn the_product_id_may_stand_in_for_a_number_with_a_warning() {
    let fallback = Settings::new()
        .with("product_id", PRODUCT)
        .with("product_key", KEY)
        .with("device_no_from", "product_id")
        .with("cmei", "");
    let config = Config::from_settings(PlatformName::Cmcc, &fallback).unwrap();
    assert_eq!(config.identity().device, PRODUCT);
    let hand = Hand::new(config, Stored::empty(), Now::mono(0));
    let warning = Event::Warning { warning: Warning::ProductIdAsDeviceNumber };
    assert_eq!(hand.events()[0], warning);
    let body: serde_json::Value = serde_json::from_slice(&hand.request().1.body).unwrap();
    assert_eq!(body["deviceNo"], PRODUCT);
    assert_eq!(body["deviceNoType"], "SN");
    assert_eq!(problem(&fallback.clone().with("device_no", "1")).0, "device_no");
    assert_eq!(problem(&fallback.with("device_no_type", "CMEI")).0, "device_no_type");
}

#[test]
fn an_odd_imei_is_a_warning_and_no_more() {
    let odd = Event::Warning { warning: Warning::ImeiCheckDigit };
    for (imei, is_odd) in [("490154203237518", false), ("490154203237510", true)] {
        let as_param = settings().with("imei", imei);
        let as_number = settings().with("device_no_type", "IMEI").with("device_no", imei);
        for settings in [as_param, as_number.with("cmei", "")] {
            let config = Config::from_settings(PlatformName::Cmcc, &settings).unwrap();
            let hand = Hand::new(config, Stored::empty(), Now::mono(0));
            assert_eq!(hand.events().contains(&odd), is_odd, "{imei}");
            assert!(hand.maybe_request().is_some());
        }
    }
}

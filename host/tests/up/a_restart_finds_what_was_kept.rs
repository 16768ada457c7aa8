use serde_json::json;

use crate::support::{Up, mqtt::Client, register_krtyun};

#[test]
fn a_restart_finds_what_was_kept() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let before = up.get("/api/demo");
    let demo = up.demo("krtyun");
    let (product, secret) =
        (demo["product_id"].as_str().unwrap(), demo["product_secret"].as_str().unwrap());
    let own = register_krtyun(up.mqtt("krtyun"), product, secret, "4711").unwrap();
    up.done(&json!({"platform": "ucloud", "action": "create_product", "name": "mine", "id": "abcdefgh12345678"}));
    up.stop();

    let up = Up::start(data.path());
    let after = up.get("/api/demo");
    for (platform, key) in [
        ("ucloud", "product_secret"),
        ("cmcc", "product_key"),
        ("alibaba_app", "app_secret"),
        ("alibaba_app", "iot_token"),
    ] {
        assert_eq!(
            before[platform]["settings"][key], after[platform]["settings"][key],
            "{platform} {key}"
        );
    }
    let products = up.get("/api/products?platform=ucloud");
    let ids: Vec<&str> =
        products["items"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"abcdefgh12345678"), "{ids:?}");
    let (_client, code) = Client::login(up.mqtt("krtyun"), product, "4711", &own).unwrap();
    assert_eq!(code, 0, "the device's own secret still lets it in");
}

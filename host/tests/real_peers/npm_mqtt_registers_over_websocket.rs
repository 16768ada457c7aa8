use serde_json::json;

use crate::support::{Clouds, peer};

#[test]
fn npm_mqtt_registers_at_ucloud_over_websocket() {
    let clouds = Clouds::start();
    let (product, device) =
        (clouds.demo("ucloud", "product_sn"), clouds.demo("ucloud", "device_sn"));
    let result = peer(
        "ucloud_register.mjs",
        &json!({
            "url": clouds.ws("ucloud"), "product": product, "device": device,
            "secret": clouds.demo("ucloud", "product_secret"),
        }),
    );
    assert_eq!(result["granted"], 1);
    assert_eq!(result["RetCode"], "0", "a string, as the document prints it");
    assert_eq!(result["RequestID"], "100");
    let kept = clouds.device("ucloud", &product, &device);
    assert_eq!(result["Password"], kept["secret"]);
    assert_ne!(kept["state"], "inactive", "the static login activated it");
}

#[test]
fn npm_mqtt_registers_at_krtyun_over_websocket() {
    let clouds = Clouds::start();
    let (product, device) =
        (clouds.demo("krtyun", "product_id"), clouds.demo("krtyun", "device_id"));
    let result = peer(
        "krtyun_register.mjs",
        &json!({
            "url": clouds.ws("krtyun"), "product": product, "device": device,
            "secret": clouds.demo("krtyun", "product_secret"),
        }),
    );
    let kept = clouds.device("krtyun", &product, &device);
    assert_eq!(result["Password"], kept["secret"]);
    assert_eq!(kept["version"], "2.0.0");
}

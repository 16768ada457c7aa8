use serde_json::json;

use crate::support::{Clouds, peer};

#[test]
fn paho_registers_at_ucloud_over_tcp_and_is_refused_a_second_time() {
    let clouds = Clouds::start();
    let (product, device) =
        (clouds.demo("ucloud", "product_sn"), clouds.demo("ucloud", "device_sn"));
    let (host, port) = clouds.mqtt("ucloud");
    let result = peer(
        "ucloud_register.py",
        &json!({
            "host": host, "port": port, "product": product, "device": device,
            "secret": clouds.demo("ucloud", "product_secret"),
        }),
    );
    assert_eq!(result["granted"], 1);
    assert_eq!(result["RequestID"], 100, "a number is echoed as a number");
    assert_eq!(result["Password"], clouds.device("ucloud", &product, &device)["secret"]);
    assert_eq!(result["registered_again"], 5, "an activated device may not register again");
}

#[test]
fn paho_registers_at_krtyun_over_tcp_and_is_closed_after_it_confirmed() {
    let clouds = Clouds::start();
    let (product, device) =
        (clouds.demo("krtyun", "product_id"), clouds.demo("krtyun", "device_id"));
    let (host, port) = clouds.mqtt("krtyun");
    let result = peer(
        "krtyun_register.py",
        &json!({
            "host": host, "port": port, "product": product, "device": device,
            "secret": clouds.demo("krtyun", "product_secret"),
        }),
    );
    assert_eq!(result["closed_by_platform"], true);
    assert_eq!(result["login"], 0);
    let kept = clouds.device("krtyun", &product, &device);
    assert_eq!(result["Password"], kept["secret"]);
    assert_eq!(kept["version"], "2.0.0", "the trailing comma of the vendor's own example is taken");
}

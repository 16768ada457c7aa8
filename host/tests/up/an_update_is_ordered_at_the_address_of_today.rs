use serde_json::{Value, json};

use crate::support::{Up, mqtt::Client, register_krtyun, request};

/// Ports may be others after a restart; images have to be found all the same.
#[test]
fn an_update_is_ordered_at_the_address_of_today() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let demo = up.demo("krtyun");
    let product = demo["product_id"].as_str().unwrap();
    let secret = demo["product_secret"].as_str().unwrap();
    let own = register_krtyun(up.mqtt("krtyun"), product, secret, "10001").unwrap();
    assert_eq!(up.upload("krtyun", product, "1.0.1", b"the image").status, 200);
    let yesterday = up.http().to_owned();
    up.stop();

    let up = Up::start(data.path());
    assert_ne!(up.http(), yesterday);
    let (mut device, code) = Client::login(up.mqtt("krtyun"), product, "10001", &own).unwrap();
    assert_eq!(code, 0);
    let topic = |tail: &str| format!("/sys/{product}/10001/thing/ota/{tail}");
    device.subscribe(&topic("set")).unwrap();
    device
        .publish(5, &topic("post"), r#"{"CMD":10,"HW_VERSION":"1.0.0","FW_VERSION":"1.0.0"}"#)
        .unwrap();
    up.done(&json!({"platform": "krtyun", "action": "push_upgrade", "product": product, "version": "1.0.1"}));
    let order: Value = serde_json::from_str(&device.message().unwrap()).unwrap();
    let url = order["URL"].as_str().unwrap();
    let path =
        url.strip_prefix(&format!("http://{}", up.http())).unwrap_or_else(|| panic!("{url}"));
    let image =
        request(up.http(), &format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", up.http()), b"");
    assert_eq!(image.body, b"the image");
}

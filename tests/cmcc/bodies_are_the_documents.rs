use muster::{Event, Now, SecretBytes, StoreKey, Stored};

use super::setup::{
    Hand, NUMBER, PRODUCT, REPORT_REPLY, http, info_reply, json, read, settings, world,
};

fn body(hand: &Hand) -> String {
    String::from_utf8(hand.request().1.body).unwrap()
}

/// The example of the document, its white space taken out.
const REPORT: &str = concat!(
    r#"{"deviceId":"123456789","deviceSecret":"xxxxx","productId":"1234567890123","productKey":"xxxxxxx","#,
    r#""params":{"innerIp":["10.229.111.172","192.168.1.7"],"netSpeed":"0Mbps","netType":"WiFi","#,
    r#""platform":"rtos","sdkVersion":"ai_http_1.0","firmwareVersion":"0.0.5.2","imei":"","cmei":"","#,
    r#""mac":"50-5A-65-51-82-13"}}"#
);

#[test]
fn the_report_of_the_example_comes_out_byte_for_byte() {
    let settings = settings()
        .with("product_key", "xxxxxxx")
        .with("device_no_type", "SN")
        .with("device_no", "SN-1")
        .with("inner_ip", "10.229.111.172,192.168.1.7")
        .with("net_type", "WiFi")
        .with("os", "rtos")
        .with("firmware_version", "0.0.5.2")
        .with("cmei", "")
        .with("mac", "50:5a:65:51:82:13");
    let mut stored = Stored::empty();
    let kept = format!(
        r#"{{"device_no":"SN-1","device_no_type":"SN","product_id":"{PRODUCT}","device_id":"123456789","device_secret":"xxxxx"}}"#
    );
    stored.insert(StoreKey::Credential, SecretBytes::new(kept.into_bytes()));
    let hand = Hand::new(read(&settings), stored, Now::mono(0));
    let (_, request) = hand.request();
    assert_eq!(request.method, "POST");
    assert_eq!(request.url, "http://cloud.test/v2/customer/device/report");
    assert_eq!(request.headers, [("Content-Type".into(), "application/json".into())]);
    assert_eq!(body(&hand), REPORT);
}

#[test]
fn a_device_that_knows_nothing_about_itself_sends_the_documents_defaults() {
    let mut hand = Hand::new(read(&settings().with("cmei", "")), Stored::empty(), Now::mono(0));
    assert_eq!(hand.request().1.url, "http://cloud.test/v2/customer/device/secret/info");
    assert_eq!(
        body(&hand),
        format!(
            r#"{{"deviceNoType":"CMEI","deviceNo":"{NUMBER}","productId":"{PRODUCT}","productKey":"product-key-0001"}}"#
        )
    );
    hand.reply(info_reply());
    hand.stored();
    let sent: serde_json::Value = serde_json::from_str(&body(&hand)).unwrap();
    let defaults = serde_json::json!({
        "innerIp": ["127.0.0.1"], "netSpeed": "0Mbps", "netType": "wifi", "platform": "RTOS",
        "sdkVersion": "ai_http_1.0", "firmwareVersion": "1.0.0", "imei": "", "cmei": "", "mac": "",
    });
    assert_eq!(sent["params"], defaults);
}

#[test]
fn the_replies_of_the_examples_are_understood() {
    // Every value of the examples is "xxx".
    let settings = settings()
        .with("device_no_type", "SN")
        .with("device_no", "xxx")
        .with("product_id", "xxx")
        .with("cmei", "");
    let mut hand = Hand::new(read(&settings), Stored::empty(), Now::mono(0));
    hand.reply(
        "{\n  \"code\": \"200\",\n  \"message\": \"成功\",\n  \"success\": true,\n  \"data\": {\n    \
         \"deviceId\": \"xxx\",\n    \"deviceNo\": \"xxx\",\n    \"productId\": \"xxx\",\n    \
         \"deviceSecret\": \"xxx\"\n  }\n}",
    );
    let (_, key, value) = hand.store();
    assert_eq!(key, StoreKey::Credential);
    assert_eq!(
        value,
        r#"{"device_no":"xxx","device_no_type":"SN","product_id":"xxx","device_id":"xxx","device_secret":"xxx"}"#
    );
    hand.stored();
    hand.reply(
        "{\n  \"code\": \"200\",\n  \"message\": \"成功\",\n  \"success\": true,\n  \"data\": {\n    \
         \"deviceId\": \"xxx\",\n    \"protocolTypeTime\": \"xxx\"\n  }\n}",
    );
    assert!(hand.events().contains(&Event::Ready));
}

#[test]
fn codes_ids_and_times_may_be_numbers_and_keys_in_any_order() {
    for reply in [
        REPORT_REPLY.to_string(),
        REPORT_REPLY.replace("\"200\"", "200"),
        REPORT_REPLY.replace("\"1747100000000\"", "0"),
        REPORT_REPLY.replace("\"success\":true,", ""),
        r#"{"data":{"deviceId":123456789},"code":" 200 ","more":[1,{}]}"#.into(),
        r#"{"code":"200"}"#.into(),
        format!("{REPORT_REPLY}\r\n\0\0"),
    ] {
        let mut hand = Hand::new(read(&settings()), Stored::empty(), Now::mono(0));
        hand.reply(info_reply().replace("\"123456789\"", "123456789").replace("\"200\"", "200"));
        hand.stored();
        hand.reply(reply.clone());
        assert!(hand.events().contains(&Event::Ready), "{reply}");
    }
}

#[test]
fn the_cloud_answers_like_the_examples() {
    let mut world = world();
    let info = format!(
        r#"{{"deviceNoType":"CMEI","deviceNo":"{NUMBER}","productId":"{PRODUCT}","productKey":"product-key-0001"}}"#
    );
    let reply = world.http(http("/v2/customer/device/secret/info", &info)).unwrap();
    assert_eq!(reply.status, 200);
    let text = String::from_utf8(reply.body.clone()).unwrap();
    // Compact, in the order of the example; the writer keeps to ASCII.
    assert!(
        text.starts_with(
            r#"{"code":"200","message":"\u6210\u529f","success":true,"data":{"deviceId":""#
        ),
        "{text}"
    );
    let order =
        ["deviceId", "deviceNo", "productId", "deviceSecret"].map(|key| text.find(key).unwrap());
    assert!(order.is_sorted());
    let reply = json(&reply);
    assert_eq!(reply["message"], "成功");
    assert_eq!(reply["data"]["deviceNo"], NUMBER);
    let (id, secret) = (&reply["data"]["deviceId"], &reply["data"]["deviceSecret"]);

    let report = REPORT
        .replace(
            "123456789\",\"deviceSecret\":\"xxxxx",
            &format!("{}\",\"deviceSecret\":\"{}", id.as_str().unwrap(), secret.as_str().unwrap()),
        )
        .replace("xxxxxxx", "product-key-0001");
    let reply = json(&world.http(http("/v2/customer/device/report", &report)).unwrap());
    assert_eq!(reply["code"], "200");
    assert_eq!(reply["success"], true);
    assert_eq!(&reply["data"]["deviceId"], id);
    assert!(reply["data"]["protocolTypeTime"].is_string());
    assert_eq!(reply["data"].as_object().unwrap().len(), 2);
}

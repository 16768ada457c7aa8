use muster::cloud::{Action, OperationResult, What};
use muster::sim::World;
use serde_json::{Value, json};

use super::setup::{KEY, NUMBER, PRODUCT, SECRET, http, json as read, operate, switch, world};

const INFO: &str = "/v2/customer/device/secret/info";
const REPORT: &str = "/v2/customer/device/report";

fn info() -> Value {
    json!({"deviceNoType": "CMEI", "deviceNo": NUMBER, "productId": PRODUCT, "productKey": KEY})
}

fn report(world: &mut World) -> Value {
    let id = ask(world, INFO, &info())["data"]["deviceId"].clone();
    json!({
        "deviceId": id, "deviceSecret": SECRET, "productId": PRODUCT, "productKey": KEY,
        "params": {
            "innerIp": ["10.229.111.172", "192.168.1.7"], "netSpeed": "0Mbps", "netType": "WiFi",
            "platform": "rtos", "sdkVersion": "ai_http_1.0", "firmwareVersion": "0.0.5.2",
            "imei": "", "cmei": "", "mac": "50-5A-65-51-82-13",
        }
    })
}

fn ask(world: &mut World, path: &str, body: &Value) -> Value {
    let response = world.http(http(path, &body.to_string())).unwrap();
    assert_eq!(response.status, 200);
    assert!(response.body.is_ascii());
    read(&response)
}

/// Asks, is refused with code "500", and returns the message.
fn refused(world: &mut World, path: &str, body: &Value) -> String {
    let reply = ask(world, path, body);
    assert_eq!(reply["code"], "500", "{body}");
    assert_eq!(reply["success"], false);
    assert!(reply.get("data").is_none());
    assert_eq!(world.log.last().unwrap().what, What::Refused);
    reply["message"].as_str().unwrap().to_string()
}

fn without(body: &Value, path: &[&str]) -> Value {
    let mut body = body.clone();
    let (last, parents) = path.split_last().unwrap();
    let mut at = &mut body;
    for key in parents {
        at = &mut at[*key];
    }
    at.as_object_mut().unwrap().remove(*last);
    body
}

fn with(body: &Value, path: &[&str], value: Value) -> Value {
    let mut body = body.clone();
    let mut at = &mut body;
    for key in path {
        at = &mut at[*key];
    }
    *at = value;
    body
}

#[test]
fn every_field_of_the_tables_is_required() {
    let mut world = world();
    let info = info();
    for key in ["deviceNoType", "deviceNo", "productId", "productKey"] {
        for body in [without(&info, &[key]), with(&info, &[key], json!(null))] {
            assert_eq!(refused(&mut world, INFO, &body), format!("参数错误: {key} 缺失"));
        }
        let empty = with(&info, &[key], json!(""));
        assert_eq!(refused(&mut world, INFO, &empty), format!("参数错误: {key} 不能为空"));
        for wrong in [json!(1), json!(true), json!([]), json!({})] {
            let body = with(&info, &[key], wrong);
            assert_eq!(refused(&mut world, INFO, &body), format!("参数错误: {key} 应为字符串"));
        }
        let long = with(&info, &[key], json!("1".repeat(129)));
        assert_eq!(refused(&mut world, INFO, &long), format!("参数错误: {key} 过长"));
    }
    let report = report(&mut world);
    for key in ["deviceId", "deviceSecret", "productId", "productKey", "params"] {
        let body = without(&report, &[key]);
        assert_eq!(refused(&mut world, REPORT, &body), format!("参数错误: {key} 缺失"));
    }
    for key in report["params"].as_object().unwrap().keys().cloned().collect::<Vec<_>>() {
        let body = without(&report, &["params", &key]);
        assert_eq!(refused(&mut world, REPORT, &body), format!("参数错误: params.{key} 缺失"));
        let body = with(&report, &["params", &key], json!(7));
        let message = refused(&mut world, REPORT, &body);
        assert!(message.starts_with(&format!("参数错误: params.{key} 应为字符串")), "{message}");
    }
    assert_eq!(ask(&mut world, REPORT, &report)["code"], "200");
}

#[test]
fn the_typical_mistakes_of_devices_are_named() {
    let mut world = world();
    let report = report(&mut world);
    for (key, bad, what) in [
        ("innerIp", json!("10.0.0.1"), "应为字符串数组"),
        ("innerIp", json!([1]), "应为字符串数组"),
        ("innerIp", json!([]), "不能为空"),
        ("innerIp", json!([""]), "不能为空"),
        ("mac", json!("50:5A:65:51:82:13"), "格式应为xx-xx-xx-xx-xx-xx或空字符串"),
        ("mac", json!("505A65518213"), "格式应为xx-xx-xx-xx-xx-xx或空字符串"),
        ("mac", json!("50-5A-65-51-82-1G"), "格式应为xx-xx-xx-xx-xx-xx或空字符串"),
        ("cmei", json!("11123456123456X"), "应为11开头的15位数字或空字符串"),
        ("cmei", json!("211234561234567"), "应为11开头的15位数字或空字符串"),
        ("imei", json!("12345"), "应为15位数字或空字符串"),
        ("sdkVersion", json!("http_1.0"), "应以ai_开头"),
        ("netType", json!(""), "不能为空"),
        ("firmwareVersion", json!(""), "不能为空"),
        ("platform", json!("x".repeat(65)), "过长"),
        ("platform", json!("a\nb"), "含有控制字符"),
    ] {
        let body = with(&report, &["params", key], bad.clone());
        let message = refused(&mut world, REPORT, &body);
        assert_eq!(message, format!("参数错误: params.{key} {what}"), "{bad}");
    }
    for (key, good) in [
        ("mac", json!("")),
        ("mac", json!("50-5a-65-51-82-13")),
        ("cmei", json!("111234561234560")),
        ("imei", json!("490154203237510")),
        ("netType", json!("5G")),
    ] {
        let body = with(&report, &["params", key], good);
        assert_eq!(ask(&mut world, REPORT, &body)["code"], "200", "{key}");
    }
}

#[test]
fn the_lenient_switch_takes_what_devices_get_wrong() {
    let mut world = world();
    let report = report(&mut world);
    switch(&mut world, Some(PRODUCT), "lenient_params", "true");
    for body in [
        without(&without(&report, &["params", "imei"]), &["params", "cmei"]),
        with(&report, &["params", "innerIp"], json!("10.0.0.1")),
        with(&report, &["params", "mac"], json!("50:5a:65:51:82:13")),
        with(&report, &["params", "firmwareVersion"], json!(3)),
        with(&report, &["params"], json!({})),
    ] {
        assert_eq!(ask(&mut world, REPORT, &body)["code"], "200", "{body}");
    }
    // Not even then anything at all.
    refused(&mut world, REPORT, &with(&report, &["params"], json!([])));
    refused(&mut world, REPORT, &with(&report, &["params", "mac"], json!({})));
    refused(&mut world, REPORT, &with(&report, &["params", "netType"], json!("x".repeat(65))));
}

#[test]
fn wrong_credentials_are_refused_in_the_platforms_words() {
    let mut world = world();
    let info = info();
    for (key, value, message) in [
        ("productId", "9999999999999", "产品不存在"),
        ("productKey", "other-key", "产品密钥错误"),
        ("deviceNo", "111234561234560", "设备不存在"),
        ("deviceNoType", "SN", "参数错误: deviceNoType 与导入的设备号类型不一致"),
        ("deviceNoType", "MAC", "参数错误: deviceNoType 应为SN、IMEI或CMEI"),
        ("deviceNoType", "cmei", "参数错误: deviceNoType 应为SN、IMEI或CMEI"),
    ] {
        let body = with(&info, &[key], json!(value));
        assert_eq!(refused(&mut world, INFO, &body), message);
    }
    let report = report(&mut world);
    for (key, value, message) in [
        ("productId", "9999999999999", "产品不存在"),
        ("productKey", "other-key", "产品密钥错误"),
        ("deviceId", "1", "设备不存在"),
        ("deviceSecret", "other-secret", "设备密钥错误"),
    ] {
        let body = with(&report, &[key], json!(value));
        assert_eq!(refused(&mut world, REPORT, &body), message);
    }
    // A device id of another product is unknown in this one.
    operate(
        &mut world,
        Action::CreateProduct {
            name: String::new(),
            id: Some("22".into()),
            secret: Some(KEY.into()),
            switches: Default::default(),
        },
    )
    .unwrap();
    let body = with(&report, &["productId"], json!("22"));
    assert_eq!(refused(&mut world, REPORT, &body), "设备不存在");
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    operate(&mut world, Action::Disable { product, device, disabled: true }).unwrap();
    assert_eq!(refused(&mut world, INFO, &info), "设备已禁用");
    assert_eq!(refused(&mut world, REPORT, &report), "设备已禁用");
}

#[test]
fn the_answer_never_changes_and_any_type_is_a_switch() {
    let mut world = world();
    let first = ask(&mut world, INFO, &info());
    assert_eq!(first["data"]["deviceSecret"], SECRET);
    for _ in 0..5 {
        assert_eq!(ask(&mut world, INFO, &info()), first);
    }
    switch(&mut world, None, "any_device_no_type", "true");
    for kind in ["SN", "MAC", "C86"] {
        let body = with(&info(), &["deviceNoType"], json!(kind));
        assert_eq!(ask(&mut world, INFO, &body), first);
    }
}

#[test]
fn bodies_that_are_no_json_are_refused_with_code_500() {
    let mut world = world();
    for (body, message) in [
        ("", "请求体不是合法的JSON"),
        ("deviceNo=1", "请求体不是合法的JSON"),
        ("[]", "请求体不是JSON对象"),
        ("\"x\"", "请求体不是JSON对象"),
    ] {
        for path in [INFO, REPORT] {
            let reply = world.http(http(path, body)).unwrap();
            assert_eq!(reply.status, 200);
            assert_eq!(read(&reply)["code"], "500");
            assert_eq!(read(&reply)["message"], message);
        }
    }
    let mut request = http(INFO, "");
    request.body = vec![0xff, 0xfe];
    assert_eq!(read(&world.http(request).unwrap())["message"], "请求体不是UTF-8编码");
}

#[test]
fn only_post_of_json_to_the_two_paths_is_served() {
    let mut world = world();
    let body = info().to_string();
    for method in ["GET", "PUT", "post", "HEAD", "DELETE"] {
        let mut request = http(INFO, &body);
        request.method = method.into();
        let reply = world.http(request).unwrap();
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(muster::http::header(&reply.headers, "allow"), Some("POST"));
    }
    for path in
        ["/v2/customer/device/secret", "/v2/customer/device/report/", "/v2/customer/", "/v1"]
    {
        assert_eq!(world.http(http(path, &body)).unwrap().status, 404, "{path}");
    }
    for (kind, status) in [
        (Some("application/json"), 200),
        (Some("application/json; charset=utf-8"), 200),
        (Some("Application/JSON;charset=\"UTF-8\""), 200),
        (Some("application/json; q=1"), 200),
        (Some("application/json; charset=gbk"), 415),
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("application/jsonp"), 415),
        (None, 415),
    ] {
        let mut request = http(INFO, &body);
        request.headers =
            kind.map(|kind| ("content-type".to_string(), kind.to_string())).into_iter().collect();
        let reply = world.http(request).unwrap();
        assert_eq!(reply.status, status, "{kind:?}");
        assert_eq!(read(&reply)["code"], if status == 200 { "200" } else { "500" });
    }
}

#[test]
fn the_address_that_a_relay_sends_is_kept_with_the_report() {
    let mut world = world();
    let body = report(&mut world).to_string();
    let mut request = http(REPORT, &body);
    request.headers.push(("x-ai-ip".into(), "203.0.113.7".into()));
    world.http(request).unwrap();
    world.http(http(REPORT, &body)).unwrap();
    let action = Action::ListReports { product: PRODUCT.into(), device: NUMBER.into() };
    let OperationResult::Reports { items } = operate(&mut world, action).unwrap() else { panic!() };
    let report: Value = serde_json::from_str(&items[1].json).unwrap();
    assert_eq!(report["X-AI-IP"], "203.0.113.7");
    assert_eq!(report["params"]["mac"], "50-5A-65-51-82-13");
    assert!(!items[0].json.contains("X-AI-IP"));
}

#[test]
fn numbers_instead_of_strings_in_replies_are_switches() {
    let mut world = world();
    switch(&mut world, Some(PRODUCT), "numeric_code", "true");
    switch(&mut world, None, "numeric_protocol_type_time", "true");
    let report = report(&mut world);
    let reply = ask(&mut world, REPORT, &report);
    assert_eq!(reply["code"], 200);
    assert!(reply["data"]["protocolTypeTime"].is_u64());
    let reply = ask(&mut world, REPORT, &with(&report, &["deviceSecret"], json!("x")));
    assert_eq!(reply["code"], 500);
}

use serde_json::{Value, json};

use crate::support::{Clouds, peer};

fn python(clouds: &Clouds, path: &str, api_ver: &str, params: Value) -> Value {
    let domain = clouds.http().strip_prefix("http://").unwrap();
    let app = |key| clouds.demo("alibaba_app", key);
    let answer = peer(
        "alibaba_call.py",
        &json!({
            "domain": domain, "path": path, "api_ver": api_ver, "params": params,
            "app_key": app("app_key"), "app_secret": app("app_secret"), "iot_token": app("iot_token"),
        }),
    );
    assert_eq!(answer["status"], 200, "{answer}");
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[test]
fn the_python_client_lists_discovered_devices() {
    let clouds = Clouds::start();
    let answer = python(
        &clouds,
        "/awss/enrollee/list/get",
        "1.0.7",
        json!({ "pageSize": 10, "pageNum": 1 }),
    );
    assert_eq!(answer["code"], 200, "{answer}");
    assert!(answer["data"]["items"].is_array());
}

#[test]
fn the_python_client_gets_business_errors_as_documented() {
    let clouds = Clouds::start();
    let answer = python(
        &clouds,
        "/awss/token/check",
        "1.0.9",
        json!({ "token": "00000000000000000000000000000000" }),
    );
    assert_eq!(answer["code"], 6608, "{answer}");
    let answer = python(
        &clouds,
        "/awss/enrollee/list/get",
        "1.0.7",
        json!({ "pageSize": 100, "pageNum": 1 }),
    );
    assert_eq!(answer["code"], 460, "{answer}");
}

#[test]
fn the_python_client_gets_the_key_that_the_tool_computes() {
    let clouds = Clouds::start();
    let random = "281f2e4eefbd12d3b9f7ee5a1740cc2b";
    let answer = python(
        &clouds,
        "/awss/cipher/get",
        "1.0.7",
        json!({ "deviceInfoForCipher": {
            "productKey": clouds.demo("alibaba", "product_key"), "deviceName": clouds.demo("alibaba", "device_name"),
            "cipherType": 3, "random": random, "params": {},
        }}),
    );
    let tool = std::process::Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["tool", "cipher", "--type", "3", "--random", random, "--json", "--secret"])
        .arg(clouds.demo("alibaba", "product_secret"))
        .output()
        .unwrap();
    let ours: Value = serde_json::from_slice(&tool.stdout).unwrap();
    assert_eq!(
        answer["data"].as_str().unwrap().to_lowercase(),
        ours["key"].as_str().unwrap(),
        "{answer}"
    );
}

#[test]
fn the_node_client_filters_devices() {
    let clouds = Clouds::start();
    let app = |key| clouds.demo("alibaba_app", key);
    let answer = peer(
        "alibaba_call.mjs",
        &json!({
            "base": clouds.http(), "path": "/awss/enrollee/product/filter",
            "app_key": app("app_key"), "app_secret": app("app_secret"),
            "body": {
                "id": "1509086454180", "version": "1.0",
                "request": { "apiVer": "1.0.7", "iotToken": app("iot_token") },
                "params": { "iotDevices": [{
                    "productKey": clouds.demo("alibaba", "product_key"),
                    "deviceName": clouds.demo("alibaba", "device_name"),
                }]},
            },
        }),
    );
    assert_eq!(answer["code"], 200, "{answer}");
    assert_eq!(answer["id"], "1509086454180");
    assert_eq!(answer["data"][0]["deviceName"], clouds.demo("alibaba", "device_name"));
}

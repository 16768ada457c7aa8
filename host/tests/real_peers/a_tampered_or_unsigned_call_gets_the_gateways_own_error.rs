use serde_json::json;

use crate::support::{Clouds, peer};

#[test]
fn the_node_client_with_a_wrong_secret_is_told_the_servers_string_to_sign() {
    let clouds = Clouds::start();
    let answer = peer(
        "alibaba_call.mjs",
        &json!({
            "base": clouds.http(), "path": "/awss/enrollee/list/get",
            "app_key": clouds.demo("alibaba_app", "app_key"), "app_secret": "not the secret",
            "body": { "id": "1", "version": "1.0", "request": { "apiVer": "1.0.7" }, "params": {} },
        }),
    );
    assert_eq!(answer["status"], 400, "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("Invalid Signature, Server StringToSign:"), "{message}");
}

#[test]
fn the_node_client_with_an_unknown_key_is_refused() {
    let clouds = Clouds::start();
    let answer = peer(
        "alibaba_call.mjs",
        &json!({
            "base": clouds.http(), "path": "/awss/enrollee/list/get", "app_key": "1", "app_secret": "x",
            "body": { "id": "1" },
        }),
    );
    assert_eq!(answer["status"], 400, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("Invalid AppKey"), "{answer}");
}

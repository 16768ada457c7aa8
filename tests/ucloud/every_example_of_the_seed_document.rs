//! `seeds/001`: the page "动态注册", its tables and its messages.

use muster::ucloud::{AuthMode, credentials};
use muster::{Ack, Command, Input, QoS, Secret, StoreKey, Stored};

use super::support::*;
use crate::common::{Bench, commands};

#[test]
fn the_three_elements_of_the_dynamic_login() {
    let login = credentials(PRODUCT, DEVICE, AuthMode::Dynamic, &Secret::new("sqx0cltqba402z7z"));
    assert_eq!(login.client_id, "70ly1tvowt696r15.112233445566");
    assert_eq!(login.username, "70ly1tvowt696r15|112233445566|2");
    assert_eq!(login.password.expose(), "sqx0cltqba402z7z");
}

#[test]
fn the_three_elements_of_the_static_login() {
    let login = credentials(PRODUCT, DEVICE, AuthMode::Static, &Secret::new("zlc3d21u5k8fq0d2"));
    assert_eq!(login.client_id, "70ly1tvowt696r15.112233445566");
    assert_eq!(login.username, "70ly1tvowt696r15|112233445566|1");
    assert_eq!(login.password.expose(), "zlc3d21u5k8fq0d2");
}

/// Brings a device to where it waits for its secret, and returns its RequestID.
fn asked() -> (Bench, String) {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    let out = bench.give(Input::Connected(connection));
    let out = bench.give(Input::Acked(token(&out), Ack::Subscribed(QoS::AtLeastOnce)));
    let (_, _, body) = publishes(&out).remove(0);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    (bench, body["RequestID"].as_str().unwrap().to_string())
}

#[test]
fn the_device_reads_the_reply_as_the_document_prints_it() {
    for secret in ["the device secret", "zlc3d21u5k8fq0d2"] {
        let (mut bench, request_id) = asked();
        let reply = format!(
            "{{\n \"RetCode\": \"0\", \n \"RequestID\": \"{request_id}\",\n \"Password\": \"{secret}\"\n}}\n"
        );
        let out = bench.give(message("password_reply", &reply));
        let commands = commands(&out);
        let [Command::Store(_, StoreKey::Credential, value)] = &commands[..] else {
            panic!("{out:?}")
        };
        let kept: serde_json::Value = serde_json::from_slice(value.expose()).unwrap();
        assert_eq!(kept["device_secret"], secret);
    }
}

#[test]
fn the_cloud_answers_the_request_as_the_document_prints_it() {
    let mut platform = Platform::new();
    let connection = platform.log_in(2, PRODUCT_SECRET);
    let reply_topic = "/$system/70ly1tvowt696r15/112233445566/password_reply";
    assert_eq!(platform.subscribe(connection, reply_topic, 1), 1);
    let out = platform.publish(
        connection,
        "/$system/70ly1tvowt696r15/112233445566/password",
        1,
        "{\n \"RequestID\": \"100\"\n}\n",
    );
    let [(to, QoS::AtLeastOnce, body)] = &downs(&out)[..] else { panic!("{out:?}") };
    assert_eq!(to, reply_topic);
    assert_eq!(body, r#"{"RetCode":"0","RequestID":"100","Password":"zlc3d21u5k8fq0d2"}"#);
}

#[test]
fn registration_needs_the_switch_the_whitelist_and_ends_with_the_static_login() {
    let mut platform = Platform::empty();
    platform.operate(create_product()).unwrap();
    platform.operate(switch("DynamicRegister", "false")).unwrap();
    let code =
        |platform: &mut Platform| connack(&platform.connect(connect_packet(2, PRODUCT_SECRET)).1);
    assert_eq!(code(&mut platform), Some(5), "the switch is off");
    platform.operate(switch("DynamicRegister", "true")).unwrap();
    assert_eq!(code(&mut platform), Some(5), "not in the whitelist");
    platform.operate(import_device()).unwrap();
    assert_eq!(code(&mut platform), Some(0));
    platform.log_in(1, DEVICE_SECRET);
    assert_eq!(code(&mut platform), Some(5), "activated");
}

//! `/thing/gateway/permit` and `/thing/topo/remove`, from the owner's call to the gateway's topics.

use muster::alibaba::credentials::{Device, SignMethod, login_sign};
use muster::app::{Call, Reply};
use muster::cloud::{Action, Packet};
use muster::{Error, Rejected, Secret};
use serde_json::json;

use super::owner::{Owner, settings};
use super::platform::{ALICE, DEVICE_SECRET, DN, GATEWAY_PK, PK, Platform, TOKEN, published};

const GATEWAY: &str = "a1gateway01/gateway1";

/// A gateway that alice owns, online on connection 5; and its iotId.
fn home() -> (Platform, String) {
    let mut platform = Platform::new();
    platform.log_in(5, GATEWAY_PK, "gateway1");
    let params = format!(r#"{{"token":"{TOKEN}"}}"#);
    platform.alink(5, GATEWAY, "thing/awss/enrollee/match", &params);
    let home = platform.homes["alice"].clone();
    let bind = format!(
        r#"{{"homeId":"{home}","productKey":"{GATEWAY_PK}","deviceName":"gateway1","token":"{TOKEN}"}}"#
    );
    let iot_id =
        platform.call(ALICE, "/awss/token/user/bind", &bind)["data"].as_str().unwrap().to_owned();
    (platform, iot_id)
}

fn permit_topic() -> String {
    format!("/sys/{GATEWAY}/thing/gateway/permit")
}

/// What a `topo/add` for the lamp carries.
fn claim(secret: &str) -> String {
    let device = Device { product_key: PK, device_name: DN };
    let sign = login_sign(SignMethod::HmacSha1, device, &Secret::from(secret), "lamp", Some("789"));
    format!(
        r#"[{{"productKey":"{PK}","deviceName":"{DN}","clientId":"lamp","timestamp":"789","signmethod":"hmacSha1","sign":"{}"}}]"#,
        sign.expose().to_uppercase()
    )
}

#[test]
fn the_gateway_hears_how_long() {
    let (mut platform, iot_id) = home();
    for time in [60, 0, 65_535] {
        let (token, path) = (ALICE, "/thing/gateway/permit");
        let body = format!(
            r#"{{"id":1,"request":{{"apiVer":"1.0.2","iotToken":"{token}"}},"params":{{"iotId":"{iot_id}","productKey":"{PK}","time":{time}}}}}"#
        );
        let request = platform.signed(path, &body);
        let id = muster::cloud::RequestId(1);
        let outputs = platform.give(muster::cloud::CloudInput::Request { id, request });
        let (topic, payload) = published(&outputs).remove(0);
        assert_eq!(topic, permit_topic());
        assert_eq!(payload["params"], json!({"time": time, "productKey": PK}));
        assert_eq!(payload["method"], "thing.gateway.permit");
        let answered = format!(r#"{{"id":{},"code":200,"data":{{}}}}"#, payload["id"]);
        let outputs = platform.publish(5, &format!("{topic}_reply"), &answered);
        assert!(published(&outputs).is_empty());
    }
}

#[test]
fn one_that_was_offline_hears_of_it_later_and_of_what_is_left() {
    let (mut platform, iot_id) = home();
    platform.lose(5);
    let params = format!(r#"{{"iotId":"{iot_id}","productKey":"{PK}","time":60}}"#);
    assert_eq!(platform.code(ALICE, "/thing/gateway/permit", &params), 200);
    platform.pass(20);
    platform.restart();
    platform.log_in(6, GATEWAY_PK, "gateway1");
    let subscribe = |packet_id| Packet::Subscribe { packet_id, filters: vec![(permit_topic(), 1)] };
    let outputs = platform.packet(6, subscribe(1));
    assert_eq!(published(&outputs)[0].1["params"]["time"], 40);
    platform.pass(40);
    assert!(published(&platform.packet(6, subscribe(2))).is_empty());
}

#[test]
fn sub_devices_join_only_while_it_is_open() {
    let (mut platform, iot_id) = home();
    let add = |platform: &mut Platform, secret: &str| {
        platform.alink(5, GATEWAY, "thing/topo/add", &claim(secret))["code"].clone()
    };
    assert_eq!(add(&mut platform, DEVICE_SECRET), 403);
    let permit = |platform: &mut Platform, product: &str| {
        let params = format!(r#"{{"iotId":"{iot_id}","productKey":"{product}","time":60}}"#);
        assert_eq!(platform.code(ALICE, "/thing/gateway/permit", &params), 200);
    };
    permit(&mut platform, GATEWAY_PK);
    assert_eq!(add(&mut platform, DEVICE_SECRET), 403, "open for another product");
    permit(&mut platform, PK);
    assert_eq!(add(&mut platform, "not its secret"), 401);
    platform.pass(60);
    assert_eq!(add(&mut platform, DEVICE_SECRET), 403, "closed again");
    permit(&mut platform, PK);
    assert_eq!(add(&mut platform, DEVICE_SECRET), 200);
    assert_eq!(add(&mut platform, DEVICE_SECRET), 200, "asked again after a lost reply");
    let names = json!([{"deviceName": DN, "productKey": PK}]);
    assert_eq!(platform.alink(5, GATEWAY, "thing/topo/get", "{}")["data"], names);
    assert_eq!(platform.alink(5, GATEWAY, "thing/topo/delete", &names.to_string())["code"], 200);
    assert_eq!(platform.alink(5, GATEWAY, "thing/topo/get", "{}")["data"], json!([]));
    // A lamp is no gateway.
    platform.log_in(7, PK, DN);
    let reply = platform.alink(7, &format!("{PK}/{DN}"), "thing/topo/add", &claim(DEVICE_SECRET));
    assert_eq!(reply["code"], 460);
}

#[test]
fn a_removed_sub_device_is_named_to_its_gateway() {
    let (mut platform, iot_id) = home();
    let topology = Action::AddTopology {
        product: GATEWAY_PK.into(),
        device: "gateway1".into(),
        sub_product: PK.into(),
        sub_device: DN.into(),
    };
    platform.operate(topology.clone()).unwrap();
    platform.operate(topology).unwrap();
    let lamp = platform.bound();
    let mut owner = Owner::on(platform, &settings());
    owner.call(1, Call::topo_remove(&iot_id, &lamp).unwrap());
    let (_, request) = owner.requests.pop_front().unwrap();
    let request = muster::sim::to_server(request);
    let id = muster::cloud::RequestId(1);
    let outputs = owner.platform.give(muster::cloud::CloudInput::Request { id, request });
    let (topic, payload) = published(&outputs).remove(0);
    assert_eq!(topic, format!("/sys/{GATEWAY}/thing/topo/change"));
    assert_eq!(
        payload["params"],
        json!({"status": 1, "subList": [{"productKey": PK, "deviceName": DN}]})
    );
    // It is gone: a second removal is refused.
    owner.call(2, Call::topo_remove(&iot_id, &lamp).unwrap());
    owner.settle();
    let Err(Error::Rejected { by: Rejected::Code { code, .. } }) = owner.result() else { panic!() };
    assert_eq!(code, "460");
    owner.call(3, Call::permit(&iot_id, PK, 60).unwrap());
    owner.settle();
    assert_eq!(owner.result(), Ok(Reply::Done));
}

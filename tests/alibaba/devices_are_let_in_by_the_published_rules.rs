//! CONNECT, topics and registration at the cloud's door, by what the vendor's own SDKs send.

use muster::alibaba::credentials::{
    AuthType, Device, SecureMode, SignMethod, Style, login_connect, registration_connect,
    registration_form,
};
use muster::cloud::{Action, CloudOutput, HttpRequest, OperationResult, Packet};
use muster::{Secret, SecretBytes};
use serde_json::{Value, json};

use super::platform::{
    DEVICE_SECRET, DN, PK, PRODUCT_SECRET, Platform, TOKEN, closed, connack, connect, published,
};
use super::vectors;

fn device() -> Device<'static> {
    Device { product_key: PK, device_name: DN }
}

fn register(platform: &mut Platform, form: &str) -> Value {
    let response = platform.http(HttpRequest {
        method: "POST".into(),
        path: "/auth/register/device".into(),
        query: vec![],
        headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())],
        body: form.into(),
    });
    assert_eq!(response.status, 200);
    assert!(response.body.len() <= 256, "the vendor's C reader takes no more");
    serde_json::from_slice(&response.body).unwrap()
}

fn form(method: SignMethod) -> String {
    registration_form(method, device(), &Secret::from(PRODUCT_SECRET), "7y4Jg5xdKCy9W2i")
}

fn secret_of(platform: &mut Platform) -> String {
    let list = Action::ListDevices { product: PK.into(), after: None, limit: None, reveal: true };
    let OperationResult::Devices { items, .. } = platform.operate(list).unwrap() else { panic!() };
    items[0].secret.clone().unwrap()
}

#[test]
fn every_sdks_login_is_accepted_and_a_wrong_one_refused() {
    let mut tried = 0;
    for entry in vectors::section("mqtt_connect") {
        let text = |key| vectors::text(&entry, key);
        let mut platform = Platform::new();
        let pk = text("productKey");
        let (dn, secret) = (text("deviceName"), text("deviceSecret"));
        if dn.len() < 4 || secret.is_empty() {
            continue;
        }
        if pk != PK {
            let create = Action::CreateProduct {
                name: String::new(),
                id: Some(pk.into()),
                secret: None,
                switches: Default::default(),
            };
            platform.operate(create).unwrap();
        }
        platform.import(pk, &format!("DeviceName,DeviceSecret\n\"{dn}\",{secret}\n"));
        let (id, name, password) = (text("client_id"), text("username"), text("password"));
        let style = text("style");
        assert_eq!(connack(&platform.connect(1, connect(id, name, password))), 0, "{style}");
        let other = password.replace(&password[..1], if &password[..1] == "0" { "1" } else { "0" });
        assert_eq!(connack(&platform.connect(2, connect(id, name, &other))), 4, "{style}");
        tried += 1;
    }
    assert!(tried >= 5, "{tried}");
}

#[test]
fn refusals_at_connect() {
    let mut platform = Platform::new();
    let good = login_connect(
        Style::Muster,
        SignMethod::HmacSha256,
        device(),
        &Secret::from(DEVICE_SECRET),
        SecureMode::Tcp,
        "1",
    );
    let packet = || connect(&good.client_id, &good.username, good.password.expose());
    let mut other = packet();
    other.protocol_level = 5;
    let mut slow = packet();
    slow.keep_alive = 29;
    let mut endless = packet();
    endless.keep_alive = 0;
    let mut mute = packet();
    mute.password = None;
    let mut nobody = packet();
    nobody.username = None;
    for (packet, code) in [
        (other, 1),
        (slow, 2),
        (endless, 2),
        (connect("plain-id", &good.username, good.password.expose()), 2),
        (connect(&"x".repeat(600), &good.username, good.password.expose()), 2),
        (mute, 4),
        (nobody, 4),
        (connect(&good.client_id, DN, good.password.expose()), 4),
        (connect(&good.client_id, &format!("stranger&{PK}"), good.password.expose()), 4),
        (connect(&good.client_id, &format!("{DN}&a1none"), good.password.expose()), 4),
        (connect("x|signmethod=hmacsha256,authType=odd|", &good.username, "x"), 4),
        (connect("x|signmethod=hmacsha3|", &good.username, "x"), 4),
        (connect("x|authType=connwl|", &good.username, ""), 4),
    ] {
        let shown = format!("{packet:?}");
        let outputs = platform.connect(1, packet);
        assert_eq!(connack(&outputs), code, "{shown}");
        assert!(closed(&outputs), "{shown}");
    }
    let disable = |disabled| Action::Disable { product: PK.into(), device: DN.into(), disabled };
    platform.operate(disable(true)).unwrap();
    assert_eq!(connack(&platform.connect(2, packet())), 5);
    platform.operate(disable(false)).unwrap();
    assert_eq!(connack(&platform.connect(3, packet())), 0);
    // The same device again: the older session is closed, and its end is no end of the newer one.
    let outputs = platform.connect(4, packet());
    assert!(closed(&outputs));
    assert_eq!(connack(&outputs), 0);
    platform.lose(3);
    platform.report_token(4, TOKEN);
}

#[test]
fn a_device_stays_on_its_own_topics() {
    let mut platform = Platform::new();
    platform.log_in(1, PK, DN);
    let own = format!("/sys/{PK}/{DN}");
    for (filter, code) in [
        (format!("{own}/#"), 1),
        (format!("{own}/thing/+/permit"), 1),
        (format!("/ota/device/upgrade/{PK}/{DN}"), 1),
        (format!("/{PK}/{DN}/user/get"), 1),
        (format!("/sys/{PK}/other1/thing/reset"), 0x80),
        (format!("/sys/{PK}/+/thing/reset"), 0x80),
        (format!("/sys/{PK}/{DN}"), 0x80),
        (format!("{own}/thing/a+"), 0x80),
        (format!("{own}/#/x"), 0x80),
        (format!("/ota/device/upgrade/{PK}/other1"), 0x80),
        ("#".to_owned(), 0x80),
        (format!("{own}/{}", "x".repeat(128)), 0x80),
    ] {
        let filters = vec![(filter.clone(), 2)];
        let outputs = platform.packet(1, Packet::Subscribe { packet_id: 9, filters });
        let CloudOutput::SubAck { codes, .. } =
            outputs.iter().find(|output| matches!(output, CloudOutput::SubAck { .. })).unwrap()
        else {
            panic!()
        };
        assert_eq!(codes, &[code], "{filter}");
    }
    // One after a hundred is refused.
    for n in 0..100 {
        let filters = vec![(format!("{own}/x/{n}"), 0)];
        platform.packet(1, Packet::Subscribe { packet_id: 9, filters });
    }
    let filters = vec![(format!("{own}/x/more"), 0)];
    let outputs = platform.packet(1, Packet::Subscribe { packet_id: 9, filters });
    assert!(
        outputs.iter().any(|o| matches!(o, CloudOutput::SubAck { codes, .. } if codes == &[0x80]))
    );
    // Another's topics are dropped, the packet acknowledged.
    let kept = platform.kept.clone();
    let outputs = platform.publish(1, &format!("/sys/{PK}/other1/thing/reset"), "{}");
    assert!(published(&outputs).is_empty());
    assert!(outputs.iter().any(|output| matches!(output, CloudOutput::PubAck { .. })));
    assert_eq!(platform.kept, kept);
    // QoS 2 closes.
    let payload = SecretBytes::new(b"{}".to_vec());
    let topic = format!("{own}/thing/reset");
    let packet = Packet::Publish { packet_id: Some(2), topic, qos: 2, retain: false, payload };
    assert!(closed(&platform.packet(1, packet)));
}

#[test]
fn more_than_thirty_publishes_a_second_are_dropped() {
    let mut platform = Platform::new();
    platform.log_in(1, PK, DN);
    let topic = format!("/sys/{PK}/{DN}/thing/event/property/post");
    let post = r#"{"id":"1","params":{"a":1}}"#;
    let answered =
        |platform: &mut Platform| !published(&platform.publish(1, &topic, post)).is_empty();
    assert_eq!((0..40).filter(|_| answered(&mut platform)).count(), 30);
    platform.pass(1);
    assert!(answered(&mut platform));
}

#[test]
fn before_its_first_login_each_registration_replaces_the_secret() {
    let mut platform = Platform::new();
    let mut secrets = vec![DEVICE_SECRET.to_owned()];
    for method in SignMethod::ALL {
        let reply = register(&mut platform, &form(method));
        assert_eq!(reply["code"], 200, "{method}");
        let secret = reply["data"]["deviceSecret"].as_str().unwrap().to_owned();
        assert!(!secrets.contains(&secret));
        secrets.push(secret);
    }
    // The case of the hex is the SDK's business; a digest of another product is not.
    let upper = form(SignMethod::HmacSha256);
    let sign = upper.split('&').find_map(|pair| pair.strip_prefix("sign=")).unwrap().to_owned();
    let reply = register(&mut platform, &upper.replace(&sign, &sign.to_uppercase()));
    assert_eq!(reply["code"], 200);
    let last = reply["data"]["deviceSecret"].as_str().unwrap().to_owned();
    assert_eq!(secret_of(&mut platform), last);
    let log_in = |platform: &mut Platform, secret: &str| {
        let secret = Secret::from(secret);
        let c = login_connect(
            Style::LinkkitC,
            SignMethod::HmacSha256,
            device(),
            &secret,
            SecureMode::Tcp,
            "2524608000000",
        );
        connack(&platform.connect(1, connect(&c.client_id, &c.username, c.password.expose())))
    };
    assert_eq!(log_in(&mut platform, &secrets[1]), 4);
    assert_eq!(log_in(&mut platform, &last), 0);
    // Active: no secret any more, until the operator resets it.
    assert_eq!(register(&mut platform, &upper)["code"], 6289);
    assert_eq!(secret_of(&mut platform), last);
    let reset = Action::Reset { product: PK.into(), device: DN.into(), new_secret: false };
    platform.operate(reset).unwrap();
    assert_eq!(register(&mut platform, &upper)["code"], 200);
}

#[test]
fn who_was_given_a_secret_was_heard_of_before_any_login_and_after_a_restart() {
    let view = |platform: &mut Platform| {
        let list =
            Action::GetDevices { product: PK.into(), devices: vec![DN.into()], reveal: false };
        let OperationResult::Devices { items, .. } = platform.operate(list).unwrap() else {
            panic!()
        };
        (items[0].last_active, items[0].state.clone())
    };
    let mqtt = |auth| {
        registration_connect(
            SignMethod::HmacSha256,
            device(),
            &Secret::from(PRODUCT_SECRET),
            "7y4Jg5xdKCy9W2i",
            auth,
            SecureMode::Tls,
            None,
        )
    };
    for way in [None, Some(AuthType::Register), Some(AuthType::Regnwl)] {
        let mut platform = Platform::new();
        platform.switch_product("RegisterWithoutWhitelist", "true");
        assert_eq!(view(&mut platform), (None, "inactive".into()));
        let at = platform.now.unix.map(|unix| unix.0);
        match way {
            None => assert_eq!(register(&mut platform, &form(SignMethod::HmacSha256))["code"], 200),
            Some(auth) => {
                let c = mqtt(auth);
                let packet = connect(&c.client_id, &c.username, c.password.expose());
                assert_eq!(connack(&platform.connect(1, packet)), 0);
            }
        }
        platform.restart();
        assert_eq!(view(&mut platform), (at, "inactive".into()));
    }
    // A refusal gives nothing away.
    let mut platform = Platform::new();
    platform.switch_product("DynamicRegister", "false");
    assert_eq!(register(&mut platform, &form(SignMethod::HmacSha256))["code"], 403);
    assert_eq!(view(&mut platform).0, None);
}

#[test]
fn what_a_registration_is_refused_for() {
    let mut platform = Platform::new();
    let good = form(SignMethod::HmacSha256);
    for (form, code) in [
        (good.replace("random=7", "random=8"), 401),
        (good.replace(PK, "a1none"), 5005),
        (good.replace("signMethod=hmacsha256", "signMethod=sha"), 460),
        ("productKey=x".to_owned(), 460),
        (String::new(), 460),
        ("%%%&=&&&&a=%f".to_owned(), 460),
    ] {
        let reply = register(&mut platform, &form);
        assert_eq!(reply["code"], code, "{form}");
        assert_eq!(reply.get("data"), None);
    }
    let stranger = Device { device_name: "stranger", ..device() };
    let stranger =
        registration_form(SignMethod::HmacSha256, stranger, &Secret::from(PRODUCT_SECRET), "r");
    assert_eq!(register(&mut platform, &stranger)["code"], 6100);
    platform.switch_product("DynamicRegister", "false");
    assert_eq!(register(&mut platform, &good)["code"], 403);
}

#[test]
fn over_mqtt_the_secret_is_pushed_and_the_connection_closed() {
    for acknowledged in [true, false] {
        let mut platform = Platform::new();
        platform.switch_product("RegisterWithoutWhitelist", "true");
        for (auth, topic, field) in [
            (AuthType::Register, "/ext/register", "deviceSecret"),
            (AuthType::Regnwl, "/ext/regnwl", "deviceToken"),
        ] {
            let c = registration_connect(
                SignMethod::HmacSha256,
                device(),
                &Secret::from(PRODUCT_SECRET),
                "7y4Jg5xdKCy9W2i",
                auth,
                SecureMode::Tls,
                None,
            );
            let connection = if auth == AuthType::Register { 1 } else { 2 };
            let outputs = platform
                .connect(connection, connect(&c.client_id, &c.username, c.password.expose()));
            assert_eq!(connack(&outputs), 0);
            let (pushed, payload) = published(&outputs).remove(0);
            assert_eq!(pushed, topic);
            assert!(payload[field].as_str().unwrap().len() >= 32);
            assert!(!closed(&outputs), "not before the device has it");
            let token = outputs.iter().find_map(|output| match output {
                CloudOutput::Publish { token, .. } => Some(*token),
                _ => None,
            });
            // It may do nothing else meanwhile.
            let filters = vec![(format!("/sys/{PK}/{DN}/#"), 1)];
            let outputs = platform.packet(connection, Packet::Subscribe { packet_id: 1, filters });
            assert!(
                outputs
                    .iter()
                    .any(|o| matches!(o, CloudOutput::SubAck { codes, .. } if codes == &[0x80]))
            );
            let topic = format!("/sys/{PK}/{DN}/thing/reset");
            assert!(published(&platform.publish(connection, &topic, "{}")).is_empty());
            if acknowledged {
                let outputs = platform.packet(connection, Packet::Acked { token: token.unwrap() });
                assert!(closed(&outputs));
            } else {
                platform.pass(5);
                assert!(closed(&platform.give(muster::cloud::CloudInput::Timeout)));
            }
        }
    }
}

#[test]
fn a_neighbour_is_heard_and_its_key_fetched() {
    let mut platform = Platform::new();
    platform.import(PK, "enrollee1\n");
    let iot_id = platform.bound();
    let lamp = format!("{PK}/{DN}");
    let random = [7u8; 16];
    let sign = |secret: &str| {
        muster::alibaba::local::discovery_sign(
            SignMethod::HmacSha256,
            &Secret::from(secret),
            muster::alibaba::cipher::Random(random),
            PK,
            "enrollee1",
        )
    };
    let payload = |sign: Vec<u8>| {
        let mut bytes = vec![9];
        bytes.extend_from_slice(b"enrollee1");
        bytes.push(u8::try_from(PK.len()).unwrap());
        bytes.extend_from_slice(PK.as_bytes());
        bytes.extend_from_slice(&random);
        bytes.extend_from_slice(&[3, 1, u8::try_from(sign.len()).unwrap()]);
        bytes.extend_from_slice(&sign);
        muster::hex::upper(&bytes)
    };
    let found = |hex: &str| {
        format!(
            r#"{{"awssVer":{{}},"type":0,"ssid":"home","bssid":"AA","rssi":-40,"payload":["{hex}","zz","00"]}}"#
        )
    };
    let topic = "thing/awss/enrollee/found";
    let forged = platform.alink(1, &lamp, topic, &found(&payload(sign("not the secret"))));
    assert_eq!(forged["data"], json!([]));
    let reply = platform.alink(1, &lamp, topic, &found(&payload(sign(PRODUCT_SECRET))));
    assert_eq!(
        reply["data"],
        json!([{"productKey": PK, "deviceName": "enrollee1", "timeout": 60}])
    );

    let list = |platform: &mut Platform, token: &str| {
        let page = r#"{"pageSize":10,"pageNum":1}"#;
        platform.call(token, "/awss/enrollee/list/get", page)["data"].clone()
    };
    let seen = list(&mut platform, super::platform::ALICE);
    let item = &seen["items"][0];
    assert_eq!(
        (&item["regIotId"], &item["status"], &item["rssi"]),
        (&iot_id.as_str().into(), &0.into(), &"-40".into())
    );
    assert_eq!((&item["enrolleeDeviceName"], &item["ssid"]), (&"enrollee1".into(), &"home".into()));
    assert_eq!(
        list(&mut platform, super::platform::BOB)["totalNum"],
        0,
        "it is not bob's lamp that heard it"
    );

    let ask = format!(
        r#"{{"awssVer":{{}},"productKey":"{PK}","deviceName":"enrollee1","cipherType":3,"random":"281f2e4eefbd12d3b9f7ee5a1740cc2b"}}"#
    );
    let reply = platform.alink(1, &lamp, "thing/cipher/get", &ask);
    assert_eq!(reply["data"]["secret"], "BBFED58A9ADF0A62930AFB64D169F15F");
    assert_eq!(list(&mut platform, super::platform::ALICE)["items"][0]["status"], 1);
    platform.pass(600);
    assert_eq!(list(&mut platform, super::platform::ALICE)["totalNum"], 0);
}

#[test]
fn a_reset_device_is_nobodys_again() {
    let mut platform = Platform::new();
    platform.bound();
    let reply = platform.alink(1, &format!("{PK}/{DN}"), "thing/reset", "{}");
    assert_eq!(reply["code"], 200);
    let OperationResult::Owners { items } =
        platform.operate(Action::ListOwners { reveal: false }).unwrap()
    else {
        panic!()
    };
    assert!(items.iter().all(|owner| owner.devices.is_empty() && owner.iot_token.is_none()));
}

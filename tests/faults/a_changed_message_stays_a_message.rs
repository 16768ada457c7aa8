use muster::PlatformName;
use muster::faults::{Deed, Fault, Faults, Kind, On, Times};
use muster::http::Response;
use muster::trace::{Cutter, Direction};
use proptest::prelude::*;

use crate::rules::{on, publish, rule};

fn changed(platform: PlatformName, fault: Fault, kind: Kind, packet: &[u8]) -> Option<Vec<u8>> {
    let mut faults = Faults::new(platform);
    faults.arm(rule("a", fault, Some(on(kind))));
    match faults.packet(Direction::Down, packet).deed {
        Some((_, Deed::Change(changed))) => Some(changed),
        None => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_id_has_the_same_shape_and_nothing_else_changes() {
    for (platform, before, after) in [
        (PlatformName::Ucloud, r#"{"RequestID":"a9f","x":1}"#, r#"{"RequestID":"a9a","x":1}"#),
        (
            PlatformName::Ucloud,
            r#"{"x":"RequestID","RequestID" : 19 }"#,
            r#"{"x":"RequestID","RequestID" : 10 }"#,
        ),
        (
            PlatformName::Krtyun,
            r#"{"PRODUCT_ID":"7","ID":"11"}"#,
            r#"{"PRODUCT_ID":"7","ID":"12"}"#,
        ),
        (PlatformName::Alibaba, r#"{"id":"6","code":200}"#, r#"{"id":"7","code":200}"#),
        (
            PlatformName::Cmcc,
            r#"{"data":{"deviceNo":"SN-08"}}"#,
            r#"{"data":{"deviceNo":"SN-09"}}"#,
        ),
    ] {
        let packet = publish("t", Some(7), before.as_bytes());
        let made = changed(platform, Fault::WrongId, Kind::Publish, &packet).unwrap();
        assert_eq!(made, publish("t", Some(7), after.as_bytes()), "{before}");
    }
    for body in ["{}", r#"{"RequestID":""}"#, r#"{"RequestID":"#, "", r#""RequestID""#] {
        let packet = publish("t", None, body.as_bytes());
        assert_eq!(changed(PlatformName::Ucloud, Fault::WrongId, Kind::Publish, &packet), None);
    }
}

#[test]
fn what_has_no_such_field_is_not_counted() {
    let mut faults = Faults::new(PlatformName::Ucloud);
    faults.arm(rule("a", Fault::WrongId, Some(on(Kind::Publish))));
    assert!(faults.packet(Direction::Down, &publish("t", None, b"{}")).deed.is_none());
    assert_eq!(faults.armed().next().unwrap().seen, 0);
    let with = publish("t", None, br#"{"RequestID":"1"}"#);
    assert!(faults.packet(Direction::Down, &with).deed.is_some());
}

#[test]
fn another_code_keeps_its_type_where_it_can() {
    for (platform, code, before, after) in [
        (PlatformName::Ucloud, "140", r#"{"RetCode":"0"}"#, r#"{"RetCode":"140"}"#),
        (PlatformName::Ucloud, "140", r#"{"RetCode":0,"a":[]}"#, r#"{"RetCode":140,"a":[]}"#),
        (PlatformName::Alibaba, "6289", r#"{"code":200}"#, r#"{"code":6289}"#),
        (
            PlatformName::Cmcc,
            "500",
            r#"{"code":"200","success":true}"#,
            r#"{"code":"500","success":true}"#,
        ),
        (PlatformName::Cmcc, "NO", r#"{"code":200}"#, r#"{"code":"NO"}"#),
        // JSON has no number that begins with a zero.
        (PlatformName::Ucloud, "007", r#"{"RetCode":0}"#, r#"{"RetCode":"007"}"#),
        (PlatformName::Ucloud, "0", r#"{"RetCode":-1}"#, r#"{"RetCode":0}"#),
        (PlatformName::Ucloud, "5", r#"{"RetCode":null}"#, r#"{"RetCode":5}"#),
    ] {
        let mut faults = Faults::new(platform);
        let fault = Fault::VendorCode { code: code.into() };
        faults.arm(rule("a", fault, Some(on(Kind::Response))));
        let response = Response { status: 200, headers: Vec::new(), body: before.into() };
        let Some((_, Deed::Change(made))) = faults.response("/", &response).deed else {
            panic!("{before}")
        };
        assert_eq!(String::from_utf8(made.body).unwrap(), after);
    }
    for body in [r#"{"code":{"a":1}}"#, r#"{"code":[1,2]}"#] {
        let mut faults = Faults::new(PlatformName::Cmcc);
        let fault = Fault::VendorCode { code: "500".into() };
        faults.arm(rule("a", fault, Some(on(Kind::Response))));
        let response = Response { status: 200, headers: Vec::new(), body: body.into() };
        assert_eq!(faults.response("/", &response).deed, None, "no code: {body}");
    }
    // krtyun's protocol has no codes.
    let packet = publish("t", None, br#"{"code":"0","RetCode":"0"}"#);
    let fault = Fault::VendorCode { code: "1".into() };
    assert_eq!(changed(PlatformName::Krtyun, fault, Kind::Publish, &packet), None);
}

#[test]
fn a_refusal_is_the_return_code_and_nothing_else() {
    let platform = PlatformName::Ucloud;
    let connack = changed(platform, Fault::Refuse { code: 4 }, Kind::Connack, &[0x20, 2, 0, 0]);
    assert_eq!(connack.unwrap(), [0x20, 2, 0, 4]);
    let suback = changed(platform, Fault::Refuse { code: 128 }, Kind::Suback, &[0x90, 3, 0, 9, 1]);
    assert_eq!(suback.unwrap(), [0x90, 3, 0, 9, 128]);
}

proptest! {
    /// Whatever the packet is: no panic, and what comes out is one packet of MQTT on the same topic.
    #[test]
    fn any_packet_comes_out_as_one(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        payload in prop::collection::vec(any::<u8>(), 0..400),
        id in prop::option::of(1u16..),
        code in "[0-9a-z]{1,8}",
    ) {
        let mut json = br#"{"RequestID":"12","RetCode":0,"p":""#.to_vec();
        json.extend_from_slice(&payload);
        let whole = publish("topic", id, &json);
        for fault in [Fault::WrongId, Fault::VendorCode { code }] {
            for packet in [&bytes, &whole] {
                let mut faults = Faults::new(PlatformName::Ucloud);
                let mut armed = rule("a", fault.clone(), Some(on(Kind::Publish)));
                armed.rule.times = Times::Always;
                faults.arm(armed);
                let deed = faults.packet(Direction::Down, packet).deed;
                if packet == &whole {
                    let Some((_, Deed::Change(made))) = deed else { panic!("{whole:?}") };
                    let cut = Cutter::default().feed(&made);
                    prop_assert_eq!(cut.len(), 1);
                    prop_assert_eq!(&cut[0], &made);
                    prop_assert_eq!(made[0], whole[0]);
                }
            }
        }
    }

    /// Whatever the code was and will be, and whatever stands around it: JSON stays JSON, and holds the new one.
    #[test]
    fn json_stays_json(
        code in "[0-9]{1,5}|[0-9A-Za-z._-]{1,8}",
        before in prop_oneof![
            Just(serde_json::json!(null)),
            any::<i32>().prop_map(|n| serde_json::json!(n)),
            any::<f64>().prop_map(|n| serde_json::json!(n)),
            any::<bool>().prop_map(|b| serde_json::json!(b)),
            ".{0,6}".prop_map(|text| serde_json::json!(text)),
            Just(serde_json::json!([1, {"b": 2}])),
            Just(serde_json::json!({"c": [3], "d": "}"})),
        ],
        around in ".{0,12}",
    ) {
        let body = serde_json::json!({"a": around, "code": before, "z": [around]}).to_string();
        let mut faults = Faults::new(PlatformName::Cmcc);
        faults.arm(rule("a", Fault::VendorCode { code: code.clone() }, Some(on(Kind::Response))));
        let response = Response { status: 200, headers: Vec::new(), body: body.clone().into() };
        match faults.response("/", &response).deed {
            Some((_, Deed::Change(made))) => {
                let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
                let told = match &made["code"] {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                prop_assert_eq!(told, code);
                prop_assert_eq!(&made["a"], &serde_json::json!(around));
            }
            other => {
                prop_assert!(other.is_none());
                prop_assert!(before.is_object() || before.is_array() || before == "", "{}", body);
            }
        }
    }

    /// Whatever is asked for and whatever comes: no panic.
    #[test]
    fn nothing_that_comes_breaks_it(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        topic in ".{0,8}",
        text in ".{0,8}",
    ) {
        let mut faults = Faults::new(PlatformName::Alibaba);
        let what = On { topic: Some(topic), text: Some(text), ..on(Kind::Publish) };
        faults.arm(rule("a", Fault::Duplicate, Some(what)));
        faults.arm(rule("b", Fault::Refuse { code: 5 }, Some(on(Kind::Connack))));
        for packet in &packets {
            let _ = faults.packet(Direction::Down, packet);
            let _ = faults.packet(Direction::Up, packet);
        }
    }
}

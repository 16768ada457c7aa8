//! Everything that was acknowledged is there again, and nothing else is.

use muster::cloud::{Action, OperationResult};
use serde_json::json;

use super::platform::{ALICE, BOB, DN, GATEWAY_PK, PK, Platform, TOKEN, bind_params, published};

fn shown(platform: &mut Platform) -> String {
    let mut shown = Vec::new();
    for action in [
        Action::ListProducts { reveal: true },
        Action::ListDevices { product: PK.into(), after: None, limit: None, reveal: true },
        Action::ListDevices { product: GATEWAY_PK.into(), after: None, limit: None, reveal: true },
        Action::ListUpgrades { product: PK.into() },
        Action::ListReports { product: PK.into(), device: DN.into() },
        Action::ListOwners { reveal: true },
    ] {
        shown.push(serde_json::to_value(platform.operate(action).unwrap()).unwrap());
    }
    serde_json::to_string_pretty(&shown).unwrap()
}

#[test]
fn with_all_that_was_kept() {
    let mut platform = Platform::new();
    platform.switch("token_seconds", "1800");
    platform.bound();
    let topic = format!("/sys/{PK}/{DN}/thing/event/property/post");
    for n in 0..25 {
        platform.publish(1, &topic, &format!(r#"{{"id":"{n}","params":{{"n":{n}}}}}"#));
    }
    let image = Action::AddFirmware {
        product: PK.into(),
        module: None,
        version: "2".into(),
        url: "http://127.0.0.1/fw".into(),
        size: 3,
        md5: "0".repeat(32),
        sha256: "0".repeat(64),
    };
    platform.operate(image).unwrap();
    let push = Action::PushUpgrade {
        product: PK.into(),
        module: None,
        version: "2".into(),
        devices: None,
    };
    platform.operate(push).unwrap();
    let topology = Action::AddTopology {
        product: GATEWAY_PK.into(),
        device: "gateway1".into(),
        sub_product: PK.into(),
        sub_device: DN.into(),
    };
    platform.operate(topology).unwrap();
    platform.lose(1);

    let before = shown(&mut platform);
    platform.restart();
    assert_eq!(shown(&mut platform), before);
    let OperationResult::Reports { items } =
        platform.operate(Action::ListReports { product: PK.into(), device: DN.into() }).unwrap()
    else {
        panic!()
    };
    assert_eq!(items.len(), 20);
    assert!(items[0].json.contains(r#""n":24"#));

    // The app's call after the restart is answered as before it.
    let home = platform.homes["alice"].clone();
    assert_eq!(platform.code(ALICE, "/awss/token/user/bind", &bind_params(&home, TOKEN)), 200);
    let home = platform.homes["bob"].clone();
    assert_eq!(platform.code(BOB, "/awss/token/user/bind", &bind_params(&home, TOKEN)), 2066);
    // The order to update reaches the device when it says what it runs.
    platform.log_in(1, PK, DN);
    let inform = |version: &str| format!(r#"{{"id":"1","params":{{"version":"{version}"}}}}"#);
    let outputs = platform.publish(1, &format!("/ota/device/inform/{PK}/{DN}"), &inform("1"));
    let (topic, order) = published(&outputs).remove(0);
    assert_eq!(topic, format!("/ota/device/upgrade/{PK}/{DN}"));
    assert_eq!((&order["code"], &order["data"]["version"]), (&json!("1000"), &json!("2")));
    let progress = format!("/ota/device/progress/{PK}/{DN}");
    platform.publish(1, &progress, r#"{"id":"1","params":{"step":"50","desc":""}}"#);
    let state = |platform: &mut Platform| {
        let list = Action::ListUpgrades { product: PK.into() };
        let OperationResult::Upgrades { items } = platform.operate(list).unwrap() else { panic!() };
        (items[0].state.clone(), items[0].detail.clone())
    };
    assert_eq!(state(&mut platform), ("downloading".into(), "50 %".into()));
    platform.publish(1, &format!("/ota/device/inform/{PK}/{DN}"), &inform("2"));
    assert_eq!(state(&mut platform).0, "succeeded");
}

#[test]
fn a_deleted_device_leaves_nothing_behind() {
    let mut platform = Platform::new();
    let before = platform.kept.keys().cloned().collect::<Vec<_>>();
    platform.import(PK, "passing-by\n");
    platform
        .operate(Action::Permit {
            product: GATEWAY_PK.into(),
            device: "gateway1".into(),
            sub_product: None,
            seconds: 0,
        })
        .unwrap();
    let delete = Action::DeleteDevice { product: PK.into(), device: "passing-by".into() };
    platform.operate(delete.clone()).unwrap();
    assert_eq!(platform.kept.keys().cloned().collect::<Vec<_>>(), before);
    assert!(platform.operate(delete).is_err());
    // With reports and a session too.
    platform.bound();
    platform.publish(
        1,
        &format!("/sys/{PK}/{DN}/thing/event/property/post"),
        r#"{"id":"1","params":{"a":1}}"#,
    );
    platform.operate(Action::DeleteDevice { product: PK.into(), device: DN.into() }).unwrap();
    assert!(platform.kept.keys().all(|(_, key)| !key.contains(DN)));
    platform.restart();
}

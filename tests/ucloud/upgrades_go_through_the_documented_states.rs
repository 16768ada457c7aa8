use std::time::Duration;

use muster::cloud::{Action, ConnectionId, OperationResult};

use super::support::*;

fn upgrade(platform: &mut Platform) -> (String, String) {
    let list = operation(Action::ListUpgrades { product: PRODUCT.into() });
    let OperationResult::Upgrades { mut items } = platform.operate(list).unwrap() else { panic!() };
    let item = items.remove(0);
    (item.state, item.detail)
}

fn state(platform: &mut Platform) -> String {
    upgrade(platform).0
}

fn report(platform: &mut Platform, connection: ConnectionId, body: &str) -> Vec<String> {
    platform.bench.pass(Duration::from_millis(100));
    let out = platform.publish(connection, &topic("ota/upstream"), 1, body);
    assert_eq!(pubacks(&out), 1);
    downs(&out).into_iter().map(|(_, _, body)| body).collect()
}

fn progress(state: &str, percent: &str) -> String {
    format!(
        r#"{{"Method":"report_progress","Payload":{{"State":"{state}","Percent":{percent},"Version":"2.0.0"}}}}"#
    )
}

fn with_version(method: &str, version: &str) -> String {
    format!(r#"{{"Method":"{method}","Payload":{{"Version":"{version}"}}}}"#)
}

fn ordered() -> (Platform, ConnectionId) {
    let mut platform = Platform::new();
    platform.operate(add_firmware("2.0.0", "http://x/y", &"a".repeat(32), 9)).unwrap();
    let connection = platform.online();
    assert!(report(&mut platform, connection, &with_version("report_version", "1.0.0")).is_empty());
    assert_eq!(downs(&platform.operate_all(push("2.0.0"))).len(), 1);
    assert_eq!(state(&mut platform), "sent");
    (platform, connection)
}

#[test]
fn from_sent_to_succeeded() {
    let (mut platform, connection) = ordered();
    for (body, expected) in [
        (progress("downloading", "0"), ("downloading", "0")),
        (progress("downloading", r#""55""#), ("downloading", "55")),
        (progress("downloading", "101"), ("downloading", "55")),
        (progress("downloading", "-1"), ("downloading", "55")),
        (progress("dreaming", "60"), ("downloading", "55")),
        (progress("burning", "10"), ("upgrading", "10")),
        (with_version("report_success", "2.0.0"), ("succeeded", "")),
        (progress("downloading", "99"), ("succeeded", "")),
        (r#"{"Method":"report_fail","Payload":{"ErrCode":-4}}"#.into(), ("succeeded", "")),
    ] {
        assert!(report(&mut platform, connection, &body).is_empty());
        let (state, detail) = upgrade(&mut platform);
        assert_eq!((state.as_str(), detail.as_str()), expected, "{body}");
    }
    assert_eq!(
        report(&mut platform, connection, &with_version("request_firmware", "1.0.0")).len(),
        0
    );
}

#[test]
fn success_of_another_version_is_a_failure() {
    let (mut platform, connection) = ordered();
    report(&mut platform, connection, &with_version("report_success", "1.9.9"));
    let (state, detail) = upgrade(&mut platform);
    assert_eq!(state, "failed");
    assert!(detail.contains("1.9.9"), "{detail}");
}

#[test]
fn a_failure_shows_the_vendors_code() {
    for code in [-1, -2, -3, -4, -5, -6] {
        let (mut platform, connection) = ordered();
        let body = format!(
            r#"{{"Method":"report_fail","Payload":{{"ErrCode":{code},"Module":"default","Version":"2.0.0"}}}}"#
        );
        report(&mut platform, connection, &body);
        let (state, detail) = upgrade(&mut platform);
        assert_eq!(state, "failed");
        assert!(detail.starts_with(&format!("{code}: ")), "{detail}");
        assert!(
            report(&mut platform, connection, &with_version("request_firmware", "1.0.0"))
                .is_empty()
        );
    }
}

#[test]
fn a_device_that_starts_over_gets_the_order_again_until_it_runs_the_version() {
    let (mut platform, connection) = ordered();
    report(&mut platform, connection, &progress("downloading", "50"));
    let request = with_version("request_firmware", "1.0.0");
    assert_eq!(report(&mut platform, connection, &request).len(), 1);
    assert_eq!(state(&mut platform), "sent");
    let runs = with_version("request_firmware", "2.0.0");
    assert!(report(&mut platform, connection, &runs).is_empty());
    assert_eq!(state(&mut platform), "sent", "only report_success ends it");
    report(&mut platform, connection, &with_version("report_success", "2.0.0"));
    assert_eq!(state(&mut platform), "succeeded");
}

#[test]
fn an_order_waits_for_a_device_that_is_away_or_does_not_listen() {
    let mut platform = Platform::new();
    platform.operate(add_firmware("2.0.0", "http://x/y", &"a".repeat(32), 9)).unwrap();
    platform.operate(push("2.0.0")).unwrap();
    assert_eq!(state(&mut platform), "pending");
    let connection = platform.log_in(1, DEVICE_SECRET);
    let request = with_version("request_firmware", "1.0.0");
    assert!(report(&mut platform, connection, &request).is_empty());
    assert_eq!(state(&mut platform), "pending");
    platform.subscribe(connection, &topic("ota/downstream"), 1);
    assert_eq!(report(&mut platform, connection, &request).len(), 1);
    assert_eq!(state(&mut platform), "sent");
}

#[test]
fn a_device_that_runs_the_version_is_not_ordered_to_update() {
    let mut platform = Platform::new();
    platform.operate(add_firmware("2.0.0", "http://x/y", &"a".repeat(32), 9)).unwrap();
    platform.operate(push("2.0.0")).unwrap();
    let connection = platform.online();
    report(&mut platform, connection, &with_version("report_version", "2.0.0"));
    assert_eq!(upgrade(&mut platform), ("succeeded".into(), "ran it already".into()));
    let ordered = platform.operate(push("2.0.0")).unwrap();
    assert_eq!(ordered, OperationResult::Ordered { devices: 0 });
}

#[test]
fn an_order_can_be_taken_back_until_it_is_over() {
    let (mut platform, connection) = ordered();
    let out = platform.operate_all(cancel_upgrade());
    let cancel = r#"{"Method":"cancel_update","Payload":{"Module":"default","Version":"2.0.0"}}"#;
    assert_eq!(downs(&out)[0].2, cancel);
    assert_eq!(state(&mut platform), "cancelled");
    assert!(downs(&platform.operate_all(cancel_upgrade())).is_empty(), "once");
    report(&mut platform, connection, &progress("downloading", "50"));
    assert_eq!(state(&mut platform), "cancelled");
    // Too late: the device had installed it.
    report(&mut platform, connection, &with_version("report_success", "2.0.0"));
    assert_eq!(state(&mut platform), "succeeded");
}

#[test]
fn modules_are_apart() {
    let mut platform = Platform::new();
    let module_firmware = Action::AddFirmware {
        product: PRODUCT.into(),
        module: Some("modem".into()),
        version: "7.1".into(),
        url: "http://x/y".into(),
        size: 1,
        md5: "a".repeat(32),
        sha256: "0".repeat(64),
    };
    let connection = platform.online();
    let version = |module: &str| {
        format!(
            r#"{{"Method":"report_version","Payload":{{"Module":"{module}","Version":"7.0"}}}}"#
        )
    };
    report(&mut platform, connection, &version("modem"));
    platform.operate(operation(module_firmware)).unwrap();
    let OperationResult::Devices { items, .. } = platform.operate(list_devices()).unwrap() else {
        panic!()
    };
    assert_eq!(items[0].more.get("version modem"), None, "a module without firmware is unknown");
    report(&mut platform, connection, &version("modem"));
    let OperationResult::Devices { items, .. } = platform.operate(list_devices()).unwrap() else {
        panic!()
    };
    assert_eq!(items[0].more.get("version modem").map(String::as_str), Some("7.0"));
    assert_eq!(items[0].version, None);
    let push = Action::PushUpgrade {
        product: PRODUCT.into(),
        module: Some("modem".into()),
        version: "7.1".into(),
        devices: Some(vec![DEVICE.into(), DEVICE.into()]),
    };
    let out = platform.operate_all(operation(push));
    assert_eq!(downs(&out).len(), 1);
    assert!(report(&mut platform, connection, &with_version("request_firmware", "1.0")).is_empty());
}

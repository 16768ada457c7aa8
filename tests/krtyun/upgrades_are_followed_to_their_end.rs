use muster::cloud::{Action, OperationErrorKind, OperationResult};

use crate::support::*;

fn state(door: &mut Door) -> String {
    upgrade(door.operate(list_upgrades()).unwrap()).state
}

/// A cloud with an image, and an active device that listens.
fn listening() -> (Door, u64) {
    let mut door = Door::new(&[]);
    door.operate(add_firmware("2")).unwrap();
    let connection = door.login(DEVICE_SECRET);
    door.subscribe(connection, &topic("ota/set"));
    (door, connection)
}

fn order_id(seen: &[Seen]) -> String {
    seen.iter()
        .find_map(|s| match s {
            Seen::Publish(_, to, _, body) if *to == topic("ota/set") => {
                Some(json(body.as_bytes())["ID"].as_str().unwrap().to_string())
            }
            _ => None,
        })
        .expect("an order")
}

fn back(id: &str, back: &str) -> String {
    format!(r#"{{"CMD":11,"ID":"{id}","BACK":"{back}"}}"#)
}

fn report(version: &str) -> String {
    format!(r#"{{"CMD":10,"HW_VERSION":"1","FW_VERSION":"{version}"}}"#)
}

#[test]
fn sent_answered_reported() {
    let (mut door, connection) = listening();
    let (seen, result) = door.operate_seen(push_upgrade("2"));
    assert!(result.unwrap() == OperationResult::Ordered { devices: 1 });
    assert_eq!(state(&mut door), "sent");
    door.publish(connection, &topic("ota/post"), &back(&order_id(&seen), "OK"));
    assert_eq!(state(&mut door), "downloading");
    door.publish(connection, &topic("ota/post"), &report("1"));
    assert_eq!(state(&mut door), "downloading", "an old version is no end");
    door.publish(connection, &topic("ota/post"), &report("2"));
    assert_eq!(state(&mut door), "succeeded");
}

#[test]
fn anything_but_ok_is_a_failure() {
    for answer in ["ERROR", "ok", "OK!", ""] {
        let (mut door, connection) = listening();
        let (seen, _) = door.operate_seen(push_upgrade("2"));
        door.publish(connection, &topic("ota/post"), &back(&order_id(&seen), answer));
        let failed = upgrade(door.operate(list_upgrades()).unwrap());
        assert_eq!(failed.state, "failed", "{answer}");
        assert!(failed.detail.contains(answer));
        // It is not sent again.
        let again = door.login(DEVICE_SECRET);
        assert_eq!(door.subscribe(again, &topic("ota/set")).len(), 1);
    }
}

#[test]
fn an_answer_to_another_order_is_none() {
    let (mut door, connection) = listening();
    door.operate(push_upgrade("2")).unwrap();
    door.publish(connection, &topic("ota/post"), &back("other", "ERROR"));
    assert_eq!(state(&mut door), "sent");
}

#[test]
fn a_late_no_does_not_undo_a_success() {
    let (mut door, connection) = listening();
    let (seen, _) = door.operate_seen(push_upgrade("2"));
    door.publish(connection, &topic("ota/post"), &report("2"));
    door.publish(connection, &topic("ota/post"), &back(&order_id(&seen), "ERROR"));
    assert_eq!(state(&mut door), "succeeded");
}

#[test]
fn it_waits_for_the_device_and_is_sent_again_with_the_same_id() {
    let mut door = Door::new(&[]);
    door.operate(add_firmware("2")).unwrap();
    door.operate(push_upgrade("2")).unwrap();
    assert_eq!(state(&mut door), "pending");
    let connection = door.login(DEVICE_SECRET);
    assert_eq!(state(&mut door), "pending", "it does not listen yet");
    let first = order_id(&door.subscribe(connection, &topic("ota/set")));
    assert_eq!(state(&mut door), "sent");
    let connection = door.login(DEVICE_SECRET);
    let second = order_id(&door.subscribe(connection, &topic("ota/set")));
    assert_eq!(first, second);
    door.publish(connection, &topic("ota/post"), &back(&first, "OK"));
    // It went away in the middle of the download.
    let connection = door.login(DEVICE_SECRET);
    assert_eq!(order_id(&door.subscribe(connection, &topic("ota/set"))), first);
}

#[test]
fn but_not_for_ever() {
    let mut door = Door::new(&[]);
    door.operate(add_firmware("2")).unwrap();
    door.operate(push_upgrade("2")).unwrap();
    for _ in 0..10 {
        let connection = door.login(DEVICE_SECRET);
        order_id(&door.subscribe(connection, &topic("ota/set")));
    }
    let connection = door.login(DEVICE_SECRET);
    assert_eq!(door.subscribe(connection, &topic("ota/set")).len(), 1);
    assert_eq!(state(&mut door), "failed");
}

#[test]
fn a_new_order_replaces_the_old_one() {
    let (mut door, connection) = listening();
    door.operate(add_firmware("3")).unwrap();
    let (seen, _) = door.operate_seen(push_upgrade("2"));
    let old = order_id(&seen);
    let (seen, _) = door.operate_seen(push_upgrade("3"));
    let new = order_id(&seen);
    assert_ne!(old, new);
    door.publish(connection, &topic("ota/post"), &back(&old, "ERROR"));
    assert_eq!(state(&mut door), "sent");
    door.publish(connection, &topic("ota/post"), &report("2"));
    assert_eq!(state(&mut door), "sent");
    door.publish(connection, &topic("ota/post"), &report("3"));
    assert_eq!(state(&mut door), "succeeded");
}

#[test]
fn who_runs_it_already_is_not_ordered() {
    let (mut door, connection) = listening();
    door.publish(connection, &topic("ota/post"), &report("2"));
    let (seen, result) = door.operate_seen(push_upgrade("2"));
    assert!(result.unwrap() == OperationResult::Ordered { devices: 0 });
    assert_eq!(seen, []);
    assert_eq!(state(&mut door), "succeeded");
}

#[test]
fn all_of_a_product_at_once() {
    let (mut door, _) = listening();
    door.operate(import("a1\na2\n")).unwrap();
    let (product, version) = (PRODUCT.into(), "2".into());
    let push = Action::PushUpgrade { product, module: None, version, devices: None };
    assert!(door.operate(action(push)).unwrap() == OperationResult::Ordered { devices: 3 });
}

#[test]
fn an_order_can_be_taken_back_before_it_is_followed() {
    let cancel =
        || action(Action::CancelUpgrade { product: PRODUCT.into(), module: None, devices: None });
    let mut door = Door::new(&[]);
    door.operate(add_firmware("2")).unwrap();
    door.operate(push_upgrade("2")).unwrap();
    assert!(door.operate(cancel()).unwrap() == OperationResult::Ordered { devices: 1 });
    assert_eq!(state(&mut door), "cancelled");
    let connection = door.login(DEVICE_SECRET);
    assert_eq!(door.subscribe(connection, &topic("ota/set")).len(), 1, "not sent");
    assert!(door.operate(cancel()).unwrap() == OperationResult::Ordered { devices: 0 });

    let (mut door, _) = listening();
    door.operate(push_upgrade("2")).unwrap();
    door.operate(cancel()).unwrap();
    let cancelled = upgrade(door.operate(list_upgrades()).unwrap());
    assert_eq!(cancelled.state, "cancelled");
    assert!(cancelled.detail.contains("may still"), "the protocol has no word for it");
}

#[test]
fn an_image_has_to_be_reachable_by_http_and_be_new() {
    let mut door = Door::new(&[]);
    let add = |version: &str, url: &str, module: Option<&str>| {
        action(Action::AddFirmware {
            product: PRODUCT.into(),
            module: module.map(Into::into),
            version: version.into(),
            url: url.into(),
            size: 1,
            md5: String::new(),
            sha256: String::new(),
        })
    };
    let kind = |result: Operated| result.expect_err("a refusal").kind;
    for (version, url, module) in [
        ("1", "https://h/f", None),
        ("1", "f", None),
        ("", "http://h/f", None),
        ("a b", "http://h/f", None),
        ("1", "http://h/f", Some("modem")),
    ] {
        let result = door.operate(add(version, url, module));
        assert_eq!(kind(result), OperationErrorKind::Invalid, "{version} {url}");
    }
    door.operate(add("1", "http://h/f", Some("default"))).unwrap();
    assert_eq!(kind(door.operate(add("1", "http://h/g", None))), OperationErrorKind::Exists);
    for n in 2..=100 {
        door.operate(add(&n.to_string(), "http://h/f", None)).unwrap();
    }
    assert_eq!(kind(door.operate(add("101", "http://h/f", None))), OperationErrorKind::Full);
}

use muster::cloud::{Action, OperationErrorKind, OperationResult};

use crate::support::*;

fn kind(result: Operated) -> OperationErrorKind {
    result.expect_err("a refusal").kind
}

#[test]
fn a_product_is_made_with_what_is_not_given() {
    let mut door = Door::new(&[]);
    let create = Action::CreateProduct {
        name: "n".into(),
        id: None,
        secret: None,
        switches: Default::default(),
    };
    let OperationResult::Product(made) = door.operate(action(create)).unwrap() else {
        panic!("no product")
    };
    assert!(made.id.len() == 10 && made.id.bytes().all(|b| b.is_ascii_digit()), "{}", made.id);
    assert_eq!(made.secret.unwrap().len(), 16);
    // Both have to be switched on by the operator, says the document.
    assert_eq!(made.switches["DynamicRegister"], "false");
    assert_eq!(made.switches["AutoCreate"], "false");
    assert_eq!(made.switches["cmd.register_request"], "20");
    let list = |door: &mut Door, reveal| match door
        .operate(action(Action::ListProducts { reveal }))
        .unwrap()
    {
        OperationResult::Products { items } => items,
        _ => panic!("no list"),
    };
    assert_eq!(list(&mut door, false).len(), 2);
    assert!(list(&mut door, false).iter().all(|p| p.secret.is_none()));
    assert!(list(&mut door, true).iter().all(|p| p.secret.is_some()));
}

#[test]
fn a_product_that_cannot_be_is_refused() {
    let mut door = Door::new(&[]);
    let create = |id: &str, secret: &str, switch: Option<(&str, &str)>| {
        action(Action::CreateProduct {
            name: String::new(),
            id: Some(id.into()),
            secret: Some(secret.into()),
            switches: switch.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
        })
    };
    assert_eq!(kind(door.operate(create(PRODUCT, "s", None))), OperationErrorKind::Exists);
    for (id, secret) in [("a/b", "s"), ("", "s"), ("ok", ""), ("ok", "a b")] {
        assert_eq!(kind(door.operate(create(id, secret, None))), OperationErrorKind::Invalid);
    }
    for switch in [("Unknown", "true"), ("AutoCreate", "maybe"), ("AutoCreateLimit", "-1")] {
        let refusal = door.operate(create("ok", "s", Some(switch)));
        assert_eq!(kind(refusal), OperationErrorKind::Invalid);
    }
    for n in 1..100 {
        door.operate(create(&format!("p{n}"), "s", None)).unwrap();
    }
    assert_eq!(kind(door.operate(create("full", "s", None))), OperationErrorKind::Full);
}

#[test]
fn devices_are_imported_row_by_row() {
    let mut door = Door::new(&[]);
    let csv = format!(
        "device_id,device_secret\n{DEVICE},other\nd1,s1\nd2,\na/b,\n,x\nd3,a b\nd4,{PRODUCT_SECRET}\n"
    );
    let OperationResult::Imported { added, existing, rejected } =
        door.operate(import(&csv)).unwrap()
    else {
        panic!("no import")
    };
    assert_eq!((added, existing), (2, 1));
    assert_eq!(rejected.iter().map(|r| r.line).collect::<Vec<_>>(), [5, 6, 7, 8]);
    assert_eq!(door.device().secret.as_deref(), Some(DEVICE_SECRET), "left as it was");
    let list = devices(door.operate(list_devices()).unwrap());
    let secret = |name: &str| list.iter().find(|d| d.name == name).unwrap().secret.clone().unwrap();
    assert_eq!(secret("d1"), "s1");
    assert_eq!(secret("d2").len(), 16);
    assert_eq!(
        kind(door.operate(import("colour,device_id\nred,d9\n"))),
        OperationErrorKind::Invalid
    );
    assert_eq!(kind(door.operate(import(""))), OperationErrorKind::Invalid);
    door.operate(import("DeviceID,DeviceSecret\nd5,s5\n")).unwrap();
    assert_eq!(devices(door.operate(list_devices()).unwrap()).len(), 4);
}

#[test]
fn devices_are_listed_in_pages_and_without_secrets() {
    let mut door = Door::new(&[]);
    door.operate(import("a1\na2\na3\n")).unwrap();
    let list = |after: Option<&str>, limit| {
        let (product, after) = (PRODUCT.into(), after.map(Into::into));
        action(Action::ListDevices { product, after, limit, reveal: false })
    };
    let OperationResult::Devices { total, items } =
        door.operate(list(Some("880001"), Some(2))).unwrap()
    else {
        panic!("no list")
    };
    assert_eq!(total, 4);
    assert_eq!(items.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["a1", "a2"]);
    assert!(items.iter().all(|d| d.secret.is_none()));
}

#[test]
fn a_disabled_device_is_thrown_out_and_kept_out() {
    let mut door = Door::new(&[]);
    let connection = door.login(DEVICE_SECRET);
    let disable = |disabled| {
        action(Action::Disable { product: PRODUCT.into(), device: DEVICE.into(), disabled })
    };
    let (seen, result) = door.operate_seen(disable(true));
    result.unwrap();
    assert_eq!(seen, [Seen::Close(connection)]);
    for secret in [DEVICE_SECRET, PRODUCT_SECRET] {
        let (connection, seen) = door.connect(PRODUCT, DEVICE, secret);
        assert_eq!(seen, refused(connection, 5));
    }
    let (connection, seen) = door.connect(PRODUCT, DEVICE, "wrong");
    assert_eq!(seen, refused(connection, 4), "who does not know a secret learns nothing");
    door.operate(disable(false)).unwrap();
    door.login(DEVICE_SECRET);
}

#[test]
fn a_reset_opens_registration_again() {
    for new_secret in [false, true] {
        let mut door = Door::new(&[]);
        let old = door.register();
        let connection = door.login(&old);
        let reset = Action::Reset { product: PRODUCT.into(), device: DEVICE.into(), new_secret };
        let (seen, result) = door.operate_seen(action(reset));
        result.unwrap();
        assert_eq!(seen, [Seen::Close(connection)]);
        assert_eq!(door.device().state, "inactive");
        let again = door.register();
        assert_eq!(again != old, new_secret);
    }
}

#[test]
fn a_deleted_device_is_gone() {
    let mut door = Door::new(&[]);
    let connection = door.login(DEVICE_SECRET);
    let body = r#"{"CMD":10,"HW_VERSION":"1","FW_VERSION":"2"}"#;
    door.publish(connection, &topic("ota/post"), body);
    let kept = door.kept.len();
    let delete = || action(Action::DeleteDevice { product: PRODUCT.into(), device: DEVICE.into() });
    let (seen, result) = door.operate_seen(delete());
    result.unwrap();
    assert_eq!(seen, [Seen::Close(connection)]);
    assert_eq!(door.kept.len(), kept - 2, "the device and its reports");
    let (connection, seen) = door.connect(PRODUCT, DEVICE, DEVICE_SECRET);
    assert_eq!(seen, refused(connection, 4));
    assert_eq!(kind(door.operate(delete())), OperationErrorKind::NotFound);
}

#[test]
fn what_is_not_there_is_not_found_and_what_is_of_others_not_supported() {
    let mut door = Door::new(&[]);
    let (p, d) = (PRODUCT.to_string(), "nobody".to_string());
    let missing = [
        Action::ListDevices { product: "x".into(), after: None, limit: None, reveal: false },
        Action::ImportDevices { product: "x".into(), csv: "a".into() },
        Action::Switch { product: Some("x".into()), name: "AutoCreate".into(), value: "1".into() },
        Action::Disable { product: p.clone(), device: d.clone(), disabled: true },
        Action::Reset { product: p.clone(), device: d.clone(), new_secret: false },
        Action::ListReports { product: p.clone(), device: d.clone() },
        Action::ListUpgrades { product: "x".into() },
        Action::CancelUpgrade { product: p.clone(), module: None, devices: Some(vec![d.clone()]) },
        Action::PushUpgrade {
            product: p.clone(),
            module: None,
            version: "9".into(),
            devices: None,
        },
    ];
    for wanted in missing {
        let name = wanted.name();
        assert_eq!(kind(door.operate(action(wanted))), OperationErrorKind::NotFound, "{name}");
    }
    let of_others = [
        Action::CreateOwner { identity: "o".into() },
        Action::SetProperties { product: p.clone(), device: DEVICE.into(), json: "{}".into() },
    ];
    for other in of_others {
        assert_eq!(kind(door.operate(action(other))), OperationErrorKind::Unsupported);
    }
    let no_product = Action::Switch { product: None, name: "AutoCreate".into(), value: "1".into() };
    assert_eq!(kind(door.operate(action(no_product))), OperationErrorKind::Invalid);
}

#[test]
fn every_switch_that_is_shown_can_be_set() {
    let mut door = Door::new(&[]);
    let OperationResult::Products { items } =
        door.operate(action(Action::ListProducts { reveal: false })).unwrap()
    else {
        panic!("no list")
    };
    assert_eq!(items[0].switches.len(), 15);
    for (name, value) in &items[0].switches {
        door.operate(switch(name, value)).unwrap();
    }
    let error = door.operate(switch("Colour", "red")).err().unwrap();
    assert!(error.message.contains("AutoCreateLimit"), "it tells what there is");
}

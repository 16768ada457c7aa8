use std::collections::BTreeMap;
use std::time::Duration;

use muster::cloud::{
    Action, DeviceView, OperationErrorKind as Kind, OperationResult, ProductView, RejectedRow,
};
use muster::sim::World;
use muster::{Event, Intent, Stored};

use super::setup::{
    KEY, NUMBER, PRODUCT, SECRET, config, hours, import, operate, run_to_ready, switch, world,
};

fn kind(world: &mut World, action: Action) -> Kind {
    match operate(world, action) {
        Err(error) => {
            assert!(!error.message.is_empty());
            error.kind
        }
        Ok(_) => panic!("it was done"),
    }
}

fn create(id: Option<&str>, secret: Option<&str>) -> Action {
    let (id, secret) = (id.map(Into::into), secret.map(Into::into));
    Action::CreateProduct { name: "P".into(), id, secret, switches: BTreeMap::new() }
}

fn products(world: &mut World, reveal: bool) -> Vec<ProductView> {
    match operate(world, Action::ListProducts { reveal }).unwrap() {
        OperationResult::Products { items } => items,
        _ => panic!(),
    }
}

fn devices(
    world: &mut World,
    after: Option<&str>,
    limit: Option<usize>,
    reveal: bool,
) -> (usize, Vec<DeviceView>) {
    let after = after.map(Into::into);
    let action = Action::ListDevices { product: PRODUCT.into(), after, limit, reveal };
    match operate(world, action).unwrap() {
        OperationResult::Devices { total, items } => (total, items),
        _ => panic!(),
    }
}

fn imported(result: OperationResult) -> (usize, usize, Vec<RejectedRow>) {
    match result {
        OperationResult::Imported { added, existing, rejected } => (added, existing, rejected),
        _ => panic!(),
    }
}

#[test]
fn a_product_gets_an_id_of_13_digits_and_a_key_of_16_characters() {
    let mut world = world();
    let OperationResult::Product(view) = operate(&mut world, create(None, None)).unwrap() else {
        panic!()
    };
    assert_eq!(view.id.len(), 13);
    assert!(view.id.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(view.secret.unwrap().len(), 16);
    assert_eq!(view.devices, 0);

    assert_eq!(kind(&mut world, create(Some(PRODUCT), None)), Kind::Exists);
    for bad in ["", "a/b", "1 2", &"1".repeat(33)] {
        assert_eq!(kind(&mut world, create(Some(bad), None)), Kind::Invalid, "{bad}");
    }
    assert_eq!(kind(&mut world, create(None, Some("a b"))), Kind::Invalid);
    assert!(products(&mut world, false).iter().all(|product| product.secret.is_none()));
    let shown = products(&mut world, true);
    assert_eq!(shown.len(), 2);
    assert!(shown.iter().any(|product| product.secret.as_deref() == Some(KEY)));
    for _ in 0..98 {
        operate(&mut world, create(None, None)).unwrap();
    }
    assert_eq!(kind(&mut world, create(None, None)), Kind::Full);
}

#[test]
fn numbers_are_imported_with_a_reason_for_each_that_is_not() {
    let mut world = world();
    let csv = "device_no_type,device_no,device_secret\n\
               SN,SN-1,\n\
               IMEI,490154203237518,own-secret\n\
               IMEI,49015420323751,\n\
               CMEI,11123456123456X,\n\
               MAC,50-5A-65-51-82-13,\n\
               ,SN-2,\n\
               SN,,x\n\
               SN,SN-3,a b\n\
               SN,SN-1,\n";
    let (added, existing, rejected) = imported(import(&mut world, csv));
    assert_eq!((added, existing), (3, 1));
    let lines: Vec<u64> = rejected.iter().map(|row| row.line).collect();
    assert_eq!(lines, [4, 5, 6, 8, 9]);
    assert!(rejected[0].reason.contains("15 digits, not 14"), "{}", rejected[0].reason);
    // A bare list is one of serial numbers.
    assert_eq!(imported(import(&mut world, "A-1\nA-2\nA-1\n")).0, 2);
    let (total, items) = devices(&mut world, None, None, true);
    assert_eq!(total, 6);
    let names: Vec<&str> = items.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, [NUMBER, "490154203237518", "A-1", "A-2", "SN-1", "SN-2"]);
    assert_eq!(items[0].secret.as_deref(), Some(SECRET));
    assert_eq!(items[1].secret.as_deref(), Some("own-secret"));
    assert_eq!(items[2].secret.as_ref().unwrap().len(), 32);
    assert_eq!(items[1].more["device_no_type"], "IMEI");
    assert!(items.iter().all(|device| device.state == "inactive"));

    let (total, page) = devices(&mut world, Some("A-1"), Some(2), false);
    assert_eq!(total, 6);
    assert_eq!(page.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["A-2", "SN-1"]);
    assert!(page.iter().all(|device| device.secret.is_none()));
    let unknown = Action::ImportDevices { product: "0".into(), csv: "1\n".into() };
    assert_eq!(kind(&mut world, unknown), Kind::NotFound);
    let columns =
        Action::ImportDevices { product: PRODUCT.into(), csv: "device_no,colour\n1,2\n".into() };
    assert_eq!(kind(&mut world, columns), Kind::Invalid);
    // Known types are checked even where any type may come.
    switch(&mut world, Some(PRODUCT), "any_device_no_type", "true");
    let (added, _, rejected) =
        imported(import(&mut world, "device_no_type,device_no\nMAC,50-5A\nIMEI,1\n"));
    assert_eq!((added, rejected.len()), (1, 1));
}

#[test]
fn the_state_and_the_last_activity_of_a_device_are_seen() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let (_, items) = devices(&mut world, None, None, false);
    assert_eq!(items[0].state, "online");
    assert_eq!(items[0].version.as_deref(), Some("1.0.0"));
    assert_eq!(items[0].more["secret_info_answers"], "1");
    let active = items[0].last_active.unwrap();
    hours(&mut world, 13);
    let (_, items) = devices(&mut world, None, None, false);
    assert!(items[0].last_active.unwrap() > active);
    // A device that has not reported for a day breaks the platform's rule.
    world.cut_power(id);
    hours(&mut world, 25);
    assert_eq!(devices(&mut world, None, None, false).1[0].state, "offline");
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    operate(&mut world, Action::Reset { product, device, new_secret: false }).unwrap();
    let (_, items) = devices(&mut world, None, None, true);
    assert_eq!((items[0].state.as_str(), items[0].last_active), ("inactive", None));
    assert_eq!(items[0].secret.as_deref(), Some(SECRET));
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    operate(&mut world, Action::Disable { product, device, disabled: true }).unwrap();
    assert_eq!(devices(&mut world, None, None, false).1[0].state, "disabled");
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    operate(&mut world, Action::DeleteDevice { product, device }).unwrap();
    assert_eq!(devices(&mut world, None, None, false).0, 0);
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    assert_eq!(kind(&mut world, Action::DeleteDevice { product, device }), Kind::NotFound);
    assert!(!world.kept.keys().any(|(_, table, _)| *table == "report" || *table == "device"));
}

#[test]
fn a_number_that_is_deleted_and_imported_again_is_another_device() {
    let mut world = world();
    let id = world.add(config(), Stored::empty()).unwrap();
    run_to_ready(&mut world, id);
    let before = devices(&mut world, None, None, true).1[0].more["device_id"].clone();
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    operate(&mut world, Action::DeleteDevice { product, device }).unwrap();
    // With the very same secret.
    import(
        &mut world,
        &format!("device_no_type,device_no,device_secret\nCMEI,{NUMBER},{SECRET}\n"),
    );
    assert_ne!(devices(&mut world, None, None, true).1[0].more["device_id"], before);
    world.intent(id, Intent::Report).unwrap();
    world.run_for(Duration::from_secs(1));
    assert!(matches!(world.events(id).last(), Some((_, Event::Stopped { .. }))));
    assert_eq!(devices(&mut world, None, None, true).1[0].state, "inactive");
}

#[test]
fn switches_are_known_by_name_and_a_product_may_differ_from_the_platform() {
    let mut world = world();
    let on = |world: &mut World| products(world, false)[0].switches["numeric_code"].clone();
    assert_eq!(on(&mut world), "false");
    switch(&mut world, None, "numeric_code", "true");
    assert_eq!(on(&mut world), "true");
    switch(&mut world, Some(PRODUCT), "numeric_code", "false");
    assert_eq!(on(&mut world), "false");
    let names: Vec<String> = products(&mut world, false)[0].switches.keys().cloned().collect();
    assert_eq!(
        names,
        ["any_device_no_type", "lenient_params", "numeric_code", "numeric_protocol_type_time"]
    );
    let bad = |name: &str, value: &str| Action::Switch {
        product: None,
        name: name.into(),
        value: value.into(),
    };
    assert_eq!(kind(&mut world, bad("colour", "true")), Kind::Invalid);
    assert_eq!(kind(&mut world, bad("numeric_code", "1")), Kind::Invalid);
}

#[test]
fn what_this_platform_has_not_is_said_so() {
    let mut world = world();
    let (product, device) = (PRODUCT.to_string(), NUMBER.to_string());
    let push = Action::PushUpgrade {
        product: product.clone(),
        module: None,
        version: "2".into(),
        devices: None,
    };
    assert_eq!(kind(&mut world, push), Kind::Unsupported);
    let set = Action::SetProperties { product, device, json: "{}".into() };
    assert_eq!(kind(&mut world, set), Kind::Unsupported);
    assert_eq!(kind(&mut world, Action::CreateOwner { identity: "a".into() }), Kind::Unsupported);
}

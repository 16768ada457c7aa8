use std::collections::BTreeMap;

use muster::cloud::{Action, OperationErrorKind, OperationResult, ProductView};

use super::support::*;

fn create(id: Option<&str>, secret: Option<&str>, switches: &[(&str, &str)]) -> Action {
    let switches = switches.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let name = "Lamp".to_string();
    Action::CreateProduct { name, id: id.map(Into::into), secret: secret.map(Into::into), switches }
}

fn kind(platform: &mut Platform, action: Action) -> OperationErrorKind {
    platform.operate(operation(action)).unwrap_err().kind
}

#[test]
fn products_are_created_with_what_is_missing_and_listed() {
    let mut platform = Platform::empty();
    let made = platform.operate(operation(create(None, None, &[]))).unwrap();
    let OperationResult::Product(ProductView { id, secret: Some(secret), switches, .. }) = made
    else {
        panic!()
    };
    assert_eq!((id.len(), secret.len()), (16, 16));
    // The console's defaults: dynamic registration closed, only devices that were added.
    let defaults = [("DynamicRegister", "false"), ("PreRegister", "true")];
    assert_eq!(switches, defaults.map(|(k, v)| (k.to_string(), v.to_string())).into());
    for (reveal, shown) in [(false, None), (true, Some(secret))] {
        let list = platform.operate(operation(Action::ListProducts { reveal })).unwrap();
        let OperationResult::Products { items } = list else { panic!() };
        assert_eq!((items.len(), &items[0].secret), (1, &shown));
    }
    let twice = create(Some(&id), None, &[]);
    assert_eq!(kind(&mut platform, twice), OperationErrorKind::Exists);
    for bad in [
        create(Some("a b"), None, &[]),
        create(Some(""), None, &[]),
        create(None, Some(""), &[]),
        create(None, Some("with\"quote"), &[]),
        create(None, None, &[("DynamicRegister", "x")]),
    ] {
        assert_eq!(kind(&mut platform, bad), OperationErrorKind::Invalid);
    }
    let unknown = create(None, None, &[("Colour", "red")]);
    assert_eq!(kind(&mut platform, unknown), OperationErrorKind::NotFound);
    for _ in 1..100 {
        platform.operate(operation(create(None, None, &[]))).unwrap();
    }
    assert_eq!(kind(&mut platform, create(None, None, &[])), OperationErrorKind::Full);
}

#[test]
fn devices_are_imported_from_csv_and_listed_in_pages() {
    let mut platform = Platform::empty();
    platform.operate(create_product()).unwrap();
    let import =
        |csv: &str| operation(Action::ImportDevices { product: PRODUCT.into(), csv: csv.into() });
    let csv = "device_sn,device_secret\nlamp-0001,abcdefgh12345678\nlamp-0002,\nabc,\nlamp-0001,\nlamp 3,\n\
               lamp-0004,with\\backslash\n,x\n";
    let OperationResult::Imported { added, existing, rejected } =
        platform.operate(import(csv)).unwrap()
    else {
        panic!()
    };
    let lines: Vec<u64> = rejected.iter().map(|row| row.line).collect();
    assert_eq!((added, existing, &lines[..]), (2, 1, &[4, 6, 7, 8][..]));
    // A bare list of numbers is fine, too.
    let bare: String = (0..250).map(|i| format!("lamp-1{i:03}\n")).collect();
    platform.operate(import(&bare)).unwrap();
    let (mut after, mut names) = (None, Vec::new());
    loop {
        let list = Action::ListDevices {
            product: PRODUCT.into(),
            after: after.clone(),
            limit: Some(100),
            reveal: true,
        };
        let OperationResult::Devices { total, items } = platform.operate(operation(list)).unwrap()
        else {
            panic!()
        };
        assert_eq!(total, 252);
        let Some(last) = items.last() else { break };
        after = Some(last.name.clone());
        assert!(
            items.iter().all(|d| d.state == "inactive" && d.secret.as_ref().unwrap().len() == 16)
        );
        names.extend(items.into_iter().map(|device| device.name));
    }
    assert_eq!(names.len(), 252);
    assert!(names.is_sorted());
    assert!(platform.operate(import("sn,colour\n1,2\n")).is_ok(), "no known column: data");
    assert!(platform.operate(import("device_sn,colour\n1,2\n")).is_err());
    assert!(platform.operate(import("")).is_err());
}

#[test]
fn what_does_not_exist_is_said_not_to() {
    let mut platform = Platform::new();
    let (product, device) = (PRODUCT.to_string(), "nosuch".to_string());
    for action in [
        Action::Disable { product: product.clone(), device: device.clone(), disabled: true },
        Action::Reset { product: product.clone(), device: device.clone(), new_secret: true },
        Action::DeleteDevice { product: product.clone(), device: device.clone() },
        Action::ListReports { product: product.clone(), device: device.clone() },
        Action::SetProperties { product: product.clone(), device, json: "{}".into() },
        Action::ImportDevices { product: "nosuch".into(), csv: "abcd".into() },
        Action::ListUpgrades { product: "nosuch".into() },
        Action::PushUpgrade {
            product: product.clone(),
            module: None,
            version: "9".into(),
            devices: None,
        },
        Action::CancelUpgrade { product, module: None, devices: Some(vec!["nosuch".into()]) },
    ] {
        let name = action.name();
        assert_eq!(kind(&mut platform, action), OperationErrorKind::NotFound, "{name}");
    }
    let alien = Action::CreateOwner { identity: "me".into() };
    assert_eq!(kind(&mut platform, alien), OperationErrorKind::Unsupported);
}

#[test]
fn firmware_is_taken_only_as_documented() {
    let mut platform = Platform::new();
    let md5 = "a".repeat(32);
    let long = format!("http://x/{}", "a".repeat(1100));
    for (version, url, md5, size) in [
        ("", "http://x/y", md5.as_str(), 1),
        ("1.0/2", "http://x/y", &md5, 1),
        (&"9".repeat(33), "http://x/y", &md5, 1),
        ("2.0", "ftp://x/y", &md5, 1),
        ("2.0", "http://", &md5, 1),
        ("2.0", "http://x/\"y", &md5, 1),
        ("2.0", &long, &md5, 1),
        ("2.0", "http://x/y", "beef", 1),
        ("2.0", "http://x/y", &md5, 0),
        ("2.0", "http://x/y", &md5, 10 * 1024 * 1024 + 1),
    ] {
        let error = platform.operate(add_firmware(version, url, md5, size)).unwrap_err();
        assert_eq!(error.kind, OperationErrorKind::Invalid, "{version} {url:.30}");
    }
    for i in 0..100 {
        platform.operate(add_firmware(&format!("2.{i}"), "http://x/y", &md5, 1)).unwrap();
    }
    let kind = |p: &mut Platform, version: &str| {
        p.operate(add_firmware(version, "http://x/y", &md5, 1)).unwrap_err().kind
    };
    assert_eq!(kind(&mut platform, "2.0"), OperationErrorKind::Exists);
    assert_eq!(kind(&mut platform, "3.0"), OperationErrorKind::Full);
    let OperationResult::Products { items } =
        platform.operate(operation(Action::ListProducts { reveal: false })).unwrap()
    else {
        panic!()
    };
    assert_eq!((items[0].devices, items[0].firmware.len()), (1, 100));
    let _: BTreeMap<String, String> = items[0].switches.clone();
}

#[test]
fn an_import_takes_the_vendors_spelling_of_its_columns() {
    let mut platform = Platform::empty();
    platform.operate(create_product()).unwrap();
    let import =
        |csv: &str| operation(Action::ImportDevices { product: PRODUCT.into(), csv: csv.into() });
    let imported = platform.operate(import("DeviceSN\nlamp-0001\n")).unwrap();
    assert!(matches!(imported, OperationResult::Imported { added: 1, existing: 0, .. }));
    assert_eq!(
        platform.operate(import("DeviceSN,Colour\nlamp-0002,red\n")).unwrap_err().kind,
        OperationErrorKind::Invalid
    );
}

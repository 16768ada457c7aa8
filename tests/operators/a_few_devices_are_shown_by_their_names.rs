//! `get_devices`: what a page asks for that follows the log.

use muster::PlatformName;
use muster::cloud::{Action, OperationErrorKind};

use super::clouds::{Clouds, NAMES, PLATFORMS, PRODUCT, devices};

fn get(names: &[&str], reveal: bool) -> Action {
    let devices = names.iter().map(|name| (*name).to_owned()).collect();
    Action::GetDevices { product: PRODUCT.into(), devices, reveal }
}

#[test]
fn in_order_and_once_and_without_those_that_are_not_there() {
    let mut clouds = Clouds::new();
    for platform in PLATFORMS {
        let action = get(&["dev-0004", "nobody", "dev-0002", "dev-0004"], false);
        let (total, items) = devices(clouds.done(platform, action));
        assert_eq!(total, NAMES.len(), "{platform}");
        let names: Vec<&str> = items.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["dev-0002", "dev-0004"], "{platform}");
        let (_, none) = devices(clouds.done(platform, get(&[], false)));
        assert_eq!(none, [], "{platform}");
    }
}

#[test]
fn as_the_list_shows_them() {
    let mut clouds = Clouds::new();
    for platform in PLATFORMS {
        for reveal in [false, true] {
            let (product, after, limit) = (PRODUCT.to_owned(), None, None);
            let list = Action::ListDevices { product, after, limit, reveal };
            let listed = devices(clouds.done(platform, list));
            let got = devices(clouds.done(platform, get(&NAMES, reveal)));
            // `Debug` hides secrets, so compare first and show afterwards.
            assert!(listed == got, "{platform}: {listed:?} and {got:?}");
            assert!(got.1.iter().all(|device| device.secret.is_some() == reveal), "{platform}");
        }
    }
}

#[test]
fn looking_is_not_written_to_the_log() {
    let mut clouds = Clouds::new();
    for platform in PLATFORMS {
        let (_, lines) = clouds.operate(platform, get(&NAMES, false));
        assert_eq!(lines, 0, "{platform}");
    }
}

#[test]
fn too_many_at_once_and_unknown_products_are_refused() {
    let mut clouds = Clouds::new();
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    for platform in PLATFORMS {
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let kind = clouds.refused(platform, get(&many, false));
        assert_eq!(kind, OperationErrorKind::Invalid, "{platform}");
        assert!(clouds.operate(platform, get(&many[..1_000], false)).0.is_ok(), "{platform}");
        let (product, devices) = ("elsewhere".to_owned(), vec![]);
        let action = Action::GetDevices { product, devices, reveal: false };
        assert_eq!(clouds.refused(platform, action), OperationErrorKind::NotFound, "{platform}");
    }
}

#[test]
fn a_line_of_the_log_names_the_device_that_an_operator_touched() {
    use muster::cloud::{Cloud, CloudConfig, CloudInput, CloudOutput, Operation, RequestId};
    let now = muster::Now::new(1_000, muster::sim::EPOCH_MS);
    let mut cloud = Cloud::new(CloudConfig::default(), [5; 32], now);
    let mut subjects = |platform: PlatformName, action: Action| -> Vec<String> {
        let operation = Operation { platform, action };
        cloud.handle_input(CloudInput::Operate { id: RequestId(1), operation }, now);
        let mut subjects = Vec::new();
        loop {
            match cloud.poll_output() {
                CloudOutput::Timeout(_) => return subjects,
                CloudOutput::Log(entry) => subjects.push(entry.subject.to_string()),
                _ => {}
            }
        }
    };
    for platform in PLATFORMS {
        let product = PRODUCT.to_owned();
        let (id, switches) = (Some(product.clone()), Default::default());
        let create = Action::CreateProduct { name: String::new(), id, secret: None, switches };
        assert_eq!(subjects(platform, create), [PRODUCT], "{platform}");
        let csv = NAMES.join("\n");
        let import = Action::ImportDevices { product: product.clone(), csv };
        assert_eq!(subjects(platform, import), [PRODUCT], "{platform}");
        let device = NAMES[2].to_owned();
        let disable = Action::Disable { product, device, disabled: true };
        assert_eq!(subjects(platform, disable), ["a1product/dev-0003"], "{platform}");
    }
}

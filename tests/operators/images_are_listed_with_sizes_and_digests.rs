//! `list_firmware`.

use muster::PlatformName;
use muster::cloud::{Action, FirmwareView, OperationErrorKind, OperationResult};

use super::clouds::{Clouds, PLATFORMS, PRODUCT};

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn add(module: Option<&str>, version: &str) -> Action {
    Action::AddFirmware {
        product: PRODUCT.into(),
        module: module.map(String::from),
        version: version.into(),
        url: "http://127.0.0.1/firmware/x.bin?v=1".into(),
        size: 4_096,
        md5: MD5.into(),
        sha256: SHA256.into(),
    }
}

fn listed(clouds: &mut Clouds, platform: PlatformName) -> Vec<FirmwareView> {
    match clouds.done(platform, Action::ListFirmware { product: PRODUCT.into() }) {
        OperationResult::Firmware { items } => items,
        _ => panic!("no images"),
    }
}

#[test]
fn each_with_what_devices_are_told() {
    let mut clouds = Clouds::new();
    for platform in PLATFORMS.into_iter().filter(|&platform| platform != PlatformName::Cmcc) {
        assert_eq!(listed(&mut clouds, platform), [], "{platform}");
        clouds.done(platform, add(None, "1.0.1"));
        let image = FirmwareView {
            module: None,
            version: "1.0.1".into(),
            size: 4_096,
            md5: MD5.into(),
            sha256: SHA256.into(),
            url: "http://127.0.0.1/firmware/x.bin?v=1".into(),
        };
        assert_eq!(listed(&mut clouds, platform), [image], "{platform}");
    }
}

#[test]
fn modules_have_versions_of_their_own() {
    let mut clouds = Clouds::new();
    for platform in [PlatformName::Ucloud, PlatformName::Alibaba] {
        clouds.done(platform, add(None, "1.0.1"));
        clouds.done(platform, add(Some("radio"), "1.0.1"));
        let mut modules: Vec<Option<String>> =
            listed(&mut clouds, platform).into_iter().map(|image| image.module).collect();
        modules.sort();
        assert_eq!(modules, [None, Some("radio".to_owned())], "{platform}");
    }
}

#[test]
fn a_platform_without_firmware_says_so() {
    let mut clouds = Clouds::new();
    let action = Action::ListFirmware { product: PRODUCT.into() };
    assert_eq!(clouds.refused(PlatformName::Cmcc, action), OperationErrorKind::Unsupported);
    for platform in PLATFORMS.into_iter().filter(|&platform| platform != PlatformName::Cmcc) {
        let action = Action::ListFirmware { product: "elsewhere".into() };
        assert_eq!(clouds.refused(platform, action), OperationErrorKind::NotFound, "{platform}");
    }
}

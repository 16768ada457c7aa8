//! `kill -9` at random moments of the registration. Whatever was cut: the next start comes to ready, with the secret
//! that was stored, if one was, and with the one that the cloud knows.

use std::time::Duration;

use serde_json::json;

use super::clouds::{Clouds, secret_in};
use super::process::{Device, device, run};

/// Devices that are killed, a platform.
const LIVES: u64 = 12;

fn survives(platform: &str, key: &str) {
    let clouds = Clouds::start();
    let local = clouds.local();
    let mut cut_before_storing = 0;
    for life in 0..LIVES {
        let name = format!("88{life:010}");
        if platform == "ucloud" {
            let imported = clouds.operate(&json!({
                "platform": "ucloud", "action": "import_devices", "product": clouds.product("ucloud"),
                "csv": format!("DeviceSN\n{name}\n"),
            }));
            assert_eq!(imported["rejected"], json!([]), "{imported}");
        }
        let (store, set) = (clouds.store(&name), format!("{key}={name}"));
        let args = ["--local", &local, "--set", &set, "--until", "ready"];
        let mut first = Device::start(device(platform, &store, &args));
        // After the first, second, … line, and up to 15 ms more: a step takes about one.
        for _ in 0..=(life % 9) {
            if first.next().is_none() {
                break;
            }
        }
        std::thread::sleep(Duration::from_micros((life * 7_919 + 13) % 15_000));
        first.kill();
        let kept = secret_in(&store);
        cut_before_storing += u32::from(kept.is_none());
        let second = run(platform, &store, &args);
        assert_eq!(
            second.code,
            Some(0),
            "life {life}, kept {}: {}",
            kept.is_some(),
            second.story()
        );
        let secret = secret_in(&store).expect("a credential");
        if let Some(kept) = kept {
            assert_eq!(kept, secret, "life {life}: a stored secret was replaced");
        }
        assert_eq!(clouds.view(platform, &name)["secret"], secret.as_str());
    }
    assert!(cut_before_storing > 0, "no kill came early enough to mean anything");
}

#[test]
fn ucloud() {
    survives("ucloud", "device_sn");
}

#[test]
fn krtyun() {
    survives("krtyun", "device_id");
}

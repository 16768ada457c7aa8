//! An image from upload to slot: over HTTP, verified, installed, reported, and what runs at the next start.

use super::clouds::Clouds;
use super::process::{Device, device, run};

fn updates(platform: &str) {
    let clouds = Clouds::start();
    let (store, local) = (clouds.store("device"), clouds.local());
    for (round, (version, slot)) in [("2.0.0", "a"), ("3.0.0", "b")].into_iter().enumerate() {
        let image: Vec<u8> = (0..300_000u32).map(|n| (n * 31 + round as u32) as u8).collect();
        clouds.upload(platform, version, &image);
        let mut living =
            Device::start(device(platform, &store, &["--local", &local, "--until", "updated"]));
        living.until_event("ready");
        clouds.push(platform, version);
        let ended = living.end();
        assert_eq!(ended.code, Some(0), "{}", ended.story());
        let slots = store.join("firmware/slots");
        assert_eq!(std::fs::read_to_string(slots.join("current")).unwrap(), slot);
        assert!(std::fs::read(slots.join(slot).join("image.bin")).unwrap() == image);
    }
    // It runs now: the next start says so, and nothing is fetched again.
    let next = run(platform, &store, &["--local", &local, "--until", "ready", "--for", "30s"]);
    assert_eq!(next.code, Some(0), "{}", next.story());
    assert!(!next.has_step("download"), "{}", next.story());
    let view = clouds.view(platform, &clouds.name(platform));
    assert!(view.to_string().contains("3.0.0"), "{view}");
}

#[test]
fn ucloud() {
    updates("ucloud");
}

#[test]
fn krtyun() {
    updates("krtyun");
}

#[test]
fn alibaba() {
    updates("alibaba");
}

//! The four demo devices against the local clouds: once from nothing, once from what they stored.

use super::clouds::{Clouds, secret_in};
use super::process::run;

fn comes_to_life(platform: &str) {
    let clouds = Clouds::start();
    let store = clouds.store("device");
    let local = clouds.local();
    let first = run(platform, &store, &["--local", &local, "--until", "ready"]);
    assert_eq!(first.code, Some(0), "{}", first.story());
    assert!(first.has_step("store_secret"), "{}", first.story());
    let line = &first.events[0];
    assert_eq!(line["event"], "device");
    assert_eq!(line["device"], clouds.name(platform).as_str());
    assert_eq!(line["store"], store.display().to_string());

    let secret = secret_in(&store).expect("a credential");
    assert_eq!(clouds.view(platform, &clouds.name(platform))["secret"], secret.as_str());

    let second = run(platform, &store, &["--local", &local, "--until", "ready"]);
    assert_eq!(second.code, Some(0), "{}", second.story());
    assert!(!second.has_step("request_secret"), "{}", second.story());
    assert_eq!(secret_in(&store).as_ref(), Some(&secret));

    // Registered is ready's first half, and true of a device that was registered before.
    let third = run(platform, &store, &["--local", &local, "--until", "registered"]);
    assert_eq!(third.code, Some(0), "{}", third.story());

    for ended in [&first, &second, &third] {
        assert!(!ended.shows(&secret), "a secret was printed");
        for key in ["product_secret", "product_key"] {
            let secret = clouds.setting(platform, key);
            // Alibaba's ProductKey is a name, and no secret.
            if !secret.is_empty() && secret != clouds.product(platform) {
                assert!(!ended.shows(&secret), "{key} was printed");
            }
        }
    }
}

#[test]
fn ucloud() {
    comes_to_life("ucloud");
}

#[test]
fn cmcc() {
    comes_to_life("cmcc");
}

#[test]
fn krtyun() {
    comes_to_life("krtyun");
}

#[test]
fn alibaba() {
    comes_to_life("alibaba");
}

#[test]
fn people_see_lines_and_no_secret() {
    let clouds = Clouds::start();
    let store = clouds.store("device");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["device", "--platform", "ucloud", "--until", "ready", "--local", &clouds.local()])
        .arg("--store")
        .arg(&store)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.starts_with("ucloud device 112233445566 of product muster0ucloud001\n"), "{text}");
    assert!(text.contains("  registered: 112233445566 has its own secret, and it is stored\n"));
    assert!(text.trim_end().ends_with("done: ready"), "{text}");
    assert!(!text.contains(&secret_in(&store).unwrap()));
    assert!(!text.contains(&clouds.setting("ucloud", "product_secret")));
}

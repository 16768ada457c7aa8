//! Machine code from slot to slot: staged, on trial, confirmed; and refused without harm.

use super::clouds::{Clouds, secret_in};
use super::process::Device;
use super::support::{Maker, device, elsewhere, run, said, small};

#[test]
fn a_newer_plugin_takes_over_and_the_device_stays_what_it_is() {
    let clouds = Clouds::start();
    let maker = Maker::new(clouds.dir.path());
    let (first, second) = (maker.compile("1.cwasm", 1, &[]), maker.compile("2.cwasm", 2, &[]));
    let profile = maker.profile("", "trial_s = 0", "");
    let (store, local) = (clouds.store("d"), clouds.local());
    let at = store.display().to_string();
    let args = ["--local", &local, "--config", &profile, "--plugin", &first];
    let mut living = Device::start(device("ucloud", &store, &args));
    living.until_event("ready");
    let secret = secret_in(&store).expect("a credential");
    let stage = |file: &str| {
        let args = ["stage", file, "--store", &at, "--config", &profile, "--wait", "50s"];
        small().args(args).output().unwrap()
    };
    let taken = stage(&second);
    assert!(taken.status.success(), "{}", said(&taken));
    assert!(said(&taken).contains("is confirmed"), "{}", said(&taken));
    // Never back by itself.
    let again = stage(&second);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    // Nor what this build cannot run.
    let foreign = maker.compile("3.cwasm", 3, &["--target", &elsewhere()]);
    let refused = stage(&foreign);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("muster plugin precompile"), "{}", said(&refused));
    living.signal("-TERM");
    let ended = living.end();
    assert_eq!(ended.code, Some(0), "{}", ended.story());

    let later = run("ucloud", &store, &[&args[..], &["--until", "ready"]].concat());
    assert_eq!(later.code, Some(0), "{}", later.story());
    assert!(later.events[0]["plugin"].as_str().unwrap().contains("1.2.0"), "{}", later.story());
    assert_eq!(secret_in(&store), Some(secret));
    let slots = said(&small().args(["slots", "--store", &at]).output().unwrap());
    assert!(slots.contains("counter   2") && slots.contains("confirmed"), "{slots}");
    let reset = small().args(["reset", "--store", &at]).output().unwrap();
    assert!(reset.status.success(), "{}", said(&reset));
    let back = run("ucloud", &store, &[&args[..], &["--until", "ready"]].concat());
    assert_eq!(back.events[0]["plugin"], first.as_str(), "{}", back.story());
}

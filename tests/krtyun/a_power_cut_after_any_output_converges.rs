//! Registration, login, update: cut after every single output, switched on again, all ends well.

use std::time::Duration;

use muster::sim::{DeviceId, World};
use muster::{Event, Stored};

use crate::support::*;

/// From the first power-on to a reported update, the operator's order included.
fn live(world: &mut World, id: DeviceId) -> bool {
    // A real device comes up with the version that it installed.
    let running = world.installed(id).last().cloned().unwrap_or_else(|| "1.0.0".into());
    let config = config(&settings().with("firmware_version", &running));
    if !world.is_on(id) {
        world.power_on_with(id, config).unwrap();
    }
    let done = |w: &World| w.installed(id).last().is_some_and(|v| v == "2.0.0") && is_idle(w, id);
    world.run_until(Duration::from_secs(600), |w| !w.is_on(id) || done(w));
    world.is_on(id)
}

/// The order is forgotten, which comes after its report.
fn is_idle(world: &World, id: DeviceId) -> bool {
    world.stored(id).get(muster::StoreKey::Firmware).is_none() && is_settled(world, id)
}

fn prepared(switches: &[(&str, &str)]) -> (World, DeviceId) {
    let mut world = world(switches);
    world.operate(add_firmware("2.0.0")).unwrap();
    world.operate(push_upgrade("2.0.0")).unwrap();
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    world.cut_power(id);
    world.run_for(Duration::from_secs(1));
    world.clear_events(id);
    (world, id)
}

fn check(world: &mut World, id: DeviceId, at: &str) {
    let device = view(world);
    assert_eq!(device.state, "online", "{at}");
    assert_eq!(device.version.as_deref(), Some("2.0.0"), "{at}");
    let kept = stored_json(world.stored(id));
    assert_eq!(device.secret.as_deref(), kept["device_secret"].as_str(), "{at}");
    assert_eq!(kept["proven"], true, "{at}");
    let done = upgrade(world.operate(list_upgrades()).unwrap());
    assert_eq!(done.state, "succeeded", "{at}");
    let stopped = world.events(id).iter().find(|(_, e)| matches!(e, Event::Stopped { .. }));
    assert_eq!(stopped, None, "{at}: nobody had to help");
}

const READINGS: [&[(&str, &str)]; 3] =
    [&[], &[("ProductLoginAfterActivation", "false")], &[("LoginConfirms", "true")]];

#[test]
fn one_cut() {
    for switches in READINGS {
        let (mut world, id) = prepared(switches);
        let before = world.outputs(id);
        assert!(live(&mut world, id));
        let outputs = world.outputs(id) - before;
        check(&mut world, id, "without a cut");
        assert!(outputs > 25, "{outputs}");
        for n in 1..=outputs {
            let (mut world, id) = prepared(switches);
            world.cut_power_after(id, n);
            assert!(!live(&mut world, id), "no cut after {n}");
            world.clear_events(id);
            assert!(live(&mut world, id));
            check(&mut world, id, &format!("cut after {n}, {switches:?}"));
        }
    }
}

#[test]
fn two_cuts() {
    for n in 1..=16 {
        for m in 1..=16 {
            let (mut world, id) = prepared(&[]);
            world.cut_power_after(id, n);
            assert!(!live(&mut world, id));
            world.cut_power_after(id, m);
            assert!(!live(&mut world, id));
            world.clear_events(id);
            assert!(live(&mut world, id));
            check(&mut world, id, &format!("cut after {n} and {m}"));
        }
    }
}

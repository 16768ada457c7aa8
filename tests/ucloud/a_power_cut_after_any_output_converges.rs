//! The device loses power right after its n-th output was carried out, for every n, and starts again from what it
//! stored. Whatever n is, it ends ready, with the one secret that the cloud has for it, and a device that has stored
//! its secret never logs in with the product's again.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use muster::sim::{Crossing, DeviceId, Fault, World};
use muster::{Event, Step, StoreKey, Stored};

use super::support::*;

/// Runs a life whose power is cut after output `n`; `None` if there is no such output.
fn cut(world: &mut World, id: DeviceId, n: u64, done: impl Fn(&World) -> bool) -> Option<()> {
    world.cut_power_after(id, n);
    let mut cut = false;
    world.run_until(HOUR, |world| {
        cut |= !world.is_on(id);
        cut || done(world)
    });
    if !cut {
        return None;
    }
    world.clear_events(id);
    world.run_for(Duration::from_secs(1));
    Some(())
}

fn kept_secret(world: &World, id: DeviceId) -> Option<String> {
    let kept = world.stored(id).get(StoreKey::Credential)?;
    let kept: serde_json::Value = serde_json::from_slice(kept.expose()).unwrap();
    Some(kept["device_secret"].as_str().unwrap().to_string())
}

/// Notes every secret that crosses the link.
fn watch_secrets(world: &mut World) -> Rc<RefCell<Vec<String>>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&seen);
    world.set_fault(move |_, crossing| {
        if let Crossing::Down { topic, payload } = crossing
            && topic.ends_with("password_reply")
        {
            let reply: serde_json::Value = serde_json::from_slice(payload).unwrap();
            notes.borrow_mut().push(reply["Password"].as_str().unwrap().to_string());
        }
        Fault::None
    });
    seen
}

#[test]
fn during_registration_and_login() {
    for pre_register in ["true", "false"] {
        let mut cuts = 0;
        for n in 1.. {
            let mut world = World::new(Duration::from_millis(20));
            world.operate(create_product()).unwrap();
            world.operate(switch("PreRegister", pre_register)).unwrap();
            if pre_register == "true" {
                world.operate(import_device()).unwrap();
            }
            let seen = watch_secrets(&mut world);
            let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
            if cut(&mut world, id, n, |world| is_ready(world, id)).is_none() {
                break;
            }
            cuts += 1;
            let had_secret = kept_secret(&world, id);
            world.power_on(id).unwrap();
            assert!(world.run_until(HOUR, |world| is_ready(world, id)), "cut after output {n}");
            let asked = count(&world, id, |event| {
                matches!(event, Event::Step { step: Step::ConnectToRegister })
            });
            assert_eq!(asked, usize::from(had_secret.is_none()), "cut after output {n}");
            let secret = kept_secret(&world, id).unwrap();
            assert!(seen.borrow().iter().all(|issued| *issued == secret), "cut after output {n}");
            assert_eq!(device_view(&mut world).secret.as_deref(), Some(secret.as_str()));
        }
        assert!(cuts >= 20, "only {cuts} outputs");
    }
}

#[test]
fn twice_in_a_row() {
    for first in 1..=22 {
        for second in 1..=22 {
            let mut world = world();
            let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
            if cut(&mut world, id, first, |world| is_ready(world, id)).is_none() {
                continue;
            }
            world.power_on(id).unwrap();
            if cut(&mut world, id, second, |world| is_ready(world, id)).is_some() {
                world.power_on(id).unwrap();
            }
            let done = world.run_until(HOUR, |world| is_ready(world, id));
            assert!(done, "cuts after outputs {first} and {second}");
            assert_eq!(kept_secret(&world, id).as_deref(), Some(DEVICE_SECRET));
        }
    }
}

#[test]
fn during_a_firmware_update() {
    let mut cuts = 0;
    for n in 1.. {
        let mut world = world();
        let image = image();
        world.images.insert(IMAGE_URL.into(), image.clone());
        let firmware = add_firmware("2.0.0", IMAGE_URL, IMAGE_MD5, image.len() as u64);
        world.operate(firmware).unwrap();
        let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
        assert!(world.run_until(SOON, |world| is_ready(world, id)));
        world.clear_events(id);
        world.operate(push("2.0.0")).unwrap();
        let reported = |event: &Event| {
            matches!(event, Event::Update { update: muster::Update::Reported { .. } })
        };
        let ended = cut(&mut world, id, n, |world| count(world, id, reported) > 0);
        if ended.is_none() {
            assert_eq!(upgrade_state(&mut world), "succeeded");
            break;
        }
        cuts += 1;
        // A host starts what was installed last.
        let runs = world.installed(id).last().cloned().unwrap_or("1.0.0".into());
        world.power_on_with(id, config(&dynamic().with("firmware_version", &runs))).unwrap();
        assert!(world.run_until(HOUR, |world| is_ready(world, id)));
        world.run_for(Duration::from_secs(120));
        let state = upgrade_state(&mut world);
        // Cut between "about to install" and the installation, the old version comes up: an honest failure.
        let failed = state == "failed" && world.installed(id).is_empty();
        assert!(state == "succeeded" || failed, "cut after output {n}: {state}");
        assert!(world.installed(id).len() <= 1, "cut after output {n}: installed twice");
        assert_eq!(world.stored(id).get(StoreKey::Firmware), None, "cut after output {n}");
        if state == "succeeded" {
            assert_eq!(device_view(&mut world).version.as_deref(), Some("2.0.0"));
        }
    }
    assert!(cuts > 10, "only {cuts} outputs");
}

//! One fault at every place where something crosses the link, one run for each.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use muster::sim::{DeviceId, Fault, World};
use muster::{Event, Stored};

use crate::support::*;

/// A life whose `n`th crossing meets `fault`; how many crossings there were.
fn live(n: u32, fault: Fault) -> (World, DeviceId, u32) {
    let mut world = world(&[]);
    world.operate(add_firmware("2.0.0")).unwrap();
    world.operate(push_upgrade("2.0.0")).unwrap();
    let count = Rc::new(Cell::new(0));
    let counter = Rc::clone(&count);
    world.set_fault(move |_, _| {
        counter.set(counter.get() + 1);
        if counter.get() == n { fault } else { Fault::None }
    });
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    let settled =
        |w: &World| is_settled(w, id) && w.installed(id).last().is_some_and(|v| v == "2.0.0");
    world.run_until(Duration::from_secs(300), settled);
    // What is lost in an open TCP connection is not sent again, on either side: QoS 1 means the next session.
    world.break_connection(id);
    world.run_for(Duration::from_secs(120));
    (world, id, count.get())
}

fn check(fault: Fault) {
    let (_, _, crossings) = live(0, Fault::None);
    assert!(crossings > 15, "{crossings}");
    for n in 1..=crossings {
        let (mut world, id, _) = live(n, fault);
        let at = format!("{fault:?} at {n}");
        let device = view(&mut world);
        assert_eq!(device.state, "online", "{at}");
        assert_eq!(device.version.as_deref(), Some("2.0.0"), "{at}");
        let kept = stored_json(world.stored(id));
        assert_eq!(device.secret.as_deref(), kept["device_secret"].as_str(), "{at}");
        assert_eq!(upgrade(world.operate(list_upgrades()).unwrap()).state, "succeeded", "{at}");
        let stopped = world.events(id).iter().find(|(_, e)| matches!(e, Event::Stopped { .. }));
        assert_eq!(stopped, None, "{at}");
    }
}

#[test]
fn lost() {
    check(Fault::Lose);
}

#[test]
fn twice() {
    check(Fault::Duplicate);
}

#[test]
fn a_little_late() {
    check(Fault::Delay(Duration::from_secs(5)));
}

#[test]
fn too_late() {
    check(Fault::Delay(Duration::from_secs(25)));
}

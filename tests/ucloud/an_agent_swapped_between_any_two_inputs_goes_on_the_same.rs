//! Saved and restored after every single step, an agent says and does the same as one that was left alone.

use std::time::Duration;

use muster::sim::World;
use muster::{Event, Instant, Intent, Stored};

use super::support::*;

type Life = (Vec<(Instant, Event)>, Stored, Vec<String>, Vec<String>, u64);

/// A whole life: registration, posts, an update, a broken connection, another registration.
fn live(swap: bool, shaky: bool) -> Life {
    let mut world = world();
    if shaky {
        let mut n = 0u32;
        world.set_fault(move |_, _| {
            n += 1;
            match n % 7 {
                3 => muster::sim::Fault::Lose,
                5 => muster::sim::Fault::Duplicate,
                6 => muster::sim::Fault::Delay(Duration::from_millis(700)),
                _ => muster::sim::Fault::None,
            }
        });
    }
    world.images.insert(IMAGE_URL.into(), image());
    world.operate(add_firmware("2.0.0", IMAGE_URL, IMAGE_MD5, 200_000)).unwrap();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    let go = |world: &mut World, seconds: u64| {
        let end = world.now().mono + Duration::from_secs(seconds);
        while world.now().mono < end {
            if swap {
                world.swap_agent(id).unwrap();
            }
            let before = world.now().mono;
            world.run_until(Duration::from_millis(20), |now| now.now().mono > before);
        }
    };
    go(&mut world, 30);
    world.intent(id, Intent::PostProperties { json: r#"{"temperature":21}"#.into() }).unwrap();
    go(&mut world, 60);
    world.operate(push("2.0.0")).unwrap();
    go(&mut world, 60);
    world.break_connection(id);
    go(&mut world, 60);
    world.operate(reset(true)).unwrap();
    go(&mut world, 60);
    world.intent(id, Intent::RegisterAgain).unwrap();
    go(&mut world, 120);
    let log = world.log.iter().map(|entry| format!("{entry:?}")).collect();
    let stray = world.agent(id).unwrap().stray_inputs();
    (world.events(id).to_vec(), world.stored(id).clone(), world.installed(id).to_vec(), log, stray)
}

#[test]
fn on_a_good_link() {
    let life = live(false, false);
    assert_eq!(life, live(true, false));
    assert_eq!(life.2, ["2.0.0"]);
    assert_eq!(life.0.iter().filter(|(_, e)| matches!(e, Event::Registered { .. })).count(), 2);
}

#[test]
fn on_a_bad_link() {
    assert_eq!(live(false, true), live(true, true));
}

#[test]
fn a_snapshot_of_something_else_is_refused() {
    let now = muster::Now::mono(0);
    let mut agent = muster::Agent::new(config(&dynamic()), Stored::empty(), [1; 32], now).unwrap();
    let saved = agent.save();
    for cut in 0..saved.expose().len() {
        let part = muster::SecretBytes::new(saved.expose()[..cut].to_vec());
        let error = muster::Agent::restore(config(&dynamic()), &part, now).unwrap_err();
        assert_eq!(error, muster::ApiMisuse::SnapshotUnreadable);
    }
}

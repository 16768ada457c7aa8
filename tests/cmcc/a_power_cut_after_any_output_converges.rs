use std::time::Duration;

use muster::sim::{DeviceId, Fault, World};
use muster::{Intent, StoreKey, Stored};

use super::setup::{
    DAY, config, counts, heartbeats, hours, is_ready, read, requests_to, run_to_ready, settings,
    watch, world,
};

/// Lives the life once for each output in it, with the power cut right after that output.
fn after_each_output(
    life: impl Fn(&mut World, DeviceId),
    check: impl Fn(&mut World, DeviceId, u64),
) {
    let mut cut = 1;
    loop {
        let mut world = world();
        let sent = watch(&mut world, |_| Fault::None);
        let strategy = if cut % 2 == 0 { "daily" } else { "interval" };
        let id = world.add(read(&settings().with("strategy", strategy)), Stored::empty()).unwrap();
        // The outputs of the birth are over; everything after is cut in turn.
        world.cut_power(id);
        world.cut_power_after(id, cut);
        world.power_on(id).unwrap();
        life(&mut world, id);
        let was_cut = !world.is_on(id);
        // No cut in the check.
        world.cut_power_after(id, 1 << 60);
        if was_cut {
            let secrets_asked = requests_to(&sent, "secret/info");
            let had_secret = world.stored(id).get(StoreKey::Credential).is_some();
            world.clear_events(id);
            world.power_on(id).unwrap();
            run_to_ready(&mut world, id);
            if had_secret {
                assert_eq!(requests_to(&sent, "secret/info"), secrets_asked, "cut after {cut}");
            }
        }
        check(&mut world, id, cut);
        if !was_cut {
            assert!(cut > 8, "the life has {cut} outputs");
            return;
        }
        cut += 1;
    }
}

#[test]
fn in_the_life_of_a_device() {
    after_each_output(
        |world, id| {
            world.run_until(Duration::from_secs(60), |w| is_ready(w, id) || !w.is_on(id));
            hours(world, 13);
        },
        |world, id, cut| {
            hours(world, 24 * 3);
            let at = heartbeats(world, id);
            assert!(at.windows(2).all(|pair| pair[1] - pair[0] <= DAY), "cut after {cut}: {at:?}");
            assert!(counts(world).1 >= 3);
        },
    );
}

#[test]
fn while_a_person_registers_it_again() {
    after_each_output(
        |world, id| {
            world.run_until(Duration::from_secs(60), |w| is_ready(w, id) || !w.is_on(id));
            let _ = world.intent(id, Intent::RegisterAgain);
            world.run_for(Duration::from_secs(60));
        },
        |world, id, cut| {
            let stored = world.stored(id).get(StoreKey::Credential).unwrap();
            let text = String::from_utf8_lossy(stored.expose()).into_owned();
            assert!(text.contains(super::setup::SECRET), "cut after {cut}");
            assert!(is_ready(world, id));
        },
    );
}

#[test]
fn a_secret_is_stored_before_anything_uses_it() {
    let mut world = world();
    let sent = watch(&mut world, |_| Fault::None);
    let id = world.add(config(), Stored::empty()).unwrap();
    // The answer arrives; the power fails right after the Store, before the host could say that it is done.
    let done = world
        .run_until(Duration::from_secs(1), |w| w.stored(id).get(StoreKey::Credential).is_some());
    assert!(done);
    assert_eq!(requests_to(&sent, "report"), 0);
    world.cut_power(id);
    world.power_on(id).unwrap();
    run_to_ready(&mut world, id);
    assert_eq!(requests_to(&sent, "secret/info"), 1);
}

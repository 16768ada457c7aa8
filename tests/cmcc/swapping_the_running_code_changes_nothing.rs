use std::time::Duration;

use muster::sim::{DeviceId, EPOCH_MS, Fault, World};
use muster::{Agent, Event, Instant, Intent, Now, SecretBytes, StoreKey, Stored};

use super::setup::{DAY, config, read, settings, world};

/// A life with losses, a clock jump, wishes and a refusal; swapped after every step if asked for.
fn live(daily: bool, swap: bool) -> (Vec<(Instant, Event)>, Option<SecretBytes>) {
    let mut world = world();
    let mut n = 0u64;
    world.set_fault(move |_, _| {
        n += 1;
        if n % 5 == 2 { Fault::Lose } else { Fault::None }
    });
    let strategy = if daily { "daily" } else { "interval" };
    let config = read(&settings().with("strategy", strategy));
    let id = world.add(config, Stored::empty()).unwrap();
    let at = |world: &mut World, id: DeviceId, end: u64| {
        while world.now().mono.0 < end {
            if swap {
                world.swap_agent(id).unwrap();
            }
            let before = world.now().mono.0;
            if !world.step() {
                world.run_for(Duration::from_millis(end - before));
            }
        }
    };
    at(&mut world, id, DAY);
    world.intent(id, Intent::Use { date: 20_260_102 }).unwrap();
    at(&mut world, id, 2 * DAY);
    world.jump_wall_clock(EPOCH_MS + 300 * DAY);
    world.intent(id, Intent::RegisterAgain).unwrap();
    at(&mut world, id, 3 * DAY);
    super::setup::operate(
        &mut world,
        muster::cloud::Action::Disable {
            product: super::setup::PRODUCT.into(),
            device: super::setup::NUMBER.into(),
            disabled: true,
        },
    )
    .unwrap();
    at(&mut world, id, 5 * DAY);
    (world.events(id).to_vec(), world.stored(id).get(StoreKey::Schedule).cloned())
}

#[test]
fn after_every_step_of_a_life() {
    for daily in [false, true] {
        let plain = live(daily, false);
        assert!(plain.0.len() > 30, "{}", plain.0.len());
        assert!(plain.0.iter().any(|(_, event)| matches!(event, Event::Stopped { .. })));
        assert_eq!(plain, live(daily, true));
    }
}

#[test]
fn a_snapshot_of_nonsense_is_refused() {
    let mut agent = Agent::new(config(), Stored::empty(), [1; 32], Now::mono(0)).unwrap();
    let good = agent.save();
    for cut in 0..good.expose().len() {
        let cut = SecretBytes::new(good.expose()[..cut].to_vec());
        assert!(Agent::restore(config(), &cut, Now::mono(0)).is_err());
    }
    assert!(Agent::restore(config(), &good, Now::mono(0)).is_ok());
}

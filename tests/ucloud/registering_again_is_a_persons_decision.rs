use muster::{
    Command, Event, Input, Intent, LocalFailure, Outcome, Step, StoreKey, Stored, Warning,
};

use super::support::*;
use crate::common::{Bench, commands, events, settings};

#[test]
fn a_device_that_an_operator_reset_stops_and_registers_on_demand_only() {
    let mut world = world();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    world.clear_events(id);
    world.operate(reset(true)).unwrap();
    assert!(world.run_until(SOON, |world| is_stopped(world, id)));
    world.clear_events(id);
    world.run_for(HOUR * 24);
    assert!(world.events(id).is_empty(), "nothing by itself");
    world.intent(id, Intent::RegisterAgain).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    assert_eq!(count(&world, id, |e| matches!(e, Event::Step { step: Step::EraseSecret })), 1);
    let secret = device_view(&mut world).secret.unwrap();
    assert_ne!(secret, DEVICE_SECRET);
    assert_eq!(*world.stored(id), stored(&secret));
}

#[test]
fn the_old_secret_is_erased_before_anything_is_asked() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), stored(DEVICE_SECRET));
    let connection = token(&bench.outputs);
    let out = bench.give(Input::User(Intent::RegisterAgain));
    let [Command::Close(closed), Command::Erase(erase, StoreKey::Credential)] = commands(&out)[..]
    else {
        panic!("{out:?}")
    };
    assert_eq!(closed, connection);
    // The connection has to be gone, too: there is one at a time.
    assert!(commands(&bench.give(Input::Stored(erase, Outcome::Done))).is_empty());
    let out = bench.give(Input::Closed(connection, muster::Closed::Requested));
    let [Command::Connect(_, connect)] = &commands(&out)[..] else { panic!("{out:?}") };
    assert_eq!(connect.username, "70ly1tvowt696r15|112233445566|2");
}

#[test]
fn the_other_order_of_answers_is_as_good() {
    let mut bench = Bench::new(UCLOUD, &dynamic(), stored(DEVICE_SECRET));
    let connection = token(&bench.outputs);
    let out = bench.give(Input::User(Intent::RegisterAgain));
    let erase = token(&out);
    assert!(commands(&bench.give(Input::Closed(connection, muster::Closed::Requested))).is_empty());
    let out = bench.give(Input::Stored(erase, Outcome::Done));
    assert!(matches!(&commands(&out)[..], [Command::Connect(..)]));
}

#[test]
fn an_erasure_that_fails_stops_and_can_be_tried_again() {
    let mut world = world();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    world.fail_stores(id, true);
    world.intent(id, Intent::RegisterAgain).unwrap();
    assert!(world.run_until(SOON, |world| is_stopped(world, id)));
    assert_eq!(*world.stored(id), stored(DEVICE_SECRET), "nothing is lost");
    world.fail_stores(id, false);
    world.operate(reset(false)).unwrap();
    world.clear_events(id);
    world.intent(id, Intent::TryAgain).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    assert_eq!(count(&world, id, |e| matches!(e, Event::Registered { .. })), 1);
}

#[test]
fn without_the_products_secret_nothing_is_erased() {
    let mut bench = Bench::new(UCLOUD, &static_(), Stored::empty());
    let out = bench.give(Input::User(Intent::RegisterAgain));
    assert!(commands(&out).is_empty());
    let [Event::Warning { warning: Warning::Ignored { error } }] = &events(&out)[..] else {
        panic!("{out:?}")
    };
    let failure = LocalFailure::MissingSetting("product_secret".into());
    assert_eq!(*error, muster::Error::Local { failure });
}

#[test]
fn a_secret_registered_on_demand_beats_the_configured_one_that_it_replaced() {
    let both = settings(&[("product_secret", PRODUCT_SECRET), ("device_secret", DEVICE_SECRET)]);
    let mut all = dynamic();
    for key in ["product_secret", "device_secret"] {
        all.set(key, both.get(key).unwrap());
    }
    let mut world = world();
    let id = world.add(config(&all), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    world.operate(reset(true)).unwrap();
    assert!(world.run_until(SOON, |world| is_stopped(world, id)));
    world.clear_events(id);
    world.intent(id, Intent::RegisterAgain).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));

    // After a restart the settings still hold the void secret.
    world.cut_power(id);
    world.clear_events(id);
    world.power_on(id).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)), "{:?}", world.events(id));

    // Someone puts a newer one into the settings: it wins.
    let newer = device_view(&mut world).secret.unwrap();
    world.cut_power(id);
    let mut kept = world.stored(id).clone();
    kept.remove(StoreKey::Credential);
    let with_newer = all.with("device_secret", &newer);
    let bench = Bench::new(UCLOUD, &with_newer, world.stored(id).clone());
    let [Command::Connect(_, connect)] = &commands(&bench.outputs)[..] else { panic!() };
    assert_eq!(connect.password.expose(), newer);
}

use std::time::Duration;

use muster::cloud::Action;
use muster::{
    Advice, Command, Event, Input, Intent, LocalFailure, Outcome, StoreKey, Stored, Warning,
};

use crate::support::*;

#[test]
fn the_old_credential_is_erased_first() {
    let mut hand = Hand::new(&settings(), stored(true));
    let connection = hand.until_online();
    hand.input(Input::User(Intent::RegisterAgain));
    assert_eq!(hand.next(), Command::Close(connection));
    let Command::Erase(token, StoreKey::Credential) = hand.next() else { panic!("no erase") };
    assert!(hand.commands.is_empty());
    hand.stored(token);
    assert_eq!(hand.connect().1.password.expose(), PRODUCT_SECRET);
    assert_eq!(hand.agent.stray_inputs(), 0);
}

#[test]
fn an_erase_that_fails_stops() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.input(Input::User(Intent::RegisterAgain));
    hand.next();
    let Command::Erase(token, _) = hand.next() else { panic!("no erase") };
    hand.input(Input::Stored(token, Outcome::Failed(LocalFailure::Store)));
    assert!(matches!(hand.last_event(), Event::Stopped { advice: Advice::CheckStorage, .. }));
    hand.input(Input::User(Intent::TryAgain));
    assert!(matches!(hand.next(), Command::Erase(..)), "and is what is tried again");
}

#[test]
fn a_secret_from_the_settings_cannot_be_replaced() {
    let mut hand = Hand::new(&settings().with("device_secret", "configured"), Stored::empty());
    hand.until_online();
    hand.input(Input::User(Intent::RegisterAgain));
    let warning = Warning::SecretConfigured;
    assert_eq!(hand.events, [Event::Warning { warning }]);
    assert!(hand.commands.is_empty());
}

#[test]
fn after_an_operators_reset_with_a_new_secret() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
    let before = stored_json(world.stored(id));
    let (product, device) = (PRODUCT.into(), DEVICE.into());
    world.operate(action(Action::Reset { product, device, new_secret: true })).unwrap();
    world.clear_events(id);
    world.run_for(Duration::from_secs(600));
    assert!(!is_ready(&world, id), "the device does not decide this by itself");
    assert_eq!(stored_json(world.stored(id)), before);
    world.intent(id, Intent::RegisterAgain).unwrap();
    assert!(world.run_until(Duration::from_secs(2), |w| is_settled(w, id)));
    assert_ne!(stored_json(world.stored(id))["device_secret"], before["device_secret"]);
}

#[test]
fn a_reset_that_keeps_the_secret_needs_nothing() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
    let (product, device) = (PRODUCT.into(), DEVICE.into());
    world.operate(action(Action::Reset { product, device, new_secret: false })).unwrap();
    world.clear_events(id);
    assert!(world.run_until(Duration::from_secs(5), |w| is_settled(w, id)));
    assert_eq!(view(&mut world).state, "online");
}

#[test]
fn in_the_middle_of_anything() {
    // At every command that the device waits on, a person changes their mind.
    for n in 1..40 {
        let mut world = world(&[]);
        let id = world.add(config(&settings()), Stored::empty()).unwrap();
        for _ in 0..n {
            world.step();
        }
        let (product, device) = (PRODUCT.into(), DEVICE.into());
        world.operate(action(Action::Reset { product, device, new_secret: true })).unwrap();
        world.clear_events(id);
        world.intent(id, Intent::RegisterAgain).unwrap();
        assert!(world.run_until(Duration::from_secs(300), |w| is_settled(w, id)), "after {n}");
        let secret = view(&mut world).secret;
        assert_eq!(stored_json(world.stored(id))["device_secret"].as_str(), secret.as_deref());
    }
}

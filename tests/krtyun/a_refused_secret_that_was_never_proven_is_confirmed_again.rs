//! The window between storing a secret and the platform's receipt of the confirmation.

use muster::{Advice, Command, Event, Stored};

use crate::support::*;

#[test]
fn by_the_stored_id_and_without_a_new_request() {
    let mut hand = Hand::new(&settings(), stored(false));
    let (connection, connect) = hand.connect();
    assert_eq!(connect.password.expose(), DEVICE_SECRET, "the secret is tried first");
    hand.refused(connection, 4);
    hand.wait();
    let (connection, connect) = hand.connect();
    assert_eq!(connect.password.expose(), PRODUCT_SECRET);
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.subscribed(token);
    let (token, _, body) = hand.publish();
    assert_eq!(body, confirmation("00ff", "OK"));
    hand.acked(token);
    hand.lost(connection);
    let (connection, connect) = hand.connect();
    assert_eq!(connect.password.expose(), DEVICE_SECRET);
    hand.connected(connection);
    assert_eq!(hand.store().2["proven"], true);
}

#[test]
fn by_asking_again_if_the_platform_does_not_know_the_issue() {
    let mut hand = until_unknown();
    let (token, _, body) = hand.publish();
    assert_eq!(body, request("00ff"), "with the stored ID");
    hand.acked(token);
    // The same secret: it is stored already.
    hand.message(&topic("register/set"), issue("00ff", DEVICE_SECRET).as_bytes());
    assert_eq!(hand.publish().2, confirmation("00ff", "OK"));
}

#[test]
fn by_storing_another_secret_if_the_platform_made_one() {
    let mut hand = until_unknown();
    hand.publish();
    hand.message(&topic("register/set"), issue("00ff", "another").as_bytes());
    let (token, _, credential) = hand.store();
    assert_eq!(credential["device_secret"], "another");
    assert!(hand.commands.is_empty());
    hand.stored(token);
    assert_eq!(hand.publish().2, confirmation("00ff", "OK"));
}

/// The confirmation was acknowledged, but the socket stays open.
fn until_unknown() -> Hand {
    let mut hand = Hand::new(&settings(), stored(false));
    let (connection, _) = hand.connect();
    hand.refused(connection, 4);
    hand.wait();
    let (connection, _) = hand.connect();
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.subscribed(token);
    let (token, ..) = hand.publish();
    hand.acked(token);
    assert_eq!(hand.wait(), 2_000);
    hand
}

#[test]
fn only_so_often() {
    let mut hand = Hand::new(&settings(), stored(false));
    for _ in 0..3 {
        let (connection, connect) = hand.connect();
        assert_eq!(connect.password.expose(), DEVICE_SECRET);
        hand.refused(connection, 4);
        hand.wait();
        let (connection, connect) = hand.connect();
        assert_eq!(connect.password.expose(), PRODUCT_SECRET);
        hand.refused(connection, 4);
        hand.wait();
    }
    let (connection, _) = hand.connect();
    hand.refused(connection, 4);
    assert!(matches!(hand.last_event(), Event::Stopped { advice: Advice::CheckDevice, .. }));
    assert_eq!(hand.timeout, None);
}

#[test]
fn even_if_the_connection_broke_while_it_was_being_stored() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    let (token, ..) = hand.store();
    hand.lost(connection);
    assert!(hand.commands.is_empty(), "nothing happens before it is stored");
    hand.stored(token);
    hand.wait();
    let (connection, connect) = hand.connect();
    assert_eq!(connect.password.expose(), PRODUCT_SECRET);
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.subscribed(token);
    assert_eq!(hand.publish().2, confirmation(&id, "OK"));
}

#[test]
fn and_a_confirmation_nobody_acknowledges_is_repeated_and_then_the_login_tells() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    let (token, ..) = hand.store();
    hand.stored(token);
    assert_eq!(hand.publish().2, confirmation(&id, "OK"));
    for _ in 0..3 {
        assert_eq!(hand.wait(), 10_000);
        hand.wait();
        assert_eq!(hand.publish().2, confirmation(&id, "OK"));
    }
    assert_eq!(hand.wait(), 10_000);
    assert_eq!(hand.next(), Command::Close(connection));
    assert_eq!(hand.connect().1.password.expose(), DEVICE_SECRET);
}

#[test]
fn a_store_that_fails_confirms_nothing() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    world.fail_stores(id, true);
    let stopped = |w: &muster::sim::World| {
        w.events(id)
            .iter()
            .any(|(_, e)| matches!(e, Event::Stopped { advice: Advice::CheckStorage, .. }))
    };
    assert!(world.run_until(std::time::Duration::from_secs(5), stopped));
    assert_eq!(view(&mut world).state, "inactive");
    world.fail_stores(id, false);
    world.intent(id, muster::Intent::TryAgain).unwrap();
    assert!(world.run_until(std::time::Duration::from_secs(5), |w| is_settled(w, id)));
}

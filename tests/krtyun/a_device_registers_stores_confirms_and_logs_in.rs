use std::time::Duration;

use muster::{Event, Step, StoreKey, Stored};

use crate::support::*;

#[test]
fn word_for_word() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (first, connect) = hand.connect();
    assert_eq!(connect.url, "mqtt://iot.krtyun.com:16007");
    assert_eq!(connect.client_id, PRODUCT);
    assert_eq!(connect.username, DEVICE);
    assert_eq!(connect.password.expose(), PRODUCT_SECRET);
    assert_eq!(connect.keep_alive, 60);
    hand.connected(first);
    let (subscription, filter) = hand.subscribe();
    assert_eq!(filter, topic("register/set"));
    assert!(hand.commands.is_empty(), "it asks only once it would hear the answer");
    hand.subscribed(subscription);
    let (asked, to, body) = hand.publish();
    assert_eq!(to, topic("register/post"));
    let id = json(body.as_bytes())["ID"].as_str().unwrap().to_string();
    assert_eq!(body, request(&id));
    hand.acked(asked);

    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    let (storing, key, credential) = hand.store();
    assert_eq!(key, StoreKey::Credential);
    assert_eq!(credential["product_id"], PRODUCT);
    assert_eq!(credential["device_id"], DEVICE);
    assert_eq!(credential["device_secret"], DEVICE_SECRET);
    assert_eq!(credential["proven"], false);
    assert_eq!(credential["register_id"], id);
    assert!(hand.commands.is_empty(), "nothing is confirmed before it is stored");
    hand.stored(storing);
    let (confirmed, to, body) = hand.publish();
    assert_eq!(to, topic("register/post"));
    assert_eq!(body, confirmation(&id, "OK"));
    hand.acked(confirmed);
    assert!(hand.commands.is_empty(), "the platform closes the socket");
    hand.lost(first);

    let (second, connect) = hand.connect();
    assert_eq!(connect.client_id, PRODUCT);
    assert_eq!(connect.username, DEVICE);
    assert_eq!(connect.password.expose(), DEVICE_SECRET);
    hand.connected(second);
    let (storing, _, credential) = hand.store();
    assert_eq!(credential["proven"], true);
    assert_eq!(credential["device_secret"], DEVICE_SECRET);
    hand.stored(storing);
    let (subscription, filter) = hand.subscribe();
    assert_eq!(filter, topic("ota/set"));
    hand.subscribed(subscription);
    let (reported, to, body) = hand.publish();
    assert_eq!(to, topic("ota/post"));
    assert_eq!(body, r#"{"CMD":10,"HW_VERSION":"1.0.0","FW_VERSION":"1.0.0"}"#);
    hand.acked(reported);
    assert!(hand.commands.is_empty());

    let steps: Vec<Step> = hand
        .events
        .iter()
        .filter_map(|e| if let Event::Step { step } = e { Some(*step) } else { None })
        .collect();
    assert_eq!(
        steps,
        [
            Step::ConnectToRegister,
            Step::SubscribeForSecret,
            Step::RequestSecret,
            Step::StoreSecret,
            Step::ConfirmSecret,
            Step::LeaveRegistration,
            Step::Login,
            Step::Subscribe,
            Step::ReportVersion,
        ]
    );
    let registered = hand.events.iter().position(|e| matches!(e, Event::Registered { .. }));
    let ready = hand.events.iter().position(|e| *e == Event::Ready);
    assert!(registered.is_some() && registered < ready);
    assert_eq!(hand.agent.stray_inputs(), 0);
}

#[test]
fn against_the_cloud() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
    let device = view(&mut world);
    assert_eq!(device.state, "online");
    assert_eq!(device.version.as_deref(), Some("1.0.0"));
    let kept = stored_json(world.stored(id));
    assert_eq!(device.secret.as_deref(), kept["device_secret"].as_str());
    assert_eq!(kept["proven"], true);
    assert_eq!(world.agent(id).unwrap().stray_inputs(), 0);
}

#[test]
fn a_platform_that_leaves_the_socket_open_is_left() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    let (storing, ..) = hand.store();
    hand.stored(storing);
    let (confirmed, ..) = hand.publish();
    hand.acked(confirmed);
    assert_eq!(hand.wait(), 2_000);
    assert_eq!(hand.next(), muster::Command::Close(connection));
    assert_eq!(hand.connect().1.password.expose(), DEVICE_SECRET);
}

#[test]
fn a_socket_closed_without_an_acknowledgement_is_a_confirmation_too() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    let (storing, ..) = hand.store();
    hand.stored(storing);
    hand.publish();
    hand.lost(connection);
    assert!(hand.events.iter().any(|e| matches!(e, Event::Registered { .. })));
    assert_eq!(hand.connect().1.password.expose(), DEVICE_SECRET);
}

#[test]
fn a_stored_secret_logs_in_at_once() {
    let mut hand = Hand::new(&settings(), stored(true));
    let (connection, connect) = hand.connect();
    assert_eq!(connect.password.expose(), DEVICE_SECRET);
    hand.connected(connection);
    assert_eq!(hand.subscribe().1, topic("ota/set"), "what is proven is not stored again");
}

#[test]
fn a_configured_secret_needs_no_registration_and_beats_the_store() {
    let settings = settings().with("product_secret", "").with("device_secret", "configured");
    let mut hand = Hand::new(&settings, stored(true));
    assert_eq!(hand.connect().1.password.expose(), "configured");
}

#[test]
fn a_credential_as_a_flasher_writes_it_is_taken() {
    let json =
        format!(r#"{{"product_id":"{PRODUCT}","device_id":"{DEVICE}","device_secret":"flashed"}}"#);
    let mut stored = Stored::empty();
    stored.insert(StoreKey::Credential, muster::SecretBytes::new(json.into_bytes()));
    let mut hand = Hand::new(&settings(), stored);
    let (connection, connect) = hand.connect();
    assert_eq!(connect.password.expose(), "flashed");
    hand.refused(connection, 4);
    assert!(matches!(hand.last_event(), Event::Stopped { .. }), "and never registered anew");
}

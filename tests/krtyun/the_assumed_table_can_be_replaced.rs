use std::time::Duration;

use muster::Stored;

use crate::support::*;

const TABLE: [(&str, &str); 7] = [
    ("cmd.register_request", "1"),
    ("cmd.register_issue", "2"),
    ("cmd.register_confirm", "3"),
    ("key.product_id", "PID"),
    ("key.device_id", "DID"),
    ("key.device_secret", "KEY1"),
    ("back.refused", "FAIL"),
];

#[test]
fn on_both_sides_alike() {
    let mut world = world(&TABLE);
    let mut settings = settings();
    for (key, value) in TABLE {
        settings.set(key, value);
    }
    let id = world.add(config(&settings), Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
}

#[test]
fn and_is_what_goes_over_the_wire() {
    let mut settings = settings();
    for (key, value) in TABLE {
        settings.set(key, value);
    }
    let mut hand = Hand::new(&settings, Stored::empty());
    let (connection, _) = hand.connect();
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.subscribed(token);
    let body = hand.publish().2;
    let id = json(body.as_bytes())["ID"].as_str().unwrap().to_string();
    assert_eq!(body, format!(r#"{{"CMD":1,"ID":"{id}","PID":"{PRODUCT}","DID":"{DEVICE}"}}"#));
    let issue = format!(r#"{{"CMD":2,"ID":"{id}","KEY1":"s3cret"}}"#);
    hand.message(&topic("register/set"), issue.as_bytes());
    let (token, ..) = hand.store();
    hand.stored(token);
    assert_eq!(hand.publish().2, format!(r#"{{"CMD":3,"ID":"{id}","BACK":"OK"}}"#));

    let mut hand = Hand::new(&settings, stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("7", "ftp://h/f", "2").as_bytes());
    assert_eq!(hand.publish().2, r#"{"CMD":11,"ID":"7","BACK":"FAIL"}"#);
}

#[test]
fn the_secret_is_found_under_any_of_its_likely_names() {
    for name in ["DEVICE_SECRET", "DeviceSecret", "SECRET", "KEY"] {
        let mut hand = Hand::new(&settings(), Stored::empty());
        let (_, id) = hand.until_asked();
        let body = format!(r#"{{"CMD":"21","ID":"{id}","{name}":"s3cret",}}"#);
        hand.message(&topic("register/set"), body.as_bytes());
        assert_eq!(hand.store().2["device_secret"], "s3cret", "{name}");
    }
}

#[test]
fn the_issues_id_and_cmd_need_not_match_if_the_settings_say_so() {
    let settings =
        settings().with("register.match_id", "false").with("register.match_cmd", "false");
    let mut hand = Hand::new(&settings, Stored::empty());
    hand.until_asked();
    hand.message(&topic("register/set"), br#"{"CMD":99,"ID":"theirs","DEVICE_SECRET":"s3cret"}"#);
    let (token, _, credential) = hand.store();
    assert_eq!(credential["register_id"], "theirs");
    hand.stored(token);
    assert_eq!(hand.publish().2, confirmation("theirs", "OK"), "the issue's ID is echoed");

    let mut hand = Hand::new(&settings, Stored::empty());
    let (_, id) = hand.until_asked();
    hand.message(&topic("register/set"), br#"{"DEVICE_SECRET":"s3cret"}"#);
    let (token, ..) = hand.store();
    hand.stored(token);
    assert_eq!(hand.publish().2, confirmation(&id, "OK"), "and ours if it has none");
}

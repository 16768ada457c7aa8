use muster::cloud::What;

use crate::support::*;

/// A session with the product's secret that listens.
fn asking(switches: &[(&str, &str)]) -> (Door, u64) {
    let mut door = Door::new(switches);
    let connection = door.login(PRODUCT_SECRET);
    assert_eq!(
        door.subscribe(connection, &topic("register/set")),
        [Seen::SubAck(connection, vec![1])]
    );
    (door, connection)
}

#[test]
fn the_issue_echoes_the_id_and_follows_the_acknowledgement() {
    let (mut door, connection) = asking(&[]);
    let body = request("a-1");
    let seen = door.publish_bytes(connection, &topic("register/post"), body.as_bytes());
    assert_eq!(seen[0], Seen::PubAck(connection, 7));
    assert_eq!(issued(&seen[1..]), ("a-1".into(), DEVICE_SECRET.into()));
    assert_eq!(door.device().state, "inactive");
    assert_eq!(door.device().more["registration"], "secret issued, not confirmed");
}

#[test]
fn nothing_but_ok_activates() {
    for back in ["ERROR", "ok", "OK ", "Ok", "", "0"] {
        let (mut door, connection) = asking(&[]);
        door.publish(connection, &topic("register/post"), &request("a"));
        let seen = door.publish(connection, &topic("register/post"), &confirmation("a", back));
        assert_eq!(seen, [Seen::Close(connection)], "{back}: another try is open");
        assert_eq!(door.device().state, "inactive", "{back}");
        let again = door.login(PRODUCT_SECRET);
        door.subscribe(again, &topic("register/set"));
        let seen = door.publish(again, &topic("register/post"), &request("b"));
        assert_eq!(issued(&seen).1, DEVICE_SECRET, "the same secret");
    }
}

#[test]
fn ok_activates_and_ends_the_session_and_then_there_is_silence() {
    let (mut door, connection) = asking(&[]);
    door.publish(connection, &topic("register/post"), &request("a"));
    let body = confirmation("a", "OK");
    let seen = door.publish_bytes(connection, &topic("register/post"), body.as_bytes());
    assert_eq!(seen, [Seen::PubAck(connection, 7), Seen::Close(connection)]);
    assert!(door.logged(What::Activated));
    assert_eq!(door.device().state, "offline");
    let later = door.login(PRODUCT_SECRET);
    door.subscribe(later, &topic("register/set"));
    assert_eq!(door.publish(later, &topic("register/post"), &request("b")), []);
    assert_eq!(door.publish(later, &topic("register/post"), &confirmation("b", "OK")), []);
    let own = door.login(DEVICE_SECRET);
    assert_eq!(door.publish(own, &topic("register/post"), &request("c")), []);
}

#[test]
fn active_devices_are_refused_with_the_products_secret_if_the_switch_says_so() {
    let mut door = Door::new(&[("ProductLoginAfterActivation", "false")]);
    door.register();
    let (connection, seen) = door.connect(PRODUCT, DEVICE, PRODUCT_SECRET);
    assert_eq!(seen, refused(connection, 4));
}

#[test]
fn an_unconfirmed_issue_may_be_asked_for_again_in_the_same_session() {
    let (mut door, connection) = asking(&[]);
    let first = issued(&door.publish(connection, &topic("register/post"), &request("a"))).1;
    let second = issued(&door.publish(connection, &topic("register/post"), &request("b")));
    assert_eq!(second, ("b".into(), first));
    // The confirmation belongs to the last one.
    assert_eq!(door.publish(connection, &topic("register/post"), &confirmation("a", "OK")), []);
    assert_eq!(door.device().state, "inactive");
    let seen = door.publish(connection, &topic("register/post"), &confirmation("b", "OK"));
    assert_eq!(seen, [Seen::Close(connection)]);
}

#[test]
fn a_confirmation_counts_in_a_later_session_too() {
    let (mut door, connection) = asking(&[]);
    door.publish(connection, &topic("register/post"), &request("a"));
    let later = door.login(PRODUCT_SECRET);
    let seen = door.publish(later, &topic("register/post"), &confirmation("a", "OK"));
    assert_eq!(seen, [Seen::Close(later)]);
    assert_eq!(door.device().state, "offline");
}

#[test]
fn a_confirmation_of_nothing_counts_for_nothing() {
    let (mut door, connection) = asking(&[]);
    assert_eq!(door.publish(connection, &topic("register/post"), &confirmation("a", "OK")), []);
    assert_eq!(door.device().state, "inactive");
    assert!(door.logged(What::Dropped));
}

#[test]
fn an_issued_secret_opens_no_door_before_it_is_confirmed() {
    for (switches, code) in [(&[][..], 4), (&[("LoginConfirms", "true")], 0)] {
        let (mut door, connection) = asking(switches);
        door.publish(connection, &topic("register/post"), &request("a"));
        let (later, seen) = door.connect(PRODUCT, DEVICE, DEVICE_SECRET);
        if code == 0 {
            assert!(seen.contains(&accepted(later)));
            assert_eq!(door.device().state, "online");
        } else {
            assert_eq!(seen, refused(later, code));
        }
    }
}

#[test]
fn who_does_not_listen_is_not_answered() {
    let mut door = Door::new(&[]);
    let connection = door.login(PRODUCT_SECRET);
    assert_eq!(door.publish(connection, &topic("register/post"), &request("a")), []);
    assert_eq!(door.device().more["registration"], "none yet");
    door.subscribe(connection, &topic("register/set"));
    issued(&door.publish(connection, &topic("register/post"), &request("a")));
}

#[test]
fn the_issue_goes_out_at_the_granted_qos() {
    let mut door = Door::new(&[]);
    let connection = door.login(PRODUCT_SECRET);
    let filters = vec![(topic("register/set"), 0)];
    let packet = muster::cloud::Packet::Subscribe { packet_id: 1, filters };
    assert_eq!(door.packet(connection, packet), [Seen::SubAck(connection, vec![0])]);
    let seen = door.publish(connection, &topic("register/post"), &request("a"));
    assert!(matches!(seen[..], [Seen::Publish(_, _, muster::QoS::AtMostOnce, _)]));
}

#[test]
fn a_session_that_does_not_confirm_is_closed_in_time() {
    let (mut door, connection) = asking(&[("ConfirmTimeout", "5")]);
    assert_eq!(door.timeout, None);
    door.publish(connection, &topic("register/post"), &request("a"));
    let at = door.timeout.unwrap();
    assert_eq!(at.0 - door.now.mono.0, 5_000);
    door.now.mono = at;
    let (seen, _) = door.input(muster::cloud::CloudInput::Timeout);
    assert_eq!(seen, [Seen::Close(connection)]);
    assert_eq!(door.timeout, None);
    assert_eq!(door.device().state, "inactive");
    let (mut door, connection) = asking(&[("ConfirmTimeout", "0")]);
    door.publish(connection, &topic("register/post"), &request("a"));
    assert_eq!(door.timeout, None);
}

#[test]
fn a_session_that_ended_leaves_no_timer() {
    let (mut door, connection) = asking(&[]);
    door.publish(connection, &topic("register/post"), &request("a"));
    door.publish(connection, &topic("register/post"), &confirmation("a", "OK"));
    assert_eq!(door.timeout, None);
    let (mut door, connection) = asking(&[]);
    door.publish(connection, &topic("register/post"), &request("a"));
    let lost = muster::cloud::ConnectionId(connection);
    door.input(muster::cloud::CloudInput::Lost { connection: lost });
    assert_eq!(door.timeout, None);
}

#[test]
fn requests_have_to_be_as_assumed_unless_the_switch_says_otherwise() {
    let wrong = [
        r#"{"ID":"a","PRODUCT_ID":"1700000001","DEVICE_ID":"880001"}"#,
        r#"{"CMD":22,"ID":"a","PRODUCT_ID":"1700000001","DEVICE_ID":"880001"}"#,
        r#"{"CMD":20,"PRODUCT_ID":"1700000001","DEVICE_ID":"880001"}"#,
        r#"{"CMD":20,"ID":"a","DEVICE_ID":"880001"}"#,
        r#"{"CMD":20,"ID":"a","PRODUCT_ID":"1700000001"}"#,
    ];
    for body in wrong {
        let (mut door, connection) = asking(&[]);
        assert_eq!(door.publish(connection, &topic("register/post"), body), [], "{body}");
        assert!(door.logged(What::Dropped), "{body}");
        let (mut door, connection) = asking(&[("StrictRegisterBody", "false")]);
        let seen = door.publish(connection, &topic("register/post"), body);
        assert!(matches!(seen[..], [Seen::Publish(..)]), "{body}: {seen:?}");
    }
    // Names of others are wrong in any case.
    for switches in [&[][..], &[("StrictRegisterBody", "false")]] {
        let (mut door, connection) = asking(switches);
        let body = request("a").replace(DEVICE, "other");
        assert_eq!(door.publish(connection, &topic("register/post"), &body), []);
    }
}

#[test]
fn a_lenient_exchange_may_go_without_ids_and_numbers() {
    let (mut door, connection) = asking(&[("StrictRegisterBody", "false")]);
    let seen = door.publish(connection, &topic("register/post"), "{}");
    assert_eq!(issued(&seen).0, "");
    let seen = door.publish(connection, &topic("register/post"), r#"{"BACK":"OK"}"#);
    assert_eq!(seen, [Seen::Close(connection)]);
    assert_eq!(door.device().state, "offline");
}

#[test]
fn switching_registration_off_silences_sessions_that_are_open() {
    let (mut door, connection) = asking(&[]);
    door.operate(switch("DynamicRegister", "off")).unwrap();
    assert_eq!(door.publish(connection, &topic("register/post"), &request("a")), []);
}

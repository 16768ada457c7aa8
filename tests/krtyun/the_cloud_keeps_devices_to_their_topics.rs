use muster::cloud::{Packet, What};

use crate::support::*;

#[test]
fn subscriptions_beyond_its_own_are_refused() {
    let own = [topic("ota/set"), topic("register/set"), topic("cmd/set")];
    let foreign = [
        "#".to_string(),
        "/sys/#".into(),
        topic("ota/set").replace(DEVICE, "880002"),
        topic("ota/set").replace(PRODUCT, "1700000002"),
        topic("ota/+"),
        topic("#"),
        format!("/sys/{PRODUCT}/{DEVICE}"),
        format!("/sys/{PRODUCT}/{DEVICE}/"),
        "x".into(),
        String::new(),
    ];
    let mut door = Door::new(&[]);
    let connection = door.login(DEVICE_SECRET);
    for filter in &own {
        assert_eq!(door.subscribe(connection, filter), [Seen::SubAck(connection, vec![1])]);
    }
    for filter in &foreign {
        let seen = door.subscribe(connection, filter);
        assert_eq!(seen, [Seen::SubAck(connection, vec![0x80])], "{filter}");
    }
    assert!(door.logged(What::Refused));
    // All in one packet: each filter has its own code.
    let filters = vec![(own[0].clone(), 2), (foreign[0].clone(), 1), (own[1].clone(), 0)];
    let seen = door.packet(connection, Packet::Subscribe { packet_id: 3, filters });
    assert_eq!(seen, [Seen::SubAck(connection, vec![1, 0x80, 0])]);
}

#[test]
fn the_products_secret_opens_the_registration_alone() {
    let mut door = Door::new(&[]);
    let connection = door.login(PRODUCT_SECRET);
    let seen = door.subscribe(connection, &topic("ota/set"));
    assert_eq!(seen, [Seen::SubAck(connection, vec![0x80])]);
    let body = r#"{"CMD":10,"HW_VERSION":"1","FW_VERSION":"2"}"#;
    door.publish(connection, &topic("ota/post"), body);
    assert_eq!(door.device().version, None);
    assert!(door.logged(What::Dropped));
}

#[test]
fn what_is_published_elsewhere_is_acknowledged_and_dropped() {
    let mut door = Door::new(&[]);
    let connection = door.login(DEVICE_SECRET);
    let body = br#"{"CMD":10,"HW_VERSION":"1","FW_VERSION":"2"}"#;
    for to in [
        topic("ota/post").replace(DEVICE, "880002"),
        topic("ota/set"),
        topic("ota/post/"),
        topic("cmd/ack"),
        "x".into(),
    ] {
        door.log.clear();
        let seen = door.publish_bytes(connection, &to, body);
        assert_eq!(seen, [Seen::PubAck(connection, 7)], "{to}");
        assert!(door.logged(What::Dropped), "{to}");
        assert_eq!(door.device().version, None);
    }
}

#[test]
fn without_the_check_a_filter_still_matches_only_what_it_spells() {
    let mut door = Door::new(&[("CheckTopics", "false")]);
    let connection = door.login(PRODUCT_SECRET);
    for filter in ["#", "/sys/+/+/thing/register/set"] {
        assert_eq!(door.subscribe(connection, filter), [Seen::SubAck(connection, vec![1])]);
    }
    assert_eq!(door.publish(connection, &topic("register/post"), &request("a")), []);
    door.subscribe(connection, &topic("register/set"));
    issued(&door.publish(connection, &topic("register/post"), &request("a")));
}

#[test]
fn an_unsubscribed_topic_is_silent() {
    let mut door = Door::new(&[]);
    let connection = door.login(PRODUCT_SECRET);
    door.subscribe(connection, &topic("register/set"));
    let filters = vec![topic("register/set"), "x".into()];
    let seen = door.packet(connection, Packet::Unsubscribe { packet_id: 9, filters });
    assert_eq!(seen, [Seen::UnsubAck(connection)]);
    assert_eq!(door.publish(connection, &topic("register/post"), &request("a")), []);
}

#[test]
fn the_same_number_on_another_topic_means_something_else() {
    let mut door = Door::new(&[]);
    let connection = door.login(DEVICE_SECRET);
    // Infrared of other vendor papers: CMD 10 too.
    let body = r#"{"CMD":10,"LEN":1,"DATA":[1],"REP":1,"CRC":1,"VER":1}"#;
    door.publish(connection, &topic("cmd/set"), body);
    door.publish(connection, &topic("ota/post"), body);
    assert_eq!(door.device().version, None);
}

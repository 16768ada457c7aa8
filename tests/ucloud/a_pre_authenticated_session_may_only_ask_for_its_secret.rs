use muster::cloud::{CloudOutput, What};

use super::support::*;

#[test]
fn other_subscriptions_are_refused_and_other_messages_dropped() {
    let mut platform = Platform::new();
    let connection = platform.log_in(2, PRODUCT_SECRET);
    for filter in [
        topic("ota/downstream"),
        topic("tmodel/property/set"),
        topic("password"),
        topic("#"),
        topic("+"),
        "#".into(),
        "/$system/#".into(),
        format!("/{PRODUCT}/{DEVICE}/set"),
        "/$system/70ly1tvowt696r15/112233445567/password_reply".into(),
    ] {
        assert_eq!(platform.subscribe(connection, &filter, 1), 0x80, "{filter}");
    }
    for to in [
        topic("ota/upstream"),
        topic("tmodel/property/post"),
        topic("password_reply"),
        format!("/{PRODUCT}/{DEVICE}/upload"),
        "/$system/70ly1tvowt696r15/112233445567/password".into(),
    ] {
        let out = platform.publish(connection, &to, 1, r#"{"RequestID":"1"}"#);
        assert_eq!(pubacks(&out), 1, "MQTT 3.1.1 knows no negative answer");
        assert!(downs(&out).is_empty() && closed(&out).is_empty());
        let dropped = |output: &CloudOutput| matches!(output, CloudOutput::Log(entry) if entry.what == What::Dropped);
        assert!(out.iter().any(dropped), "{to}");
    }
    assert_eq!(platform.ask(connection).as_deref(), Some(DEVICE_SECRET), "that is what it is for");
}

#[test]
fn the_reply_goes_only_to_who_subscribed_to_it() {
    let mut platform = Platform::new();
    let connection = platform.log_in(2, PRODUCT_SECRET);
    let request = r#"{"RequestID":"1"}"#;
    assert!(downs(&platform.publish(connection, &topic("password"), 1, request)).is_empty());
    platform.subscribe(connection, &topic("password_reply"), 1);
    assert_eq!(downs(&platform.publish(connection, &topic("password"), 1, request)).len(), 1);
    let filters = vec![topic("password_reply")];
    platform.packet(connection, muster::cloud::Packet::Unsubscribe { packet_id: 9, filters });
    assert!(downs(&platform.publish(connection, &topic("password"), 1, request)).is_empty());
}

#[test]
fn a_request_without_a_usable_request_id_is_dropped() {
    let mut platform = Platform::new();
    let connection = platform.log_in(2, PRODUCT_SECRET);
    platform.subscribe(connection, &topic("password_reply"), 1);
    let long = format!(r#"{{"RequestID":"{}"}}"#, "1".repeat(300));
    for body in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"RequestID":null}"#,
        r#"{"RequestID":{}}"#,
        r#"{"RequestID":[1]}"#,
        r#"{"RequestID":true}"#,
        r#"{"requestid":"1"}"#,
        long.as_str(),
        "\u{feff}{\"RequestID\":\"1\"}",
    ] {
        let out = platform.publish(connection, &topic("password"), 1, body);
        assert!(downs(&out).is_empty() && closed(&out).is_empty(), "{body}");
    }
}

#[test]
fn the_request_id_comes_back_as_it_was_sent() {
    let mut platform = Platform::new();
    let connection = platform.log_in(2, PRODUCT_SECRET);
    platform.subscribe(connection, &topic("password_reply"), 1);
    for (sent, echoed) in [
        (r#""100""#, r#""100""#),
        ("100", "100"),
        ("-1.5e3", "-1.5e3"),
        (r#""a\"b\\c\u00e9""#, r#""a\"b\\c\u00e9""#),
        ("\"caf\u{e9}\"", r#""caf\u00e9""#),
        (r#""""#, r#""""#),
    ] {
        let out = platform.publish(
            connection,
            &topic("password"),
            1,
            &format!(" {{ \"RequestID\" : {sent} }}\u{0}"),
        );
        let expected =
            format!(r#"{{"RetCode":"0","RequestID":{echoed},"Password":"{DEVICE_SECRET}"}}"#);
        assert_eq!(downs(&out)[0].2, expected);
    }
}

use std::time::Duration;

use muster::cloud::{CloudOutput, Packet, What};

use super::support::*;

fn packet(topic: String, qos: u8, retain: bool, len: usize) -> Packet {
    Packet::Publish {
        packet_id: (qos > 0).then_some(1),
        topic,
        qos,
        retain,
        payload: muster::SecretBytes::new(vec![b'x'; len]),
    }
}

fn upload() -> String {
    format!("/{PRODUCT}/{DEVICE}/upload")
}

#[test]
fn retained_qos_2_and_oversized_messages_close_the_connection() {
    for packet in [
        packet(upload(), 0, true, 1),
        packet(upload(), 1, true, 1),
        packet(upload(), 2, false, 1),
        packet(upload(), 1, false, 256 * 1024),
    ] {
        let mut platform = Platform::new();
        let connection = platform.online();
        let out = platform.packet(connection, packet);
        assert_eq!(closed(&out), [connection]);
        assert_eq!(pubacks(&out), 0);
    }
    let mut platform = Platform::new();
    let connection = platform.online();
    let out = platform.packet(connection, packet(upload(), 1, false, 256 * 1024 - 60));
    assert!(closed(&out).is_empty());
}

#[test]
fn subscriptions_at_qos_2_are_granted_1() {
    let mut platform = Platform::new();
    let connection = platform.log_in(1, DEVICE_SECRET);
    assert_eq!(platform.subscribe(connection, &topic("ota/downstream"), 2), 1);
    assert_eq!(platform.subscribe(connection, &topic("ota/downstream"), 0), 0);
}

#[test]
fn thirty_messages_a_second() {
    let mut platform = Platform::new();
    let connection = platform.online();
    for _ in 0..3 {
        platform.bench.pass(Duration::from_secs(1));
        let mut logged = 0;
        let acknowledged: usize = (0..100)
            .map(|_| {
                let out = platform.packet(connection, packet(upload(), 1, false, 10));
                let dropped =
                    |o: &&CloudOutput| matches!(o, CloudOutput::Log(e) if e.what == What::Dropped);
                logged += out.iter().filter(dropped).count();
                pubacks(&out)
            })
            .sum();
        assert_eq!((acknowledged, logged), (30, 1));
    }
}

#[test]
fn a_megabyte_a_second() {
    let mut platform = Platform::new();
    let connection = platform.online();
    platform.bench.pass(Duration::from_secs(1));
    let send = |platform: &mut Platform| {
        pubacks(&platform.packet(connection, packet(upload(), 1, false, 250_000)))
    };
    let acknowledged: usize = (0..10).map(|_| send(&mut platform)).sum();
    assert_eq!(acknowledged, 4);
}

#[test]
fn a_hundred_subscriptions() {
    let mut platform = Platform::new();
    let connection = platform.log_in(1, DEVICE_SECRET);
    for i in 0..110 {
        let code = platform.subscribe(connection, &format!("/{PRODUCT}/{DEVICE}/t{i}"), 1);
        assert_eq!(code, if i < 100 { 1 } else { 0x80 }, "{i}");
    }
    assert_eq!(platform.subscribe(connection, &format!("/{PRODUCT}/{DEVICE}/t5"), 0), 0, "known");
    let filters = vec![format!("/{PRODUCT}/{DEVICE}/t5")];
    platform.packet(connection, Packet::Unsubscribe { packet_id: 1, filters });
    assert_eq!(
        platform.subscribe(connection, &topic("ota/downstream"), 1),
        1,
        "there is room again"
    );
}

#[test]
fn topics_of_a_device_are_its_own_and_well_formed() {
    let mut platform = Platform::new();
    let connection = platform.log_in(1, DEVICE_SECRET);
    let own = |rest: &str| format!("/{PRODUCT}/{DEVICE}/{rest}");
    for (filter, code) in [
        (own("set"), 1),
        (own("a/b/c/d/e"), 1),
        (own("+/b"), 1),
        (own("a/#"), 1),
        (own("#"), 1),
        (format!("/{PRODUCT}/$broadcast/news"), 1),
        (topic("password_reply"), 1),
        (topic("shadow/downstream"), 1),
        (own("a/b/c/d/e/f"), 0x80),
        (own("#/a"), 0x80),
        (own("a b"), 0x80),
        (own("a+"), 0x80),
        (own(""), 0x80),
        (own(&"x".repeat(65)), 0x80),
        (format!("/{PRODUCT}/112233445567/set"), 0x80),
        (format!("/{PRODUCT}/+/set"), 0x80),
        (topic("#"), 0x80),
        (topic("ota/upstream"), 0x80),
        (topic("device/status"), 0x80),
        ("#".into(), 0x80),
        ("+/+".into(), 0x80),
        ("".into(), 0x80),
        ("/".repeat(9), 0x80),
        ("x".repeat(100_000), 0x80),
    ] {
        assert_eq!(platform.subscribe(connection, &filter, 1), code, "{filter:.80}");
    }
    for (to, taken) in [
        (own("upload"), true),
        (own("upload/event"), true),
        (topic("shadow/upstream"), true),
        (topic("tmodel/command_reply/77"), true),
        (topic("tmodel/command_reply/"), false),
        (topic("tmodel/command_reply/7/7"), false),
        (own("a/b/c/d/e/f"), false),
        (own("+"), false),
        (format!("/{PRODUCT}/$broadcast/news"), false),
        (format!("/{PRODUCT}/112233445567/upload"), false),
        (topic("ota/downstream"), false),
        ("/a/b/c/d/e/f/g/h".into(), false),
        ("y".repeat(129), false),
    ] {
        platform.bench.pass(Duration::from_secs(1));
        let out = platform.publish(connection, &to, 1, "{}");
        let dropped =
            out.iter().any(|o| matches!(o, CloudOutput::Log(e) if e.what == What::Dropped));
        assert_eq!(dropped, !taken, "{to:.80}");
        assert_eq!(pubacks(&out), 1);
    }
}

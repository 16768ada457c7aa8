use std::time::{Duration, Instant};

use muster::trace::Cutter;

/// 1 MiB in one WebSocket message. Whoever copies the rest for each packet copies 270 GB.
#[test]
fn a_flood_of_small_packets_is_cut_in_one_go() {
    let pingresp = [0xd0, 0];
    let flood = pingresp.repeat(512 * 1024);
    let begun = Instant::now();
    let packets = Cutter::default().feed(&flood);
    assert_eq!(packets.len(), 512 * 1024);
    assert!(packets.iter().all(|packet| *packet == pingresp));
    // A second would do; the machine may be busy.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// Wherever the bytes are cut on their way.
#[test]
fn packets_come_out_whole() {
    let puback = vec![0x40, 2, 0, 7];
    let mut publish = vec![0x30, 0x84, 0x01, 0, 1, b't'];
    publish.resize(3 + 132, b'x');
    let bytes = [&*puback, &publish, &puback].concat();
    let all = vec![puback.clone(), publish, puback];
    for size in 1..=bytes.len() {
        let mut cutter = Cutter::default();
        let packets: Vec<Vec<u8>> =
            bytes.chunks(size).flat_map(|chunk| cutter.feed(chunk)).collect();
        assert_eq!(packets, all, "{size} at a time");
    }
    // What is no MQTT comes out as it is.
    let nonsense = vec![0x30, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(Cutter::default().feed(&nonsense), [nonsense]);
}

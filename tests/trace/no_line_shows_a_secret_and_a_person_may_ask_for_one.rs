//! A whole life on each platform, from its first packet to ready: no line of its timeline, and no packet's bytes, show
//! what is secret, and the packets that carried it show it to the person who asks.

use muster::{Event, PlatformName};

use crate::world::World;

fn device_secret(world: &World) -> String {
    let stored: Vec<serde_json::Value> = world
        .stored
        .iter()
        .filter_map(|value| serde_json::from_slice(value.expose()).ok())
        .collect();
    let names = ["device_secret", "secret", "password"];
    let secret = stored.iter().find_map(|value| names.iter().find_map(|name| value[name].as_str()));
    secret.unwrap_or_else(|| panic!("{stored:?}")).to_string()
}

#[test]
fn no_line_shows_a_secret_and_a_person_may_ask_for_one() {
    for platform in PlatformName::ALL {
        let world = World::live(platform);
        assert!(world.events.contains(&Event::Ready), "{platform}: {:?}", world.events);
        let secrets = [world.product_secret.clone(), device_secret(&world)];
        let mut asked = 0;
        for entry in &world.entries {
            let line = serde_json::to_string(entry).unwrap();
            let Some(seen) = world.trace.packet(entry.seq, false) else {
                assert!(
                    secrets.iter().all(|secret| !line.contains(&**secret)),
                    "{platform}: {line}"
                );
                continue;
            };
            let covered = String::from_utf8_lossy(seen.bytes.expose()).into_owned();
            for secret in &secrets {
                assert!(!line.contains(&**secret), "{platform}: {line}");
                assert!(!covered.contains(&**secret), "{platform}: {covered}");
            }
            let shown = world.trace.packet(entry.seq, true).unwrap();
            let bytes = String::from_utf8_lossy(shown.bytes.expose()).into_owned();
            assert_eq!(bytes.len(), covered.len(), "a packet keeps its shape");
            asked += secrets.iter().filter(|secret| bytes.contains(&***secret)).count();
        }
        // The device's secret came once at least. Alibaba never sends the product's, only what it signs.
        assert!(asked >= 1, "{platform}: no packet carried a secret, so nothing was tested");
    }
}

#[test]
fn answers_name_what_they_answer() {
    let world = World::live(PlatformName::Ucloud);
    let lines: Vec<serde_json::Value> =
        world.entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect();
    let mut answered = 0;
    for line in lines.iter().filter(|line| line["kind"] == "mqtt" && line["direction"] == "down") {
        let packet = &line["packet"];
        if packet["type"] == "PUBACK" || packet["type"] == "SUBACK" || packet["type"] == "CONNACK" {
            let of = packet["of"].as_u64().unwrap_or_else(|| panic!("{line}"));
            let asked = lines.iter().find(|line| line["seq"] == of).unwrap();
            assert_eq!(asked["direction"], "up");
            answered += 1;
        }
    }
    assert!(answered >= 4, "{answered}");
    let reply = lines.iter().find(|line| {
        line["direction"] == "down"
            && line["packet"]["topic"]
                .as_str()
                .is_some_and(|topic| topic.ends_with("password_reply"))
    });
    let reply = reply.unwrap();
    let asked = lines.iter().find(|line| line["seq"] == reply["packet"]["of"]).unwrap();
    assert!(asked["packet"]["topic"].as_str().unwrap().ends_with("/password"));
}

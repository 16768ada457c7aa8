use muster::replay::{Player, Recording};

use super::support;

#[test]
fn and_tells_the_same_events() {
    for (platform, recording, events) in support::lives() {
        // Through its bytes, as from one Worker to another.
        let recording = Recording::read(recording.to_bytes().expose()).unwrap();
        let mut player = Player::new(recording).unwrap();
        assert!(player.length() > 10, "{platform}");
        let check = player.check().unwrap();
        assert_eq!((check.differs, check.unknown), (None, 0), "{platform}");

        let mut told = Vec::new();
        loop {
            let place = serde_json::to_value(player.place()).unwrap();
            assert_eq!(place["same"], true, "{platform}: step {}", player.at());
            let outputs = place["outputs"].as_array().unwrap();
            told.extend(outputs.iter().filter_map(|output| output.get("event")).cloned());
            assert_eq!(outputs.last().unwrap()["output"], "timeout");
            assert_ne!(place["word"], "", "{platform}: the step has a word");
            if !player.step() {
                break;
            }
        }
        let events: Vec<_> =
            events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
        assert_eq!(told, events, "{platform}");
        assert!(told.iter().any(|event| event["event"] == "ready"), "{platform}");
        assert_eq!(player.marks().len(), player.length());
    }
}

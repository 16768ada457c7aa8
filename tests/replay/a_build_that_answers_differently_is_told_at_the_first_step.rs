//! Another build of the core is played here by a recording that says something else than this one.

use muster::replay::{Player, Recording, Said};
use muster::{Now, SecretBytes};

use super::support;

#[test]
fn with_what_was_said_then() {
    for (platform, recording, _) in support::lives() {
        let covered = recording.cover([9; 32]).unwrap().recording;
        let mut other = covered.clone();
        let words = |recording: &Recording, at: usize| match &recording.inputs[at].said {
            Said::Words(words) => words.clone(),
            _ => panic!("{platform}: a covered recording has words"),
        };
        // What it said to other inputs.
        for (at, from) in [(7, 2), (9, 3)] {
            other.inputs[at].said = Said::Words(words(&covered, from));
        }
        let mut player = Player::new(other).unwrap();
        assert_eq!(player.check().unwrap().differs, Some(8), "{platform}");
        player.go_to(7);
        assert_eq!(player.place().same, Some(true));
        assert!(player.place().recorded.is_none());
        player.go_to(8);
        let place = player.place();
        assert_eq!(place.same, Some(false), "{platform}");
        let then = serde_json::to_value(place.recorded.unwrap()).unwrap();
        player.go_to(3);
        let said = serde_json::to_value(player.place().outputs).unwrap();
        let kinds = |list: &serde_json::Value| -> Vec<serde_json::Value> {
            list.as_array().unwrap().iter().map(|output| output["output"].clone()).collect()
        };
        assert_eq!(kinds(&then), kinds(&said), "{platform}: what was said then is shown");
    }
}

#[test]
fn a_digest_is_compared_as_well() {
    let (platform, mut recording, _) = support::lives().next().unwrap();
    recording.inputs[4].said = Said::Digest([0; 16]);
    let mut player = Player::new(recording).unwrap();
    assert_eq!(player.check().unwrap().differs, Some(5), "{platform}");
    player.go_to(5);
    assert_eq!(player.place().same, Some(false));
    assert!(player.place().recorded.is_none(), "a digest tells nothing");
}

#[test]
fn other_times_are_another_life() {
    let (platform, mut recording, _) = support::lives().next().unwrap();
    for recorded in recording.inputs.iter_mut().skip(5) {
        recorded.now = Now::mono(recorded.now.mono.0 + 60_000);
    }
    let check = Player::new(recording).unwrap().check().unwrap();
    assert!(check.differs.is_some_and(|at| at >= 6), "{platform}: {:?}", check.differs);
}

#[test]
fn an_input_of_a_newer_build_is_counted_and_passed_over() {
    let (platform, mut recording, _) = support::lives().next().unwrap();
    // Input 4711.
    recording.inputs[3].input = SecretBytes::new(vec![0x82, 0x19, 0x12, 0x67, 0x00]);
    let mut player = Player::new(recording).unwrap();
    player.go_to(4);
    let place = serde_json::to_value(player.place()).unwrap();
    assert_eq!(place["input"]["input"], "unknown", "{platform}");
    assert_eq!(place["same"], false);
}

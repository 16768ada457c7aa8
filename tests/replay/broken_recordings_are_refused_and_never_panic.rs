use muster::PlatformName;
use muster::replay::{KEPT_BYTES, Player, Recording, ReplayError};

use super::support;
use crate::lives;

#[test]
fn cut_short_or_with_any_byte_changed() {
    let (recording, _) = support::record(&lives::life(PlatformName::Ucloud), KEPT_BYTES);
    let covered = recording.cover([2; 32]).unwrap().recording;
    let bytes = covered.to_bytes().expose().to_vec();
    for end in [0, 1, 2, 10, 100, bytes.len() / 2, bytes.len() - 1] {
        assert_eq!(Recording::read(&bytes[..end]).unwrap_err(), ReplayError::Unreadable);
    }
    let mut played = 0;
    for at in (0..bytes.len()).step_by(61) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x55;
        // Either it is refused, or it plays, whatever it says.
        let Ok(recording) = Recording::read(&bytes) else { continue };
        let Ok(mut player) = Player::new(recording) else { continue };
        player.go_to(usize::MAX);
        player.back();
        let _ = player.check();
        let _ = player.recording().cover([3; 32]);
        played += 1;
    }
    assert!(played > 20, "{played} played");
}

#[test]
fn of_a_newer_layout_or_another_device() {
    let (mut recording, _) = support::record(&lives::life(PlatformName::Krtyun), KEPT_BYTES);
    recording.schema = 2;
    let bytes = recording.to_bytes();
    assert_eq!(Recording::read(bytes.expose()).unwrap_err(), ReplayError::Newer(2));
    recording.schema = 1;
    recording.settings.set("colour", "blue");
    let error = Player::new(recording).unwrap_err();
    assert!(error.to_string().contains("colour"), "{error}");
}

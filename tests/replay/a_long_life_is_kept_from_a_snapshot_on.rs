use muster::replay::{Player, Start};
use muster::{PlatformName, Secret};

use super::support;
use crate::lives;

#[test]
fn and_replays_from_there_covered_or_not() {
    for platform in PlatformName::ALL {
        let life = lives::life(platform);
        let (whole, _) = support::record(&life, usize::MAX);
        // Room for about a third of it.
        let size = whole.to_bytes().expose().len();
        let (kept, _) = support::record(&life, size / 3);
        assert!(kept.dropped > 0, "{platform}: {} inputs", kept.inputs.len());
        assert_eq!(kept.dropped as usize + kept.inputs.len(), whole.inputs.len(), "{platform}");
        assert!(kept.to_bytes().expose().len() < size, "{platform}");
        assert!(matches!(kept.start, Start::Snapshot(_)), "{platform}");

        let check = Player::new(kept.clone()).unwrap().check().unwrap();
        // Nobody can say what was said before the first input that is left.
        assert_eq!((check.differs, check.unknown), (None, 1), "{platform}");

        let covered = kept.cover([1; 32]).unwrap();
        assert_eq!(covered.strays, None, "{platform}");
        let secret = device_secret(&whole);
        let bytes = covered.recording.to_bytes();
        let text = String::from_utf8_lossy(bytes.expose()).into_owned();
        for secret in [secret.expose(), product_secret(&whole).expose()] {
            assert!(!text.contains(secret), "{platform}: a secret in the snapshot");
        }
        let seed = &life.recording.seed;
        assert!(!bytes.expose().windows(32).any(|window| window == seed), "{platform}: the seed");
        let check = Player::new(covered.recording).unwrap().check().unwrap();
        assert_eq!(check.differs, None, "{platform}");
    }
}

/// The message that brought the address of an image is gone with the beginning; the snapshot still knows the address.
#[test]
fn and_a_right_of_access_does_not_leave_in_its_snapshot() {
    let (right, other) = ("Expires=1893456000&Signature=c2lnbmVk%2BZm9y0x1", "c2lnbmVk%2BZm9y0x1");
    let url = ["http://iot.krtyun.com:16004/images/2.0.0.bin?", right].concat();
    let mut was_there = 0;
    for platform in PlatformName::ALL {
        let life = lives::life_with(platform, &url);
        let (whole, _) = support::record(&life, usize::MAX);
        let holds = |bytes: &[u8], text: &str| {
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        };
        let size = whole.to_bytes().expose().len();
        // From the whole of it to its last eighth: with the message, and without.
        for part in [1, 2, 3, 4, 6, 8] {
            let (kept, _) = support::record(&life, size / part);
            let Start::Snapshot(snapshot) = &kept.start else { continue };
            let told = kept.inputs.iter().any(|recorded| holds(recorded.input.expose(), other));
            was_there += usize::from(!told && holds(snapshot.expose(), right));
            let covered = kept.cover([9; 32]).unwrap();
            assert_eq!(covered.strays, None, "{platform}, 1/{part}");
            let bytes = covered.recording.to_bytes();
            assert!(!holds(bytes.expose(), other), "{platform}, 1/{part}: the right of access");
            let check = Player::new(covered.recording).unwrap().check().unwrap();
            assert_eq!(check.differs, None, "{platform}, 1/{part}");
        }
    }
    assert!(was_there >= 3, "in the snapshot alone: {was_there} times");
}

/// What the device stored.
pub(super) fn device_secret(recording: &muster::replay::Recording) -> Secret {
    let mut player = Player::new(recording.clone()).unwrap();
    let mut found = None;
    while player.step() {
        found = found.or_else(|| stored(&mut player));
    }
    found.expect("it stored its secret")
}

fn stored(player: &mut Player) -> Option<Secret> {
    // The page sees it covered; a test reads it from the inputs.
    let recorded = player.recording().inputs.get(player.at() - 1)?;
    let text = String::from_utf8_lossy(recorded.input.expose()).into_owned();
    let names = [
        "Password\":\"",
        "deviceSecret\":\"",
        "DEVICE_SECRET\":\"",
        "DeviceSecret\":\"",
        "SECRET\":\"",
    ];
    names.iter().find_map(|name| {
        let (_, rest) = text.split_once(name)?;
        Some(Secret::new(rest.split('"').next()?))
    })
}

pub(super) fn product_secret(recording: &muster::replay::Recording) -> Secret {
    let names = ["product_secret", "product_key"];
    let key = names.into_iter().find(|name| {
        muster::trace::is_secret_setting(recording.platform, name)
            && recording.settings.get(name).is_some()
    });
    Secret::new(recording.settings.get(key.unwrap()).unwrap())
}

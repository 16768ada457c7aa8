use muster::replay::{Player, Recording, Start};
use muster::{Event, PlatformName};

use super::a_long_life_is_kept_from_a_snapshot_on::{device_secret, product_secret};
use super::support;

#[test]
fn on_each_platform() {
    for (platform, recording, events) in support::lives() {
        let covered = recording.cover([5; 32]).unwrap();
        assert_eq!(covered.strays, None, "{platform}: the stand-ins lead elsewhere");
        let bytes = covered.recording.to_bytes();
        let tokens = events.iter().filter_map(|event| match event {
            Event::BindToken { token, .. } => Some(token.clone()),
            _ => None,
        });
        let mut secrets: Vec<String> = tokens.collect();
        assert_eq!(platform == PlatformName::Alibaba, !secrets.is_empty());
        secrets.push(product_secret(&recording).expose().to_string());
        secrets.push(device_secret(&recording).expose().to_string());
        for secret in &secrets {
            assert!(secret.len() > 7);
            let found = |bytes: &[u8]| {
                bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
            };
            let before: Vec<u8> = recording
                .inputs
                .iter()
                .flat_map(|recorded| recorded.input.expose().to_vec())
                .chain(
                    recording
                        .settings
                        .keys()
                        .flat_map(|key| recording.settings.get(key).unwrap().as_bytes().to_vec()),
                )
                .collect();
            assert!(
                found(&before) || platform == PlatformName::Alibaba,
                "{platform}: it was there"
            );
            assert!(!found(bytes.expose()), "{platform}: a secret in what leaves");
            let half = muster::hex::decode(secret);
            if let Some(half) = half {
                let raw = |window: &[u8]| window == half;
                assert!(!bytes.expose().windows(half.len()).any(raw), "{platform}: as bytes");
            }
        }
        // The seed would tell every token to come.
        assert!(!bytes.expose().windows(32).any(|window| window == seed(&recording)));

        // Same course: same steps, same words, same times.
        let (mut real, mut told) =
            (Player::new(recording).unwrap(), Player::new(covered.recording).unwrap());
        let check = told.check().unwrap();
        assert_eq!((check.differs, check.unknown, check.covered), (None, 0, true), "{platform}");
        loop {
            let (a, b) = (real.place(), told.place());
            assert_eq!((a.at, a.mono, a.unix, &a.word), (b.at, b.mono, b.unix, &b.word));
            let (a, b) = (serde_json::to_value(&a).unwrap(), serde_json::to_value(&b).unwrap());
            for key in ["input", "refused"] {
                assert_eq!(masked(&a[key], &secrets), masked(&b[key], &secrets), "{platform}");
            }
            if !real.step() {
                break;
            }
            told.step();
        }
    }
}

/// What was computed from a secret, or is a token, differs; everything else is the same.
fn masked(value: &serde_json::Value, secrets: &[String]) -> String {
    let mut text = value.to_string();
    for secret in secrets {
        text = text.replace(secret, "*");
    }
    let digest = text
        .split('"')
        .filter(|part| part.len() >= 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let digests: Vec<String> = digest.map(str::to_string).collect();
    digests.iter().fold(text, |text, digest| text.replace(digest.as_str(), "*"))
}

fn seed(recording: &Recording) -> Vec<u8> {
    // Its own bytes, as the recording writes them.
    let bytes = muster::cbor::encode(&recording.seed);
    bytes[bytes.len() - 32..].to_vec()
}

#[test]
fn and_one_with_stored_secrets_begins_with_stand_ins() {
    for (platform, recording, _) in support::lives() {
        let Start::Birth(stored) = &recording.start else { panic!("{platform}: it began") };
        assert_eq!(stored.iter().count(), 0);
        // The second life of the device: with what the first one stored.
        let secret = device_secret(&recording);
        let value = match platform {
            PlatformName::Ucloud => r#"{"product_sn":"P","device_sn":"D","device_secret":"S"}"#,
            PlatformName::Cmcc => continue,
            PlatformName::Krtyun => r#"{"product_id":"P","device_id":"D","device_secret":"S"}"#,
            PlatformName::Alibaba => r#"{"product_key":"P","device_name":"D","device_secret":"S"}"#,
        };
        let names = match platform {
            PlatformName::Ucloud => ("product_sn", "device_sn"),
            PlatformName::Krtyun => ("product_id", "device_id"),
            _ => ("product_key", "device_name"),
        };
        let get = |key| recording.settings.get(key).unwrap();
        let value = value
            .replace("\"P\"", &format!("\"{}\"", get(names.0)))
            .replace("\"D\"", &format!("\"{}\"", get(names.1)))
            .replace("\"S\"", &format!("\"{}\"", secret.expose()));
        let mut second = recording.clone();
        let mut stored = muster::Stored::empty();
        stored.insert(muster::StoreKey::Credential, muster::SecretBytes::new(value.into_bytes()));
        second.start = Start::Birth(stored);
        second.inputs.clear();
        let covered = second.cover([8; 32]).unwrap();
        assert_eq!(covered.strays, None, "{platform}");
        let bytes = covered.recording.to_bytes();
        let leaked = bytes.expose().windows(secret.expose().len());
        assert!(!leaked.into_iter().any(|window| window == secret.expose().as_bytes()));
    }
}

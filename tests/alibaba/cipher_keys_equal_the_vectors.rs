//! Cipher types 3, 4, 6 and 7, and the Wi-Fi password that their keys protect.

use muster::Secret;
use muster::alibaba::cipher::{
    CipherError, CipherType, Mac, Random, awss_password, awss_password_decrypt, content, derive,
};
use muster::hex;

use super::vectors::{object, section, text};

#[test]
fn every_vector_agrees() {
    for entry in section("cipher") {
        let cipher = CipherType::from_number(entry["cipherType"].as_u64().unwrap()).unwrap();
        assert_eq!(u64::from(cipher.number()), entry["cipherType"].as_u64().unwrap());
        assert_eq!(cipher.is_per_device(), text(&entry, "secret_kind") == "deviceSecret");
        let secret = Secret::from(text(&entry, "secret"));
        let random: Random = text(&entry, "random").parse().unwrap();
        let mac: Option<Mac> = entry["mac"].as_str().map(|mac| mac.parse().unwrap());

        let bytes = content(cipher, &secret, mac, random).unwrap();
        assert_eq!(hex::lower(bytes.expose()), text(&entry, "content_hex"));
        let derived = derive(cipher, &secret, mac, random).unwrap();
        assert_eq!(hex::lower(&derived.sha256), text(&entry, "sha256"));
        assert_eq!(hex::lower(&derived.key), text(&entry, "aes128_key"));
        assert_eq!(derived.key_hex().expose(), text(&entry, "data_as_returned_inferred"));
    }
}

#[test]
fn no_known_mistake_is_made() {
    let context = object("cipher_negative_context");
    let secret = Secret::from(text(&context, "secret"));
    let random: Random = text(&context, "random").parse().unwrap();
    let mac: Mac = text(&context, "mac").parse().unwrap();
    let hash = |cipher| hex::lower(&derive(cipher, &secret, Some(mac), random).unwrap().sha256);
    let (three, six) = (hash(CipherType::PerProduct), hash(CipherType::BlePerProduct));
    assert_eq!(three, text(&context, "right_type3"));
    assert_eq!(six, text(&context, "right_type6"));
    let looks_like_hex = Secret::from("0123456789abcdef");
    let hexish = derive(CipherType::PerProduct, &looks_like_hex, None, random).unwrap();
    for mistake in section("cipher_negative") {
        let value = text(&mistake, "value");
        assert_ne!(three, value, "{mistake}");
        assert_ne!(six, value, "{mistake}");
        assert_ne!(hex::lower(&hexish.sha256), value, "{mistake}");
    }
}

#[test]
fn a_mac_is_read_in_every_usual_spelling_and_in_no_other() {
    let mac = Mac([0xA0, 0xB1, 0xC2, 0xD3, 0xE4, 0xF5]);
    for good in ["A0:B1:C2:D3:E4:F5", "a0-b1-c2-d3-e4-f5", "A0B1c2d3e4f5"] {
        assert_eq!(good.parse(), Ok(mac), "{good}");
    }
    assert_eq!(mac.to_string(), "A0:B1:C2:D3:E4:F5");
    for bad in [
        "",
        "A0:B1:C2:D3:E4",
        "A0:B1:C2:D3:E4:F5:06",
        "A0:B1-C2:D3-E4:F5",
        "A0B:1C:2D:3E:4F:5",
        "A0:B1:C2:D3:E4:G5",
        "A0B1C2D3E4F",
        "0xA0B1C2D3E4",
        " A0B1C2D3E4F5",
        "A0:B1:C2:D3:E4:é",
        "+0:B1:C2:D3:E4:F5",
    ] {
        assert_eq!(bad.parse::<Mac>(), Err(CipherError::Mac), "{bad}");
    }
}

#[test]
fn random_is_32_hex_characters() {
    for bad in ["", "00", &"0".repeat(31), &"0".repeat(33), &"0".repeat(64), &"g".repeat(32)] {
        assert_eq!(bad.parse::<Random>(), Err(CipherError::Random), "{bad}");
    }
}

#[test]
fn what_the_service_does_not_know_is_refused() {
    for number in [0, 1, 2, 5, 8, u64::MAX] {
        assert_eq!(CipherType::from_number(number), None);
    }
    assert_eq!("7".parse(), Ok(CipherType::BlePerDevice));
    assert_eq!("".parse::<CipherType>(), Err(CipherError::Type));
    assert_eq!("-3".parse::<CipherType>(), Err(CipherError::Type));
    assert_eq!(CipherType::default(), CipherType::PerProduct);
    let random = Random([0; 16]);
    for cipher in [CipherType::BlePerProduct, CipherType::BlePerDevice] {
        let derived = derive(cipher, &Secret::from("s"), None, random);
        assert_eq!(derived, Err(CipherError::MacMissing));
    }
    let derived = derive(CipherType::PerProduct, &Secret::from(""), None, random);
    assert_eq!(derived, Err(CipherError::Secret));
}

#[test]
fn wifi_passwords_are_encrypted_as_devices_expect_and_come_back() {
    for entry in section("awss_password") {
        let cipher = CipherType::from_number(entry["security_level"].as_u64().unwrap()).unwrap();
        let secret = Secret::from(text(&entry, "secret"));
        let random: Random = text(&entry, "random").parse().unwrap();
        let key = derive(cipher, &secret, None, random).unwrap().key;
        assert_eq!(hex::lower(&key), text(&entry, "key"));
        let plain = Secret::from(text(&entry, "plain"));
        let passwd = awss_password(&key, random, &plain).unwrap();
        assert_eq!(passwd, text(&entry, "passwd_hex"));
        for spelling in [passwd.clone(), passwd.to_lowercase()] {
            let back = awss_password_decrypt(&key, random, &spelling).unwrap();
            assert_eq!(back.expose(), plain.expose().as_bytes());
        }
    }
}

#[test]
fn passwords_that_cannot_be_carried_are_refused() {
    let (key, random) = ([7; 16], Random([9; 16]));
    for bad in ["", "with\0nul", &"x".repeat(257)] {
        assert_eq!(awss_password(&key, random, &Secret::from(bad)), Err(CipherError::Password));
    }
    for bad in ["", "00", "zz", &"0".repeat(31), &"00".repeat(17), &"00".repeat(272)] {
        assert_eq!(awss_password_decrypt(&key, random, bad), Err(CipherError::Password), "{bad}");
    }
}

#[test]
fn neither_key_nor_hash_shows_in_debug() {
    let derived =
        derive(CipherType::PerProduct, &Secret::from("s"), None, Random([1; 16])).unwrap();
    assert_eq!(format!("{derived:?} {:?}", derived.key_hex()), "Derived(…) Secret(…)");
}

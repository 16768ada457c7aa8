//! What device and phone exchange without the cloud.

use muster::Secret;
use muster::alibaba::cipher::Random;
use muster::alibaba::credentials::SignMethod;
use muster::alibaba::local::{
    breeze_advertising_sign, breeze_decrypt, breeze_encrypt, breeze_v2_signature, discovery_sign,
};
use muster::hex;

use super::vectors::{section, text};

#[test]
fn breeze_blocks_agree_both_ways() {
    for entry in section("breeze") {
        let key: [u8; 16] = hex::decode(text(&entry, "key")).unwrap().try_into().unwrap();
        let plain = text(&entry, "plain").as_bytes();
        let encrypted = breeze_encrypt(&key, plain);
        assert_eq!(hex::lower(&encrypted), text(&entry, "aes128_cbc_zero_padded"));
        assert_eq!(breeze_decrypt(&key, &encrypted).unwrap().expose(), plain);
        assert!(breeze_decrypt(&key, &encrypted[1..]).is_none());
    }
}

#[test]
fn advertising_signatures_agree() {
    for entry in section("breeze_adv_sign") {
        let sign = breeze_advertising_sign(
            text(&entry, "productKey"),
            text(&entry, "deviceName"),
            &Secret::from(text(&entry, "deviceSecret")),
            u32::try_from(entry["sequence"].as_u64().unwrap()).unwrap(),
        );
        assert_eq!(hex::lower(&sign), text(&entry, "sha256"));
        assert_eq!(hex::lower(&sign[..4]), text(&entry, "sign4"));
    }
}

#[test]
fn second_version_signatures_agree() {
    for entry in section("breeze_v2_signature") {
        let sign = breeze_v2_signature(
            u32::from_str_radix(text(&entry, "model_id_hex8"), 16).unwrap(),
            text(&entry, "productKey"),
            text(&entry, "deviceName"),
            &Secret::from(text(&entry, "secret")),
        );
        assert_eq!(hex::lower(&sign), text(&entry, "sha256"));
    }
}

#[test]
fn discovery_signatures_agree() {
    for entry in section("awss_discovery_sign") {
        let random: Random = text(&entry, "random").parse().unwrap();
        for method in [SignMethod::HmacSha1, SignMethod::HmacSha256] {
            let sign = discovery_sign(
                method,
                &Secret::from(text(&entry, "secret")),
                random,
                text(&entry, "productKey"),
                text(&entry, "deviceName"),
            );
            assert_eq!(hex::lower(&sign), text(&entry, method.as_str()));
        }
    }
}

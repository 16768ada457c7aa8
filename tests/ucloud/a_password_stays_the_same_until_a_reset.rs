use muster::cloud::{CloudOutput, What};

use super::support::*;

#[test]
fn it_is_given_out_again_until_the_first_static_login_and_after_a_reset() {
    let mut platform = Platform::new();
    for _ in 0..3 {
        let connection = platform.log_in(2, PRODUCT_SECRET);
        for _ in 0..3 {
            assert_eq!(platform.ask(connection).as_deref(), Some(DEVICE_SECRET));
        }
    }
    platform.log_in(1, DEVICE_SECRET);
    let dynamic =
        |platform: &mut Platform| connack(&platform.connect(connect_packet(2, PRODUCT_SECRET)).1);
    assert_eq!(dynamic(&mut platform), Some(5));

    platform.operate(reset(false)).unwrap();
    let connection = platform.log_in(2, PRODUCT_SECRET);
    assert_eq!(platform.ask(connection).as_deref(), Some(DEVICE_SECRET), "the same secret");
    platform.log_in(1, DEVICE_SECRET);
    assert_eq!(dynamic(&mut platform), Some(5));

    platform.operate(reset(true)).unwrap();
    let connection = platform.log_in(2, PRODUCT_SECRET);
    let secret = platform.ask(connection).unwrap();
    assert_ne!(secret, DEVICE_SECRET);
    assert!(
        secret.len() == 16 && secret.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    );
    assert_eq!(connack(&platform.connect(connect_packet(1, DEVICE_SECRET)).1), Some(4), "void");
    platform.log_in(1, &secret);
}

#[test]
fn without_pre_registration_an_unknown_device_is_made_and_kept_before_it_is_let_in() {
    let mut platform = Platform::empty();
    platform.operate(create_product()).unwrap();
    platform.operate(switch("PreRegister", "false")).unwrap();
    let (connection, out) = platform.connect(connect_packet(2, PRODUCT_SECRET));
    assert!(matches!(out[0], CloudOutput::Persist(_)), "{out:?}");
    let secret = platform.ask(connection).unwrap();
    for _ in 0..3 {
        let connection = platform.log_in(2, PRODUCT_SECRET);
        assert_eq!(platform.ask(connection).as_deref(), Some(secret.as_str()));
    }
}

#[test]
fn the_activation_is_kept_before_the_login_is_answered() {
    let mut platform = Platform::new();
    let (_, out) = platform.connect(connect_packet(1, DEVICE_SECRET));
    assert!(matches!(out[0], CloudOutput::Persist(_)), "{out:?}");
    assert!(out.iter().any(|o| matches!(o, CloudOutput::Log(e) if e.what == What::Activated)));
    let (_, out) = platform.connect(connect_packet(1, DEVICE_SECRET));
    assert!(!out.iter().any(|o| matches!(o, CloudOutput::Persist(_))), "once");
}

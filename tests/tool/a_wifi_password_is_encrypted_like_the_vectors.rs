//! Both ways, and every value in between; the vectors are OpenSSL's and the vendor's C code's.

use muster::tool::{WifiInput, wifi};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../vectors/alibaba.json")).unwrap();
    all["awss_password"].as_array().unwrap().clone()
}

fn input(key: &str, random: &str) -> WifiInput {
    WifiInput { key: key.into(), random: random.into(), password: None, passwd: None }
}

#[test]
fn a_password_goes_and_comes_back() {
    let mut seen = 0;
    for vector in vectors() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let (key, random, plain) = (text("key"), text("random"), text("plain"));
        let there =
            wifi(&WifiInput { password: Some(plain.into()), ..input(key, random) }).unwrap();
        assert_eq!(there.passwd, text("passwd_hex").to_ascii_uppercase());
        let step = |name: &str| there.steps.iter().find(|step| step.name == name).unwrap();
        assert_eq!(step("AES-128-CBC").value, there.passwd);
        assert_eq!(step("padded").value.len(), there.passwd.len());
        assert!(step("padded").value.starts_with(&step("plain").value));
        let passwd = Some(there.passwd.to_ascii_lowercase());
        let back = wifi(&WifiInput { passwd, ..input(key, random) }).unwrap();
        assert_eq!((back.password.as_str(), &back.passwd), (plain, &there.passwd));
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn what_cannot_be_used_is_named() {
    const KEY: &str = "bbfed58a9adf0a62930afb64d169f15f";
    const RANDOM: &str = "281f2e4eefbd12d3b9f7ee5a1740cc2b";
    let wrong = |input: WifiInput| wifi(&input).err().unwrap().input;
    let some = |text: &str| Some(text.to_string());
    assert_eq!(wrong(input(KEY, RANDOM)), "password");
    assert_eq!(wrong(WifiInput { password: some("a"), ..input("00", RANDOM) }), "key");
    assert_eq!(wrong(WifiInput { password: some("a"), ..input(KEY, "0") }), "random");
    assert_eq!(wrong(WifiInput { password: some("a\0b"), ..input(KEY, RANDOM) }), "password");
    assert_eq!(wrong(WifiInput { passwd: some("00"), ..input(KEY, RANDOM) }), "passwd");
    let both = WifiInput { password: some("a"), passwd: some("00"), ..input(KEY, RANDOM) };
    assert_eq!(wrong(both), "passwd");
    // Under another key it is no text.
    let passwd = some("DAE5D16BA88845D6C6424F238C18D7E1");
    assert_eq!(wrong(WifiInput { passwd, ..input(RANDOM, RANDOM) }), "passwd");
}

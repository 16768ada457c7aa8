use muster::tool::{HandoverForm, HandoverInput, HandoverOutput, NvsFormat, handover, nvs_rows};
use muster::{PlatformName, SecretBytes};

const UCLOUD: &str =
    r#"{"product_sn":"p1","device_sn":"d/1","device_secret":"a\"b?c","supersedes":"x"}"#;

fn input(form: HandoverForm, credential: &str) -> HandoverInput {
    HandoverInput {
        platform: PlatformName::Ucloud,
        credential: SecretBytes::new(credential.into()),
        form,
        namespace: None,
        size: None,
        format: NvsFormat::Two,
    }
}

fn made(form: HandoverForm) -> HandoverOutput {
    handover(&input(form, UCLOUD)).unwrap()
}

fn text(form: HandoverForm) -> String {
    String::from_utf8(made(form).bytes.expose().to_vec()).unwrap()
}

#[test]
fn as_json_with_the_platform_and_without_what_is_the_agents_own() {
    let json: serde_json::Value = serde_json::from_str(&text(HandoverForm::Json)).unwrap();
    let wanted = serde_json::json!({
        "platform": "ucloud", "product_sn": "p1", "device_sn": "d/1", "device_secret": "a\"b?c",
    });
    assert_eq!(json, wanted);
    assert_eq!(made(HandoverForm::Json).file, "ucloud-d_1.json");
}

#[test]
fn as_a_header_whose_literals_mean_the_same_in_every_c() {
    let header = text(HandoverForm::Header);
    assert!(header.contains("\n#define MUSTER_PLATFORM \"ucloud\"\n"), "{header}");
    assert!(header.contains("\n#define MUSTER_DEVICE_SN \"d/1\"\n"), "{header}");
    assert!(header.contains("\n#define MUSTER_DEVICE_SECRET \"a\\\"b\\?c\"\n"), "{header}");
    assert!(!header.contains("SUPERSEDES"), "{header}");
}

#[test]
fn as_csv_that_espressifs_generator_reads() {
    let csv = text(HandoverForm::Csv);
    assert_eq!(
        csv,
        "key,type,encoding,value\nmuster,namespace,,\nproduct_sn,data,string,p1\n\
         device_sn,data,string,d/1\ndevice_secret,data,string,\"a\"\"b?c\"\n"
    );
    assert_eq!(nvs_rows(&csv, |_| Err(String::new())).unwrap().len(), 3);
}

#[test]
fn as_an_nvs_image_with_what_is_where() {
    let image = made(HandoverForm::Nvs);
    assert_eq!(image.bytes.expose().len(), 0x6000);
    let keys: Vec<_> = image.places.iter().map(|place| place.key.as_str()).collect();
    assert_eq!(keys, ["muster", "product_sn", "device_sn", "device_secret"]);
    assert!(image.notes.iter().any(|note| note.name == "replaces"));
}

#[test]
fn a_device_without_a_secret_has_nothing_to_hand_on() {
    for credential in [r#"{"product_sn":"p1"}"#, "[]", "x", ""] {
        let error = handover(&input(HandoverForm::Json, credential)).unwrap_err();
        assert_eq!(error.input, "credential", "{credential}");
    }
}

#[test]
fn no_secret_is_in_what_is_shown() {
    let made = made(HandoverForm::Nvs);
    let shown = format!("{made:?} {:?} {}", made.places, serde_json::to_string(&made).unwrap());
    assert!(!shown.contains("a\\\"b") && !shown.contains("b?c"), "{shown}");
}

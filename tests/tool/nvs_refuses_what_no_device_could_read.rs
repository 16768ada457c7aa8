use muster::tool::{NvsEntry, NvsFormat, NvsValue, nvs_image, nvs_rows};

fn problem(csv: &str) -> String {
    let whole = format!("key,type,encoding,value\n{csv}");
    match nvs_rows(&whole, |_| Err("no such file".into())) {
        Err(error) => error.to_string(),
        Ok(entries) => match nvs_image(&entries, 0x3000, NvsFormat::Two) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("taken: {csv}"),
        },
    }
}

#[test]
fn each_mistake_is_named_with_its_line() {
    for (csv, begins) in [
        ("k,data,u8,1", "line 2: an entry before any namespace"),
        ("n,namespace,,\nk,data,u8,256", "line 3: this is no decimal number that fits into u8"),
        ("n,namespace,,\nk,data,i8,0x10", "line 3: this is no decimal number"),
        ("n,namespace,,\nk,data,hex2bin,abc", "line 3: hex2bin wants pairs"),
        ("n,namespace,,\n# left out\nk,data,base64,a", "line 4: this is not base64"),
        ("n,namespace,,\nk,data,float,1", "line 3: the encoding \"float\" is unknown"),
        ("n,namespace,,\nk,date,u8,1", "line 3: the type \"date\" is none of"),
        ("n,namespace,,\nk,file,binary,a.bin", "line 3: the file a.bin: no such file"),
        ("a,namespace,,\nb,namespace,,\na,namespace,,", "line 4: this namespace was opened before"),
        ("n,namespace,,\nk,data,u8,1\nk,data,u8,2", "key: k is in the namespace n twice"),
        (
            "n,namespace,,\nsixteen_letters_,data,u8,1",
            "key: \"sixteen_letters_\" has to be 1 to 15",
        ),
        ("n,namespace,,\n密,data,u8,1", "key: \"密\" has to be 1 to 15 ASCII"),
        ("a_long_namespace,namespace,,\nk,data,u8,1", "namespace: \"a_long_namespace\" has to be"),
        ("n,namespace,,\nsta.ssid,data,string,x", "key: sta.ssid belongs to ESP-IDF's Wi-Fi"),
    ] {
        let said = problem(csv);
        assert!(said.starts_with(begins), "{csv:?}: {said}");
    }
    let said = nvs_rows("key,type,encoding\n", |_| Ok(Vec::new())).unwrap_err().to_string();
    assert_eq!(said, "line 1: the head `key,type,encoding,value` lacks value");
}

#[test]
fn what_does_not_fit_is_refused_with_its_limit() {
    let blob = |bytes: usize| NvsEntry {
        namespace: "n".into(),
        key: "k".into(),
        value: NvsValue::Blob(vec![7; bytes]),
    };
    let made = |entry: NvsEntry, size, format| {
        nvs_image(&[entry], size, format).map(|image| image.pages_used).map_err(|e| e.to_string())
    };
    let text = |bytes: usize| NvsEntry::text("n", "k", &"x".repeat(bytes));
    assert_eq!(made(text(3_967), 0x4000, NvsFormat::Two), Ok(2));
    assert!(made(text(3_968), 0x4000, NvsFormat::Two).unwrap_err().contains("3967"));
    assert!(made(text(1_984), 0x4000, NvsFormat::One).unwrap_err().contains("1983"));
    assert!(made(blob(1_985), 0x4000, NvsFormat::One).unwrap_err().contains("1984"));
    assert_eq!(made(blob(8_000), 0x4000, NvsFormat::Two), Ok(3));
    assert!(made(blob(12_000), 0x4000, NvsFormat::Two).unwrap_err().starts_with("size: too small"));
    assert!(made(blob(600_000), 0x100000, NvsFormat::Two).unwrap_err().contains("508000"));
    for size in [0, 100, 0x1001, 32 << 20] {
        assert!(made(text(1), size, NvsFormat::Two).unwrap_err().starts_with("size: "), "{size}");
    }
}

#[test]
fn a_value_is_never_shown() {
    let entry = NvsEntry::text("n", "k", "s3cret");
    let image = nvs_image(core::slice::from_ref(&entry), 0x3000, NvsFormat::Two).unwrap();
    let shown = format!("{entry:?} {:?} {image:?} {:?}", entry.value, image.places);
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(image.bytes.expose().windows(7).any(|part| part == b"s3cret\0"));
}

#[test]
fn places_say_where_everything_lies() {
    let entries = [
        NvsEntry { namespace: "a".into(), key: "n".into(), value: NvsValue::U16(515) },
        NvsEntry::text("b", "t", "x"),
        // Not the last of `a` in the list, but in the image.
        NvsEntry { namespace: "a".into(), key: "b".into(), value: NvsValue::Blob(vec![1; 40]) },
    ];
    let image = nvs_image(&entries, 0x3000, NvsFormat::Two).unwrap();
    let seen: Vec<_> = image
        .places
        .iter()
        .map(|p| (p.entry, p.offset, p.span, p.namespace.as_str(), p.key.as_str(), p.kind, p.bytes))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 64, 1, "", "a", "namespace", 1),
            (1, 96, 1, "a", "n", "u16", 2),
            (2, 128, 3, "a", "b", "blob_data", 40),
            (5, 224, 1, "a", "b", "blob_index", 0),
            (6, 256, 1, "", "b", "namespace", 1),
            (7, 288, 2, "b", "t", "string", 2),
        ]
    );
    let at = |offset: usize, length: usize| &image.bytes.expose()[offset..offset + length];
    assert_eq!(at(96 + 24, 2), [3, 2]);
    assert_eq!(at(288 + 32, 2), b"x\0");
}

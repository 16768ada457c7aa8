use muster::cmcc::cmei::{self, Cmei, CmeiError, FreeDigit, SERIALS, Tui};
use muster::cmcc::imei::{self, Imei, ImeiError};
use serde_json::Value;

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../vectors/alibaba.json")).unwrap();
    let entries = all[section].as_array().unwrap().clone();
    assert!(!entries.is_empty());
    entries
}

#[test]
fn check_digits_equal_the_vectors() {
    for entry in vectors("luhn") {
        let (first, full) = (entry["first14"].as_str().unwrap(), entry["full"].as_str().unwrap());
        let check = u8::try_from(entry["check"].as_u64().unwrap()).unwrap();
        assert_eq!(imei::check_digit(first), Some(check), "{first}");
        let parsed = Imei::parse(full).unwrap();
        assert!(parsed.check_digit_fits(), "{full}");
        assert_eq!(
            [parsed.tac(), parsed.serial(), &parsed.check_digit().to_string()].concat(),
            full
        );
        // Any other last digit is odd, and still an IMEI.
        for other in (0..=9).filter(|&digit| digit != check) {
            let odd = Imei::parse(&format!("{first}{other}")).unwrap();
            assert!(!odd.check_digit_fits());
            assert_eq!(odd.computed_check_digit(), check);
        }
        if full.starts_with("11") {
            let built = Cmei::build(
                &Tui::parse(&first[..8]).unwrap(),
                first[8..].parse().unwrap(),
                &mut FreeDigit::Check,
            );
            assert_eq!(built.unwrap().as_str(), full);
        }
    }
}

#[test]
fn cmei_cases_equal_the_vectors() {
    for case in vectors("cmei_cases") {
        let (text, why) = (case["cmei"].as_str().unwrap(), case["why"].as_str().unwrap());
        let valid = case["valid"].as_bool().unwrap();
        assert_eq!(Cmei::parse_reported(text).is_ok(), valid, "{text}: {why}");
        // Alone, a CMEI is never empty.
        assert_eq!(Cmei::parse(text).is_ok(), valid && !text.is_empty(), "{text}: {why}");
    }
}

#[test]
fn the_documents_table_is_one_number() {
    // 11 | 123456 | 123456 | 1
    let cmei = Cmei::parse("111234561234561").unwrap();
    assert_eq!(cmei.tui().as_str(), "11123456");
    assert_eq!((cmei.serial(), cmei.free_digit()), (123_456, 1));
    assert!(!cmei.check_digit_fits());
    assert_eq!(cmei.computed_check_digit(), 9);
    let rebuilt = Cmei::build(&cmei.tui(), cmei.serial(), &mut FreeDigit::Fixed(1)).unwrap();
    assert_eq!(rebuilt, cmei);
}

#[test]
fn a_bad_number_says_what_is_wrong_with_it() {
    let no = |text: &str| Cmei::parse(text).unwrap_err();
    assert_eq!(no("11123456123456"), CmeiError::Length { expected: 15, found: 14 });
    assert_eq!(no("11123456123456X"), CmeiError::NotADigit { at: 15 });
    assert_eq!(no("211234561234567"), CmeiError::Prefix);
    assert_eq!(no(" 11123456123456"), CmeiError::NotADigit { at: 1 });
    assert_eq!(no("１１1234561234567"), CmeiError::NotADigit { at: 1 });
    assert_eq!(Tui::parse("1112345"), Err(CmeiError::Length { expected: 8, found: 7 }));
    assert_eq!(Tui::parse("21123456"), Err(CmeiError::Prefix));
    assert_eq!(Tui::parse("1112345a"), Err(CmeiError::NotADigit { at: 8 }));
    assert_eq!(Imei::parse("4901542032375"), Err(ImeiError::Length { found: 13 }));
    assert_eq!(Imei::parse("49015420323751é"), Err(ImeiError::NotADigit { at: 15 }));
    assert_eq!(imei::check_digit(""), None);
    assert_eq!(imei::check_digit("12a"), None);
}

#[test]
fn a_number_is_built_in_the_three_ways_of_the_document() {
    let tui = Tui::parse("11123456").unwrap();
    let build = |serial, free: &mut FreeDigit<'_>| Cmei::build(&tui, serial, free);
    assert_eq!(build(7, &mut FreeDigit::Fixed(0)).unwrap().as_str(), "111234560000070");
    assert_eq!(build(123_456, &mut FreeDigit::Check).unwrap().as_str(), "111234561234569");
    // 255 is thrown away: it would make the low digits likelier than the high ones.
    let mut bytes = [255, 249].into_iter();
    let mut random = || bytes.next().unwrap();
    let drawn = build(999_999, &mut FreeDigit::Random(&mut random)).unwrap();
    assert_eq!(drawn.as_str(), "111234569999999");
    assert_eq!(
        build(1_000_000, &mut FreeDigit::Check),
        Err(CmeiError::Serial { serial: 1_000_000 })
    );
    assert_eq!(build(1, &mut FreeDigit::Fixed(10)), Err(CmeiError::FreeDigit { digit: 10 }));
    // A source that is stuck does not hang the caller.
    let mut stuck = || 255;
    assert_eq!(build(1, &mut FreeDigit::Random(&mut stuck)).unwrap().free_digit(), 5);
}

#[test]
fn a_batch_has_every_serial_once_and_knows_its_end() {
    let tui = Tui::parse("11000000").unwrap();
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let all = cmei::batch(&tui, 0, SERIALS, FreeDigit::Random(&mut random)).unwrap();
    assert_eq!(all.len(), 1_000_000);
    let all: Vec<Cmei> = all.collect();
    assert!(all.windows(2).all(|pair| pair[0].serial() + 1 == pair[1].serial()));
    // Different serials, so different numbers, whatever the last digit; which is spread evenly.
    let mut digits = [0u32; 10];
    all.iter().for_each(|cmei| digits[usize::from(cmei.free_digit())] += 1);
    assert!(digits.iter().all(|count| (95_000..105_000).contains(count)), "{digits:?}");

    let last = cmei::batch(&tui, 999_998, 2, FreeDigit::Check).unwrap();
    assert_eq!(last.map(|cmei| cmei.serial()).collect::<Vec<_>>(), [999_998, 999_999]);
    assert_eq!(cmei::batch(&tui, 5, 0, FreeDigit::Check).unwrap().count(), 0);
    let too_many = cmei::batch(&tui, 999_998, 3, FreeDigit::Check).unwrap_err();
    assert_eq!(too_many, CmeiError::TooMany { first: 999_998, count: 3, left: 2 });
    assert!(too_many.to_string().contains("2 are left"));
    assert!(cmei::batch(&tui, 1, u32::MAX, FreeDigit::Check).is_err());
    assert!(cmei::batch(&tui, SERIALS, 0, FreeDigit::Check).is_err());
    assert!(cmei::batch(&tui, 0, 1, FreeDigit::Fixed(10)).is_err());
}

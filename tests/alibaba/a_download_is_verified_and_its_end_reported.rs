//! Firmware updates.

use muster::{
    Ack, CodecError, Command, Download, Downloaded, Error, Event, Failure, Input, LocalFailure,
    Outcome, PeerMisbehaved, Progress, Rejected, Token, Update, UpdateFailure, Warning,
};

use super::bench::{Bench, ota, settings};

const MD5: &str = "0123456789abcdef0123456789abcdef";
const SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn order(data: &str) -> String {
    format!(r#"{{"code":"1000","data":{{{data}}},"id":1507707025,"message":"success"}}"#)
}

fn good() -> String {
    order(&format!(
        r#""size":432945,"version":"2.0.0","isDiff":0,"url":"https://h/f.bin?Signature=x","md5":"{MD5}","sign":"{SHA256}","signMethod":"SHA256","extData":{{"k":"v"}}"#
    ))
}

fn until_download(bench: &mut Bench) -> (Token, Download) {
    bench.until(|command| match command {
        Command::Download(token, download) => Some((*token, download.clone())),
        _ => None,
    })
}

fn complete(size: u64) -> Downloaded {
    Downloaded::Complete { size, md5: MD5.into(), sha256: SHA256.into() }
}

fn progress(bench: &Bench) -> Vec<(String, String)> {
    let topic = ota("progress");
    let on = bench.cloud.published.iter().filter(|(t, _)| *t == topic);
    on.map(|(_, body)| {
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        let text = |key: &str| json["params"][key].as_str().unwrap().to_owned();
        (text("step"), text("desc"))
    })
    .collect()
}

fn updates(bench: &Bench) -> Vec<Update> {
    let updates = bench.events.iter().filter_map(|event| match event {
        Event::Update { update } => Some(update.clone()),
        _ => None,
    });
    updates.collect()
}

#[test]
fn an_order_is_kept_fetched_verified_installed_and_reported() {
    let mut bench = Bench::ready(&settings());
    bench.message(&ota("upgrade"), good());
    assert!(bench.commands.iter().all(|c| matches!(c, Command::Store(..))), "kept first");
    let (token, download) = until_download(&mut bench);
    assert_eq!(download.url, "https://h/f.bin?Signature=x");
    assert_eq!((download.size, download.version.as_str()), (Some(432_945), "2.0.0"));
    assert_eq!(download.max_size, 64 << 20);
    for received in (0..=432_945).step_by(4_329) {
        bench.input(Input::Progress(token, Progress { received, total: Some(432_945) }));
    }
    bench.input(Input::Downloaded(token, complete(432_945)));
    let install = bench.until(|command| match command {
        Command::Install(token, install) => Some((*token, install.clone())),
        _ => None,
    });
    assert_eq!(install.1.sha256, SHA256);
    bench.input(Input::Installed(install.0, Outcome::Done));
    bench.settle();
    assert_eq!(bench.cloud.versions, ["1.0.0", "2.0.0"]);
    let steps: Vec<i32> = progress(&bench).iter().map(|(step, _)| step.parse().unwrap()).collect();
    assert_eq!(steps.first(), Some(&1));
    assert_eq!(steps.last(), Some(&100));
    assert!(steps.is_sorted() && steps.len() <= 12, "{steps:?}");
    let said: Vec<Update> = updates(&bench)
        .into_iter()
        .filter(|update| !matches!(update, Update::Downloading { .. }))
        .collect();
    let (from, to) = ("1.0.0".to_owned(), "2.0.0".to_owned());
    assert_eq!(
        said,
        [
            Update::Offered { from: from.clone(), to: to.clone(), size: Some(432_945) },
            Update::Verified { digest: true },
            Update::Installed { from, to: to.clone() },
            Update::Reported { version: to },
        ]
    );
    assert_eq!(bench.stray(), 0);
    assert!(bench.stored.get(muster::StoreKey::Firmware).is_none(), "the order is forgotten");
}

#[test]
fn each_kind_of_digest_is_compared() {
    let other = "f".repeat(64);
    for (data, fits) in [
        (format!(r#""md5":"{MD5}""#), true),
        (format!(r#""md5":"{}""#, MD5.to_uppercase()), true),
        (format!(r#""sign":"{MD5}","signMethod":"Md5""#), true),
        (format!(r#""sign":"{SHA256}","signMethod":"SHA256""#), true),
        (format!(r#""sign":"{SHA256}","signMethod":"Sha256","md5":"{MD5}""#), true),
        (format!(r#""sign":"whatever","signMethod":"SM3","md5":"{MD5}""#), true),
        (format!(r#""md5":"{}""#, &other[..32]), false),
        (format!(r#""sign":"{}","signMethod":"MD5","md5":"{MD5}""#, &other[..32]), false),
        (format!(r#""sign":"{other}","signMethod":"SHA256","md5":"{MD5}""#), false),
        (format!(r#""sign":"{SHA256}","signMethod":"SHA256","md5":"{}""#, &other[..32]), false),
    ] {
        let mut bench = Bench::ready(&settings());
        let body = order(&format!(r#""version":"2","url":"http://h/f","module":"default",{data}"#));
        bench.message(&ota("upgrade"), body);
        let (token, _) = until_download(&mut bench);
        bench.input(Input::Downloaded(token, complete(9)));
        let verified = updates(&bench).contains(&Update::Verified { digest: true });
        assert_eq!(verified, fits, "{data}");
        if !fits {
            bench.settle();
            assert_eq!(progress(&bench).last().unwrap().0, "-3", "{data}");
        }
    }
}

#[test]
fn an_image_without_any_digest_is_warned_of() {
    let mut bench = Bench::ready(&settings());
    bench.message(&ota("upgrade"), order(r#""version":"2","url":"http://h/f","size":9"#));
    assert_eq!(bench.warnings(), [&Warning::UnprotectedImage]);
    let (token, _) = until_download(&mut bench);
    bench.input(Input::Downloaded(token, complete(9)));
    assert!(updates(&bench).contains(&Update::Verified { digest: false }));
}

#[test]
fn every_failure_is_reported_with_its_step() {
    let lost = || Downloaded::Failed(Failure::Lost);
    for (end, times, step, reason) in [
        (Downloaded::Failed(Failure::Status(403)), 1, "-2", UpdateFailure::Refused(403)),
        (Downloaded::Failed(Failure::Forbidden), 1, "-2", UpdateFailure::Url),
        (Downloaded::Failed(Failure::TooLarge), 1, "-3", UpdateFailure::Size),
        (complete(1), 1, "-3", UpdateFailure::Size),
        (lost(), 4, "-2", UpdateFailure::Download(Failure::Lost)),
    ] {
        let mut bench = Bench::ready(&settings());
        bench.message(&ota("upgrade"), good());
        for _ in 0..times {
            let (token, _) = until_download(&mut bench);
            bench.input(Input::Downloaded(token, end.clone()));
        }
        bench.settle();
        assert!(updates(&bench).contains(&Update::Failed { reason: reason.clone() }), "{reason:?}");
        assert_eq!(progress(&bench).last().unwrap().0, step);
        assert!(bench.stored.get(muster::StoreKey::Firmware).is_none());
        // The next order is taken again.
        bench.message(&ota("upgrade"), good());
        until_download(&mut bench);
    }
}

#[test]
fn an_image_that_cannot_be_installed_is_reported() {
    let mut bench = Bench::ready(&settings());
    bench.message(&ota("upgrade"), good());
    let (token, _) = until_download(&mut bench);
    bench.input(Input::Downloaded(token, complete(432_945)));
    let token = bench.until(|command| match command {
        Command::Install(token, _) => Some(*token),
        _ => None,
    });
    bench.input(Input::Installed(token, Outcome::Failed(LocalFailure::Install)));
    bench.settle();
    assert_eq!(progress(&bench).last().unwrap().0, "-4");
    assert_eq!(bench.cloud.versions, ["1.0.0"]);
}

#[test]
fn an_order_that_cannot_be_kept_is_refused() {
    let mut bench = Bench::ready(&settings());
    bench.message(&ota("upgrade"), good());
    let (token, ..) = bench.until_store();
    bench.input(Input::Stored(token, Outcome::Failed(LocalFailure::Store)));
    bench.settle();
    assert_eq!(progress(&bench).last().unwrap().0, "-1");
}

#[test]
fn orders_that_cannot_be_used_are_refused_by_name() {
    let codec = |error| Error::Codec { error };
    let missing = |key: &str| codec(CodecError::Missing(key.into()));
    let invalid = |key: &str| codec(CodecError::Invalid(key.into()));
    let url = |url: &str| order(&format!(r#""version":"2","url":"{url}""#));
    let forbidden = || Error::PeerMisbehaved { how: PeerMisbehaved::ForbiddenUrl };
    for (body, error) in [
        ("junk".to_owned(), codec(CodecError::NotJson)),
        (r#"{"code":"1000"}"#.to_owned(), missing("data")),
        (order(""), missing("version")),
        (order(r#""version":"2""#), missing("url")),
        (order(r#""version":"2","files":[{"fileUrl":"http://h/a"}]"#), missing("url")),
        (order(r#""version":"2","dProtocol":"mqtt","streamId":1"#), missing("url")),
        (order(r#""version":"\u0000","url":"http://h/f""#), invalid("version")),
        (order(r#""version":"2","url":"http://h/f","size":"big""#), invalid("size")),
        (order(r#""version":"2","url":"http://h/f","size":-1"#), invalid("size")),
        (order(r#""version":"2","url":"http://h/f","md5":"12""#), invalid("md5")),
        (
            order(r#""version":"2","url":"http://h/f","sign":"12","signMethod":"SHA256""#),
            invalid("sign"),
        ),
        (order(r#""version":"2","url":"http://h/f","module":"MCU""#), invalid("module")),
        (url("file:///etc/passwd"), forbidden()),
        (url("ftp://h/f"), forbidden()),
        (url("http://"), forbidden()),
        (url("http://h/ f"), forbidden()),
        (
            r#"{"code":500,"message":"no"}"#.to_owned(),
            Error::Rejected { by: Rejected::Code { code: "500".into(), message: "no".into() } },
        ),
    ] {
        let mut bench = Bench::ready(&settings());
        bench.message(&ota("upgrade"), body.clone());
        bench.settle();
        assert_eq!(bench.warnings(), [&Warning::Ignored { error }], "{body}");
        assert_eq!(progress(&bench).len(), 1, "{body}");
        assert_eq!(progress(&bench)[0].0, "-1");
        assert!(updates(&bench).is_empty());
    }
}

#[test]
fn an_order_for_what_runs_already_is_answered_with_the_version() {
    let mut bench = Bench::ready(&settings().with("firmware_version", "2.0.0"));
    bench.message(&ota("upgrade"), good());
    bench.settle();
    assert_eq!(bench.cloud.versions, ["2.0.0", "2.0.0"]);
    assert!(updates(&bench).is_empty());
}

#[test]
fn the_same_order_twice_is_one_order() {
    let mut bench = Bench::ready(&settings());
    bench.message(&ota("upgrade"), good());
    bench.message(&ota("upgrade"), good());
    until_download(&mut bench);
    bench.message(&ota("upgrade"), good());
    bench.settle();
    assert_eq!(updates(&bench).len(), 1);
}

#[test]
fn a_download_goes_on_while_the_session_is_away_and_its_end_is_reported_later() {
    let mut bench = Bench::ready(&settings());
    bench.message(&ota("upgrade"), good());
    let (token, _) = until_download(&mut bench);
    bench.break_connection();
    bench.input(Input::Progress(token, Progress { received: 432_000, total: Some(432_945) }));
    bench.input(Input::Downloaded(token, Downloaded::Failed(Failure::Status(404))));
    bench.events.clear();
    bench.until_ready();
    bench.settle();
    assert_eq!(progress(&bench).last().unwrap().0, "-2");
}

#[test]
fn an_image_installed_while_the_old_version_was_being_reported_is_reported_too() {
    let mut bench = Bench::ready(&settings());
    bench.message(&ota("upgrade"), good());
    let (download, _) = until_download(&mut bench);
    bench.break_connection();
    let (old, _) = bench.until_publish(&ota("inform"));
    bench.input(Input::Downloaded(download, complete(432_945)));
    let install = bench.until(|command| match command {
        Command::Install(token, _) => Some(*token),
        _ => None,
    });
    bench.input(Input::Installed(install, Outcome::Done));
    bench.input(Input::Acked(old, Ack::Published));
    assert!(!updates(&bench).contains(&Update::Reported { version: "2.0.0".into() }));
    bench.events.clear();
    bench.until_ready();
    bench.settle();
    assert!(updates(&bench).contains(&Update::Reported { version: "2.0.0".into() }));
    assert_eq!(bench.cloud.versions.last().unwrap(), "2.0.0");
}

#[test]
fn a_power_cut_after_any_output_of_an_update_converges() {
    // Counts the outputs of the whole update once, then cuts after each.
    let update = |cut: Option<usize>| {
        let mut bench = Bench::ready(&settings());
        if let Some(nth) = cut {
            bench.cut_after(nth);
        }
        let before = bench.outputs.len();
        bench.message(&ota("upgrade"), good());
        let mut installed = false;
        let mut booted = false;
        for _ in 0..50 {
            let Some(command) = bench.commands.pop_front() else {
                if bench.agent.is_none() && !booted {
                    booted = true;
                    // What was installed is what comes up.
                    if installed {
                        bench = Bench::with_stored(
                            &settings().with("firmware_version", "2.0.0"),
                            bench.stored.clone(),
                        )
                        .with_cloud(bench.cloud);
                    } else {
                        bench.power_on().unwrap();
                    }
                    continue;
                }
                break;
            };
            match command {
                Command::Download(token, _) => {
                    bench.input(Input::Downloaded(token, complete(432_945)));
                }
                Command::Install(token, _) => {
                    installed = true;
                    bench.input(Input::Installed(token, Outcome::Done));
                }
                other => bench.answer(other),
            }
        }
        let outputs = bench.outputs.len().saturating_sub(before);
        (bench, outputs)
    };
    let (whole, outputs) = update(None);
    assert_eq!(whole.cloud.versions.last().unwrap(), "2.0.0");
    assert!(outputs > 10);
    for nth in 1..outputs {
        let (bench, _) = update(Some(nth));
        let done = bench.cloud.versions.last().unwrap() == "2.0.0";
        let refused = progress(&bench).last().is_some_and(|(step, _)| step.starts_with('-'));
        // A cut ahead of the store loses an order that was not acknowledged: the cloud orders again.
        let lost = updates(&bench).len() <= 1;
        assert!(done || refused || lost, "cut after {nth}: {:?}", bench.events);
        assert!(bench.stored.get(muster::StoreKey::Firmware).is_none(), "cut after {nth}");
    }
}

//! Slots, and downloads from servers that misbehave.

use super::*;

fn staged(firmware: &Firmware, bytes: &[u8]) -> Install {
    store::make(&firmware.dir).unwrap();
    std::fs::write(firmware.staging(), bytes).unwrap();
    let sha256 = hex::lower(&Sha256::digest(bytes));
    Install { version: format!("v{}", bytes.len()), sha256 }
}

#[test]
fn updates_alternate_between_the_slots() {
    let dir = tempfile::tempdir().unwrap();
    let firmware = Firmware::new(dir.path());
    assert_eq!(firmware.running().unwrap(), None);
    for (bytes, slot) in [(&b"1"[..], "a"), (b"22", "b"), (b"333", "a")] {
        let install = staged(&firmware, bytes);
        firmware.install(&install).unwrap();
        let about = firmware.running().unwrap().unwrap();
        assert_eq!((about.version, about.size), (install.version, bytes.len() as u64));
        assert_eq!(firmware.current().unwrap(), Some(slot));
        assert_eq!(std::fs::read(firmware.slot(slot).join("image.bin")).unwrap(), bytes);
    }
}

#[test]
fn an_image_other_than_the_verified_one_is_not_installed() {
    let dir = tempfile::tempdir().unwrap();
    let firmware = Firmware::new(dir.path());
    firmware.install(&staged(&firmware, b"good")).unwrap();
    let install = staged(&firmware, b"verified");
    std::fs::write(firmware.staging(), b"swapped").unwrap();
    assert!(firmware.install(&install).is_err());
    assert_eq!(firmware.running().unwrap().unwrap().version, "v4");
    std::fs::remove_file(firmware.staging()).unwrap();
    assert!(firmware.install(&install).is_err());
}

#[test]
fn a_pointer_that_names_no_slot_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let firmware = Firmware::new(dir.path());
    firmware.install(&staged(&firmware, b"good")).unwrap();
    std::fs::write(firmware.dir.join("slots/current"), "c").unwrap();
    assert!(firmware.running().is_err());
}

#[test]
fn ranges_are_read() {
    assert_eq!(range_start("bytes 100-199/200"), Some(100));
    assert_eq!(range_start("bytes 0-4096/*"), Some(0));
    assert_eq!(range_start("items 1-2/3"), None);
}

/// A server on a free port that gives each connection the next answer, and keeps what was asked.
struct Server {
    url: String,
    asked: std::sync::mpsc::Receiver<String>,
}

/// Head and body are sent as they are; then the connection is closed.
fn server(answers: Vec<(String, Vec<u8>)>) -> Server {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/image.bin?sign=s3cr3t", listener.local_addr().unwrap());
    let (tell, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for (head, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let _ = tell.send(String::from_utf8_lossy(&request).to_lowercase());
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    Server { url, asked }
}

fn ok(length: usize, more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{more}\r\n")
}

fn partial(from: usize, image: &[u8]) -> (String, Vec<u8>) {
    let (rest, len) = (image[from..].to_vec(), image.len());
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{}/{len}\r\n\r\n",
        rest.len(),
        len - 1
    );
    (head, rest)
}

struct Fetched {
    downloaded: Downloaded,
    detail: Option<String>,
    progress: Vec<Progress>,
    bytes: Vec<u8>,
}

fn fetch(url: &str, max_size: u64) -> Fetched {
    fetch_from(url, max_size, &policy::Firmware::any())
}

fn fetch_from(url: &str, max_size: u64, allowed: &policy::Firmware) -> Fetched {
    let dir = tempfile::tempdir().unwrap();
    let firmware = Firmware::new(dir.path());
    let http = Http::new(&super::super::tls::Trust::Public);
    let download = Download { url: url.into(), size: None, version: "2".into(), max_size };
    let mut progress = Vec::new();
    let mut tell = |p| progress.push(p);
    let stop = AtomicBool::new(false);
    let (downloaded, detail) = firmware.download(&http, allowed, &download, &stop, &mut tell);
    let bytes = std::fs::read(firmware.staging()).unwrap_or_default();
    Fetched { downloaded, detail, progress, bytes }
}

fn complete(image: &[u8]) -> Downloaded {
    Downloaded::Complete {
        size: image.len() as u64,
        md5: hex::lower(&Md5::digest(image)),
        sha256: hex::lower(&Sha256::digest(image)),
    }
}

fn image() -> Vec<u8> {
    (0..200_000u32).map(|n| (n * 7 + n / 251) as u8).collect()
}

#[test]
fn an_image_is_hashed_while_it_streams_in() {
    let image = image();
    let server = server(vec![(ok(image.len(), ""), image.clone())]);
    let fetched = fetch(&server.url, 1 << 20);
    assert_eq!(fetched.downloaded, complete(&image));
    assert!(fetched.bytes == image);
    let (first, last) = (fetched.progress[0], fetched.progress[fetched.progress.len() - 1]);
    assert_eq!(first.received, 0);
    assert_eq!((last.received, last.total), (200_000, Some(200_000)));
    assert!(!server.asked.recv().unwrap().contains("range:"));
}

#[test]
fn a_broken_download_goes_on_where_it_broke_off() {
    let image = image();
    let head = ok(image.len(), "ETag: \"v1\"\r\n");
    let server = server(vec![(head, image[..70_000].to_vec()), partial(70_000, &image)]);
    let fetched = fetch(&server.url, 1 << 20);
    assert_eq!(fetched.downloaded, complete(&image));
    assert!(fetched.bytes == image);
    server.asked.recv().unwrap();
    let second = server.asked.recv().unwrap();
    assert!(
        second.contains("range: bytes=70000-") && second.contains("if-range: \"v1\""),
        "{second}"
    );
}

#[test]
fn a_server_that_knows_no_ranges_starts_over() {
    let image = image();
    let answers =
        vec![(ok(image.len(), ""), image[..70_000].to_vec()), (ok(image.len(), ""), image.clone())];
    let fetched = fetch(&server(answers).url, 1 << 20);
    assert_eq!(fetched.downloaded, complete(&image));
    assert!(fetched.bytes == image);
}

#[test]
fn a_wrong_range_is_not_glued_on() {
    let image = image();
    let answers = vec![
        (ok(image.len(), ""), image[..70_000].to_vec()),
        partial(60_000, &image),
        (ok(image.len(), ""), image.clone()),
    ];
    let fetched = fetch(&server(answers).url, 1 << 20);
    assert_eq!(fetched.downloaded, complete(&image));
    assert!(fetched.bytes == image);
}

#[test]
fn an_image_larger_than_allowed_is_refused_by_its_length_or_by_its_bytes() {
    let image = image();
    let announced = fetch(&server(vec![(ok(image.len(), ""), image.clone())]).url, 199_999);
    assert_eq!(announced.downloaded, Downloaded::Failed(Failure::TooLarge));
    assert!(announced.bytes.is_empty());
    // Without a length the connection's end is the image's end.
    let endless = ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned(), image);
    let silent = fetch(&server(vec![endless]).url, 199_999);
    assert_eq!(silent.downloaded, Downloaded::Failed(Failure::TooLarge));
    assert!(silent.bytes.len() <= 200_000);
}

#[test]
fn a_refusal_is_final_and_its_detail_shows_no_query() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned();
    let fetched = fetch(&server(vec![(refusal, Vec::new())]).url, 1 << 20);
    assert_eq!(fetched.downloaded, Downloaded::Failed(Failure::Status(403)));
    let detail = fetched.detail.unwrap();
    assert!(detail.contains("403") && !detail.contains("s3cr3t"), "{detail}");
}

#[test]
fn a_busy_server_is_asked_again() {
    let image = image();
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".to_owned();
    let answers = vec![(busy, Vec::new()), (ok(image.len(), ""), image.clone())];
    assert_eq!(fetch(&server(answers).url, 1 << 20).downloaded, complete(&image));
}

#[test]
fn other_schemes_are_refused_before_anything_is_opened() {
    for url in ["ftp://h/f", "file:///etc/passwd", "h/f", ""] {
        assert_eq!(fetch(url, 1).downloaded, Downloaded::Failed(Failure::Forbidden), "{url}");
    }
}

#[test]
fn a_stopped_download_ends() {
    let dir = tempfile::tempdir().unwrap();
    let image = image();
    let server = server(vec![(ok(image.len(), ""), image)]);
    let download = Download { url: server.url, size: None, version: "2".into(), max_size: 1 << 20 };
    let http = Http::new(&super::super::tls::Trust::Public);
    let stop = AtomicBool::new(true);
    let (downloaded, _) = Firmware::new(dir.path()).download(
        &http,
        &policy::Firmware::any(),
        &download,
        &stop,
        &mut |_| {},
    );
    assert!(matches!(downloaded, Downloaded::Failed(_)));
}

#[test]
fn a_redirect_is_followed_where_the_policy_allows_it() {
    let image = image();
    let last = server(vec![(ok(image.len(), ""), image.clone())]);
    let to = |location: &str| {
        let head = format!(
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\nConnection: close\r\n\r\n"
        );
        (head, Vec::new())
    };
    let first = server(vec![to(&last.url)]);
    assert_eq!(fetch(&first.url, 1 << 20).downloaded, complete(&image));

    // The same, but images may come from one host alone: it sends us on to another.
    let elsewhere = server(vec![(ok(image.len(), ""), image)]);
    let first = server(vec![to(&elsewhere.url.replace("127.0.0.1", "localhost"))]);
    let fetched = fetch_from(&first.url, 1 << 20, &policy::Firmware::from_host("127.0.0.1"));
    assert_eq!(fetched.downloaded, Downloaded::Failed(Failure::Forbidden));
    assert!(fetched.detail.unwrap().contains("firmware_hosts"));
    assert!(elsewhere.asked.try_recv().is_err(), "nobody was to be asked there");
}

#[test]
fn redirects_without_an_end_are_given_up() {
    let again = || {
        let head = "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: again\r\nConnection: close\r\n\r\n";
        (head.to_owned(), Vec::new())
    };
    let server = server((0..30).map(|_| again()).collect());
    let fetched = fetch(&server.url, 1 << 20);
    assert_eq!(fetched.downloaded, Downloaded::Failed(Failure::Protocol));
    assert!(fetched.detail.unwrap().contains("without an end"));
    // The address itself, and five redirects.
    assert_eq!(server.asked.try_iter().count(), 6);
}

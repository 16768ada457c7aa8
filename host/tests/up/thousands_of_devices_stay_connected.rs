use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Up, mqtt};

const DEVICES: usize = 5_000;

async fn exchange(stream: &mut TcpStream, packet: &[u8], answer: usize) -> Vec<u8> {
    stream.write_all(packet).await.unwrap();
    let mut bytes = vec![0; answer];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// A figure, not a check of speed: run it with `--ignored --nocapture`.
#[test]
#[ignore = "takes a machine to itself"]
fn thousands_of_devices_stay_connected() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(data.path());
    let demo = up.demo("krtyun");
    let product = demo["product_id"].as_str().unwrap().to_owned();
    let secret = demo["product_secret"].as_str().unwrap().to_owned();
    let limit = serde_json::json!({"platform": "krtyun", "action": "switch", "product": product,
                                   "name": "AutoCreateLimit", "value": "100000"});
    up.done(&limit);
    let at = up.mqtt("krtyun").to_owned();
    let before = memory(up.child.id());
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let start = Instant::now();
        let mut all = JoinSet::new();
        for device in 0..DEVICES {
            let (at, product, secret) = (at.clone(), product.clone(), secret.clone());
            all.spawn(async move {
                let mut stream = TcpStream::connect(&at).await.unwrap();
                let name = format!("{}", 1_000_000 + device);
                let connect = mqtt::connect_packet(&product, &name, &secret);
                assert_eq!(exchange(&mut stream, &connect, 4).await, [0x20, 2, 0, 0]);
                let topic = format!("/sys/{product}/{name}/thing/register/set");
                assert_eq!(
                    exchange(&mut stream, &mqtt::subscribe_packet(1, &topic), 5).await[4],
                    1
                );
                stream
            });
        }
        let mut streams = all.join_all().await;
        println!("{DEVICES} devices created, logged in and subscribed in {:?}", start.elapsed());
        println!("memory: {} KB before, {} KB with all of them", before, memory(up.child.id()));
        let start = Instant::now();
        for stream in &mut streams {
            stream.write_all(&[0xc0, 0]).await.unwrap();
        }
        for stream in &mut streams {
            let mut pong = [0; 2];
            stream.read_exact(&mut pong).await.unwrap();
            assert_eq!(pong, [0xd0, 0]);
        }
        println!("{DEVICES} pings answered in {:?}", start.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(up.get("/api/status")["engine"]["connections"]["krtyun"], DEVICES);
    });
}

/// Resident memory in KB, where the system tells.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

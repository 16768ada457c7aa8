//! From nothing to ready with machine code: every platform, MQTT and HTTP, plain and over TLS.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::clouds::{Clouds, secret_in};
use super::mosquitto::{Broker, certificates};
use super::support::{Maker, run};

#[test]
fn every_platform_comes_to_life_and_registers_once() {
    let clouds = Clouds::start();
    let maker = Maker::new(clouds.dir.path());
    let code = maker.compile("muster.cwasm", 1, &[]);
    let local = clouds.local();
    for platform in ["ucloud", "cmcc", "krtyun", "alibaba"] {
        let profile = maker.profile("", "", "");
        let store = clouds.store(platform);
        let args = ["--local", &local, "--config", &profile, "--plugin", &code, "--until", "ready"];
        let first = run(platform, &store, &args);
        assert_eq!(first.code, Some(0), "{platform}: {}", first.story());
        assert!(first.has_step("store_secret"), "{platform}: {}", first.story());
        let secret = secret_in(&store).expect("a credential");
        assert_eq!(clouds.view(platform, &clouds.name(platform))["secret"], secret.as_str());
        let second = run(platform, &store, &args);
        assert_eq!(second.code, Some(0), "{platform}: {}", second.story());
        assert!(!second.has_step("request_secret"), "{platform}: {}", second.story());
        assert!(!first.shows(&secret) && !second.shows(&secret), "a secret was printed");
    }
}

#[test]
fn mqtt_over_tcp_and_tls_reaches_ready_and_a_wrong_authority_does_not() {
    let broker = Broker::start();
    let maker = Maker::new(broker.dir.path());
    let code = maker.compile("muster.cwasm", 1, &[]);
    let ca = broker.dir.path().join("ca.pem").display().to_string();
    let other = broker.dir.path().join("other-ca.pem").display().to_string();
    let plain = format!("mqtt://127.0.0.1:{}", broker.tcp);
    let tls = format!("mqtts://localhost:{}", broker.tls);
    for (url, ca, exit) in [(&plain, None, 0), (&tls, Some(&ca), 0), (&tls, Some(&other), 3)] {
        let settings = format!(
            "broker = \"{url}\"\nproduct_id = \"20191210\"\ndevice_id = \"10001\"\n\
             device_secret = \"TheDeviceSecret\"\n"
        );
        let profile = maker.profile(&settings, "", "");
        let mut args =
            vec!["--config", &profile, "--plugin", &code, "--until", "ready", "--for", "20s"];
        if let Some(ca) = ca {
            args.extend(["--ca", ca]);
        }
        if exit != 0 {
            args[7] = "2s";
        }
        let ended = run("krtyun", &broker.dir.path().join("d"), &args);
        assert_eq!(ended.code, Some(exit), "{url}: {}", ended.story());
        assert_eq!(ended.shows("a CA that is not trusted here"), exit != 0, "{}", ended.story());
    }
}

/// HTTPS in front of a plain server; its port.
fn tls_before(http: &str, dir: &Path) -> u16 {
    let chain = CertificateDer::pem_file_iter(dir.join("server.pem")).unwrap();
    let chain: Vec<_> = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(dir.join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let to = http.strip_prefix("http://").unwrap().to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, to) = (acceptor.clone(), to.clone());
                tokio::spawn(async move {
                    let Ok(mut near) = acceptor.accept(tcp).await else { return };
                    let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
    });
    port
}

#[test]
fn https_reaches_ready_and_a_wrong_authority_does_not() {
    let clouds = Clouds::start();
    let dir = clouds.dir.path();
    certificates(dir);
    let maker = Maker::new(dir);
    let code = maker.compile("muster.cwasm", 1, &[]);
    let (http, local) = (clouds.setting("cmcc", "base_url"), clouds.local());
    let https = format!("base_url=https://localhost:{}", tls_before(&http, dir));
    let profile = maker.profile("", "", "");
    for (ca, exit) in [("ca.pem", 0), ("other-ca.pem", 3)] {
        let ca = dir.join(ca).display().to_string();
        let time = if exit == 0 { "20s" } else { "2s" };
        let args = [
            &["--local", &local, "--set", &https, "--config", &profile, "--plugin", &code][..],
            &["--ca", &ca, "--until", "ready", "--for", time],
        ];
        let ended = run("cmcc", &clouds.store(&format!("d{exit}")), &args.concat());
        assert_eq!(ended.code, Some(exit), "{}", ended.story());
        assert_eq!(ended.shows("a CA that is not trusted here"), exit != 0, "{}", ended.story());
    }
}

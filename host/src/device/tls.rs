//! Whom to trust: the public roots, or one CA of the user's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::profile::TlsKeys;
use crate::exit::Exit;

/// Whom to trust.
#[derive(Clone)]
pub(crate) enum Trust {
    /// The public roots, as Mozilla keeps them.
    Public,
    /// These and no others.
    Own(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// `--ca FILE`: PEM, one certificate or more.
    pub(super) fn from_file(path: &Path) -> Result<Self, Exit> {
        let at = path.display();
        let next = "give the CA's certificate as a PEM file";
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| Exit::local(format!("cannot read certificates from {at}: {e}"), next))?;
        if certificates.is_empty() {
            return Err(Exit::local(format!("{at} holds no certificate"), next));
        }
        // Refused here, not at the first connection.
        roots(&certificates)
            .map_err(|e| Exit::local(format!("{at} holds no usable CA certificate: {e}"), next))?;
        Ok(Self::Own(certificates))
    }

    fn client(&self, shown: Option<&Shown>) -> Result<Arc<ClientConfig>, Exit> {
        client(
            match self {
                Self::Public => public(),
                Self::Own(certificates) => roots(certificates).map_err(|e| broken(&e))?,
            },
            shown,
        )
    }
}

/// A client that trusts the public roots, and the authorities in this file beside them.
#[cfg(feature = "full")]
pub(crate) fn public_and(file: Option<&Path>) -> Result<Arc<ClientConfig>, Exit> {
    let mut all = public();
    if let Some(Trust::Own(own)) = file.map(Trust::from_file).transpose()? {
        all.extend(roots(&own).map_err(|e| broken(&e))?.roots);
    }
    client(all, None)
}

fn public() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn client(roots: RootCertStore, shown: Option<&Shown>) -> Result<Arc<ClientConfig>, Exit> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| broken(&e))?
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some(Shown { chain, key, at }) => config
            .with_client_auth_cert(chain.clone(), key.clone_key())
            .map_err(|e| Exit::local(format!("{at} cannot be used: {e}"), PAIR))?,
    };
    Ok(Arc::new(config))
}

fn broken(error: &rustls::Error) -> Exit {
    Exit::local(format!("TLS cannot be set up: {error}"), "report this as a defect")
}

const PAIR: &str =
    "give the device's certificate and the private key that belongs to it, each as a PEM file";

/// Whom to trust for what, and what to show.
pub(super) struct Setup {
    /// For requests and downloads.
    pub(super) http: Trust,
    mqtt: Trust,
    shown: Option<Shown>,
}

/// A client certificate. The broker alone gets to see it.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    at: String,
}

impl Setup {
    /// Reads the files.
    pub(super) fn new(keys: &TlsKeys) -> Result<Self, Exit> {
        let trust = |own: &Option<PathBuf>| match own.as_ref().or(keys.ca.as_ref()) {
            Some(path) => Trust::from_file(path),
            None => Ok(Trust::Public),
        };
        let shown = match (&keys.certificate, &keys.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(Shown::read(certificate, key)?),
            _ => return Err(Exit::usage("[tls]: `certificate` and `key` go together", PAIR)),
        };
        Ok(Self { http: trust(&keys.http_ca)?, mqtt: trust(&keys.mqtt_ca)?, shown })
    }

    /// TLS for MQTT.
    pub(super) fn mqtt(&self) -> Result<Arc<ClientConfig>, Exit> {
        self.mqtt.client(self.shown.as_ref())
    }
}

impl Shown {
    fn read(certificate: &Path, key: &Path) -> Result<Self, Exit> {
        let no = |what: &str, at: &Path, e: &dyn std::fmt::Display| {
            Exit::local(format!("cannot read {what} from {}: {e}", at.display()), PAIR)
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| no("a certificate", certificate, &e))?;
        if chain.is_empty() {
            return Err(no("a certificate", certificate, &"there is none in it"));
        }
        // The reader's own words would be enough, but might one day quote the file.
        let key = PrivateKeyDer::from_pem_file(key).map_err(|e| match e {
            rustls_pki_types::pem::Error::Io(e) => no("a private key", key, &e),
            _ => no("a private key", key, &"it holds none in PEM"),
        })?;
        Ok(Self { chain, key, at: certificate.display().to_string() })
    }
}

fn roots(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone())?;
    }
    Ok(roots)
}

/// The error of TLS in one of the operating system's.
pub(crate) fn inside(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| {
        inner
            .downcast_ref::<rustls::Error>()
            .or_else(|| inner.source().and_then(|source| source.downcast_ref()))
    })
}

/// What is wrong with a server's TLS, for a person, with the next move. `flag` names a CA of one's own.
pub(crate) fn explain(error: &rustls::Error, host: &str, flag: &str) -> String {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error};
    match error {
        Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => format!(
            "the certificate of {host} comes from a CA that is not trusted here; if it is your own, give it with \
             {flag}"
        ),
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            format!(
                "the certificate of {host} has expired; if it has not, check this machine's clock"
            )
        }
        Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            format!("the certificate of {host} is not valid yet; check this machine's clock")
        }
        Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            format!(
                "the certificate is for another name than {host}; check the address in the settings"
            )
        }
        Error::InvalidMessage(_) => {
            format!("{host} does not speak TLS on this port; check port and scheme in the settings")
        }
        Error::InvalidCertificate(bad) if format!("{bad:?}").contains("CaUsedAsEndEntity") => {
            format!(
                "{host} shows a CA's own certificate as its server certificate; have a CA issue one for the server, and \
             give that CA with {flag}"
            )
        }
        Error::InvalidCertificate(Bad::Revoked) => {
            format!("the certificate of {host} was revoked; ask whoever runs it")
        }
        Error::AlertReceived(Alert::CertificateRequired) => format!(
            "{host} asks for a client certificate; give one with --cert FILE --key FILE, or under [tls] in the profile"
        ),
        Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::AccessDenied
            | Alert::DecryptError,
        ) => format!(
            "{host} does not accept the client certificate: it has to be valid and from a CA that the server trusts"
        ),
        // Before TLS 1.3 a server has no word of its own for it.
        Error::AlertReceived(Alert::HandshakeFailure) => format!(
            "{host} refused the TLS handshake; if it asks for a client certificate, give one with --cert FILE --key FILE"
        ),
        Error::AlertReceived(Alert::UnrecognisedName) => {
            format!("{host} does not serve that name; check the address in the settings")
        }
        Error::AlertReceived(alert) => format!("{host} refused the TLS handshake: {alert:?}"),
        other => format!("TLS with {host} failed: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error};

    /// What no test with a real server brings about.
    #[test]
    fn a_failure_is_told_with_its_next_move() {
        for (error, says) in [
            (
                Error::AlertReceived(Alert::HandshakeFailure),
                "h:1 refused the TLS handshake; if it asks for a client",
            ),
            (
                Error::AlertReceived(Alert::UnrecognisedName),
                "does not serve that name; check the address",
            ),
            (
                Error::AlertReceived(Alert::CertificateRevoked),
                "has to be valid and from a CA that the server trusts",
            ),
            (Error::InvalidCertificate(Bad::Revoked), "was revoked; ask whoever runs it"),
            (
                Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                "check port and scheme",
            ),
        ] {
            let text = explain(&error, "h:1", "--ca FILE");
            assert!(text.contains("h:1") && text.contains(says), "{text}");
        }
    }
}

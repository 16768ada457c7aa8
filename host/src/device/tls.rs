//! Whom to trust: the public roots, or one CA of the user's own.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

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

    /// TLS for MQTT.
    pub(super) fn client(&self) -> Result<Arc<ClientConfig>, Exit> {
        let broken = |e: rustls::Error| {
            Exit::local(format!("TLS cannot be set up: {e}"), "report this as a defect")
        };
        let roots = match self {
            Self::Public => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            Self::Own(certificates) => roots(certificates).map_err(broken)?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn roots(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone())?;
    }
    Ok(roots)
}

/// What is wrong with a server's TLS, for a person, with the next move.
pub(super) fn explain(error: &rustls::Error, host: &str) -> String {
    use rustls::{CertificateError as Bad, Error};
    match error {
        Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => format!(
            "the certificate of {host} comes from a CA that is not trusted here; if it is your own, give it with \
             --ca FILE"
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
        Error::AlertReceived(alert) => format!("{host} refused the TLS handshake: {alert:?}"),
        other => format!("TLS with {host} failed: {other}"),
    }
}

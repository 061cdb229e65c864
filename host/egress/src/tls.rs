//! Who is trusted, and the handshake.

use std::sync::Arc;

use cofferdam_policy::capability::network::Host;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::OptionsError;
use crate::error::{Error, Upstream};

/// Trusts the public authorities and those of `further`, in PEM.
///
/// Nothing is remembered between connections, so that no server can tell that two calls come from
/// one host by a ticket it gave out.
pub(crate) fn config(further: &[u8]) -> Result<ClientConfig, OptionsError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in CertificateDer::pem_slice_iter(further) {
        let certificate = certificate.map_err(|_| OptionsError::Authorities)?;
        roots
            .add(certificate)
            .map_err(|_| OptionsError::Authorities)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(OptionsError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Encrypts the connection and verifies that `host` is at the other end.
pub(crate) async fn connect(
    config: &Arc<ClientConfig>,
    host: &Host,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Error> {
    let name = match host {
        Host::Name(name) => ServerName::try_from(name.to_string())
            .map_err(|error| Error::upstream(Upstream::Tls, error))?,
        Host::Address(address) => ServerName::from(*address),
    };
    TlsConnector::from(config.clone())
        .connect(name, stream)
        .await
        .map_err(|error| Error::upstream(Upstream::Tls, error))
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use thiserror::Error;

use crate::rate::Rates;
use crate::resolve::{Resolve, System};
use crate::tls;

/// What the outgoing client of a host is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Certificate authorities to trust beside the public ones, in PEM; empty for none.
    pub authorities: Vec<u8>,
    /// For a connection, its name and its TLS: longer than any healthy one takes.
    pub connect_timeout: Duration,
    /// From the end of the request to the end of the response's headers.
    pub first_byte_timeout: Duration,
    /// Between two pieces of a response's body.
    pub idle_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            authorities: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_mins(2),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// Why there is no client.
#[derive(Debug, Error)]
pub enum OptionsError {
    /// The further certificate authorities are not certificates in PEM.
    #[error("the further certificate authorities are not certificates in PEM")]
    Authorities,
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

/// The outgoing client of a host. Cheap to clone; all clones count rates together.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    options: Options,
    resolver: Arc<dyn Resolve>,
    http: Arc<ClientConfig>,
    raw: Arc<ClientConfig>,
    rates: Rates,
}

impl Client {
    /// With the system's own look-up of names.
    ///
    /// **Errors**: [`OptionsError`], when the further authorities can't be read.
    pub fn new(options: Options) -> Result<Self, OptionsError> {
        Self::with_resolver(options, Arc::new(System::default()))
    }

    /// With another look-up of names.
    ///
    /// **Errors**: as [`Self::new`].
    pub fn with_resolver(
        options: Options,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, OptionsError> {
        let raw = tls::config(&options.authorities)?;
        let mut http = raw.clone();
        http.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(Inner {
            options,
            resolver,
            http: Arc::new(http),
            raw: Arc::new(raw),
            rates: Rates::default(),
        })))
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn resolver(&self) -> &dyn Resolve {
        &*self.0.resolver
    }

    /// For HTTP.
    pub(crate) fn http(&self) -> &Arc<ClientConfig> {
        &self.0.http
    }

    /// For any other protocol over TLS.
    pub(crate) fn raw(&self) -> &Arc<ClientConfig> {
        &self.0.raw
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("resolver", &self.0.resolver)
            .finish_non_exhaustive()
    }
}

//! Outgoing HTTP requests: no grant opens them yet, so every request is refused, and the refusal
//! noted. The interface is linked so that components of toolchains that always import it load.

use std::sync::Arc;

use cofferdam_types::call::{Denial, DenialCode};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use crate::meter::Meter;

/// What decides about the requests of one call.
pub(crate) struct Requests {
    pub(crate) meter: Arc<Meter>,
}

type Ended = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Requests {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _ended: Ended,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ended)>> + Send> {
        // The authority alone: a path or a query may hold a secret.
        let host = request.uri().host().unwrap_or("unknown").to_owned();
        self.meter.deny(Denial {
            capability: "network".to_owned(),
            operation: "request".to_owned(),
            reason: "no policy grants requests over HTTP".to_owned(),
            code: DenialCode::NotGranted,
            rule: "built-in/default".to_owned(),
            file: None,
            line: None,
            smallest_grant: format!("a policy that grants `network` to {host}"),
            resource: host,
        });
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

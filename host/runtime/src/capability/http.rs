//! Outgoing HTTP requests, through the host's own client.
//!
//! The interface is linked whatever is granted, so that components of toolchains that always
//! import it load; a call without a grant has each of its requests refused, and the refusal noted.

use std::sync::Arc;

use cofferdam_egress::{self as egress, Limit, RequestBody, Session, Timeouts, Upstream};
use cofferdam_policy::capability::network::header;
use cofferdam_types::call::DenialCode;
use http::header::CONTENT_LENGTH;
use http::uri::Scheme;
use http_body_util::BodyExt;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, IoError};
use wasmtime_wasi_http::{
    Error, ForbiddenHeaderFilter, RequestOptions, Result, WasiBody, WasiHttpHooks,
};

use crate::state::State;

/// The interface as the engine links it.
const TYPES: &str = "wasi:http/types@0.2.12";

/// What sends the requests of one call.
pub(crate) struct Requests {
    pub(crate) session: Arc<Session>,
}

type Ended = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Requests {
    /// Also what is hidden from the guest in responses: how the connection was used.
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        // The length is the guest's to announce, and checked against what it sends.
        Arc::new(|name| *name != CONTENT_LENGTH && header::is_never(name.as_str()))
    }

    /// Decided by the client, so that a refusal is noted.
    fn is_supported_scheme(&mut self, _: &Scheme) -> bool {
        true
    }

    /// The client sets it from the target that was decided about.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _ended: Ended,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ended)>> + Send> {
        let session = self.session.clone();
        let options = options.unwrap_or_default();
        let timeouts = Timeouts {
            connect: options.connect_timeout,
            first_byte: options.first_byte_timeout,
            between_bytes: options.between_bytes_timeout,
        };
        Box::new(async move {
            let answer = session.send(handed_over(request), timeouts).await;
            let answer = answer.map_err(|error| told(&error))?;
            let answer = answer.map(|body| body.map_err(|error| told(&error)).boxed_unsync());
            let ended: Ended = Box::new(async { Ok(()) });
            Ok((answer, ended))
        })
    }
}

/// The guest's request as text, for the one parser that reads it.
fn handed_over(request: http::Request<WasiBody>) -> egress::Request {
    let (parts, body) = request.into_parts();
    let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let path_and_query = parts.uri.path_and_query();
    egress::Request {
        method: parts.method.as_str().to_owned(),
        scheme: text(parts.uri.scheme_str()),
        authority: text(parts.uri.authority().map(http::uri::Authority::as_str)),
        path_and_query: text(path_and_query.map(http::uri::PathAndQuery::as_str)),
        headers: parts.headers,
        body: Some(RequestBody::new(
            body.map_err(|error| error.to_string().into()),
        )),
    }
}

/// Tells a guest why a body broke off. The engine's own function looks for another type than the one
/// its streams give, and so never knows.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.instance(TYPES)?.func_wrap(
        "http-error-code",
        |store: StoreContextMut<'_, State>, (error,): (Resource<IoError>,)| {
            let error = store.data().table.get(&error)?;
            let known = error.downcast_ref::<ErrorCode>().cloned();
            Ok((known.or_else(|| error.downcast_ref().and_then(broken_off)),))
        },
    )
}

/// What can befall a response's body; see [`told`].
fn broken_off(error: &Error) -> Option<ErrorCode> {
    Some(match error {
        Error::HttpResponseBodySize(most) => ErrorCode::HttpResponseBodySize(*most),
        Error::HttpResponseTimeout => ErrorCode::HttpResponseTimeout,
        Error::HttpRequestDenied => ErrorCode::HttpRequestDenied,
        Error::DestinationIpProhibited => ErrorCode::DestinationIpProhibited,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        Error::HttpProtocolError => ErrorCode::HttpProtocolError,
        Error::HttpResponseHeaderSectionSize(most) => {
            ErrorCode::HttpResponseHeaderSectionSize(*most)
        }
        _ => return None,
    })
}

/// What the guest is told: in the words of its interface, and of a denial no more than that.
fn told(error: &egress::Error) -> Error {
    match error {
        egress::Error::Denied(denial) if denial.code == DenialCode::ForbiddenAddress => {
            Error::DestinationIpProhibited
        }
        egress::Error::Denied(_) => Error::HttpRequestDenied,
        egress::Error::Timeout => Error::HttpResponseTimeout,
        egress::Error::RequestBody => Error::HttpRequestBodySize(None),
        egress::Error::Upstream { kind, .. } => match kind {
            Upstream::Dns => Error::DnsError {
                rcode: None,
                info_code: None,
            },
            Upstream::Connect => Error::ConnectionRefused,
            Upstream::Tls => Error::TlsCertificateError,
            Upstream::Protocol => Error::HttpProtocolError,
            Upstream::Reset => Error::ConnectionTerminated,
        },
        egress::Error::Limit { limit, most } => {
            let small = u32::try_from(*most).ok();
            match limit {
                Limit::Requests | Limit::Connections => Error::ConnectionLimitReached,
                Limit::RequestBytes => Error::HttpRequestBodySize(Some(*most)),
                Limit::ResponseBytes => Error::HttpResponseBodySize(Some(*most)),
                Limit::RequestHead => Error::HttpRequestHeaderSectionSize(small),
                Limit::ResponseHead => Error::HttpResponseHeaderSectionSize(small),
            }
        }
    }
}

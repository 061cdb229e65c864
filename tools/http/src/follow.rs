//! Sends a request and goes along its redirects.

use cofferdam_sdk::http::Headers;
use cofferdam_sdk::{ToolError, data};
use serde_json::json;

use crate::request::{Method, Request, shown};

/// A redirect that was followed.
#[data(output)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hop {
    /// The address that answered with it.
    pub(crate) url: String,
    /// Its status.
    pub(crate) status: u16,
}

/// The answer at the end of the redirects.
pub(crate) struct Answer {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// True when the body goes on.
    pub(crate) truncated: bool,
    pub(crate) redirects: Vec<Hop>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

/// **Errors**: those of the request, with the redirects that led there in the details;
/// `too_many_redirects`.
pub(crate) fn follow(
    mut request: Request,
    redirects_max: u8,
    bytes_max: u64,
) -> Result<Answer, ToolError> {
    let mut redirects = Vec::new();
    loop {
        let failed = |error: ToolError| at(&request, &redirects, error);
        let response = request.send().map_err(|error| failed(error.into()))?;
        let status = response.status();
        let location = match status {
            301..=303 | 307 | 308 => response.header("location").map(str::to_owned),
            _ => None,
        };
        let Some(location) = location.filter(|_| redirects_max > 0) else {
            let headers = response.headers().clone();
            // One more than asked for, to know whether there is more.
            let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
            let mut body = match request.method {
                Method::Head => Vec::new(),
                _ => response
                    .into_body()
                    .take_up_to(limit.saturating_add(1))
                    .map_err(|error| failed(error.into()))?,
            };
            let truncated = body.len() > limit;
            body.truncate(limit);
            return Ok(Answer {
                url: request.url.into(),
                status,
                headers,
                body,
                truncated,
                redirects,
            });
        };
        if redirects.len() >= usize::from(redirects_max) {
            let message = format!("more than {redirects_max} redirects");
            return Err(failed(ToolError::new("too_many_redirects", message)));
        }
        let next = request.redirected(status, &location).map_err(failed)?;
        redirects.push(Hop {
            url: request.url.into(),
            status,
        });
        request = next;
    }
}

/// Says where on the way an error came.
fn at(request: &Request, redirects: &[Hop], error: ToolError) -> ToolError {
    let url = shown(&request.url);
    let details = json!({"url": url, "redirects": redirects});
    ToolError {
        message: format!("{url}: {}", error.message),
        ..error
    }
    .with_details(details)
}

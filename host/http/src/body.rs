//! Reading of request bodies, bounded in size and time.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderName};
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::{Bytes, BytesMut};
use cofferdam_toolbox::Parts;
use cofferdam_types::{Code, Failure};
use futures::StreamExt;

use crate::error::Refusal;

/// How much of a body is read, for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) bytes_max: u64,
    pub(crate) time: Duration,
}

/// For JSON. 4 MiB hold any arguments a model writes; 30 s are enough for them on a bad line and
/// little for somebody who sends a byte at a time.
pub(crate) const JSON: Allowance = Allowance {
    bytes_max: 4 << 20,
    time: Duration::from_secs(30),
};

/// For components. As many bytes as the toolbox takes; 2 minutes bring them over a line of
/// 2 Mbit/s.
pub(crate) const COMPONENT: Allowance = Allowance {
    bytes_max: Parts::COMPONENT_BYTES_MAX,
    time: Duration::from_mins(2),
};

/// For requests that need no body.
const NOTHING: Allowance = Allowance {
    bytes_max: 1 << 10,
    ..JSON
};

/// Read and thrown away of a body that is refused for its size, so that a client that sends first
/// and reads then sees the answer, and not a broken connection. Small against what a flood needs.
const DRAINED_BYTES_MAX: usize = 16 << 20;
/// For no longer than this.
const DRAINED_TIME: Duration = Duration::from_millis(500);

/// Room made at once for a body that comes in pieces; it grows by doubling.
const MANY_PIECES_BYTES: usize = 64 << 10;

/// The whole body.
///
/// **Errors**: `too_large` as soon as it is known, by the announced length or while reading;
/// `invalid_input` with 415 for an encoded body, with 408 for one that takes too long, with 400
/// for one that breaks off.
pub(crate) async fn read(request: Request<Body>, allowance: Allowance) -> Result<Bytes, Refusal> {
    let (parts, body) = request.into_parts();
    read_after(&parts.headers, body, allowance).await
}

/// The whole body that comes after these headers; see [`read`].
pub(crate) async fn read_after(
    headers: &HeaderMap,
    body: Body,
    allowance: Allowance,
) -> Result<Bytes, Refusal> {
    check_encoding(headers)?;
    let announced = announced(headers);
    let mut stream = body.into_data_stream();
    if announced.is_some_and(|length| length > allowance.bytes_max) {
        // Whoever asks before sending gets the answer instead of the leave to send.
        if !headers.contains_key(EXPECT) {
            drain(&mut stream).await;
        }
        return Err(too_large(allowance));
    }
    let collected = collect(&mut stream, allowance.bytes_max);
    match tokio::time::timeout(allowance.time, collected).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => {
            drain(&mut stream).await;
            Err(too_large(allowance))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a request's body broke off");
            Err(Failure::invalid_at("", "the body broke off").into())
        }
        Err(_) => {
            let seconds = allowance.time.as_secs();
            let reason = format!("the body did not arrive within {seconds} s");
            Err(Refusal::from(Failure::invalid_at("", reason))
                .with_status(StatusCode::REQUEST_TIMEOUT))
        }
    }
}

/// Makes sure that a request that needs no body has none, or an empty object.
pub(crate) async fn read_nothing(request: Request<Body>) -> Result<(), Refusal> {
    let bytes = read(request, NOTHING).await?;
    if bytes.is_empty() || bytes.trim_ascii() == b"{}" {
        return Ok(());
    }
    Err(Failure::invalid_at("", "this request takes no body").into())
}

/// Checks that the body says it is one of `types`.
pub(crate) fn check_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Refusal> {
    let essence = only(headers, &CONTENT_TYPE).map(|text| match text.split_once(';') {
        Some((essence, _)) => essence.trim_end(),
        None => text,
    });
    if essence.is_some_and(|essence| types.iter().any(|t| essence.eq_ignore_ascii_case(t))) {
        return Ok(());
    }
    Err(unsupported(format!(
        "send the body with `Content-Type: {}`",
        types.join("` or `")
    )))
}

/// An encoded body can be a thousand times larger than it looks, so none is decoded.
fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain {
        Ok(())
    } else {
        Err(unsupported(
            "send the body without `Content-Encoding`".to_owned(),
        ))
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    // A length that is no number, or stands twice, was refused by the HTTP parser.
    only(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// The one value of a header; `None` when it is absent, repeated or not plain text.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    match values.next() {
        None => first.to_str().ok(),
        Some(_) => None,
    }
}

/// All of the stream, or `None` once it is more than `bytes_max`.
async fn collect(
    stream: &mut BodyDataStream,
    bytes_max: u64,
) -> Result<Option<Bytes>, axum::Error> {
    let Some(first) = stream.next().await.transpose()? else {
        return Ok(Some(Bytes::new()));
    };
    let Some(second) = stream.next().await.transpose()? else {
        // Most bodies arrive in one piece, which is then not copied.
        return Ok((first.len() as u64 <= bytes_max).then_some(first));
    };
    let mut all = BytesMut::with_capacity(MANY_PIECES_BYTES.max(first.len() + second.len()));
    all.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(piece) = next {
        if (all.len() + piece.len()) as u64 > bytes_max {
            return Ok(None);
        }
        all.extend_from_slice(&piece);
        next = stream.next().await.transpose()?;
    }
    Ok(Some(all.freeze()))
}

/// Reads on for a moment and throws it away.
async fn drain(stream: &mut BodyDataStream) {
    let all = async {
        let mut drained = 0;
        while let Some(Ok(piece)) = stream.next().await {
            drained += piece.len();
            if drained > DRAINED_BYTES_MAX {
                break;
            }
        }
    };
    // Running out of time is the normal end of this.
    drop(tokio::time::timeout(DRAINED_TIME, all).await);
}

fn too_large(allowance: Allowance) -> Refusal {
    let limit = allowance.bytes_max;
    let message = format!("the body is larger than {limit} bytes");
    Failure::new(Code::TooLarge, message)
        .with("limit_bytes", limit)
        .into()
}

fn unsupported(reason: String) -> Refusal {
    Refusal::from(Failure::invalid_at("", reason)).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

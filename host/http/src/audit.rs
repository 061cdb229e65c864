use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use cofferdam_toolbox::{AuditEntry, AuditRange, Export};
use cofferdam_types::page::PageRequest;
use cofferdam_types::{CallId, Code, Failure, Timestamp};
use cofferdam_wire::audit::AuditView;
use cofferdam_wire::error::ErrorBody;
use cofferdam_wire::page::PageView;
use futures::stream;

use crate::answer::Answer;
use crate::error::Refusal;
use crate::extract::{Allowed, FromQuery, IdPath, Pairs, Query, ReadAudit};
use crate::services::Services;

const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// The audit, newest first.
pub(crate) async fn list(
    caller: Allowed<ReadAudit>,
    State(services): State<Arc<Services>>,
    Query(page): Query<PageRequest<u64>>,
) -> Result<Answer<PageView<AuditView>>, Refusal> {
    let page = services.toolbox.audit(&caller, &page).await?;
    Ok(Answer::ok(PageView::of(page, view)))
}

/// One record by its number, or all records of a call's tree.
pub(crate) async fn show(
    caller: Allowed<ReadAudit>,
    State(services): State<Arc<Services>>,
    IdPath(subject): IdPath<Subject>,
) -> Result<Answer<PageView<AuditView>>, Refusal> {
    let entries = match subject {
        Subject::Seq(seq) => vec![services.toolbox.audit_entry(&caller, seq).await?],
        Subject::Call(call) => services.toolbox.audit_of_call(&caller, &call).await?,
    };
    Ok(Answer::ok(PageView {
        items: entries.into_iter().map(view).collect(),
        next: None,
    }))
}

/// The chain, oldest first, a line for each record, as it is written. When it can't be read on, the
/// last line is an error body.
pub(crate) async fn export(
    caller: Allowed<ReadAudit>,
    State(services): State<Arc<Services>>,
    Query(part): Query<Part>,
) -> Result<Response, Refusal> {
    let since = part.since.map(|since| since.time(services.ambient.now()));
    let range = AuditRange {
        from: part.from,
        to: part.to,
        since,
    };
    let export = services.toolbox.audit_export(&caller, range).await?;
    let lines = stream::unfold(Some(export), |export| async {
        let (text, rest) = lines(export?).await?;
        Some((Ok::<_, Infallible>(text), rest))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, NDJSON);
    Ok(response)
}

/// The next lines, and the rest unless it can't be read; nothing at the end.
async fn lines(mut export: Export) -> Option<(String, Option<Export>)> {
    match export.next().await {
        Ok(lines) if lines.is_empty() => None,
        Ok(lines) => {
            let text = lines.iter().map(|line| line.write() + "\n").collect();
            Some((text, Some(export)))
        }
        Err(error) => {
            tracing::error!(%error, "the audit can't be read");
            // Whoever may read the audit may know where it is damaged.
            let failure = Failure::new(Code::Unavailable, error.to_string());
            let text = serde_json::to_string(&ErrorBody::from(failure)).unwrap_or_default();
            Some((text + "\n", None))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what maps a list")]
fn view(entry: AuditEntry) -> AuditView {
    AuditView {
        seq: entry.seq,
        previous_digest: entry.previous,
        entry_digest: entry.digest,
        record: entry.record(),
    }
}

/// A record's number or a call's id.
pub(crate) enum Subject {
    Seq(u64),
    Call(CallId),
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(seq) = text.parse() {
            return Ok(Self::Seq(seq));
        }
        let call = text.parse().map(Self::Call);
        call.map_err(|_| "expected the number of a record or the id of a call".to_owned())
    }
}

/// Which part of the chain.
pub(crate) struct Part {
    from: Option<u64>,
    to: Option<u64>,
    since: Option<Since>,
}

impl FromQuery for Part {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure> {
        Ok(Self {
            from: pairs.take("from")?,
            to: pairs.take("to")?,
            since: pairs.take("since")?,
        })
    }
}

/// A time, or how long ago: `2026-11-21T10:00:00Z`, `90m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    At(Timestamp),
    Ago(Duration),
}

impl Since {
    fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(ago) => {
                let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
                Timestamp::from_millis(now.as_millis().saturating_sub(ago))
            }
        }
    }
}

#[derive(Debug)]
struct NoTime;

impl fmt::Display for NoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time of RFC 3339, or how long ago, as `90m`, `24h` or `7d`")
    }
}

impl FromStr for Since {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        if let Ok(time) = text.parse() {
            return Ok(Self::At(time));
        }
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 60 * 60,
            Some('d') => 24 * 60 * 60,
            _ => return Err(NoTime),
        };
        let count: u32 = text[..text.len() - 1].parse().map_err(|_| NoTime)?;
        Ok(Self::Ago(Duration::from_secs(u64::from(count) * unit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_given_or_counted_back() {
        let now = Timestamp::from_millis(10 * 86_400_000);
        for (text, millis) in [
            ("0s", Some(864_000_000)),
            ("90m", Some(858_600_000)),
            ("24h", Some(777_600_000)),
            ("7d", Some(259_200_000)),
            ("11d", Some(0)),
            ("4294967295d", Some(0)),
            ("1970-01-02T00:00:00Z", Some(86_400_000)),
            ("", None),
            ("d", None),
            ("-1d", None),
            ("1.5h", None),
            ("1w", None),
            ("1é", None),
            ("yesterday", None),
        ] {
            let time = text.parse::<Since>().ok().map(|since| since.time(now));
            assert_eq!(time.map(Timestamp::as_millis), millis, "{text}");
        }
    }
}

use std::sync::Arc;

use axum::extract::State;
use cofferdam_types::page::PageRequest;
use cofferdam_wire::audit::AuditView;
use cofferdam_wire::page::PageView;

use crate::answer::Answer;
use crate::error::Refusal;
use crate::extract::{Allowed, Query, ReadAudit};
use crate::services::Services;

/// The audit, newest first.
pub(crate) async fn list(
    caller: Allowed<ReadAudit>,
    State(services): State<Arc<Services>>,
    Query(page): Query<PageRequest<u64>>,
) -> Result<Answer<PageView<AuditView>>, Refusal> {
    let page = services.toolbox.audit(&caller, &page).await?;
    Ok(Answer::ok(PageView::of(page, |entry| AuditView {
        seq: entry.seq,
        previous_digest: entry.previous,
        entry_digest: entry.digest,
        record: entry.record(),
    })))
}

//! Finds the runs that an earlier host left behind.

use std::time::Duration;

use cofferdam_store_api::StoreError;
use cofferdam_types::page::PageRequest;
use cofferdam_types::{RunId, Tenant};

use super::board::Ticket;
use super::patience::{REST, TRIES, patiently};
use crate::service::Shared;
use crate::task::create::PRIORITY_DEFAULT;

/// Puts every run that is not over onto the board. Ends when all were seen, however long the store
/// takes to answer.
pub(crate) async fn take_over(shared: &Shared) {
    let mut page = PageRequest::first();
    loop {
        let unfinished = || shared.stores.runs.unfinished(&page);
        let found = match patiently(TRIES, unfinished).await {
            Ok(found) => found,
            Err(StoreError::Unavailable(reason)) => {
                tracing::warn!(reason, "the store is unavailable; unfinished runs wait");
                tokio::time::sleep(REST).await;
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "unfinished runs can't be listed; they are left alone");
                return;
            }
        };
        for (tenant, run) in found.items {
            if !shared.board.knows(&run) {
                let priority = priority(shared, &tenant, &run).await;
                shared
                    .board
                    .add(Ticket::new(tenant, run, priority), Duration::ZERO);
            }
        }
        match found.next {
            Some(last) => page.after = Some(last),
            None => return,
        }
    }
}

/// A run whose task can't be read now is as urgent as most; its driver will see what is wrong.
async fn priority(shared: &Shared, tenant: &Tenant, run: &RunId) -> u8 {
    let Ok(Some(run)) = shared.stores.runs.get(tenant, run).await else {
        return PRIORITY_DEFAULT;
    };
    match shared.stores.tasks.get(tenant, &run.task_id).await {
        Ok(Some(task)) => task.priority,
        Ok(None) | Err(_) => PRIORITY_DEFAULT,
    }
}

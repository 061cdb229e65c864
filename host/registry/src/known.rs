use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cofferdam_store_api::{StoreError, Tools};
use cofferdam_types::Tenant;
use cofferdam_types::page::{PAGE_ITEMS_MAX, PageRequest};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep};

use crate::catalogue::Catalogue;

/// Between two looks for what other hosts changed: a tool that one of them takes away is gone here
/// within a second, and an idle host asks twice a second.
const LOOK: Duration = Duration::from_millis(500);
/// How long tools are offered of which the store was last asked so long ago: long enough for a
/// server to be started again, and the longest that a revocation can go unnoticed.
const TRUSTED: Duration = Duration::from_mins(1);

/// What this host knows of the tools of each tenant, kept up with the store, which other hosts write
/// to as well.
pub(crate) struct Known {
    tools: Arc<dyn Tools>,
    tenants: RwLock<HashMap<Tenant, Heard>>,
    /// Held while the store is asked, so that an older answer never stands in for a newer one.
    asking: Mutex<()>,
    /// Changes seen so far.
    changes: watch::Sender<u64>,
}

#[derive(Clone)]
struct Heard {
    catalogue: Arc<Catalogue>,
    /// When the store last said that this is so.
    at: Instant,
}

impl Known {
    pub(crate) fn new(tools: Arc<dyn Tools>) -> Self {
        Self {
            tools,
            tenants: RwLock::default(),
            asking: Mutex::default(),
            changes: watch::Sender::default(),
        }
    }

    /// A tenant's tools, without asking the store as long as it was heard from lately.
    ///
    /// **Errors**: the store's, when it has to be asked.
    pub(crate) async fn catalogue(&self, tenant: &Tenant) -> Result<Arc<Catalogue>, StoreError> {
        match self.heard(tenant) {
            Some(heard) if heard.at.elapsed() < TRUSTED => Ok(heard.catalogue),
            _ => self.ask(tenant).await,
        }
    }

    /// A tenant's tools as the store has them now.
    pub(crate) async fn ask(&self, tenant: &Tenant) -> Result<Arc<Catalogue>, StoreError> {
        let _alone = self.asking.lock().await;
        let before = self.heard(tenant).map(|heard| heard.catalogue);
        let at = Instant::now();
        let catalogue = match &before {
            Some(before) => self.catch_up(tenant, before).await?,
            None => Arc::new(self.read(tenant).await?),
        };
        let heard = Heard {
            catalogue: catalogue.clone(),
            at,
        };
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.insert(tenant.clone(), heard);
        drop(tenants);
        if before.is_some_and(|before| before.generation != catalogue.generation) {
            self.changes.send_modify(|changes| *changes += 1);
        }
        Ok(catalogue)
    }

    /// Tells whenever some tenant's tools are seen to have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Looks for what others changed, for ever.
    ///
    /// **Cancel**: safe at any point.
    pub(crate) async fn follow(&self) {
        let mut is_well = true;
        loop {
            sleep(LOOK).await;
            let answer = self.ask_for_all().await;
            match &answer {
                Err(error) if is_well => {
                    tracing::warn!(%error, "the tools' store does not answer; they stay as they are for a while");
                }
                Ok(()) if !is_well => tracing::info!("the tools' store answers again"),
                _ => {}
            }
            is_well = answer.is_ok();
        }
    }

    async fn ask_for_all(&self) -> Result<(), StoreError> {
        let tenants: Vec<_> = {
            let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
            tenants.keys().cloned().collect()
        };
        for tenant in tenants {
            self.ask(&tenant).await?;
        }
        Ok(())
    }

    fn heard(&self, tenant: &Tenant) -> Option<Heard> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(tenant).cloned()
    }

    /// Everything.
    async fn read(&self, tenant: &Tenant) -> Result<Catalogue, StoreError> {
        // The number goes first: what changes while the list is read is read again later.
        let generation = self.tools.changed(tenant, u64::MAX, 1).await?.generation;
        let mut tools = Vec::new();
        let mut page = PageRequest::first();
        loop {
            let part = self.tools.list(tenant, "", &page).await?;
            tools.extend(part.items.into_iter().flatten().map(|tool| tool.record));
            page.after = part.next;
            if page.after.is_none() {
                return Ok(Catalogue::new(generation, tools));
            }
        }
    }

    /// What is known, with what changed since.
    async fn catch_up(
        &self,
        tenant: &Tenant,
        known: &Arc<Catalogue>,
    ) -> Result<Arc<Catalogue>, StoreError> {
        let mut generation = known.generation;
        let mut renewed = Vec::new();
        loop {
            let changed = self
                .tools
                .changed(tenant, generation, PAGE_ITEMS_MAX)
                .await?;
            if changed.generation < generation {
                // The store was put back to an earlier state.
                return Ok(Arc::new(self.read(tenant).await?));
            }
            for name in changed.names {
                let versions = self.tools.versions(tenant, &name).await?;
                let records = versions.into_iter().map(|tool| tool.record);
                renewed.push((name, records.collect()));
            }
            generation = changed.generation;
            if !changed.more {
                break;
            }
        }
        if generation == known.generation {
            return Ok(known.clone());
        }
        Ok(Arc::new(known.renewed(generation, renewed)))
    }
}

//! How far the adding of each component is, for whoever does not wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cofferdam_types::{Code, Digest, Failure, Tenant, Timestamp};

use cofferdam_runtime::inspect;
use cofferdam_types::caller::Caller;

use crate::publish::{Published, blocking};
use crate::toolbox::Toolbox;

/// Additions remembered for each tenant: some kilobytes each, and more than anybody watches at once.
const REMEMBERED_MAX: usize = 256;
/// How long one that is over is remembered: whoever asked for it has looked by then.
const REMEMBERED_FOR: Duration = Duration::from_hours(1);

/// How far the adding of a component is.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// The file is read and checked.
    Inspecting,
    /// It is compiled, or waits for its turn, and is asked what it is.
    Compiling,
    /// Its tools are entered.
    Registering,
    /// Its tools can be called.
    Ready(Published),
    /// It was not added.
    Failed(Failure),
}

impl Stage {
    fn is_over(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::Failed(_))
    }
}

/// A component that is being added, or was.
#[derive(Debug, Clone, PartialEq)]
pub struct Addition {
    /// Its digest.
    pub digest: Digest,
    /// How far it is.
    pub stage: Stage,
    /// Since when it is that far.
    pub since: Timestamp,
}

impl Toolbox {
    /// How far the adding of a component is. One whose addition is long over is ready when it is in
    /// the registry.
    ///
    /// **Errors**: `not_found`.
    pub async fn addition(&self, caller: &Caller, digest: &Digest) -> Result<Addition, Failure> {
        let now = self.parts.ambient.now();
        if let Some(addition) = self.additions.get(&caller.tenant, digest, now) {
            return Ok(addition);
        }
        self.registered(caller, digest).await?.ok_or_else(|| {
            let message = format!("no component {digest} is here, and none was added of late");
            Failure::new(Code::NotFound, message)
        })
    }

    /// The component as the registry has it; the one added last, should it be there by several names.
    async fn registered(
        &self,
        caller: &Caller,
        digest: &Digest,
    ) -> Result<Option<Addition>, Failure> {
        let registry = &self.parts.registry;
        let mut entries = registry.list(&caller.tenant).await?;
        entries.retain(|entry| entry.record().digest == *digest);
        let Some(last) = entries.iter().max_by_key(|entry| entry.record().created_at) else {
            return Ok(None);
        };
        let record = last.record();
        let (component, version) = (&record.component, &record.spec.version);
        let tools = entries
            .iter()
            .map(|entry| entry.record())
            .filter(|other| other.component == *component && other.spec.version == *version)
            .map(|other| other.spec.name.clone())
            .collect();
        let bytes = registry.component(&caller.tenant, digest).await?;
        let inspection = blocking(move || inspect(&bytes)).await??;
        let published = Published {
            component: component.clone(),
            version: version.clone(),
            digest: *digest,
            tools,
            // Only whoever added it was told.
            skipped: Vec::new(),
            imports: inspection.imports,
            created: false,
        };
        Ok(Some(Addition {
            digest: *digest,
            stage: Stage::Ready(published),
            since: record.created_at,
        }))
    }
}

/// The additions of late. The last one of a digest counts; what is forgotten is the oldest that is
/// over, and among those under way the oldest. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Additions(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    tenants: HashMap<Tenant, HashMap<Digest, Entry>>,
    /// Additions that began.
    begun: u64,
}

struct Entry {
    addition: Addition,
    /// Which of all additions it is.
    number: u64,
}

/// Notes how far one addition is. Dropped before the end, it notes that the addition broke off.
pub(crate) struct Progress {
    additions: Additions,
    tenant: Tenant,
    digest: Digest,
    number: u64,
    began: Timestamp,
    is_over: bool,
}

impl Additions {
    /// Remembers an addition that begins.
    pub(crate) fn begin(&self, tenant: &Tenant, digest: Digest, now: Timestamp) -> Progress {
        let mut table = self.table();
        table.begun += 1;
        let number = table.begun;
        let additions = table.tenants.entry(tenant.clone()).or_default();
        additions.retain(|_, entry| !entry.addition.is_old(now));
        if additions.len() >= REMEMBERED_MAX && !additions.contains_key(&digest) {
            let order = |addition: &Addition| (!addition.stage.is_over(), addition.since);
            let least = additions
                .values()
                .min_by_key(|entry| order(&entry.addition))
                .map(|entry| entry.addition.digest);
            if let Some(digest) = least {
                additions.remove(&digest);
            }
        }
        let addition = Addition {
            digest,
            stage: Stage::Inspecting,
            since: now,
        };
        additions.insert(digest, Entry { addition, number });
        Progress {
            additions: self.clone(),
            tenant: tenant.clone(),
            digest,
            number,
            began: now,
            is_over: false,
        }
    }

    /// The last addition of a digest, when it is remembered.
    pub(crate) fn get(&self, tenant: &Tenant, digest: &Digest, now: Timestamp) -> Option<Addition> {
        let table = self.table();
        let addition = &table.tenants.get(tenant)?.get(digest)?.addition;
        (!addition.is_old(now)).then(|| addition.clone())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change is one statement, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Addition {
    fn is_old(&self, now: Timestamp) -> bool {
        self.stage.is_over() && now.since(self.since) >= REMEMBERED_FOR
    }
}

impl Progress {
    /// The addition is that far now, unless it is forgotten or another one of the digest began.
    pub(crate) fn advance(&mut self, stage: Stage, now: Timestamp) {
        self.is_over = stage.is_over();
        let mut table = self.additions.table();
        let entry = table
            .tenants
            .get_mut(&self.tenant)
            .and_then(|additions| additions.get_mut(&self.digest));
        if let Some(entry) = entry.filter(|entry| entry.number == self.number) {
            entry.addition.stage = stage;
            entry.addition.since = now;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.is_over {
            // Without a clock at hand the time it began has to do.
            let failure = Failure::new(Code::Internal, "the host failed; its log says why");
            self.advance(Stage::Failed(failure), self.began);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Digest {
        Digest::of(&number.to_be_bytes())
    }

    fn failed() -> Stage {
        Stage::Failed(Failure::new(Code::Conflict, "taken"))
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn the_last_addition_of_a_digest_counts() {
        let (additions, tenant) = (Additions::default(), Tenant::default());
        let mut first = additions.begin(&tenant, digest(0), at(1));
        let mut second = additions.begin(&tenant, digest(0), at(2));
        first.advance(failed(), at(3));
        let found = |now| additions.get(&tenant, &digest(0), now).expect("known");
        assert_eq!(found(at(3)).stage, Stage::Inspecting);
        second.advance(Stage::Compiling, at(4));
        assert_eq!(
            (found(at(5)).stage, found(at(5)).since),
            (Stage::Compiling, at(4))
        );
        drop(first);
        assert_eq!(found(at(5)).stage, Stage::Compiling);
        drop(second);
        assert!(
            matches!(found(at(5)).stage, Stage::Failed(failure) if failure.code == Code::Internal)
        );
    }

    #[test]
    fn what_is_over_is_forgotten_in_time_and_what_is_not_stays() {
        let (additions, tenant) = (Additions::default(), Tenant::default());
        let mut over = additions.begin(&tenant, digest(0), at(0));
        let _under_way = additions.begin(&tenant, digest(1), at(0));
        over.advance(failed(), at(0));
        let is_known = |number, now| additions.get(&tenant, &digest(number), now).is_some();
        let hour = REMEMBERED_FOR.as_secs();
        assert!(is_known(0, at(hour - 1)) && !is_known(0, at(hour)));
        assert!(is_known(1, at(100 * hour)));
        let _next = additions.begin(&tenant, digest(2), at(hour));
        assert_eq!(additions.table().tenants[&tenant].len(), 2);
    }

    #[test]
    fn the_number_is_bounded_and_those_under_way_stay_longest() {
        let (additions, tenant) = (Additions::default(), Tenant::default());
        let mut under_way = Vec::new();
        for number in 0..REMEMBERED_MAX {
            let now = at(number as u64);
            let mut progress = additions.begin(&tenant, digest(number), now);
            if number > 0 {
                progress.advance(failed(), now);
            }
            under_way.push(progress);
        }
        let other: Tenant = "other".parse().expect("a name");
        under_way.push(additions.begin(&other, digest(0), at(0)));
        let now = at(REMEMBERED_MAX as u64);
        for number in REMEMBERED_MAX..REMEMBERED_MAX + 10 {
            under_way.push(additions.begin(&tenant, digest(number), now));
        }
        assert_eq!(additions.table().tenants[&tenant].len(), REMEMBERED_MAX);
        let is_known = |tenant, number| additions.get(tenant, &digest(number), now).is_some();
        assert!(is_known(&tenant, 0), "it is under way");
        assert!(!is_known(&tenant, 1) && !is_known(&tenant, 10) && is_known(&tenant, 11));
        assert!(is_known(&other, 0));
    }
}

//! Small state that lasts from call to call. The runtime asks the grant; who keeps the values is
//! plugged in.

use std::sync::Arc;

use cofferdam_policy::capability::key_value::{KeyUse, KeyValue, Right, Scope};
use cofferdam_types::key_value::{Key, Quota, Space, When, Write, Written};
use cofferdam_types::page::{Page, PageRequest};
use futures::future::BoxFuture;
use thiserror::Error;

use crate::bindings::cofferdam::tool::key_value as wit;
use crate::fuel;
use crate::state::State;

/// Who keeps the values. Every method is one atomic operation, safe to drop: it happened as a whole
/// or not at all.
pub trait KeyValues: Send + Sync {
    /// What a key holds.
    fn get<'a>(
        &'a self,
        space: &'a Space,
        key: &'a Key,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, Unavailable>>;

    /// Makes a change if its condition holds and the quota leaves room.
    fn write<'a>(
        &'a self,
        space: &'a Space,
        write: &'a Write,
        quota: &'a Quota,
    ) -> BoxFuture<'a, Result<Written, Unavailable>>;

    /// The keys with a prefix, in the order of their bytes.
    fn list<'a>(
        &'a self,
        space: &'a Space,
        prefix: &'a str,
        page: &'a PageRequest<Key>,
    ) -> BoxFuture<'a, Result<Page<Key, Key>, Unavailable>>;
}

/// Whoever keeps the values can't answer now. It has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the state of tools can't be reached now")]
pub struct Unavailable;

/// Where a call's state is.
#[derive(Clone)]
pub struct Spaces {
    /// Who keeps it.
    pub values: Arc<dyn KeyValues>,
    /// The tool's.
    pub tool: Space,
    /// The agent's, when one is at work.
    pub agent: Option<Space>,
}

impl Spaces {
    fn of(&self, scope: Scope) -> Option<&Space> {
        match scope {
            Scope::Tool => Some(&self.tool),
            Scope::Agent => self.agent.as_ref(),
        }
    }
}

/// Where a checked use goes.
struct Place {
    values: Arc<dyn KeyValues>,
    space: Space,
    quota: Quota,
}

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl State {
    /// Asks for each of the rights, and finds the place.
    fn place(&self, scope: wit::Scope, rights: &[Right], key: &str) -> Result<Place, wit::Error> {
        let scope = match scope {
            wit::Scope::Tool => Scope::Tool,
            wit::Scope::Agent => Scope::Agent,
        };
        let mut quota = Quota::DEFAULT;
        for right in rights {
            let ask = KeyUse {
                scope,
                right: *right,
                key: key.to_owned(),
            };
            quota = self
                .warrant
                .ask::<KeyValue>(&ask)
                .map_err(|_| wit::Error::Denied)?;
        }
        let spaces = self.spaces.as_ref().ok_or(wit::Error::Denied)?;
        Ok(Place {
            values: spaces.values.clone(),
            space: spaces.of(scope).ok_or(wit::Error::Denied)?.clone(),
            quota,
        })
    }

    async fn change(
        &mut self,
        scope: wit::Scope,
        rights: &[Right],
        key: String,
        value: Option<Vec<u8>>,
        when: When,
    ) -> Result<Written, wit::Error> {
        let bytes = value.as_ref().map_or(0, Vec::len);
        self.meter.charge(fuel::WRITE + fuel::bytes(bytes));
        let key: Key = key.parse().map_err(|_| wit::Error::InvalidKey)?;
        let place = self.place(scope, rights, key.as_str())?;
        let write = Write { key, value, when };
        let written = place.values.write(&place.space, &write, &place.quota).await;
        match written.map_err(|Unavailable| wit::Error::Unavailable)? {
            Written::Full(_) => Err(wit::Error::Full),
            written => Ok(written),
        }
    }
}

impl wit::Host for State {
    async fn get(&mut self, scope: wit::Scope, key: String) -> Answer<Option<Vec<u8>>> {
        self.meter.charge(fuel::READ);
        let Ok(key) = key.parse::<Key>() else {
            return Ok(Err(wit::Error::InvalidKey));
        };
        let place = match self.place(scope, &[Right::Read], key.as_str()) {
            Ok(place) => place,
            Err(error) => return Ok(Err(error)),
        };
        let found = place.values.get(&place.space, &key).await;
        if let Ok(Some(value)) = &found {
            self.meter.charge(fuel::bytes(value.len()));
        }
        Ok(found.map_err(|Unavailable| wit::Error::Unavailable))
    }

    async fn set(&mut self, scope: wit::Scope, key: String, value: Vec<u8>) -> Answer<()> {
        let written = self
            .change(scope, &[Right::Write], key, Some(value), When::Always)
            .await;
        Ok(written.map(|_| ()))
    }

    async fn delete(&mut self, scope: wit::Scope, key: String) -> Answer<bool> {
        let written = self
            .change(scope, &[Right::Delete], key, None, When::Always)
            .await;
        Ok(written.map(|written| written == Written::Done { existed: true }))
    }

    async fn swap(
        &mut self,
        scope: wit::Scope,
        key: String,
        expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
    ) -> Answer<bool> {
        // It tells what the key holds, one guess at a time.
        let rights = match new {
            Some(_) => [Right::Read, Right::Write],
            None => [Right::Read, Right::Delete],
        };
        let when = expected.map_or(When::Absent, When::Holds);
        let written = self.change(scope, &rights, key, new, when).await;
        Ok(written.map(|written| written != Written::Differs))
    }

    async fn keys(
        &mut self,
        scope: wit::Scope,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Answer<wit::Page> {
        self.meter.charge(fuel::HOST_CALL);
        Ok(self.listing(scope, prefix, after, limit).await)
    }
}

impl State {
    async fn listing(
        &mut self,
        scope: wit::Scope,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<wit::Page, wit::Error> {
        let after = after.map(|after| after.parse::<Key>()).transpose();
        let after = after.map_err(|_| wit::Error::InvalidKey)?;
        let place = self.place(scope, &[Right::List], &prefix)?;
        let request = PageRequest { after, limit };
        let ours = match scope {
            wit::Scope::Tool => Scope::Tool,
            wit::Scope::Agent => Scope::Agent,
        };
        // A key that may not be listed is left out, not noted as a denial: nobody asked for it.
        let may_list = |key: &Key| {
            let ask = KeyUse {
                scope: ours,
                right: Right::List,
                key: key.to_string(),
            };
            self.warrant.grant().decide::<KeyValue>(&ask).is_ok()
        };
        let pay = || self.meter.charge(fuel::WRITE);
        let page = listed(&place, &prefix, request, may_list, pay).await;
        let page = page.map_err(|Unavailable| wit::Error::Unavailable)?;
        let keys: Vec<_> = page.items.iter().map(ToString::to_string).collect();
        let bytes = keys.iter().map(String::len).sum();
        self.meter.charge(fuel::bytes(bytes));
        Ok(wit::Page {
            keys,
            next: page.next.map(|next| next.to_string()),
        })
    }
}

/// A page of the keys that may be listed. The host reads on behind the others, so that a page names
/// none of them and doesn't tell that any follow; `pay` hears of each page that is read.
async fn listed(
    place: &Place,
    prefix: &str,
    mut request: PageRequest<Key>,
    may_list: impl Fn(&Key) -> bool,
    pay: impl Fn(),
) -> Result<Page<Key, Key>, Unavailable> {
    let items_max = request.items_max();
    // One more than is wanted tells whether there are more.
    request.limit = request.limit.saturating_add(1);
    let mut keys = Vec::new();
    loop {
        pay();
        let page = place.values.list(&place.space, prefix, &request).await?;
        keys.extend(page.items.into_iter().filter(&may_list));
        if page.next.is_none() || keys.len() > items_max {
            return Ok(Page::cut(keys, items_max, Key::clone));
        }
        request = PageRequest {
            after: page.next,
            ..PageRequest::first()
        };
    }
}

#[cfg(test)]
mod tests;

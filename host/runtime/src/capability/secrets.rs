//! Secrets. The host puts them where the grant says; the guest holds placeholders, and a value only
//! where it is exposed. Who keeps the values is plugged in.

mod filling;
mod inject;
mod stdin;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_policy::capability::secrets::{Secret, Use, Way};
use cofferdam_types::call::{Denial, DenialCode};
use cofferdam_types::{SecretName, SecretValue};
use futures::future::BoxFuture;
use thiserror::Error;

use crate::bindings::cofferdam::tool::secrets as wit;
use crate::fuel;
use crate::state::State;
use crate::warrant::Warrant;

/// The secrets of the tenant that a call is made for.
pub trait Secrets: Send + Sync {
    /// The value as it is at this moment; `None` when the tenant has no secret of this name.
    ///
    /// Whoever implements this remembers what it gave, to take it out of what the call prints.
    fn get<'a>(
        &'a self,
        name: &'a SecretName,
    ) -> BoxFuture<'a, Result<Option<SecretValue>, SecretsUnreachable>>;

    /// Unpredictable bytes, others each time, to make a placeholder of.
    fn fresh(&self) -> [u8; 16];
}

/// The secrets can't be read now. Whoever keeps them has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the secrets can't be reached now")]
pub struct SecretsUnreachable;

/// What a placeholder begins with; 32 hexadecimal digits follow. All of it may stand in headers,
/// queries and texts without being encoded.
const MARK: &str = "cofferdam_secret_";
/// Characters of a placeholder.
const PLACEHOLDER_CHARS: usize = MARK.len() + 32;

/// The secrets of one call: what it may do with them, and which placeholders it was given.
pub(crate) struct Held {
    keeper: Option<Arc<dyn Secrets>>,
    warrant: Warrant,
    /// The placeholders of the call; one for each name.
    given: Mutex<BTreeMap<String, SecretName>>,
}

/// Why a secret is not to be had.
#[derive(Debug)]
pub(crate) enum Refusal {
    Denied(Box<Denial>),
    Unreachable,
}

impl Held {
    pub(crate) fn new(keeper: Option<Arc<dyn Secrets>>, warrant: Warrant) -> Self {
        Self {
            keeper,
            warrant,
            given: Mutex::default(),
        }
    }

    /// What a guest gets for a name: a placeholder, or the value where it is exposed.
    ///
    /// A name that is not granted, breaks the grammar, is another tenant's or nobody's is refused
    /// in the same way, and whether an ungranted one exists is never looked at.
    async fn give(&self, name: &str) -> Result<String, Refusal> {
        let ask = |way| Use {
            name: name.to_owned(),
            way,
        };
        let noted = |denial: Denial| Refusal::Denied(Box::new(denial));
        self.warrant.ask::<Secret>(&ask(Way::Hold)).map_err(noted)?;
        let value = self.value(&ask(Way::Hold)).await;
        let value = value.inspect_err(|refusal| {
            if let Refusal::Denied(denial) = refusal {
                self.warrant.refused((**denial).clone());
            }
        })?;
        // Asked quietly first: a tool that may not see the value gets a placeholder, no denial.
        if self.warrant.allows::<Secret>(&ask(Way::Expose)) {
            self.warrant
                .ask::<Secret>(&ask(Way::Expose))
                .map_err(noted)?;
            return Ok(value.reveal().to_owned());
        }
        Ok(self.placeholder(name))
    }

    /// The value that an allowed use is about, read anew; the denial is not noted.
    async fn value(&self, ask: &Use) -> Result<SecretValue, Refusal> {
        let missing = || Refusal::Denied(Box::new(missing(ask)));
        let name: SecretName = ask.name.parse().map_err(|_| missing())?;
        let keeper = self.keeper.as_ref().ok_or_else(missing)?;
        let value = keeper.get(&name).await;
        let value = value.map_err(|SecretsUnreachable| Refusal::Unreachable)?;
        value.ok_or_else(missing)
    }

    fn placeholder(&self, name: &str) -> String {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let known = given.iter().find(|(_, of)| of.as_str() == name);
        if let Some((placeholder, _)) = known {
            return placeholder.clone();
        }
        let fresh = self
            .keeper
            .as_ref()
            .map_or([0; 16], |keeper| keeper.fresh());
        let placeholder = format!("{MARK}{:032x}", u128::from_be_bytes(fresh));
        // What was found under a name has one that parses.
        if let Ok(name) = name.parse() {
            given.insert(placeholder.clone(), name);
        }
        placeholder
    }

    /// Which secret a text of a placeholder's form stands for in this call.
    fn meant(&self, placeholder: &str) -> Option<SecretName> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.get(placeholder).cloned()
    }

    /// The first placeholder of this call in a text: where it begins, and whose it is. Text of the
    /// form that is no placeholder of this call is nobody's.
    fn find(&self, text: &str) -> Option<(usize, SecretName)> {
        text.match_indices(MARK).find_map(|(at, _)| {
            let whole = text.get(at..at + PLACEHOLDER_CHARS)?;
            Some((at, self.meant(whole)?))
        })
    }
}

impl wit::Host for State {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, wit::Error>> {
        self.meter.charge(fuel::READ);
        let held = Arc::clone(&self.secrets);
        Ok(held.give(&name).await.map_err(|refusal| match refusal {
            Refusal::Denied(_) => wit::Error::Denied,
            Refusal::Unreachable => wit::Error::Unavailable,
        }))
    }
}

/// The denial of a use that is allowed, of a secret that isn't there. Its code is that of one that
/// is not allowed.
fn missing(ask: &Use) -> Denial {
    use cofferdam_policy::Capability as _;
    let resource = Secret::resource(ask);
    Denial {
        capability: Secret::NAME.to_owned(),
        operation: Secret::operation(ask),
        code: DenialCode::NotGranted,
        rule: "the secrets of the tenant".to_owned(),
        file: None,
        line: None,
        reason: format!("the tenant has no such secret, which is granted: {resource}"),
        smallest_grant: "set it with `cofferdam secret set`".to_owned(),
        resource,
    }
}

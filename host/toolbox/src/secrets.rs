//! Secrets: the face of their administration, and what one call sees of them.

use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_audit::Slot;
use cofferdam_policy::Grant;
use cofferdam_runtime::SecretsUnreachable;
use cofferdam_secrets::{Error, Listed, Redactor, Rotation, Stored, Vault};
use cofferdam_types::audit::{Act, AuditRecord, SecretChange};
use cofferdam_types::call::{LogRecord, Observer, Progress};
use cofferdam_types::caller::Caller;
use cofferdam_types::{Ambient, Code, Failure, SecretName, SecretValue, Tenant};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::toolbox::Toolbox;

/// What the audit says a change of the key was on.
const EVERY: &str = "*";

impl Toolbox {
    /// The secrets of the caller's tenant, by name; never a value.
    pub async fn secrets(&self, caller: &Caller) -> Result<Vec<Listed>, Failure> {
        let listed = self.parts.secrets.list(&caller.tenant).await;
        listed.map_err(failure)
    }

    /// Gives a secret of the caller's tenant a value. The next use of it has that value.
    ///
    /// **Errors**: `conflict` for one that the host's environment gives; `limit_exceeded` for one
    /// too many; `unavailable`.
    pub async fn set_secret(
        &self,
        caller: &Caller,
        name: &SecretName,
        value: &SecretValue,
    ) -> Result<Stored, Failure> {
        let slot = self.slot("a change of a secret").await?;
        let set = self.parts.secrets.set(&caller.tenant, name, value).await;
        let set = set.map_err(failure);
        self.changed(slot, caller, SecretChange::Set, name.as_str(), &set)
            .await?;
        set
    }

    /// Removes a secret of the caller's tenant. The next use of it is refused.
    ///
    /// **Errors**: `not_found`; otherwise as [`Self::set_secret`].
    pub async fn remove_secret(&self, caller: &Caller, name: &SecretName) -> Result<(), Failure> {
        let slot = self.slot("the end of a secret").await?;
        let removed = self.parts.secrets.remove(&caller.tenant, name).await;
        let removed = match removed {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::not_found("secret", name)),
            Err(error) => Err(failure(error)),
        };
        self.changed(slot, caller, SecretChange::Removed, name.as_str(), &removed)
            .await?;
        removed
    }

    /// Seals the secrets of all tenants under a fresh key and forgets the old one.
    ///
    /// **Errors**: `forbidden` for whoever doesn't belong to the operator's tenant; `conflict` when
    /// a value opens with no key; `unavailable`.
    pub async fn rotate_secret_key(&self, caller: &Caller) -> Result<Rotation, Failure> {
        if caller.tenant != Tenant::default() {
            let message = "the key of all secrets is the operator's to change";
            return Err(Failure::new(Code::Forbidden, message));
        }
        let slot = self.slot("a change of the key of secrets").await?;
        let rotated = self.parts.secrets.rotate_key().await.map_err(failure);
        self.changed(slot, caller, SecretChange::Rotated, EVERY, &rotated)
            .await?;
        rotated
    }

    /// Records a change, or that it was refused.
    async fn changed<T>(
        &self,
        slot: Slot,
        caller: &Caller,
        change: SecretChange,
        name: &str,
        done: &Result<T, Failure>,
    ) -> Result<(), Failure> {
        let name = name.to_owned();
        let act = match done {
            Ok(_) => Act::Secret { change, name },
            Err(failure) => Act::Admin {
                operation: format!("secret_{}", change.as_str()),
                subject: name,
                code: Some(failure.code),
            },
        };
        let (tenant, at) = (caller.tenant.clone(), self.parts.ambient.now());
        let record = AuditRecord::new(tenant, at, &caller.principal, act);
        slot.write_now(record).done().await.map_err(|error| {
            tracing::error!(%error, "the record of a change of a secret was not written");
            Failure::new(Code::Unavailable, "the audit can't keep up; try again")
        })
    }

    /// What a call sees of its tenant's secrets; nothing when it is granted none.
    pub(crate) fn secrets_of(&self, grant: &Grant, tenant: &Tenant) -> Option<Arc<CallSecrets>> {
        if grant.secrets().is_nothing() {
            return None;
        }
        Some(Arc::new(CallSecrets {
            vault: self.parts.secrets.clone(),
            ambient: self.parts.ambient.clone(),
            tenant: tenant.clone(),
            given: Mutex::new(Given {
                values: Vec::new(),
                redactor: Arc::new(Redactor::none()),
            }),
        }))
    }
}

/// The secrets of a call's tenant, and which values the call was given. Those are taken out of
/// everything that it leaves behind.
pub(crate) struct CallSecrets {
    vault: Arc<Vault>,
    ambient: Arc<dyn Ambient>,
    tenant: Tenant,
    given: Mutex<Given>,
}

struct Given {
    values: Vec<(SecretName, SecretValue)>,
    redactor: Arc<Redactor>,
}

impl CallSecrets {
    /// Takes out what was given until now.
    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.redactor.clone()
    }

    fn remember(&self, name: &SecretName, value: &SecretValue) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(of, one): &(SecretName, SecretValue)| of == name && one == value;
        // One that was changed meanwhile is another value, and the old one is a secret still.
        if !given.values.iter().any(known) {
            given.values.push((name.clone(), value.clone()));
            given.redactor = Arc::new(Redactor::new(&given.values));
        }
    }
}

impl cofferdam_runtime::Secrets for CallSecrets {
    fn get<'a>(
        &'a self,
        name: &'a SecretName,
    ) -> BoxFuture<'a, Result<Option<SecretValue>, SecretsUnreachable>> {
        async move {
            let value = self.vault.get(&self.tenant, name).await;
            let value = value.map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "a secret can't be read");
                SecretsUnreachable
            })?;
            if let Some(value) = &value {
                self.remember(name, value);
            }
            Ok(value)
        }
        .boxed()
    }

    fn fresh(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.ambient.fill(&mut bytes);
        bytes
    }
}

/// Hears of a call what is left of it without secrets.
pub(crate) struct Discreet {
    pub(crate) secrets: Arc<CallSecrets>,
    pub(crate) inner: Arc<dyn Observer>,
}

impl Observer for Discreet {
    fn progress(&self, mut progress: Progress) {
        self.secrets.redactor().progress(&mut progress);
        self.inner.progress(progress);
    }

    fn log(&self, record: &LogRecord) {
        let redactor = self.secrets.redactor();
        if redactor.is_idle() {
            return self.inner.log(record);
        }
        let mut record = record.clone();
        redactor.record(&mut record);
        self.inner.log(&record);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what maps an error")]
fn failure(error: Error) -> Failure {
    let message = error.to_string();
    match error {
        Error::FromEnvironment(_) | Error::Damaged(_) => Failure::new(Code::Conflict, message),
        Error::Full => Failure::limit("secrets", Vault::SECRETS_MAX as u64, message),
        Error::Contended(_) => Failure::new(Code::Unavailable, message),
        // These say where files are.
        Error::Store(_) | Error::KeyFile { .. } | Error::KeysGone { .. } | Error::Source { .. } => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "the secrets can't be reached");
            Failure::new(
                Code::Unavailable,
                "the secrets can't be reached now; try again",
            )
        }
    }
}

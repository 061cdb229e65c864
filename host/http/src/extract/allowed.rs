use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use cofferdam_access::{Access, Error, Permission, require};
use cofferdam_types::caller::Caller;

use crate::body::only;
use crate::error::Refusal;
use crate::services::Services;

/// The caller, known and allowed to do `P`. A handler has no other way to a caller, so it can't
/// forget to ask.
pub(crate) struct Allowed<P> {
    caller: Caller,
    permission: PhantomData<P>,
}

/// A permission as a type.
pub(crate) trait Need {
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($name:ident),*) => {$(
        pub(crate) enum $name {}

        impl Need for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

needs!(
    ReadTools,
    ReadTasks,
    CallTools,
    ManageTasks,
    RunTasks,
    Publish,
    ReadPolicy,
    ManagePolicy,
    ReadAudit,
    ManageSecrets
);

impl<P> Allowed<P> {
    pub(crate) fn into_caller(self) -> Caller {
        self.caller
    }
}

impl<P> Deref for Allowed<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<P: Need> FromRequestParts<Arc<Services>> for Allowed<P> {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut Parts,
        services: &Arc<Services>,
    ) -> Result<Self, Refusal> {
        let caller = identify(&services.access, &parts.headers).await?;
        require(&caller, P::PERMISSION)?;
        Ok(Self {
            caller,
            permission: PhantomData,
        })
    }
}

/// Whoever presents the key of these headers.
pub(crate) async fn identify(access: &Access, headers: &HeaderMap) -> Result<Caller, Error> {
    access.authenticate(presented(headers)?).await
}

/// The key in the `Authorization` header.
fn presented(headers: &HeaderMap) -> Result<&str, Error> {
    if !headers.contains_key(AUTHORIZATION) {
        return Err(Error::Missing);
    }
    let header = only(headers, &AUTHORIZATION).ok_or(Error::Unknown)?;
    match header.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(key.trim()),
        _ => Err(Error::Unknown),
    }
}

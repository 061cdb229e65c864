use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use cofferdam_types::tool::ToolRef;
use cofferdam_types::{Failure, SecretName};

use super::query::{Pairs, fault_in};
use crate::error::Refusal;

/// The id in the path, of whatever kind the route speaks of.
pub(crate) struct IdPath<T>(pub(crate) T);

/// The tool that the path names and, when there is one, the `version` parameter.
///
/// **Shape**: `files-read`, `files-read@^1.2`, `acme__files-read` for `acme/files-read`.
pub(crate) struct ToolPath(pub(crate) ToolRef);

/// The secret that the path names.
///
/// **Shape**: `github-token`, or `acme__token` for `acme/token`.
pub(crate) struct SecretPath(pub(crate) SecretName);

impl<T, S> FromRequestParts<S> for IdPath<T>
where
    T: FromStr<Err: Display>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text = segment(parts, state).await?;
        let id = text
            .parse()
            .map_err(|error| fault_in("path", "id", error))?;
        Ok(Self(id))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SecretPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let name = segment(parts, state).await?.replacen("__", "/", 1);
        let name = name
            .parse()
            .map_err(|error| fault_in("path", "name", error))?;
        Ok(Self(name))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ToolPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text = segment(parts, state).await?;
        let mut query = Pairs::of(parts)?;
        let version: Option<String> = query.take("version")?;
        query.finish()?;
        let name = text.replacen("__", "/", 1);
        let text = match version {
            None => name,
            Some(_) if name.contains('@') => {
                return Err(fault_in("query", "version", "the path names a version too").into());
            }
            Some(version) => format!("{name}@{version}"),
        };
        let tool = text
            .parse()
            .map_err(|error| fault_in("path", "tool", error))?;
        Ok(Self(tool))
    }
}

/// The one parameter of the route's path, decoded.
async fn segment<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Failure> {
    let path = Path::<String>::from_request_parts(parts, state).await;
    path.map(|Path(text)| text)
        .map_err(|error| Failure::invalid_at("/path", error.body_text()))
}

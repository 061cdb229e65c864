use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use cofferdam_toolbox::{Listed, Stored};
use cofferdam_types::SecretName;
use cofferdam_wire::secret::{RemovedSecret, RotationView, SecretList, SecretView, SetSecret};

use crate::answer::Answer;
use crate::error::Refusal;
use crate::extract::{Allowed, ManageSecrets, NoBody, SecretPath, StrictJson};
use crate::services::Services;

/// What there is, by name; never a value.
pub(crate) async fn list(
    caller: Allowed<ManageSecrets>,
    State(services): State<Arc<Services>>,
) -> Result<Answer<SecretList>, Refusal> {
    let secrets = services.toolbox.secrets(&caller).await?;
    let view = |listed: Listed| view(listed.name, listed.kind.as_str(), listed.stored.as_ref());
    let items = secrets.into_iter().map(view).collect();
    Ok(Answer::ok(SecretList { items }))
}

/// Gives a secret a value; 201 when it is its first.
pub(crate) async fn set(
    caller: Allowed<ManageSecrets>,
    State(services): State<Arc<Services>>,
    SecretPath(name): SecretPath,
    StrictJson(body): StrictJson<SetSecret>,
) -> Result<Answer<SecretView>, Refusal> {
    let stored = services
        .toolbox
        .set_secret(&caller, &name, &body.value)
        .await?;
    let status = match stored.version {
        1 => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    let view = view(name, "stored", Some(&stored));
    Ok(Answer::with_status(status, view))
}

/// Removes a secret.
pub(crate) async fn remove(
    caller: Allowed<ManageSecrets>,
    State(services): State<Arc<Services>>,
    SecretPath(name): SecretPath,
    _: NoBody,
) -> Result<Answer<RemovedSecret>, Refusal> {
    services.toolbox.remove_secret(&caller, &name).await?;
    Ok(Answer::ok(RemovedSecret { name }))
}

/// Seals everything under a fresh key.
pub(crate) async fn rotate_key(
    caller: Allowed<ManageSecrets>,
    State(services): State<Arc<Services>>,
    _: NoBody,
) -> Result<Answer<RotationView>, Refusal> {
    let rotation = services.toolbox.rotate_secret_key(&caller).await?;
    Ok(Answer::ok(RotationView {
        key_id: rotation.key.to_string(),
        resealed: rotation.resealed,
    }))
}

fn view(name: SecretName, source: &str, stored: Option<&Stored>) -> SecretView {
    SecretView {
        name,
        source: source.to_owned(),
        version: stored.map(|stored| stored.version),
        created_at: stored.map(|stored| stored.created_at),
        rotated_at: stored.map(|stored| stored.rotated_at),
    }
}

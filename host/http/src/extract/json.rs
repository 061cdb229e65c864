use axum::extract::{FromRequest, Request};
use cofferdam_wire::strict;
use serde::de::DeserializeOwned;

use crate::body;
use crate::error::Refusal;

/// A JSON body, read strictly.
pub(crate) struct StrictJson<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        body::check_type(request.headers(), &["application/json"])?;
        let bytes = body::read(request, body::JSON).await?;
        Ok(Self(strict::decode(&bytes)?))
    }
}

/// No body, or an empty object.
pub(crate) struct NoBody;

impl<S: Sync> FromRequest<S> for NoBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        body::read_nothing(request).await.map(|()| Self)
    }
}

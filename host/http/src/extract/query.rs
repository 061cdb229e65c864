use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query as AnyQuery};
use axum::http::request::Parts;
use cofferdam_types::Failure;
use cofferdam_types::page::{PAGE_ITEMS_MAX, PageRequest};
use cofferdam_wire::page::PAGE_ITEMS_DEFAULT;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::error::Refusal;

/// The query as a `T`. Parameters that nobody asked for, and those that stand twice, are refused.
pub(crate) struct Query<T>(pub(crate) T);

/// Takes what it knows from a query.
pub(crate) trait FromQuery: Sized {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure>;
}

/// The parameters that nobody has taken yet.
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(crate) fn of(parts: &Parts) -> Result<Self, Failure> {
        if parts.uri.query().is_none() {
            return Ok(Self(Vec::new()));
        }
        AnyQuery::try_from_uri(&parts.uri)
            .map(|AnyQuery(pairs)| Self(pairs))
            .map_err(|error| Failure::invalid_at("/query", error.body_text()))
    }

    /// The parameter of this name, if it is there.
    pub(crate) fn take<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(at) = self.0.iter().position(|(key, _)| key == name) else {
            return Ok(None);
        };
        let (_, text) = self.0.remove(at);
        text.parse()
            .map(Some)
            .map_err(|error| fault_in("query", name, error))
    }

    /// Every parameter of this name, in order.
    pub(crate) fn take_all(&mut self, name: &str) -> Vec<String> {
        let taken = self.0.extract_if(.., |(key, _)| key == name);
        taken.map(|(_, text)| text).collect()
    }

    /// The parameter of this name as a word of a closed set, spelt as in JSON.
    pub(crate) fn take_word<T: DeserializeOwned>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Failure> {
        let text: Option<String> = self.take(name)?;
        text.map(|text| T::deserialize(text.into_deserializer()))
            .transpose()
            .map_err(|error: serde::de::value::Error| fault_in("query", name, error))
    }

    /// The parameters `after` and `limit`.
    pub(crate) fn page<K: FromStr<Err: Display>>(&mut self) -> Result<PageRequest<K>, Failure> {
        let limit = self.take::<u32>("limit")?.unwrap_or(PAGE_ITEMS_DEFAULT);
        if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
            let rule = format!("expected 1 to {PAGE_ITEMS_MAX}");
            return Err(fault_in("query", "limit", rule));
        }
        Ok(PageRequest {
            after: self.take("after")?,
            limit,
        })
    }

    /// Refuses what is left.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(fault_in(
                "query",
                &name,
                "this parameter is not known here, or stands twice",
            )),
        }
    }
}

impl<K: FromStr<Err: Display>> FromQuery for PageRequest<K> {
    fn from_query(pairs: &mut Pairs) -> Result<Self, Failure> {
        pairs.page()
    }
}

impl<T: FromQuery, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let mut pairs = Pairs::of(parts)?;
        let query = T::from_query(&mut pairs)?;
        pairs.finish()?;
        Ok(Self(query))
    }
}

/// `invalid_input` in a part of the request that is not its body: `/query/limit`, `/path/id`.
pub(crate) fn fault_in(part: &str, name: &str, reason: impl Display) -> Failure {
    let name: String = name.chars().take(64).collect();
    let name = name.replace('~', "~0").replace('/', "~1");
    Failure::invalid_at(format!("/{part}/{name}"), reason.to_string())
}

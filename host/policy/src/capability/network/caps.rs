//! How much of the network an entry gives.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::slice;

/// How much of each request, and of all requests of one call that the same entry covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of one request's body.
    pub request_bytes: u64,
    /// Bytes of one response's body.
    pub response_bytes: u64,
    /// Redirects that the host follows for one request; at 0 the tool sees them.
    pub redirects: u32,
    /// Requests of one call.
    pub requests: u64,
    /// Requests of one call at once.
    pub concurrent: u32,
    /// Requests in a span of time to one host by one tool of one tenant, over all calls; absent
    /// for any number.
    pub rate: Option<Rate>,
    /// Where to connect instead of what a look-up answers. Only the policy's own counts.
    pub at: Option<SocketAddr>,
}

impl Caps {
    /// What an entry gives that says nothing: an API's documents, and a page with its parts.
    pub(super) const DEFAULT: Self = Self {
        request_bytes: 1 << 20,
        response_bytes: 8 << 20,
        redirects: 0,
        requests: 100,
        concurrent: 8,
        rate: None,
        at: None,
    };
    /// Most redirects anyone can grant: more are a loop.
    pub const REDIRECTS_MAX: u32 = 5;
    /// Most requests at once anyone can grant one call: each holds a connection.
    pub const CONCURRENT_MAX: u32 = 64;
}

impl slice::Caps for Caps {
    fn widest(self, other: Self) -> Self {
        Self {
            request_bytes: self.request_bytes.max(other.request_bytes),
            response_bytes: self.response_bytes.max(other.response_bytes),
            redirects: self.redirects.max(other.redirects),
            requests: self.requests.max(other.requests),
            concurrent: self.concurrent.max(other.concurrent),
            rate: self.rate.zip(other.rate).map(|(one, two)| one.max(two)),
            // Any fixed choice will do that the order of entries does not change.
            at: self.at.max(other.at),
        }
    }

    fn narrowest(self, other: Self) -> Self {
        Self {
            request_bytes: self.request_bytes.min(other.request_bytes),
            response_bytes: self.response_bytes.min(other.response_bytes),
            redirects: self.redirects.min(other.redirects),
            requests: self.requests.min(other.requests),
            concurrent: self.concurrent.min(other.concurrent),
            rate: match (self.rate, other.rate) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
            at: self.at,
        }
    }
}

/// So many in a span of time.
///
/// **Shape**: `10/s`, `100/min`, `1000/h`, and what happens to one more: refused at once, or with
/// ` wait` behind (`10/s wait`) kept waiting within the call's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: NonZeroU32,
    per: Per,
    waits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Per {
    Second,
    Minute,
    Hour,
}

impl Per {
    const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    fn as_str(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
        }
    }

    fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
        }
    }
}

impl Rate {
    /// How many.
    pub fn count(&self) -> NonZeroU32 {
        self.count
    }

    /// In how long.
    pub fn per(&self) -> Duration {
        Duration::from_secs(self.per.seconds().into())
    }

    /// True when one more waits instead of being refused.
    pub fn waits(&self) -> bool {
        self.waits
    }

    fn key(self) -> (u64, u32, bool) {
        let in_an_hour = u64::from(self.count.get()) * u64::from(3_600 / self.per.seconds());
        (in_an_hour, self.count.get(), self.waits)
    }
}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "expected a rate such as `10/s`, `100/min` or `1000/h wait`";
        let (rate, waits) = match text.strip_suffix(" wait") {
            Some(rate) => (rate, true),
            None => (text, false),
        };
        let (count, per) = rate.split_once('/').ok_or(RULE)?;
        let per = Per::ALL.into_iter().find(|known| known.as_str() == per);
        let plain = count.bytes().all(|b| b.is_ascii_digit());
        Ok(Self {
            count: count.parse().ok().filter(|_| plain).ok_or(RULE)?,
            per: per.ok_or(RULE)?,
            waits,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wait = if self.waits { " wait" } else { "" };
        write!(f, "{}/{}{wait}", self.count, self.per.as_str())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "So many in a second, minute or hour, as in `10/s`; with ` wait` behind, \
                            one more waits instead of being refused.",
            "type": "string",
            "pattern": "^[1-9][0-9]*/(s|min|h)( wait)?$",
        })
    }
}

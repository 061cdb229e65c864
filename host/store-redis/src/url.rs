use std::fmt;
use std::str::FromStr;

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsMode};
use url::Url;
use zeroize::Zeroizing;

use crate::error::OpenError;

/// The port where nothing else is said: of servers, and of sentinels.
const PORTS: (u16, u16) = (6379, 26379);

/// Where a Redis is.
///
/// **Shape**: `redis://[USER[:PASSWORD]@]HOST[:PORT][/DB]`; `rediss://` for TLS;
/// `redis+sentinel://HOST[:PORT],HOST…/MASTER[/DB]` and `rediss+sentinel://` ask sentinels for the
/// master of that name; `redis+cluster://HOST[:PORT],HOST…` and `rediss+cluster://` name some nodes
/// of a cluster. Shown without the password.
#[derive(Clone)]
pub struct Address {
    kind: Kind,
    tls: bool,
    user: Option<String>,
    password: Option<Zeroizing<String>>,
    /// At least one.
    hosts: Vec<(String, u16)>,
    database: i64,
}

#[derive(Clone, PartialEq)]
enum Kind {
    Single,
    Sentinel(String),
    Cluster,
}

/// What an address leads to.
pub(crate) enum Target {
    Single(Client),
    Sentinel(SentinelClient),
    Cluster(ClusterClientBuilder),
}

impl Address {
    /// True for nodes of a cluster, whose keys must share a slot.
    pub(crate) fn is_cluster(&self) -> bool {
        self.kind == Kind::Cluster
    }

    /// What to connect to. `password` stands in for the address's own.
    pub(crate) fn target(&self, password: Option<&str>) -> Result<Target, OpenError> {
        let wrong = |error: redis::RedisError| OpenError::Address(error.to_string());
        let own = self.password.as_ref().map(|text| text.as_str());
        let password = password.or(own);
        let nodes: Result<Vec<_>, _> = self.hosts.iter().map(|host| self.node(host)).collect();
        let nodes = nodes.map_err(wrong)?;
        match &self.kind {
            Kind::Single => {
                let node = nodes.into_iter().next();
                let node = node.ok_or_else(|| OpenError::Address("no host".to_owned()))?;
                let mut settings = node.redis_settings().clone().set_db(self.database);
                if let Some(user) = &self.user {
                    settings = settings.set_username(user);
                }
                if let Some(password) = password {
                    settings = settings.set_password(password);
                }
                let client = Client::open(node.set_redis_settings(settings)).map_err(wrong)?;
                Ok(Target::Single(client))
            }
            Kind::Sentinel(master) => {
                let addresses = nodes.iter().map(|node| node.addr().clone());
                let addresses: Vec<ConnectionAddr> = addresses.collect();
                let kind = SentinelServerType::Master;
                let mut builder =
                    SentinelClientBuilder::new(addresses, master, kind).map_err(wrong)?;
                builder = builder.set_client_to_redis_db(self.database);
                if self.tls {
                    builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
                }
                if let Some(user) = &self.user {
                    builder = builder.set_client_to_redis_username(user);
                }
                if let Some(password) = password {
                    builder = builder.set_client_to_redis_password(password);
                }
                Ok(Target::Sentinel(builder.build().map_err(wrong)?))
            }
            Kind::Cluster => {
                let mut builder = ClusterClient::builder(nodes);
                if let Some(user) = &self.user {
                    builder = builder.username(user);
                }
                if let Some(password) = password {
                    builder = builder.password(password);
                }
                Ok(Target::Cluster(builder))
            }
        }
    }

    fn node(&self, (host, port): &(String, u16)) -> redis::RedisResult<ConnectionInfo> {
        let scheme = if self.tls { "rediss" } else { "redis" };
        format!("{scheme}://{host}:{port}").into_connection_info()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = if self.tls { "s" } else { "" };
        let kind = match self.kind {
            Kind::Single => "",
            Kind::Sentinel(_) => "+sentinel",
            Kind::Cluster => "+cluster",
        };
        write!(f, "redis{tls}{kind}://")?;
        for (index, (host, port)) in self.hosts.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{host}:{port}")?;
        }
        if let Kind::Sentinel(master) = &self.kind {
            write!(f, "/{master}")?;
        }
        if self.database == 0 {
            Ok(())
        } else {
            write!(f, "/{}", self.database)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = OpenError;

    /// **Errors**: [`OpenError::Address`], which never repeats the password.
    fn from_str(text: &str) -> Result<Self, OpenError> {
        let wrong = |what: &str| OpenError::Address(format!("the address of Redis: {what}"));
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| wrong("no `redis://`"))?;
        let (tls, kind) = match scheme {
            "redis" => (false, ""),
            "rediss" => (true, ""),
            "redis+sentinel" => (false, "sentinel"),
            "rediss+sentinel" => (true, "sentinel"),
            "redis+cluster" => (false, "cluster"),
            "rediss+cluster" => (true, "cluster"),
            _ => {
                return Err(wrong(
                    "expected redis://, rediss://, or one of them with +sentinel or +cluster before the colon",
                ));
            }
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("it takes no parameters"));
        }
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = place.rsplit_once('@').unwrap_or(("", place));
        let port = if kind == "sentinel" { PORTS.1 } else { PORTS.0 };
        let hosts: Option<Vec<_>> = hosts.split(',').map(|host| endpoint(host, port)).collect();
        let hosts = hosts.ok_or_else(|| wrong("expected HOST[:PORT]"))?;
        let mut path = path.split('/').filter(|part| !part.is_empty());
        let kind = match kind {
            "sentinel" => {
                let master = path
                    .next()
                    .ok_or_else(|| wrong("expected the master's name after the sentinels"))?;
                Kind::Sentinel(master.to_owned())
            }
            "cluster" => Kind::Cluster,
            _ => Kind::Single,
        };
        if kind == Kind::Single && hosts.len() > 1 {
            return Err(wrong(
                "several hosts are sentinels or nodes of a cluster; say which by +sentinel or +cluster",
            ));
        }
        let database = match path.next() {
            None => 0,
            Some(_) if kind == Kind::Cluster => return Err(wrong("a cluster has one database")),
            Some(number) => number
                .parse()
                .map_err(|_| wrong("the database is a number"))?,
        };
        if path.next().is_some() {
            return Err(wrong("there is too much after the hosts"));
        }
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let written_out = |text: &str| {
            let decoded = decoded(text).ok_or_else(|| wrong("the login is badly escaped"))?;
            Ok(Some(decoded).filter(|text| !text.is_empty()))
        };
        Ok(Self {
            kind,
            tls,
            user: written_out(user)?,
            password: written_out(password)?.map(Zeroizing::new),
            hosts,
            database,
        })
    }
}

/// A host and its port, checked by the URL parser.
fn endpoint(text: &str, port: u16) -> Option<(String, u16)> {
    let url = Url::parse(&format!("redis://{text}")).ok()?;
    let plain = url.username().is_empty() && url.path().is_empty();
    let host = url.host_str().filter(|host| plain && !host.is_empty())?;
    Some((host.to_owned(), url.port().unwrap_or(port)))
}

/// The text with its `%XX` written out.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_as_they_are_meant_and_without_the_password() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost:6379"),
            (
                "rediss://me:s%40crt@db.example:7000/3",
                "rediss://db.example:7000/3",
            ),
            ("redis://[::1]:7/0", "redis://[::1]:7"),
            (
                "redis+sentinel://:pw@a,b:7/main/2",
                "redis+sentinel://a:26379,b:7/main/2",
            ),
            ("rediss+cluster://a,b", "rediss+cluster://a:6379,b:6379"),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), shown);
        }
        let address: Address = "redis://me:s%40crt@db".parse().expect("an address");
        assert_eq!(address.user.as_deref(), Some("me"));
        assert_eq!(address.password.as_ref().map(|p| p.as_str()), Some("s@crt"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for bad in [
            "localhost:6379",
            "http://secret@localhost",
            "redis://",
            "redis://a:secret@/0",
            "redis://a,b",
            "redis://a/secret",
            "redis://a/0/secret",
            "redis://a?password=secret",
            "redis+sentinel://a",
            "redis+cluster://a/1",
            "redis://%zz:secret@a",
        ] {
            let error = bad.parse::<Address>().expect_err(bad).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

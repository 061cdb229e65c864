use cofferdam_store_api::StoreError;
use redis::cmd;

use crate::error::OpenError;
use crate::link::Link;
use crate::store::Settings;

/// Looks whether the server keeps what it is given.
///
/// **Errors**: [`OpenError::Unfit`] for a server that throws keys away when its memory is full, and
/// for a cluster whose slots would part the keys of one script. What only endangers what was lately
/// written, no persistence, is a warning.
pub(crate) async fn check(link: &Link, settings: &Settings) -> Result<(), OpenError> {
    let info = facts(link).await?;
    let fact = |name: &str| {
        let found = info
            .lines()
            .find_map(|told| told.strip_prefix(name)?.strip_prefix(':'));
        found.map(str::trim).unwrap_or_default()
    };
    let clustered = settings.address.is_cluster() || fact("cluster_enabled") == "1";
    if clustered && !settings.prefix.is_tagged() {
        let prefix = &settings.prefix;
        return Err(OpenError::Unfit(format!(
            "this is a Redis Cluster: its keys must share a slot, so the prefix needs a part in \
             braces, as in `{{{prefix}}}`"
        )));
    }
    let eviction = fact("maxmemory_policy");
    if !matches!(eviction, "noeviction" | "") && !settings.allow_eviction {
        return Err(OpenError::Unfit(format!(
            "the server's maxmemory-policy is `{eviction}`: with its memory full it would throw \
             records away. Set `maxmemory-policy noeviction`"
        )));
    }
    if fact("aof_enabled") == "0" {
        tracing::warn!(
            server = %settings.address,
            "Redis keeps no append-only file: what was written since its last snapshot is lost when \
             it dies; set `appendonly yes`"
        );
    }
    Ok(())
}

/// What the server says of itself: of one node, where there are several.
async fn facts(link: &Link) -> Result<String, OpenError> {
    let mut info = String::new();
    for section in ["cluster", "memory", "persistence"] {
        let answer = match link {
            Link::Cluster(_) => of_a_node(link, section).await,
            Link::Single(_) | Link::Sentinel(_) => {
                link.command::<String>(cmd("INFO").arg(section)).await
            }
        };
        let text = answer.map_err(|error| match error {
            StoreError::Unavailable(reason) => OpenError::Unreachable(reason),
            other => OpenError::Unreachable(other.to_string()),
        })?;
        info.push_str(&text);
    }
    Ok(info)
}

/// A cluster's client asks all of its nodes; they are set up alike, or the operator has more to mend
/// than this could tell.
async fn of_a_node(link: &Link, section: &str) -> Result<String, StoreError> {
    let nodes: std::collections::HashMap<String, String> =
        link.command(cmd("INFO").arg(section)).await?;
    Ok(nodes.into_values().next().unwrap_or_default())
}

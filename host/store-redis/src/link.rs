use std::time::Duration;

use cofferdam_store_api::StoreError;
use redis::aio::{
    ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection,
};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::SentinelClient;
use redis::{
    AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisFuture, RedisResult, Value,
};
use std::sync::Arc;
use tokio::sync::Mutex;

use crate::error::{OpenError, outward};
use crate::script::Lua;
use crate::store::Settings;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take. The library's own half of a second is less than a server needs that
/// writes its whole memory to the disk.
const ANSWER: Duration = Duration::from_secs(5);
/// Between two attempts to connect again: from the first to the longest, each twice the one before.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Attempts that one request waits for; the next request begins anew, so that nobody waits long for
/// a server that is gone.
const ATTEMPTS: usize = 2;

/// The connection that all requests share; made again by itself when it breaks.
#[derive(Clone)]
pub(crate) enum Link {
    /// To one server.
    Single(ConnectionManager),
    /// To the nodes of a cluster.
    Cluster(ClusterConnection),
    /// To the server that the sentinels say is the master.
    Sentinel(Master),
}

impl Link {
    /// **Errors**: [`OpenError::Unreachable`], [`OpenError::Address`].
    pub(crate) async fn open(settings: &Settings) -> Result<Self, OpenError> {
        let unreachable = |error: redis::RedisError| OpenError::Unreachable(error.to_string());
        let password = settings.password.as_ref().map(|text| text.as_str());
        let link = match settings.address.target(password)? {
            crate::url::Target::Single(client) => {
                let config = ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(CONNECT))
                    .set_response_timeout(Some(ANSWER))
                    .set_min_delay(PAUSES.0)
                    .set_max_delay(PAUSES.1)
                    .set_number_of_retries(ATTEMPTS);
                let manager = ConnectionManager::new_with_config(client, config).await;
                Self::Single(manager.map_err(unreachable)?)
            }
            crate::url::Target::Cluster(builder) => {
                let client = builder.connection_timeout(CONNECT).response_timeout(ANSWER);
                let client = client.build().map_err(unreachable)?;
                let connection = client.get_async_connection().await;
                Self::Cluster(connection.map_err(unreachable)?)
            }
            crate::url::Target::Sentinel(client) => {
                let mut master = Master(Arc::new(Mutex::new(Found {
                    client,
                    connection: None,
                })));
                master.connection().await.map_err(unreachable)?;
                Self::Sentinel(master)
            }
        };
        Ok(link)
    }

    /// One command that does the same when it is sent twice: it is, when the connection turns out to
    /// have broken since the last one.
    pub(crate) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut link = self.clone();
        let answer = match command.query_async(&mut link).await {
            Err(error) if error.is_connection_dropped() => command.query_async(&mut link).await,
            answer => answer,
        };
        answer.map_err(|error| outward(&error))
    }

    /// Several commands in one go, not as one unit, sent again as [`command`](Self::command) is;
    /// none is no trip to the server.
    pub(crate) async fn pipeline<T: FromRedisValue>(
        &self,
        pipeline: &Pipeline,
    ) -> Result<T, StoreError> {
        if pipeline.is_empty() {
            let nothing = T::from_redis_value(Value::Array(Vec::new()));
            return nothing.map_err(|error| outward(&error.into()));
        }
        let mut link = self.clone();
        let answer = match pipeline.query_async(&mut link).await {
            Err(error) if error.is_connection_dropped() => pipeline.query_async(&mut link).await,
            answer => answer,
        };
        answer.map_err(|error| outward(&error))
    }

    /// A script, as one unit, sent once: whether one happened whose answer was lost is for the
    /// caller to find out.
    pub(crate) async fn script<T: FromRedisValue>(
        &self,
        script: &Lua,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Result<T, StoreError> {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(key);
        }
        for argument in arguments {
            invocation.arg(*argument);
        }
        let answer = invocation.invoke_async(&mut self.clone()).await;
        answer.map_err(|error| outward(&error))
    }
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
            Self::Sentinel(master) => master.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Sentinel(master) => master.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
            Self::Sentinel(master) => master.get_db(),
        }
    }
}

/// The master that the sentinels name, asked again after every failure that a change of masters
/// would explain.
#[derive(Clone)]
pub(crate) struct Master(Arc<Mutex<Found>>);

struct Found {
    client: SentinelClient,
    connection: Option<MultiplexedConnection>,
}

impl Master {
    async fn connection(&mut self) -> RedisResult<MultiplexedConnection> {
        let mut found = self.0.lock().await;
        if let Some(connection) = &found.connection {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let connection = found
            .client
            .get_async_connection_with_config(&config)
            .await?;
        found.connection = Some(connection.clone());
        Ok(connection)
    }

    /// The result as it is; the connection is given up when it shows that this is no master any more.
    async fn seen<T>(&mut self, result: RedisResult<T>) -> RedisResult<T> {
        use redis::{ErrorKind, ServerErrorKind as Said};
        if let Err(error) = &result {
            let demoted = matches!(
                error.kind(),
                ErrorKind::Server(Said::ReadOnly | Said::MasterDown | Said::BusyLoading)
            );
            if demoted || error.is_unrecoverable_error() || error.is_io_error() {
                self.0.lock().await.connection = None;
            }
        }
        result
    }
}

impl ConnectionLike for Master {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let result = connection.req_packed_command(command).await;
            self.seen(result).await
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let result = connection
                .req_packed_commands(pipeline, offset, count)
                .await;
            self.seen(result).await
        })
    }

    /// The address says which database; the connection selected it when it was made.
    fn get_db(&self) -> i64 {
        0
    }
}

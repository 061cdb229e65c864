use std::future::pending;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use cofferdam_mcp::Stdio;
use cofferdam_types::WorkspaceName;
use cofferdam_types::workspace::{Access, Offer, Place};
use futures::Stream;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::claim::Claim;
use crate::config::{Rules, Runs, Store};
use crate::data_dir::admin_key;
use crate::doors::{Doors, Listen};
use crate::error::Error;
use crate::host::{Host, STEP_GRACE};
use crate::mcp;

/// Guests at once: a command makes one call, a plan some.
const LIVE_CALLS: u32 = 64;

/// How long others may go on once the client whose process this is has gone: it waits for the
/// process to end.
const LEAVE_TIME: Duration = Duration::from_millis(500);

/// How to speak to the host of a data directory.
pub enum Reached {
    /// It listens here.
    Listens(String),
    /// There was none, so this process is it.
    Inside(Box<Inside>),
}

/// A host inside this process: it answers the requests of this process, and of nobody else unless it
/// speaks MCP, which opens a door for other commands meanwhile. It keeps its data directory until it is closed.
pub struct Inside(Host);

/// Finds the host of a data directory, or becomes it on `store` for `command`, a word for whoever
/// finds the directory taken meanwhile.
///
/// **Errors**: those of starting a host; [`Error::Busy`] when another command has the directory.
pub async fn reach(
    data_dir: &Path,
    command: &str,
    store: Store,
    runs: Runs,
    rules: Rules,
) -> Result<Reached, Error> {
    match Claim::stake(data_dir, command).await? {
        Claim::Theirs(address) => Ok(Reached::Listens(format!("http://{address}"))),
        Claim::Ours(dir) => {
            let host = Host::start(dir, store, Some(LIVE_CALLS), runs, rules).await?;
            Ok(Reached::Inside(Box::new(Inside(host))))
        }
    }
}

impl Inside {
    /// The key of its admin.
    pub fn admin_key(&self) -> Option<String> {
        admin_key(self.0.dir().path())
    }

    /// Answers a request as over a connection.
    ///
    /// **Cancel**: dropping the future, or the body of its answer, stops the call that it waits for.
    pub async fn answer(
        &self,
        request: Request<Vec<u8>>,
    ) -> Response<
        impl Stream<Item = Result<Bytes, impl std::error::Error + Send + Sync + use<>>> + Send + use<>,
    > {
        cofferdam_http::answer(self.0.router(), request.map(Bytes::from)).await
    }

    /// Speaks MCP on these streams for the caller of this key, until `reader` ends. Meanwhile
    /// other processes of this machine may come in by a port, and find it by the directory.
    ///
    /// **Errors**: [`Error::Access`] for a key that nobody has; [`Error::Listen`];
    /// [`Error::Serve`] when `writer` fails. **Cancel**: stops every call.
    pub async fn speak_mcp(
        &self,
        key: &str,
        workspace: Option<(WorkspaceName, Access)>,
        reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) -> Result<(), Error> {
        let Self(host) = self;
        let client = Stdio {
            caller: host.access().authenticate(key).await?,
            workspace: workspace.map(|(name, access)| Offer {
                place: Place::Named(name),
                access,
            }),
        };
        let doors = Doors::open(host, Listen::nearby()).await?;
        let stop = doors.stop.clone();
        let door = mcp::door(host.toolbox());
        let speaking = cofferdam_mcp::stdio(door, client, reader, writer, pending());
        let serving = doors.serve();
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = speaking => ended,
            // It ends by `stop` alone.
            () = &mut serving => Ok(()),
        };
        host.hide();
        stop.cancel();
        // Whoever came in by the port knows how to ask again.
        let drained = async { tokio::join!(serving, host.drain(LEAVE_TIME)) };
        tokio::time::timeout(LEAVE_TIME, drained).await.ok();
        ended.map_err(Error::Serve)
    }

    /// Stops in good order and gives the directory back.
    pub async fn close(self) {
        self.0.drain(STEP_GRACE).await;
        self.0.close().await;
    }
}

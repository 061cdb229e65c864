//! Raw connections: the checks for those that the guest's own sockets open, and connections whose
//! TLS the host speaks.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};

use cofferdam_policy::Caps as _;
use cofferdam_policy::capability::network::address::canonical;
use cofferdam_policy::capability::network::{Host, Name};
use cofferdam_policy::capability::sockets::{Ask, Caps, Connect, Protocol, Tls};
use cofferdam_types::call::Denial;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::error::{Error, Limit, Upstream};
use crate::session::{Counts, Session};
use crate::watch::{Of, Watch};
use crate::{dial, starttls, tls};

/// Whom a connection goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The host; what its certificate has to name.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

impl Session {
    /// Looks a name up for the guest's own sockets. What it answers may be connected to as far as
    /// the grant goes; nothing else may by this name.
    ///
    /// **Errors**: a denial, before anything is asked of anybody; what a look-up fails with.
    pub async fn look_up(&self, name: &Name) -> Result<Vec<IpAddr>, Error> {
        let ask = Ask::Lookup(name.clone());
        let decided = self.warrant.sockets(&ask);
        let _caps = decided.map_err(|denial| self.noted(denial.into()))?;
        self.warrant.opens(&ask);
        let answers = self.resolved(name).await;
        let answers = answers.map_err(|error| self.noted(error))?;
        let answers: Vec<IpAddr> = answers.into_iter().map(canonical).collect();
        self.remember(name, &answers);
        Ok(answers)
    }

    /// Decides about a connection or a datagram of the guest's own sockets, and counts it.
    ///
    /// **Errors**: a denial, or that there are too many connections.
    pub fn may_open(&self, protocol: Protocol, to: SocketAddr) -> Result<Caps, Error> {
        let ask = self.connecting(protocol, to, Tls::None);
        let opened = self.decided(&ask).and_then(|caps| {
            let mut sent_to = self.sent_to.lock().unwrap_or_else(PoisonError::into_inner);
            // Further datagrams to one place are one use.
            if protocol == Protocol::Tcp || !sent_to.contains(&to) {
                let most = caps.connections.into();
                Counts::take(&self.counts.connections, Limit::Connections, most)?;
                if protocol == Protocol::Udp {
                    sent_to.insert(to);
                }
            }
            Ok(caps)
        });
        if opened.is_ok() {
            self.warrant.opens(&ask);
            let mut used = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if !used.contains(&ask) {
                used.push(ask);
            }
        }
        opened.map_err(|error| self.noted(error))
    }

    /// Waits until one of the sockets that the guest opened itself is no longer allowed, which is
    /// then noted. Nobody asks again before its bytes go through, so whoever waits ends the call.
    ///
    /// **Cancel**: safe.
    pub async fn taken_back(&self) -> Denial {
        let refused = |ask: &Ask| self.warrant.sockets(ask).err();
        loop {
            tokio::time::sleep(Watch::EVERY).await;
            let denial = {
                let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
                opened.iter().find_map(refused)
            };
            if let Some(denial) = denial {
                self.warrant.refuses(&denial);
                return denial;
            }
        }
    }

    /// True for a place that this call sent a datagram to, whose answers it may see.
    pub fn was_sent_to(&self, from: SocketAddr) -> bool {
        let sent_to = self.sent_to.lock().unwrap_or_else(PoisonError::into_inner);
        sent_to.contains(&from)
    }

    /// Connects to a server and speaks TLS with it for the guest, from the first byte or after the
    /// upgrade that `how` names. The certificate has to be the host's.
    ///
    /// **Errors**: [`Error`]; [`Tls::None`] is never connected.
    /// **Cancel**: dropping the future or the stream closes the connection.
    pub async fn connect(&self, peer: &Peer, how: Tls) -> Result<Stream, Error> {
        tokio::time::timeout_at(self.deadline, self.connected(peer, how))
            .await
            .unwrap_or(Err(Error::Timeout))
            .map_err(|error| self.noted(error))
    }

    async fn connected(&self, peer: &Peer, how: Tls) -> Result<Stream, Error> {
        let answers = match &peer.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let caps = self.decided(&Ask::Lookup(name.clone()));
                let _caps = caps?;
                let answers = self.resolved(name).await?;
                let answers: Vec<IpAddr> = answers.into_iter().map(canonical).collect();
                self.remember(name, &answers);
                answers
            }
        };
        let mut allowed: Option<(Vec<SocketAddr>, Caps, Ask)> = None;
        let mut denied: Option<Error> = None;
        for address in answers {
            let place = SocketAddr::new(address, peer.port);
            let ask = self.connecting(Protocol::Tcp, SocketAddr::new(address, peer.port), how);
            match (self.decided(&ask), &mut allowed) {
                (Err(error), _) => denied = denied.or(Some(error)),
                (Ok(caps), None) => allowed = Some((vec![place], caps, ask)),
                (Ok(caps), Some((places, all, _))) => {
                    places.push(place);
                    *all = all.narrowest(caps);
                }
            }
        }
        let Some((places, caps, ask)) = allowed else {
            return Err(denied.unwrap_or(Error::upstream(Upstream::Dns, "no address")));
        };
        let most = caps.connections.into();
        Counts::take(&self.counts.connections, Limit::Connections, most)?;
        self.warrant.opens(&ask);
        let until = self.until(None, self.client.options().connect_timeout);
        let mut stream = dial::connect(&places, until).await?;
        let upgrade = async {
            match how {
                Tls::None => return Err(Error::upstream(Upstream::Tls, "no TLS was asked for")),
                Tls::Required => {}
                Tls::StarttlsSmtp => starttls::smtp(&mut stream).await?,
                Tls::StarttlsImap => starttls::imap(&mut stream).await?,
            }
            tls::connect(self.client.raw(), &peer.host, stream).await
        };
        let inner = tokio::time::timeout_at(until, upgrade)
            .await
            .map_err(|_| Error::Timeout)??;
        Ok(Stream {
            inner,
            watch: Watch::new(self.warrant.clone(), Of::Connection(ask)),
            caps,
            counts: self.counts.clone(),
        })
    }

    fn decided(&self, ask: &Ask) -> Result<Caps, Error> {
        self.warrant
            .sockets(ask)
            .map_err(|denial: Denial| denial.into())
    }

    fn connecting(&self, protocol: Protocol, to: SocketAddr, tls: Tls) -> Ask {
        Ask::Connect(Connect {
            protocol,
            address: to.ip(),
            port: to.port(),
            names: self.names_of(canonical(to.ip())),
            tls,
        })
    }
}

/// A connection whose TLS the host speaks. Reads and writes fail once the call's bytes are used up.
#[derive(Debug)]
pub struct Stream {
    inner: TlsStream<TcpStream>,
    watch: Watch,
    caps: Caps,
    counts: Arc<Counts>,
}

impl Stream {
    fn still_allowed(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.watch.poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(denial) => {
                self.watch.note(&denial);
                Err(io::Error::other(Error::from(denial)))
            }
        }
    }
}

/// How many bytes are left; an error when none is.
fn room(count: &AtomicU64, most: u64, limit: Limit) -> io::Result<usize> {
    let left = most.saturating_sub(count.load(Ordering::Acquire));
    if left == 0 {
        return Err(io::Error::other(Error::limit(limit, most)));
    }
    Ok(usize::try_from(left).unwrap_or(usize::MAX))
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.still_allowed(cx)?;
        let most = self.caps.received_bytes;
        let room = room(&self.counts.received, most, Limit::ResponseBytes)?;
        let wanted = room.min(buf.remaining());
        let mut some = ReadBuf::new(buf.initialize_unfilled_to(wanted));
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut some))?;
        let filled = some.filled().len();
        buf.advance(filled);
        self.counts
            .received
            .fetch_add(filled as u64, Ordering::AcqRel);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.still_allowed(cx)?;
        let most = self.caps.sent_bytes;
        let room = room(&self.counts.sent, most, Limit::RequestBytes)?;
        let some = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, some))?;
        self.counts.sent.fetch_add(written as u64, Ordering::AcqRel);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

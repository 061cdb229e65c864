use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};

use cofferdam_sdk::{ToolError, data, tool};

/// What to do with a place.
#[data]
#[derive(Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// Connect and say a line.
    Tcp,
    /// Send a line as a datagram.
    Udp,
    /// Wait for others to connect.
    Listen,
}

/// One attempt.
#[data]
pub(crate) struct Place {
    /// What to do.
    how: How,
    /// `host:port`.
    place: String,
}

/// Uses raw sockets, and says for each place what came back or what went wrong.
#[tool(capabilities(network))]
pub(crate) fn open(
    /// Where to.
    places: Vec<Place>,
) -> Result<Vec<String>, ToolError> {
    let attempt = |place: &Place| match place.how {
        How::Tcp => tcp(&place.place),
        How::Udp => udp(&place.place),
        How::Listen => TcpListener::bind(&place.place).map(|_| "listening".to_owned()),
    };
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied => "denied".to_owned(),
        kind => format!("{kind:?}: {error}"),
    };
    Ok(places
        .iter()
        .map(|place| attempt(place).unwrap_or_else(told))
        .collect())
}

fn tcp(place: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(place)?;
    stream.write_all(b"hello\n")?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn udp(place: &str) -> std::io::Result<String> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.send_to(b"hello\n", place)?;
    let mut answer = [0; 64];
    let (length, _) = socket.recv_from(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

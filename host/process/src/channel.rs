//! Messages over a local socket: one with descriptors on the way down, lines on the way up.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most descriptors of one message: a program, its directory, three streams, and mounts. Linux
/// takes 253.
pub(crate) const FDS_MAX: usize = 64;
/// Longest message in bytes: arguments and environment at their longest, escaped.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Sends the head of a message: how long the rest is, and the descriptors. Doesn't block on a
/// socket that doesn't.
pub(crate) fn send_head(
    socket: impl AsFd,
    length: usize,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    let head = u64::try_from(length)
        .map_err(io::Error::other)?
        .to_le_bytes();
    let iov = [io::IoSlice::new(&head)];
    let sent = sendmsg(socket, &iov, &mut control, SendFlags::NOSIGNAL)?;
    // The first bytes of a fresh socket fit its buffer or none do.
    if sent == head.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

/// Sends one message with descriptors, on a socket that blocks.
pub(crate) fn send(
    mut socket: &UnixStream,
    message: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    send_head(socket, text.len(), fds)?;
    socket.write_all(&text)
}

/// Receives one message with its descriptors, which no program inherits. `None` when the other
/// side went away before it said anything.
pub(crate) fn receive<T: DeserializeOwned>(
    mut socket: &UnixStream,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut head = [0; 8];
    let received = recvmsg(
        socket,
        &mut [io::IoSliceMut::new(&mut head)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(all) = message {
            fds.extend(all);
        }
    }
    socket.read_exact(&mut head[received.bytes..])?;
    let length = usize::try_from(u64::from_le_bytes(head)).map_err(io::Error::other)?;
    if length > MESSAGE_BYTES_MAX {
        return Err(io::Error::other("the message is too long"));
    }
    let mut text = vec![0; length];
    socket.read_exact(&mut text)?;
    Ok(Some((serde_json::from_slice(&text)?, fds)))
}

/// Sends one line.
pub(crate) fn say(mut socket: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    socket.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_arrive_beside_their_message() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let text = "long enough to come in parts ".repeat(1 << 10);
        let sender = std::thread::spawn(move || {
            send(&ours, &text, &[writer.as_fd()]).expect("sent");
            text
        });
        let (received, fds): (String, _) = receive(&theirs).expect("received").expect("something");
        assert_eq!(received, sender.join().expect("sent"));
        let mut file = std::fs::File::from(fds.into_iter().next().expect("one"));
        file.write_all(b"through").expect("written");
        drop(file);
        let mut through = String::new();
        reader.read_to_string(&mut through).expect("read");
        assert_eq!(through, "through");
        assert!(receive::<String>(&theirs).expect("an end").is_none());
    }
}

//! Damaged and hand-crafted files: each is a valid tool or refused with one word, and the host
//! stays as it was.

mod crafted;
mod mutated;
mod plain;

use anyhow::{Result, ensure};
use cofferdam_testing::{Answer, Host};

/// How a file was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Accepted,
    Refused,
}

/// Uploads a file and checks that the answer is one of those that a file can have.
async fn offer(host: &Host, file: Vec<u8>) -> Result<(Taken, Answer)> {
    let answer = host.upload(file).await?;
    let taken = match (answer.status, answer.code()) {
        (_, Some("component_invalid" | "limit_exceeded")) => Taken::Refused,
        // With other bytes of a name and version that is there: valid, but somebody else's.
        (200 | 201, None) | (_, Some("conflict")) => Taken::Accepted,
        _ => anyhow::bail!("{}: {}", answer.status, answer.body),
    };
    ensure!(!answer.body.is_null(), "an answer without a body");
    Ok((taken, answer))
}

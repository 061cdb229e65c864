//! One request and its answer, redirects included.

use std::net::SocketAddr;
use std::sync::Arc;

use cofferdam_policy::Caps as _;
use cofferdam_policy::capability::network::{self, Caps, Scheme};
use cofferdam_types::call::DenialCode;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::body::{Body, Receiving, RequestBody, Sending, Verdict, from_hyper};
use crate::error::{Error, Limit, Upstream};
use crate::hop::{self, HEAD_BYTES_MAX, HEADERS_MAX, Hop, Outgoing, Request};
use crate::rate::Turn;
use crate::session::{Counts, Place, Session, Timeouts};
use crate::watch::{Of, Watch};
use crate::{dial, tls};

/// What came back, with the connection it came on.
struct Answer {
    response: Response<Incoming>,
    connection: AbortOnDropHandle<()>,
}

/// What lasts as long as the response's body.
struct Kept {
    place: Place,
    watch: Watch,
}

impl Session {
    /// Sends a request and answers with the response's head; its body streams.
    ///
    /// **Errors**: [`Error`]; a denial is noted with the warrant before it is answered.
    /// **Limits**: 128 headers and 64 KiB of them in either direction; the caps of the entry that
    /// allows it; all of it within the call's deadline, whatever `timeouts` say.
    /// **Cancel**: dropping the future or the body closes the connection; what was sent is sent.
    pub async fn send(
        &self,
        request: Request,
        timeouts: Timeouts,
    ) -> Result<Response<Body>, Error> {
        tokio::time::timeout_at(self.deadline, self.follow(request, timeouts))
            .await
            .unwrap_or(Err(Error::Timeout))
            .map_err(|error| self.noted(error))
    }

    async fn follow(&self, request: Request, timeouts: Timeouts) -> Result<Response<Body>, Error> {
        let mut hop = Hop::first(request)?;
        let mut first: Option<(Caps, Place)> = None;
        loop {
            let at = hop.redirects;
            let mut ask = hop.ask();
            let decided = self.warrant.network(&ask);
            let caps = decided.map_err(|denial| hop::on_the_way(denial, at))?;
            // What the first request may have is all that its redirects have.
            let (outer, place) = match first.take() {
                Some(first) => first,
                None => (caps.clone(), self.counts.place(caps.concurrent)?),
            };
            let located = self.locate(&mut ask, caps).await;
            let located = located.map_err(|error| match error {
                Error::Denied(denial) => hop::on_the_way(*denial, at).into(),
                other => other,
            })?;
            let caps = outer.narrowest(located.caps);
            Counts::take(&self.counts.requests, Limit::Requests, caps.requests)?;
            self.turn(&ask, &caps).await?;
            self.warrant.sends(&ask);
            let mut watch = Watch::new(self.warrant.clone(), Of::Request(ask));
            let answer = tokio::select! {
                answer = self.exchange(&mut hop, &located.places, &caps, timeouts) => answer?,
                denial = watch.refused() => return Err(denial.into()),
            };
            let next = match caps.redirects {
                0 => None,
                _ => hop.next(&answer.response)?,
            };
            match next {
                Some(next) if next.redirects > caps.redirects => {
                    return Err(hop::too_often(&next, caps.redirects).into());
                }
                Some(next) => {
                    hop = next;
                    first = Some((caps, place));
                }
                None => {
                    let kept = Kept { place, watch };
                    return Ok(self.received(answer, &caps, timeouts, kept));
                }
            }
        }
    }

    /// Waits for the request's turn where its entry has a rate.
    async fn turn(&self, ask: &network::Ask, caps: &Caps) -> Result<(), Error> {
        let Some(rate) = caps.rate else { return Ok(()) };
        let now = Instant::now();
        let patience = self.deadline.saturating_duration_since(now);
        let host = &ask.target.origin.host;
        let rates = self.client.rates();
        match rates.take(&self.owner, host, rate, now, patience) {
            Turn::Now => Ok(()),
            Turn::In(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Turn::Never => {
                let mut denial = hop::refusal(DenialCode::Quota, &ask.method);
                denial.resource = ask.target.origin.to_string();
                denial.rule = format!("rate {rate}");
                denial.reason = format!("the rate of {rate} to this host is used up");
                denial.smallest_grant = String::from("a higher `rate` of the entry that allows it");
                Err(denial.into())
            }
        }
    }

    async fn exchange(
        &self,
        hop: &mut Hop,
        places: &[SocketAddr],
        caps: &Caps,
        timeouts: Timeouts,
    ) -> Result<Answer, Error> {
        let mut headers = hop.headers.clone();
        let mut query = hop.target.query().map(str::to_owned);
        if let Some(credentials) = &self.credentials {
            let mut to = Outgoing {
                target: &hop.target,
                headers: &mut headers,
                query: &mut query,
            };
            credentials.add(&mut to).await?;
        }
        let request = hop::written(hop, headers, query.as_deref())?;
        let verdict = Arc::new(Verdict::default());
        let body = match hop.body.take() {
            None if hop.announced.is_some_and(|length| length > 0) => {
                return Err(Error::RequestBody);
            }
            None => RequestBody::new(hop::empty().map_err(|never| match never {})),
            Some(inner) => RequestBody::new(Sending {
                inner,
                left: caps.request_bytes,
                announced: hop.announced,
                counts: self.counts.clone(),
                verdict: verdict.clone(),
            }),
        };
        let request = request
            .body(body)
            .map_err(|_| Error::from(hop::refusal(DenialCode::Malformed, "request")))?;
        let options = self.client.options();
        let until = self.until(timeouts.connect, options.connect_timeout);
        let stream = dial::connect(places, until).await?;
        let until_head =
            |session: &Self| session.until(timeouts.first_byte, options.first_byte_timeout);
        let answer = match hop.target.origin.scheme {
            Scheme::Http => talk(stream, request, until_head(self)).await,
            Scheme::Https => {
                let handshake = tls::connect(self.client.http(), &hop.target.origin.host, stream);
                let stream = tokio::time::timeout_at(until, handshake)
                    .await
                    .map_err(|_| Error::Timeout)??;
                talk(stream, request, until_head(self)).await
            }
        };
        let answer = answer.map_err(|error| verdict.of(caps.request_bytes).unwrap_or(error))?;
        proper(&answer.response)?;
        Ok(answer)
    }

    fn received(
        &self,
        answer: Answer,
        caps: &Caps,
        timeouts: Timeouts,
        kept: Kept,
    ) -> Response<Body> {
        let most = self.client.options().idle_timeout;
        let receiving = Receiving {
            most: caps.response_bytes,
            counts: self.counts.clone(),
            idle: timeouts.between_bytes.unwrap_or(most).min(most),
            deadline: self.deadline,
            connection: answer.connection,
            place: kept.place,
            watch: kept.watch,
        };
        answer.response.map(|body| Body::new(body, receiving))
    }
}

/// Writes the request and reads the response's head, on a connection of its own.
async fn talk<S>(
    stream: S,
    request: http::Request<RequestBody>,
    until: Instant,
) -> Result<Answer, Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| from_hyper(&error))?;
    // What ends the connection is told to whoever waits for the answer or reads the body.
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        drop(connection.await);
    }));
    let response = tokio::time::timeout_at(until, sender.send_request(request))
        .await
        .map_err(|_| Error::Timeout)?
        .map_err(|error| from_hyper(&error))?;
    Ok(Answer {
        response,
        connection,
    })
}

/// Refuses an answer that two readers could end at different places, or that is no answer.
fn proper(response: &Response<Incoming>) -> Result<(), Error> {
    let fault = |detail: &str| Err(Error::upstream(Upstream::Protocol, detail));
    let headers = response.headers();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return fault("the server changes the protocol, which nobody asked for");
    }
    match (lengths.next(), codings.next()) {
        (Some(_), Some(_)) => return fault("the answer has both a length and a coding"),
        (Some(length), None) if hop::plain_number(length).is_none() => {
            return fault("the length of the answer is no plain number");
        }
        (None, Some(coding)) if response.version() < Version::HTTP_11 || coding != "chunked" => {
            return fault("the answer has a coding that is not `chunked`");
        }
        _ => {}
    }
    if lengths.next().is_some() || codings.next().is_some() {
        return fault("the answer says twice how long it is");
    }
    Ok(())
}

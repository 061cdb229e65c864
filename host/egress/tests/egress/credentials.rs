//! Secrets are added after the decision, and for their own server alone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_egress::{Credentials, Outgoing, Owner, Session, Timeouts};
use cofferdam_types::call::Denial;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::json;

use crate::servers::{Server, ok, redirect};
use crate::world::{World, request};

struct Bound;

#[async_trait]
impl Credentials for Bound {
    async fn add(&self, to: &mut Outgoing<'_>) -> Result<(), Denial> {
        if to.target.origin.host.to_string() == "api.good.test" {
            let token = HeaderValue::from_static("Bearer geheim");
            to.headers.insert(AUTHORIZATION, token);
            *to.query = Some("key=geheim".to_owned());
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_secret_goes_to_its_server_and_no_further() {
    let other = Server::saying(ok("")).await;
    let elsewhere = format!("http://other.test:{}/", other.at.port());
    let good = Server::answering(move |_| redirect(302, &elsewhere)).await;
    let entry = |host: &str, server: &Server| {
        json!({"host": host, "scheme": "http", "port": server.at.port(),
               "at": server.at.to_string(), "redirects": 1})
    };
    let network = json!([entry("api.good.test", &good), entry("other.test", &other)]);
    let call = World::call(network);
    let owner = Owner {
        tenant: "default".to_owned(),
        tool: "prober".to_owned(),
    };
    let session = Session::new(
        call.client.clone(),
        call.granted.clone(),
        Some(Arc::new(Bound)),
        owner,
        std::time::Instant::now().checked_add(Duration::from_secs(20)),
    );
    let sent = request("GET", &good.url("/"));
    session
        .send(sent, Timeouts::default())
        .await
        .expect("an answer");
    let (first, second) = (good.heard().concat(), other.heard().concat());
    assert!(first.starts_with("GET /?key=geheim "), "{first}");
    assert!(first.contains("authorization: Bearer geheim\r\n"));
    assert!(!second.is_empty() && !second.contains("geheim"), "{second}");
    assert!(!call.granted.sent().concat().contains("geheim"));
}

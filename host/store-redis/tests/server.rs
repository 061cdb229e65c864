//! What a server must be set to, how it is reached, and what happens when it goes.

use std::time::{Duration, Instant};

use cofferdam_store_api::conformance::sample::{key, tenant, tool};
use cofferdam_store_api::{StoreError, Stores};
use cofferdam_store_redis::testing::Server;
use cofferdam_store_redis::{OpenError, Settings, open};
use cofferdam_types::tool::ToolStatus;
use cofferdam_types::{Digest, Tenant, Timestamp};

/// How long a host may take to find a server again: longer than any pause between its attempts.
const HEALING: Duration = Duration::from_secs(5);

async fn stores(settings: &Settings) -> Stores {
    open(settings).await.expect("a fit server").stores()
}

async fn refusal(settings: &Settings) -> OpenError {
    open(settings).await.err().expect("refused")
}

/// An answer of the server, as its own client would show it.
fn asked(server: &Server, line: &str) -> Vec<String> {
    let answer = server.ask(line);
    let lines = answer.lines().filter(|line| !line.starts_with(['*', '$']));
    lines
        .map(|line| line.trim_start_matches([':', '+']).to_owned())
        .collect()
}

/// The keys of a tool are those that operators and other programs know.
#[tokio::test]
async fn keys_have_their_documented_names() {
    let server = Server::new();
    let stores = stores(&server.settings()).await;
    let record = tool("read", "1.2.0", b"a");
    let own = Tenant::default();
    let batch = [record.clone()];
    assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    let (name, version) = (&record.spec.name, &record.spec.version);
    let spec = asked(&server, &format!("GET ao:tools:{name}:{version}")).concat();
    let spec: serde_json::Value = serde_json::from_str(&spec).expect("JSON");
    assert_eq!(spec["name"], name.as_str());
    assert_eq!(spec["version"], "1.2.0");
    assert_eq!(
        spec["args_schema"],
        serde_json::to_value(&record.spec.args_schema).expect("JSON")
    );
    assert_eq!(
        asked(&server, "SMEMBERS ao:tools:index"),
        [format!("{name}:{version}")]
    );
    let status = format!("GET ao:tools:status:{name}:{version}");
    assert_eq!(asked(&server, &status), ["active"]);
    let at = Timestamp::from_millis(1);
    let deprecated = ToolStatus::Deprecated;
    let changed = stores
        .tools
        .set_status(&own, name, version, deprecated, at, None)
        .await;
    assert_eq!(changed, Ok(true));
    assert_eq!(asked(&server, &status), ["deprecated"]);
    // Another tenant's stand elsewhere.
    let other = tenant("acme");
    assert_eq!(stores.tools.register(&other, &batch).await, Ok(true));
    let index = asked(&server, "SMEMBERS ao:tenant:acme:tools:index");
    assert_eq!(index, [format!("{name}:{version}")]);
    assert_eq!(asked(&server, "SCARD ao:tools:index"), ["1"]);
}

/// Two installations with prefixes of their own share a server and nothing else.
#[tokio::test]
async fn prefixes_keep_installations_apart() {
    let server = Server::new();
    let with = |prefix: &str| Settings {
        prefix: prefix.parse().expect("a prefix"),
        ..server.settings()
    };
    let (one, other, bare) = (with("one"), with("other"), with(""));
    let own = tenant("alpha");
    let record = key(&own, 1);
    for settings in [&one, &other, &bare] {
        let stores = stores(settings).await;
        assert_eq!(stores.keys.get(&record.id).await, Ok(None));
        assert_eq!(stores.keys.create(&record).await, Ok(()));
    }
    let mut keys = asked(&server, "KEYS *");
    keys.sort();
    let id = &record.id;
    assert_eq!(
        keys,
        [
            format!("key:{id}"),
            format!("one:key:{id}"),
            format!("other:key:{id}")
        ]
    );
}

/// A server that would throw records away is refused, in words that mend it.
#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    let server = Server::with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let refusal = refusal(&server.settings()).await;
    assert!(matches!(refusal, OpenError::Unfit(_)), "{refusal}");
    assert!(
        refusal.to_string().contains("maxmemory-policy noeviction"),
        "{refusal}"
    );
    server.ask("CONFIG SET maxmemory-policy noeviction");
    stores(&server.settings()).await;
}

/// Keys of one script must be in one slot: without a tag in the prefix a cluster is refused, with one
/// everything works on it.
#[tokio::test]
async fn a_cluster_needs_a_tag() {
    let server = Server::with(&["--cluster-enabled", "yes"]);
    server.ask("CLUSTER ADDSLOTSRANGE 0 16383");
    let patience = Instant::now() + HEALING;
    while !server.ask("CLUSTER INFO").contains("cluster_state:ok") {
        assert!(Instant::now() < patience, "the cluster comes up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let cluster = format!("redis+cluster://127.0.0.1:{}", server.port());
    for address in [server.url(), cluster] {
        let untagged = Settings {
            address: address.parse().expect("an address"),
            ..server.settings()
        };
        let refusal = refusal(&untagged).await.to_string();
        assert!(refusal.contains("`{ao}`"), "{refusal}");
        let tagged = Settings {
            prefix: "{ao}".parse().expect("a prefix"),
            ..untagged
        };
        let stores = stores(&tagged).await;
        let own = tenant("alpha");
        let batch = [tool("read", "1.0.0", b"a"), tool("write", "1.0.0", b"a")];
        stores
            .tools
            .register(&own, &batch)
            .await
            .expect("registered");
        let bytes = vec![7; 3 << 20];
        let digest = Digest::of(&bytes);
        assert_eq!(stores.blobs.put(&own, &digest, &bytes).await, Ok(()));
        assert_eq!(stores.blobs.get(&own, &digest).await, Ok(Some(bytes)));
        let first = cofferdam_types::page::PageRequest::first();
        let page = stores.tools.list(&own, "", &first).await.expect("a page");
        assert_eq!(page.items.len(), 2);
    }
}

/// The password comes from the settings or the address; without it, or with another, nobody gets in.
#[tokio::test]
async fn a_password_is_needed_where_there_is_one() {
    let server = Server::with(&["--requirepass", "s3cret"]);
    let given = |address: String, password: Option<&str>| Settings {
        address: address.parse().expect("an address"),
        password: password.map(|text| text.to_owned().into()),
        ..server.settings()
    };
    let (bare, port) = (server.url(), server.port());
    for wrong in [
        given(bare.clone(), None),
        given(bare.clone(), Some("other")),
    ] {
        let refusal = refusal(&wrong).await;
        assert!(matches!(refusal, OpenError::Unreachable(_)), "{refusal}");
        assert!(!refusal.to_string().contains("other"), "{refusal}");
    }
    let in_address = format!("redis://:s3cret@127.0.0.1:{port}/3");
    for right in [given(bare, Some("s3cret")), given(in_address, None)] {
        stores(&right).await;
    }
}

#[tokio::test]
async fn nobody_there_is_said() {
    let mut server = Server::new();
    server.kill();
    let refusal = refusal(&server.settings()).await;
    assert!(matches!(refusal, OpenError::Unreachable(_)), "{refusal}");
}

/// While a server is gone everything is `unavailable`; when it is back, with what its file holds, the
/// same stores go on.
#[tokio::test]
async fn a_server_that_died_is_found_again() {
    let mut server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let stores = stores(&server.settings()).await;
    let own = tenant("alpha");
    for round in 0..5_u32 {
        let record = key(&own, round);
        assert_eq!(stores.keys.create(&record).await, Ok(()), "round {round}");
        server.kill();
        let answer = stores.keys.get(&record.id).await;
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{answer:?}"
        );
        server.start();
        let patience = Instant::now() + HEALING;
        loop {
            match stores.keys.get(&record.id).await {
                Ok(kept) => break assert_eq!(kept, Some(record)),
                Err(StoreError::Unavailable(_)) => assert!(Instant::now() < patience, "it heals"),
                Err(other) => panic!("{other}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A server that forgot the scripts is taught them again, in the same request.
#[tokio::test]
async fn forgotten_scripts_are_sent_again() {
    let server = Server::new();
    let stores = stores(&server.settings()).await;
    let own = tenant("alpha");
    for version in ["1.0.0", "1.1.0"] {
        server.ask("SCRIPT FLUSH");
        let batch = [tool("read", version, b"a")];
        assert_eq!(stores.tools.register(&own, &batch).await, Ok(true));
    }
}

/// What a server says when it can't write is `unavailable`, never damage, and nothing was written.
#[tokio::test]
async fn a_server_that_cannot_write_is_unavailable() {
    let server = Server::new();
    let stores = stores(&server.settings()).await;
    let own = tenant("alpha");
    for (index, (stop, go)) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        (
            "CONFIG SET min-replicas-to-write 1",
            "CONFIG SET min-replicas-to-write 0",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let record = key(&own, u32::try_from(index).expect("a small number"));
        server.ask(stop);
        let answer = stores.keys.create(&record).await;
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{stop}: {answer:?}"
        );
        server.ask(go);
        assert_eq!(stores.keys.get(&record.id).await, Ok(None), "{stop}");
        assert_eq!(stores.keys.create(&record).await, Ok(()), "{go}");
    }
}

/// A key that holds something else, or a record that makes no sense, is damage and no panic.
#[tokio::test]
async fn what_others_wrote_is_damage() {
    let server = Server::new();
    let stores = stores(&server.settings()).await;
    let own = Tenant::default();
    let record = key(&own, 1);
    for text in ["{}", "nonsense", r#"{"record_version":99}"#] {
        server.ask(&format!("SET ao:key:{} {text}", record.id));
        let answer = stores.keys.get(&record.id).await;
        assert!(
            matches!(answer, Err(StoreError::Damaged(_))),
            "{text}: {answer:?}"
        );
    }
    server.ask(&format!("DEL ao:key:{}", record.id));
    server.ask(&format!("LPUSH ao:key:{} x", record.id));
    let answer = stores.keys.get(&record.id).await;
    assert!(matches!(answer, Err(StoreError::Damaged(_))), "{answer:?}");
}

/// When the master dies, the one that the sentinel makes the next is found, with what it was given.
#[tokio::test]
async fn the_next_master_is_found() {
    let mut master = Server::new();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let patience = Instant::now() + Duration::from_secs(20);
    while !replica
        .ask("INFO replication")
        .contains("master_link_status:up")
    {
        assert!(Instant::now() < patience, "the replica is in step");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let sentinel = Server::sentinel(&master);
    let sentinels = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port());
    let settings = Settings {
        address: sentinels.parse().expect("an address"),
        ..master.settings()
    };
    let stores = stores(&settings).await;
    let own = tenant("alpha");
    let record = key(&own, 1);
    assert_eq!(stores.keys.create(&record).await, Ok(()));
    while !sentinel
        .ask("SENTINEL replicas main")
        .contains(&replica.port().to_string())
        || replica.ask(&format!("EXISTS ao:key:{}", record.id)).trim() != ":1"
    {
        assert!(
            Instant::now() < patience,
            "the sentinel knows the replica, which has the key"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    master.kill();
    let patience = Instant::now() + Duration::from_secs(30);
    let next = key(&own, 2);
    loop {
        match stores.keys.create(&next).await {
            // A conflict: the one whose answer was lost had happened.
            Ok(()) | Err(StoreError::Conflict) => break,
            Err(StoreError::Unavailable(reason)) => {
                assert!(
                    Instant::now() < patience,
                    "the next master is found: {reason}"
                );
            }
            Err(other) => panic!("{other}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stores.keys.get(&record.id).await, Ok(Some(record)));
    assert!(replica.ask("ROLE").contains("master"));
}

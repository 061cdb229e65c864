use super::*;

fn allow(yaml: &str) -> Sockets {
    Sockets::allow(serde_saphyr::from_str(yaml).expect("an entry")).expect("an allow")
}

fn deny(yaml: &str) -> Sockets {
    Sockets::deny(serde_saphyr::from_str(yaml).expect("an entry")).expect("a deny")
}

fn to(place: &str, names: &[&str]) -> Connect {
    let place: std::net::SocketAddr = place.parse().expect("an address and port");
    Connect {
        protocol: Protocol::Tcp,
        address: place.ip(),
        port: place.port(),
        names: names
            .iter()
            .map(|name| name.parse().expect("a name"))
            .collect(),
        tls: Tls::None,
    }
}

fn look_up(name: &str) -> Ask {
    Ask::Lookup(name.parse().expect("a name"))
}

#[test]
fn connections() {
    let check = |entry: &str, place: &str, names: &[&str], covered: bool| {
        let ask = Ask::Connect(to(place, names));
        assert_eq!(
            allow(entry).covers(&ask),
            covered,
            "{entry} {place} {names:?}"
        );
    };
    let range = "{host: 10.1.2.0/24, port: 5432}";
    check(range, "10.1.2.3:5432", &[], true);
    check(range, "[::ffff:10.1.2.3]:5432", &[], true);
    check(range, "10.1.3.3:5432", &[], false);
    check(range, "10.1.2.3:5433", &[], false);
    check(
        "{host: 127.0.0.1, port: '80-81'}",
        "127.0.0.1:81",
        &[],
        true,
    );
    check("{host: '::1', port: 80}", "[::1]:80", &[], true);
    check("{host: '[::1]', port: 80}", "[::1]:80", &[], true);
    check(
        "{host: 169.254.0.0/16, port: 80}",
        "169.254.169.254:80",
        &[],
        false,
    );
    check(
        "{host: 169.254.0.0/16, port: 80}",
        "169.254.1.1:80",
        &[],
        true,
    );
    check(
        "{host: 169.254.169.254, port: 80}",
        "169.254.169.254:80",
        &[],
        true,
    );
    let name = "{host: db.good.test, port: 5432}";
    check(name, "8.8.8.8:5432", &["db.good.test"], true);
    check(name, "8.8.8.8:5432", &[], false);
    check(name, "8.8.8.8:5432", &["evil.test"], false);
    check(name, "10.0.0.1:5432", &["db.good.test"], false);
    let inside = "{host: db.good.test, port: 5432, addresses: [10.0.0.0/8]}";
    check(inside, "10.0.0.1:5432", &["db.good.test"], true);
    check("{host: '**', port: 53}", "8.8.8.8:53", &[], false);
}

#[test]
fn protocol_and_tls_are_part_of_what_is_allowed() {
    let plain = allow("{host: 8.8.8.8, port: 53}");
    let mut connect = to("8.8.8.8:53", &[]);
    assert!(plain.covers(&Ask::Connect(connect.clone())));
    connect.protocol = Protocol::Udp;
    assert!(!plain.covers(&Ask::Connect(connect.clone())));
    assert!(allow("{host: 8.8.8.8, port: 53, protocol: udp}").covers(&Ask::Connect(connect)));
    let mail = allow("{host: mail.good.test, port: 587, tls: starttls-smtp}");
    let mut connect = to("8.8.8.8:587", &["mail.good.test"]);
    assert!(!mail.covers(&Ask::Connect(connect.clone())), "in the clear");
    connect.tls = Tls::StarttlsSmtp;
    assert!(mail.covers(&Ask::Connect(connect)));
}

#[test]
fn names() {
    assert!(allow("{host: db.good.test, port: 1}").covers(&look_up("db.good.test")));
    assert!(!allow("{host: db.good.test, port: 1}").covers(&look_up("x.db.good.test")));
    assert!(!allow("{host: 10.0.0.0/8, port: 1}").covers(&look_up("db.good.test")));
    assert!(!allow("{host: '**', port: 1}").covers(&look_up("metadata.google.internal")));
    assert!(deny("{host: db.good.test}").covers(&look_up("db.good.test")));
    assert!(!deny("{host: db.good.test, port: 1}").covers(&look_up("db.good.test")));
}

#[test]
fn denies() {
    let check = |entry: &str, names: &[&str], covered: bool| {
        let ask = Ask::Connect(to("10.0.0.1:80", names));
        assert_eq!(deny(entry).covers(&ask), covered, "{entry} {names:?}");
    };
    check("{}", &[], true);
    check("{host: '**'}", &[], true);
    check("{host: a.test}", &["a.test"], true);
    check("{host: a.test}", &["b.test"], false);
    check("{host: 10.0.0.0/8}", &["b.test"], true);
    check("{addresses: [10.0.0.0/8]}", &[], true);
    check("{addresses: [11.0.0.0/8]}", &[], false);
    check("{protocol: udp}", &[], false);
    check("{port: 81}", &[], false);
}

#[test]
fn entries_that_are_refused() {
    for (entry, pointer) in [
        ("{}", ""),
        ("{host: a.test}", ""),
        ("{host: '10.0.0.1/8', port: 1}", "/host"),
        ("{host: 'a..b', port: 1}", "/host"),
        ("{host: a.test, port: 0}", "/port"),
        ("{host: a.test, port: '9-8'}", "/port"),
        ("{host: a.test, port: '0x50'}", "/port"),
        (
            "{host: a.test, port: 1, protocol: udp, tls: required}",
            "/tls",
        ),
        ("{host: 10.0.0.0/8, port: 1, addresses: []}", "/addresses"),
        ("{host: a.test, port: 1, addresses: [x]}", "/addresses/0"),
        ("{host: a.test, port: 1, connections: 257}", "/connections"),
        ("{host: a.test, port: 1, sent_bytes: 1}", "/sent_bytes"),
    ] {
        let entry: Entry = serde_saphyr::from_str(entry).expect("the form of an entry");
        let fault = Sockets::allow(entry.clone()).expect_err("a fault");
        assert_eq!(fault.pointer, pointer, "{entry:?}");
    }
    let entry: Entry = serde_saphyr::from_str("{sent_bytes: 1}").expect("the form of an entry");
    assert!(Sockets::deny(entry).is_err());
}

#[test]
fn the_smallest_grant_allows_the_ask() {
    let mut mail = to("10.0.0.1:587", &["mail.good.test"]);
    mail.tls = Tls::StarttlsSmtp;
    let mut query = to("8.8.8.8:53", &[]);
    query.protocol = Protocol::Udp;
    let asks = [
        look_up("db.good.test"),
        Ask::Connect(mail),
        Ask::Connect(query),
        Ask::Connect(to("[fe80::1]:80", &[])),
    ];
    for ask in asks {
        let text = Sockets::smallest(&ask);
        assert!(allow(&text).covers(&ask), "{text}");
    }
}

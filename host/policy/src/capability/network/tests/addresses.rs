use super::*;

#[test]
fn places() {
    let check = |place: Place, addresses: &str| {
        for text in addresses.split_whitespace() {
            let address = text.parse().expect("an address");
            assert_eq!(Place::of(address), place, "{text}");
        }
    };
    check(
        Place::Public,
        "8.8.8.8 1.1.1.1 9.9.9.9 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 198.17.0.1
         2606:4700::1111 64:ff9b::808:808 ::ffff:8.8.8.8",
    );
    check(
        Place::Metadata,
        "169.254.169.254 100.100.100.200 168.63.129.16 fd00:ec2::254 ::ffff:a9fe:a9fe
         64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1",
    );
    check(
        Place::Loopback,
        "127.0.0.1 127.0.0.2 127.255.255.255 ::1 ::ffff:127.0.0.1 ::127.0.0.1
         64:ff9b::7f00:1 2002:7f00:1:: 2001:0:0:0:0:0:80ff:fffe",
    );
    check(Place::Unspecified, "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0");
    check(
        Place::Private,
        "10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 fc00::1 fdff::1",
    );
    check(Place::LinkLocal, "169.254.1.1 fe80::1 febf::1");
    check(Place::Shared, "100.64.0.1 100.127.255.255");
    check(Place::Benchmarking, "198.18.0.1 198.19.255.255 2001:2::1");
    check(
        Place::Documentation,
        "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    );
    check(Place::Multicast, "224.0.0.1 239.255.255.255 ff02::1");
    check(Place::Relayed, "2002:808:808::1 2001:0:0:0:0:0:f7f7:f7f7");
    check(
        Place::Reserved,
        "240.0.0.1 255.255.255.255 192.0.0.1 192.88.99.1 100::1 4000::1 5f00::1",
    );
}

#[test]
fn what_is_not_public_has_to_be_named() {
    let check = |entry: &str, address: &str, covered: bool| {
        let mut request = ask("GET", "https://api.good.test/x");
        request.address = Some(address.parse().expect("an address"));
        assert_eq!(allow(entry).covers(&request), covered, "{entry} {address}");
    };
    check("{host: api.good.test}", "8.8.8.8", true);
    check("{host: api.good.test}", "127.0.0.1", false);
    check("{host: '**'}", "10.0.0.1", false);
    let named = "{host: api.good.test, addresses: [127.0.0.0/8, 10.1.0.0/16]}";
    check(named, "127.0.0.1", true);
    check(named, "::ffff:127.0.0.1", true);
    check(named, "10.1.2.3", true);
    check(named, "10.2.2.3", false);
    check(named, "8.8.8.8", true);
    let everything = "{host: '**', addresses: [0.0.0.0/0, '::/0']}";
    check(everything, "192.168.1.1", true);
    check(everything, "169.254.169.254", false);
    check(everything, "fd00:ec2::254", false);
    check(everything, "2002:a9fe:a9fe::", false);
    let metadata = "{host: '**', addresses: [169.254.169.254]}";
    check(metadata, "169.254.169.254", true);
    check(metadata, "::ffff:169.254.169.254", true);
    check(
        "{host: '**', addresses: [169.254.169.254/31]}",
        "169.254.169.254",
        false,
    );
    let at = "{host: api.good.test, at: '127.0.0.1:8443'}";
    check(at, "127.0.0.1", true);
    check(at, "127.0.0.2", false);
    check(at, "8.8.8.8", false);
}

#[test]
fn an_address_as_the_host_names_itself() {
    let check = |entry: &str, url: &str, covered: bool| {
        assert_eq!(
            allow(entry).covers(&ask("GET", url)),
            covered,
            "{entry} {url}"
        );
    };
    check("{host: 127.0.0.1}", "https://127.0.0.1/", true);
    check("{host: 127.0.0.1}", "https://127.0.0.2/", false);
    check("{host: '**'}", "https://127.0.0.1/", false);
    check("{host: '**'}", "https://[::ffff:7f00:1]/", false);
    check("{host: '**'}", "https://8.8.8.8/", true);
}

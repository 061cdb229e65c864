use super::*;

/// NET-05, NET-06: addresses and names in other spellings.
/// NET-05, NET-06: what another parser could read as another host.
#[test]
fn odd_spellings_of_a_host_are_no_host() {
    for bad in [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "localhost.",
        "127.0.0.1.",
        "0",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f000001",
        "0x7f.1",
        "256.256.256.256",
        "1.2.3.4.5",
        "1.2.3.08",
        "\u{ff11}27.0.0.1",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
        "api\u{3002}good.test",
        "api\u{ff0e}good.test",
        "\u{ff41}pi.good.test",
        "xn--api-.test",
        "xn--a.test",
        "xn--good-.test",
        "[::1%eth0]",
        "fe80::1",
        "[fe80::1",
        "::1]",
        "[127.0.0.1]",
        "a%2eb",
        "a b",
        "a\tb",
        "a\0b",
        "a/b",
        "a\\b",
        "u@h",
        "u:p@h",
        "a:b",
        "-a.test",
        "a-.test",
        "*",
        "*.a",
        "a,b",
        "a_b!",
        "a.0x",
        "a.1",
        "good.test\n",
    ] {
        assert!(bad.parse::<Host>().is_err(), "{bad:?}");
    }
    let long = format!("{}.test", "a".repeat(64));
    assert!(long.parse::<Host>().is_err());
    assert!(format!("{}a", "a.".repeat(126)).parse::<Host>().is_ok());
    assert!(format!("{}ab", "a.".repeat(126)).parse::<Host>().is_err());
}

#[test]
fn one_text_for_each_host() {
    for (text, shown) in [
        ("api.good.test", "api.good.test"),
        ("API.Good.Test", "api.good.test"),
        ("a_b.good.test", "a_b.good.test"),
        ("r3---sn.test", "r3---sn.test"),
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[0:0:0:0:0:0:0:1]", "[::1]"),
        // A Cyrillic letter: another host than its Latin twin.
        ("\u{430}pi.good.test", "xn--pi-6kc.good.test"),
    ] {
        let host: Host = text.parse().expect("a host");
        assert_eq!(host.to_string(), shown, "{text}");
    }
}

#[test]
fn targets_are_read_one_way() {
    for (url, shown) in [
        ("https://a.test", "https://a.test/"),
        ("https://a.test:443/x", "https://a.test/x"),
        ("https://a.test:80/x", "https://a.test:80/x"),
        ("http://a.test:80?q", "http://a.test/"),
        ("https://a.test/a/./b/../c", "https://a.test/a/c"),
        ("https://a.test/a/%2e%2E/c", "https://a.test/c"),
        ("https://a.test/../../c", "https://a.test/c"),
        ("https://a.test/a/..", "https://a.test/"),
        ("https://a.test/%41%7e%c3%a9/", "https://a.test/A~%C3%A9/"),
        ("https://evil.test#@a.test", "https://evil.test/"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://a.test/100%25", "https://a.test/100%25"),
        ("https://a.test/v1;/../admin", "https://a.test/admin"),
    ] {
        let target = Target::parse(url).expect("a target");
        assert_eq!(target.to_string(), shown, "{url}");
        let again = Target::parse(&target.to_string()).expect("its own text");
        assert_eq!(again.to_string(), shown);
    }
}

/// NET-11, NET-18, NET-19, NET-20: URLs that parsers read differently.
#[test]
fn what_can_be_read_two_ways_is_refused() {
    for bad in [
        "",
        "a.test",
        "//a.test/",
        "/x",
        "HTTPS://a.test/",
        "file:///etc/passwd",
        "ftp://a.test/",
        "gopher://a.test/",
        "data:text/plain,x",
        "ws://a.test/",
        "https:a.test",
        "https:///x",
        "https://a@b.test/",
        "https://a.test\\@b.test/",
        "https://a.test%00.b.test/",
        "https://a.test:/",
        "https://a.test:0/",
        "https://a.test:0443/",
        "https://a.test:65536/",
        "https://a.test:-1/",
        "https://a.test:+1/",
        "https://a.test:4 3/",
        "https://[::1]x/",
        "https://a.test//x",
        "https://a.test/a//b",
        "https://a.test/a/%2fb",
        "https://a.test/%5C",
        "https://a.test/%00",
        "https://a.test/%0d%0a",
        "https://a.test/%7f",
        "https://a.test/%",
        "https://a.test/%4",
        "https://a.test/%zz",
        "https://a.test/%252e",
        "https://a.test/%25%32%65",
        "https://a.test/..;/x",
        "https://a.test/.;x",
        "https://a.test/a b",
        "https://a.test/a\rb",
        "https://a.test/\u{e9}",
        "https://a.test/a|b",
        "https://a.test/?a b",
        "https://a.test/?\n",
        "https://a.test/\\x",
        "https://a.test /",
        " https://a.test/",
        "https://a.test\t/",
    ] {
        assert!(Target::parse(bad).is_err(), "{bad:?}");
    }
    for bad in [
        "http://evil.test/",
        "//evil.test/x",
        "x",
        "*",
        "/a#b",
        "/a b",
    ] {
        let target = Target::new(Scheme::Https, "a.test", bad);
        assert!(target.is_err(), "{bad:?}");
    }
}

#[test]
fn redirects_lead_where_they_say() {
    let from = Target::parse("https://a.test/x/y?q=1").expect("a target");
    for (location, to) in [
        ("https://b.test/z", "https://b.test/z"),
        ("//b.test/z", "https://b.test/z"),
        ("/z?s=2#f", "https://a.test/z"),
        ("z", "https://a.test/x/z"),
        ("../z", "https://a.test/z"),
        ("?s", "https://a.test/x/y"),
        ("", "https://a.test/x/y"),
        ("http://a.test/x", "http://a.test/x"),
    ] {
        let target = from.join(location).expect("a target");
        assert_eq!(target.to_string(), to, "{location}");
    }
    for bad in [
        "file:///x",
        "javascript:x",
        "\\\\b.test",
        "/\\b.test",
        "https:/b.test",
        "///b",
    ] {
        assert!(from.join(bad).is_err(), "{bad:?}");
    }
    let to = from.join("?s=3").expect("a target");
    assert_eq!(to.query(), Some("s=3"));
}

#[test]
fn a_query_is_sent_and_never_shown() {
    let target = Target::parse("https://a.test/x?key=geheim").expect("a target");
    assert_eq!(target.path_and_query(), "/x?key=geheim");
    assert!(!format!("{target} {target:?}").contains("geheim"));
}

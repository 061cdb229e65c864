use serde_json::json;

use super::*;

fn check(entry: &str, method: &str, url: &str, covered: bool) {
    let pattern = allow(entry);
    assert_eq!(
        pattern.covers(&ask(method, url)),
        covered,
        "{entry} {method} {url}"
    );
}

#[test]
fn what_is_left_out_is_the_narrowest_useful_thing() {
    let entry = "{host: api.good.test}";
    check(entry, "GET", "https://api.good.test/any/thing", true);
    check(entry, "HEAD", "https://api.good.test/", true);
    check(entry, "POST", "https://api.good.test/", false);
    check(entry, "get", "https://api.good.test/", false);
    check(entry, "GET", "http://api.good.test/", false);
    check(entry, "GET", "http://api.good.test:443/", false);
    check(entry, "GET", "https://api.good.test:8443/", false);
    let http = "{host: api.good.test, scheme: http}";
    check(http, "GET", "http://api.good.test/", true);
    check(http, "GET", "https://api.good.test/", false);
    let port = "{host: api.good.test, port: 8443}";
    check(port, "GET", "https://api.good.test:8443/", true);
    let none = "{host: api.good.test, methods: []}";
    check(none, "GET", "https://api.good.test/", false);
    let none = "{host: api.good.test, paths: []}";
    check(none, "GET", "https://api.good.test/", false);
}

/// NET-10: hosts that begin or end like the allowed one.
#[test]
fn labels_are_matched_whole() {
    for (pattern, host, covered) in [
        ("good.test", "good.test", true),
        ("good.test", "api.good.test", false),
        ("api.good.test", "api.good.test.evil.test", false),
        ("good.test", "evilgood.test", false),
        ("*.good.test", "api.good.test", true),
        ("*.good.test", "good.test", false),
        ("*.good.test", "a.b.good.test", false),
        ("*.good.test", "evilgood.test", false),
        ("**.good.test", "a.b.good.test", true),
        ("**.good.test", "good.test", false),
        ("**", "anything.test", true),
        ("**", "metadata.google.internal", false),
        ("*.google.internal", "metadata.google.internal", false),
        ("metadata.google.internal", "metadata.google.internal", true),
    ] {
        let url = format!("https://{host}/");
        check(&format!("{{host: '{pattern}'}}"), "GET", &url, covered);
    }
}

#[test]
fn paths() {
    for (pattern, path, covered) in [
        ("/v1/*", "/v1/x", true),
        ("/v1/*", "/v1/", false),
        ("/v1/*", "/v1", false),
        ("/v1/*", "/v1/x/y", false),
        ("/v1/*", "/v1/../admin", false),
        ("/v1/*", "/v1/%2e%2e/admin", false),
        ("/v1/*", "/V1/x", false),
        ("/v1/**", "/v1", false),
        ("/v1/**", "/v1/", true),
        ("/v1/**", "/v1/x/y", true),
        ("/v1/**", "/v10/x", false),
        ("/**", "/", true),
        ("/a/**/b", "/a/b", true),
        ("/a/**/b", "/a/x/y/b", true),
        ("/a/**/b", "/a/x/y/b/c", false),
        ("/a*c", "/abc", true),
        ("/a*c", "/ac", true),
        ("/a*c", "/a", false),
        ("/*.json", "/.json", true),
        ("/*a*a*", "/aa", true),
        ("/*a*a*", "/a", false),
        ("/aa*aa", "/aaa", false),
        ("/x", "/x/", false),
        ("/x", "/x;y", false),
    ] {
        let url = format!("https://a.test{path}");
        let entry = format!("{{host: a.test, paths: ['{pattern}']}}");
        check(&entry, "GET", &url, covered);
    }
}

#[test]
fn headers_beyond_the_usual_have_to_be_named() {
    let with = |headers: &[&str]| Ask {
        headers: headers.iter().map(|name| (*name).to_owned()).collect(),
        ..ask("GET", "https://a.test/")
    };
    let entry = allow("{host: a.test, headers: [Authorization]}");
    assert!(entry.covers(&with(&["authorization"])));
    assert!(!entry.covers(&with(&["authorization", "cookie"])));
    assert!(!allow("{host: a.test}").covers(&with(&["authorization"])));
    let denied = deny("{headers: [cookie]}");
    assert!(denied.covers(&with(&["authorization", "cookie"])));
    assert!(!denied.covers(&with(&["authorization"])));
}

#[test]
fn a_deny_covers_more_than_an_allow() {
    let check = |entry: &str, url: &str, covered: bool| {
        let ask = ask("DELETE", url);
        assert_eq!(deny(entry).covers(&ask), covered, "{entry} {url}");
    };
    check("{}", "http://any.test:81/x", true);
    check("{host: a.test}", "http://a.test:81/x", true);
    check("{host: a.test}", "http://b.test/", false);
    check("{paths: [/admin/**]}", "https://a.test/admin;x/y", true);
    check("{paths: [/admin/**]}", "https://a.test/adm/y", false);
    check("{paths: []}", "https://a.test/", false);
    check("{host: '**'}", "https://metadata.google.internal/", true);
    check("{host: 10.0.0.1}", "https://[::ffff:10.0.0.1]/", true);
    check("{addresses: [10.0.0.0/8]}", "https://10.1.1.1/", true);
    check("{addresses: [10.0.0.0/8]}", "https://a.test/", false);
    check("{addresses: []}", "https://10.1.1.1/", false);
    check("{methods: [GET]}", "https://a.test/", false);
}

#[test]
fn a_deny_of_addresses_holds_once_the_address_is_known() {
    let located = |value: Network| Located {
        value,
        origin: crate::Origin::builtin("test"),
    };
    let first = Layer {
        party: Party::Policy,
        allows: [located(allow("{host: '**'}"))].into(),
    };
    let slice = Slice::new(first, [located(deny("{addresses: [8.0.0.0/8]}"))].into());
    let mut request = ask("GET", "https://a.test/");
    assert!(slice.decide(&request).is_ok());
    request.address = Some([8, 8, 8, 8].into());
    assert!(slice.decide(&request).is_err());
}

#[test]
fn an_argument_narrows() {
    let entry = allow("{host: '**', within: args.url}");
    assert!(entry.is_bound_by_arguments());
    let unbound = entry.covers(&ask("GET", "https://a.test/"));
    assert!(!unbound, "nobody bound it");
    let arguments = json!({"url": "https://a.test/deep?q#f"});
    let bound = entry.bound(&arguments).expect("a URL");
    assert!(bound.covers(&ask("GET", "https://a.test/other")));
    assert!(!bound.covers(&ask("GET", "https://b.test/")));
    assert!(!bound.covers(&ask("GET", "https://a.test:8443/")));
    for nothing in [
        json!({}),
        json!({"url": 7}),
        json!({"url": "a.test"}),
        json!({"url": "https://a.test@b.test/"}),
        json!([]),
        json!(null),
    ] {
        assert_eq!(entry.bound(&nothing), None, "{nothing}");
    }
    let arguments = json!({"source": {"url": "https://a.test"}});
    let deep = allow("{within: args.source.url}").bound(&arguments);
    let deep = deep.expect("a URL");
    assert!(deep.covers(&ask("GET", "https://a.test/x")));
}

#[test]
fn entries_that_are_refused() {
    for (entry, pointer) in [
        ("{}", ""),
        ("{host: '*'}", "/host"),
        ("{host: 'a.*'}", "/host"),
        ("{host: '127.1'}", "/host"),
        ("{host: a.test, port: 0}", "/port"),
        ("{host: a.test, methods: [get]}", "/methods/0"),
        ("{host: a.test, methods: [GET, CONNECT]}", "/methods/1"),
        ("{host: a.test, paths: [x]}", "/paths/0"),
        ("{host: a.test, paths: [/a/../b]}", "/paths/0"),
        ("{host: a.test, paths: [/a**]}", "/paths/0"),
        ("{host: a.test, headers: [Host]}", "/headers/0"),
        ("{host: a.test, headers: [x-forwarded-for]}", "/headers/0"),
        ("{host: a.test, headers: ['a b']}", "/headers/0"),
        ("{host: a.test, addresses: [x]}", "/addresses/0"),
        ("{host: a.test, addresses: [10.0.0.1/8]}", "/addresses/0"),
        ("{host: a.test, at: localhost}", "/at"),
        ("{host: a.test, within: url}", "/within"),
        ("{host: a.test, redirects: 6}", "/redirects"),
        ("{host: a.test, concurrent: 65}", "/concurrent"),
    ] {
        let entry: Entry = serde_saphyr::from_str(entry).expect("the form of an entry");
        let fault = Network::allow(entry.clone()).expect_err("a fault");
        assert_eq!(fault.pointer, pointer, "{entry:?}");
    }
    for bad in [
        "{host: a.test, hosts: b}",
        "{host: a.test, rate: 10}",
        "{scheme: ftp}",
    ] {
        assert!(serde_saphyr::from_str::<Entry>(bad).is_err(), "{bad}");
    }
    for bad in [
        "{requests: 1}",
        "{at: 10.0.0.1}",
        "{within: args.url}",
        "{rate: 1/s}",
    ] {
        let entry: Entry = serde_saphyr::from_str(bad).expect("the form of an entry");
        assert!(Network::deny(entry).is_err(), "{bad}");
    }
}

#[test]
fn the_smallest_grant_allows_the_ask_and_not_its_neighbours() {
    let mut busy = ask("POST", "http://a.test:8080/x,y/'z'?key=geheim");
    busy.headers = vec!["authorization".to_owned()];
    busy.address = Some([127, 0, 0, 1].into());
    for request in [
        busy,
        ask("GET", "https://[2606:4700::1]/"),
        ask("GET", "https://a.test/"),
    ] {
        let text = Network::smallest(&request);
        assert!(!text.contains("geheim"));
        let granted = allow(&text);
        assert!(granted.covers(&request), "{text}");
        let mut other = request.clone();
        other.method = "PUT".to_owned();
        assert!(!granted.covers(&other), "{text}");
        other = request.clone();
        other.target = other.target.join("elsewhere").expect("a target");
        assert!(!granted.covers(&other), "{text}");
    }
}

#[test]
fn rates() {
    let rate = |text: &str| text.parse::<Rate>();
    for good in ["10/s", "100/min", "1/h wait"] {
        let shown = rate(good).map(|rate| rate.to_string());
        assert_eq!(shown.as_deref(), Ok(good));
    }
    for bad in [
        "",
        "0/s",
        "-1/s",
        "10",
        "10/d",
        "10/s  wait",
        "1.5/s",
        "+1/s",
    ] {
        assert!(rate(bad).is_err(), "{bad}");
    }
    assert!(rate("1/s") > rate("59/min"));
    let narrow = allow("{host: a.test, rate: 1/s}").caps();
    let wide = allow("{host: a.test, requests: 5}").caps();
    let widest = crate::Caps::widest(narrow.clone(), wide.clone());
    assert_eq!(widest.rate, None);
    assert!(crate::Caps::narrowest(narrow, wide).rate.is_some());
}

/// NET-28: names that a tool makes up carry data out, so the checks of a policy say so.
#[test]
fn wildcards_are_dangers() {
    let dangers = |entry: &str| allow(entry).dangers().concat();
    assert!(dangers("{host: '*.good.test'}").contains("names it makes up"));
    assert!(dangers("{host: '**.good.test'}").contains("names it makes up"));
    assert!(dangers("{host: '**'}").contains("every host"));
    assert!(dangers("{host: a.test, addresses: [127.0.0.0/8]}").contains("this machine"));
    assert!(dangers("{host: 169.254.169.254}").contains("metadata service"));
    assert!(dangers("{host: a.test, scheme: http}").contains("on its way"));
    assert_eq!(dangers("{host: a.test}"), "");
    assert_eq!(dangers("{within: args.url}"), "");
}

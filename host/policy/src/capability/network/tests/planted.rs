//! Bugs on purpose, in ours and in the models: each makes the two differ.

use super::model::{
    Parts, host_model, host_ours, hosts, hosts_agree, path_model, path_ours, paths, url_model,
    url_ours, urls,
};
use crate::testing::disagreement;

type Path = Option<String>;

/// What is wrong, and a reader that does it.
type Bugs<T, const N: usize> = [(&'static str, fn(&str) -> T); N];

const PATHS: Bugs<Path, 10> = [
    ("an encoded dot stays encoded", |text| {
        let kept = path_ours(&text.replace("%2e", "~dot~"));
        kept.map(|path| path.replace("~dot~", "%2e"))
    }),
    ("an encoded slash is a slash", |text| {
        path_ours(&text.replace("%2f", "/"))
    }),
    ("what is encoded twice is decoded twice", |text| {
        path_ours(&text.replace("%25", "%"))
    }),
    ("a NUL ends the path", |text| {
        path_ours(text.split("%00").next()?)
    }),
    ("empty segments are dropped", |text| {
        path_ours(&text.replace("//", "/"))
    }),
    ("`..` above the root is refused", |text| {
        let path = path_ours(&format!("/top{text}"))?;
        path.strip_prefix("/top").map(str::to_owned)
    }),
    ("`..` at the end leaves no slash", |text| {
        let path = path_ours(text)?;
        let is_up = text.ends_with("/..") && path.len() > 1;
        Some(
            path.trim_end_matches(if is_up { "/" } else { "\0" })
                .to_owned(),
        )
    }),
    ("a dot segment with parameters is a name", |text| {
        let kept = path_ours(&text.replace("..;", "~up~;"));
        kept.map(|path| path.replace("~up~;", "..;"))
    }),
    ("digits of encodings stay as they are", |text| {
        let path = path_ours(text)?;
        Some(path.replace("%C3%A9", "%c3%a9"))
    }),
    ("case is folded", |text| path_ours(&text.to_lowercase())),
];

const PATH_MODELS: Bugs<Path, 4> = [
    ("a NUL is dropped", |text| {
        path_model(&text.replace("%00", ""))
    }),
    ("`..` takes nothing away", |text| {
        path_model(&text.replace("/..", ""))
    }),
    ("a backslash is a slash", |text| {
        path_model(&text.replace('\\', "/"))
    }),
    ("letters stay encoded", |text| {
        path_model(&text.replace("%41", "%2B"))
    }),
];

const HOSTS: Bugs<Path, 6> = [
    ("case stays", |text| {
        host_ours(text).map(|_| text.to_owned())
    }),
    ("a dot at the end is dropped", |text| {
        host_ours(text.strip_suffix('.').unwrap_or(text))
    }),
    ("a number is a name", |text| {
        host_ours(text).or_else(|| {
            let name = host_ours(&format!("{text}.test"))?;
            name.strip_suffix(".test").map(str::to_owned)
        })
    }),
    ("letters beyond ASCII are dropped", |text| {
        host_ours(&text.replace(|c: char| !c.is_ascii(), ""))
    }),
    ("an encoded dot is dropped", |text| {
        host_ours(&text.replace("%2e", ""))
    }),
    ("groups of zeros stay", |text| {
        host_ours(text).map(|host| {
            if host.contains("::") {
                text.to_owned()
            } else {
                host
            }
        })
    }),
];

const HOST_MODELS: Bugs<Path, 2> = [
    ("octets are octal", |text| {
        host_model(&text.replace(".8", ".010"))
    }),
    ("hyphens are dots", |text| {
        host_model(&text.replace('-', "."))
    }),
];

const URLS: Bugs<Option<Parts>, 8> = [
    ("every port is 80 unless it is said", |text| {
        let (scheme, host, port, path, query) = url_ours(text)?;
        let port = if text.contains(":443") { port } else { 80 };
        Some((scheme, host, port, path, query))
    }),
    ("a port that is too large wraps around", |text| {
        url_ours(&text.replace(":65536", ":1"))
    }),
    ("the user name is skipped", |text| {
        url_ours(&text.replacen("u@", "", 1))
    }),
    ("the host is behind the last `@`", |text| {
        let (scheme, rest) = text.split_once("://")?;
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        url_ours(&format!("{scheme}://{host}"))
    }),
    ("the fragment is sent", |text| {
        url_ours(&text.replace('#', "%23"))
    }),
    ("the query belongs to the path", |text| {
        url_ours(&text.replace('?', "/"))
    }),
    ("every scheme is http", |text| {
        url_ours(&text.replace("ftp://", "http://"))
    }),
    ("a backslash is dropped", |text| {
        url_ours(&text.replace('\\', ""))
    }),
];

const URL_MODELS: Bugs<Option<Parts>, 3> = [
    ("the host keeps its case", |text| {
        let (scheme, _, port, path, query) = url_model(text)?;
        let host = text
            .split("://")
            .nth(1)?
            .split([':', '/', '?', '#'])
            .next()?;
        Some((scheme, host.to_owned(), port, path, query))
    }),
    ("an empty query is none", |text| {
        let (scheme, host, port, path, query) = url_model(text)?;
        Some((
            scheme,
            host,
            port,
            path,
            query.filter(|query| !query.is_empty()),
        ))
    }),
    ("an empty path stays empty", |text| {
        let (scheme, host, port, path, query) = url_model(text)?;
        let path = if path == "/" { String::new() } else { path };
        Some((scheme, host, port, path, query))
    }),
];

#[test]
fn bugs_in_paths_are_found() {
    let same = |ours: fn(&str) -> Path, model: fn(&str) -> Path| {
        disagreement(&paths(), |text| ours(text) == model(text))
    };
    assert_eq!(same(path_ours, path_model), None);
    for (bug, broken) in PATHS {
        assert_ne!(same(broken, path_model), None, "{bug}");
    }
    for (bug, broken) in PATH_MODELS {
        assert_ne!(same(path_ours, broken), None, "in the model: {bug}");
    }
}

#[test]
fn bugs_in_hosts_are_found() {
    let same = |ours: fn(&str) -> Path, model: fn(&str) -> Path| {
        disagreement(&hosts(), |text| {
            hosts_agree(text, ours(text).as_deref(), model(text).as_deref())
        })
    };
    assert_eq!(same(host_ours, host_model), None);
    for (bug, broken) in HOSTS {
        assert_ne!(same(broken, host_model), None, "{bug}");
    }
    for (bug, broken) in HOST_MODELS {
        assert_ne!(same(host_ours, broken), None, "in the model: {bug}");
    }
}

#[test]
fn bugs_in_urls_are_found() {
    let same = |ours: fn(&str) -> Option<Parts>, model: fn(&str) -> Option<Parts>| {
        disagreement(&urls(), |text| {
            let ours = ours(text);
            ours.is_none() || ours == model(text)
        })
    };
    assert_eq!(same(url_ours, url_model), None);
    for (bug, broken) in URLS {
        assert_ne!(same(broken, url_model), None, "{bug}");
    }
    for (bug, broken) in URL_MODELS {
        assert_ne!(same(url_ours, broken), None, "in the model: {bug}");
    }
}

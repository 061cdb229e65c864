//! Uses of every capability, to ask a grant about.

use std::net::IpAddr;

use crate::Capability;
use crate::capability::clocks::Clocks;
use crate::capability::environment::{Environment, Source, Variable};
use crate::capability::filesystem::{FileAsk, Filesystem, MountPath, Right as FileRight};
use crate::capability::key_value::{KeyUse, KeyValue, Right as KeyRight, Scope};
use crate::capability::network::{self, Network, Scheme, Target};
use crate::capability::random::Random;
use crate::capability::secrets::{Secret, Use, Way};
use crate::capability::sockets::{self, Connect, Protocol, Sockets, Tls};
use crate::capability::subprocess::{Argument, Place, Start, Subprocess};
use crate::capability::tool_call::{ToolCall, ToolUse};

/// Does something about each capability in turn.
pub(super) trait Visit {
    fn capability<C: Capability>(&mut self, asks: &[C::Ask])
    where
        C::Ask: Sized,
        C::Caps: PartialEq;
}

/// The uses, by capability.
pub(super) struct Asks {
    files: Vec<FileAsk>,
    requests: Vec<network::Ask>,
    connections: Vec<sockets::Ask>,
    starts: Vec<Start>,
    variables: Vec<Variable>,
    secrets: Vec<Use>,
    keys: Vec<KeyUse>,
    tools: Vec<ToolUse>,
}

impl Asks {
    pub(super) fn new() -> Self {
        Self {
            files: files(),
            requests: requests(),
            connections: connections(),
            starts: starts(),
            variables: variables(),
            secrets: secrets(),
            keys: keys(),
            tools: tools(),
        }
    }

    pub(super) fn visit(&self, visit: &mut impl Visit) {
        visit.capability::<Filesystem>(&self.files);
        visit.capability::<Network>(&self.requests);
        visit.capability::<Sockets>(&self.connections);
        visit.capability::<Subprocess>(&self.starts);
        visit.capability::<Environment>(&self.variables);
        visit.capability::<Secret>(&self.secrets);
        visit.capability::<KeyValue>(&self.keys);
        visit.capability::<ToolCall>(&self.tools);
        visit.capability::<Clocks>(&[()]);
        visit.capability::<Random>(&[()]);
    }
}

fn files() -> Vec<FileAsk> {
    let ask = |mount: &str, path: &str, right| {
        let path = MountPath::root().joined(path).expect("a path");
        FileAsk::exact(&mount.parse().expect("a name"), &path, right)
    };
    vec![
        ask("workspace", "", FileRight::List),
        ask("workspace", "a", FileRight::Read),
        ask("workspace", "a/b", FileRight::Write),
        ask("workspace", "c/b", FileRight::Create),
        FileAsk {
            extent: crate::capability::filesystem::Extent::Below,
            ..ask("workspace", "a", FileRight::Delete)
        },
        ask("scratch", "a", FileRight::Create),
        ask("refs", "a/b/c", FileRight::Read),
    ]
}

fn requests() -> Vec<network::Ask> {
    let ask = |method: &str, url: &str, headers: &[&str], address: Option<&str>| network::Ask {
        target: Target::parse(url).expect("a target"),
        method: method.to_owned(),
        headers: headers.iter().map(|name| (*name).to_owned()).collect(),
        address: address.map(|text| text.parse().expect("an address")),
    };
    let items = "https://api.example.org/v1/items";
    vec![
        ask("GET", items, &[], None),
        ask("GET", items, &[], Some("93.184.215.14")),
        ask("GET", items, &[], Some("10.1.2.3")),
        ask(
            "POST",
            "https://api.example.org/v1/items/1",
            &["x-one"],
            None,
        ),
        ask("GET", "https://a.b.example.org/", &[], None),
        ask("GET", "https://10.1.2.3/", &[], None),
        ask("GET", "http://other.test:8443/v1/x", &[], None),
    ]
}

fn connections() -> Vec<sockets::Ask> {
    let to = |port, address: &str, names: &[&str], protocol, tls| {
        let names = names.iter().map(|name| name.parse().expect("a name"));
        sockets::Ask::Connect(Connect {
            protocol,
            address: address.parse::<IpAddr>().expect("an address"),
            port,
            names: names.collect(),
            tls,
        })
    };
    let public = "93.184.215.14";
    let name = &["db.example.org"];
    vec![
        sockets::Ask::Lookup("db.example.org".parse().expect("a name")),
        sockets::Ask::Lookup("other.test".parse().expect("a name")),
        to(5432, public, name, Protocol::Tcp, Tls::None),
        to(5432, "10.1.2.3", name, Protocol::Tcp, Tls::None),
        to(25, "10.1.2.3", &[], Protocol::Tcp, Tls::None),
        to(25, public, name, Protocol::Udp, Tls::None),
        to(25, public, name, Protocol::Tcp, Tls::Required),
    ]
}

fn starts() -> Vec<Start> {
    let place = |mount: &str, path: &str| Place::new(mount, path).expect("a place");
    let text = |text: &str| Argument::Text(text.to_owned());
    let path = Argument::Path {
        prefix: String::new(),
        place: place("workspace", "a/b"),
    };
    let start = |program: &str, arguments: Vec<Argument>, stdin, cwd| {
        Start::new(program.to_owned(), arguments, stdin, cwd).expect("well formed")
    };
    vec![
        start("git", vec![], 0, place("workspace", "")),
        start("git", vec![text("log")], 0, place("workspace", "a")),
        start("git", vec![text("status")], 8, place("workspace", "a")),
        start(
            "git",
            vec![text("-n5"), text("x")],
            0,
            place("workspace", ""),
        ),
        start("git", vec![path], 0, place("refs", "")),
        start("cc", vec![text("log")], 0, place("workspace", "b")),
    ]
}

fn variables() -> Vec<Variable> {
    let sources = [
        ("A", Source::Value("v".into())),
        ("B", Source::Value("w".into())),
        ("C", Source::Host),
    ];
    let variable = |(name, source): (&str, Source)| Variable {
        name: name.parse().expect("a name"),
        source,
    };
    sources.map(variable).into()
}

fn secrets() -> Vec<Use> {
    let site = network::Origin::parse(Scheme::Https, "api.example.org").expect("an origin");
    let ask = |name: &str, way| Use {
        name: name.to_owned(),
        way,
    };
    let header = Way::Header {
        site: site.clone(),
        name: "authorization".to_owned(),
    };
    let query = Way::Query {
        site,
        name: "key".to_owned(),
    };
    let program = "git".to_owned();
    vec![
        ask("token", Way::Hold),
        ask("token", Way::Expose),
        ask("token", header),
        ask("token", query),
        ask("other", Way::Stdin { program }),
    ]
}

fn keys() -> Vec<KeyUse> {
    let ask = |scope, right, key: &str| KeyUse {
        scope,
        right,
        key: key.to_owned(),
    };
    vec![
        ask(Scope::Tool, KeyRight::Read, "a"),
        ask(Scope::Tool, KeyRight::Write, "a/b"),
        ask(Scope::Tool, KeyRight::Delete, "a/b/c"),
        ask(Scope::Agent, KeyRight::List, "b"),
    ]
}

fn tools() -> Vec<ToolUse> {
    let ask = |tool: &str, version: Option<&str>| ToolUse {
        tool: tool.parse().expect("a name"),
        version: version.map(|text| text.parse().expect("a version")),
    };
    vec![
        ask("x", Some("1.0.0")),
        ask("x", Some("2.0.0")),
        ask("y", None),
        ask("yz", Some("1.0.0")),
        ask("z", Some("1.0.0")),
    ]
}

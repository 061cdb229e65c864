use proptest::prelude::*;

use super::{DEPTH_MAX, Format, TEXT_BYTES_MAX, read};
use crate::testing::{cases, parse, read as policy};

/// The mistakes of a text, as `line:column: reason`.
fn mistakes(text: &str, format: Format) -> Vec<String> {
    let error = policy(text.as_bytes(), format).expect_err(text);
    error.mistakes().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(text: &str, format: Format, place: &str, reason: &str) {
    let mistakes = mistakes(text, format);
    let found = mistakes
        .iter()
        .any(|mistake| mistake.starts_with(&format!("{place}: ")) && mistake.contains(reason));
    assert!(
        found,
        "{text}\nexpected {place} … {reason}\nfound {mistakes:#?}"
    );
}

use Format::{Json, Toml, Yaml};

/// PO-01: empty, too large, no map at all.
#[test]
fn what_is_no_document_says_so() {
    for format in [Yaml, Toml, Json] {
        check("", format, "1:1", "it is empty");
        check(" \n\t\n", format, "1:1", "it is empty");
        check("\u{feff}version: 1", format, "1:1", "byte order mark");
        let large = " ".repeat(TEXT_BYTES_MAX + 1);
        check(&large, format, "1:1", "too large");
    }
    let mistakes = policy(b"version: 1\nname: \"\xff\"", Yaml).expect_err("no UTF-8");
    assert_eq!(mistakes.mistakes()[0].to_string(), "2:8: it is not UTF-8");
    check(
        "null",
        Yaml,
        "1:1",
        "expected a map with the keys of a policy",
    );
    check(
        "null",
        Json,
        "1:1",
        "expected a map with the keys of a policy",
    );
    check(
        "[]",
        Json,
        "1:1",
        "expected a map with the keys of a policy",
    );
    check("{}", Json, "1:1", "missing field `version`");
    check("{version: 2}", Yaml, "1:11", "reads version 1");
}

/// PO-01: cut off.
#[test]
fn what_is_cut_off_is_refused_at_its_end() {
    check(
        "{\"version\": 1, \"rules\": [",
        Json,
        "1:26",
        "ends in the middle",
    );
    check("{\"version\": 1", Json, "1:14", "expected `,` or `}`");
    check("version = 1\nrules = [", Toml, "2:10", "unclosed array");
    let yaml = mistakes("version: 1\nrules: [{tools: [", Yaml);
    assert_eq!(yaml.len(), 1, "{yaml:?}");
}

/// PO-01: a key that stands twice.
#[test]
fn keys_twice_are_refused_where_the_second_stands() {
    check("version: 1\nversion: 1", Yaml, "2:1", "second time");
    check(
        "version: 1\nrules:\n  - tools: []\n    tools: []",
        Yaml,
        "4:5",
        "second time",
    );
    check(
        "{\"version\": 1,\n \"version\": 1}",
        Json,
        "2:2",
        "second time",
    );
    check(
        "{\"version\": 1, \"rules\": [{\"tools\": [],\n \"tools\": []}]}",
        Json,
        "2:2",
        "second time",
    );
    check("version = 1\nversion = 1", Toml, "2:1", "duplicate key");
}

/// PO-01: a key that nobody knows.
#[test]
fn unknown_keys_are_refused_where_they_stand() {
    check(
        "version: 1\nrulez: []",
        Yaml,
        "2:1",
        "unknown field `rulez`",
    );
    check(
        "version = 1\nrulez = []",
        Toml,
        "2:1",
        "unknown field `rulez`",
    );
    check(
        "{\"version\": 1,\n \"rulez\": []}",
        Json,
        "2:2",
        "unknown field `rulez`",
    );
    let rule = "version: 1\nrules:\n  - tools: ['*']\n    alow: {}\n";
    check(rule, Yaml, "4:5", "unknown field `alow`");
    let capability = "version: 1\nrules:\n  - tools: ['*']\n    allow:\n      netwrok: []\n";
    check(capability, Yaml, "5:7", "unknown key `netwrok`");
    let entry = "version: 1\nrules:\n  - tools: ['*']\n    allow:\n      network:\n        - {host: a.org, prot: 1}\n";
    check(entry, Yaml, "6:25", "unknown field `prot`");
    let entry = "version = 1\n[[rules]]\ntools = ['*']\n[[rules.allow.network]]\nhost = 'a.org'\nprot = 1\n";
    check(entry, Toml, "6:1", "unknown field `prot`");
    let entry = "{\"version\": 1, \"rules\": [{\"tools\": [\"*\"], \"allow\": {\"network\": [\n  {\"host\": \"a.org\",\n   \"prot\": 1}]}}]}";
    check(entry, Json, "3:4", "unknown field `prot`");
}

/// What stands in a rule after its tools, where the mistake is, and what is said about it.
const WRONG: [(&str, &str, &str); 17] = [
    (
        "allow: []",
        "4:12",
        "expected a map by capability, found a list",
    ),
    (
        "allow:",
        "4:",
        "expected a map by capability, found nothing",
    ),
    (
        "limits: {memory: 64}\n    name: ''",
        "5:11",
        "a name has 1 to 64",
    ),
    ("limits: {deadline: 30}", "4:24", "with its unit"),
    (
        "limits: {memory: 64mb}",
        "4:22",
        "expected a whole number and B",
    ),
    ("deny: {call: false}", "4:18", "denies nothing"),
    ("deny: {call: yes}", "4:18", "expected a boolean"),
    ("until: tomorrow", "4:12", "expected RFC 3339"),
    ("use: [nowhere]", "4:11", "no profile is called `nowhere`"),
    ("approval: maybe", "4:15", "unknown word `maybe`"),
    ("callers: {}", "4:14", "leave `callers` out"),
    ("callers: {roles: [Admin]}", "4:23", "unknown word `Admin`"),
    (
        "allow: {filesystem: [{mount: nowhere}]}",
        "4:26",
        "no mount is called `nowhere`",
    ),
    (
        "allow: {subprocess: [{program: git}]}",
        "4:26",
        "no program is called `git`",
    ),
    ("allow: {network: [{host: 'a..b'}]}", "4:30", ""),
    ("allow: {clocks: [any]}", "4:22", "say which"),
    (
        "deny: {clocks: [real]}",
        "4:21",
        "a deny of clocks is `any`",
    ),
];

/// PO-01: a list is no map, not even when there is nothing in it.
#[test]
fn lists_are_no_maps() {
    for (text, place) in [
        ("schemas: []", "2:10"),
        ("limits: []", "2:9"),
        ("limits: [1, 2]", "2:9"),
        ("rules: [[]]", "2:9"),
        ("mounts: {a: []}", "2:13"),
        ("programs: {a: {path: /bin/a, limits: []}}", "2:38"),
        ("rules: [{tools: ['*'], allow: []}]", "2:31"),
        ("rules: [{tools: ['*'], callers: []}]", "2:33"),
        ("rules: [{tools: ['*'], allow: {network: [[]]}}]", "2:42"),
    ] {
        check(
            &format!("version: 1\n{text}"),
            Yaml,
            place,
            "expected a map",
        );
    }
}

/// PO-01: wrong types and values.
#[test]
fn wrong_values_in_rules_are_refused_where_they_stand() {
    let rule = |inner: &str| format!("version: 1\nrules:\n  - tools: ['*']\n    {inner}\n");
    for (inner, place, reason) in WRONG {
        let text = rule(inner);
        let mistakes = mistakes(&text, Yaml);
        let found = mistakes
            .iter()
            .any(|it| it.starts_with(place) && it.contains(reason));
        assert!(
            found,
            "{text}expected {place} {reason}\nfound {mistakes:#?}"
        );
    }
}

#[test]
fn wrong_values_are_refused_where_they_stand() {
    check(
        "version: 1\nrules:\n  - allow: {}",
        Yaml,
        "3:5",
        "missing field `tools`",
    );
    check(
        "version: 1\nrules:\n  - tools: [Files]",
        Yaml,
        "3:13",
        "selects no tool",
    );
    check(
        "version: 1\nmounts: {a: {path: b}}",
        Yaml,
        "2:20",
        "not absolute",
    );
    check(
        "version: 1\nprofiles: {isolated: {}}",
        Yaml,
        "2:12",
        "built in",
    );
    check(
        "version: 1\nname: built-in",
        Yaml,
        "2:7",
        "only the policy of the host itself",
    );
}

/// Texts that are wrong in their types and forms.
fn misshapen() -> Vec<String> {
    let allow = |entry: &str| format!("version: 1\nrules: [{{tools: [a], allow: {{{entry}}}}}]");
    let git = |arguments: &str| {
        let program = format!("programs: {{git: {{path: /usr/bin/git, {arguments}}}}}");
        format!("version: 1\n{program}")
    };
    vec![
        "version: 1\nversion: 1".to_owned(),
        "version: 1\n---\nversion: 1".to_owned(),
        "version: 1\n...\n---\n{}".to_owned(),
        "version: 1\n<<: {name: a}".to_owned(),
        "version: 1\nrules: 5".to_owned(),
        "version: 1\nrules: [5]".to_owned(),
        "version: 1\nrules: [[]]".to_owned(),
        "version: 1\nschemas: 5".to_owned(),
        "version: 1\nlimits: 5".to_owned(),
        "version: 1\nadmission: [tool]".to_owned(),
        "version: 1\nadmission: [{per: all, concurrency: 1}]".to_owned(),
        "version: 1\nadmission: [{per: {}, concurrency: 1}]".to_owned(),
        "version: 1\nadmission: [{per: {tool: 1}, concurrency: 1}]".to_owned(),
        "version: 1\nadmission: [{per: tool, rate: 5}]".to_owned(),
        "version: 1\nmounts: {a: 5}".to_owned(),
        "version: 1\nprograms: {a: []}".to_owned(),
        "version: 1\n~: 5".to_owned(),
        "version: !!binary gICA".to_owned(),
        "version: 1\nrules: [{tools: [a], safety: strict}]".to_owned(),
        "version: 1\nrules: [{tools: [a], safety: {destructive: no}}]".to_owned(),
        "version: 1\nrules: [{tools: [a], approval: {ask: yes}}]".to_owned(),
        "version: 1\nrules: [{tools: [a], callers: [user]}]".to_owned(),
        allow("network: [5]"),
        allow("network: [{host: a.org, scheme: ftp}]"),
        allow("network: [{host: a.org, at: 5}]"),
        allow("sockets: [{host: a.org, port: {from: 1}}]"),
        allow("sockets: [{host: a.org, port: 70000}]"),
        allow("sockets: [{host: a.org, port: [1, 2]}]"),
        allow("filesystem: [workspace]"),
        allow("filesystem: [{mount: workspace, quota: 5}]"),
        allow("subprocess: [git]"),
        allow("environment: [TZ]"),
        allow("secrets: [5]"),
        allow("key_value: [all]"),
        allow("tool_call: [other]"),
        allow("clocks: [{}]"),
        allow("clocks: [{real: 1}]"),
        allow("random: [5]"),
        git("arguments: {positions: [text]}"),
        git("arguments: {positions: [{text: 5}]}"),
        git("arguments: {positions: [{one_of: {}}]}"),
        git("arguments: {positions: [one_of]}"),
        git("arguments: {flags: {--a: joined}}"),
        git("arguments: {flags: {--a: {joined: 5}}}"),
        git("arguments: {flags: {--a: []}}"),
        git("environment: []"),
    ]
}

/// Whoever reads a mistake wrote a policy, and never saw the program that reads it.
#[test]
fn mistakes_speak_of_the_policy() {
    let texts = misshapen();
    let refused = texts
        .iter()
        .filter_map(|text| Some((text, parse(text).err()?)));
    let told: Vec<_> = refused
        .map(|(text, error)| (text.clone(), vec![error.to_string()]))
        .collect();
    assert!(told.len() > texts.len() - 5, "{told:#?}");
    let uses = [
        "",
        "subprocess: {start: 5}",
        "subprocess: {stat: [a]}",
        "subprocess: {}",
        "subprocess: 5",
        "sockets: {connect: []}",
        "sockets: {connect: a, tls: none at all}",
        "secrets: []",
        "environment: {name: []}",
        "network: {request: 5}",
    ];
    let asked = uses.map(|text| {
        let error = text.parse::<crate::Use>().expect_err(text);
        assert!(!error.to_string().contains("version: 1"), "{error}");
        (text.to_owned(), vec![error.to_string()])
    });
    let inner = ["enum ", "struct ", "Options", "from_str", "variant"];
    for (text, mistakes) in told.into_iter().chain(asked) {
        for mistake in mistakes {
            let word = inner.iter().find(|word| mistake.contains(**word));
            assert_eq!(word, None, "{text}\n{mistake}");
        }
    }
}

#[test]
fn every_mistake_is_told() {
    let text = "version: 2\nprofiles: {a: {alow: {}}}\nrules:\n  - tools: [A]\n    allow: {x: []}\n  - tool: [b]\n    allow: {network: [{}, {host: 1}]}\n";
    let mistakes = mistakes(text, Yaml);
    let places: Vec<_> = mistakes
        .iter()
        .filter_map(|mistake| mistake.split_once(": "))
        .map(|(place, _)| place)
        .collect();
    assert_eq!(
        places,
        ["1:10", "2:16", "4:13", "5:13", "6:5", "7:23", "7:34"],
        "{mistakes:#?}"
    );
}

/// PO-01: what expands without end.
#[test]
fn bombs_go_off_in_an_error() {
    let mut bomb = String::from("version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let item = format!("*a{}, ", level - 1).repeat(10);
        let line = format!("a{level}: &a{level} [{}]\n", item.trim_end_matches(", "));
        bomb.push_str(&line);
    }
    let mistakes = read(bomb.as_bytes(), Yaml).expect_err("a bomb");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(read(deep.as_bytes(), Json).is_err());
        assert!(read(deep.as_bytes(), Yaml).is_err());
    }
    let deep = format!("a = {}1{}", "[".repeat(60), "]".repeat(60));
    assert!(read(deep.as_bytes(), Toml).is_err());
    let fits = format!("{}1{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    assert!(read(fits.as_bytes(), Json).is_ok());
}

#[test]
fn yaml_has_no_second_reading() {
    // A country is no truth value, a time is a text, and nothing is added by tags or merges.
    assert!(parse("{version: 1, rules: [{name: no, tools: ['*']}]}").is_ok());
    assert!(parse("version: 1\nrules: [{tools: ['*'], until: 2030-01-01T00:00:00Z}]").is_ok());
    assert!(parse("version: !!int \"1\"\nrules: [{<<: {tools: ['*']}}]").is_err());
    let anchors =
        "version: 1\nrules:\n  - tools: &t ['a']\n    allow: {}\n  - tools: *t\n    allow: {}\n";
    assert!(parse(anchors).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [Yaml, Toml, Json] {
            drop(policy(&bytes, format));
        }
    }

    #[test]
    fn no_nearly_right_text_makes_a_reader_panic(
        at in any::<prop::sample::Index>(),
        with in "[\\PC\\n]{0,4}",
    ) {
        let text = "version: 1\nrules:\n  - tools: ['*']\n    allow: {network: [{host: a.org}]}\n    until: 2030-01-01T00:00:00Z\n    limits: {memory: 64MiB}\n";
        let at = at.index(text.len());
        let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        for format in [Yaml, Toml, Json] {
            drop(policy(changed.as_bytes(), format));
        }
    }

    #[test]
    fn json_is_read_as_everybody_reads_it(text in r#"([\[\]{},:"0-9a\\n \n.eE+-]|"a"|true|null|\{"b":){0,24}"#) {
        let usual = serde_json::from_str::<serde_json::Value>(&text);
        match (read(text.as_bytes(), Json), usual) {
            (Ok(own), Ok(usual)) => prop_assert_eq!(own.to_json(), usual),
            (Ok(own), Err(error)) => prop_assert!(false, "{:?} {}", own, error),
            (Err(mistakes), Ok(_)) => {
                let known = ["second time", "so large", "nothing", "empty"];
                let reason = mistakes[0].to_string();
                prop_assert!(known.iter().any(|known| reason.contains(known)), "{}", reason);
            }
            (Err(_), Err(_)) => {}
        }
    }
}

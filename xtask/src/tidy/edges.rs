//! Which crate may depend on which. An arrow that is not here needs a decision record in docs/adr.

use crate::graph::{Graph, Kind, Package};

/// Crates of `host/` and what each may depend on, without the common prefix of their names.
/// A crate that is not listed is a fault, so that nobody adds one without an answer.
const HOST: [(&str, &[&str]); 24] = [
    ("access", &["store-api", "types"]),
    ("audit", &["store-api", "types"]),
    ("cli", &["server", "wire"]),
    ("egress", &["policy", "types"]),
    ("engine", &["models", "store-api", "toolbox", "types"]),
    ("files", &["policy"]),
    ("http", DOOR),
    ("mcp", DOOR),
    ("models", &["types"]),
    ("policy", &["types"]),
    ("process", &["policy", "types"]),
    ("registry", &["schema", "store-api", "types"]),
    (
        "runtime",
        &["egress", "files", "policy", "process", "types", "values"],
    ),
    ("schema", &["types"]),
    ("secrets", &["store-api", "types"]),
    ("server", SERVER),
    ("store-api", &["types"]),
    ("store-embedded", &["store-api", "types"]),
    ("store-memory", &["store-api", "types"]),
    ("store-redis", &["store-api", "types"]),
    (
        "toolbox",
        &["audit", "policy", "registry", "runtime", "secrets", "types"],
    ),
    ("types", &[]),
    ("values", &["types"]),
    ("wire", &["types"]),
];
const DOOR: &[&str] = &["access", "engine", "registry", "toolbox", "types", "wire"];
/// The composition root names everything but its own user.
const SERVER: &[&str] = &[
    "access",
    "audit",
    "egress",
    "engine",
    "http",
    "mcp",
    "models",
    "policy",
    "process",
    "registry",
    "runtime",
    "schema",
    "secrets",
    "store-api",
    "store-embedded",
    "store-memory",
    "store-redis",
    "toolbox",
    "types",
    "values",
    "wire",
];
/// The black-box suites.
const SUITES: &[&str] = &["server", "testing", "toolbox", "types", "wire"];
/// The benchmarks, which also measure single layers.
const BENCHES: &[&str] = &[
    "http", "policy", "server", "testing", "toolbox", "types", "wire",
];
const PREFIX: &str = "cofferdam-";

/// Every edge between members that the table does not allow.
pub(super) fn check(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = 0;
    for package in &graph.packages {
        let folder = graph.folder(package);
        let Some(allowed) = allowed(&folder, package) else {
            faults.push(format!(
                "{folder}: the table of edges does not know this crate"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let target = graph
                .packages
                .iter()
                .find(|other| other.name == dependency.name);
            let Some(target) = target else { continue };
            seen += 1;
            let free = dependency.kind == Some(Kind::Dev) && target.name != "cofferdam-cli";
            if !free && !allowed.contains(&target.name) {
                faults.push(format!(
                    "{folder}/Cargo.toml: {} may not depend on {}",
                    package.name, target.name
                ));
            }
        }
    }
    if seen == 0 {
        faults.push("no edge between crates was found to check".to_owned());
    }
    faults
}

/// The members that `package` may depend on; `None` for a crate without a place.
fn allowed(folder: &str, package: &Package) -> Option<Vec<String>> {
    let host = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("{PREFIX}{name}")).collect()
    };
    match folder.split_once('/') {
        // Shared fixtures may build a whole server; nothing but tests may use them.
        Some(("host", "testing")) => Some([host(SERVER), host(&["server"])].concat()),
        Some(("host", name)) if package.name == format!("{PREFIX}{name}") => HOST
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, may)| host(may)),
        Some(("tools", _)) => Some(host(&["sdk"])),
        Some(("tests", rest)) if rest.starts_with("guests/") => Some(host(&["sdk"])),
        Some(("tests", rest)) if rest.starts_with("interop/") => Some(Vec::new()),
        Some(("tests", "load")) => Some(host(BENCHES)),
        Some(("guest-sdk", "rust")) => Some(host(&["sdk-macros"])),
        Some(("guest-sdk", _)) => Some(Vec::new()),
        None if folder == "tests" => Some(host(SUITES)),
        None if folder == "xtask" => Some(Vec::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace of two crates, of which the first depends on the second.
    fn check_one(user: &str, target: &str, kind: Option<&str>) -> Vec<String> {
        let package = |folder: &str, dependencies: serde_json::Value| {
            let name = match folder.rsplit_once('/') {
                Some(("host", name)) => format!("{PREFIX}{name}"),
                Some((_, "rust")) => format!("{PREFIX}sdk"),
                Some((_, name)) => name.to_owned(),
                None => folder.to_owned(),
            };
            json!({
                "id": name, "name": name, "version": "0.1.0", "license": null, "targets": [],
                "manifest_path": format!("/repo/{folder}/Cargo.toml"),
                "dependencies": dependencies,
            })
        };
        let target = package(target, json!([]));
        let serde = json!({"name": "serde", "kind": null});
        let user = package(user, json!([{"name": target["name"], "kind": kind}, serde]));
        let graph = json!({
            "packages": [user, target], "workspace_root": "/repo", "target_directory": "/repo/target",
        });
        check(&serde_json::from_value(graph).expect("the sample has the shape of cargo's answer"))
    }

    #[test]
    fn arrows_of_the_table_pass_and_others_do_not() {
        let cases = [
            ("host/policy", "host/types", None, true),
            ("host/policy", "host/runtime", None, false),
            ("host/policy", "host/runtime", Some("build"), false),
            ("host/policy", "host/runtime", Some("dev"), true),
            ("host/http", "host/runtime", None, false),
            ("host/cli", "host/server", None, true),
            ("host/server", "host/cli", None, false),
            ("host/http", "host/cli", Some("dev"), false),
            ("host/engine", "host/testing", None, false),
            ("tools/files", "guest-sdk/rust", None, true),
            ("tools/files", "host/types", None, false),
            ("tests/guests/spin", "guest-sdk/rust", None, true),
            ("tests", "host/testing", None, true),
            ("guest-sdk/rust", "host/types", None, false),
            ("guest-sdk/test", "host/types", None, false),
            ("guest-sdk/test", "guest-sdk/rust", None, false),
            ("xtask", "host/types", None, false),
        ];
        for (user, target, kind, passes) in cases {
            let faults = check_one(user, target, kind);
            assert_eq!(
                faults.is_empty(),
                passes,
                "{user} → {target} {kind:?}: {faults:?}"
            );
        }
    }

    #[test]
    fn a_crate_without_a_place_is_a_fault() {
        let fault = "host/extra: the table of edges does not know this crate";
        assert_eq!(check_one("host/server", "host/extra", Some("dev")), [fault]);
    }

    #[test]
    fn nothing_to_check_is_a_fault() {
        let graph =
            json!({"packages": [], "workspace_root": "/repo", "target_directory": "/repo/target"});
        let graph =
            serde_json::from_value(graph).expect("the sample has the shape of cargo's answer");
        assert_eq!(check(&graph), ["no edge between crates was found to check"]);
    }
}

use anyhow::{Result, ensure};
use cofferdam_testing::{Guest, Host, Plain};
use serde_json::json;

use super::{CALC, CALC_WIT, add, places, reason, result, says};

const NEGATE_WIT: &str = "package docs:calc@1.2.0; world w { export negate: func(a: s32) -> s32; }";
const NEGATE: &str =
    r#"(func (export "negate") (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))"#;

#[tokio::test]
async fn the_name_comes_from_parameters_then_the_component_then_its_package() -> Result<()> {
    let host = Host::start()?;
    let package = Plain::new(CALC_WIT, CALC);
    let own = package.clone().called("reckon").versioned("2.0.0-rc.1");
    let unusable = package.clone().called("My Tool!").versioned("latest");
    let world = Plain::new(NEGATE_WIT, NEGATE);
    let given = [("name", "abacus"), ("version", "3.0.0")];
    let fallback = [("fallback_name", "stem")];
    for (plain, parameters, component, version) in [
        (&package, &[][..], "calc", "1.2.0"),
        (&own, &[][..], "reckon", "2.0.0-rc.1"),
        (&own, &given[..], "abacus", "3.0.0"),
        (&own, &given[1..], "reckon", "3.0.0"),
        (&unusable, &given[1..], "calc", "3.0.0"),
        (&package, &given[..1], "abacus", "1.2.0"),
        (&world, &fallback[..], "stem", "0.1.0"),
    ] {
        let added = add(&host, plain, parameters).await?;
        ensure!(added["component"] == component, "{added}");
        ensure!(added["version"] == version, "{added}");
    }
    let answer = host.upload(world.component()?).await?;
    says(&answer, "component_invalid", "parameter `name`")?;
    let answer = host
        .upload_as(world.component()?, &[("name", "My_Tool")])
        .await?;
    says(&answer, "invalid_input", "My_Tool")?;
    let answer = host
        .upload_as(world.component()?, &[("version", "1")])
        .await?;
    says(&answer, "invalid_input", "version")?;
    host.stop()
}

#[tokio::test]
async fn the_list_of_exports_narrows() -> Result<()> {
    let host = Host::start()?;
    let calc = Plain::new(CALC_WIT, CALC);
    for (version, export) in [("1.0.0", "mul"), ("1.0.1", "docs:calc/ops@1.2.0#mul")] {
        let parameters = [("version", version), ("export", export)];
        let added = add(&host, &calc, &parameters).await?;
        ensure!(added["tools"] == json!(["calc-mul"]), "{added}");
        let why = reason(&added, "docs:calc/ops@1.2.0#add")?;
        ensure!(why.contains("list of exports"), "{why}");
    }
    let answer = host
        .upload_as(calc.component()?, &[("export", "mul"), ("export", "div")])
        .await?;
    says(&answer, "invalid_input", "`div`")?;
    says(&answer, "invalid_input", "docs:calc/ops@1.2.0#add")?;
    ensure!(places(&answer) == ["/export"], "{}", answer.body);
    let answer = host.call("calc-add", json!({}), json!({})).await?;
    says(&answer, "not_found", "calc-add")?;
    ensure!(result(&host, "calc-mul", json!({"a": 6, "b": 7})).await? == 42);
    host.stop()
}

#[tokio::test]
async fn functions_of_one_name_are_told_apart_by_their_interfaces() -> Result<()> {
    let host = Host::start()?;
    let wit = "package docs:geo@0.3.0;
        interface circle { area: func() -> u32; only: func() -> u32; }
        interface square { area: func() -> u32; }
        world geo { export circle; export square; export area: func() -> u32; }";
    let code = r#"
        (func (export "docs:geo/circle@0.3.0#area") (result i32) (i32.const 3))
        (func (export "docs:geo/circle@0.3.0#only") (result i32) (i32.const 1))
        (func (export "docs:geo/square@0.3.0#area") (result i32) (i32.const 4))
        (func (export "area") (result i32) (i32.const 0))"#;
    let geo = Plain::new(wit, code).called("geo");
    let added = add(&host, &geo, &[]).await?;
    let mut tools: Vec<_> = added["tools"].as_array().into_iter().flatten().collect();
    tools.sort_by_key(ToString::to_string);
    let names = ["geo-area", "geo-circle-area", "geo-only", "geo-square-area"];
    ensure!(tools == names, "{added}");
    for (tool, expected) in [
        ("geo-area", 0),
        ("geo-circle-area", 3),
        ("geo-square-area", 4),
    ] {
        let found = result(&host, tool, json!({})).await?;
        ensure!(found == expected, "{tool}: {found}");
    }
    host.stop()
}

/// Where even interfaces don't tell two functions apart, the whole is refused, and the list of
/// exports helps.
#[tokio::test]
async fn names_that_fall_together_are_refused_until_one_is_chosen() -> Result<()> {
    let host = Host::start()?;
    let wit = "package docs:both;
        world both { export one:x/ops; export two:x/ops; }
        package one:x { interface ops { get: func() -> u32; } }
        package two:x { interface ops { get: func() -> u32; } }";
    let code = r#"
        (func (export "one:x/ops#get") (result i32) (i32.const 1))
        (func (export "two:x/ops#get") (result i32) (i32.const 2))"#;
    let both = Plain::new(wit, code).called("both");
    let answer = host.upload(both.component()?).await?;
    says(&answer, "component_invalid", "another tool has this name")?;
    add(&host, &both, &[("export", "two:x/ops#get")]).await?;
    ensure!(result(&host, "both-ops-get", json!({})).await? == 2);
    host.stop()
}

#[tokio::test]
async fn a_tool_that_another_component_has_is_a_conflict_and_stays_as_it_was() -> Result<()> {
    let host = Host::start()?;
    let component = |function: &str, value: u32| {
        let wit = format!("package t:t; world w {{ export {function}: func() -> u32; }}");
        let code = format!(r#"(func (export "{function}") (result i32) (i32.const {value}))"#);
        Plain::new(&wit, &code)
    };
    add(&host, &component("c", 1), &[("name", "a-b")]).await?;
    let second = component("b-c", 2).component()?;
    let answer = host.upload_as(second, &[("name", "a")]).await?;
    says(&answer, "conflict", "a-b-c")?;
    // Another component under a name and version that are taken.
    let other = component("c", 3).component()?;
    let answer = host.upload_as(other, &[("name", "a-b")]).await?;
    says(&answer, "conflict", "a-b")?;
    ensure!(result(&host, "a-b-c", json!({})).await? == 1);
    let tools = host.get("/api/v1/tools").await?.ok()?;
    ensure!(
        tools["items"].as_array().map(Vec::len) == Some(1),
        "{tools}"
    );
    host.stop()
}

#[tokio::test]
async fn a_component_that_describes_itself_takes_no_labels() -> Result<()> {
    let host = Host::start()?;
    for (parameter, value) in [("name", "mine"), ("version", "9.0.0"), ("export", "run")] {
        let component = Guest::well_behaved().component()?;
        let answer = host.upload_as(component, &[(parameter, value)]).await?;
        says(&answer, "invalid_input", "describes itself")?;
        ensure!(
            places(&answer) == [format!("/{parameter}")],
            "{}",
            answer.body
        );
    }
    // What the command line adds from the file's name says nothing about the component.
    let component = Guest::well_behaved().component()?;
    let added = host.upload_as(component, &[("fallback_name", "file")]);
    ensure!(added.await?.ok()?["component"] == "guest");
    host.stop()
}

#[tokio::test]
async fn names_are_lower_case_and_short() -> Result<()> {
    let host = Host::start()?;
    let long = format!("a{}", "-b".repeat(31));
    let wit = format!(
        "package t:t; world w {{ export get-URL: func() -> u32; export {long}: func() -> u32; }}"
    );
    let code = format!(
        r#"(func (export "get-URL") (result i32) (i32.const 1))
           (func (export "{long}") (result i32) (i32.const 2))"#
    );
    let added = add(&host, &Plain::new(&wit, &code), &[("name", "web")]).await?;
    ensure!(added["tools"] == json!(["web-get-url"]), "{added}");
    let why = reason(&added, &long)?;
    ensure!(why.contains("64"), "{why}");
    ensure!(result(&host, "web-get-url", json!({})).await? == 1);
    host.stop()
}

use crate::command::Place;

#[test]
fn help_of_every_command() {
    let place = Place::new();
    let mut shown = Vec::new();
    for command in [
        "",
        "serve",
        "tool",
        "tool new",
        "tool build",
        "tool test",
        "tool inspect",
        "tool docs",
        "tool add",
        "tool list",
        "tool show",
        "tool call",
        "policy",
        "policy check",
        "policy diff",
        "policy test",
        "policy schema",
        "policy explain",
        "policy shadow",
        "policy snapshot",
        "policy reload",
        "mcp",
        "task",
        "task run",
        "task list",
        "task show",
        "task events",
        "task cancel",
        "audit",
        "audit list",
        "audit show",
        "audit verify",
        "audit export",
    ] {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ended = place.run(&args).with_code(0);
        assert_eq!(ended.stderr, "");
        let help = &ended.stdout;
        // The options that every command takes are shown once.
        let own = match help.split_once("\nGlobal options:") {
            Some((own, _)) if !command.is_empty() => own,
            _ => help,
        };
        shown.push(format!(
            "$ cofferdam {}\n{}",
            args.join(" "),
            own.trim_end()
        ));
    }
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn nothing_secret_is_shown_in_help() {
    let place = Place::new().with("COFFERDAM_API_KEY", "ck_secret");
    let ended = place.run(&["tool", "list", "--help"]).with_code(0);
    assert!(!ended.stdout.contains("ck_secret"));
}

#[test]
fn the_version_is_the_packages() {
    let ended = Place::new().run(&["--version"]).with_code(0);
    assert_eq!(
        ended.stdout,
        concat!("cofferdam ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

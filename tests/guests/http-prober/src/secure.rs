use cofferdam_sdk::{ToolError, data, tool};

/// Where TLS begins.
#[data]
#[derive(Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    /// At once.
    Immediately,
    /// After the upgrade for mail that is sent.
    Smtp,
    /// After the upgrade for mail that is read.
    Imap,
}

/// Has the host connect over TLS, says a line, and answers with what comes back, or with the host's
/// word for why nothing does.
#[tool(capabilities(network))]
pub(crate) fn secure(
    /// Whom.
    host: String,
    /// Where there.
    port: u16,
    /// How.
    start: Start,
) -> Result<String, ToolError> {
    Ok(inside::talk(&host, port, start))
}

#[cfg(target_family = "wasm")]
mod inside {
    #[allow(unsafe_code, clippy::pedantic, reason = "generated from wit/")]
    mod bindings {
        wit_bindgen::generate!({
            path: "../../../wit",
            inline: "
                package prober:secure;

                world secure {
                    import cofferdam:tool/tls@0.1.0;
                }
            ",
            world: "prober:secure/secure",
            generate_all,
        });
    }

    use bindings::cofferdam::tool::tls::{self, connect};

    use super::Start;

    pub(super) fn talk(host: &str, port: u16, start: Start) -> String {
        let start = match start {
            Start::Immediately => tls::Start::Immediately,
            Start::Smtp => tls::Start::Smtp,
            Start::Imap => tls::Start::Imap,
        };
        let (input, output) = match connect(host, port, start) {
            Ok(streams) => streams,
            Err(code) => return code.name().to_owned(),
        };
        if output.blocking_write_and_flush(b"hello").is_err() {
            return "not written".to_owned();
        }
        match input.blocking_read(64) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => "not read".to_owned(),
        }
    }
}

#[cfg(not(target_family = "wasm"))]
mod inside {
    use super::Start;

    pub(super) fn talk(_: &str, _: u16, _: Start) -> String {
        "only inside the sandbox".to_owned()
    }
}

use anyhow::{Result, ensure};
use cofferdam_testing::{Host, Plain};
use serde_json::json;

use super::add;

/// As much of WASI's interfaces as a guest needs for one request. The error's cases are all of
/// them, since a variant is linked as a whole.
const WIT: &str = "package docs:fetch@0.1.0;
    world fetch {
        import wasi:http/types@0.2.0;
        import wasi:http/outgoing-handler@0.2.0;
        export fetch: func() -> u8;
    }
    package wasi:io@0.2.0 {
        interface poll { resource pollable { block: func(); } }
    }
    package wasi:http@0.2.0 {
        interface types {
            use wasi:io/poll@0.2.0.{pollable};
            record DNS-error-payload { rcode: option<string>, info-code: option<u16> }
            record TLS-alert-received-payload { alert-id: option<u8>, alert-message: option<string> }
            record field-size-payload { field-name: option<string>, field-size: option<u32> }
            variant error-code {
                DNS-timeout, DNS-error(DNS-error-payload), destination-not-found,
                destination-unavailable, destination-IP-prohibited, destination-IP-unroutable,
                connection-refused, connection-terminated, connection-timeout,
                connection-read-timeout, connection-write-timeout, connection-limit-reached,
                TLS-protocol-error, TLS-certificate-error,
                TLS-alert-received(TLS-alert-received-payload), HTTP-request-denied,
                HTTP-request-length-required, HTTP-request-body-size(option<u64>),
                HTTP-request-method-invalid, HTTP-request-URI-invalid, HTTP-request-URI-too-long,
                HTTP-request-header-section-size(option<u32>),
                HTTP-request-header-size(option<field-size-payload>),
                HTTP-request-trailer-section-size(option<u32>),
                HTTP-request-trailer-size(field-size-payload), HTTP-response-incomplete,
                HTTP-response-header-section-size(option<u32>),
                HTTP-response-header-size(field-size-payload), HTTP-response-body-size(option<u64>),
                HTTP-response-trailer-section-size(option<u32>),
                HTTP-response-trailer-size(field-size-payload),
                HTTP-response-transfer-coding(option<string>),
                HTTP-response-content-coding(option<string>), HTTP-response-timeout,
                HTTP-upgrade-failed, HTTP-protocol-error, loop-detected, configuration-error,
                internal-error(option<string>),
            }
            resource fields { constructor(); }
            type headers = fields;
            resource request-options;
            resource incoming-response;
            resource outgoing-request {
                constructor(headers: headers);
                set-authority: func(authority: option<string>) -> result;
                set-path-with-query: func(path-with-query: option<string>) -> result;
            }
            resource future-incoming-response {
                subscribe: func() -> pollable;
                get: func() -> option<result<result<incoming-response, error-code>>>;
            }
        }
        interface outgoing-handler {
            use types.{outgoing-request, request-options, future-incoming-response, error-code};
            handle: func(request: outgoing-request, options: option<request-options>)
                -> result<future-incoming-response, error-code>;
        }
    }";

/// Sends one request, waits for the response, and answers the position of the error's case.
const CODE: &str = r#"
    (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-request"
      (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority"
      (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query"
      (func $path (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe"
      (func $subscribe (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get"
      (func $get (param i32 i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle (param i32 i32 i32 i32)))
    (data (i32.const 1024) "example.com")
    (data (i32.const 1040) "/private?token=hidden")
    (func (export "fetch") (result i32) (local $own i32) (local $future i32)
      (local.set $own (call $request (call $fields)))
      (if (call $authority (local.get $own) (i32.const 1) (i32.const 1024) (i32.const 11))
        (then unreachable))
      (if (call $path (local.get $own) (i32.const 1) (i32.const 1040) (i32.const 21))
        (then unreachable))
      (call $handle (local.get $own) (i32.const 0) (i32.const 0) (i32.const 2048))
      (if (i32.load8_u (i32.const 2048)) (then (return (i32.load8_u (i32.const 2056)))))
      (local.set $future (i32.load (i32.const 2056)))
      (call $block (call $subscribe (local.get $future)))
      (call $get (local.get $future) (i32.const 4096))
      ;; some, then ok, then an error.
      (if (i32.ne (i32.load8_u (i32.const 4096)) (i32.const 1)) (then unreachable))
      (if (i32.load8_u (i32.const 4104)) (then unreachable))
      (if (i32.ne (i32.load8_u (i32.const 4112)) (i32.const 1)) (then unreachable))
      (i32.load8_u (i32.const 4120)))"#;
/// The position of `HTTP-request-denied`.
const DENIED: u8 = 15;

/// A guest goes on after a request that was refused, and its answer says what was.
#[tokio::test]
async fn a_request_is_refused_inside_the_guest_and_noted() -> Result<()> {
    let host = Host::start()?;
    let added = add(&host, &Plain::new(WIT, CODE).called("web"), &[]).await?;
    let imports = added["imports"].to_string();
    ensure!(
        imports.contains("wasi:http/outgoing-handler@0.2.0"),
        "{imports}"
    );
    let answer = host.call("web-fetch", json!({}), json!({})).await?.ok()?;
    ensure!(answer["result"] == DENIED, "{answer}");
    let [denial] = answer["denials"].as_array().map_or(&[][..], Vec::as_slice) else {
        anyhow::bail!("not one denial: {answer}");
    };
    ensure!(denial["capability"] == "network", "{denial}");
    ensure!(denial["operation"] == "GET", "{denial}");
    ensure!(
        denial["resource"] == "https://example.com/private",
        "{denial}"
    );
    ensure!(!answer.to_string().contains("hidden"), "{answer}");
    host.stop()
}

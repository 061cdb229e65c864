//! A web server of this machine, in the place of the host that a guide names.

use std::io::{Read, Write};
use std::net::TcpListener;

use anyhow::Result;

/// Whom guides fetch from.
pub(crate) const HOST: &str = "https://docs.example.org";

/// What the server answers.
pub(crate) enum Page {
    Text(&'static str),
    Moved(&'static str),
    Missing,
}

/// Serves pages by method and path, and answers the address.
pub(crate) fn serve(page: fn(&str) -> Page) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]);
            let line = request.split(" HTTP/1.1\r\n").next().unwrap_or_default();
            let (status, body, location) = match page(line) {
                Page::Text(body) => ("200 OK", body, String::new()),
                Page::Moved(to) => ("302 Found", "", format!("Location: {to}\r\n")),
                Page::Missing => ("404 Not Found", "", String::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
                 {location}Connection: close\r\n\r\n{body}",
                body.len()
            );
            // A client that left is its own business.
            stream.write_all(head.as_bytes()).ok();
        }
    });
    Ok(address)
}

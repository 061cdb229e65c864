//! A component for the wall to hold. `http-prober-send` sends requests over the bare interface, with
//! whatever is in them; `http-prober-open` opens raw sockets; `http-prober-secure` asks the host for
//! a connection over TLS. Each says for each attempt what came of it, and never fails itself.

mod open;
mod secure;
mod send;

cofferdam_sdk::tools![send::send, open::open, secure::secure,];

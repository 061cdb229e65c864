use std::sync::Arc;

use cofferdam_access::Access;
use cofferdam_http::{Allow, Mount, Router, mount};
use cofferdam_mcp::{Door, Http};
use cofferdam_toolbox::Toolbox;
use tokio_util::sync::CancellationToken;

use crate::ambient::System;
use crate::doors::Listen;

/// Where MCP clients come to.
const PATH: &str = "/mcp";

/// The MCP door in front of a toolbox.
pub(crate) fn door(toolbox: &Toolbox) -> Door {
    Door::new(toolbox.clone(), Arc::new(System))
}

/// The MCP door over HTTP, to be merged with the API; its streams end with `stop`.
pub(crate) fn routes(
    toolbox: &Toolbox,
    access: &Arc<Access>,
    listen: &Listen,
    stop: &CancellationToken,
) -> Router {
    mount(Mount {
        path: PATH,
        access: access.clone(),
        allow: Allow::new(
            listen.address,
            &listen.allowed_hosts,
            &listen.allowed_origins,
        ),
        service: Http::new(door(toolbox), stop.clone()),
    })
}

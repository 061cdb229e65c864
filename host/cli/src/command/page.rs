use clap::Args;

use crate::client::Request;

/// Which part of a list to show.
#[derive(Args)]
pub(crate) struct Page {
    /// At most so many, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = cofferdam_wire::page::PAGE_ITEMS_DEFAULT)]
    limit: u32,
    /// Those behind this one, as the page before said
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

impl Page {
    /// A request of this part.
    pub(crate) fn of<'a>(&self, path: &'a [&'a str]) -> Request<'a> {
        Request::get(path)
            .with("limit", Some(self.limit))
            .with("after", self.after.as_ref())
    }
}

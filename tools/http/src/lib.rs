//! The `http` component: fetches what an address answers and gives it back as a model reads it.
//!
//! It owns the words and the limits of this tool, how redirects are followed, and how bytes become
//! text. It refuses to know what may be reached: the host decides about every request by the
//! operator's policy, a redirect's included, and the tool is told no more than yes or no.
//!
//! Start with `fetch`: the arguments, the result, and the way between. `request` makes a request of
//! the arguments, `follow` sends it and goes along redirects, `content` says what kind of body came,
//! `charset` makes text of bytes, `markdown` makes Markdown of HTML, `page` cuts what is long.

mod charset;
mod content;
mod fetch;
mod follow;
mod markdown;
mod page;
mod request;

cofferdam_sdk::tools! { component = "http"; fetch::fetch }

#[cfg(test)]
mod tests;

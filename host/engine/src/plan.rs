//! Reading a plan: its templates, its conditions, and what both may refer to.

pub(crate) mod check;
pub(crate) mod condition;
pub(crate) mod reference;
pub(crate) mod template;

#[cfg(test)]
mod tests;

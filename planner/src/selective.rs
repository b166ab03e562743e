//! Visiting only what needs a visit.
//!
//! [`rows`] solves the row picture exactly (rows are aisles, headlands cross-aisles); `needed` says which swaths and
//! lanes of a full-coverage plan have anything to treat.

pub(crate) mod needed;
pub(crate) mod peeks;
pub mod rows;

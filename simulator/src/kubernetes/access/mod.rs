//! Who asks, and what they may do: tokens, roles, and the questions about them.
//!
//! It decides about requests only by who asks and what for; what a request says inside is none of its business, but for roles
//! that would give away more than their giver has.

mod attributes;
mod bootstrap;
mod escalation;
pub mod identities;
mod rbac;
mod reviews;
pub mod tokens;

pub use self::{
    attributes::Attributes,
    bootstrap::furnish,
    escalation::escalation,
    rbac::{Verdict, allowed},
    reviews::{request_token, review},
};

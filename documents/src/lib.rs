//! Documents as programs written in Go take them, which is what Talos' and Kubernetes' own tools are: YAML, every document of a
//! text with its lines, and the steps of RFC 6902 with their liberties.

pub mod steps;
pub mod yaml;

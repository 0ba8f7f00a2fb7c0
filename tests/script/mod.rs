mod check;
mod diagnostic;
mod fault;
mod json;
mod object;
mod outline;
mod syntax;
mod yaml;

mod check;
mod diagnostic;
mod fault;
mod json;
mod object;
mod syntax;
mod yaml;

mod check;
mod json;
mod object;
mod syntax;
mod yaml;

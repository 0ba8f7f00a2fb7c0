mod json;
mod object;
mod yaml;

mod address;
mod route;

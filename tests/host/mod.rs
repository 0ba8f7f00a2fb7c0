mod programs;
mod tunnel;

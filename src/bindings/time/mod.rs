//! Time: the clock, pauses, durations, timers and the bell. It knows no time but the host's.

mod clock;
mod duration;
mod moment;
mod timer;

use rhai::{Engine, plugin::*};

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "time",
    summary: "tells the time, pauses, measures, and rings the bell",
    functions: |module| {
        combine_with_exported_module!(module, "clock", clock::clock);
        combine_with_exported_module!(module, "duration", duration::durations);
        combine_with_exported_module!(module, "moment", moment::moments);
        combine_with_exported_module!(module, "timer", timer::timers);
    },
    types: register,
};

fn register(engine: &mut Engine) {
    clock::register(engine);
    duration::register(engine);
    moment::register(engine);
    timer::register(engine);
}

//! Expressions that choose a disk or a volume, in CEL: read, and held against what there is to ask of one, before a machine does. Those
//! that nest so deep that nobody wrote them by hand are left to the machine.

mod checker;
mod functions;
mod types;

use cel::parser::Parser;

use self::{
    checker::Checker,
    types::{Message, Type},
};

/// What an expression may ask for.
struct Environment {
    messages: &'static [(&'static str, &'static Message)],
    switches: &'static [&'static str],
}

const DISKS: Environment = Environment { messages: &[("disk", &DISK)], switches: &["system_disk"] };
const VOLUMES: Environment = Environment { messages: &[("disk", &DISK), ("volume", &VOLUME)], switches: &[] };

/// The longest, and the deepest, that are looked into: what nests deeper takes more of a stack than there may be.
const LONGEST: usize = 1024;
const DEEPEST: u16 = 8;

/// What sizes are written in, each a number without a sign.
const UNITS: [&str; 12] = ["EB", "EiB", "GB", "GiB", "KiB", "MB", "MiB", "PB", "PiB", "TB", "TiB", "kB"];

static DISK: Message = Message {
    name: "talos.resource.definitions.block.DiskSpec",
    texts: &[
        "bus_path",
        "dev_path",
        "modalias",
        "model",
        "pretty_size",
        "serial",
        "sub_system",
        "transport",
        "uuid",
        "wwid",
    ],
    numbers: &["io_size", "sector_size", "size"],
    switches: &["cdrom", "readonly", "rotational"],
    lists: &["secondary_disks", "symlinks"],
};

static VOLUME: Message = Message {
    name: "talos.resource.definitions.block.DiscoveredVolumeSpec",
    texts: &[
        "dev_path",
        "device_path",
        "label",
        "name",
        "parent",
        "parent_dev_path",
        "partition_label",
        "partition_type",
        "partition_uuid",
        "pretty_size",
        "type",
        "uuid",
    ],
    numbers: &[
        "block_size",
        "filesystem_block_size",
        "io_size",
        "partition_index",
        "probed_size",
        "sector_size",
        "size",
    ],
    switches: &[],
    lists: &[],
};

impl Environment {
    fn variable(&self, name: &str) -> Option<Type> {
        let message = self.messages.iter().find(|(known, _)| *known == name);
        match message {
            Some((_, message)) => Some(Type::Message(message)),
            None if self.switches.contains(&name) => Some(Type::Bool),
            None if UNITS.contains(&name) => Some(Type::Uint),
            None => None,
        }
    }
}

/// # Errors
/// Why no disk can be chosen by it.
pub fn check_of_disks(text: &str) -> Result<(), String> {
    check(text, &DISKS)
}

/// # Errors
/// Why no volume can be chosen by it.
pub fn check_of_volumes(text: &str) -> Result<(), String> {
    check(text, &VOLUMES)
}

fn check(text: &str, environment: &Environment) -> Result<(), String> {
    if text.len() > LONGEST {
        return Ok(());
    }
    let (expression, source) = match Parser::new().max_recursion_depth(DEEPEST).parse_with_source_info(text) {
        Ok(read) => read,
        Err(errors) if errors.errors.iter().any(|error| error.msg.contains("Recursion limit")) => return Ok(()),
        Err(errors) => {
            let told = errors.errors.iter().map(|error| {
                let (line, column) = error.pos;
                let place = |number: isize| usize::try_from(number - 1).unwrap_or_default();
                at_place(text, place(line), place(column), &error.msg)
            });
            return Err(told.collect::<Vec<_>>().join("\n"));
        }
    };
    let mut checker = Checker::new(environment);
    let found = checker.type_of(&expression);
    let mut wrong: Vec<((usize, usize), String)> = checker
        .wrong
        .into_iter()
        .map(|(id, message)| {
            let offset = source.offset_for(id).map_or(0, |(start, _)| start as usize);
            (place_of(text, offset), message)
        })
        .collect();
    // Whoever reads goes from left to right.
    wrong.sort_by_key(|(place, _)| *place);
    if !wrong.is_empty() {
        let told = wrong.iter().map(|((line, column), message)| at_place(text, *line, *column, message));
        return Err(told.collect::<Vec<_>>().join("\n"));
    }
    match found {
        Type::Bool => Ok(()),
        other => Err(format!("expression output type is {other}, expected bool")),
    }
}

/// The line of an offset, and the column in it.
fn place_of(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count())
}

/// What is wrong at a place, and the place.
fn at_place(text: &str, line: usize, column: usize, message: &str) -> String {
    let shown = text.split('\n').nth(line).unwrap_or_default().replace('\t', " ");
    format!("ERROR: <input>:{}:{}: {message}\n | {shown}\n | {}^", line + 1, column + 1, ".".repeat(column))
}

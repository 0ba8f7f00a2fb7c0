//! What is to be run, put together from what a script gave.

use bytes::Bytes;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};

use crate::{
    host::{Host, effect, programs::Program, secrets::Secret},
    script::{
        fault::{Fault, Kind},
        options::Options,
    },
};

/// What every program has of the environment.
const ALWAYS: [&str; 2] = ["PATH", "HOME"];

/// A program with its arguments, and how both may be shown.
pub struct Command {
    pub program: Program,
    /// The program's own name: `helm`.
    pub name: String,
    /// The whole line, quoted where a shell would need it, secrets by reference.
    pub shown: String,
    /// Tells this run of it from another one; a secret that was renewed makes no other of it.
    pub digest: String,
}

impl Command {
    /// Puts a command together.
    ///
    /// # Errors
    /// A `usage` fault for what is no command, a `refused` one for what is not allowed, a `file` one for a folder that can't be
    /// reached.
    pub fn read(host: &Host, argv: &Dynamic, options: &Options) -> Result<Self, Fault> {
        let words = words(argv)?;
        let (name, arguments) = words.split_first().expect("there is at least the program");
        let shown = words.iter().map(|word| quoted(&word.shown)).collect::<Vec<_>>().join(" ");
        let shown = host.secrets.redact(&shown).into_owned();
        if !host.allowed.programs.allows(&name.wire) {
            return Err(Fault::new(Kind::Refused, format!("`{shown}` is refused: running programs was not allowed"))
                .hint(format!("allow it on the command line: `--allow-exec={}`", name.wire)));
        }
        let (environment, shown_environment) = environment(host, options)?;
        let folder = options.text("dir").unwrap_or_else(|| ".".to_owned());
        let (input, shown_input) = input(options)?;
        let mut parts = vec![host.files.name(&folder), shown_input];
        parts.extend(words.iter().map(|word| word.shown.clone()));
        parts.extend(shown_environment);
        Ok(Self {
            digest: effect::digest(&parts.iter().map(String::as_bytes).collect::<Vec<_>>()),
            name: name.wire.rsplit('/').next().unwrap_or_default().to_owned(),
            shown,
            program: Program {
                name: name.wire.clone(),
                arguments: arguments.iter().map(|word| word.wire.clone()).collect(),
                environment,
                folder: host.files.locate(&folder)?,
                input,
            },
        })
    }
}

/// A text for the program, and what may be shown of it.
struct Word {
    wire: String,
    shown: String,
}

fn word(value: &Dynamic) -> Result<Word, Fault> {
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(Word { wire: secret.expose().to_owned(), shown: format!("{:?}", *secret) });
    }
    let plain = value.is_string() || value.is_char() || value.is_int() || value.is_float() || value.is_bool();
    let is_path = value.type_name().ends_with("Temporary");
    if plain || is_path {
        let text = value.to_string();
        return Ok(Word { wire: text.clone(), shown: text });
    }
    let kind = value.type_name().rsplit("::").next().unwrap_or_default().to_owned();
    Err(Fault::new(Kind::Usage, format!("an argument of a program is a text, a number or a secret, not a `{kind}`")))
}

fn words(argv: &Dynamic) -> Result<Vec<Word>, Fault> {
    if let Some(line) = argv.read_lock::<ImmutableString>() {
        let words: Vec<String> = line.split_whitespace().map(|word| format!("{word:?}")).collect();
        return Err(Fault::new(Kind::Usage, format!("`{}` is a line for a shell, and no shell is asked", *line))
            .hint(format!("give the program and its arguments one by one: `exec::run([{}])`", words.join(", "))));
    }
    let words: Vec<Word> = match argv.read_lock::<Array>() {
        Some(words) => words.iter().map(word).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    match words.first() {
        Some(name) if !name.wire.is_empty() => Ok(words),
        _ => Err(Fault::new(Kind::Usage, "no program is named")
            .hint("give a list of the program and its arguments: `exec::run([\"helm\", \"list\"])`")),
    }
}

type Variables = Vec<(String, String)>;

/// The program's environment, and what may be shown of what the script put into it.
fn environment(host: &Host, options: &Options) -> Result<(Variables, Vec<String>), Fault> {
    let inherited = |name: &str| host.environment.variable(name).map(|value| (name.to_owned(), value));
    let mut variables: Variables = ALWAYS.into_iter().filter_map(inherited).collect();
    let mut shown = Vec::new();
    let Some(given) = options.value("env") else { return Ok((variables, shown)) };
    if let Some(names) = given.read_lock::<Array>() {
        for name in names.iter() {
            let name = word(name)?.wire;
            if name.contains('=') {
                return Err(Fault::new(Kind::Usage, "`env` is a list of names, and one of them has a `=`")
                    .hint("to give a variable another value: `env: #{ NAME: \"value\" }`"));
            }
            variables.extend(inherited(&name).filter(|_| !ALWAYS.contains(&name.as_str())));
            shown.push(name);
        }
    } else if let Some(values) = given.read_lock::<Map>() {
        for (name, value) in values.iter() {
            let Word { wire, shown: value } = word(value)?;
            variables.retain(|(before, _)| before != name.as_str());
            variables.push((name.to_string(), wire));
            shown.push(format!("{name}={value}"));
        }
    }
    Ok((variables, shown))
}

fn input(options: &Options) -> Result<(Bytes, String), Fault> {
    let Some(given) = options.value("stdin") else { return Ok((Bytes::new(), String::new())) };
    if let Some(bytes) = given.read_lock::<Blob>() {
        return Ok((Bytes::from(bytes.clone()), effect::digest(&[&bytes])));
    }
    let Word { wire, shown } = word(&given)?;
    Ok((wire.into(), shown))
}

/// As one would type it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "@%+=:,./_-[]".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

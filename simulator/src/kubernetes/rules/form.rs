//! How names and other texts may be written, and what the real server says of those that aren't.

use std::net::IpAddr;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
     start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end \
     with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
     character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
     '[a-z]([-a-z0-9]*[a-z0-9])?')";
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of \
     lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for \
     validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
     character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
     '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
     start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
     '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
     'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

const VARIABLE: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";
const UNDERSCORED_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or \
     '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const HEADER: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for \
     validation is '[-A-Za-z0-9]+')";
pub const SYSCTL: &str = "must have at most 253 characters and match regex \
     ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

fn too_long(most: usize) -> String {
    format!("must be no more than {most} characters")
}

/// Where letters may be anything, the limit is told in bytes.
fn in_bytes(why: &str) -> String {
    match why.strip_suffix(" characters") {
        Some(limit) => format!("{limit} bytes"),
        None => why.to_owned(),
    }
}

/// The reasons for which a text is wrong, in the order of the real server.
fn reasons(of: impl IntoIterator<Item = (bool, String)>) -> Vec<String> {
    of.into_iter().filter(|(wrong, _)| *wrong).map(|(_, why)| why).collect()
}

/// Letters and digits with something of `between` inside of it.
fn is_word(text: &str, letter: fn(&char) -> bool, between: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|found| letter(&found) || between.contains(found))
        && text.chars().next().is_some_and(|first| letter(&first))
        && text.chars().last().is_some_and(|last| letter(&last))
}

fn lower(letter: &char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit()
}

/// `example.com`
pub fn subdomain(text: &str) -> Vec<String> {
    let formed = text.split('.').all(|part| is_word(part, lower, "-"));
    reasons([(text.len() > 253, too_long(253)), (!formed, SUBDOMAIN.to_owned())])
}

/// `web-1`
pub fn label(text: &str) -> Vec<String> {
    let dotted = text.contains('.') && text.split('.').all(|part| is_word(part, lower, "-"));
    reasons([
        (text.len() > 63, too_long(63)),
        (dotted, "must not contain dots".to_owned()),
        (!dotted && !is_word(text, lower, "-"), LABEL.to_owned()),
    ])
}

/// `web-1`, not beginning with a digit.
pub fn label_1035(text: &str) -> Vec<String> {
    let formed = is_word(text, lower, "-") && !text.starts_with(|first: char| first.is_ascii_digit());
    reasons([(text.len() > 63, too_long(63)), (!formed, LABEL_1035.to_owned())])
}

/// Anything that can be one segment of a path.
pub fn path_segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let holds = |part: &str| (text.contains(part), format!("may not contain '{part}'"));
    reasons([holds("/"), holds("%")])
}

/// `example.com/name`, or only the name.
pub fn qualified_name(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let (mut wrong, name) = match parts.as_slice() {
        [name] => (Vec::new(), *name),
        ["", name] => (vec!["prefix part must be non-empty".to_owned()], *name),
        [prefix, name] => {
            (subdomain(prefix).iter().map(|why| format!("prefix part {}", in_bytes(why))).collect(), *name)
        }
        _ => {
            return vec![format!(
                "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    let empty = name.is_empty();
    wrong.extend(reasons([
        (empty, "name part must be non-empty".to_owned()),
        (name.len() > 63, "name part must be no more than 63 bytes".to_owned()),
        (!is_word(name, char::is_ascii_alphanumeric, "-_."), format!("name part {QUALIFIED}")),
    ]));
    wrong
}

pub fn label_value(text: &str) -> Vec<String> {
    let formed = text.is_empty() || is_word(text, char::is_ascii_alphanumeric, "-_.");
    reasons([(text.len() > 63, "must be no more than 63 bytes".to_owned()), (!formed, LABEL_VALUE.to_owned())])
}

/// A key of a ConfigMap or a Secret, which may become the name of a file.
pub fn config_key(text: &str) -> Vec<String> {
    let formed =
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    let mut wrong = reasons([(text.len() > 253, too_long(253)), (!formed, CONFIG_KEY.to_owned())]);
    match text {
        "." => wrong.push("must not be '.'".to_owned()),
        ".." => wrong.push("must not be '..'".to_owned()),
        text if text.starts_with("..") => wrong.push("must not start with '..'".to_owned()),
        _ => {}
    }
    wrong
}

/// The name that a port has in a pod: `http`.
pub fn port_name(text: &str) -> Vec<String> {
    let plain = !text.is_empty() && text.chars().all(|letter| lower(&letter) || letter == '-');
    let lettered = text.chars().any(|letter| letter.is_ascii_lowercase());
    let edged = text.starts_with('-') || text.ends_with('-');
    reasons([
        (text.len() > 15, "must be no more than 15 characters".to_owned()),
        (!plain, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned()),
        (!lettered, "must contain at least one letter (a-z)".to_owned()),
        (text.contains("--"), "must not contain consecutive hyphens".to_owned()),
        (!text.is_empty() && edged, "must not begin or end with a hyphen".to_owned()),
    ])
}

/// The name of a variable in the environment of a container.
pub fn variable_name(text: &str) -> Vec<String> {
    let printable = |letter: char| letter.is_ascii_graphic() && letter != '=' || letter == ' ';
    reasons([
        (text.is_empty(), "environment variable name must be non-empty".to_owned()),
        (!text.chars().all(printable), VARIABLE.to_owned()),
    ])
}

/// `example.com`, in which capitals are taken as well: drivers of volumes.
pub fn lowered_subdomain(text: &str) -> Vec<String> {
    let lowered = text.to_lowercase();
    let long = (text.len() > 63).then(|| too_long(63));
    long.into_iter().chain(subdomain(&lowered)).collect()
}

/// `_tcp.example.com`: where names are searched.
pub fn underscored_subdomain(text: &str) -> Vec<String> {
    let part = |part: &str| is_word(part.strip_prefix('_').unwrap_or(part), lower, "-_");
    reasons([(text.len() > 253, too_long(253)), (!text.split('.').all(part), UNDERSCORED_SUBDOMAIN.to_owned())])
}

/// The name of a header in a request.
pub fn header_name(text: &str) -> Vec<String> {
    let plain = !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    reasons([(!plain, HEADER.to_owned())])
}

/// True for the name of a setting of the kernel: `net.core.somaxconn`.
pub fn is_sysctl(text: &str) -> bool {
    text.len() <= 253 && text.split(['.', '/']).all(|part| is_word(part, lower, "-_"))
}

pub fn ip(text: &str) -> Vec<String> {
    let wrong = text.parse::<IpAddr>().is_err();
    reasons([(wrong, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned())])
}

/// A network: `10.0.0.0/24`.
pub fn network(text: &str) -> Vec<String> {
    let formed = text.split_once('/').is_some_and(|(address, bits)| {
        let most = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    });
    reasons([(!formed, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned())])
}

/// `*.example.com`
pub fn wildcard_subdomain(text: &str) -> Vec<String> {
    let formed = text.strip_prefix("*.").is_some_and(|rest| rest.split('.').all(|part| is_word(part, lower, "-")));
    reasons([(text.len() > 253, too_long(253)), (!formed, WILDCARD.to_owned())])
}

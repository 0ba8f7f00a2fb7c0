//! Documents beside the original one. Of those that Talos 1.11 doesn't have, only the shapes are known here; that is told.

use serde_json::Value;

use super::{Findings, items, number, text, texts, volumes};
use crate::configuration::{Contract, Document, Url, duration};

const SHORTEST_WATCHDOG: i64 = 10_000_000_000;

pub fn check(document: &Document, found: &mut Findings) {
    let fields = Value::Object(document.fields.clone());
    match document.kind.kind.as_str() {
        "VolumeConfig" => volumes::check_system(&fields, found),
        "UserVolumeConfig" | "RawVolumeConfig" | "SwapVolumeConfig" => volumes::check_own(&fields, found),
        "ExistingVolumeConfig" => volumes::check_existing(&fields, found),
        "ZswapConfig" => found.check(swap(&fields)),
        "EthernetConfig" => found.check(named(&fields)),
        "NetworkRuleConfig" => found.check(rule(&fields)),
        "EventSinkConfig" => found.check(sink(text(&fields["endpoint"]))),
        "ExtensionServiceConfig" => found.check(extension(&fields)),
        "KmsgLogConfig" => found.check(kernel_log(&fields)),
        "WatchdogTimerConfig" => found.check(watchdog(&fields)),
        "SideroLinkConfig" => found.check(link(text(&fields["apiUrl"]))),
        kind if document.kind.since > Contract::V1_11 => found.warnings.push(format!(
            "a document of kind `{kind}` was held against its shape only: what Talos {} asks of it beyond that is not \
             known here",
            document.kind.since
        )),
        _ => {}
    }
}

fn named(fields: &Value) -> Result<(), String> {
    match text(&fields["name"]) {
        "" => Err("name is required".to_owned()),
        _ => Ok(()),
    }
}

fn swap(fields: &Value) -> Result<(), String> {
    match number(&fields["maxPoolPercent"]) {
        0..=100 => Ok(()),
        _ => Err("maxPoolPercent must be between 0 and 100".to_owned()),
    }
}

fn rule(fields: &Value) -> Result<(), String> {
    named(fields)?;
    let ports = items(&fields["portSelector"]["ports"]);
    if ports.is_empty() {
        return Err("portSelector.ports is required".to_owned());
    }
    let mut ranges: Vec<(i64, i64)> = ports.iter().map(range).collect();
    ranges.sort_by_key(|(low, _)| *low);
    for (index, (low, high)) in ranges.iter().enumerate() {
        if low > high {
            return Err(format!("invalid port range: {low}-{high}"));
        }
        let before = index.checked_sub(1).map(|before| ranges[before]);
        if let Some((first, last)) = before.filter(|(first, last)| low == first || low <= last) {
            return Err(format!("invalid port range: {low}-{high}, overlaps with {first}-{last}"));
        }
    }
    let open = |rule: &&Value| text(&rule["subnet"]).is_empty();
    match items(&fields["ingress"]).iter().find(open) {
        Some(_) => Err("invalid subnet: invalid Prefix".to_owned()),
        None => Ok(()),
    }
}

fn range(ports: &Value) -> (i64, i64) {
    let bound = |text: &str| text.parse().unwrap_or_default();
    match ports.as_str().and_then(|text| text.split_once('-')) {
        Some((low, high)) => (bound(low), bound(high)),
        None => (number(ports), number(ports)),
    }
}

fn sink(endpoint: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("event sink endpoint: address {endpoint}: {why}"));
    match endpoint.rsplit_once(':') {
        None => wrong("missing port in address"),
        Some((host, _)) if host.contains(':') && !host.starts_with('[') => wrong("too many colons in address"),
        Some((host, _)) if host.starts_with('[') && !host.ends_with(']') => wrong("missing port in address"),
        Some(_) => Ok(()),
    }
}

fn extension(fields: &Value) -> Result<(), String> {
    named(fields)?;
    let name = text(&fields["name"]);
    let files = items(&fields["configFiles"]);
    if files.is_empty() && texts(&fields["environment"]).next().is_none() {
        return Err(format!("no config files found for extension {name:?}"));
    }
    for file in files {
        for (field, what) in [("content", "content"), ("mountPath", "mount path")] {
            if text(&file[field]).is_empty() {
                return Err(format!("extension {what} is required for extension {name:?}"));
            }
        }
    }
    Ok(())
}

fn kernel_log(fields: &Value) -> Result<(), String> {
    named(fields)?;
    let said = text(&fields["url"]);
    if said.is_empty() {
        return Err("url is required".to_owned());
    }
    let url = Url::read(said)?;
    let wrong = match (url.scheme.as_str(), url.path.as_str(), url.port()) {
        ("tcp" | "udp", "" | "/", "") => "url port is required",
        ("tcp" | "udp", "" | "/", _) => return Ok(()),
        ("tcp" | "udp", ..) => "url path must be empty",
        _ => "url scheme must be tcp:// or udp://",
    };
    Err(wrong.to_owned())
}

fn watchdog(fields: &Value) -> Result<(), String> {
    if text(&fields["device"]).is_empty() {
        return Err("watchdog device: empty value".to_owned());
    }
    match duration(text(&fields["timeout"])) {
        Some(timeout) if timeout != 0 && timeout < SHORTEST_WATCHDOG => {
            Err("watchdog timeout: minimum value is 10s".to_owned())
        }
        _ => Ok(()),
    }
}

fn link(said: &str) -> Result<(), String> {
    if said.is_empty() {
        return Err("apiUrl is required".to_owned());
    }
    let url = Url::read(said)?;
    let wrong = match (url.scheme.as_str(), url.path.as_str()) {
        ("https" | "grpc", "" | "/") => return Ok(()),
        ("https" | "grpc", _) => "apiUrl path must be empty",
        _ => "apiUrl scheme must be https:// or grpc://",
    };
    Err(wrong.to_owned())
}

//! Downloading to a file: however large, whole or not at all, and gone on with where it was cut off.

use std::{sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, LAST_MODIFIED, RANGE},
};
use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::{
    expected::Expected,
    request::Request,
    send::{Broken, Sender},
};
use crate::{
    host::{
        Host,
        effect::{Effect, digest},
        files::Arriving,
        wait::Progress,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    #[rhai_fn(return_raw)]
    pub fn download(context: NativeCallContext, url: Dynamic, path: &str) -> Outcome<Map> {
        fetched(&context, &url, path, Map::new())
    }

    /// Downloads to a file below the runbook's folder, however large.
    ///
    /// The file is in its place when it is whole, and not before. What is cut off is gone on with where the server allows
    /// it, and begun anew where it doesn't. If the file is there already with the `sha256` that is asked for, the server is
    /// not asked.
    ///
    /// # Parameters
    /// - `url` (text or secret): such as `https://github.com/cozystack/cozystack/releases/download/v0.38.3/cozystack.yaml`
    /// - `path` (text): the file, relative to the runbook's folder
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `sha256` (text): what its SHA-256 must be, in hexadecimal digits
    /// - `retries` (integer, `5`): how often it is gone on with after it was cut off, or asked for again while it can't be
    ///   reached or answers 429, 502, 503 or 504
    /// - `timeout` (duration, `30m`): how long it may take as a whole
    /// - `expect` (integer or text or list, `200`): the status that is a download
    /// - those of `http::get`
    ///
    /// # Returns
    /// A map with `path`, `size` and `sha256`.
    ///
    /// # Effect
    /// The file is written.
    ///
    /// # Faults
    /// - `unreachable`: no connection, or it was cut off too often
    /// - `tls`: who answers can't be trusted, or does not trust who asks
    /// - `timeout`: it was not whole in time
    /// - `status`: the server gives something else; the fault has its answer as `status`
    /// - `invalid`: its SHA-256 is another one
    /// - `refused`: a person or the run's rules did not allow it
    /// - `usage`: the URL or an option can't be used
    /// - `file`: the file is outside of the runbook's folder, or can't be written
    ///
    /// # Example
    /// ```rhai server
    /// let file = http::download(server + "/json", "downloads/hello.json", #{ timeout: "1m" });
    /// print(`${file.size} bytes, ${file.sha256}`);
    /// http::download(server + "/json", "downloads/hello.json", #{ sha256: file.sha256 });
    /// ```
    #[rhai_fn(name = "download", return_raw)]
    pub fn download_with_options(context: NativeCallContext, url: Dynamic, path: &str, options: Map) -> Outcome<Map> {
        fetched(&context, &url, path, options)
    }
}

/// What is to be downloaded, and where to.
struct Wanted {
    request: Request,
    expected: Expected,
    path: Arc<str>,
    sha256: Option<String>,
}

fn fetched(context: &NativeCallContext, url: &Dynamic, path: &str, options: Map) -> Outcome<Map> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options("http::download", options)?;
    let mut request =
        Request::read(context, Method::GET, url, None, &options)?.retrying(&options, true).map_err(raise)?;
    // Packed, a part of it would be of no use, nor would its length.
    request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let expect = options.value("expect").unwrap_or_else(|| 200_i64.into());
    let expected = Expected::read(&expect).map_err(raise)?;
    let sha256 = options.text("sha256").map(|sha256| read_sha256(&sha256)).transpose().map_err(raise)?;
    let deadline = options.deadline("timeout").map_err(raise)?;
    let host = context.host();
    let parts = [request.digest(), path.to_owned(), sha256.clone().unwrap_or_default()];
    let effect = Effect {
        verb: "download".to_owned(),
        object: format!("{} to {path}", request.shown),
        digest: digest(&parts.each_ref().map(|part| part.as_bytes())),
        repeatable: true,
        destroys: None,
    };
    host.files.locate(path).map_err(|error| raise(error.into()))?;
    let wanted = Wanted { request, expected, path: path.into(), sha256 };
    context.change(Change::repeatable_telling(effect, deadline, move |progress| fetch(host, wanted, progress)))
}

fn read_sha256(text: &str) -> Result<String, Fault> {
    let digits = text.trim().trim_start_matches("sha256:").to_lowercase();
    match digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        true => Ok(digits),
        false => Err(Fault::new(Kind::Usage, format!("option `sha256` is 64 hexadecimal digits, not `{text}`"))),
    }
}

async fn fetch(host: Host, wanted: Wanted, progress: Progress) -> Result<Changed<Map>, Fault> {
    if let Some(sha256) = &wanted.sha256
        && host.files.sha256(&wanted.path)?.as_ref() == Some(sha256)
    {
        let size = host.files.locate(&wanted.path)?.metadata().map_or(0, |facts| facts.len());
        return Ok(done(&wanted.path, size, sha256, "unchanged".to_owned()));
    }
    let sender = Sender::of(&host);
    let mut file = host.files.arriving(&wanted.path)?;
    let mut version = None;
    let mut tried = 0;
    loop {
        let Trouble { fault, passes, pause } = match piece(&sender, &wanted, &mut file, &mut version, &progress).await {
            Ok(()) => break,
            Err(trouble) => trouble,
        };
        if !passes || tried == wanted.request.retries {
            let kept = file.size();
            return Err(if kept > 0 { fault.note(format!("{} had arrived", shown_size(kept))) } else { fault });
        }
        let pause = sender.pause(&wanted.request, tried, pause);
        tried += 1;
        progress.because(format!("{fault}; it is asked again in {}", crate::duration::show(pause)));
        host.clock.sleep(pause).await;
    }
    let (size, sha256) = (file.size(), file.sha256());
    if let Some(expected) = wanted.sha256.as_ref().filter(|expected| **expected != sha256) {
        let message = format!("`{}` is not what was to be downloaded: its SHA-256 is {sha256}", wanted.request.shown);
        return Err(Fault::new(Kind::Invalid, message)
            .note(format!("it was to be {expected}; nothing was written"))
            .hint("was it released anew, or did something else answer? look at it before you change `sha256`"));
    }
    file.arrive()?;
    Ok(done(&wanted.path, size, &sha256, shown_size(size)))
}

fn done(path: &str, size: u64, sha256: &str, detail: String) -> Changed<Map> {
    let facts: [(&str, Dynamic); 3] = [
        ("path", path.to_owned().into()),
        ("size", i64::try_from(size).expect("no file is that large").into()),
        ("sha256", sha256.to_owned().into()),
    ];
    let value = facts.into_iter().map(|(name, fact)| (name.into(), fact)).collect();
    Changed { value, kept: Value::Null, detail: Some(detail) }
}

/// Why a piece did not arrive, whether asking again may help, and how long the server asks to wait.
struct Trouble {
    fault: Fault,
    passes: bool,
    pause: Duration,
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self { passes: broken.passes(), fault: broken.fault(), pause: Duration::ZERO }
    }
}

impl<E: Into<Fault>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self { fault: error.into(), passes: false, pause: Duration::ZERO }
    }
}

/// Asks for what is still missing, and takes in what comes.
async fn piece(
    sender: &Sender,
    wanted: &Wanted,
    file: &mut Arriving,
    version: &mut Option<HeaderValue>,
    progress: &Progress,
) -> Result<(), Trouble> {
    let mut request = wanted.request.clone();
    match version.as_ref().filter(|_| file.size() > 0) {
        Some(version) => {
            let range = HeaderValue::try_from(format!("bytes={}-", file.size()));
            request.headers.insert(RANGE, range.expect("it is made of digits"));
            request.headers.insert(IF_RANGE, version.clone());
        }
        // Without a name for this version of it, the rest might be that of another.
        None => file.restart()?,
    }
    let mut reached = sender.reach(request).await?;
    let head = &reached.opened.head;
    let goes_on = head.status == StatusCode::PARTIAL_CONTENT && begins_at(&head.headers) == Some(file.size());
    if !goes_on {
        if !wanted.expected.holds(head.status.as_u16()) {
            let (passes, pause) =
                (matches!(head.status.as_u16(), 429 | 502 | 503 | 504), sender.asked_pause(&head.headers));
            let sent = sender.whole(reached).await?;
            return Err(Trouble { fault: sender.unexpected(&wanted.request, &sent, &wanted.expected), passes, pause });
        }
        file.restart()?;
    }
    *version = strong_version(&head.headers);
    let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let whole = length.map(|length| file.size() + length);
    loop {
        match reached.opened.next().await {
            Ok(None) => return Ok(()),
            Ok(Some(bytes)) => {
                file.add(&bytes)?;
                progress.because(arrived(file.size(), whole));
            }
            Err(error) => return Err(reached.broken(error).into()),
        }
    }
}

/// Where the part begins that a server gives: `bytes 100-199/200`.
fn begins_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}

/// What a server calls this very version, byte for byte.
fn strong_version(headers: &HeaderMap) -> Option<HeaderValue> {
    let tag = headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/"));
    tag.or_else(|| headers.get(LAST_MODIFIED)).cloned()
}

fn arrived(size: u64, whole: Option<u64>) -> String {
    match whole {
        Some(whole) if whole > 0 => {
            format!("{}% of {}", size.saturating_mul(100) / whole, shown_size(whole))
        }
        _ => format!("{} so far", shown_size(size)),
    }
}

fn shown_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

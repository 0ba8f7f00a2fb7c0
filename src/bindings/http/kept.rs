//! What the journal keeps of an answer, so that a resumed run has it again.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Version, header::SET_COOKIE};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    answer::{Answer, Parts},
    exchange::Timings,
};
use crate::{
    host::secrets::Vault,
    script::fault::{Fault, Kind},
};

/// Bodies larger than this are not kept.
const LARGEST_KEPT: usize = 64 << 10;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Answer {
        status: u16,
        address: String,
        headers: Vec<(String, String)>,
        body: Body,
    },
    /// Nobody saw the answer.
    Assumed {
        address: String,
    },
    /// Why the answer was not kept.
    Withheld {
        status: u16,
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Base64(String),
}

/// An answer without its cookies, which are as good as a password; nothing of it, if it is large or holds a secret.
pub fn keep(answer: &Answer, secrets: &Vault) -> Value {
    let parts = answer.parts();
    let withheld = |why: &str| plain(&Kept::Withheld { status: parts.status, why: why.to_owned() });
    if parts.assumed {
        return plain(&Kept::Assumed { address: parts.address.clone() });
    }
    if parts.body.len() > LARGEST_KEPT {
        return withheld("it is larger than 64 KB");
    }
    let headers = (parts.headers.iter())
        .filter(|(name, _)| *name != SET_COOKIE)
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = match std::str::from_utf8(&parts.body) {
        Ok(text) => Body::Text(text.to_owned()),
        Err(_) => Body::Base64(STANDARD.encode(&parts.body)),
    };
    let kept = plain(&Kept::Answer { status: parts.status, address: parts.address.clone(), headers, body });
    if secrets.redact_value(kept.clone()) == kept { kept } else { withheld("it holds a secret") }
}

/// The answer again.
///
/// # Errors
/// An `in_doubt` fault, if it was withheld.
pub fn recall(title: &str, kept: Value) -> Result<Answer, Fault> {
    let unreadable =
        |why: String| Fault::new(Kind::InDoubt, format!("`{title}` was done earlier in this run, but {why}"));
    let parts = match serde_json::from_value(kept) {
        Err(error) => return Err(unreadable(format!("its answer can't be read again: {error}"))),
        Ok(Kept::Withheld { status, why }) => {
            return Err(unreadable(format!("its answer ({status}) was not kept, because {why}")).hint(
                "let the step that posts use the answer itself and end there: a step that is done is not run again",
            ));
        }
        Ok(Kept::Assumed { address }) => return Ok(assumed(address)),
        Ok(Kept::Answer { status, address, headers, body }) => Parts {
            status,
            address,
            headers: headers.into_iter().filter_map(|(name, value)| header(&name, &value)).collect::<HeaderMap>(),
            body: match body {
                Body::Text(text) => text.into(),
                Body::Base64(text) => STANDARD.decode(text).map_err(|error| unreadable(error.to_string()))?.into(),
            },
            ..nobody_saw(String::new())
        },
    };
    Ok(Answer::new(parts))
}

/// What stands for an answer that nobody saw.
pub fn assumed(address: String) -> Answer {
    Answer::new(Parts { assumed: true, ..nobody_saw(address) })
}

/// An answer without anything that is only known of one that was seen.
fn nobody_saw(address: String) -> Parts {
    Parts {
        status: 0,
        version: Version::HTTP_11,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        address,
        elapsed: Duration::ZERO,
        timings: Timings::default(),
        certificates: Vec::new(),
        assumed: false,
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

fn plain(kept: &Kept) -> Value {
    serde_json::to_value(kept).expect("it is plain data")
}

//! Which values are encrypted: by the names on the way to them.

use regex::Regex;
use serde_json::Value;

/// What a file says of that; without a word, all are, but those below names that end with `_unencrypted`.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub unencrypted_suffix: Option<String>,
    pub encrypted_suffix: Option<String>,
    pub unencrypted_regex: Option<Regex>,
    pub encrypted_regex: Option<Regex>,
    /// Whether values that anybody can read have no part in the sum.
    pub mac_only_encrypted: bool,
}

const SUFFIX: &str = "_unencrypted";

/// Depends on comments, which are not kept.
const UNSUPPORTED: [&str; 2] = ["encrypted_comment_regex", "unencrypted_comment_regex"];

impl Rules {
    pub(crate) fn read(metadata: &Value) -> Result<Self, String> {
        let text =
            |name: &str| metadata.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let expression = |name: &str| {
            let compiled = text(name).map(|text| Regex::new(&text));
            compiled.transpose().map_err(|_| format!("its `{name}` is no expression"))
        };
        if let Some(name) = UNSUPPORTED.iter().find(|name| text(name).is_some()) {
            return Err(format!("`{name}` is not supported"));
        }
        Ok(Self {
            unencrypted_suffix: text("unencrypted_suffix"),
            encrypted_suffix: text("encrypted_suffix"),
            unencrypted_regex: expression("unencrypted_regex")?,
            encrypted_regex: expression("encrypted_regex")?,
            mac_only_encrypted: metadata.get("mac_only_encrypted").and_then(Value::as_bool).unwrap_or_default(),
        }
        .or_default())
    }

    #[must_use]
    pub(crate) fn or_default(mut self) -> Self {
        let says_nothing = self.unencrypted_suffix.is_none()
            && self.encrypted_suffix.is_none()
            && self.unencrypted_regex.is_none()
            && self.encrypted_regex.is_none();
        if says_nothing {
            self.unencrypted_suffix = Some(SUFFIX.to_owned());
        }
        self
    }

    /// The later a rule stands, the more it counts.
    pub(crate) fn encrypt(&self, path: &[&str]) -> bool {
        let any = |fits: &dyn Fn(&str) -> bool| path.iter().any(|name| fits(name));
        let mut encrypt = true;
        if let Some(suffix) = &self.unencrypted_suffix {
            encrypt &= !any(&|name| name.ends_with(suffix));
        }
        if let Some(suffix) = &self.encrypted_suffix {
            encrypt = any(&|name| name.ends_with(suffix));
        }
        if let Some(expression) = &self.unencrypted_regex {
            encrypt &= !any(&|name| expression.is_match(name));
        }
        if let Some(expression) = &self.encrypted_regex {
            encrypt = any(&|name| expression.is_match(name));
        }
        encrypt
    }

    pub(crate) fn write(&self, metadata: &mut serde_json::Map<String, Value>) {
        let texts = [
            ("unencrypted_suffix", self.unencrypted_suffix.clone()),
            ("encrypted_suffix", self.encrypted_suffix.clone()),
            ("unencrypted_regex", self.unencrypted_regex.as_ref().map(|expression| expression.as_str().to_owned())),
            ("encrypted_regex", self.encrypted_regex.as_ref().map(|expression| expression.as_str().to_owned())),
        ];
        metadata.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
        if self.mac_only_encrypted {
            metadata.insert("mac_only_encrypted".to_owned(), true.into());
        }
    }
}

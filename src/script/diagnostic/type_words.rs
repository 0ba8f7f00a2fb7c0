//! What types are called in messages: an operator's words for Rhai's own, the registered names for the rest.

/// The word for a type as Rhai names it: `i64`, `&str | ImmutableString | String`, `Cluster`.
pub fn type_word(name: &str) -> &str {
    match name.trim_start_matches("&mut ") {
        "()" => "nothing `()`",
        "bool" => "boolean",
        "i64" | "u64" | "INT" => "integer",
        "f64" | "FLOAT" => "float",
        "char" => "character",
        "string" | "String" | "&str" | "ImmutableString" | "&str | ImmutableString | String" => "text",
        "array" | "Array" => "list",
        "map" | "Map" => "map",
        "blob" | "Blob" => "bytes",
        "range" | "range=" | "ExclusiveRange" | "InclusiveRange" => "range",
        "Fn" | "FnPtr" => "function",
        "Dynamic" | "?" | "T" => "any value",
        other => other.rsplit("::").next().unwrap_or(other),
    }
}

/// The word with its article: `a text`, `an integer`, a registered name as it is.
pub fn with_article(name: &str) -> String {
    let word = type_word(name);
    match word {
        "nothing `()`" | "bytes" | "any value" => word.to_owned(),
        "integer" => "an integer".to_owned(),
        _ if word.starts_with(char::is_uppercase) => format!("`{word}`"),
        _ => format!("a {word}"),
    }
}

/// The types in a signature: `deep ((), i64)` is `deep` with `()` and `i64`.
pub fn signature(signature: &str) -> (&str, Vec<&str>) {
    let Some((name, types)) = signature.split_once(" (").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)))
    else {
        return (signature, Vec::new());
    };
    (name, if types.is_empty() { Vec::new() } else { types.split(", ").collect() })
}

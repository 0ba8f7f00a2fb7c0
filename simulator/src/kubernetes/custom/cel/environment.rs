//! What rules may call: the language's own functions, and those that Kubernetes adds.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use cel::{DeclarationError, Env, extensions};

use super::{addresses, lists, making, named_formats, quantities, texts, urls, versions};

/// The functions of the language and of its libraries, which Kubernetes' own come on top of.
const OF_THE_LANGUAGE: &[&str] = &[
    "bool",
    "bytes",
    "charAt",
    "contains",
    "distinct",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "flatten",
    "format",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "has",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lists.range",
    "lowerAscii",
    "matches",
    "none",
    "of",
    "ofNonZeroValue",
    "optMap",
    "optFlatMap",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "or",
    "orValue",
    "range",
    "replace",
    "size",
    "slice",
    "sort",
    "sortBy",
    "split",
    "startsWith",
    "string",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "upperAscii",
    "value",
    "strings.quote",
    "quote",
];

/// Those that Kubernetes adds.
const OF_KUBERNETES: &[&str] = &[
    "add",
    "asApproximateFloat",
    "asInteger",
    "byte",
    "cidr",
    "compareTo",
    "containsCIDR",
    "containsIP",
    "date",
    "datetime",
    "dns1035Label",
    "dns1035LabelPrefix",
    "dns1123Label",
    "dns1123LabelPrefix",
    "dns1123Subdomain",
    "dns1123SubdomainPrefix",
    "family",
    "find",
    "findAll",
    "getEscapedPath",
    "getHost",
    "getHostname",
    "getPort",
    "getQuery",
    "getScheme",
    "ip",
    "ip.isCanonical",
    "isCIDR",
    "isCanonical",
    "isGlobalUnicast",
    "isGreaterThan",
    "isIP",
    "isInteger",
    "isLessThan",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isLoopback",
    "isQuantity",
    "isSemver",
    "isSorted",
    "isURL",
    "isUnspecified",
    "labelValue",
    "major",
    "masked",
    "max",
    "min",
    "minor",
    "named",
    "patch",
    "prefixLength",
    "qualifiedName",
    "quantity",
    "semver",
    "sub",
    "sum",
    "uri",
    "url",
    "uuid",
    "validate",
    "format.named",
    "format.dns1123Label",
    "format.dns1123LabelPrefix",
    "format.dns1123Subdomain",
    "format.dns1123SubdomainPrefix",
    "format.dns1035Label",
    "format.dns1035LabelPrefix",
    "format.qualifiedName",
    "format.labelValue",
    "format.uri",
    "format.uuid",
    "format.byte",
    "format.date",
    "format.datetime",
];

/// True for a function that has a model.
pub fn knows(name: &str) -> bool {
    OF_THE_LANGUAGE.contains(&name) || OF_KUBERNETES.contains(&name)
}

/// The one environment of all rules.
pub fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> =
        LazyLock::new(|| Arc::new(declared().expect("each function is declared once")));
    &ENVIRONMENT
}

/// The same for an expression that makes objects of these types.
pub fn making(types: BTreeSet<String>) -> Env {
    let mut env = declared().expect("each function is declared once");
    making::declare(&mut env, types).expect("each type has a name, once");
    env
}

fn declared() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::lists)?;
    for declare in [
        addresses::declare,
        lists::declare,
        named_formats::declare,
        quantities::declare,
        texts::declare,
        urls::declare,
        versions::declare,
    ] {
        declare(&mut env)?;
    }
    Ok(env)
}

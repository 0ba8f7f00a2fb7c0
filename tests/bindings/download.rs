use std::{fs, time::Duration};

use cozyscript::{
    event::{EffectEnd, What},
    script::fault::Kind,
};

use super::{run, script};
use crate::support::server::{Reply, Seen, Server};

fn content() -> Vec<u8> {
    (0..200_000_u32).map(|number| (number % 251) as u8).collect()
}

/// Gives the part that is asked for, if it is asked for this version.
fn in_parts(seen: &Seen, version: &str) -> Reply {
    let range =
        seen.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let asked = seen.headers.get("if-range").is_none_or(|asked| asked == version);
    match range.filter(|_| asked) {
        None => Reply::new(200, content()).header("etag", version),
        Some(from) => {
            let content = content();
            let told = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
            Reply::new(206, &content[from..]).header("content-range", told).header("etag", version)
        }
    }
}

#[test]
fn a_download_is_a_change_that_says_what_arrived() {
    let server = Server::start(|_| Reply::new(200, content()));
    let (script, folder) = script(&[]);
    let call = format!(
        "let file = http::download(\"{}\", \"a/b.bin\"); [file.path, file.size, file.sha256]",
        server.url("/b")
    );
    let told: rhai::Array = script.value(&call);
    assert_eq!((told[0].to_string().as_str(), told[1].to_string().as_str()), ("a/b.bin", "200000"));
    assert_eq!(told[2].to_string(), "e24bc62381f1224fbbb74688663f8f9743b9680b193edd666835e97b06e730eb");
    assert_eq!(fs::read(folder.path().join("a/b.bin")).unwrap(), content());
    let (effect, closed) = script.recorded.effects.lock().unwrap()[0].clone();
    assert_eq!(effect.object, format!("{} to a/b.bin", server.url("/b")));
    assert!(effect.repeatable);
    assert_eq!(closed.unwrap().2.as_deref(), Some("200 KB"));
    assert_eq!(server.seen()[0].headers["accept-encoding"], "identity");
}

#[test]
fn what_is_there_with_the_right_sum_is_not_asked_for_again() {
    let server = Server::start(|_| Reply::new(200, "abc"));
    let (script, folder) = script(&[]);
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let call = format!("http::download(\"{}\", \"abc\", #{{ sha256: \"{sum}\" }}).sha256", server.url("/"));
    assert_eq!(script.value::<String>(&call), sum);
    assert_eq!(script.value::<String>(&call), sum);
    assert_eq!(server.seen().len(), 1);
    fs::write(folder.path().join("abc"), "abd").unwrap();
    run(&script, &call);
    assert_eq!(fs::read_to_string(folder.path().join("abc")).unwrap(), "abc");
    let details: Vec<Option<String>> =
        (script.recorded.effects.lock().unwrap().iter()).map(|(_, closed)| closed.clone().unwrap().2).collect();
    assert_eq!(details, [Some("3 bytes".to_owned()), Some("unchanged".to_owned()), Some("3 bytes".to_owned())]);
}

#[test]
fn what_has_another_sum_is_not_written() {
    let server = Server::start(|_| Reply::new(200, "abd"));
    let (script, folder) = script(&[("abc", "before")]);
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let fault = script.fault(&format!("http::download(\"{}\", \"abc\", #{{ sha256: \"{sum}\" }})", server.url("/")));
    assert_eq!(fault.kind, Kind::Invalid);
    assert_eq!(fault.notes, [format!("it was to be {sum}; nothing was written")]);
    assert_eq!(fs::read_to_string(folder.path().join("abc")).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(script.fault("http::download(\"http://x/\", \"y\", #{ sha256: \"abc\" })").kind, Kind::Usage);
}

#[test]
fn a_download_that_is_cut_off_goes_on_where_it_was() {
    let server = Server::start(|seen| match seen.before {
        0 => in_parts(seen, "\"one\"").cut_off(),
        _ => in_parts(seen, "\"one\""),
    });
    let (script, folder) = script(&[]);
    run(&script, &format!("http::download(\"{}\", \"b\", #{{ retry_pause: \"1ms\" }})", server.url("/")));
    assert_eq!(fs::read(folder.path().join("b")).unwrap(), content());
    assert_eq!(server.seen()[1].headers["range"], "bytes=100000-");
}

#[test]
fn a_download_begins_anew_where_the_server_has_another_version_or_gives_no_parts() {
    for parts in [true, false] {
        let server = Server::start(move |seen| match (seen.before, parts) {
            (0, true) => Reply::new(200, vec![0; 1000]).header("etag", "\"old\"").cut_off(),
            (0, false) => Reply::new(200, vec![0; 1000]).cut_off(),
            _ => in_parts(seen, "\"new\""),
        });
        let (script, folder) = script(&[]);
        run(&script, &format!("http::download(\"{}\", \"b\", #{{ retry_pause: \"1ms\" }})", server.url("/")));
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), content(), "{parts}");
    }
}

#[test]
fn a_download_that_fails_leaves_nothing_behind() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/none" => Reply::new(404, "nothing here"),
        "/slow" => Reply::new(200, "").after(Duration::from_secs(60)),
        _ => in_parts(seen, "\"one\"").cut_off(),
    });
    let (script, folder) = script(&[]);
    for (path, kind) in [("/none", Kind::Status), ("/slow", Kind::Timeout), ("/cut", Kind::Unreachable)] {
        let options = "#{ retries: 1, retry_pause: \"1ms\", timeout: \"500ms\" }";
        let fault = script.fault(&format!("http::download(\"{}\", \"b\", {options})", server.url(path)));
        assert_eq!(fault.kind, kind, "{fault}");
        if kind == Kind::Unreachable {
            assert_eq!(fault.notes, ["150 KB had arrived"]);
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let ends: Vec<EffectEnd> =
        (script.recorded.effects.lock().unwrap().iter()).map(|(_, closed)| closed.clone().unwrap().0).collect();
    assert_eq!(ends, [EffectEnd::Failed, EffectEnd::InDoubt, EffectEnd::Failed]);
    assert_eq!(script.fault("http::download(\"http://x/\", \"../b\")").kind, Kind::File);
}

#[test]
fn a_download_that_takes_its_time_says_how_far_it_came() {
    let server = Server::start(|seen| match seen.before {
        0 => in_parts(seen, "\"one\"").cut_off(),
        _ => in_parts(seen, "\"one\"").after(Duration::from_millis(2300)),
    });
    let (script, _folder) = script(&[]);
    run(&script, &format!("http::download(\"{}\", \"b\", #{{ retry_pause: \"1ms\" }})", server.url("/")));
    let because: Vec<String> = (script.events().into_iter())
        .filter_map(|what| match what {
            What::WaitChanged { because, .. } => Some(because),
            _ => None,
        })
        .collect();
    assert!(because[0].contains("it is asked again in"), "{because:?}");
    assert_eq!(because.last().map(String::as_str), Some("100% of 200 KB"));
}

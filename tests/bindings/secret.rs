use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use cozyscript::{
    host::ask::{Answer, QuestionKind},
    host::secrets::Secret,
    script::fault::Kind,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::script;
use crate::support::{
    Planned,
    server::{Reply, Server},
};

const CANARY: &str = "kanarien/vogel+4711?";

#[test]
fn secrets_come_from_the_environment_a_file_a_person_and_a_text() {
    let (script, _folder) = script(&[("token.txt", "from-file\n")]);
    script.recorded.variables.lock().unwrap().insert("TOKEN".into(), "from-env".into());
    script.recorded.answers.lock().unwrap().push(Answer::Text("from-person".into()));
    for (source, shown, value) in [
        (r#"secret::env("TOKEN")"#, "[secret env:TOKEN]", "from-env"),
        (r#"secret::file("token.txt")"#, "[secret file:token.txt]", "from-file"),
        (r#"secret::ask("token")"#, "[secret prompt:token]", "from-person"),
        (r#"secret::of("from-text", "elsewhere")"#, "[secret elsewhere]", "from-text"),
    ] {
        let secret: Secret = script.value(source);
        assert_eq!((format!("{secret:?}").as_str(), secret.expose()), (shown, value));
        assert_eq!(script.host.secrets.redact(value), shown);
    }
    assert_eq!(script.recorded.questions.lock().unwrap()[0].kind, QuestionKind::Secret);
}

#[test]
fn a_secret_that_is_not_there_says_how_to_give_it() {
    let (script, _folder) = script(&[]);
    script.recorded.variables.lock().unwrap().insert("EMPTY".into(), String::new());
    for name in ["NONE", "EMPTY"] {
        let fault = script.fault(&format!("secret::env(\"{name}\")"));
        assert_eq!(fault.kind, Kind::Usage);
        assert!(fault.message.contains(&format!("`{name}` is not set, or is empty")), "{fault}");
    }
    let fault = script.fault("secret::ask(\"token\")");
    assert_eq!(fault.kind, Kind::Refused);
    assert_eq!(fault.message, "nobody answered `token`: this is a test");
}

#[test]
fn what_is_made_of_a_secret_is_secret_and_what_is_shown_of_it_is_its_reference() {
    let (script, _folder) = script(&[]);
    let given = r#"let token = secret::of("abcd", "env:TOKEN"); let user = secret::of("me", "env:ME");"#;
    for (text, shown) in [
        (r#""Bearer " + token"#, "[secret Bearer ${env:TOKEN}]"),
        (r#"token + "\n""#, r"[secret ${env:TOKEN}\n]"),
        (r#"user + ":" + token"#, "[secret ${env:ME}:${env:TOKEN}]"),
        ("token.base64()", "[secret base64(env:TOKEN)]"),
    ] {
        let secret: Secret = script.value(&format!("{given} {text}"));
        assert_eq!(format!("{secret:?}"), shown, "{text}");
    }
    assert_eq!(
        script.host.secrets.known("env:TOKEN").unwrap().expose(),
        "abcd",
        "what is made of it doesn't replace it"
    );
    let joined: Secret = script.value(&format!("{given} \"Bearer \" + token"));
    assert_eq!(joined.expose(), "Bearer abcd");
    for claim in [
        r#"`t=${token}` == "t=[secret env:TOKEN]""#,
        r#"token.to_string() == "[secret env:TOKEN]" && [token].to_string() == "[[secret env:TOKEN]]""#,
        r#"token.reference == "env:TOKEN" && token.expose() == "abcd" && type_of(token) == "Secret""#,
        r#"token == secret::of("abcd", "other") && token != user"#,
        r#"json::write(#{ t: token }) == "{\"t\":\"[secret env:TOKEN]\"}""#,
    ] {
        assert!(script.value::<bool>(&format!("{given} {claim}")), "{claim}");
    }
    let fault = script.fault(&format!("{given} let text = \"Bearer \"; text += token; text"));
    assert_eq!(fault.kind, Kind::Usage);
    assert!(fault.hint.unwrap().contains("text + secret"));
}

#[test]
fn an_interpolated_secret_is_not_sent_by_its_reference() {
    let (script, _folder) = script(&[]);
    let given = r#"let token = secret::of("abcd", "env:TOKEN");"#;
    for call in [
        "http::get(`http://localhost/?t=${token}`)",
        "http::get(\"http://localhost/\", #{ headers: #{ key: `Key ${token}` } })",
        "http::get(\"http://localhost/\", #{ bearer: `${token}` })",
        "http::post(\"http://localhost/\", `t=${token}`)",
        "http::post(\"http://localhost/\", #{ t: [`${token}`] })",
    ] {
        let fault = script.fault(&format!("{given} {call}"));
        assert_eq!(fault.kind, Kind::Usage, "{call}");
        assert!(fault.message.contains("reference of a secret"), "{call}: {fault}");
    }
}

/// The forms in which the canary may show itself.
fn forms() -> Vec<String> {
    let encoded = STANDARD.encode(format!("user:{CANARY}"));
    vec![
        CANARY.to_owned(),
        STANDARD.encode(CANARY).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(CANARY),
        encoded,
        utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string(),
    ]
}

#[test]
fn a_secret_shows_itself_nowhere_but_on_the_wire() {
    // This server tells everything that it is told.
    let server = Server::start(|seen| {
        let told = format!("{:?} {} {}", seen.headers, seen.path, seen.body);
        let encoded = STANDARD.encode(seen.body.as_bytes());
        match seen.path.split('?').next().unwrap() {
            "/fails" => Reply::new(500, format!("{told} {encoded}")),
            "/tells" => Reply::new(302, "").header("location", format!("/?t={}", &seen.headers["x-key"])),
            "/breaks" if seen.path.contains('?') => Reply::reset(),
            "/breaks" => Reply::new(302, "").header("location", format!("/breaks?t={}", &seen.headers["x-key"])),
            "/sends-on" => Reply::new(302, "").header("location", format!("/fails?{}", seen.body)),
            "/points" => Reply::new(302, "").header("location", seen.path.replace("/points", "/fails")),
            _ => Reply::new(200, told).header("x-told", encoded),
        }
    });
    let (script, _folder) = script(&[("canary.txt", CANARY)]);
    script.recorded.variables.lock().unwrap().insert("CANARY".into(), CANARY.into());
    let base = server.url("");
    let given = format!(r#"let token = secret::env("CANARY"); let base = "{base}";"#);
    let encoded = utf8_percent_encode(CANARY, NON_ALPHANUMERIC).to_string();
    let calls = [
        r#"print(token); debug(token); print(`${token}`); print([token, #{ a: token }])"#.to_owned(),
        r#"warn(token.expose()); bell(token.expose()); table([[token, token.expose()]])"#.to_owned(),
        r#"print(yaml::write(#{ a: token })); print(json::pretty([token])); print(token.base64().expose())"#.to_owned(),
        r#"print(http::get(base + "/", #{ bearer: token }).text)"#.to_owned(),
        r#"print(http::get(base + "/?t=" + token))"#.to_owned(),
        r#"http::get(base + "/fails?t=" + token)"#.to_owned(),
        r#"http::get(base + "/points?t=" + token)"#.to_owned(),
        r#"http::get(base + "/fails", #{ headers: #{ "x-key": "Key " + token } })"#.to_owned(),
        r#"let a = http::get(base + "/tells", #{ headers: #{ "x-key": token } }); print(a); a.url"#.to_owned(),
        r#"http::get(base + "/breaks", #{ headers: #{ "x-key": token } })"#.to_owned(),
        r#"http::get(base + "/fails", #{ basic: #{ user: "user", password: token } })"#.to_owned(),
        r#"http::post(base + "/", #{ a: token }, #{ basic: #{ user: "user", password: token } })"#.to_owned(),
        r#"http::post(base + "/", token.base64())"#.to_owned(),
        r#"http::post(base + "/fails", #{ a: [token] })"#.to_owned(),
        r#"http::post(base + "/sends-on", token)"#.to_owned(),
        format!(r#"http::post(base + "/?t={encoded}", ())"#),
        r#"http::get("http://127.0.0.1:1/?t=" + token)"#.to_owned(),
        r#"http::get("nonsense " + token)"#.to_owned(),
        r#"http::get("ftp://" + token)"#.to_owned(),
        r#"http::get("http://" + token)"#.to_owned(),
        r#"http::wait(base + "/fails?t=" + token, #{ timeout: "50ms", interval: "1ms" })"#.to_owned(),
        r#"http::wait(base + "/", #{ bearer: token, timeout: "50ms", interval: "1ms" }, |answer| answer.json() == 1)"#
            .to_owned(),
    ];
    let mut shown = Vec::new();
    for call in &calls {
        match script.run(&format!("{given} {call}")) {
            Ok(value) => shown.push(value.to_string()),
            Err(error) => shown.push(format!("{error} {error:?} {:?}", script.fault(&format!("{given} {call}")))),
        }
    }
    let on_the_wire = server.seen().iter().filter(|seen| format!("{seen:?}").contains(CANARY)).count();
    assert!(on_the_wire > 5, "the server was sent the secret {on_the_wire} times");

    shown.push(format!("{:?}", script.recorded.events.lock().unwrap()));
    shown.push(serde_json::to_string(&*script.recorded.events.lock().unwrap()).unwrap());
    shown.push(format!("{:?}", script.recorded.effects.lock().unwrap()));
    for form in forms() {
        for text in &shown {
            assert!(!text.contains(&form), "`{form}` is in {text}");
        }
    }
}

#[test]
fn a_secret_at_the_cut_of_a_long_body_is_not_shown_by_half() {
    let server = Server::start(|_| Reply::new(500, format!("{}{CANARY}", ".".repeat(290))));
    let (script, _folder) = script(&[]);
    let fault = script.fault(&format!("secret::of(\"{CANARY}\", \"x\"); http::get(\"{}\")", server.url("/")));
    assert!(fault.notes[0].contains("....[secret"), "{:?}", fault.notes);
    assert!(!fault.notes[0].contains("kana"), "{:?}", fault.notes);
}

#[test]
fn an_answer_with_a_secret_in_it_is_withheld_and_a_resumed_run_is_told_so() {
    let server = Server::start(|seen| Reply::new(200, format!("you sent {}", seen.headers["authorization"])));
    let (script, _folder) = script(&[]);
    let post = format!(
        "http::post(\"{}\", (), #{{ bearer: secret::of(\"{CANARY}\", \"env:CANARY\") }}).status",
        server.url("/")
    );
    assert_eq!(script.value::<i64>(&post), 200);
    let kept = script.recorded.effects.lock().unwrap()[0].1.clone().unwrap().1;
    assert!(kept.to_string().contains("withheld"), "{kept}");
    script.recorded.decisions.lock().unwrap().push(Planned::Done(kept));
    let fault = script.fault(&post);
    assert_eq!(fault.kind, Kind::InDoubt);
    assert!(fault.message.ends_with("its answer (200) was not kept, because it holds a secret"), "{fault}");
}

/// Of Flux's own tests: a Secret that SOPS encrypted, and its key.
const SEALED: &str = include_str!("../../sops/tests/vectors/secret.yaml");
const KEY: &str = include_str!("../../sops/tests/vectors/key.txt");

#[test]
fn what_sops_encrypted_is_opened_and_stays_secret() {
    let (script, _folder) = script(&[("login.yaml", SEALED), ("age.txt", KEY)]);
    let open = r#"secret::decrypt("login.yaml", secret::file("age.txt"))"#;
    let secret: Secret = script.value(&format!("{open}.stringData.key"));
    assert_eq!((secret.reference(), secret.expose()), ("sops:login.yaml stringData.key", "global-value"));
    assert_eq!(script.host.secrets.redact("is global-value here?"), "is [secret sops:login.yaml stringData.key] here?");
    assert_eq!(script.value::<String>(&format!("{open}.metadata.name")), "global-age-secret");
}

#[test]
fn a_file_of_sops_that_is_for_others_names_them() {
    let (script, _folder) = script(&[("login.yaml", SEALED), ("changed.yaml", &SEALED.replace("default", "other"))]);
    let fault = script.fault(r#"secret::decrypt("login.yaml", secret::age_key().private)"#);
    assert_eq!(fault.kind, Kind::Denied);
    assert_eq!(fault.notes, ["it is for age1henwn645drkd3fa34t27t2w2x0nsgw3w4h62gmg5x5xflyjpy38s5cncph"]);
    script.recorded.variables.lock().unwrap().insert("KEY".into(), KEY.into());
    let fault = script.fault(r#"secret::decrypt("changed.yaml", secret::env("KEY"))"#);
    assert_eq!((fault.kind, fault.message.contains("its sum is another")), (Kind::Parse, true), "{fault}");
    let fault = script.fault(r#"secret::decrypt("login.yaml", "AGE-SECRET-KEY-1")"#);
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::Parse, "line 1 of the key is no private key of age"));
}

#[test]
fn what_is_encrypted_is_opened_again_by_its_recipient() {
    let (script, folder) = script(&[]);
    let text: String = script.value(
        r#"let key = secret::age_key();
           let values = #{ kind: "Secret", data: #{ password: secret::of("8d7f-11c2", "password"), tries: 3 } };
           let text = secret::encrypt(values, [key.public], #{ encrypted_regex: "^data$" });
           step "write" { fs::write("a.yaml", text); fs::write("key", key.private); }
           text"#,
    );
    assert!(text.contains("kind: Secret") && !text.contains("8d7f"), "{text}");
    assert!(folder.path().join("a.yaml").exists());
    let opened: String = script.value(
        r#"let opened = secret::decrypt("a.yaml", secret::file("key")); `${opened.kind} ${opened.data.password}`"#,
    );
    assert_eq!(opened, "Secret [secret sops:a.yaml data.password]");
    for (call, told) in [
        (r#"secret::encrypt(#{ a: 1 }, [])"#, "there is nobody to encrypt for"),
        (r#"secret::encrypt(#{ a: 1 }, ["age1x"])"#, "`age1x` is no recipient of age"),
        (r#"secret::encrypt(#{ sops: 1 }, [secret::age_key().public])"#, "`sops` is where SOPS writes its own"),
    ] {
        let fault = script.fault(call);
        assert_eq!((fault.kind, fault.message.as_str()), (Kind::Usage, told), "{call}");
    }
}

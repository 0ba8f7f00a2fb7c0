//! Journals: cut off anywhere by a crash, and damaged by whatever else there is.

use cozyscript::run::journal::{
    past::Past,
    read::{self, Damage},
};

use super::mutate::mutated;

/// Every other text is a journal that was only cut off.
pub fn text(seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    match random.bool() {
        true => JOURNALS[0].chars().take(random.usize(..=JOURNALS[0].len())).collect(),
        false => mutated(&JOURNALS, &TOKENS, seed),
    }
}

/// A journal that was cut off is whole up to there; what is read of any other is read again the same.
pub fn read_and_add_up(text: &str) -> Result<(), String> {
    let was_cut = JOURNALS[0].starts_with(text);
    let journal = match read::read(text.as_bytes()) {
        Ok(journal) => journal,
        Err(Damage::Empty) if was_cut && !text.contains('\n') => return Ok(()),
        Err(damage) if was_cut => return Err(format!("a journal that was cut off can't be read: {damage}")),
        Err(_) => return Ok(()),
    };
    if read::read(&text.as_bytes()[..journal.whole]).as_ref() != Ok(&journal) {
        return Err(format!("its first {} bytes are another journal", journal.whole));
    }
    let past = match Past::of(&journal.lines) {
        Ok(past) => past,
        Err(illegal) if was_cut => return Err(format!("a journal that was cut off can't be there: {illegal}")),
        Err(_) => return Ok(()),
    };
    for effect in past.effects() {
        let intent = &effect.intent;
        let same = past.same_effects(&intent.step, &intent.verb, &intent.object, &intent.digest);
        if !same.contains(&effect) || intent.effect >= past.next_effect() {
            return Err(format!("effect {} is lost", intent.effect));
        }
    }
    match past.done().into_iter().find(|path| past.step(path).is_none()) {
        Some(path) => Err(format!("step `{path}` is done and was never begun")),
        None => Ok(()),
    }
}

const TOKENS: [&str; 30] = [
    "{",
    "}",
    "\"",
    ":",
    ",",
    "\n",
    "\r\n",
    "null",
    "-1",
    "18446744073709551615",
    "18446744073709551616",
    "4294967296",
    "\"record\":\"run\"",
    "\"record\":\"session\"",
    "\"record\":\"step_started\"",
    "\"record\":\"intent\"",
    "\"record\":\"outcome\"",
    "\"record\":\"answer\"",
    "\"record\":\"step_finished\"",
    "\"record\":\"ended\"",
    "\"record\":\"invented\"",
    "{\"seq\":9,\"at\":\"\",\"record\":\"ended\",\"outcome\":\"stopped\",\"elapsed_ms\":18446744073709551615}\n",
    "{\"seq\":9,\"at\":\"\",\"record\":\"intent\",\"effect\":18446744073709551615,\"step\":\"a\",\"verb\":\"POST\",\"object\":\"x\",\"digest\":\"0\",\"repeatable\":false}\n",
    "{\"seq\":9,\"at\":\"\",\"record\":\"outcome\",\"effect\":1,\"end\":\"done\"}\n",
    "{\"seq\":9,\"at\":\"\",\"record\":\"step_started\",\"step\":\"a\",\"attempt\":4294967295,\"own\":\"0\"}\n",
    "\"attempt\":4294967295",
    "\"effect\":18446744073709551615",
    "[[[[[[[[[[[[[[[[[[[[",
    "\\u0000",
    "\u{feff}",
];

const JOURNALS: [&str; 2] = [
    r#"{"seq":0,"at":"2026-11-21T07:00:00Z","record":"run","journal":1,"cozyscript":"0.1.0","run":"a-20261121-070000","runbook":"/srv/a.rhai","title":"A","seed":1}
{"seq":1,"at":"2026-11-21T07:00:00Z","record":"session","process":12,"host":"lab","user":"root","sources":{"a.rhai":"step \"a\" {\n}\n"},"params":{"nodes":["x",1,2.5,null]}}
{"seq":2,"at":"2026-11-21T07:00:01Z","record":"step_started","step":"a","attempt":1,"own":"31aa"}
{"seq":3,"at":"2026-11-21T07:00:01Z","record":"intent","effect":0,"step":"a","verb":"apply","object":"lab: configmap/a","digest":"0","repeatable":true}
{"seq":4,"at":"2026-11-21T07:00:01Z","record":"outcome","effect":0,"end":"done","detail":"created"}
{"seq":5,"at":"2026-11-21T07:00:01Z","record":"intent","effect":1,"step":"a[x]","verb":"POST","object":"http://x/","digest":"1","repeatable":false}
{"seq":6,"at":"2026-11-21T07:00:01Z","record":"outcome","effect":1,"end":"in_doubt","detail":"cut off"}
{"seq":7,"at":"2026-11-21T07:00:01Z","record":"step_finished","step":"a","outcome":"stopped","fault":"nobody knows","elapsed_ms":8}
{"seq":8,"at":"2026-11-21T07:00:01Z","record":"ended","outcome":"stopped","because":"nobody knows","elapsed_ms":9}
{"seq":9,"at":"2026-11-21T08:00:00Z","record":"session","process":13,"host":"lab","user":"root","sources":{},"params":{}}
{"seq":10,"at":"2026-11-21T08:00:00Z","record":"step_started","step":"a","attempt":2,"own":"31aa"}
{"seq":11,"at":"2026-11-21T08:00:00Z","record":"answer","step":"a[x]","question":"did `POST http://x/` happen?","answer":"repeat"}
{"seq":12,"at":"2026-11-21T08:00:01Z","record":"outcome","effect":1,"end":"done","kept":{"answer":{"status":200,"body":{"text":"é\n"}}}}
{"seq":13,"at":"2026-11-21T08:00:01Z","record":"step_finished","step":"a","outcome":"done","whole":"77","reads":{"nodes":"0a"},"files":{"b.yaml":"0b"},"value":{"map":{"x":{"int":1}}},"sets":{"count":{"int":2}},"elapsed_ms":8}
{"seq":14,"at":"2026-11-21T08:00:01Z","record":"step_finished","step":"b","outcome":"skipped","elapsed_ms":0}
{"seq":15,"at":"2026-11-21T08:00:01Z","record":"ended","outcome":"done","elapsed_ms":9}
"#,
    r#"{"seq":0,"at":"","record":"run","journal":2,"cozyscript":"9.0.0","run":"b","runbook":"b.rhai","seed":0}
{"seq":1,"at":"","record":"invented","by":"a newer version"}
{"seq":2,"at":"","record":"session","process":1,"host":"","user":"","sources":{},"params":{}}
"#,
];

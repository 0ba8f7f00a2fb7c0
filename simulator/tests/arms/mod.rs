//! The two servers that every body meets: the simulator, and a real control plane.

pub mod connection;
pub mod flux;
pub mod loopback;
pub mod real;
pub mod simulated;
pub mod transcript;

use std::{cell::RefCell, time::Duration};

use serde_json::{Value, json};

use self::{
    connection::{Asked, Connect, Kept},
    transcript::Transcript,
};

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub code: u16,
    /// What the server warns of, besides.
    pub warnings: Vec<String>,
    /// The media type of the body.
    pub form: String,
    pub body: Value,
}

/// One server, on which one body plays; all that is asked and answered is written down.
pub struct Arm {
    runtime: tokio::runtime::Runtime,
    connect: Box<dyn Connect>,
    kept: Kept,
    /// The namespace that is the body's own.
    pub space: String,
    transcript: Transcript,
    /// Who asks, and what else is sent along; else it is the administrator.
    acting: RefCell<Acting>,
}

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct Acting {
    pub token: Option<String>,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    fn plain(body: Value) -> Self {
        Self { code: 200, warnings: Vec::new(), form: JSON.to_owned(), body }
    }
}

const JSON: &str = "application/json";

/// How long a body waits for something to become so.
const PATIENCE: Duration = Duration::from_secs(120);

impl Arm {
    pub fn new(runtime: tokio::runtime::Runtime, connect: Box<dyn Connect>, space: &str) -> Self {
        let transcript = Transcript::of(space);
        let (kept, acting) = (Kept::default(), RefCell::default());
        let mut arm = Self { runtime, connect, kept, space: space.to_owned(), transcript, acting };
        arm.move_to(space);
        arm
    }

    /// Begins anew in another namespace.
    pub fn move_to(&mut self, space: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}});
        let answer = self.exchange("POST", "/api/v1/namespaces", "application/json", &object);
        assert_eq!(answer.code, 201, "{}", answer.body);
        space.clone_into(&mut self.space);
        self.transcript = Transcript::of(space);
    }

    /// What was asked and answered.
    pub fn told(&self) -> Value {
        self.transcript.told()
    }

    /// Lets the user without rights ask.
    pub fn as_viewer<T>(&self, ask: impl FnOnce() -> T) -> T {
        let token = format!("viewer-{}", self.connect.token());
        self.with_token(&token, ask)
    }

    /// Lets whoever has this token ask.
    pub fn with_token<T>(&self, token: &str, ask: impl FnOnce() -> T) -> T {
        self.act_as(Acting { token: Some(token.to_owned()), headers: Vec::new() }, ask)
    }

    /// Sends these headers along.
    pub fn with_headers<T>(&self, headers: &[(&str, &str)], ask: impl FnOnce() -> T) -> T {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.act_as(Acting { headers, ..self.acting() }, ask)
    }

    fn acting(&self) -> Acting {
        self.acting.borrow().clone()
    }

    fn act_as<T>(&self, acting: Acting, ask: impl FnOnce() -> T) -> T {
        let before = self.acting.replace(acting);
        let answer = ask();
        self.acting.replace(before);
        answer
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &Value::Null)
    }

    pub fn create(&self, path: &str, object: Value) -> Answer {
        self.send("POST", path, "application/json", &object)
    }

    pub fn replace(&self, path: &str, object: Value) -> Answer {
        self.send("PUT", path, "application/json", &object)
    }

    /// A patch of the form `merge`, `strategic-merge` or `json`.
    pub fn patch(&self, path: &str, form: &str, patch: Value) -> Answer {
        self.send("PATCH", path, &format!("application/{form}-patch+json"), &patch)
    }

    /// A server-side apply by this manager; more parameters may follow the manager: `me&force=true`.
    pub fn apply(&self, path: &str, manager: &str, object: Value) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}fieldManager={manager}");
        self.send("PATCH", &path, "application/apply-patch+yaml", &object)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "", &Value::Null)
    }

    pub fn delete_with(&self, path: &str, options: Value) -> Answer {
        self.send("DELETE", path, "application/json", &options)
    }

    /// Sends a request and writes down what comes back. `SPACE` in the path and the body is the body's own namespace.
    pub fn send(&self, method: &str, path: &str, content: &str, body: &Value) -> Answer {
        let (path, body) = (self.placed(path), self.placed_in(body));
        self.transcript.sends(&body.to_string());
        let answer = self.exchange(method, &path, content, &body);
        self.transcript.tell(&format!("{method} {path}"), &answer);
        answer
    }

    /// Like [`Arm::send`] with a body that is any text.
    pub fn send_text(&self, method: &str, path: &str, content: &str, body: &str) -> Answer {
        self.send_text_as(method, path, content, JSON, body)
    }

    /// Like [`Arm::send_text`], for one who takes these media types.
    pub fn send_text_as(&self, method: &str, path: &str, content: &str, accept: &str, body: &str) -> Answer {
        let answer = self.try_text_as(method, path, content, accept, body);
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Like [`Arm::send_text_as`], for one who expects that the server may hang up.
    pub fn try_text_as(
        &self,
        method: &str,
        path: &str,
        content: &str,
        accept: &str,
        body: &str,
    ) -> Result<Answer, connection::Failure> {
        let (path, body) = (self.placed(path), self.placed(body));
        self.transcript.sends(&body);
        let asked = Asked { method, path: &path, content, accept, body: &body, acting: &self.acting() };
        let answer = self.runtime.block_on(connection::exchange(&*self.connect, &self.kept, asked))?;
        let form = if accept == JSON { String::new() } else { format!(" as {accept}") };
        self.transcript.tell(&format!("{method} {path}{form}"), &answer);
        Ok(answer)
    }

    /// Like [`Arm::send_text`], but not written down.
    pub fn dismiss(&self, method: &str, path: &str, content: &str, body: &str) -> Answer {
        let (path, body) = (self.placed(path), self.placed(body));
        self.ask(Asked { method, path: &path, content, accept: JSON, body: &body, acting: &self.acting() })
    }

    /// Writes down what was answered: its code, and the rest of it where that matters.
    pub fn answered(&self, asked: &str, answer: &Answer, all: bool) {
        let short = Answer { body: Value::Null, ..answer.clone() };
        self.transcript.tell(asked, if all { answer } else { &short });
    }

    /// Like [`Arm::get`], for one who takes these media types.
    pub fn get_as(&self, path: &str, accept: &str) -> Answer {
        let path = self.placed(path);
        let answer =
            self.ask(Asked { method: "GET", path: &path, content: "", accept, body: "", acting: &self.acting() });
        self.transcript.tell(&format!("GET {path} as {accept}"), &answer);
        answer
    }

    /// Like [`Arm::send`], for one who takes these media types.
    pub fn send_as(&self, method: &str, path: &str, content: &str, accept: &str, body: &Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send_text_as(method, path, content, accept, &text)
    }

    /// Like [`Arm::get`], but not written down.
    pub fn look(&self, path: &str) -> Answer {
        self.exchange("GET", &self.placed(path), "", &Value::Null)
    }

    /// Like [`Arm::look`], in a form of the client's choice.
    pub fn look_as(&self, path: &str, accept: &str) -> Answer {
        let path = self.placed(path);
        self.ask(Asked { method: "GET", path: &path, content: "", accept, body: "", acting: &self.acting() })
    }

    /// Writes down a part of what was answered, if the whole is too much.
    pub fn note(&self, what: &str, part: Value) {
        self.transcript.tell(what, &Answer::plain(part));
    }

    /// Looks again and again until what is there is as it should be, and writes that down.
    #[track_caller]
    pub fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let (answer, ()) = self.patiently("GET", path, &Value::Null, |answer| holds(&answer.body).then_some(()));
        self.transcript.tell(&format!("until GET {}", self.placed(path)), &answer);
        answer.body
    }

    /// Like [`Arm::until`], but not written down.
    #[track_caller]
    pub fn look_until(&self, path: &str, holds: impl Fn(&Answer) -> bool) {
        self.patiently("GET", path, &Value::Null, |answer| holds(answer).then_some(()));
    }

    /// Posts the same again and again until the answer is as it should be: a question, or a dry run. Not written down.
    #[track_caller]
    pub fn ask_until(&self, path: &str, question: &Value, holds: impl Fn(&Answer) -> bool) {
        self.patiently("POST", path, question, |answer| holds(answer).then_some(()));
    }

    /// Looks again and again until `found` finds something in what is there, and writes that down: for what controllers do in
    /// their own time. What they draw lots for, the ends of names, is left out.
    #[track_caller]
    pub fn settle(&self, path: &str, found: impl Fn(&Value) -> Option<Value>) -> Value {
        let (answer, found) = self.patiently("GET", path, &Value::Null, |answer| found(&answer.body));
        let told = Answer { body: transcript::without_lots(&found), warnings: Vec::new(), ..answer.clone() };
        self.transcript.tell(&format!("settled GET {}", self.placed(path)), &told);
        answer.body
    }

    #[track_caller]
    fn patiently<T>(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        found: impl Fn(&Answer) -> Option<T>,
    ) -> (Answer, T) {
        let (path, body) = (self.placed(path), self.placed_in(body));
        let content = if body.is_null() { "" } else { JSON };
        let mut waited = Duration::ZERO;
        loop {
            let answer = self.exchange(method, &path, content, &body);
            if let Some(found) = found(&answer) {
                return (answer, found);
            }
            assert!(waited < PATIENCE, "`{path}` never became as it should be:\n{:#}", answer.body);
            let pause = Duration::from_millis(50);
            self.pass(pause);
            waited += pause;
        }
    }

    /// Lets time pass.
    pub fn pass(&self, pause: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(pause).await });
    }

    /// What a watch tells within a time, line by line, written down.
    pub fn watch(&self, path: &str, lasts: Duration) -> Vec<Value> {
        self.watch_until(path, lasts, |_| false)
    }

    /// Like [`Arm::watch`], to an end with the first line that is the last one wanted.
    pub fn watch_until(&self, path: &str, lasts: Duration, enough: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.watch_until_as(path, JSON, lasts, enough)
    }

    /// Like [`Arm::watch_until`], for one who takes these media types.
    pub fn watch_until_as(
        &self,
        path: &str,
        accept: &str,
        lasts: Duration,
        enough: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let path = self.placed(path);
        let lines = self.lines(&path, accept, lasts, enough);
        self.transcript.tell(&format!("watch {path}"), &Answer::plain(Value::Array(lines.clone())));
        lines
    }

    /// Like [`Arm::watch`] until the server ends it, for one who takes these media types.
    pub fn watch_as(&self, path: &str, accept: &str) -> Vec<Value> {
        let path = self.placed(path);
        let mut lines = self.lines(&path, accept, PATIENCE, |_| false);
        // Between two marks nothing has happened, and how often a server makes one is its own affair.
        lines.dedup_by(|next, last| next["type"] == "BOOKMARK" && last["type"] == "BOOKMARK");
        self.transcript.tell(&format!("watch {path} as {accept}"), &Answer::plain(Value::Array(lines.clone())));
        lines
    }

    fn lines(&self, path: &str, accept: &str, lasts: Duration, enough: impl Fn(&Value) -> bool) -> Vec<Value> {
        let asked = (path, accept);
        let lines = self.runtime.block_on(connection::watch(&*self.connect, &self.acting(), asked, lasts, enough));
        lines.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Sends a request that is not written down.
    pub fn exchange(&self, method: &str, path: &str, content: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(Asked { method, path, content, accept: JSON, body: &body, acting: &self.acting() })
    }

    fn ask(&self, asked: Asked<'_>) -> Answer {
        let answer = self.runtime.block_on(connection::exchange(&*self.connect, &self.kept, asked));
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", asked.method, asked.path))
    }

    pub fn placed(&self, text: &str) -> String {
        text.replace("SPACE", &self.space)
    }

    /// The same with the body's own namespace for `SPACE`.
    pub fn placed_in(&self, body: &Value) -> Value {
        serde_json::from_str(&self.placed(&body.to_string()))
            .expect("a namespace has nothing in it that JSON would escape")
    }
}

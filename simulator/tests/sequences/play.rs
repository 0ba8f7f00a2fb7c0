//! A sequence is played on both servers, request by request, and what they answer is compared.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::Bed;

use crate::{
    arms::{Arm, real, simulated},
    bodies::written,
    comparable::comparable,
    generate::{Request, WATCH},
    kinds::{DEFINITIONS, FAMILIES},
};

/// How often a real server is asked that draws lots, until it answers what the simulator has answered.
const LOTS: usize = 30;

/// How long a watch may take to come to what ends it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Both servers, each over one connection.
pub struct Player {
    theirs: Side,
    ours: Side,
}

/// What was answered differently.
pub struct Difference {
    pub asked: Value,
    pub ours: Value,
    pub theirs: Value,
}

/// What came of a request to both.
enum Compared {
    Same,
    Different(Difference),
    /// The real server hung up, as it does where Go panics (a list among the keys to retain): there is nothing to compare with, and
    /// who knows what was done.
    FellOver,
}

impl Difference {
    /// What stays the same in a shorter sequence: the request, the codes, and where the answers differ first.
    pub fn trait_of(&self) -> String {
        let asked = self.asked.as_str().unwrap_or_default();
        let path = asked.split(['?']).next().unwrap_or_default();
        let codes = format!("{} {}", self.ours["code"], self.theirs["code"]);
        format!("{path} {codes} {}", self.place().unwrap_or_default())
    }

    /// The same without what names the request: two sequences whose differences agree in it have found the same fault.
    pub fn sort(&self) -> String {
        let method = self.asked.as_str().and_then(|asked| asked.split([' ', '?']).next()).unwrap_or_default();
        let message = |answer: &Value| {
            let text = answer.pointer("/answered/message").map(Value::to_string).unwrap_or_default();
            text.chars().filter(|letter| letter.is_alphabetic()).take(60).collect::<String>()
        };
        let place = self.place().unwrap_or_default();
        format!("{method} {place} {} {} {}", self.theirs["code"], message(&self.theirs), message(&self.ours))
    }

    /// Where the answers differ first.
    fn place(&self) -> Option<String> {
        different("", &self.ours["answered"], &self.theirs["answered"])
    }
}

fn different(at: &str, one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        _ if one == other => None,
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys());
            let below = |key: &String| {
                different(
                    &format!("{at}/{key}"),
                    one.get(key).unwrap_or(&Value::Null),
                    other.get(key).unwrap_or(&Value::Null),
                )
            };
            keys.filter(|key| !matches!(key.as_str(), "details" | "code")).find_map(below)
        }
        _ => Some(at.to_owned()),
    }
}

impl Player {
    /// `name` is that of nobody else.
    pub fn new(bed: &Bed, name: &str) -> Self {
        let player = Self { theirs: Side::on(real::arm(bed, name)), ours: Side::on(simulated::bare_arm(name)) };
        define(&player.theirs.arm);
        define(&player.ours.arm);
        player
    }

    /// The first difference, in a new namespace.
    pub fn difference(&mut self, space: &str, sequence: &[Request]) -> Option<Difference> {
        self.theirs.begin(space);
        self.ours.begin(space);
        let mut compared = sequence.iter().map(|request| self.compared(request));
        let found = compared.find(|compared| !matches!(compared, Compared::Same));
        tidy(&self.theirs.arm);
        tidy(&self.ours.arm);
        match found {
            Some(Compared::Different(difference)) => Some(difference),
            Some(Compared::Same | Compared::FellOver) | None => None,
        }
    }

    fn compared(&mut self, request: &Request) -> Compared {
        let Some(theirs) = self.theirs.play(request) else { return Compared::FellOver };
        let ours = self.ours.play(request).expect("the simulator doesn't hang up");
        let Some((theirs, ours)) = theirs.into_iter().zip(ours).find(|(theirs, ours)| theirs != ours) else {
            return Compared::Same;
        };
        // Which of several things it refuses something for depends on the order of Go's maps; and what it reads from a
        // cache or refuses by one is a little late.
        let asks_again = theirs["code"].as_u64() >= Some(400) || matches!(request.method, "GET" | WATCH);
        let mut lots = (0..LOTS).filter(|_| asks_again);
        if lots.any(|_| self.theirs.ask_again(request).as_ref() == Some(&ours)) {
            return Compared::Same;
        }
        Compared::Different(Difference { asked: theirs["asked"].clone(), ours, theirs })
    }
}

/// One of both servers, with what later requests name of its answers.
struct Side {
    arm: Arm,
    known: Vec<(String, String)>,
}

impl Side {
    fn on(arm: Arm) -> Self {
        Self { arm, known: Vec::new() }
    }

    fn begin(&mut self, space: &str) {
        self.arm.move_to(space);
        self.known.clear();
        // Without one nobody may create pods.
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        let accounts = self.arm.placed("/api/v1/namespaces/SPACE/serviceaccounts");
        let answer = self.arm.exchange("POST", &accounts, "application/json", &account);
        assert_eq!(answer.code, 201, "{}", answer.body);
    }

    /// What is told of a request, which is little if it names what was never answered; nothing, if the server hangs up.
    fn play(&mut self, request: &Request) -> Option<Vec<Value>> {
        let (Some(path), Some(body)) = (self.placed(&request.path), self.placed(&written(&request.body))) else {
            return Some(Vec::new());
        };
        let before = self.told().len();
        if request.method == WATCH {
            let collection = path.split('?').next().unwrap_or(&path);
            let answer = self.arm.send_text("POST", collection, request.content, &body);
            if answer.code == 201 {
                self.watch(&path, request);
            }
        } else {
            self.ask(&path, &body, request)?;
        }
        Some(self.told().split_off(before))
    }

    /// What is told of the same request once more, which changes nothing.
    fn ask_again(&mut self, request: &Request) -> Option<Value> {
        let (path, body) = (self.placed(&request.path)?, self.placed(&written(&request.body))?);
        match request.method {
            WATCH => self.watch(&path, request),
            _ => self.ask(&path, &body, request)?,
        }
        self.told().pop()
    }

    fn ask(&mut self, path: &str, body: &str, request: &Request) -> Option<()> {
        let Request { method, content, accept, .. } = request;
        let body = if request.torn { &body[..body.len().saturating_sub(1)] } else { body };
        let answer = self.arm.try_text_as(method, path, content, accept, body).ok()?;
        let metadata = &answer.body["metadata"];
        let mut know = |what: &str, field: &str| {
            if let Some(text) = metadata[field].as_str().filter(|text| !text.is_empty()) {
                self.known.push((format!("{{{what}-{}}}", request.number), text.to_owned()));
            }
        };
        // What is read from a cache is of a version that others have not come to, or have long left.
        if !path.contains("resourceVersion=") {
            know("REVISION", "resourceVersion");
        }
        know("CONTINUE", "continue");
        // Versions of lists are those of everything on a server, which others write to.
        if answer.body.get("items").is_none() && answer.body.get("rows").is_none() {
            know("VERSION", "resourceVersion");
        }
        Some(())
    }

    /// Watches until the object comes that ends it, or all that was there before.
    fn watch(&self, path: &str, request: &Request) {
        let end = &request.body["metadata"]["name"];
        let marked = path.contains("sendInitialEvents=true");
        let enough = |line: &Value| match line["type"].as_str() {
            Some("ERROR") => true,
            Some("BOOKMARK") => marked,
            _ if marked => false,
            _ => [&line["object"], &line["object"]["rows"][0]["object"]]
                .iter()
                .any(|object| object["metadata"]["name"] == *end),
        };
        self.arm.watch_until_as(path, request.accept, PATIENCE, enough);
    }

    fn told(&self) -> Vec<Value> {
        let Value::Array(told) = self.arm.told() else { unreachable!("a transcript is a list") };
        told.into_iter().map(comparable).collect()
    }

    /// The text with what it names of earlier answers; none, if one of them was never given.
    fn placed(&self, text: &str) -> Option<String> {
        let placed = self.known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        (!["{VERSION-", "{REVISION-", "{CONTINUE-"].iter().any(|name| placed.contains(name))).then_some(placed)
    }
}

/// Addresses of services are few.
fn tidy(arm: &Arm) {
    let collection = arm.placed("/api/v1/namespaces/SPACE/services");
    let list = arm.look(&collection).body;
    for service in list["items"].as_array().expect("a list has items") {
        let path = format!("{collection}/{}", service["metadata"]["name"].as_str().expect("objects have names"));
        let free = json!({"metadata": {"finalizers": null}});
        arm.exchange("PATCH", &path, "application/merge-patch+json", &free);
        arm.exchange("DELETE", &path, "", &Value::Null);
    }
}

fn define(arm: &Arm) {
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for definition in DEFINITIONS.iter() {
        let answer = arm.exchange("POST", definitions, "application/json", definition);
        assert!(matches!(answer.code, 201 | 409), "{}", answer.body);
    }
    for family in FAMILIES.iter().filter(|family| family.collection.contains("example.org")) {
        arm.look_until(&family.collection, |answer| answer.code == 200);
    }
}

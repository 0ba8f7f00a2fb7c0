//! Asking and posting.

use http::Method;
use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use super::{
    answer::Answer,
    expected::Expected,
    kept,
    request::Request,
    send::{Broken, Sender},
};
use crate::{
    host::{effect::Effect, wait::Waiting},
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        options::Options,
    },
};

#[export_module]
pub mod functions {
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, url: Dynamic) -> Outcome<Answer> {
        ask(&context, "http::get", Method::GET, &url, Map::new())
    }

    /// Asks for an address.
    ///
    /// # Parameters
    /// - `url` (text or secret): such as `https://grafana.example.org/api/health`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `headers` (map): more headers; their values may be secrets
    /// - `bearer` (secret or text): a token, for the header `Authorization`
    /// - `basic` (map): `user` and `password`, for the header `Authorization`
    /// - `expect` (integer or text or list, `2xx`): statuses that are answers and not faults; `any` is all of them
    /// - `timeout` (duration, `30s`): how long it may take as a whole
    /// - `connect_timeout` (duration, `10s`): how long making the connection may take
    /// - `follow` (integer, `5`): how many redirects are followed; secrets are not sent on to another server
    /// - `ca` (text): whom to trust, and nobody else: a file below the runbook's folder, or certificates in PEM
    /// - `insecure` (boolean, `false`): trust whoever answers; it is warned of
    ///
    /// # Returns
    /// An `Answer` with `status`, `ok`, `headers`, `text`, `json()`, `url` and `elapsed`.
    ///
    /// # Faults
    /// - `unreachable`: no connection, or it was cut off
    /// - `tls`: who answers can't be trusted
    /// - `timeout`: there was no answer in time
    /// - `status`: the status was not expected; the fault has it as `status`
    /// - `usage`: the URL or an option can't be used
    /// - `file`: the file `ca` can't be read
    ///
    /// # Example
    /// ```rhai server
    /// print(http::get(server + "/").text);
    /// let answer = http::get(server + "/json", #{ headers: #{ accept: "application/json" }, timeout: "5s" });
    /// print(answer.json().message);
    /// print(http::get(server + "/nowhere", #{ expect: [200, 404] }).status);
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_with_options(context: NativeCallContext, url: Dynamic, options: Map) -> Outcome<Answer> {
        ask(&context, "http::get", Method::GET, &url, options)
    }

    #[rhai_fn(return_raw)]
    pub fn post(context: NativeCallContext, url: Dynamic, body: Dynamic) -> Outcome<Answer> {
        change(&context, "http::post", Method::POST, &url, &body, Map::new())
    }

    /// Posts a body.
    ///
    /// A resumed run does not post again what was posted: it has the answer from the journal, without its cookies. An answer
    /// of more than 64 KB, or with a secret in it, is not kept. If the run was cut off before the answer came, a person is
    /// asked whether it was served; the answer is then `assumed`, with the status 0.
    ///
    /// # Parameters
    /// - `url` (text or secret): where to
    /// - `body` (text or map or list or secret): a map, an object or a list is sent as JSON, secrets in it by value
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `headers` (map): more headers; their values may be secrets
    /// - `bearer` (secret or text): a token, for the header `Authorization`
    /// - `basic` (map): `user` and `password`, for the header `Authorization`
    /// - `expect` (integer or text or list, `2xx`): statuses that are answers and not faults; `any` is all of them
    /// - `repeat_safe` (boolean, `false`): posting it twice is the same as posting it once, so a resumed run may
    /// - `timeout` (duration, `30s`): how long it may take as a whole
    /// - `connect_timeout` (duration, `10s`): how long making the connection may take
    /// - `follow` (integer, `5`): how many redirects are followed; secrets are not sent on to another server
    /// - `ca` (text): whom to trust, and nobody else: a file below the runbook's folder, or certificates in PEM
    /// - `insecure` (boolean, `false`): trust whoever answers; it is warned of
    ///
    /// # Returns
    /// An `Answer` with `status`, `ok`, `headers`, `text`, `json()`, `url`, `elapsed` and `assumed`.
    ///
    /// # Effect
    /// Whatever the server does with it.
    ///
    /// # Faults
    /// - `unreachable`: no connection; nothing was sent
    /// - `in_doubt`: the connection was cut off after it was sent, or a gateway gave up (502, 504)
    /// - `tls`: who answers can't be trusted; nothing was sent
    /// - `timeout`: there was no answer in time
    /// - `status`: the status was not expected; the fault has it as `status`
    /// - `refused`: a person or the run's rules did not allow it
    /// - `usage`: the URL, the body or an option can't be used
    /// - `file`: the file `ca` can't be read
    ///
    /// # Example
    /// ```rhai server
    /// http::post(server + "/echo", "a text");
    /// let token = secret::of("8d7f-11c2", "session");
    /// let answer = http::post(server + "/echo", #{ message: "hello" }, #{ bearer: token, repeat_safe: true });
    /// print(answer.json().message);
    /// ```
    #[rhai_fn(name = "post", return_raw)]
    pub fn post_with_options(context: NativeCallContext, url: Dynamic, body: Dynamic, options: Map) -> Outcome<Answer> {
        change(&context, "http::post", Method::POST, &url, &body, options)
    }

    #[rhai_fn(name = "send", return_raw)]
    pub fn send_without_body(context: NativeCallContext, method: &str, url: Dynamic) -> Outcome<Answer> {
        send_any(&context, method, &url, &Dynamic::UNIT, Map::new())
    }

    #[rhai_fn(name = "send", return_raw)]
    pub fn send(context: NativeCallContext, method: &str, url: Dynamic, body: Dynamic) -> Outcome<Answer> {
        send_any(&context, method, &url, &body, Map::new())
    }

    /// Sends a request of any other method, such as PUT, PATCH or DELETE.
    ///
    /// GET, HEAD and OPTIONS change nothing and send no body. The others are changes as `http::post` is one; PUT and DELETE
    /// may be repeated by a resumed run.
    ///
    /// # Parameters
    /// - `method` (text): such as `PUT`
    /// - `url` (text or secret): where to
    /// - `body` (text or map or list or secret): a map, an object or a list is sent as JSON; `()` sends none
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `headers` (map): more headers; their values may be secrets
    /// - `bearer` (secret or text): a token, for the header `Authorization`
    /// - `basic` (map): `user` and `password`, for the header `Authorization`
    /// - `expect` (integer or text or list, `2xx`): statuses that are answers and not faults; `any` is all of them
    /// - `repeat_safe` (boolean, `false`): posting it twice is the same as posting it once, so a resumed run may; for PUT
    ///   and DELETE it is so by their nature
    /// - `timeout` (duration, `30s`): how long it may take as a whole
    /// - `connect_timeout` (duration, `10s`): how long making the connection may take
    /// - `follow` (integer, `5`): how many redirects are followed; secrets are not sent on to another server
    /// - `ca` (text): whom to trust, and nobody else: a file below the runbook's folder, or certificates in PEM
    /// - `insecure` (boolean, `false`): trust whoever answers; it is warned of
    ///
    /// # Returns
    /// An `Answer` with `status`, `ok`, `headers`, `text`, `json()`, `url`, `elapsed` and `assumed`.
    ///
    /// # Effect
    /// Whatever the server does with it.
    ///
    /// # Faults
    /// - `unreachable`: no connection; nothing was sent
    /// - `in_doubt`: the connection was cut off after it was sent, or a gateway gave up (502, 504)
    /// - `tls`: who answers can't be trusted; nothing was sent
    /// - `timeout`: there was no answer in time
    /// - `status`: the status was not expected; the fault has it as `status`
    /// - `refused`: a person or the run's rules did not allow it
    /// - `usage`: the method, the URL, the body or an option can't be used
    /// - `file`: the file `ca` can't be read
    ///
    /// # Example
    /// ```rhai server
    /// http::send("PUT", server + "/echo", #{ message: "hello" });
    /// http::send("DELETE", server + "/nowhere", (), #{ expect: ["2xx", 404] });
    /// ```
    #[rhai_fn(name = "send", return_raw)]
    pub fn send_with_options(
        context: NativeCallContext,
        method: &str,
        url: Dynamic,
        body: Dynamic,
        options: Map,
    ) -> Outcome<Answer> {
        send_any(&context, method, &url, &body, options)
    }
}

fn send_any(context: &NativeCallContext, method: &str, url: &Dynamic, body: &Dynamic, options: Map) -> Outcome<Answer> {
    const FUNCTION: &str = "http::send";
    match Method::from_bytes(method.to_uppercase().as_bytes()) {
        Ok(method) if method.is_safe() => ask(context, FUNCTION, method, url, options),
        Ok(method) if method != Method::CONNECT => change(context, FUNCTION, method, url, body, options),
        _ => {
            let fault = Fault::new(Kind::Usage, format!("`{method}` is not a method that can be sent"));
            Err(context.raise(fault.hint("such as `PUT`, `PATCH` or `DELETE`")))
        }
    }
}

fn ask(context: &NativeCallContext, function: &str, method: Method, url: &Dynamic, options: Map) -> Outcome<Answer> {
    let options = context.options(function, options)?;
    let request = Request::read(context, method, url, None, &options)?;
    let expected = expected(context, &options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let sender = Sender::of(&context.host());
    context.wait(Waiting::request(format!("`{}`", request.title()), timeout), |_| answered(sender, request, expected))
}

fn change(
    context: &NativeCallContext,
    function: &str,
    method: Method,
    url: &Dynamic,
    body: &Dynamic,
    options: Map,
) -> Outcome<Answer> {
    let options = context.options(function, options)?;
    let request = Request::read(context, method, url, Some(body), &options)?;
    let expected = expected(context, &options)?;
    let deadline = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let host = context.host();
    let effect = Effect {
        verb: request.method.to_string(),
        object: request.shown.clone(),
        digest: request.digest(),
        repeatable: options.flag("repeat_safe") || request.method.is_idempotent(),
        destroys: None,
    };
    let (title, shown, sender) = (request.title(), request.shown.clone(), Sender::of(&host));
    let changed = move |answer: Answer| {
        let kept = kept::keep(&answer, &host.secrets);
        Changed { kept, detail: Some(answer.status_line()), value: answer }
    };
    let assumed = changed(kept::assumed(shown));
    let perform = async move { answered(sender, request, expected).await.map(changed) };
    if effect.repeatable {
        return context.change(Change::repeatable(effect, deadline, perform));
    }
    context.change(Change {
        effect,
        deadline,
        perform: Box::new(|_| Box::pin(perform)),
        recall: Box::new(move |kept| Box::pin(async move { kept::recall(&title, kept) })),
        settle: Box::pin(async move {
            let why = "an HTTP server can't be asked whether it served a request".to_owned();
            Ok(Settled::Unknown { why, assumed })
        }),
    })
}

async fn answered(sender: Sender, request: Request, expected: Expected) -> Result<Answer, Fault> {
    let sent = sender.send(request.clone()).await.map_err(Broken::fault)?;
    match expected.holds(sent.answer.parts().status) {
        true => Ok(sent.answer),
        false => Err(sender.unexpected(&request, &sent, &expected)),
    }
}

fn expected(context: &NativeCallContext, options: &Options) -> Outcome<Expected> {
    match options.value("expect") {
        Some(expect) => Expected::read(&expect).map_err(|fault| context.raise(fault)),
        None => Ok(Expected::success()),
    }
}

//! Asking, posting, and every other verb.

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
    host::{
        effect::Effect,
        wait::{Progress, Waiting},
    },
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
    /// What is packed is unpacked. An answer of more than 64 MB is refused: `http::download` writes it to a file.
    ///
    /// # Parameters
    /// - `url` (text or secret): such as `https://grafana.example.org/api/health`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `expect` (integer or text or list, `2xx`): statuses that are answers and not faults; `any` is all of them
    /// - `retries` (integer, `0`): how often it is asked again while it can't be reached, is cut off, or answers 429, 502, 503
    ///   or 504
    /// - `retry_pause` (duration, `1s`): the pause before it is asked again, twice as long each time, up to 30s; longer if the
    ///   server says so with `Retry-After`
    /// - `headers` (map): more headers; their values may be secrets
    /// - `bearer` (secret or text): a token, for the header `Authorization`
    /// - `basic` (map): `user` and `password`, for the header `Authorization`
    /// - `timeout` (duration, `30s`): how long it may take as a whole
    /// - `connect_timeout` (duration, `10s`): how long making a connection may take, TLS included
    /// - `follow` (integer, `5`): how many redirects are followed; secrets and client certificates are not given to another server
    /// - `ca` (text or secret): whom to trust, and nobody else: a file below the runbook's folder, or certificates in PEM
    /// - `insecure` (boolean, `false`): trust whoever answers; it is warned of
    /// - `client_certificate` (text or secret): who asks: a file below the runbook's folder, or certificates in PEM
    /// - `client_key` (text or secret): the key of `client_certificate`, if it is not in the same text
    /// - `server_name` (text): the name to ask for in TLS and to look for in the certificate, if it is not the host's
    /// - `resolve` (text): an address, with a port perhaps, to connect to in place of the host, which keeps its name
    /// - `through` (tunnel): a tunnel to connect through, such as one of `port_forward`
    /// - `proxy` (text or secret or boolean): such as `http://proxy:3128`, `https://proxy` (with TLS to the proxy itself, which
    ///   is always verified) or `socks5://user:password@proxy`; `false` for none; without it, what `https_proxy`, `http_proxy`,
    ///   `all_proxy` and `no_proxy` say
    ///
    /// # Returns
    /// An `Answer` with `status`, `ok`, `headers`, `text`, `bytes`, `size`, `json()`, `url`, `elapsed`, `timings`, `certificate`
    /// and `version`.
    ///
    /// # Faults
    /// - `unreachable`: no connection, or it was cut off
    /// - `tls`: who answers can't be trusted, or does not trust who asks
    /// - `timeout`: there was no answer in time
    /// - `status`: the status was not expected; the fault has it as `status`
    /// - `failed`: the answer is too large, or it is sent on too often
    /// - `usage`: the URL or an option can't be used
    /// - `file`: a file that an option names can't be read
    ///
    /// # Example
    /// ```rhai server
    /// print(http::get(server + "/").text);
    /// let answer = http::get(server + "/json", #{ headers: #{ accept: "application/json" }, timeout: "5s", retries: 2 });
    /// print(answer.json().message);
    /// print(`the first byte came after ${answer.timings.first_byte}`);
    /// print(http::get(server + "/nowhere", #{ expect: [200, 404] }).status);
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_with_options(context: NativeCallContext, url: Dynamic, options: Map) -> Outcome<Answer> {
        ask(&context, "http::get", Method::GET, &url, options)
    }

    #[rhai_fn(return_raw)]
    pub fn head(context: NativeCallContext, url: Dynamic) -> Outcome<Answer> {
        ask(&context, "http::head", Method::HEAD, &url, Map::new())
    }

    /// Asks what `http::get` would be answered, without the body.
    ///
    /// # Parameters
    /// - `url` (text or secret): such as `https://grafana.example.org/api/health`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - those of `http::get`
    ///
    /// # Returns
    /// An `Answer` as of `http::get`, with an empty body.
    ///
    /// # Faults
    /// - those of `http::get`
    ///
    /// # Example
    /// ```rhai server
    /// print(http::head(server + "/").headers["content-length"]);
    /// ```
    #[rhai_fn(name = "head", return_raw)]
    pub fn head_with_options(context: NativeCallContext, url: Dynamic, options: Map) -> Outcome<Answer> {
        ask(&context, "http::head", Method::HEAD, &url, options)
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
    /// - `body` (text or map or list or bytes or secret): a map, an object or a list is sent as JSON, secrets in it by value;
    ///   `()` sends none
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `encode` (text, `json`): how a map is sent: as `json`, as the fields of a `form`, or as the parts of a `multipart`, where
    ///   bytes are files, and `#{ content: bytes, file: "logo.png", type: "image/png" }` is one with its name
    /// - `repeat_safe` (boolean, `false`): doing it twice is the same as doing it once, so a resumed run may; for PUT and
    ///   DELETE it is so by their nature. Only what may be repeated can have `retries`
    /// - those of `http::get`
    ///
    /// # Returns
    /// An `Answer` as of `http::get`; with `assumed`, if nobody saw it.
    ///
    /// # Effect
    /// Whatever the server does with it.
    ///
    /// # Faults
    /// - `unreachable`: no connection; nothing was sent
    /// - `in_doubt`: the connection was cut off after it was sent, or a gateway gave up (502, 504)
    /// - `tls`: who answers can't be trusted, or does not trust who asks; nothing was served
    /// - `timeout`: there was no answer in time
    /// - `status`: the status was not expected; the fault has it as `status`
    /// - `refused`: a person or the run's rules did not allow it
    /// - `usage`: the URL, the body or an option can't be used
    /// - `file`: a file that an option names can't be read
    ///
    /// # Example
    /// ```rhai server
    /// http::post(server + "/echo", "a text");
    /// let token = secret::of("8d7f-11c2", "session");
    /// let answer = http::post(server + "/echo", #{ message: "hello" }, #{ bearer: token, repeat_safe: true });
    /// print(answer.json().message);
    /// http::post(server + "/echo", #{ user: "admin", password: token }, #{ encode: "form" });
    /// ```
    #[rhai_fn(name = "post", return_raw)]
    pub fn post_with_options(context: NativeCallContext, url: Dynamic, body: Dynamic, options: Map) -> Outcome<Answer> {
        change(&context, "http::post", Method::POST, &url, &body, options)
    }

    #[rhai_fn(return_raw)]
    pub fn put(context: NativeCallContext, url: Dynamic, body: Dynamic) -> Outcome<Answer> {
        change(&context, "http::put", Method::PUT, &url, &body, Map::new())
    }

    /// Puts a body where the address says; a resumed run may do so again.
    ///
    /// # Parameters
    /// - `url` (text or secret): where to
    /// - `body` (text or map or list or bytes or secret): as for `http::post`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - those of `http::post`
    ///
    /// # Returns
    /// An `Answer` as of `http::post`.
    ///
    /// # Effect
    /// Whatever the server does with it.
    ///
    /// # Faults
    /// - those of `http::post`
    ///
    /// # Example
    /// ```rhai server
    /// http::put(server + "/echo", #{ message: "hello" });
    /// ```
    #[rhai_fn(name = "put", return_raw)]
    pub fn put_with_options(context: NativeCallContext, url: Dynamic, body: Dynamic, options: Map) -> Outcome<Answer> {
        change(&context, "http::put", Method::PUT, &url, &body, options)
    }

    #[rhai_fn(return_raw)]
    pub fn patch(context: NativeCallContext, url: Dynamic, body: Dynamic) -> Outcome<Answer> {
        change(&context, "http::patch", Method::PATCH, &url, &body, Map::new())
    }

    /// Changes a part of what is at an address, as `http::post` posts to it.
    ///
    /// # Parameters
    /// - `url` (text or secret): where to
    /// - `body` (text or map or list or bytes or secret): as for `http::post`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - those of `http::post`
    ///
    /// # Returns
    /// An `Answer` as of `http::post`.
    ///
    /// # Effect
    /// Whatever the server does with it.
    ///
    /// # Faults
    /// - those of `http::post`
    ///
    /// # Example
    /// ```rhai server
    /// http::patch(server + "/echo", #{ message: "hello" }, #{ repeat_safe: true });
    /// ```
    #[rhai_fn(name = "patch", return_raw)]
    pub fn patch_with_options(
        context: NativeCallContext,
        url: Dynamic,
        body: Dynamic,
        options: Map,
    ) -> Outcome<Answer> {
        change(&context, "http::patch", Method::PATCH, &url, &body, options)
    }

    #[rhai_fn(return_raw)]
    pub fn delete(context: NativeCallContext, url: Dynamic) -> Outcome<Answer> {
        change(&context, "http::delete", Method::DELETE, &url, &Dynamic::UNIT, Map::new())
    }

    /// Deletes what is at an address; a resumed run may do so again.
    ///
    /// # Parameters
    /// - `url` (text or secret): what
    /// - `options` (map): see below
    ///
    /// # Options
    /// - those of `http::post`
    ///
    /// # Returns
    /// An `Answer` as of `http::post`.
    ///
    /// # Effect
    /// Whatever the server does with it.
    ///
    /// # Faults
    /// - those of `http::post`
    ///
    /// # Example
    /// ```rhai server
    /// http::delete(server + "/nowhere", #{ expect: ["2xx", 404] });
    /// ```
    #[rhai_fn(name = "delete", return_raw)]
    pub fn delete_with_options(context: NativeCallContext, url: Dynamic, options: Map) -> Outcome<Answer> {
        change(&context, "http::delete", Method::DELETE, &url, &Dynamic::UNIT, options)
    }

    #[rhai_fn(name = "request", return_raw)]
    pub fn request_without_body(context: NativeCallContext, method: &str, url: Dynamic) -> Outcome<Answer> {
        of_any_method(&context, method, &url, &Dynamic::UNIT, Map::new())
    }

    #[rhai_fn(return_raw)]
    pub fn request(context: NativeCallContext, method: &str, url: Dynamic, body: Dynamic) -> Outcome<Answer> {
        of_any_method(&context, method, &url, &body, Map::new())
    }

    /// Sends a request of any method.
    ///
    /// GET, HEAD and OPTIONS change nothing and send no body. The others are changes as `http::post` is one.
    ///
    /// # Parameters
    /// - `method` (text): such as `PROPFIND`
    /// - `url` (text or secret): where to
    /// - `body` (text or map or list or bytes or secret): as for `http::post`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - those of `http::post`
    ///
    /// # Returns
    /// An `Answer` as of `http::post`.
    ///
    /// # Effect
    /// Whatever the server does with it.
    ///
    /// # Faults
    /// - those of `http::post`
    ///
    /// # Example
    /// ```rhai server
    /// http::request("PROPFIND", server + "/echo", "<propfind/>", #{ headers: #{ depth: "1" } });
    /// print(http::request("OPTIONS", server + "/").status);
    /// ```
    #[rhai_fn(name = "request", return_raw)]
    pub fn request_with_options(
        context: NativeCallContext,
        method: &str,
        url: Dynamic,
        body: Dynamic,
        options: Map,
    ) -> Outcome<Answer> {
        of_any_method(&context, method, &url, &body, options)
    }
}

fn of_any_method(
    context: &NativeCallContext,
    method: &str,
    url: &Dynamic,
    body: &Dynamic,
    options: Map,
) -> Outcome<Answer> {
    const FUNCTION: &str = "http::request";
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
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options(function, options)?;
    let request = Request::read(context, method, url, None, &options)?.retrying(&options, true).map_err(raise)?;
    let expected = expected(&options).map_err(raise)?;
    let timeout = options.deadline("timeout").map_err(raise)?;
    let sender = Sender::of(&context.host());
    let waiting = Waiting::request(format!("`{}`", request.title()), timeout);
    context.wait(waiting, |progress| answered(sender, request, expected, progress))
}

fn change(
    context: &NativeCallContext,
    function: &str,
    method: Method,
    url: &Dynamic,
    body: &Dynamic,
    options: Map,
) -> Outcome<Answer> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options(function, options)?;
    let repeatable = options.flag("repeat_safe") || method.is_idempotent();
    let request =
        Request::read(context, method, url, Some(body), &options)?.retrying(&options, repeatable).map_err(raise)?;
    let expected = expected(&options).map_err(raise)?;
    let deadline = options.deadline("timeout").map_err(raise)?;
    let host = context.host();
    let effect = Effect {
        verb: request.method.to_string(),
        object: request.shown.clone(),
        digest: request.digest(),
        repeatable,
        destroys: None,
    };
    let (title, shown, sender) = (request.title(), request.shown.clone(), Sender::of(&host));
    let changed = move |answer: Answer| {
        let kept = kept::keep(&answer, &host.secrets);
        Changed { kept, detail: Some(answer.status_line()), value: answer }
    };
    let assumed = changed(kept::assumed(shown));
    let perform = move |progress| async move { answered(sender, request, expected, progress).await.map(changed) };
    if repeatable {
        return context.change(Change::repeatable_telling(effect, deadline, perform));
    }
    context.change(Change {
        effect,
        deadline,
        perform: Box::new(|progress| Box::pin(perform(progress))),
        recall: Box::new(move |kept| Box::pin(async move { kept::recall(&title, kept) })),
        settle: Box::pin(async move {
            let why = "an HTTP server can't be asked whether it served a request".to_owned();
            Ok(Settled::Unknown { why, assumed })
        }),
    })
}

async fn answered(sender: Sender, request: Request, expected: Expected, progress: Progress) -> Result<Answer, Fault> {
    let sent = sender.send(request.clone(), &expected, &progress).await.map_err(Broken::fault)?;
    match expected.holds(sent.answer.parts().status) {
        true => Ok(sent.answer),
        false => Err(sender.unexpected(&request, &sent, &expected)),
    }
}

fn expected(options: &Options) -> Result<Expected, Fault> {
    options.value("expect").map_or_else(|| Ok(Expected::success()), |expect| Expected::read(&expect))
}

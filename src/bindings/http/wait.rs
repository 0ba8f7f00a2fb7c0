//! Waiting until a site answers as it should.

use http::Method;
use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext, plugin::*};

use super::{answer::Answer, expected::Expected, request::Request, send::Sender};
use crate::{
    duration,
    event::WaitEnd,
    host::wait::Waiting,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    #[rhai_fn(return_raw)]
    pub fn wait(context: NativeCallContext, url: Dynamic) -> Outcome<Answer> {
        until(&context, &url, Map::new(), None)
    }

    #[rhai_fn(name = "wait", return_raw)]
    pub fn wait_with_options(context: NativeCallContext, url: Dynamic, options: Map) -> Outcome<Answer> {
        until(&context, &url, options, None)
    }

    #[rhai_fn(name = "wait", return_raw)]
    pub fn wait_for_predicate(context: NativeCallContext, url: Dynamic, predicate: FnPtr) -> Outcome<Answer> {
        until(&context, &url, Map::new(), Some(&predicate))
    }

    /// Waits until an address answers as it should: with the status that is asked for, and so that a function says yes.
    ///
    /// It asks again and again, also while there is no connection, no such name, no trust, or no answer in time. What was
    /// seen last is told while it waits, and if it gives up.
    ///
    /// # Parameters
    /// - `url` (text or secret): such as `https://grafana.example.org/api/health`
    /// - `options` (map): see below
    /// - `predicate` (function): is given each `Answer` with that status and says `true` or `false`; an answer that it can't
    ///   read (a fault of the kind `parse`) is a no
    ///
    /// # Options
    /// - `status` (integer or text or list, 2xx; anything if there is a predicate): the statuses that are waited for
    /// - `successes` (integer, `1`): how many answers in a row must be so
    /// - `interval` (duration, `1s`): the pause between an answer and the next question
    /// - `timeout` (duration, `5m`): how long to wait
    /// - `answer_within` (duration, `10s`): how long a single answer may take
    /// - `headers` (map): more headers; their values may be secrets
    /// - `bearer` (secret or text): a token, for the header `Authorization`
    /// - `basic` (map): `user` and `password`, for the header `Authorization`
    /// - `connect_timeout` (duration, `5s`): how long making a connection may take, TLS included
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
    /// The `Answer` that ended the wait.
    ///
    /// # Faults
    /// - `timeout`: it did not answer so in time; the note has what was seen last
    /// - `usage`: the URL or an option can't be used, or the predicate says neither `true` nor `false`
    /// - `file`: the file `ca` can't be read
    ///
    /// # Example
    /// ```rhai server
    /// http::wait(server + "/");
    /// http::wait(server + "/json", |answer| answer.json().message == "hello");
    /// let answer = http::wait(server + "/json", #{ successes: 2, interval: "10ms", timeout: "1m" }, |answer| {
    ///     answer.status == 200 && answer.json().message == "hello"
    /// });
    /// print(answer.elapsed);
    /// ```
    #[rhai_fn(name = "wait", return_raw)]
    pub fn wait_for_predicate_with_options(
        context: NativeCallContext,
        url: Dynamic,
        options: Map,
        predicate: FnPtr,
    ) -> Outcome<Answer> {
        until(&context, &url, options, Some(&predicate))
    }
}

fn until(context: &NativeCallContext, url: &Dynamic, options: Map, predicate: Option<&FnPtr>) -> Outcome<Answer> {
    let raise = |fault: Fault| context.raise(fault);
    let options = context.options("http::wait", options)?;
    let request = Request::read(context, Method::GET, url, None, &options)?;
    let expected = match options.value("status") {
        Some(status) => Expected::read(&status).map_err(raise)?,
        None if predicate.is_some() => Expected::any(),
        None => Expected::success(),
    };
    let successes = options.integer("successes").unwrap_or(1).max(1);
    let interval = options.deadline("interval").map_err(raise)?;
    let timeout = options.deadline("timeout").map_err(raise)?;
    let answer_within = options.deadline("answer_within").map_err(raise)?;

    let host = context.host();
    let sender = Sender::of(&host);
    let goal = if predicate.is_some() { "to answer as asked".to_owned() } else { format!("to answer {expected}") };
    let mut wait = host.begin(Waiting::until(format!("`{}` {goal}", request.shown), timeout));
    let progress = wait.progress();
    let mut in_a_row = 0;
    loop {
        let (sender, request) = (sender.clone(), request.clone());
        let too_late = host.clock.sleep(answer_within);
        let seen = context.drive(&mut wait, async move {
            Ok(tokio::select! {
                biased;
                sent = sender.send_once(request) => sent.map(|sent| sent.answer).map_err(|broken| broken.reason()),
                () = too_late => Err(format!("no answer within {}", duration::show(answer_within))),
            })
        })?;
        let reason = match seen {
            Err(reason) => Some(reason),
            Ok(answer) if !expected.holds(answer.parts().status) => Some(format!("answered {}", answer.status_line())),
            Ok(answer) => match predicate.map(|predicate| verdict(context, predicate, &answer)).transpose()? {
                Some(Some(no)) => Some(no),
                Some(None) | None => {
                    in_a_row += 1;
                    if in_a_row >= successes {
                        wait.end(WaitEnd::Met);
                        return Ok(answer);
                    }
                    None
                }
            },
        };
        match reason {
            Some(reason) => {
                in_a_row = 0;
                progress.because(reason);
            }
            None => progress.because(format!("as it should be {in_a_row} of {successes} times in a row")),
        }
        let pause = host.clock.sleep(interval);
        context.drive(&mut wait, async move {
            pause.await;
            Ok(())
        })?;
    }
}

/// Why the predicate says no, if it does.
fn verdict(context: &NativeCallContext, predicate: &FnPtr, answer: &Answer) -> Outcome<Option<String>> {
    let no = format!("answered {}, which is not yet as asked", answer.status_line());
    let said = match predicate.call_within_context::<Dynamic>(context, (answer.clone(),)) {
        Ok(said) => said,
        Err(error) => {
            let unreadable = innermost_fault(&error).filter(|fault| fault.kind == Kind::Parse);
            return unreadable.map(|fault| Some(format!("answered {}; {fault}", answer.status_line()))).ok_or(error);
        }
    };
    match said.as_bool() {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(no)),
        Err(kind) => {
            let fault = Fault::new(
                Kind::Usage,
                format!("the predicate of `http::wait` gave a `{kind}`, not `true` or `false`"),
            );
            Err(context.raise(fault.hint("such as `|answer| answer.status == 200`")))
        }
    }
}

/// The fault at the bottom of the calls that it passed through.
fn innermost_fault(error: &EvalAltResult) -> Option<Fault> {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => innermost_fault(inner),
        other => Fault::of(other),
    }
}

//! What scripts see of DNS.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::{record::Question, server};
use crate::{
    duration,
    host::wait::Waiting,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    /// Asks for the IPv4 addresses of a name.
    #[rhai_fn(return_raw)]
    pub fn resolve(context: NativeCallContext, name: &str) -> Outcome<Array> {
        look_up(&context, name, Map::new())
    }

    /// Asks a name server for the records of a name, over TCP.
    ///
    /// The name is taken as it stands: no search domain is put behind it, and no file of hosts is looked into. Where it is an
    /// alias, the answer is what that leads to.
    ///
    /// # Parameters
    /// - `name` (text): the name; for `PTR` an address will do
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `type` (text, `"A"`): `A`, `AAAA`, `CNAME`, `MX`, `NS`, `PTR`, `SRV` or `TXT`
    /// - `server` (text, the first of the system's): whom to ask: an address, with a port if it is not 53
    /// - `timeout` (duration, `5s`): how long it may take
    ///
    /// # Returns
    /// A list: addresses, names and texts as texts; `MX` as maps of `preference` and `exchange`, `SRV` of `priority`, `weight`,
    /// `port` and `target`. It is empty if the name has no such records.
    ///
    /// # Faults
    /// - `not_found`: there is no such name
    /// - `unavailable`: the server could not find out
    /// - `denied`: the server refuses to answer us
    /// - `unreachable`: no connection
    /// - `timeout`: it does not answer
    /// - `usage`: the name, the type or the server can't be used
    /// - `file`: the system names no server
    ///
    /// # Example
    /// ```rhai nameserver
    /// print(dns::resolve("www.example.test", #{ server: nameserver }));
    /// for mail in dns::resolve("example.test", #{ server: nameserver, type: "MX" }) {
    ///     print(`${mail.preference} ${mail.exchange}`);
    /// }
    /// ```
    #[rhai_fn(name = "resolve", return_raw)]
    pub fn resolve_with_options(context: NativeCallContext, name: &str, options: Map) -> Outcome<Array> {
        look_up(&context, name, options)
    }

    /// Waits until a name resolves as it should.
    #[rhai_fn(return_raw)]
    pub fn expect(context: NativeCallContext, name: &str, expected: Dynamic) -> Outcome<Array> {
        wait_for(&context, name, &expected, Map::new())
    }

    /// Waits until a name resolves to what it should, and to nothing else.
    ///
    /// While it doesn't, the wait says what it resolves to. That there is no such name yet, or that the server doesn't answer, is
    /// no failure before the time is up. Keep in mind that a server may remember for minutes that there was no such name.
    ///
    /// # Parameters
    /// - `name` (text): the name; for `PTR` an address will do
    /// - `expected` (text or list): the address, or all of them in any order; for other types what `resolve` gives
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `type` (text, `"A"`): `A`, `AAAA`, `CNAME`, `NS`, `PTR` or `TXT`
    /// - `server` (text, the first of the system's): whom to ask: an address, with a port if it is not 53
    /// - `timeout` (duration, `5m`): how long to wait
    /// - `interval` (duration, `1s`): how long to pause between two questions
    /// - `answer_within` (duration, `5s`): how long a single answer may take
    ///
    /// # Returns
    /// The records, as `resolve` gives them.
    ///
    /// # Faults
    /// - `timeout`: it did not resolve so in time; the note has what it resolved to last
    /// - `usage`: the name, the type or the server can't be used
    /// - `file`: the system names no server
    ///
    /// # Example
    /// ```rhai nameserver
    /// dns::expect("www.example.test", "10.17.13.242", #{ server: nameserver, timeout: "1m" });
    /// ```
    #[rhai_fn(name = "expect", return_raw)]
    pub fn expect_with_options(
        context: NativeCallContext,
        name: &str,
        expected: Dynamic,
        options: Map,
    ) -> Outcome<Array> {
        wait_for(&context, name, &expected, options)
    }
}

fn look_up(context: &NativeCallContext, name: &str, options: Map) -> Outcome<Array> {
    let options = context.options("dns::resolve", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let question = Question::read(name, &options.text("type").unwrap_or_default()).map_err(raise)?;
    let server = server::find(&context.host(), options.text("server").as_deref(), timeout).map_err(raise)?;
    let waiting = Waiting::request(format!("the {} from `{server}`", question.title()), timeout);
    context.wait(waiting, |_| async move { server.ask(&question).await })
}

fn wait_for(context: &NativeCallContext, name: &str, expected: &Dynamic, options: Map) -> Outcome<Array> {
    let options = context.options("dns::expect", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let (interval, within) =
        (options.deadline("interval").map_err(raise)?, options.deadline("answer_within").map_err(raise)?);
    let question = Question::read(name, &options.text("type").unwrap_or_default()).map_err(raise)?;
    let server = server::find(&context.host(), options.text("server").as_deref(), within).map_err(raise)?;
    let wanted = match expected.read_lock::<Array>() {
        Some(all) => sorted(&all),
        None => sorted(&vec![expected.clone()]),
    };
    if wanted.is_empty() {
        let fault = Fault::new(Kind::Usage, "nothing is expected").hint("give an address, or a list of them");
        return Err(raise(fault));
    }
    let clock = context.host().clock;
    let waiting = Waiting::until(format!("{} to be {}, says `{server}`", question.title(), wanted.join(", ")), timeout);
    context.wait(waiting, |progress| async move {
        loop {
            let answer = tokio::select! {
                biased;
                answer = server.ask(&question) => answer,
                () = clock.sleep(within) => {
                    let silent = format!("`{server}` did not answer within {}", duration::show(within));
                    Err(Fault::new(Kind::Timeout, silent))
                }
            };
            match answer {
                Ok(records) => {
                    let found = sorted(&records);
                    match found.is_empty() {
                        _ if found == wanted => return Ok(records),
                        true => progress.because("the name has no such records"),
                        false => progress.because(format!("it resolves to {}", found.join(", "))),
                    }
                }
                Err(fault) => progress.because(fault.message),
            }
            clock.sleep(interval).await;
        }
    })
}

/// As texts to compare: names are equal whatever the case of their letters, addresses however they are written.
fn sorted(records: &Array) -> Vec<String> {
    let comparable = |record: &Dynamic| {
        let text = record.to_string();
        text.parse::<std::net::IpAddr>().map_or_else(|_| text.trim_end_matches('.').to_lowercase(), |ip| ip.to_string())
    };
    let mut texts: Vec<String> = records.iter().map(comparable).collect();
    texts.sort();
    texts.dedup();
    texts
}

//! Giving a node its configuration.

use std::{sync::Arc, time::Duration};

use talos::api::machine::{
    ApplyConfiguration, ApplyConfigurationRequest, ApplyConfigurationResponse, apply_configuration_request::Mode,
};

use super::super::Asked;
use crate::talos::{
    config::Config,
    grpc::{Code, Messages, Status, one},
    node::{Node, Order},
};

/// How long a configuration is tried if nobody says.
const TRIED_FOR: Duration = Duration::from_secs(60);

const RESTARTS: &str = "Applied configuration with a reboot";
const AT_ONCE: &str = "Applied configuration without a reboot";
const STAGED: &str = "Staged configuration to be applied after the next reboot";

pub fn apply(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: ApplyConfigurationRequest = asked.call.message()?;
    let Ok(mode) = Mode::try_from(request.mode) else {
        return Err(Status::new(Code::InvalidArgument, format!("incorrect mode '{}' specified", request.mode)));
    };
    match asked.node.look(|state| state.config.clone()) {
        None => first(asked, &request, mode),
        Some(before) => another(asked, &request, mode, &before),
    }
}

/// The first one, of a node in maintenance.
fn first(asked: &Asked<'_>, request: &ApplyConfigurationRequest, mode: Mode) -> Result<Messages, Status> {
    let new = asked.node.minor() >= 13;
    let word = match mode {
        Mode::NoReboot => "no-reboot",
        Mode::Staged => "staged",
        _ => "",
    };
    if (!new && !word.is_empty()) || (new && matches!(mode, Mode::Staged | Mode::Try)) {
        let message = format!("apply configuration --mode='{word}' is not supported in maintenance mode");
        return Err(Status::new(Code::Unimplemented, message));
    }
    let config = match Config::read(&request.data, asked.node.minor()) {
        Err(status) if !new => return Err(Status::plain(format!("failed to parse config: {}", status.message))),
        read => read?,
    };
    let warnings = config.check().map_err(|wrong| {
        let before = if new { "" } else { "configuration validation failed: " };
        Status::new(Code::InvalidArgument, format!("{before}{wrong}"))
    })?;
    if request.dry_run {
        let details =
            "Dry run summary:\nNode is running in maintenance mode and does not have a config yet.\n".to_owned();
        return Ok(answer(warnings, Mode::Reboot, details));
    }
    asked.node.change(|state| state.config = Some(config));
    asked.node.order(Order::Configured);
    Ok(match new {
        true => answer(warnings, Mode::NoReboot, AT_ONCE.to_owned()),
        false => answer(warnings, Mode::Reboot, String::new()),
    })
}

/// Another one than it has.
fn another(
    asked: &Asked<'_>,
    request: &ApplyConfigurationRequest,
    mode: Mode,
    before: &Config,
) -> Result<Messages, Status> {
    let wrong = |message: String| Status::new(Code::InvalidArgument, message);
    let node = asked.node;
    let config = Config::read(&request.data, node.minor())?;
    let warnings = config.check().map_err(wrong)?;
    let at_once = config.follows_without_restart(before);
    let mode = match mode {
        Mode::Reboot if node.minor() >= 14 => {
            let message = "the REBOOT mode is not supported, please use AUTO or NO_REBOOT modes instead";
            return Err(Status::new(Code::Unimplemented, message));
        }
        Mode::Auto if at_once || node.minor() >= 14 => Mode::NoReboot,
        Mode::Auto => Mode::Reboot,
        Mode::NoReboot | Mode::Try if !at_once && node.minor() < 14 => {
            let difference = config.difference(&before.text);
            return Err(wrong(format!("this config change can't be applied in immediate mode\ndiff: {difference}")));
        }
        mode => mode,
    };
    let mut details = match mode {
        Mode::Reboot => RESTARTS.to_owned(),
        Mode::Staged => STAGED.to_owned(),
        _ => AT_ONCE.to_owned(),
    };
    let tried = request.try_mode_timeout.and_then(|timeout| Duration::try_from(timeout).ok());
    let tried = tried.filter(|timeout| !timeout.is_zero()).unwrap_or(TRIED_FOR);
    if mode == Mode::Try {
        details += &format!(
            "\nThe config is applied in 'try' mode and will be automatically reverted back in {}",
            in_go(tried)
        );
    }
    if request.dry_run {
        let difference = config.difference(&before.text);
        let details = format!("Dry run summary:\n{details} (skipped in dry-run).\nConfig diff:\n\n{difference}\n");
        return Ok(answer(warnings, mode, details));
    }
    match mode {
        Mode::Staged => node.change(|state| state.kept = Some(config)),
        Mode::Try => {
            let before = before.clone();
            node.change(|state| (state.config, state.tried) = (Some(config.clone()), Some(before)));
            tokio::spawn(try_for(node.clone(), asked.boot.id.clone(), config, tried));
        }
        Mode::Reboot => {
            node.change(|state| state.kept = Some(config));
            node.order(Order::Configured);
        }
        Mode::NoReboot | Mode::Auto => node.change(|state| {
            (state.kept, state.config, state.tried) = (Some(config.clone()), Some(config), None);
        }),
    }
    Ok(answer(warnings, mode, details))
}

/// Takes back what is only tried, unless something else was applied meanwhile.
async fn try_for(node: Arc<Node>, boot: String, config: Config, length: Duration) {
    tokio::time::sleep(length).await;
    node.change(|state| {
        if state.boot.id == boot && state.config.as_ref() == Some(&config) && state.tried.is_some() {
            state.config = state.tried.take();
        }
    });
}

fn in_go(length: Duration) -> String {
    let seconds = length.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn answer(warnings: Vec<String>, mode: Mode, mode_details: String) -> Messages {
    let applied = ApplyConfiguration { metadata: None, warnings, mode: mode.into(), mode_details };
    one(&ApplyConfigurationResponse { messages: vec![applied] })
}

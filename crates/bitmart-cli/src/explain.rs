//! `explain-error CODE`.

use bitmart::rest::code::{self, RetryAdvice};
use clap::{Arg, ArgMatches, Command, value_parser};

use crate::failure::Failure;
use crate::output;

pub(crate) fn command() -> Command {
    Command::new("explain-error")
        .about("What an error code of the exchange means, and what to do")
        .arg(
            Arg::new("code")
                .required(true)
                .value_name("CODE")
                .allow_negative_numbers(true)
                .value_parser(value_parser!(i64)),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let code = matches.get_one::<i64>("code").copied().unwrap_or_default();
    let known = code::lookup(code).ok_or_else(|| {
        Failure::usage(format!("BitMart publishes no code {code}")).with_advice(
            "an unknown code proves nothing: after a write, query before you send it again",
        )
    })?;
    let mut text = format!("{code}  {}\n", known.message);
    for other in known.other_messages {
        text += &format!("       also: {other}\n");
    }
    text += &format!("kind:  {:?}\n", known.category);
    if let Some(status) = known.status {
        text += &format!("HTTP:  {status}\n");
    }
    text += match known.retry {
        RetryAdvice::Later => "again: the same request may work later; it had no effect\n",
        RetryAdvice::AfterChange => "again: only after a change; it had no effect\n",
        RetryAdvice::Never => "again: never; it had no effect\n",
        _ => "again: its effect is unknown; query first\n",
    };
    text += &format!("do:    {}\n", known.advice);
    output::write(text.as_bytes())
}

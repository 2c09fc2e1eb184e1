//! `explain-error`: explains an error code of the exchange.

use bitmart::rest::code::{self, RetryAdvice};
use clap::{Arg, ArgMatches, Command, value_parser};

use crate::failure::Failure;
use crate::output;

pub(crate) fn command() -> Command {
    Command::new("explain-error").about("Explain an error code of the exchange").arg(
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
        Failure::usage(format!("BitMart has not published the code {code}")).with_advice(
            "with an unknown code the outcome of a write is unknown: query before you send it again",
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
        RetryAdvice::Later => "retry: the same request may succeed later; it had no effect\n",
        RetryAdvice::AfterChange => "retry: only after a change; it had no effect\n",
        RetryAdvice::Never => "retry: never; it had no effect\n",
        _ => "retry: its outcome is unknown; query first\n",
    };
    text += &format!("do:    {}\n", known.advice);
    output::write(text.as_bytes())
}

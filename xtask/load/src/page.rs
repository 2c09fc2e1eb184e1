//! Measures what the console costs the sandbox, with a page that follows the traffic in a browser, while a program
//! sends signed orders at a steady rate. It is compared with the same load on a sandbox without a console.

#![allow(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "figures of a measurement are no money"
)]

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use bitmart_auth::Credentials;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{sleep_until, timeout},
};

use crate::{
    Failure, Options,
    connection::Connection,
    orders::{self, SUBMIT},
    program::Program,
};

/// Requests a second of all connections together.
const RATE: u32 = 1_000;
const CONNECTIONS: u32 = 8;
/// Every request whose number is divisible by this is refused, so that the page has something to search for.
const REFUSED_EVERY: u32 = 100;
/// Pairs of measurements without and with the console. Their order alternates.
const ROUNDS: usize = 5;
/// How long a browser may take to start, or to end.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(120);

/// The script that opens the page, and the browser in which it does.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) script: String,
    pub(crate) browser: String,
}

/// The cost of one measurement with steady load.
struct Cost {
    /// Processor time of the sandbox, as a part of one core.
    cores: f64,
    /// Processor time of the sandbox for each request, in microseconds. What the markets need is a part of it.
    micros: f64,
    /// The latency that 99 % of the requests stay below, from the time at which each was due.
    p99: Duration,
    /// The report of the page; `None` without one.
    page: Option<Value>,
}

/// Prints the cost of each round, and the median of all.
pub(crate) async fn measure(path: &str, page: &Page, options: Options) -> Result<(), Failure> {
    let limit = orders::measure(path, options, &[]).await?;
    let limit_cores = limit.cores.ok_or("the processor time is not known")?;
    let requests = limit.orders + limit.cancels;
    println!(
        "page: at its limit the sandbox needs {limit_cores:.2} cores for {requests} requests a second, {:.1} us each",
        limit_cores * 1e6 / requests as f64,
    );
    let (mut differences, mut reports) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (off, on) = if round % 2 == 0 {
            let off = steady(path, None, options).await?;
            (off, steady(path, Some(page), options).await?)
        } else {
            let on = steady(path, Some(page), options).await?;
            (steady(path, None, options).await?, on)
        };
        println!(
            "page: round {}: {:.1} us a request without the console, {:.1} us with it and a page; \
             {:.3} and {:.3} cores; p99 {} us and {} us",
            round + 1,
            off.micros,
            on.micros,
            off.cores,
            on.cores,
            off.p99.as_micros(),
            on.p99.as_micros(),
        );
        differences.push((on.cores - off.cores, on.micros - off.micros));
        reports.extend(on.page);
    }
    differences.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (cores, micros) = differences[ROUNDS / 2];
    let all: Vec<_> = differences.iter().map(|row| format!("{:.1}", row.1)).collect();
    println!(
        "page: {RATE} requests a second with the console and an open page need {micros:.1} us more each \
         (the median of {}), which is {:.1} % of two cores and {:.1} % of what the sandbox handles at its limit",
        all.join(", "),
        cores * 50.0,
        cores * 100.0 / limit_cores,
    );
    let times = |name: &str| {
        let all = reports.iter().filter_map(|report| report[name].as_array()).flatten();
        let mut all: Vec<_> = all.filter_map(Value::as_f64).collect();
        all.sort_by(f64::total_cmp);
        let median = all.get(all.len() / 2).copied().unwrap_or(f64::NAN);
        format!(
            "{median:.0} ms (median; at most {:.0} ms)",
            all.last().copied().unwrap_or(f64::NAN)
        )
    };
    println!("page: a filter is applied after {}", times("filter"));
    println!("page: a click opens a request after {}", times("click"));
    println!("page: the age of the newest row is {}", times("age"));
    println!("page: the longest time between two pictures of two seconds is {}", times("gap"));
    let browser: f64 = reports.iter().filter_map(|report| report["processor"].as_f64()).sum();
    let seconds: f64 = reports.iter().filter_map(|report| report["seconds"].as_f64()).sum();
    println!("page: the browser itself needs {:.2} cores", browser / seconds);
    Ok(())
}

/// Starts a sandbox, with a console and a page if one is given, and sends orders to it at the rate.
async fn steady(path: &str, page: Option<&Page>, options: Options) -> Result<Cost, Failure> {
    let console: &[&str] = if page.is_some() { &["--console"] } else { &[] };
    let options_of_program = [&["--quiet", "--admin", "127.0.0.1:0"], console].concat();
    let program = Program::start(path, &options_of_program).await?;
    orders::fund(&program).await?;
    let credentials = orders::credentials(&program)?;
    let authority = program.authority("/spot/rest")?.to_owned();
    let mut open_page = match page {
        Some(page) => Some(OpenPage::start(page, &program).await?),
        None => None,
    };
    let before = program.processor().ok_or("the processor time is not known")?;
    let started = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let (credentials, authority) = (credentials.clone(), authority.clone());
            let time = options.time;
            tokio::spawn(async move { send(&credentials, &authority, number, started, time).await })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let elapsed = started.elapsed().as_secs_f64();
    let after = program.processor().ok_or("the processor time is not known")?;
    let used = after.saturating_sub(before).as_secs_f64();
    let report = match open_page.take() {
        Some(open_page) => Some(open_page.finish(elapsed).await?),
        None => None,
    };
    latencies.sort_unstable();
    Ok(Cost {
        cores: used / elapsed,
        micros: used * 1e6 / latencies.len() as f64,
        p99: latencies[(latencies.len() - 1) * 99 / 100],
        page: report,
    })
}

/// Sends the requests of one connection when each is due. Returns the time from then to each response.
async fn send(
    credentials: &Credentials,
    authority: &str,
    number: u32,
    started: Instant,
    time: Duration,
) -> Result<Vec<Duration>, Failure> {
    let mut connection = Connection::connect(authority).await?;
    let refused = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "90000000" });
    let orders = [orders::buy(), orders::sell()];
    let mut latencies = Vec::new();
    for at in (number..).step_by(CONNECTIONS as usize) {
        let due = started + Duration::from_secs(1) * at / RATE;
        if due >= started + time {
            break;
        }
        sleep_until(due.into()).await;
        let is_refused = at % REFUSED_EVERY == 0;
        let body = if is_refused { &refused } else { &orders[latencies.len() % 2] };
        let response = connection.request(&orders::signed(credentials, SUBMIT, body)?).await?;
        latencies.push(due.elapsed());
        let response: Value = serde_json::from_slice(&response)?;
        if (response["code"] != 1000) != is_refused {
            return Err(response.to_string().into());
        }
    }
    Ok(latencies)
}

/// A browser with the page, which ends when this is dropped.
struct OpenPage {
    child: Child,
    /// The page is used until this is closed.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl OpenPage {
    async fn start(page: &Page, program: &Program) -> Result<Self, Failure> {
        let mut child = Command::new("node")
            .args([&page.script, &page.browser, &opening_url(program).await?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut open = Self { child, input, output: BufReader::new(output).lines() };
        match open.line().await?.as_str() {
            "ready" => Ok(open),
            line => Err(line.into()),
        }
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let line = timeout(BROWSER_TIMEOUT, self.output.next_line()).await;
        Ok(line.map_err(|_| "the browser takes too long")??.ok_or("the browser has ended")?)
    }

    /// Closes the page after `seconds` of load and returns its report.
    async fn finish(mut self, seconds: f64) -> Result<Value, Failure> {
        drop(self.input.take());
        let mut report: Value = serde_json::from_str(&self.line().await?)?;
        report["seconds"] = json!(seconds);
        timeout(BROWSER_TIMEOUT, self.child.wait()).await??;
        Ok(report)
    }
}

/// An address that opens the console once.
async fn opening_url(program: &Program) -> Result<String, Failure> {
    let authority = program.authority("/admin")?;
    let token = program.text("/admin_token")?;
    let request = format!(
        "POST /console/codes HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {token}\r\n\
         content-length: 0\r\n\r\n"
    );
    let response = Connection::connect(authority).await?.request(request.as_bytes()).await?;
    let response: Value = serde_json::from_slice(&response)?;
    let path = response["path"].as_str().ok_or_else(|| response.to_string())?;
    Ok(format!("http://{authority}{path}"))
}

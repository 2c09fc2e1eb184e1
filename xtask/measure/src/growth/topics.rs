//! Many topics in one stream, over as many connections as the exchange requires: the time of a frame from the socket
//! in memory to the user, the server's writing included, and the bytes of a subscribed topic with its share of the
//! connections.

use std::hint::black_box;

use bitmart_ws::testing::{ScriptedServer, ServerConnection};
use bitmart_ws::topic::{self, DepthLevels};
use bitmart_ws::{FanIn, Update, spot};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use super::{Cost, bytes, used};
use crate::Failure;
use crate::book::frame;

/// Frames that are timed at each size.
const FRAMES: usize = 4_000;
/// Levels a side of a frame: small, so that what grows with topics is seen.
const LEVELS: usize = 5;

fn symbol(number: usize) -> String {
    format!("S{number}_USDT")
}

pub(super) fn measure(topics: usize) -> Result<Cost, Failure> {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let (frames, mut stream) = (mpsc::channel::<usize>(1), None);
    let (sender, receiver) = frames;
    let mut result = Ok(());
    let allocated = allocation_counter::measure(|| {
        result = runtime.block_on(async {
            stream = Some(subscribe(topics, receiver).await?);
            Ok::<_, Failure>(())
        });
    });
    result?;
    let mut stream = stream.ok_or("no stream")?;
    let time = runtime.block_on(async {
        // The first frames warm caches up and do not count.
        receive(&mut stream, &sender, topics).await?;
        let begin = used();
        receive(&mut stream, &sender, topics).await?;
        Ok::<_, Failure>((used() - begin) / FRAMES as u128)
    })?;
    Ok(Cost { time, memory: bytes(allocated.bytes_current, topics) })
}

async fn receive(
    stream: &mut FanIn<spot::Depth>,
    sender: &mpsc::Sender<usize>,
    topics: usize,
) -> Result<(), Failure> {
    for number in 0..FRAMES {
        sender.send(number * 7 % topics).await?;
        loop {
            let item = stream.next().await.ok_or("the stream ended")??;
            if let Update::Data(book) = item.update {
                black_box(book);
                break;
            }
        }
    }
    Ok(())
}

/// Subscribes, with a task that serves all connections and sends a frame of each topic whose number it gets.
async fn subscribe(
    topics: usize,
    frames: mpsc::Receiver<usize>,
) -> Result<FanIn<spot::Depth>, Failure> {
    let server = ScriptedServer::new();
    let client = server.client_builder().build()?;
    tokio::spawn(serve(server, frames));
    let names = (0..topics).map(|number| topic::spot::depth(symbol(number), DepthLevels::Fifty));
    let mut stream = client.subscribe_many(names).await?;
    for _ in 0..topics {
        stream.next().await.ok_or("the stream ended")??;
    }
    Ok(stream)
}

async fn serve(mut server: ScriptedServer, mut frames: mpsc::Receiver<usize>) {
    let (pushes, _) = tokio::sync::broadcast::channel::<usize>(1_024);
    loop {
        tokio::select! {
            connection = server.accept() => {
                tokio::spawn(connected(connection, pushes.subscribe()));
            }
            number = frames.recv() => match number {
                Some(number) => drop(pushes.send(number)),
                None => return,
            },
        }
    }
}

/// Acknowledges subscriptions, and pushes frames of the topics that were subscribed here.
async fn connected(
    mut connection: ServerConnection,
    mut pushes: tokio::sync::broadcast::Receiver<usize>,
) {
    let mut mine = std::collections::HashMap::new();
    loop {
        tokio::select! {
            command = connection.accept_command() => {
                for topic in command.arguments {
                    let name = topic.rsplit(':').next().unwrap_or_default().to_owned();
                    mine.insert(name.clone(), frame(&name, LEVELS));
                }
            }
            number = pushes.recv() => match number {
                Ok(number) => if let Some(text) = mine.get(&symbol(number)) {
                    connection.push(text).await;
                },
                Err(_) => return,
            },
        }
    }
}

//! Many topics in one stream, over as many connections as the exchange requires: the time of a frame from the socket
//! in memory to the user, the server's writing included, and the bytes of a subscribed topic with its share of the
//! connections.

use std::collections::HashMap;
use std::hint::black_box;

use bitmart_ws::testing::{ScriptedServer, ServerConnection};
use bitmart_ws::topic::{self, DepthLevels};
use bitmart_ws::{FanIn, Update, spot};
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::{Cost, bytes_of_each, processor_time};
use crate::Failure;
use crate::book::frame;

/// Frames that are timed at each size.
const FRAMES: usize = 4_000;
/// Levels a side of a frame: few, so that decoding does not hide what grows with the number of topics.
const LEVELS: usize = 5;

type Stream = FanIn<spot::Depth>;
/// A connection and the topics that were subscribed on it.
type Connected = (ServerConnection, Vec<String>);

fn symbol(number: usize) -> String {
    format!("S{number}_USDT")
}

pub(super) fn measure(topics: usize) -> Result<Cost, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut subscribed = Err("nothing is subscribed".into());
    let allocated =
        allocation_counter::measure(|| subscribed = runtime.block_on(subscribe(topics)));
    let (mut stream, connected) = subscribed?;
    let mut places = HashMap::new();
    let mut connections = Vec::new();
    for (at, (connection, names)) in connected.into_iter().enumerate() {
        connections.push(connection);
        places.extend(names.into_iter().map(|name| (name, at)));
    }
    let pushes: Vec<(usize, String)> = (0..topics)
        .map(|number| {
            let place = places.get(&format!("spot/depth50:{}", symbol(number)));
            Ok((*place.ok_or("a topic is missing")?, frame(&symbol(number), LEVELS)))
        })
        .collect::<Result<_, Failure>>()?;
    let time = runtime.block_on(async {
        // The first frames warm caches up and do not count.
        receive(&mut stream, &mut connections, &pushes).await?;
        let begin = processor_time();
        receive(&mut stream, &mut connections, &pushes).await?;
        Ok::<_, Failure>((processor_time() - begin) / u128::try_from(FRAMES)?)
    })?;
    Ok(Cost { time, memory: bytes_of_each(allocated.bytes_current, topics) })
}

/// Pushes frames of the topics in turn and receives each.
async fn receive(
    stream: &mut Stream,
    connections: &mut [ServerConnection],
    pushes: &[(usize, String)],
) -> Result<(), Failure> {
    for number in 0..FRAMES {
        let (place, text) = &pushes[number * 7 % pushes.len()];
        connections[*place].push(text).await;
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

async fn subscribe(topics: usize) -> Result<(Stream, Vec<Connected>), Failure> {
    let server = ScriptedServer::new();
    let client = server.client_builder().build()?;
    let (stop, stopped) = watch::channel(false);
    let accepting = tokio::spawn(accept(server, stopped));
    let names = (0..topics).map(|number| topic::spot::depth(symbol(number), DepthLevels::Fifty));
    let mut stream = client.fan_in(names).await?;
    for _ in 0..topics {
        stream.next().await.ok_or("the stream ended")??;
    }
    stop.send(true)?;
    Ok((stream, accepting.await?))
}

/// Accepts connections and acknowledges what they subscribe, until told to stop.
async fn accept(mut server: ScriptedServer, mut stopped: watch::Receiver<bool>) -> Vec<Connected> {
    let mut tasks = Vec::new();
    loop {
        tokio::select! {
            connection = server.accept() => {
                tasks.push(tokio::spawn(acknowledge(connection, stopped.clone())));
            }
            _ = stopped.changed() => break,
        }
    }
    let mut connected = Vec::new();
    for task in tasks {
        connected.extend(task.await);
    }
    connected
}

async fn acknowledge(
    mut connection: ServerConnection,
    mut stopped: watch::Receiver<bool>,
) -> Connected {
    let mut topics = Vec::new();
    loop {
        tokio::select! {
            command = connection.accept_command() => topics.extend(command.arguments),
            _ = stopped.changed() => break,
        }
    }
    (connection, topics)
}

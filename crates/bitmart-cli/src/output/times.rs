//! Times in output: as received, or as ISO 8601 in UTC or a time zone.

use bitmart::Timestamp;
use clap::ArgMatches;

use super::{Format, json::Json};
use crate::failure::Failure;
use crate::timezone::{self, Zone};

/// How times are written: `--time-format` and `--timezone`.
#[derive(Clone, Debug)]
pub(crate) struct TimeFormat {
    is_iso: bool,
    /// The zone of days on the command line, and of times in tables.
    zone: Zone,
    /// Whether times are written in the zone instead of UTC. Only tables are: files stay UTC.
    is_local: bool,
}

impl TimeFormat {
    pub(super) fn from_options(format: Format, matches: &ArgMatches) -> Result<Self, Failure> {
        let zone = matches.get_one::<String>("timezone");
        let zone = zone.map_or_else(|| Ok(Zone::utc()), |name| timezone::parse(name))?;
        let mut this = Self::new(format, zone);
        if let Some(name) = matches.get_one::<String>("time-format") {
            this.is_iso = name.eq_ignore_ascii_case("iso");
        }
        Ok(this)
    }

    /// The default of a format: ISO 8601 in tables, as received elsewhere.
    pub(super) fn new(format: Format, zone: Zone) -> Self {
        let is_table = format == Format::Table;
        let is_local = is_table && zone.name() != Zone::utc().name();
        Self { is_iso: is_table, zone, is_local }
    }

    /// The text of a time; `None` if times are written as received.
    pub(crate) fn text(&self, time: Timestamp) -> Option<String> {
        let text = || if self.is_local { self.zone.local(time) } else { time.to_string() };
        self.is_iso.then(text)
    }

    /// The zone of days on the command line.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Rewrites the times of a JSON tree. `time` reads the value of a member as a time, if it is one.
    pub(crate) fn apply(&self, data: &Json, time: TimeOf<'_>) -> Json {
        if self.is_iso { self.rewrite("", data, time) } else { data.clone() }
    }

    fn rewrite(&self, name: &str, value: &Json, time: TimeOf<'_>) -> Json {
        match value {
            Json::Object(members) => {
                let member = |(name, value): &(String, Json)| {
                    (name.clone(), self.rewrite(name, value, time))
                };
                Json::Object(members.iter().map(member).collect())
            }
            Json::List(items) => {
                let item = |(index, item): (usize, &Json)| {
                    self.rewrite(&format!("{name}[{index}]"), item, time)
                };
                Json::List(items.iter().enumerate().map(item).collect())
            }
            // A time that is ISO 8601 already keeps its digits, unless the zone differs.
            Json::Text(text) if !self.is_local && text.parse::<Timestamp>().is_ok() => {
                value.clone()
            }
            value => {
                let text = time(name, value).and_then(|time| self.text(time));
                text.map_or_else(|| value.clone(), Json::Text)
            }
        }
    }
}

/// Reads the value of a member as a time; items of a list are called `candle[0]`.
pub(crate) type TimeOf<'a> = &'a dyn Fn(&str, &Json) -> Option<Timestamp>;

#[cfg(test)]
mod tests {
    use bitmart::Timestamp;

    use super::{Format, Json, TimeFormat};
    use crate::timezone::{self, Zone};

    #[test]
    fn rewrites_times_at_any_depth_and_nothing_else() {
        let time = |name: &str, value: &Json| {
            ["t", "candle[0]"].contains(&name).then(|| value.cell().parse().ok())?
        };
        let time = |name: &str, value: &Json| time(name, value).map(Timestamp::from_millis);
        let data =
            Json::parse(r#"{"t":0,"n":0,"inner":[{"t":1000}],"candle":[0,5]}"#).expect("JSON");
        let table = TimeFormat::new(Format::Table, Zone::utc());
        let zero = r#""1970-01-01T00:00:00.000Z""#;
        assert_eq!(
            table.apply(&data, &time).to_string(),
            format!(
                r#"{{"t":{zero},"n":0,"inner":[{{"t":"1970-01-01T00:00:01.000Z"}}],"candle":[{zero},5]}}"#
            )
        );
        assert_eq!(TimeFormat::new(Format::Ndjson, Zone::utc()).apply(&data, &time), data);
    }

    #[test]
    fn only_tables_use_the_timezone() {
        let zone = || timezone::parse("Europe/Vienna").expect("a zone");
        let text = |format| TimeFormat { is_iso: true, ..TimeFormat::new(format, zone()) };
        let noon: Timestamp = "2024-07-01T12:00:00Z".parse().expect("a time");
        let local = text(Format::Table).text(noon);
        assert_eq!(local.as_deref(), Some("2024-07-01T14:00:00.000+02:00"));
        assert_eq!(text(Format::Csv).text(noon).as_deref(), Some("2024-07-01T12:00:00.000Z"));
    }
}

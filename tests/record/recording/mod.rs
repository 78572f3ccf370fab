//! One recorded case, as its files tell it.

mod exchange;
mod listing;
mod moment;
mod started;

pub use exchange::Exchange;
pub use listing::{Listing, Row, USER};
pub use moment::{Moment, Running, Which, start_time};
pub use started::Started;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use crate::read_text;

/// The root of the project in every recording.
pub const ROOT: &str = "/home/dev/gw";

/// One recorded case.
pub struct Recording {
    /// Its folder.
    pub folder: PathBuf,
    /// What was started, in order.
    pub started: Vec<Started>,
    /// The recorder's requests and what came of them, in order.
    pub exchanges: Vec<Exchange>,
    /// Modes and owners at the end.
    pub listing: Listing,
    /// Listeners and processes at the moment of the look.
    pub moment: Moment,
    /// When the case began.
    began: Timestamp,
}

impl Recording {
    /// Reads a case at one of its moments.
    pub fn read(folder: &Path, which: Which) -> Self {
        let listing = Listing::parse(&read_text(&folder.join("files.txt")));
        let exchanges = read_text(&folder.join("http.jsonl"));
        Self {
            folder: folder.to_owned(),
            started: json(read_text(&folder.join("exit.json"))),
            exchanges: exchanges.lines().map(json).collect(),
            moment: Moment::parse(&read_text(&folder.join("ss.txt")), which),
            // The folder of the programs is the last thing that is made before the first start.
            began: listing
                .row(&Path::new(ROOT).join(".router/runtime/bin"))
                .unwrap()
                .modified,
            listing,
        }
    }

    /// Takes over what services said in another recording that were never asked in this one.
    pub fn borrow_answers(&mut self, other: Self) {
        let asked: Vec<String> = self.exchanges.iter().map(Exchange::address).collect();
        let unasked = other
            .exchanges
            .into_iter()
            .map(|exchange| Exchange { t: 0.0, ..exchange });
        let unasked = unasked.filter(|exchange| !asked.contains(&exchange.address()));
        self.exchanges.extend(unasked);
    }

    /// The time of day so many seconds after the case began.
    pub fn time(&self, seconds: f64) -> Timestamp {
        self.began + SignedDuration::from_millis((seconds * 1000.0) as i64)
    }

    /// The runs of a service up to the moment, oldest first.
    pub fn runs<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Started> {
        self.started
            .iter()
            .filter(move |started| started.flowgate_name() == Some(service))
            .filter(|started| started.started_t <= self.moment.t)
    }

    /// The last run of a service.
    pub fn last_run<'a>(&'a self, service: &'a str) -> Option<&'a Started> {
        self.runs(service).last()
    }

    /// A file of the case, when it was recorded.
    pub fn text(&self, name: &str) -> Option<String> {
        let path = self.folder.join(name);
        path.exists().then(|| read_text(&path))
    }
}

fn json<T: DeserializeOwned>(text: impl AsRef<str>) -> T {
    serde_json::from_str(text.as_ref()).unwrap()
}

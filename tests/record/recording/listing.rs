//! Modes and owners (`files.txt`), and what an ordinary user may do with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// The user of the recordings; the group has the same number.
pub const USER: u32 = 1000;

/// One file, folder or link.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `d`, `-` or `l`.
    pub kind: char,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// When it was changed last.
    pub modified: Timestamp,
    /// Where a link leads.
    pub target: Option<PathBuf>,
}

/// Every file that the recording names, by its absolute path.
#[derive(Debug, Clone, Default)]
pub struct Listing(BTreeMap<PathBuf, Row>);

impl Listing {
    /// Parses rows of the form
    /// `-rw------- 600 dev(1000):dev(1000) 422 2026-11-23T03:06:47 /home/dev/gw/config/litellm.yaml `.
    pub fn parse(text: &str) -> Self {
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        Self(rows.map(parse_row).collect())
    }

    /// The facts of a path, when the recording names it.
    pub fn row(&self, path: &Path) -> Option<&Row> {
        self.0.get(path)
    }

    /// Adds what the recording does not name.
    pub fn add(&mut self, path: PathBuf, row: Row) {
        self.0.entry(path).or_insert(row);
    }

    /// The named files directly in a folder.
    pub fn in_folder<'a>(
        &'a self,
        folder: &'a Path,
    ) -> impl Iterator<Item = (&'a PathBuf, &'a Row)> {
        self.0
            .iter()
            .filter(move |(path, _)| path.parent() == Some(folder))
    }

    /// Whether the user may do all of `bits` (4 read, 2 write, 1 execute or enter) with a path that
    /// is there; every folder above it must let the user in.
    pub fn may(&self, path: &Path, bits: u32) -> bool {
        let Some(row) = self.row(path) else {
            return false;
        };
        let is_open = path
            .ancestors()
            .skip(1)
            .all(|folder| self.row(folder).is_none_or(|row| row.grants(1)));
        is_open && row.grants(bits)
    }
}

impl Row {
    fn grants(&self, bits: u32) -> bool {
        let shift = match () {
            () if self.uid == USER => 6,
            () if self.gid == USER => 3,
            () => 0,
        };
        (self.mode >> shift) & bits == bits
    }
}

fn parse_row(line: &str) -> (PathBuf, Row) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (owner, group) = words[2].split_once(':').unwrap();
    let row = Row {
        kind: line.chars().next().unwrap(),
        mode: u32::from_str_radix(words[1], 8).unwrap(),
        uid: number_of(owner),
        gid: number_of(group),
        size: words[3].parse().unwrap(),
        modified: format!("{}Z", words[4]).parse().unwrap(),
        target: words.get(6).map(PathBuf::from),
    };
    (PathBuf::from(words[5]), row)
}

/// 1000 of `dev(1000)`.
fn number_of(owner: &str) -> u32 {
    let (_, number) = owner.trim_end_matches(')').split_once('(').unwrap();
    number.parse().unwrap()
}

#[test]
fn a_closed_folder_closes_what_lies_in_it() {
    let mut listing = Listing::parse(
        "# t=14.8 end of case\n\
         d--------- 0 dev(1000):dev(1000) 60 2026-11-23T03:00:11 /gw/auths \n\
         -rw------- 600 dev(1000):dev(1000) 694 2026-11-23T03:00:11 /gw/auths/a.json \n\
         -rw------- 600 root(0):root(0) 226 2026-11-23T03:00:11 /gw/a.yaml \n\
         lrwxrwxrwx 777 root(0):root(0) 38 2026-11-23T03:00:47 /gw/python /opt/gone/python\n",
    );
    assert!(!listing.may(Path::new("/gw/auths"), 4));
    assert!(!listing.may(Path::new("/gw/auths/a.json"), 4));
    assert!(!listing.may(Path::new("/gw/a.yaml"), 4));
    let link = listing.row(Path::new("/gw/python")).unwrap().clone();
    assert_eq!(link.target.as_deref(), Some(Path::new("/opt/gone/python")));
    listing.add("/gw/auths".into(), link);
    assert_eq!(listing.row(Path::new("/gw/auths")).unwrap().mode, 0);
}

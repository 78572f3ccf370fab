//! Who is who on this machine, from `/etc/passwd` and `/etc/group`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flowgate_checks::model::User;

use super::read;

const LIMIT: u64 = 4 * 1024 * 1024;

/// The users and groups that the files of this machine name; read once per look.
///
/// Directory services are not asked: that would leave this machine.
#[derive(Debug, Default, Clone)]
pub struct Users {
    users: BTreeMap<u32, Account>,
    groups: BTreeMap<u32, Vec<String>>,
}

#[derive(Debug, Clone)]
struct Account {
    name: String,
    gid: u32,
    home: PathBuf,
}

impl Users {
    /// Reads both files; what cannot be read names nobody.
    pub fn load() -> Self {
        let passwd = read::head(Path::new("/etc/passwd"), LIMIT).unwrap_or_default();
        let group = read::head(Path::new("/etc/group"), LIMIT).unwrap_or_default();
        Self::parse(
            &String::from_utf8_lossy(&passwd),
            &String::from_utf8_lossy(&group),
        )
    }

    /// From the text of both files. Lines: `ana:x:1000:1000:Ana:/home/ana:/bin/sh`, `dev:x:1000:ana,ben`.
    pub fn parse(passwd: &str, group: &str) -> Self {
        let mut known = Self::default();
        for line in passwd.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, _, home, ..] = fields[..] else {
                continue;
            };
            if let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse()) {
                // The first line of an uid counts, as for getpwuid.
                known.users.entry(uid).or_insert_with(|| Account {
                    name: name.to_owned(),
                    gid,
                    home: PathBuf::from(home),
                });
            }
        }
        for line in group.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let [_, _, gid, members] = fields[..] else {
                continue;
            };
            if let Ok(gid) = gid.parse() {
                let members = members
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty());
                known
                    .groups
                    .entry(gid)
                    .or_default()
                    .extend(members.map(str::to_owned));
            }
        }
        known
    }

    /// Login name of an uid; the uid as text when the machine knows none.
    pub fn name(&self, uid: u32) -> String {
        match self.users.get(&uid) {
            Some(account) => account.name.clone(),
            None => uid.to_string(),
        }
    }

    /// The user that flowgate runs as.
    pub fn current(&self) -> User {
        let uid = rustix::process::geteuid().as_raw();
        User {
            uid,
            gid: rustix::process::getegid().as_raw(),
            name: self.name(uid),
        }
    }

    /// Whether somebody besides this owner and root is in the group.
    pub fn shares_group(&self, gid: u32, owner: u32) -> bool {
        let is_other = |uid: u32| uid != owner && uid != 0;
        let by_primary = self
            .users
            .iter()
            .any(|(uid, account)| account.gid == gid && is_other(*uid));
        let owner_name = self.name(owner);
        by_primary
            || self.groups.get(&gid).is_some_and(|members| {
                members
                    .iter()
                    .any(|member| *member != owner_name && member != "root")
            })
    }

    /// Whether the path is somebody's home.
    pub fn is_home(&self, path: &Path) -> bool {
        self.users.values().any(|account| account.home == path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Users {
        Users::parse(
            "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000:Ana:/home/ana:/bin/sh\nben:x:1001:50::/home/ben:/bin/sh\n",
            "root:x:0:\nana:x:1000:\nteam:x:2000:ana,root\nwide:x:3000:ana,ben\nstaff:x:50:\n",
        )
    }

    #[test]
    fn a_group_is_shared_when_somebody_else_is_in_it() {
        let users = sample();
        assert!(!users.shares_group(1000, 1000));
        assert!(!users.shares_group(2000, 1000));
        assert!(users.shares_group(3000, 1000));
        assert!(users.shares_group(50, 1000));
        assert!(!users.shares_group(50, 1001));
        assert!(users.shares_group(1000, 1001));
    }

    #[test]
    fn names_and_homes_are_known() {
        let users = sample();
        assert_eq!(users.name(1000), "ana");
        assert_eq!(users.name(4711), "4711");
        assert!(users.is_home(Path::new("/home/ben")));
        assert!(!users.is_home(Path::new("/home")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(passwd in "[a-z0-9:,\n]{0,80}", group in "[a-z0-9:,\n]{0,80}") {
            Users::parse(&passwd, &group).shares_group(1, 2);
        }
    }
}

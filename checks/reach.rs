//! Who else can reach a file: permission bits, groups, and every directory above it.

use crate::answers::{Answers, answers};
use crate::model::{FileFacts, Mode, Owner, Parent, Process, Relation, Snapshot};
use crate::state::{owners, services};

/// Bits of one class, in the place of the last octal digit.
const READ: u32 = 0o4;
const WRITE: u32 = 0o2;
const ENTER: u32 = 0o1;

/// Who besides its owner and root is given something by the bits of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Every user of the machine.
    Everybody,
    /// The other members of its group.
    Group,
    /// Whoever its access control list names.
    Listed,
}

/// How far what is given can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Nobody else is given anything, or only a group of one.
    Nobody,
    /// It is given, and a directory above keeps everybody away.
    Closed {
        /// To whom it is given.
        given: Given,
        /// The directory that keeps them away.
        by: String,
    },
    /// It is given, and every directory above lets them pass.
    Open {
        /// To whom it is given.
        given: Given,
    },
}

/// Who else reads or writes a file.
pub fn of_file(facts: &FileFacts, snapshot: &Snapshot) -> Reach {
    reach(facts, READ | WRITE, snapshot)
}

/// Who else can put files into a directory, or take them out. In a sticky one they can still put some in.
pub fn of_writing_dir(facts: &FileFacts, snapshot: &Snapshot) -> Reach {
    let usable = |shift: u32| {
        let digit = facts.mode.0 >> shift & 0o7;
        digit & (WRITE | ENTER) == WRITE | ENTER
    };
    // Without the right to enter, the right to write is worth nothing.
    let mut bits = facts.clone();
    bits.mode =
        Mode((if usable(3) { WRITE << 3 } else { 0 }) | (if usable(0) { WRITE } else { 0 }));
    bits.acl = facts.acl && usable(3);
    reach(&bits, WRITE, snapshot)
}

/// Who else can list a directory.
pub fn of_listing_dir(facts: &FileFacts, snapshot: &Snapshot) -> Reach {
    reach(facts, READ, snapshot)
}

fn reach(facts: &FileFacts, bits: u32, snapshot: &Snapshot) -> Reach {
    // The group bits of a file with an access control list are its mask: they bind the listed users.
    let candidates = [
        (Given::Everybody, facts.mode.has(bits)),
        (Given::Listed, facts.acl && facts.mode.has(bits << 3)),
        (
            Given::Group,
            facts.mode.has(bits << 3) && facts.group_shared,
        ),
    ];
    let mut closed = Reach::Nobody;
    for (given, is_given) in candidates {
        if !is_given {
            continue;
        }
        match facts
            .parents
            .iter()
            .find(|parent| !lets_pass(parent, given, facts, snapshot))
        {
            None => return Reach::Open { given },
            Some(parent) if closed == Reach::Nobody => {
                closed = Reach::Closed {
                    given,
                    by: parent.path.clone(),
                };
            }
            Some(_) => {}
        }
    }
    closed
}

/// Whether somebody who is given the file can enter a directory above it: as anybody, as a member of
/// the file's group, or as a member of a group that is neither root's nor ours alone.
fn lets_pass(parent: &Parent, given: Given, facts: &FileFacts, snapshot: &Snapshot) -> bool {
    let by_group = parent.mode.has(ENTER << 3);
    // The group's bits are the mask of a list, which may name whoever is given the file.
    if parent.acl && by_group && given != Given::Group {
        return true;
    }
    if parent.mode.has(ENTER) {
        // Members of the group are judged by the group's bits, which may be fewer.
        return given != Given::Group || parent.gid != facts.gid || by_group;
    }
    if !by_group {
        return false;
    }
    if parent.gid == facts.gid {
        return facts.group_shared;
    }
    given == Given::Everybody && parent.gid != 0 && parent.gid != snapshot.host.user.gid
}

/// A uid, neither root's nor the owner's, under which a process of the gateway runs: a tighter mode
/// could take the file from it.
pub fn other_user(facts: &FileFacts, snapshot: &Snapshot) -> Option<u32> {
    let is_other = |uid: u32| uid != 0 && uid != facts.uid;
    let of_gateway = snapshot
        .processes
        .values()
        .filter(|process| !matches!(process.relation, Relation::Foreign | Relation::Forwarder))
        .filter(|process| !is_copy_elsewhere(process, snapshot))
        .map(|process| process.uid);
    let hidden = services(snapshot)
        .filter(|view| answers(view) != Answers::Otherwise)
        .flat_map(|view| view.rivals())
        .filter_map(|socket| match socket.owner {
            Owner::Hidden { uid } => Some(uid),
            Owner::Known { .. } => None,
        });
    of_gateway.chain(hidden).find(|&uid| is_other(uid))
}

/// Whether a process only runs the same program: in another folder, with other files than ours, and
/// on none of our ports.
fn is_copy_elsewhere(process: &Process, snapshot: &Snapshot) -> bool {
    let root = snapshot.paths.root.as_str();
    let is_outside = process
        .cwd
        .as_deref()
        .is_some_and(|cwd| cwd.starts_with('/') && cwd != "/" && cwd != root);
    let holds_our_port = services(snapshot)
        .flat_map(|view| view.rivals())
        .any(|socket| {
            owners(snapshot, socket)
                .iter()
                .any(|owner| owner.pid == process.pid)
        });
    matches!(process.relation, Relation::SameProgram { .. })
        && is_outside
        && !process.command.contains(root)
        && !holds_our_port
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{FileKind, FileRole};

    fn ours() -> Snapshot {
        let mut snapshot = Snapshot::new(Timestamp::UNIX_EPOCH);
        snapshot.host.user.uid = 1000;
        snapshot.host.user.gid = 1000;
        snapshot
    }

    fn file(mode: u32, parents: &[(u32, u32)]) -> FileFacts {
        FileFacts {
            role: FileRole::Token,
            kind: FileKind::File,
            mode: Mode(mode),
            uid: 1000,
            owner: "ana".into(),
            gid: 1000,
            group_shared: false,
            acl: false,
            holds_secret: true,
            readable: true,
            writable: true,
            special: false,
            without_modes: None,
            parents: parents
                .iter()
                .map(|&(mode, gid)| Parent {
                    path: "/x".into(),
                    mode: Mode(mode),
                    uid: 1000,
                    gid,
                    acl: false,
                })
                .collect(),
        }
    }

    #[test]
    fn a_closed_directory_anywhere_above_protects() {
        let open = file(0o644, &[(0o755, 1000), (0o755, 0)]);
        assert_eq!(
            of_file(&open, &ours()),
            Reach::Open {
                given: Given::Everybody
            }
        );
        let closed = file(0o644, &[(0o755, 1000), (0o700, 1000), (0o755, 0)]);
        assert!(matches!(of_file(&closed, &ours()), Reach::Closed { .. }));
    }

    #[test]
    fn a_group_of_one_is_nobody_else() {
        let private = file(0o660, &[(0o755, 1000)]);
        assert_eq!(of_file(&private, &ours()), Reach::Nobody);
        let mut shared = private;
        shared.group_shared = true;
        assert_eq!(
            of_file(&shared, &ours()),
            Reach::Open {
                given: Given::Group
            }
        );
    }

    #[test]
    fn a_directory_that_is_open_to_a_shared_group_does_not_protect() {
        let staff = file(0o644, &[(0o750, 50)]);
        assert!(matches!(of_file(&staff, &ours()), Reach::Open { .. }));
        let root_group = file(0o644, &[(0o750, 0)]);
        assert!(matches!(
            of_file(&root_group, &ours()),
            Reach::Closed { .. }
        ));
        let own_group = file(0o644, &[(0o750, 1000)]);
        assert!(matches!(of_file(&own_group, &ours()), Reach::Closed { .. }));
    }

    #[test]
    fn a_list_of_a_directory_above_lets_those_pass_whom_it_names() {
        let mut listed = file(0o640, &[(0o750, 1000)]);
        listed.acl = true;
        assert!(matches!(of_file(&listed, &ours()), Reach::Closed { .. }));
        listed.parents[0].acl = true;
        assert!(matches!(of_file(&listed, &ours()), Reach::Open { .. }));
        listed.parents[0].mode = Mode(0o700);
        assert!(matches!(of_file(&listed, &ours()), Reach::Closed { .. }));
    }

    #[test]
    fn writing_needs_entering() {
        assert_eq!(
            of_writing_dir(&file(0o772, &[]), &ours()),
            Reach::Nobody,
            "nobody enters 772"
        );
        assert!(matches!(
            of_writing_dir(&file(0o777, &[]), &ours()),
            Reach::Open { .. }
        ));
        assert_eq!(of_writing_dir(&file(0o775, &[]), &ours()), Reach::Nobody);
    }

    #[test]
    fn execute_bits_alone_give_nothing_of_a_file() {
        assert_eq!(of_file(&file(0o711, &[]), &ours()), Reach::Nobody);
        assert_eq!(of_file(&file(0o400, &[]), &ours()), Reach::Nobody);
    }
}

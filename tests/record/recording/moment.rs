//! Listeners and processes at one moment (`ss.txt`), as an ordinary user sees them.

use flowgate::platform::{ProcessStat, TICKS_PER_SECOND};

/// Which of the moments of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first one.
    First,
    /// The last one, at the end of the case.
    Last,
}

/// A row of `ss -ltnp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Address without brackets.
    pub address: String,
    /// Port.
    pub port: u16,
    /// The owners, when they may be seen.
    pub pids: Vec<u32>,
    /// Inode, where `lsof` told it.
    pub inode: Option<u64>,
}

/// A row of `ps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Identity and state; its start time is not recorded.
    pub stat: ProcessStat,
    /// Effective uid.
    pub uid: u32,
    /// Arguments, split at blanks.
    pub argv: Vec<String>,
}

/// What ran and listened.
#[derive(Debug)]
pub struct Moment {
    /// Seconds after the begin of the case.
    pub t: f64,
    /// The listeners.
    pub listeners: Vec<Listener>,
    /// The processes.
    pub processes: Vec<Running>,
}

impl Moment {
    /// Parses one block of the file; a block begins with `# t=2.4 1.5 s after start`.
    pub fn parse(text: &str, which: Which) -> Self {
        let mut blocks = text.split("# t=").skip(1);
        let block = match which {
            Which::First => blocks.next(),
            Which::Last => blocks.last(),
        };
        let block = block.unwrap();
        let mut moment = Self {
            t: block.split_whitespace().next().unwrap().parse().unwrap(),
            listeners: block.lines().filter_map(listener).collect(),
            processes: block.lines().filter_map(running).collect(),
        };
        for (pid, port, inode) in block.lines().filter_map(lsof) {
            for listener in &mut moment.listeners {
                if listener.port == port && listener.pids.contains(&pid) {
                    listener.inode = Some(inode);
                }
            }
        }
        moment
    }

    /// The uid of a listener: the user's own when its owner may be seen. Of one whose owner is
    /// hidden the recording tells it only by the foreign process of the case; the stand-in of the
    /// providers at 443 belongs to root.
    pub fn uid_of(&self, listener: &Listener) -> u32 {
        let is_visible = !listener.pids.is_empty();
        let foreign = self
            .processes
            .iter()
            .find(|process| process.uid != super::listing::USER);
        match foreign {
            _ if is_visible => super::listing::USER,
            Some(process) if listener.port != 443 => process.uid,
            _ => 0,
        }
    }
}

/// `LISTEN 0 4096 127.0.0.1:8317 0.0.0.0:* users:(("CLIProxyAPIPlus",pid=28,fd=3))`
fn listener(line: &str) -> Option<Listener> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["LISTEN", _, _, local, ..] = words[..] else {
        return None;
    };
    let (address, port) = local.rsplit_once(':')?;
    let pids = line.split("pid=").skip(1).map(|rest| {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse().unwrap()
    });
    Some(Listener {
        address: address.trim_matches(['[', ']']).to_owned(),
        port: port.parse().unwrap(),
        pids: pids.collect(),
        inode: None,
    })
}

/// `litellm  35  dev   14u  IPv4 322126      0t0  TCP 127.0.0.1:4000 (LISTEN)`
fn lsof(line: &str) -> Option<(u32, u16, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [
        _,
        pid,
        _,
        _,
        "IPv4" | "IPv6",
        inode,
        _,
        "TCP",
        place,
        "(LISTEN)",
    ] = words[..]
    else {
        return None;
    };
    let (_, port) = place.rsplit_once(':')?;
    Some((pid.parse().ok()?, port.parse().ok()?, inode.parse().ok()?))
}

/// `     28       1  1000 SNsl 31592 CLIProxyAPIPlus /home/dev/gw/.router/runtime/bin/CLIProxyAPIPlus -config …`
fn running(line: &str) -> Option<Running> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (&[pid, parent, uid, state, _, name], argv) = words.split_first_chunk::<6>()?;
    let (pid, parent) = (pid.parse().ok()?, parent.parse().ok()?);
    let uid = uid.parse().ok()?;
    Some(Running {
        stat: ProcessStat {
            pid,
            name: name.to_owned(),
            state: state.chars().next()?,
            parent,
            // A small s marks the leader of a session; of others it is not recorded.
            session: if state.contains('s') { pid } else { parent },
            start_time: 0,
            cpu_ticks: 0,
        },
        uid,
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
    })
}

/// The start time of a process, in clock ticks after a boot one hour before the case.
pub fn start_time(seconds: f64) -> u64 {
    ((3600.0 + seconds) * TICKS_PER_SECOND as f64) as u64
}

#[test]
fn owners_that_may_not_be_seen_are_hidden() {
    let text = "# t=1.1 holder belongs to uid 1234\n\
        $ ss -ltnp\n\
        State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n\
        LISTEN 0      5          127.0.0.1:8317      0.0.0.0:*          \n\
        LISTEN 0      5          127.0.0.1:443       0.0.0.0:*          \n\
        LISTEN 0      2048           [::1]:4000         [::]:*    users:((\"litellm\",pid=35,fd=14))\n\
        litellm  35  dev   14u  IPv6 335855      0t0  TCP [::1]:4000 (LISTEN)\n\
        PID    PPID   UID STAT   RSS COMMAND         COMMAND\n\
        28       1  1234 SN   21492 python3         /opt/python/bin/python3 -c import sys\n\
        35       1  1000 SNsl 372560 litellm        /home/dev/gw/.venv/bin/python litellm\n";
    let moment = Moment::parse(text, Which::Last);
    let uids: Vec<u32> = moment
        .listeners
        .iter()
        .map(|one| moment.uid_of(one))
        .collect();
    assert_eq!(uids, [1234, 0, 1000]);
    let litellm = &moment.listeners[2];
    assert_eq!(
        (litellm.address.as_str(), litellm.inode),
        ("::1", Some(335_855))
    );
    let sessions: Vec<u32> = moment
        .processes
        .iter()
        .map(|one| one.stat.session)
        .collect();
    assert_eq!(sessions, [1, 35]);
}

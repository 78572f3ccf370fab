//! Linux: `/proc` and netlink.

mod cgroup;
mod held;
mod host;
mod mount;
mod process;
mod process_handle;
mod sock_diag;
mod socket;
mod stat;
mod tcp_table;
mod xattr;

pub use cgroup::{control_groups, is_container, managers};
pub use held::{is_frozen, tracer_of, waits_for_reader};
pub use host::{
    TICKS_PER_SECOND, boot_id, booted_at_seconds, emulated, kernel_release, pid_limit, uptime_ms,
};
pub use mount::mounts;
pub use process::{
    command_line, ended, environment_block, environment_text, executable, open_file, output,
    process_ids, process_stat, process_user, resident_bytes, working_directory,
};
pub use process_handle::{ProcessHandle, is_alive};
pub use socket::{kernel_sockets, listeners, socket_owners, sockets_of, table_sockets};
pub use xattr::has_acl;

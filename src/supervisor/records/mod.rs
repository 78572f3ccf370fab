//! What the runtime dir says of the services: reading only.

mod events;
mod history;
mod last_ready;
mod life;
mod meaning;
mod pid_file;
mod reading;
mod record;
mod supervisor;

pub use events::{last_logins, parse_logins};
pub use history::{HistoryLine, parse_history};
pub use last_ready::LastReady;
pub use life::{LifeSign, life_of};
pub use meaning::{RecordedRun, RecordedService, interpret};
pub use pid_file::{PidFile, parse_pid_file};
pub use reading::{ServiceRecords, read, read_current};
pub use record::{
    LastExit, RECORD_VERSION, RecordError, RunRecord, ServiceRecord, ServiceState, parse_record,
};
pub use supervisor::supervisor;

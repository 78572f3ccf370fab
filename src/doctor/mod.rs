//! One look: gather, diagnose, report.

//! What `init` says that it wrote and kept.

use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::{Global, output};
use crate::config::load;
use crate::sys::place::Root;
use crate::sys::write::Created;

/// Files in the order in which they were looked at, and what is odd about some.
pub struct Written {
    root: Root,
    files: Vec<(String, Created)>,
    warnings: Vec<String>,
}

impl Written {
    /// Nothing yet; `config` is flowgate.yaml.
    pub fn new(config: &Path) -> Self {
        Self {
            root: load::root_of(config),
            files: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Notes what became of a file.
    pub fn note(&mut self, path: &Path, created: Created) {
        self.files.push((self.root.show(path), created));
    }

    /// Notes what is odd about a file.
    pub fn warn(&mut self, path: &Path, what: &str) {
        self.warnings
            .push(format!("{} {what}\n", self.root.show(path)));
    }

    /// Prints it: `wrote=PATH` and `kept=PATH` for scripts.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn print(&self, global: &Global) -> Result<(), Failure> {
        self.print_those(|_| true, global)
    }

    /// The same of what was written alone.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn print_new(&self, global: &Global) -> Result<(), Failure> {
        self.print_those(|created| created == Created::Written, global)
    }

    fn print_those(
        &self,
        is_told: impl Fn(Created) -> bool,
        global: &Global,
    ) -> Result<(), Failure> {
        let between = if output::is_for_scripts(global) {
            "="
        } else {
            "  "
        };
        let line = |(path, created): &(String, Created)| {
            let word = match created {
                Created::Written => "wrote",
                Created::Kept if between == "=" => "kept",
                Created::Kept => "kept ",
            };
            // A path may hold anything; one line stays one line.
            let path: String = path.chars().filter(|c| !c.is_control()).collect();
            format!("{word}{between}{path}\n")
        };
        let told = self.files.iter().filter(|(_, created)| is_told(*created));
        output::text(&told.map(line).collect::<String>())?;
        output::errors(&self.warnings.concat());
        Ok(())
    }
}

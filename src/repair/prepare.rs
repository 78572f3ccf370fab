//! From a planned run to one that can be journaled: what is there now, and what will be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flowgate_checks::model::Step;

use super::error::StepError;
use super::files::{self, FileChange, Image};
use super::ground::Ground;
use super::record::{Facts, StepRecord, Undo};
use super::services::Services;
use super::steps;

/// A step that can be done and taken back.
#[derive(Clone)]
pub struct PreparedStep {
    /// What is journaled of it, without its files.
    pub step: Step,
    /// How it can be taken back.
    pub undo: Undo,
    /// What was there before, but for files.
    pub facts: Facts,
    /// The files that it changes.
    pub files: Vec<FileChange>,
}

/// The files as the steps so far will leave them.
#[derive(Default)]
pub struct Overlay(BTreeMap<PathBuf, Option<Image>>);

impl Overlay {
    /// A file as the next step will find it, and the file that its symlinks lead to.
    ///
    /// # Errors
    /// As [`files::look`].
    pub fn look(&self, path: &Path) -> Result<(PathBuf, Option<Image>), StepError> {
        let (target, now) = files::look(path)?;
        let image = self.0.get(&target).cloned().unwrap_or(now);
        Ok((target, image))
    }

    /// The text of a file as the next step will find it.
    ///
    /// # Errors
    /// [`StepError::Refused`], when it is not there or no text.
    pub fn text(&self, path: &Path) -> Result<(PathBuf, Image, String), StepError> {
        let refused = |why: &str| StepError::Refused(format!("{} {why}", path.display()));
        let (target, image) = self.look(path)?;
        let image = image.ok_or_else(|| refused("is not there"))?;
        let text =
            String::from_utf8(image.bytes.clone()).map_err(|_| refused("is no UTF-8 text"))?;
        Ok((target, image, text))
    }

    /// A file will hold this.
    pub fn set(&mut self, target: PathBuf, image: Option<Image>) {
        self.0.insert(target, image);
    }

    /// A file will have these permission bits.
    pub fn set_mode(&mut self, path: &Path, mode: u32) {
        if let Ok((target, Some(image))) = self.look(path) {
            self.set(target, Some(Image { mode, ..image }));
        }
    }
}

/// Prepares steps in their order.
///
/// # Errors
/// [`StepError`], with the first step that cannot be done.
pub fn prepare(
    steps: &[Step],
    ground: &Ground,
    services: &Services<'_>,
) -> Result<Vec<PreparedStep>, (usize, StepError)> {
    let mut overlay = Overlay::default();
    let mut prepared = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let one =
            steps::prepare(step, &overlay, ground, services).map_err(|error| (index, error))?;
        for file in &one.files {
            overlay.set(file.target.clone(), file.after.clone());
        }
        if let Facts::Mode { path, to, .. } = &one.facts {
            overlay.set_mode(path, *to);
        }
        prepared.push(one);
    }
    Ok(prepared)
}

impl PreparedStep {
    /// A step on files, which can be taken back to the same bytes.
    pub fn on_files(step: &Step, files: Vec<FileChange>) -> Self {
        Self {
            step: step.clone(),
            undo: Undo::Exact,
            facts: Facts::Files { files: Vec::new() },
            files,
        }
    }

    /// A step on something else.
    pub fn on(step: &Step, undo: Undo, facts: Facts) -> Self {
        Self {
            step: step.clone(),
            undo,
            facts,
            files: Vec::new(),
        }
    }

    /// What is journaled of it; `digest` makes digests, and each copy is given to `keep`.
    pub fn record(
        &self,
        index: usize,
        digest: impl Fn(&[u8]) -> String,
        mut keep: impl FnMut(String, &[u8]),
    ) -> StepRecord {
        use super::record::{FileRecord, ImageRecord};
        let mut image = |file: usize, which: &str, image: &Option<Image>| {
            image.as_ref().map(|image| {
                let copy = format!("{index}.{file}.{which}");
                keep(copy.clone(), &image.bytes);
                ImageRecord {
                    copy,
                    digest: digest(&image.bytes),
                    mode: image.mode,
                }
            })
        };
        let facts = match &self.facts {
            Facts::Files { .. } => Facts::Files {
                files: self
                    .files
                    .iter()
                    .enumerate()
                    .map(|(number, file)| FileRecord {
                        path: file.path.clone(),
                        target: file.target.clone(),
                        in_place: file.in_place,
                        before: image(number, "before", &file.before),
                        after: image(number, "after", &file.after),
                    })
                    .collect(),
            },
            other => other.clone(),
        };
        StepRecord {
            step: self.step.clone(),
            undo: self.undo,
            facts,
        }
    }
}

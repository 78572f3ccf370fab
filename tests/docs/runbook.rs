//! The committed runbook is that of the checks' pages.

#[test]
fn the_committed_runbook_is_fresh() {
    let path = crate::pages::root().join("docs/runbook.md");
    let text = flowgate::doctor::pages::runbook();
    crate::committed::compare(&path, &text, "FLOWGATE_UPDATE_RUNBOOK");
}

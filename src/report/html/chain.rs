//! The chain as a picture: a box for each hop, a line between them, and the break in it.

use flowgate_checks::chain::{Hop, HopState};
use maud::{Markup, html};

use crate::report::Report;

/// Draws the chain; nothing when there is no gateway to draw.
pub fn draw(report: &Report) -> Markup {
    html! {
        @if !report.chain.is_empty() {
            ol.chain aria-label="the chain of hops" {
                li.client { span.name { "client" } }
                @for hop in &report.chain { (draw_hop(hop)) }
            }
        }
    }
}

fn draw_hop(hop: &Hop) -> Markup {
    let (class, mark, word) = match hop.state {
        HopState::Ok => ("ok", "✓", "ok"),
        HopState::Broken => ("error", "✗", "broken"),
        HopState::Unproven => ("warning", "~", "unproven"),
        HopState::Unknown => ("unknown", "?", "unknown"),
        HopState::Off => ("off", "–", "off"),
    };
    html! {
        li.(class) {
            span.name { (hop.hop) }
            @if let Some(address) = &hop.address { " " span.address { (address) } }
            " " span.state { (mark) " " (word) }
            @if let Some(detail) = &hop.detail { " " span.detail { (detail) } }
        }
    }
}

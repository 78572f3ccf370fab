//! What flowgate knows of the two programs.

//! flowgate.yaml and the programs' own configs, read with positions.

//! All the input and output of a look, in two waves of probes.

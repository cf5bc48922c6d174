// Package experiment holds what is asked of popsim as typed values: a neuron (a model, a preset, and what is set on top
// of it), the verb and its flags. The command line and experiment files (TOML) are two ways to write the same thing,
// and what was read can be written as a file again. Every value is parsed once, into a number, a list, a range, an
// interval, a draw or the values of a file; what is wrong is reported all at once, with its place where it stands in a
// file.
package experiment

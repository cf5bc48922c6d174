// Package experiment holds an experiment as typed values: a neuron (a model, a preset, and settings that override it),
// the verb and its flags. The command line and experiment files (TOML) are two ways to write the same experiment, and
// every experiment can be written as a file. Every value is parsed once, into a number, a list, a range, an interval, a
// draw or the values of a file; all errors are reported together, with their places in a file.
package experiment

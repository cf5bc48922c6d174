// Package statistics measures spike trains: those of a population as they are added, in memory that does not grow with
// time (Recorder), and lists of spike times and counts.
package statistics

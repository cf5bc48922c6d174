// Package report is the door through which results leave: tables, files, pictures, and the lines that tell how far a
// run has come.
//
// A Table is a set of named columns of equal length. Numbers are float64, where NaN means missing, or int64; names and
// labels are strings. Every format carries the same values bit for bit:
//
//	.csv      text; floats with the fewest digits that read back to the same bits, missing values empty
//	.npy      one array: plain for a single column, structured (a["rate_Hz"]) for several
//	.npz      one array per column, stored without compression
//	.parquet  one typed column each; NaN stays NaN
//	.json     an array of row objects, {"name": value, ...}; missing and infinite values are null
//
// A file is opened before the work starts, so that a bad path fails in the first second, under a temporary name beside
// the final one. It takes the final name only when its last byte is on the disk: under that name a file is whole or
// absent. A path that is not a regular file (/dev/stdout, a pipe, /dev/full) is written directly, as CSV.
//
// Pictures are Figures: panels stacked above each other, made of lines, points, arrows, labels and images, drawn as
// .svg, .png or .pdf. They are legible without colour, and their letters are outlines, so they need no font to be
// installed and look the same everywhere.
package report

package main

import (
	"errors"
	"fmt"
	"strings"

	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"

	"github.com/spf13/pflag"
)

// picture registers the flags of verbs that draw.
func (f *flags) picture(set *pflag.FlagSet) {
	f.plot, f.plotStyle = experiment.Word{Form: "FILE"}, experiment.Word{Form: "STYLE"}
	add(set, experiment.Flag{Name: "plot", Value: &f.plot, Help: "picture to draw: .svg .png .pdf .html"})
	add(set, experiment.Flag{Name: "plot-style", Value: &f.plotStyle, Help: "its sizes, limits, letters " +
		"and colours: FILE.toml, KEY=VALUE,...; see popsim help pictures"})
}

// checkPicture refuses, before the work begins, a picture that could not be written, and reads its style.
func (f *flags) checkPicture(force bool) error {
	if f.plot.Value == "" {
		if f.plotStyle.Given {
			return misused(fault.Hint(errors.New("--plot-style is about a picture, but there is none"), "--plot FILE draws one"))
		}
		return nil
	}
	var err error
	if f.style, err = figure.ParseStyle(f.plotStyle.Value); err != nil {
		return misused(fault.Hint(fmt.Errorf("--plot-style: %w", err), "see popsim help pictures"))
	}
	if (f.style.Panels != nil || f.style.Order != "") && !f.panels {
		return misused(fault.Hint(errors.New("--plot-style: panels and order are about the picture of a run of neurons"),
			"leave them out"))
	}
	return misused(figure.CheckPicture(f.plot.Value, force))
}

// draw writes a picture in the style that was asked for.
func (v *call) draw(f *flags, picture *figure.Figure, force bool) error {
	return v.drawAt(f, f.plot.Value, picture, force)
}

// drawAt is draw into another file.
func (v *call) drawAt(f *flags, path string, picture *figure.Figure, force bool) error {
	picture.Style, picture.Source = f.style, "popsim "+strings.Join(v.args, " ")
	return picture.Save(path, force)
}

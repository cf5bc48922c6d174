package verb

import (
	"errors"
	"fmt"
	"strings"

	"popsim/cmd/popsim/internal/flagset"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"

	"github.com/spf13/pflag"
)

// Picture registers the flags of verbs that draw.
func (f *Flags) Picture(set *pflag.FlagSet) {
	f.Plot, f.plotStyle = experiment.Word{Form: "FILE"}, experiment.Word{Form: "STYLE"}
	flagset.Add(set, experiment.Flag{Name: "plot", Value: &f.Plot, Help: "picture to draw: .svg .png .pdf .html"})
	flagset.Add(set, experiment.Flag{Name: "plot-style", Value: &f.plotStyle, Help: "its sizes, limits, letters " +
		"and colours: FILE.toml, KEY=VALUE,...; see popsim help pictures"})
}

// CheckPicture refuses, before the work begins, a picture that could not be written, and reads its style.
func (f *Flags) CheckPicture(force bool) error {
	if f.Plot.Value == "" {
		if f.plotStyle.Given {
			return Misused(fault.Hint(errors.New("--plot-style is for a picture, but there is none"), "--plot FILE draws one"))
		}
		return nil
	}
	var err error
	if f.Style, err = figure.ParseStyle(f.plotStyle.Value); err != nil {
		return Misused(fault.Hint(fmt.Errorf("--plot-style: %w", err), "see popsim help pictures"))
	}
	if (f.Style.Panels != nil || f.Style.Order != "") && !f.Panels {
		return Misused(fault.Hint(errors.New("--plot-style: panels and order are about the picture of a run of neurons"),
			"leave them out"))
	}
	return Misused(figure.CheckPicture(f.Plot.Value, force))
}

// Draw writes a picture in the requested style.
func (v *Call) Draw(f *Flags, picture *figure.Figure, force bool) error {
	return v.DrawAt(f, f.Plot.Value, picture, force)
}

// DrawAt is draw into another file.
func (v *Call) DrawAt(f *Flags, path string, picture *figure.Figure, force bool) error {
	picture.Style, picture.Source = f.Style, "popsim "+strings.Join(v.Args, " ")
	return picture.Save(path, force)
}

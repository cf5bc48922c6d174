package main

import (
	"errors"
	"fmt"
	"strings"

	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// picture registers the flags of verbs that draw.
func (f *flags) picture(set *pflag.FlagSet) {
	f.plot, f.plotStyle = experiment.Word{Form: "FILE"}, experiment.Word{Form: "STYLE"}
	add(set, experiment.Flag{Name: "plot", Value: &f.plot, Help: "picture to draw: .svg .png .pdf .html"})
	add(set, experiment.Flag{Name: "plot-style", Value: &f.plotStyle, Help: "its sizes, limits, letters and colours: FILE.toml, KEY=VALUE,...; see popsim help pictures"})
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
	return misused(figure.CheckPicture(f.plot.Value, force))
}

// draw writes a picture in the style that was asked for.
func (v *call) draw(f *flags, picture *figure.Figure, force bool) error {
	picture.Style, picture.Source = f.style, "popsim "+strings.Join(v.args, " ")
	return picture.Save(f.plot.Value, force)
}

const picturesHelp = `--plot FILE draws a picture: .svg and .pdf for print, .png for a screen, or an .html page with the data in it, in
which one zooms, reads values and switches curves off, without a network. Text is text, which can be searched and edited;
letters that PDF's own encoding lacks, and italic ones, are outlines there. The command is kept in the file.

--plot-style STYLE sets how it looks: KEY=VALUE or FILE.toml with such keys, several divided by commas; what stands later
goes before what stands earlier.

  width=85mm          of the page; also cm, in, pt (default 160mm)
  height=50mm         of the axes of the largest panel; the others shrink alike
  font=8pt            numbers at the axes; labels and titles are larger (default 9pt)
  title=TEXT          in place of the usual one; title= leaves it out
  legend=PLACE        LEGENDS
  colours=MAP         of images: MAPS
  x=LO:HI y=LO:HI     ends of the axes; of several panels from above, divided by
                      semicolons: y=0:50;-80:40, an empty one as usual
  outlines=true       letters as outlines: the same look with no font installed

  popsim fi lif I=19:40:0.25 --plot fi.pdf --plot-style width=85mm,font=8,title=`

// picturesTopic is help on pictures.
func picturesTopic() *cobra.Command {
	text := strings.NewReplacer("LEGENDS", strings.Join(figure.Legends, ", "), "MAPS", strings.Join(figure.ColourMaps(), ", ")).
		Replace(picturesHelp)
	return &cobra.Command{Use: "pictures", Short: "How pictures are drawn, and their style", Long: text}
}

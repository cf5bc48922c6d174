package main

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// goldenPictures are commands whose pictures are in testdata/pictures/NAME.svg.
var goldenPictures = map[string]string{
	"fi":     "fi lif tau=5,10 I=15:30:5 --time 200ms",
	"phase":  "phase lif I=15",
	"run":    "run lif:slide I=21 --time 80ms",
	"states": "fi lif I=15:30:5 -m V --time 600ms",
}

// pictureTolerance is the largest difference of a coordinate from that of the golden picture, points: processors round
// differently.
const pictureTolerance = 0.11

// TestPictureGoldens: pictures agree with the golden ones in text and coordinates.
func TestPictureGoldens(t *testing.T) {
	for name, line := range goldenPictures {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.svg")
			popsim(t, exitDone, append(strings.Fields(line), "--quiet", "--plot", path)...)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, golden := normalPicture(string(data)), filepath.Join("testdata", "pictures", name+".svg")
			want, err := os.ReadFile(golden)
			if *update && (err != nil || samePicture(string(want), got) != "") {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := samePicture(string(want), got); diff != "" {
				t.Errorf("%s\ngo test ./cmd/popsim -run PictureGoldens -update writes it; look at the diff", diff)
			}
		})
	}
}

var (
	svgCommand = regexp.MustCompile(`<desc>.*?</desc>\n?`)
	coordinate = regexp.MustCompile(`-?\d+(?:\.\d+)?(?:e-?\d+)?`)
)

// normalPicture removes the command from an SVG and rounds coordinates to a tenth of a point.
func normalPicture(svg string) string {
	return coordinate.ReplaceAllStringFunc(svgCommand.ReplaceAllString(svg, ""), func(number string) string {
		x, err := strconv.ParseFloat(number, 64)
		if err != nil || !strings.ContainsAny(number, ".e") {
			return number
		}
		return strconv.FormatFloat(math.Round(10*x)/10, 'f', -1, 64)
	})
}

// samePicture returns the first difference between two normal pictures beyond pictureTolerance, "" if there is none.
func samePicture(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		numbersA, numbersB := coordinate.FindAllString(a[i], -1), coordinate.FindAllString(b[i], -1)
		same := coordinate.ReplaceAllString(a[i], "#") == coordinate.ReplaceAllString(b[i], "#") &&
			len(numbersA) == len(numbersB)
		for k := 0; same && k < len(numbersA); k++ {
			x, _ := strconv.ParseFloat(numbersA[k], 64)
			y, _ := strconv.ParseFloat(numbersB[k], 64)
			same = math.Abs(x-y) <= pictureTolerance
		}
		if !same {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i+1, b[i], a[i])
		}
	}
	if len(a) != len(b) {
		return fmt.Sprintf("%d lines, want %d", len(b), len(a))
	}
	return ""
}

// TestPictures: every verb draws in every format, and the file is complete and not blank.
func TestPictures(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, line := range []string{
		"run adex:naud-init-burst --time 100ms --plot a.svg",
		"run hh -n 3 I=uniform:5:10 --time 50ms --of 0,2 --plot b.png",
		"run lif I=5 --time 20ms --plot silent.pdf",
		"map lif tau=5:20/4 I=15:30/5 --time 200ms --plot e.png",
		"map adex:tb08 V_reset=-49:-48:0.5 -m isi --time 600ms --plot f.pdf",
		"phase rhh I=5 --plot g.svg",
	} {
		args := strings.Fields(line)
		popsim(t, exitDone, append(args, "--quiet")...)
		data, err := os.ReadFile(args[len(args)-1])
		if err != nil {
			t.Fatal(err)
		}
		if err := checkPicture(filepath.Ext(args[len(args)-1]), data); err != nil {
			t.Errorf("popsim %s: %v", line, err)
		}
	}
}

// checkPicture returns an error if a picture is not complete or shows nothing.
func checkPicture(ending string, data []byte) error {
	switch ending {
	case ".svg":
		if !bytes.HasSuffix(bytes.TrimSpace(data), []byte("</svg>")) || bytes.Count(data, []byte("<text")) < 5 {
			return fmt.Errorf("not a whole SVG with labels: %.80q", data)
		}
	case ".pdf":
		if !bytes.HasPrefix(data, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(data), []byte("%%EOF")) {
			return fmt.Errorf("not a whole PDF: %.80q", data)
		}
	case ".png":
		image, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			return err
		}
		colours := map[color.Color]bool{}
		for y := range image.Bounds().Dy() {
			for x := range image.Bounds().Dx() {
				colours[image.At(x, y)] = true
			}
		}
		if len(colours) < 3 {
			return fmt.Errorf("a PNG of %d colours", len(colours))
		}
	}
	return nil
}

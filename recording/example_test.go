package recording_test

import (
	"context"
	"fmt"
	"os"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
	"popsim/recording"
	"popsim/table/file"
)

// The spikes of two neurons, written to a table while they run.
func ExampleAttach() {
	out := file.NewCSV(os.Stdout)
	defer out.Abort()
	spikes := recording.NewSpikes(out)
	cfg := pop.Config{Workers: 1}
	recording.Attach(&cfg, spikes)
	spec := pop.Spec{Model: model.LIFModel, N: 2, I: kernels.Values{30, 60}}
	_, err := pop.Run(context.Background(), spec, cfg, 15)
	if err == nil {
		err = recording.Close(spikes)
	}
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// neuron,time_ms
	// 1,4.054651081081645
	// 1,9.109302162163289
	// 0,10.986122886681109
	// 1,14.163953243244933
}

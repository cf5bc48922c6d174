// Package sweep runs one neuron at each point of a grid of parameters: f-I curves, bifurcation maps, tables over any
// parameters.
//
// A grid is spanned by axes. Each of its points is simulated in one lane of a shard, with parameters of its own, by the
// same kernels as a population. A lane is retired before the end of its run when the rest of the run is known: when the
// neuron is at a stable equilibrium, or its train of spikes repeats itself. Its results are those that the whole run
// would give. The next point of the queue then takes the lane. Lanes are independent of each other, and whether one is
// retired is decided at fixed model times of its run; so results are the same bits for any number of workers, any cut
// into parts, and after a resume.
//
// Times are ms, rates Hz, voltages mV; currents are in the unit of the model.
package sweep

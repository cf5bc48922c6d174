// Package sweep answers the same question for many neurons at once: f-I curves, bifurcation maps, tables over any
// parameters.
//
// A grid is spanned by axes. Each of its points is a lane of a shard, whose parameters differ from lane to lane, so
// that a sweep moves through the same kernels as a population. What is decided ends: a lane at a rest that it cannot
// leave, or whose train of spikes repeats itself, is retired, and the next point of the queue takes its place. What is
// told of it is what the whole run would have given. Lanes do not hear of each other, and decisions fall at fixed model
// times of the lane; so results are the same bits for any number of workers, any cut into parts, and after a resume.
//
// Times are ms, rates Hz, voltages mV; currents are in the unit of the model.
package sweep

// Package dynamics analyses neuron models as dynamical systems: their equilibria and cycles, and the bifurcations
// between them.
//
// A model with constant input is a vector field. Its equilibria lie on the steady current-voltage relation, a function
// of V alone; they appear and vanish in pairs at folds, and lose stability there or at Hopf points, where a cycle is
// born. Cycles are followed by collocation, which integrates in neither direction of time and therefore is accurate on
// the canards of the reduced Hodgkin-Huxley model, where deviations grow a millionfold within a period. Because some
// cycles do not arise from an equilibrium, cycles are also searched for by simulation and, in planar models, by return
// maps. The integrate-and-fire models are reset at a spike; the flow between two spikes maps their adaptation after one
// reset to that after the next, and the orbits of this map are the firing patterns.
//
// Models are defined in package model; this package uses their Deriv, Jacobian and Steady. Times are ms, voltages mV,
// currents the model's own unit.
package dynamics

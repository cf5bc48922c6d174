// Package noise draws the noise of neurons: white noise on V, with the crossings of a threshold between the ends of a
// step, and Ornstein-Uhlenbeck currents. Everything is a pure function of a stream of random numbers, the number of the
// neuron and that of the step, made of correctly rounded operations.
//
// White noise of models that reset is sigma in tau dV = ... + sigma sqrt(tau) dW, mV: V without a threshold has the
// variance sigma²/2. Of models that cross it is sigma in C dV = ... + sigma dW.
package noise

/**
 * Figures and calls of Levee in Micrometer: {@link dev.levee.micrometer.LeveeMeters} makes meters of everything that is
 * {@link dev.levee.core.Measured}, {@link dev.levee.micrometer.ObservedCalls} makes an observation of each call.
 */
@NullMarked
package dev.levee.micrometer;

import org.jspecify.annotations.NullMarked;

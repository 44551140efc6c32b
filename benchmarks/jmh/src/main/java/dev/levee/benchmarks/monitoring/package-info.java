/** The questions about calls that are counted and timed. */
@NullMarked
package dev.levee.benchmarks.monitoring;

import org.jspecify.annotations.NullMarked;

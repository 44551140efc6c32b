/** Rate limits, keyed limits and adaptive concurrency. */
@NullMarked
package dev.levee.ratelimit;

import org.jspecify.annotations.NullMarked;

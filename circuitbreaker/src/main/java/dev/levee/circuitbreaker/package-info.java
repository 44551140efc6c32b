/** A circuit breaker that costs a few nanoseconds and no allocation while it is closed. */
@NullMarked
package dev.levee.circuitbreaker;

import org.jspecify.annotations.NullMarked;

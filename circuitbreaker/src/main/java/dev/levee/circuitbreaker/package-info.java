/** A circuit breaker that costs nothing while it is closed. */
@NullMarked
package dev.levee.circuitbreaker;

import org.jspecify.annotations.NullMarked;

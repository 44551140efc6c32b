/** Bounds on work in flight that find themselves: adaptive limits, shedding by importance, throttling at the client. */
@NullMarked
package dev.levee.ratelimit.concurrency;

import org.jspecify.annotations.NullMarked;

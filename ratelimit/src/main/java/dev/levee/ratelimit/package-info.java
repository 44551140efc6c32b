/** Rate limiters: one limit for all calls, or one for each key. */
@NullMarked
package dev.levee.ratelimit;

import org.jspecify.annotations.NullMarked;

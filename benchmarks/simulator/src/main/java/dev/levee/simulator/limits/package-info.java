/** What each kind of rate limit does with the same calls. */
@NullMarked
package dev.levee.simulator.limits;

import org.jspecify.annotations.NullMarked;

/** Small helpers that Levee's own modules share; not exported to anybody else, and free to change. */
@NullMarked
package dev.levee.core.internal;

import org.jspecify.annotations.NullMarked;

/** Time that tests drive by hand; needs no test framework. */
@NullMarked
package dev.levee.core.testing;

import org.jspecify.annotations.NullMarked;

/** Cache strategies around a store. */
@NullMarked
package dev.levee.cache;

import org.jspecify.annotations.NullMarked;

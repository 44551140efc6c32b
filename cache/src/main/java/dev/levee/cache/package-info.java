/** Caches in front of a store; start with {@link dev.levee.cache.Cache}. */
@NullMarked
package dev.levee.cache;

import org.jspecify.annotations.NullMarked;

/**
 * Spring's cache abstraction ({@code @Cacheable} and its siblings) on the caches of Levee: start with
 * {@link dev.levee.springcache.LeveeCacheManager}.
 *
 * <p>Provisional: this module grows in later versions.
 */
@NullMarked
package dev.levee.springcache;

import org.jspecify.annotations.NullMarked;

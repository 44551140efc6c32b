/**
 * The caches of Levee behind the interfaces of JSR 107 ({@code javax.cache}): start with
 * {@link dev.levee.jcache.LeveeCachingProvider}.
 *
 * <p>Provisional: this module grows in later versions.
 */
@NullMarked
package dev.levee.jcache;

import org.jspecify.annotations.NullMarked;

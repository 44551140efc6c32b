/** Redis and PostgreSQL: programs that are not Java, each kept by a process of ours that ends with the launcher. */
@NullMarked
package dev.levee.examples.shortlink.engines;

import org.jspecify.annotations.NullMarked;

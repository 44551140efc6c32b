/**
 * Redis and PostgreSQL: programs that are not Java, each kept by a process of ours that ends with the launcher. See ADR
 * 166.
 */
@NullMarked
package dev.levee.examples.shortlink.engines;

import org.jspecify.annotations.NullMarked;

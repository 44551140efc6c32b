/** The processes that make a shortlink cluster, and how they are started, heard and stopped. */
@NullMarked
package dev.levee.examples.shortlink.cluster;

import org.jspecify.annotations.NullMarked;

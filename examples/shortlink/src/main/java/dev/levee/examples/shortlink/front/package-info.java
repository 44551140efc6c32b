/** The front: passes each request on to one of the nodes. */
@NullMarked
package dev.levee.examples.shortlink.front;

import org.jspecify.annotations.NullMarked;

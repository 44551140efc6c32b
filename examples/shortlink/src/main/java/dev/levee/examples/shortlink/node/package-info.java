/** An application node: shortens and resolves, and keeps nothing that another node could not know. */
@NullMarked
package dev.levee.examples.shortlink.node;

import org.jspecify.annotations.NullMarked;

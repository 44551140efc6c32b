/** What Micrometer's context-propagation knows of, for Levee: {@link dev.levee.contextpropagation.PropagatedContext}. */
@NullMarked
package dev.levee.contextpropagation;

import org.jspecify.annotations.NullMarked;

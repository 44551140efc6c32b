/** What Micrometer's context-propagation knows of: {@link dev.levee.contextpropagation.PropagatedContext}. */
@NullMarked
package dev.levee.contextpropagation;

import org.jspecify.annotations.NullMarked;

/**
 * Helpers that the modules of Levee share, as those of {@code dev.levee.core.internal}, and that know the environment
 * and the context of calls. {@code dev.levee.core} uses none of them. See ADR 10.
 */
@NullMarked
package dev.levee.core.internal.parts;

import org.jspecify.annotations.NullMarked;

/**
 * Small helpers that the modules of Levee share. They are exported to these modules only, and may change at any time.
 * See ADR 10.
 *
 * <p>Arguments and units: {@link dev.levee.core.internal.Require}, {@link dev.levee.core.internal.Nanos},
 * {@link dev.levee.core.internal.Text}.
 *
 * <p>Calls: {@link dev.levee.core.internal.CallState}, {@link dev.levee.core.internal.Timers},
 * {@link dev.levee.core.internal.Interrupts}, {@link dev.levee.core.internal.Unchecked}.
 *
 * <p>Concurrency: {@link dev.levee.core.internal.Handles}, {@link dev.levee.core.internal.HandedTask},
 * {@link dev.levee.core.internal.OneAtATime}, {@link dev.levee.core.internal.PaddedLong},
 * {@link dev.levee.core.internal.StripedSequence}.
 *
 * <p>Paths that must go on: {@link dev.levee.core.internal.SafeLog}, {@link dev.levee.core.internal.StackRoom}.
 *
 * <p>This package uses nothing of {@code dev.levee.core}, which uses it. What the modules share and knows environments
 * or calls is in {@code dev.levee.core.internal.parts}.
 */
@NullMarked
package dev.levee.core.internal;

import org.jspecify.annotations.NullMarked;

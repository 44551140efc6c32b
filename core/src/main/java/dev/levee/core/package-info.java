/**
 * The vocabulary of Levee: an {@link dev.levee.core.Operation} runs under a {@link dev.levee.core.Policy}; a
 * {@link dev.levee.core.Gate} admits and learns, an {@link dev.levee.core.Around} repeats, delays or replaces, a
 * {@link dev.levee.core.Pipeline} puts several of them in the order in which they are read.
 *
 * <p><b>To guard calls:</b> {@link dev.levee.core.Policy}, {@link dev.levee.core.Pipeline},
 * {@link dev.levee.core.Operation}, {@link dev.levee.core.InterruptibleOperation}, {@link dev.levee.core.Action},
 * {@link dev.levee.core.Keyed}, {@link dev.levee.core.KeyPatterns}.
 *
 * <p><b>To say what counts, and to see what happens:</b> {@link dev.levee.core.OutcomeRule},
 * {@link dev.levee.core.Verdict}, {@link dev.levee.core.RefusedException},
 * {@link dev.levee.core.DeadlineExpiredException}, {@link dev.levee.core.InterruptedWaitException},
 * {@link dev.levee.core.Listener}, {@link dev.levee.core.Measured}.
 *
 * <p><b>Time, and what travels with a call:</b> {@link dev.levee.core.Environment}, {@link dev.levee.core.NanoClock},
 * {@link dev.levee.core.Scheduler}, {@link dev.levee.core.Deadline}, {@link dev.levee.core.CallContext}.
 *
 * <p><b>To write a policy:</b> {@link dev.levee.core.Gate}, {@link dev.levee.core.WaitingGate},
 * {@link dev.levee.core.Around}, {@link dev.levee.core.Inner}, {@link dev.levee.core.CallFuture},
 * {@link dev.levee.core.Outcomes}.
 */
@NullMarked
package dev.levee.core;

import org.jspecify.annotations.NullMarked;

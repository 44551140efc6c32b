/**
 * The policies that need nothing but core: retry, timeout, hedge, fallback, bulkhead and fault injection.
 *
 * <p>Each policy is an interface with static factories, a config with its settings, and a hidden implementation; the
 * names of hidden types begin with the topic or say what one call is:
 *
 * <ul>
 *   <li>Retry: {@code BackoffRetry}, {@code RetrySequence} (where a call decides to stop), {@code AsyncRetry},
 *       {@code CreditBudget}, {@code ShapedBackoff}.
 *   <li>Timeout: {@code InterruptingTimeout}, {@code ExecutorTimeout}, {@code TimeoutFuture}, {@code InterruptOnce}.
 *   <li>Hedge: {@code RacingHedge}, {@code HedgedCall} with {@code HedgeState}, {@code LatencyWindow}.
 *   <li>Fallback: {@code SubstitutingFallback}, {@code AsyncFallback}.
 *   <li>Bulkhead: {@code StripedBulkhead} with {@code StripedPermits}.
 *   <li>Faults: {@code DefaultFaults}, {@code FaultSession}, {@code DelayedCall}.
 * </ul>
 */
@NullMarked
package dev.levee.core.policy;

import org.jspecify.annotations.NullMarked;

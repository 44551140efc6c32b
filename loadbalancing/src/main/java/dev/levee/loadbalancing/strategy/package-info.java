/**
 * Balancing strategies: how one of several endpoints is picked.
 *
 * <p>{@link dev.levee.loadbalancing.strategy.BalancingStrategy} has a factory for each strategy of the library and is
 * the interface of a strategy of your own. {@link dev.levee.loadbalancing.strategy.Candidates} is the set that it picks
 * from, and a {@link dev.levee.loadbalancing.strategy.LoadTracker} what it learns about one endpoint.
 *
 * <p>The implementations are named by one rule: {@code XStrategy} is the strategy; {@code XOfBalancer} is what it
 * becomes for one balancer, if it has state there; {@code XPicker} picks from one set. The packages are those of ADR
 * 56.
 */
@NullMarked
package dev.levee.loadbalancing.strategy;

import org.jspecify.annotations.NullMarked;

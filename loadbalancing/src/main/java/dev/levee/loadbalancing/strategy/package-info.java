/**
 * Balancing strategies: how one of several endpoints is picked.
 *
 * <p>{@link dev.levee.loadbalancing.strategy.BalancingStrategy} has a factory for each strategy of the library and is the
 * interface of a strategy of your own. {@link dev.levee.loadbalancing.strategy.Candidates} is the set that it picks from, and a
 * {@link dev.levee.loadbalancing.strategy.LoadTracker} what it learns about one endpoint.
 */
@NullMarked
package dev.levee.loadbalancing.strategy;

import org.jspecify.annotations.NullMarked;

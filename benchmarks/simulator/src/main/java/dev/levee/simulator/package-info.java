/**
 * The engine: time that passes by events, servers, clients, arrivals, and what is recorded. One thread, no waiting, the
 * same result for the same seed.
 *
 * <p>Start with {@link World}; then {@link Server} and {@link Call}; then {@link Client}. The balancers, breakers,
 * retries and budgets are those that ship: they get their time, their timers and their randomness from
 * {@link World#environment}. See ADR 53.
 */
@NullMarked
package dev.levee.simulator;

import org.jspecify.annotations.NullMarked;

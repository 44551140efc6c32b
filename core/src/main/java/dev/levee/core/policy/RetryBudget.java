package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;

/**
 * Bounds how many extra attempts retries and hedges may add, so that they cannot turn a small outage into a large one.
 *
 * <p>Over any span extra attempts are at most {@code ratio x first attempts + minPerSecond x seconds + reserve}. Each
 * first attempt pays a share of an attempt into a credit, each extra attempt takes a whole one out (or what it costs),
 * and the credit is capped, so an hour of quiet does not buy an hour's worth of retries. So that a service with little
 * traffic can retry at all, the credit starts full and grows by a minimum rate whatever the traffic.
 *
 * <p>Every {@link Retry} has one of its own by default. Share one between the retries and hedges in front of the same
 * dependency, to bound what they add together. Unlike a rate limit it scales with the traffic; unlike a breaker it
 * never stops a first attempt.
 *
 * <p>Thread-safe; never blocks, allocates nothing. A full credit costs a first attempt one read and no clock. It counts
 * in thousandths of an attempt and in milliseconds.
 *
 * <p>After the retry budget of Finagle (Twitter, 2014), the throttle of gRPC (proposal A6, 2017) and the retry quota of
 * the AWS SDKs.
 *
 * <p>Metrics: {@code budget.credit} (extra attempts that could start now), {@code budget.withdrawn} (extra attempts
 * that were let through), {@code budget.refused} (extra attempts that were not).
 *
 * @since 0.1
 */
public interface RetryBudget extends Measured {
    /**
     * Returns the name for metrics.
     *
     * @return the name that it was built with
     */
    String name();

    /** Pays for the first attempt of a call, whatever its outcome will be. */
    void onFirstAttempt();

    /**
     * Takes an extra attempt out of the credit.
     *
     * @return whether it may start; if not, nothing was taken
     */
    default boolean tryWithdraw() {
        return tryWithdraw(1);
    }

    /**
     * Takes an extra attempt out of the credit, at a cost of its own.
     *
     * @param cost in attempts, more than zero; rounded up to thousandths
     * @return whether it may start; if not, nothing was taken
     * @throws IllegalArgumentException if the cost is zero, negative or not a number
     */
    boolean tryWithdraw(double cost);

    /**
     * Makes the budget that every retry has by default, of 20 % of the first attempts and 10 per second, in
     * {@link Environment#system()}.
     *
     * @param name for metrics
     * @return the budget, with a reserve of 100
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static RetryBudget of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes the budget that every retry has by default, of 20 % of the first attempts and 10 per second.
     *
     * @param name for metrics
     * @param environment supplies the time
     * @return the budget, with a reserve of 100
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static RetryBudget of(String name, Environment environment) {
        return of(name, CreditBudget.DEFAULT_RATIO, CreditBudget.DEFAULT_PER_SECOND, environment);
    }

    /**
     * Makes a budget in {@link Environment#system()}.
     *
     * @param name for metrics
     * @param ratio extra attempts per first attempt, from 0 to 1
     * @param minPerSecond extra attempts per second whatever the traffic, from 0 to 1600
     * @return the budget; its reserve is what the minimum rate gives in ten seconds, and at least 10
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a number is out of its range
     */
    static RetryBudget of(String name, double ratio, double minPerSecond) {
        return of(name, ratio, minPerSecond, Environment.system());
    }

    /**
     * Makes a budget.
     *
     * @param name for metrics
     * @param ratio extra attempts per first attempt, from 0 to 1
     * @param minPerSecond extra attempts per second whatever the traffic, from 0 to 1600
     * @param environment supplies the time
     * @return the budget; its reserve is what the minimum rate gives in ten seconds, and at least 10
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a number is out of its range
     */
    static RetryBudget of(String name, double ratio, double minPerSecond, Environment environment) {
        CreditBudget.requireRate(minPerSecond);
        return of(name, ratio, minPerSecond, (int) Math.max(10, Math.ceil(10 * minPerSecond)), environment);
    }

    /**
     * Makes a budget with a reserve of your choice, in {@link Environment#system()}.
     *
     * @param name for metrics
     * @param ratio extra attempts per first attempt, from 0 to 1
     * @param minPerSecond extra attempts per second whatever the traffic, from 0 to 1600
     * @param reserve how many extra attempts the credit holds when it is full, as it is at first; from 1 to 16000
     * @return the budget
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a number is out of its range
     */
    static RetryBudget of(String name, double ratio, double minPerSecond, int reserve) {
        return of(name, ratio, minPerSecond, reserve, Environment.system());
    }

    /**
     * Makes a budget with a reserve of your choice.
     *
     * @param name for metrics
     * @param ratio extra attempts per first attempt, from 0 to 1
     * @param minPerSecond extra attempts per second whatever the traffic, from 0 to 1600
     * @param reserve how many extra attempts the credit holds when it is full, as it is at first; from 1 to 16000
     * @param environment supplies the time
     * @return the budget
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a number is out of its range
     */
    static RetryBudget of(String name, double ratio, double minPerSecond, int reserve, Environment environment) {
        return new CreditBudget(name, ratio, minPerSecond, reserve, environment);
    }

    /**
     * Returns a budget that refuses nothing: for a single task that must not end, such as a reconnect, and nothing that
     * has traffic.
     *
     * @return always the same budget, without metrics
     */
    static RetryBudget unlimited() {
        return UnlimitedBudget.INSTANCE;
    }
}

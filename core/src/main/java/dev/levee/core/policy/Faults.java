package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * Makes calls slow, fail, answer wrongly or hang on purpose, so that an outage can be rehearsed before it happens.
 *
 * <p>Put it innermost in a pipeline, in the place of the dependency: everything around it then shows what it does in an
 * outage. For tests and staging; in production only with {@link #switchOn(Duration)} and for keys that are of no
 * importance.
 *
 * <pre>{@code
 * Faults outage = Faults.of("payments-outage",
 *     Fault.latency(ofMillis(300)).rate(0.2),
 *     Fault.failure(() -> new IOException("rehearsed")).rate(0.05));
 * Policy guard = Pipeline.of(Retry.of("payments"), CircuitBreaker.of("payments"), outage);
 * outage.switchOn(ofMinutes(10));                                                // off until now
 * }</pre>
 *
 * <p><b>Off</b> until it is switched on, which logs one warning; while it is off a call costs one read.
 * {@link #switchOff} is the kill switch: it takes effect at once, also for calls that are delayed or hang, which then
 * run their operation. Faults are asked in the order given: latencies add up, the first of the others that hits
 * decides.
 *
 * <p>Which calls are hit is drawn from the seed by the number of the call (SplitMix64: Steele, Lea and Flood, "Fast
 * Splittable Pseudorandom Number Generators", 2014), anew with each switching on, so a rehearsal with calls in the same
 * order repeats itself.
 *
 * <p>An interrupt ends a wait: with {@code InterruptedException} in {@code callInterruptibly}, otherwise with a
 * {@code CancellationException} and the flag set. Asynchronous calls hold no thread while they wait, and continue on
 * the environment's executor; a cancel ends the wait. Thread-safe.
 *
 * <p>Events: {@code onStateChange} between {@code OFF} and {@code ON}. Metrics: {@code faults.on} (1 or 0),
 * {@code faults.latency}, {@code faults.failure}, {@code faults.result} and {@code faults.hang} (calls hit so far),
 * {@code faults.waiting} (calls held at present).
 *
 * @see <a href="https://doi.org/10.1145/2660193.2660195">Fast Splittable Pseudorandom Number Generators</a>
 * @since 0.1
 */
public interface Faults extends Around, Measured {
    /**
     * Makes faults, switched off, in {@link Environment#system()}.
     *
     * @param name for logs and metrics
     * @param faults asked in this order
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Faults of(String name, Fault... faults) {
        return of(name, Environment.system(), faults);
    }

    /**
     * Makes faults, switched off.
     *
     * @param name for logs and metrics
     * @param environment supplies time, timers and threads
     * @param faults asked in this order
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Faults of(String name, Environment environment, Fault... faults) {
        return of(name, 0, environment, faults);
    }

    /**
     * Makes faults, switched off, with a seed of your choice.
     *
     * @param name for logs and metrics
     * @param seed decides which calls are hit
     * @param environment supplies time, timers and threads
     * @param faults asked in this order
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Faults of(String name, long seed, Environment environment, Fault... faults) {
        for (Fault fault : Require.nonNull("faults", faults)) {
            Require.nonNull("fault", fault);
        }
        return new DefaultFaults(name, seed, environment, faults.clone());
    }

    /** Switches on until {@link #switchOff}; schedules begin anew. Logs a warning. */
    void switchOn();

    /**
     * Switches on for a while; schedules begin anew. Logs a warning.
     *
     * @param atMost after this time it is off again by itself; more than zero
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is zero or negative
     */
    void switchOn(Duration atMost);

    /**
     * Switches off, at once: no call is hit any more, and those that wait run their operation. Does nothing if it is
     * off.
     */
    void switchOff();

    /**
     * Returns whether calls may be hit.
     *
     * @return false until switched on
     */
    boolean isOn();

    @Override
    default Kind kind() {
        return Kind.FAULTS;
    }
}

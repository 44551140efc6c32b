package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A failure on purpose: what goes wrong, which calls it hits, and when. Immutable; given to {@link Faults#of}.
 *
 * <pre>{@code
 * Fault.latency(ofMillis(300)).rate(0.1)                                      // one call in ten is slower
 * Fault.failure(() -> new IOException("rehearsed")).forKeys(Tenant::current, "acme"::equals)
 * Fault.hang().every(ofMinutes(5), ofSeconds(20))                             // a hiccup of 20 s, every 5 min
 * }</pre>
 *
 * <p>By itself it hits every call as long as the faults are switched on; each of {@link #rate}, {@link #forKeys},
 * {@link #during} and {@link #every} narrows it down.
 *
 * @since 0.1
 */
public final class Fault {
    /** What happens. */
    enum Effect {
        LATENCY,
        FAILURE,
        RESULT,
        HANG;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What happens to a call that is hit; a latency has bounds, an answer has a source. */
    private record Injection(
            Effect effect, long minNanos, long maxNanos, Supplier<? extends @Nullable Object> source) {}

    /** When calls are hit: a span after switching on, and a part of each period in it. */
    private record Schedule(long fromNanos, long lengthNanos, long periodNanos, long partNanos) {
        static final Schedule ALWAYS = new Schedule(0, Nanos.NEVER, Nanos.NEVER, Nanos.NEVER);

        boolean isDue(long sinceOnNanos) {
            long since = sinceOnNanos - fromNanos;
            boolean forEver = lengthNanos == Nanos.NEVER;
            return since >= 0
                    && (forEver || since < lengthNanos)
                    && (periodNanos == Nanos.NEVER || since % periodNanos < partNanos);
        }
    }

    private final Injection injection;
    private final double rate;
    private final Supplier<Boolean> keys;
    private final Schedule schedule;

    private Fault(Injection injection, double rate, Supplier<Boolean> keys, Schedule schedule) {
        this.injection = injection;
        this.rate = rate;
        this.keys = keys;
        this.schedule = schedule;
    }

    private static Fault of(Effect effect, long minNanos, long maxNanos, Supplier<? extends @Nullable Object> source) {
        return new Fault(new Injection(effect, minNanos, maxNanos, source), 1, () -> true, Schedule.ALWAYS);
    }

    Effect effect() {
        return injection.effect();
    }

    /** Returns the delay of a latency, for a number from 0 to 1 that has been drawn. */
    long delayNanos(double drawn) {
        return injection.minNanos() + (long) (drawn * (injection.maxNanos() - injection.minNanos()));
    }

    /** Makes the failure or the result. */
    @Nullable Object answer() {
        return injection.source().get();
    }

    /**
     * Makes a fault that delays calls. If the deadline of a call passes first it ends with {@link TimedOutException},
     * and its operation is not run.
     *
     * @param delay how long, more than zero
     * @return the fault
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is zero or negative
     */
    public static Fault latency(Duration delay) {
        return latency(delay, delay);
    }

    /**
     * Makes a fault that delays calls by a time that is evenly drawn; a deadline is kept as by
     * {@link #latency(Duration)}.
     *
     * @param min the shortest delay, more than zero
     * @param max the longest delay, at least {@code min}
     * @return the fault
     * @throws NullPointerException if one is null
     * @throws IllegalArgumentException if one is out of its range
     */
    public static Fault latency(Duration min, Duration max) {
        Require.positive("min", min);
        if (Require.nonNull("max", max).compareTo(min) < 0) {
            throw new IllegalArgumentException(
                    "max must be at least min " + Nanos.text(min) + ", but was " + Nanos.text(max));
        }
        return of(Effect.LATENCY, Nanos.of(min), Nanos.of(max), () -> null);
    }

    /**
     * Makes a fault that lets calls fail; their operation is not run.
     *
     * @param failure makes what is thrown; it must be something that the operation may throw, which the compiler cannot
     *     check
     * @return the fault
     * @throws NullPointerException if it is null
     */
    public static Fault failure(Supplier<? extends Throwable> failure) {
        return of(Effect.FAILURE, 0, 0, Require.nonNull("failure", failure));
    }

    /**
     * Makes a fault that answers calls; their operation is not run.
     *
     * @param result makes the answer, which may be null; it must fit the call, which the compiler cannot check
     * @return the fault
     * @throws NullPointerException if it is null
     */
    public static Fault result(Supplier<? extends @Nullable Object> result) {
        return of(Effect.RESULT, 0, 0, Require.nonNull("result", result));
    }

    /**
     * Makes a fault that lets calls hang: until they are interrupted or cancelled, their deadline has passed
     * ({@link TimedOutException}), or the faults are switched off; then the operation runs after all.
     *
     * @return the fault
     */
    public static Fault hang() {
        return of(Effect.HANG, 0, 0, () -> null);
    }

    /**
     * Returns this fault for a share of the calls, drawn for each call.
     *
     * @param share more than 0, at most 1
     * @return the narrower fault
     * @throws IllegalArgumentException if it is out of its range
     */
    public Fault rate(double share) {
        Require.ratio("rate", share);
        return new Fault(injection, share, keys, schedule);
    }

    /**
     * Returns this fault for the calls of some keys: a tenant, a host, a user.
     *
     * @param key returns the key of the current call, on the thread that makes it: out of a thread-local or a logging
     *     context, say; if it throws, the call is not hit
     * @param chosen which keys are hit
     * @param <K> the type of the keys
     * @return the narrower fault
     * @throws NullPointerException if an argument is null
     */
    public <K extends @Nullable Object> Fault forKeys(Supplier<? extends K> key, Predicate<? super K> chosen) {
        Require.nonNull("key", key);
        Require.nonNull("chosen", chosen);
        Supplier<Boolean> both = () -> keys.get() && chosen.test(key.get());
        return new Fault(injection, rate, both, schedule);
    }

    /**
     * Returns this fault for one span of time.
     *
     * @param from when the span begins, after switching on; zero or more
     * @param length how long it lasts, more than zero
     * @return the narrower fault
     * @throws NullPointerException if one is null
     * @throws IllegalArgumentException if one is out of its range
     */
    public Fault during(Duration from, Duration length) {
        long begin = Nanos.of(Require.notNegative("from", from));
        long span = Nanos.of(Require.positive("length", length));
        return new Fault(
                injection, rate, keys, new Schedule(begin, span, schedule.periodNanos(), schedule.partNanos()));
    }

    /**
     * Returns this fault for the beginning of each period. The first period begins with switching on; with
     * {@link #during} it begins with the span, and no period begins after it.
     *
     * @param period from one beginning to the next, more than zero
     * @param length how much of each period, more than zero, at most the period
     * @return the narrower fault
     * @throws NullPointerException if one is null
     * @throws IllegalArgumentException if one is out of its range
     */
    public Fault every(Duration period, Duration length) {
        long span = Nanos.of(Require.positive("period", period));
        long part = Nanos.of(Require.positive("length", length));
        if (part > span) {
            throw new IllegalArgumentException(
                    "length must be at most period " + Nanos.text(period) + ", but was " + Nanos.text(length));
        }
        return new Fault(injection, rate, keys, new Schedule(schedule.fromNanos(), schedule.lengthNanos(), span, part));
    }

    /** Whether it hits a call, for which a number from 0 to 1 has been drawn. */
    boolean hits(double drawn, long sinceOnNanos) {
        return drawn < rate && schedule.isDue(sinceOnNanos) && keys.get();
    }

    @Override
    public String toString() {
        return injection.effect().label() + " at rate " + rate;
    }
}

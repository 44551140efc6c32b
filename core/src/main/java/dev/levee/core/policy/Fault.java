package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Something that goes wrong on purpose, which calls it hits, and when. Immutable; given to {@link Faults#of}.
 *
 * <pre>{@code
 * Fault.latency(ofMillis(300)).rate(0.1)                                      // one call in ten is slower
 * Fault.failure(() -> new IOException("rehearsed")).forKeys(Tenant::current, "acme"::equals)
 * Fault.hang().every(ofMinutes(5), ofSeconds(20))                             // a hiccup of 20 s, every 5 min
 * }</pre>
 *
 * <p>Without more it hits every call as long as the faults are switched on; each of {@link #rate}, {@link #forKeys}, {@link #during} and
 * {@link #every} narrows it down.
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

    final Effect effect;
    final long minNanos;
    final long maxNanos;
    final Supplier<? extends @Nullable Object> source;
    private final double rate;
    private final Supplier<Boolean> keys;
    private final long fromNanos;
    private final long lengthNanos;
    private final long periodNanos;
    private final long partNanos;

    private Fault(
            Effect effect,
            long minNanos,
            long maxNanos,
            Supplier<? extends @Nullable Object> source,
            double rate,
            Supplier<Boolean> keys,
            long fromNanos,
            long lengthNanos,
            long periodNanos,
            long partNanos) {
        this.effect = effect;
        this.minNanos = minNanos;
        this.maxNanos = maxNanos;
        this.source = source;
        this.rate = rate;
        this.keys = keys;
        this.fromNanos = fromNanos;
        this.lengthNanos = lengthNanos;
        this.periodNanos = periodNanos;
        this.partNanos = partNanos;
    }

    private static Fault of(Effect effect, long shortest, long longest, Supplier<? extends @Nullable Object> source) {
        return new Fault(effect, shortest, longest, source, 1, () -> true, 0, Nanos.NEVER, Nanos.NEVER, Nanos.NEVER);
    }

    /**
     * The call begins later; if its deadline passes first it ends with {@link TimedOutException}, and its operation is not run.
     *
     * @param delay how much, more than zero
     * @return the fault
     * @throws IllegalArgumentException if it is zero or negative
     */
    public static Fault latency(Duration delay) {
        return latency(delay, delay);
    }

    /**
     * The call begins later, by a time that is evenly drawn; a deadline is kept as by {@link #latency(Duration)}.
     *
     * @param shortest how much at least, more than zero
     * @param longest how much at most
     * @return the fault
     * @throws IllegalArgumentException if one is out of its range
     */
    public static Fault latency(Duration shortest, Duration longest) {
        Require.positive("shortest", shortest);
        if (Require.nonNull("longest", longest).compareTo(shortest) < 0) {
            throw new IllegalArgumentException(
                    "longest must be at least shortest " + shortest + ", but was " + longest);
        }
        return of(Effect.LATENCY, Nanos.of(shortest), Nanos.of(longest), () -> null);
    }

    /**
     * The call fails and its operation is not run.
     *
     * @param failure makes what is thrown; it must be something that the operation may throw, which the compiler cannot check
     * @return the fault
     */
    public static Fault failure(Supplier<? extends Throwable> failure) {
        return of(Effect.FAILURE, 0, 0, Require.nonNull("failure", failure));
    }

    /**
     * The call is answered and its operation is not run.
     *
     * @param result makes the answer, which may be null; it must fit the call, which the compiler cannot check
     * @return the fault
     */
    public static Fault result(Supplier<? extends @Nullable Object> result) {
        return of(Effect.RESULT, 0, 0, Require.nonNull("result", result));
    }

    /**
     * The call waits until it is interrupted or cancelled, its deadline has passed ({@link TimedOutException}), or the faults are switched
     * off; then the operation runs after all.
     *
     * @return the fault
     */
    public static Fault hang() {
        return of(Effect.HANG, 0, 0, () -> null);
    }

    /**
     * Hits a share of the calls, drawn for each call.
     *
     * @param share more than 0, at most 1
     * @return the narrower fault
     * @throws IllegalArgumentException if it is out of its range
     */
    public Fault rate(double share) {
        Require.ratio("rate", share);
        return new Fault(
                effect, minNanos, maxNanos, source, share, keys, fromNanos, lengthNanos, periodNanos, partNanos);
    }

    /**
     * Hits the calls for some keys: a tenant, a host, a user.
     *
     * @param key tells whom the call at hand is for, on the thread that makes it: out of a thread-local or a logging context, say; if it
     *     throws, the call is not hit
     * @param chosen which keys are hit
     * @param <K> the type of the keys
     * @return the narrower fault
     */
    public <K extends @Nullable Object> Fault forKeys(Supplier<? extends K> key, Predicate<? super K> chosen) {
        Require.nonNull("key", key);
        Require.nonNull("chosen", chosen);
        Supplier<Boolean> both = () -> keys.get() && chosen.test(key.get());
        return new Fault(
                effect, minNanos, maxNanos, source, rate, both, fromNanos, lengthNanos, periodNanos, partNanos);
    }

    /**
     * Hits calls for one span of time.
     *
     * @param from when it begins, counted from the moment of switching on
     * @param length how long it lasts, more than zero
     * @return the narrower fault
     * @throws IllegalArgumentException if one is out of its range
     */
    public Fault during(Duration from, Duration length) {
        long begin = Nanos.of(Require.notNegative("from", from));
        long span = Nanos.of(Require.positive("length", length));
        return new Fault(effect, minNanos, maxNanos, source, rate, keys, begin, span, periodNanos, partNanos);
    }

    /**
     * Hits calls again and again: at the beginning of each period, the first of which begins with switching on; with {@link #during} it
     * begins with that, and after the last the span is over.
     *
     * @param period from one beginning to the next, more than zero
     * @param length how much of each period, more than zero, at most the period
     * @return the narrower fault
     * @throws IllegalArgumentException if one is out of its range
     */
    public Fault every(Duration period, Duration length) {
        long span = Nanos.of(Require.positive("period", period));
        long part = Nanos.of(Require.positive("length", length));
        if (part > span) {
            throw new IllegalArgumentException("length must be at most period " + period + ", but was " + length);
        }
        return new Fault(effect, minNanos, maxNanos, source, rate, keys, fromNanos, lengthNanos, span, part);
    }

    /** Whether it hits a call, for which a number from 0 to 1 has been drawn. */
    boolean hits(double drawn, long sinceOnNanos) {
        long since = sinceOnNanos - fromNanos;
        return drawn < rate && since >= 0 && isDue(since) && keys.get();
    }

    private boolean isDue(long since) {
        boolean forEver = lengthNanos == Nanos.NEVER;
        return (forEver || since < lengthNanos) && (periodNanos == Nanos.NEVER || since % periodNanos < partNanos);
    }

    @Override
    public String toString() {
        return effect.label() + " at rate " + rate;
    }
}

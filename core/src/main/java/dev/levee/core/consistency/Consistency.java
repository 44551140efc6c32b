package dev.levee.core.consistency;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * How fresh the data must be that a call reads: the choice that caches, read replicas and sharded stores go by.
 *
 * <pre>{@code
 * CallContext.current().withConsistency(Consistency.strong()).call(() -> accounts.get(id));   // a bank balance
 * CallContext.current().withConsistency(Consistency.bounded(ofMinutes(1))).call(() -> feeds.get(id));
 * }</pre>
 *
 * <p>Set it where a request is handled; everything that the call reads on its behalf inherits it. A call without a
 * choice gets what the part that it reads from does by default.
 *
 * <ul>
 *   <li>{@link #strong()}: the latest value that was written, by any process: caches are passed by, and the primary is
 *       read.
 *   <li>{@link #session()}: at least what the {@link Session} of the call has written and seen. Without a session it is
 *       the same as {@code strong()}, because nothing is known of what was written.
 *   <li>{@link #bounded}: a value that was the latest at some moment within an age.
 *   <li>{@link #eventual()}: any value that is at hand; stale ones too, as the settings of a cache allow.
 * </ul>
 *
 * <p>Immutable; two of the same kind and age are equal. See ADR 141.
 *
 * @since 0.1
 */
public final class Consistency {
    /** The kinds, the strictest first. */
    public enum Kind {
        /** The latest value. */
        STRONG,

        /** What the session has written and seen. */
        SESSION,

        /** A value of a bounded age. */
        BOUNDED,

        /** Any value. */
        EVENTUAL
    }

    private static final Consistency STRONG = new Consistency(Kind.STRONG, Duration.ZERO);
    private static final Consistency SESSION = new Consistency(Kind.SESSION, Duration.ofSeconds(Long.MAX_VALUE));
    private static final Consistency EVENTUAL = new Consistency(Kind.EVENTUAL, Duration.ofSeconds(Long.MAX_VALUE));

    private final Kind kind;
    private final Duration maxAge;

    private Consistency(Kind kind, Duration maxAge) {
        this.kind = kind;
        this.maxAge = maxAge;
    }

    /**
     * Returns the choice of the latest value.
     *
     * @return the same object each time
     */
    public static Consistency strong() {
        return STRONG;
    }

    /**
     * Returns the choice of a value that is at least as new as what the session of the call has written and seen.
     *
     * @return the same object each time
     */
    public static Consistency session() {
        return SESSION;
    }

    /**
     * Returns the choice of a value that was the latest at some moment within an age.
     *
     * @param maxAge more than zero; for none use {@link #strong()}
     * @return the choice
     * @throws NullPointerException if the age is null
     * @throws IllegalArgumentException if it is zero or less
     */
    public static Consistency bounded(Duration maxAge) {
        return new Consistency(Kind.BOUNDED, Require.positive("maxAge", maxAge));
    }

    /**
     * Returns the choice of any value that is at hand.
     *
     * @return the same object each time
     */
    public static Consistency eventual() {
        return EVENTUAL;
    }

    /**
     * Returns the kind of the choice.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Returns how old a value may be.
     *
     * @return the age of {@link #bounded}; zero for {@link #strong()}; longer than any age for the others
     */
    public Duration maxAge() {
        return maxAge;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Consistency that && kind == that.kind && maxAge.equals(that.maxAge);
    }

    @Override
    public int hashCode() {
        return kind.hashCode() * 31 + maxAge.hashCode();
    }

    @Override
    public String toString() {
        return switch (kind) {
            case STRONG -> "strong";
            case SESSION -> "session";
            case BOUNDED -> "bounded " + Nanos.text(maxAge);
            case EVENTUAL -> "eventual";
        };
    }
}

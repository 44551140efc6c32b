package dev.levee.core.internal;

import org.jspecify.annotations.Nullable;

/**
 * By how much the time of a server is ahead of the clock of this process, at most: what it was ahead at an answer, seen
 * from before that was asked for. So it holds for how long a question was under way, and a question that is under way
 * for no longer than those before it is believed all the time that has passed. Immutable. See ADR 185.
 *
 * <p>It goes up with an answer that says more at once, and down slowly, by one part of the time that passes: what a
 * question takes longer than that is time which the server loses, so it loses no larger part in the long run. It is
 * never more than an answer says by far: that is not of slow questions, but of a server that has lost time or has
 * another clock now.
 *
 * @param nanos the time of the server less the clock of the process, at most
 * @param atNanos when the latest of its questions was sent, by the clock of the process
 */
public record ServerLead(long nanos, long atNanos) {
    /** It goes down by one part in so many of the time that passes; clocks that are kept drift apart less. */
    private static final int PARTS = 256;

    /** It is more than an answer says by so much at most. */
    private static final long FAR_NANOS = 100_000_000;

    /**
     * Makes one.
     *
     * @param nanos the time of the server less the clock of the process, at most
     * @param atNanos when the latest of its questions was sent, by the clock of the process
     */
    public ServerLead {}

    /**
     * Returns what is known after an answer.
     *
     * @param known what was known before; null for nothing
     * @param serverNanos the time of the server in the answer
     * @param sentNanos when the question was sent, by the clock of the process
     * @return what is known now
     */
    public static ServerLead after(@Nullable ServerLead known, long serverNanos, long sentNanos) {
        long said = serverNanos - sentNanos;
        if (known == null) {
            return new ServerLead(said, sentNanos);
        }
        long passed = Math.max(0, sentNanos - known.atNanos);
        long slack = known.nanos - passed / PARTS - said;
        return new ServerLead(said + Math.max(0, Math.min(slack, FAR_NANOS)), known.atNanos + passed);
    }
}

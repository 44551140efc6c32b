package dev.levee.loadbalancing.strategy;

/**
 * Packs the last answer of an endpoint to a load probe into one word. The functions compute words;
 * {@link ProbedEndpoint} keeps the word and changes it by compare-and-set.
 *
 * <pre>
 *   63                     40 39           28 27                           0
 *   +------------------------+---------------+------------------------------+
 *   |  requests in flight    |  uses left    |  latency code: bits 3 to 30  |
 *   |  24 bits, saturated    |  12 bits      |  of a float of nanoseconds   |
 *   +------------------------+---------------+------------------------------+
 * </pre>
 *
 * <p>Invariants: codes compare as latencies do, and {@link #LATENCY_UNKNOWN} is above all others. An answer is used by
 * one compare-and-set, which takes one use and adds one request in flight; so no answer is used that has been replaced,
 * taken away or used up. A word without uses left is no answer; its latency stays, for figures. See ADR 43.
 */
final class ProbeAnswer {
    static final long NONE = 0;
    static final int MAX_IN_FLIGHT = (1 << 24) - 1;
    static final int MAX_USES = (1 << 12) - 1;
    static final int LATENCY_UNKNOWN = (1 << 28) - 1;

    private static final int USES_SHIFT = 28;
    private static final int IN_FLIGHT_SHIFT = 40;
    private static final int FLOAT_SHIFT = 3;

    private ProbeAnswer() {}

    static long of(int inFlight, int latencyCode, int uses) {
        return ((long) Math.min(inFlight, MAX_IN_FLIGHT) << IN_FLIGHT_SHIFT)
                | ((long) Math.min(uses, MAX_USES) << USES_SHIFT)
                | latencyCode;
    }

    static int inFlight(long answer) {
        return (int) (answer >>> IN_FLIGHT_SHIFT);
    }

    static int usesLeft(long answer) {
        return (int) (answer >>> USES_SHIFT) & MAX_USES;
    }

    /** Returns a number that is the greater the longer the latency is. */
    static int latencyCode(long answer) {
        return (int) answer & LATENCY_UNKNOWN;
    }

    static int codeOf(long latencyNanos) {
        return latencyNanos < 0 ? LATENCY_UNKNOWN : Float.floatToRawIntBits((float) latencyNanos) >>> FLOAT_SHIFT;
    }

    static long nanosOf(int latencyCode) {
        return latencyCode == LATENCY_UNKNOWN
                ? ServerLoad.UNKNOWN
                : (long) Float.intBitsToFloat(latencyCode << FLOAT_SHIFT);
    }

    /** Returns the answer after one use; for one that has uses left. */
    static long used(long answer) {
        return answer - (1L << USES_SHIFT) + (inFlight(answer) < MAX_IN_FLIGHT ? 1L << IN_FLIGHT_SHIFT : 0);
    }

    /** Returns what stays of an answer that was taken away. */
    static long forgotten(long answer) {
        return answer & LATENCY_UNKNOWN;
    }
}

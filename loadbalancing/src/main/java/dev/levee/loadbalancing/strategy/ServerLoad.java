package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Require;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The load that a server reports: the answer to a load probe of {@link BalancingStrategy#probing()}, or a header of an
 * ordinary response.
 *
 * <p>As text {@code 12;3400us}, for the header {@link #HEADER}; as 16 bytes for a binary protocol. A
 * {@link ServerLoadRecorder} measures it. Immutable. The two numbers are those of Bartek Wydrowski, Robert Kleinberg,
 * Stephen M. Rumble and Aaron Archer, Load is not what you should balance: Introducing Prequal, NSDI 2024.
 *
 * @param inFlight how many requests the server has in flight, 0 or more
 * @param latencyNanos how long recent requests took that came when about this many were in flight, in nanoseconds;
 *     {@link #UNKNOWN} if there were none
 * @see <a href="https://www.usenix.org/conference/nsdi24/presentation/wydrowski">Prequal, NSDI 2024</a>
 * @since 0.1
 */
public record ServerLoad(int inFlight, long latencyNanos) {
    /** The name of the response header that carries the text, in lower case: {@code levee-load}. */
    public static final String HEADER = "levee-load";

    /** The latency of a server that has not answered anything yet. */
    public static final long UNKNOWN = -1;

    /** The length of the binary form. */
    public static final int BYTES = 16;

    /** "Lv", version 1. */
    private static final int MAGIC = 0x4C760001;

    private static final long NANOS_PER_MICRO = 1_000;
    private static final long MAX_MICROS = Long.MAX_VALUE / NANOS_PER_MICRO;
    private static final String UNIT = "us";

    /**
     * Checks the numbers.
     *
     * @param inFlight how many requests the server has in flight, 0 or more
     * @param latencyNanos how long recent requests took, in nanoseconds, or {@link #UNKNOWN}
     * @throws IllegalArgumentException if {@code inFlight} is negative, or {@code latencyNanos} is less than
     *     {@link #UNKNOWN}
     */
    public ServerLoad {
        Require.range("inFlight", inFlight, 0, Integer.MAX_VALUE);
        Require.range("latencyNanos", latencyNanos, UNKNOWN, Long.MAX_VALUE);
    }

    /**
     * Returns the text form: requests in flight and, if it is known, the latency in whole microseconds, rounded up.
     * Allocates the text.
     *
     * @return for example {@code 12;3400us}, or {@code 12}
     */
    public String toText() {
        if (latencyNanos == UNKNOWN) {
            return Integer.toString(inFlight);
        }
        long micros = latencyNanos / NANOS_PER_MICRO + (latencyNanos % NANOS_PER_MICRO == 0 ? 0 : 1);
        return inFlight + ";" + Math.min(micros, MAX_MICROS) + UNIT;
    }

    /**
     * Parses the text form. What comes from another machine may be anything, so nothing is thrown. Allocates the result
     * only.
     *
     * @param text the value of the header; null if there was none
     * @return the load, or null if the text is anything but what {@link #toText} writes
     */
    public static @Nullable ServerLoad parse(@Nullable CharSequence text) {
        if (text == null) {
            return null;
        }
        int length = text.length();
        int semicolon = 0;
        while (semicolon < length && text.charAt(semicolon) != ';') {
            semicolon++;
        }
        long inFlight = digits(text, 0, semicolon, Integer.MAX_VALUE);
        if (inFlight < 0) {
            return null;
        }
        if (semicolon == length) {
            return new ServerLoad((int) inFlight, UNKNOWN);
        }
        int unit = length - UNIT.length();
        if (unit <= semicolon || text.charAt(unit) != UNIT.charAt(0) || text.charAt(unit + 1) != UNIT.charAt(1)) {
            return null;
        }
        long micros = digits(text, semicolon + 1, unit, MAX_MICROS);
        return micros < 0 ? null : new ServerLoad((int) inFlight, micros * NANOS_PER_MICRO);
    }

    /** Parses a decimal number without sign and leading zeros; -1 if it is not one, or more than the maximum. */
    private static long digits(CharSequence text, int from, int to, long max) {
        if (from == to || (text.charAt(from) == '0' && to - from > 1)) {
            return -1;
        }
        long number = 0;
        for (int i = from; i < to; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9 || number > (max - digit) / 10) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    /**
     * Returns the binary form: four bytes that identify it, four of requests in flight and eight of nanoseconds,
     * big-endian.
     *
     * @return {@link #BYTES} bytes
     */
    public byte[] toBytes() {
        return ByteBuffer.allocate(BYTES)
                .putInt(MAGIC)
                .putInt(inFlight)
                .putLong(latencyNanos)
                .array();
    }

    /**
     * Parses the binary form; like {@link #parse} it throws nothing.
     *
     * @param bytes what was received; null if nothing was
     * @return the load, or null if the bytes are anything but what {@link #toBytes} writes
     */
    public static @Nullable ServerLoad fromBytes(byte @Nullable [] bytes) {
        if (bytes == null || bytes.length != BYTES) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        int magic = buffer.getInt();
        int inFlight = buffer.getInt();
        long latency = buffer.getLong();
        return magic == MAGIC && inFlight >= 0 && latency >= UNKNOWN ? new ServerLoad(inFlight, latency) : null;
    }
}

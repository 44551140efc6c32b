package dev.levee.ratelimit;

import java.time.Duration;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Random;

/** Draws limits, and times and permits of calls that matter to them, of every algorithm but the token bucket. */
final class MeterHistory {
    static final long YEAR = Duration.ofDays(365).toNanos();

    private final Random random;

    MeterHistory(long seed) {
        random = new Random(seed);
    }

    Random random() {
        return random;
    }

    /** A limit of each algorithm, of any size. */
    List<Limit> limits() {
        return List.of(sliding(), log(), fixed(), paced(), warmUp(), calendar());
    }

    SlidingWindowLimit sliding() {
        return Limit.slidingWindow(magnitude(1L << random.nextInt(5, 63)), window());
    }

    SlidingLogLimit log() {
        return Limit.slidingLog(magnitude(random.nextBoolean() ? 8 : 1L << 20), window());
    }

    FixedWindowLimit fixed() {
        Duration window = window();
        return Limit.fixedWindow(Math.min(window.toNanos(), magnitude(1L << random.nextInt(5, 62))), window);
    }

    PacedLimit paced() {
        Duration window = Duration.ofNanos(magnitude(36 * YEAR));
        long permits = Math.min(window.toNanos(), magnitude(1L << random.nextInt(5, 40)));
        return new PacedLimit(permits, window, 1 + random.nextInt(4));
    }

    WarmUpLimit warmUp() {
        Duration window = Duration.ofNanos(magnitude(YEAR));
        long permits = Math.min(window.toNanos(), magnitude(1L << random.nextInt(1, 20)));
        return new WarmUpLimit(
                permits, window, Duration.ofNanos(magnitude(2 * YEAR)), 1.5 + random.nextInt(8), 1 + random.nextInt(4));
    }

    CalendarLimit calendar() {
        ChronoUnit[] units = {ChronoUnit.MINUTES, ChronoUnit.HOURS, ChronoUnit.DAYS, ChronoUnit.WEEKS, ChronoUnit.MONTHS
        };
        return Limit.calendar(magnitude(20), units[random.nextInt(units.length)], zone());
    }

    ZoneId zone() {
        List<ZoneId> zones = List.of(
                ZoneOffset.UTC,
                ZoneId.of("Europe/Berlin"),
                ZoneId.of("America/New_York"),
                ZoneId.of("Australia/Lord_Howe"),
                ZoneId.of("America/Havana"),
                ZoneId.of("Asia/Kathmandu"));
        return zones.get(random.nextInt(zones.size()));
    }

    private Duration window() {
        return Duration.ofNanos(magnitude(99 * YEAR));
    }

    /** From 1 to a bound, small numbers as often as large ones. */
    long magnitude(long most) {
        int bits = 1 + random.nextInt(64 - Long.numberOfLeadingZeros(most));
        long value = 1L << (bits - 1);
        return Math.min(most, value + (value == 1 ? 0 : Math.floorMod(random.nextLong(), value)));
    }

    /** A reading of the clock to begin at, often just before it wraps. */
    long origin() {
        return switch (random.nextInt(4)) {
            case 0 -> Long.MAX_VALUE - magnitude(YEAR);
            case 1 -> Long.MIN_VALUE + random.nextInt(3);
            case 2 -> random.nextInt(5) - 2;
            default -> random.nextLong();
        };
    }

    /** A time between two calls: none, a fraction of a window, just about one, or some. */
    long step(Limit limit) {
        long window = window(limit);
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> 1;
            case 2 -> magnitude(window);
            case 3 -> Math.max(0, window + random.nextInt(5) - 2);
            case 4 -> Math.max(0, window / limit.permits() + random.nextInt(3) - 1);
            default -> Math.min(3 * YEAR, Math.floorMod(random.nextLong(), window) * random.nextInt(3));
        };
    }

    static long window(Limit limit) {
        return limit.per().toNanos();
    }

    /** From 1 to the capacity, often all of it or one less. */
    long permits(Limit limit) {
        return switch (random.nextInt(4)) {
            case 0 -> limit.capacity();
            case 1 -> Math.max(1, limit.capacity() - 1);
            case 2 -> magnitude(limit.capacity());
            default -> 1;
        };
    }

    /** The meter of a limit at a time; its calendar goes on from 2026-03-28, before clocks are changed. */
    static Meter meter(Limit limit, long nowNanos) {
        return Meter.of(limit, nowNanos, WallTime.goingOnFrom(1_774_656_000_000L, nowNanos));
    }
}

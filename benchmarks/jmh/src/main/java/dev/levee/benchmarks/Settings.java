package dev.levee.benchmarks;

import java.time.Duration;

/** What all subjects are set to. */
final class Settings {
    /** Permits of a bulkhead: more than there are threads, so nothing is ever refused. */
    static final int CONCURRENT_CALLS = 100;

    /** A rate that two threads cannot reach, so a limiter admits every call. */
    static final int NEVER_REACHED_PER_SECOND = 1_000_000_000;

    /** A time that no call takes. */
    static final Duration TIMEOUT = Duration.ofSeconds(1);

    /** A time that every call takes, where what happens after it is asked. */
    static final Duration SHORT = Duration.ofMillis(1);

    /** How many calls are under way at once where each waits for {@link #SHORT}: enough to hide the wait. */
    static final int BATCH = 10_000;

    private Settings() {}
}

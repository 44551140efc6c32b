package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Timers that are late by half a millisecond, so that a call is admitted in the window after the one for which it was
 * planned: what is planned behind it has a permit less there.
 */
class LateTimersTest {
    private static final Duration LONG = Duration.ofDays(100);
    private static final long LATE_NANOS = 500_000;

    /** A bit less than ten seconds from one permit to the next. */
    private static final long PACE_NANOS = 9_999_700_000L;

    private final ManualTime time = new ManualTime();
    private final AtomicLong late = new AtomicLong();
    private Instant wallOrigin = Instant.EPOCH;

    private final Environment environment = time.environment().toBuilder()
            .clock(() -> time.nanoTime() + late.get())
            .wallClock(() -> wallOrigin.plus(time.elapsed()).plusNanos(late.get()))
            .build();

    private final RateLimiter pace = RateLimiter.of("pace", Limit.of(1, Duration.ofNanos(PACE_NANOS)), environment);

    /**
     * Lets calls wait of which the first is admitted late. The second one does not have to wait for the window, the
     * third one has to and cannot.
     *
     * @return after what time the last call is admitted, by the plan just after that
     */
    private Duration turnOfTheLast(RateLimiter windows) {
        Permits each = Permits.of(pace, 1).and(windows, 1);
        pace.tryAcquire();
        Reservation first = each.reserve(LONG);
        Reservation second = each.reserve(LONG);
        Reservation planned = each.reserve(LONG);
        Duration bound = Duration.ofNanos(planned.waitNanos()).plusSeconds(1);
        planned.cancel();
        CompletableFuture<@Nullable Void> third = each.acquireAsync(bound);
        Reservation last = each.reserve(LONG);
        assertThat(third).isNotDone();
        late.set(LATE_NANOS);
        time.advance(Duration.ofNanos(PACE_NANOS));
        assertThat(first.isReady()).isTrue();
        assertThat(third)
                .as("refused at once, not when its turn would have come")
                .isCompletedExceptionally();
        Duration turn = Duration.ofNanos(last.waitNanos());
        assertThat(second.waitNanos()).isLessThanOrEqualTo(PACE_NANOS);
        time.advance(turn.minusMillis(2));
        assertThat(second.isReady()).isTrue();
        assertThat(last.isReady()).isFalse();
        time.advance(Duration.ofMillis(3));
        assertThat(last.isReady()).isTrue();
        return turn;
    }

    private static void assertAbout(Duration actual, Duration expected) {
        assertThat(actual).isBetween(expected.minusMillis(2), expected.plusMillis(2));
    }

    @ParameterizedTest
    @CsvSource({
        "MINUTES, UTC, 2026-01-01T00:01Z, 2026-01-01T00:02Z",
        "DAYS, Europe/Berlin, 2026-03-28T23:00Z, 2026-03-29T22:00Z",
        "DAYS, Europe/Berlin, 2026-10-24T22:00Z, 2026-10-25T23:00Z",
        "DAYS, America/Havana, 2026-11-01T04:00Z, 2026-11-02T05:00Z",
        "HOURS, Europe/Berlin, 2026-10-25T00:00Z, 2026-10-25T01:00Z",
        "HOURS, Europe/Berlin, 2026-03-29T01:00Z, 2026-03-29T02:00Z",
        "HOURS, Australia/Lord_Howe, 2026-04-04T14:00Z, 2026-04-04T15:30Z",
    })
    void periods_of_the_calendar(ChronoUnit unit, ZoneId zone, OffsetDateTime begins, OffsetDateTime ends) {
        wallOrigin = begins.toInstant().minusSeconds(10);
        RateLimiter calendar = RateLimiter.of("calendar", Limit.calendar(2, unit, zone), environment);
        assertAbout(turnOfTheLast(calendar), Duration.between(begins, ends));
    }

    @Test
    void fixed_windows() {
        RateLimiter windows = RateLimiter.of("windows", Limit.fixedWindow(2, Duration.ofSeconds(60)), environment);
        time.advance(Duration.ofSeconds(50));
        assertAbout(turnOfTheLast(windows), Duration.ofSeconds(60));
    }

    /** Two of the last window are one only in its middle. */
    @Test
    void sliding_windows() {
        RateLimiter windows = RateLimiter.of("windows", Limit.slidingWindow(2, Duration.ofSeconds(60)), environment);
        time.advance(Duration.ofSeconds(50));
        assertAbout(turnOfTheLast(windows), Duration.ofSeconds(90));
    }
}

package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicReference;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Windows of the calendar, where clocks are changed and set. */
class CalendarTest {
    @Nested
    class Periods {
        @ParameterizedTest
        @CsvSource({
            // a day of 23 hours, and one of 25
            "DAYS, Europe/Berlin, 2026-03-29T10:00Z, 2026-03-28T23:00Z, 2026-03-29T22:00Z",
            "DAYS, Europe/Berlin, 2026-10-25T10:00Z, 2026-10-24T22:00Z, 2026-10-25T23:00Z",
            "DAYS, America/New_York, 2026-03-08T12:00Z, 2026-03-08T05:00Z, 2026-03-09T04:00Z",
            "DAYS, America/New_York, 2026-11-01T12:00Z, 2026-11-01T04:00Z, 2026-11-02T05:00Z",
            // no midnight at all, and two of them
            "DAYS, America/Sao_Paulo, 2018-11-04T12:00Z, 2018-11-04T03:00Z, 2018-11-05T02:00Z",
            "DAYS, America/Havana, 2026-03-08T12:00Z, 2026-03-08T05:00Z, 2026-03-09T04:00Z",
            "DAYS, America/Havana, 2026-11-01T12:00Z, 2026-11-01T04:00Z, 2026-11-02T05:00Z",
            // set back over midnight: 00:01 on the 2nd became 23:01 on the 1st
            "DAYS, America/St_Johns, 2008-11-02T02:30:30Z, 2008-11-02T02:30Z, 2008-11-03T03:30Z",
            "DAYS, America/St_Johns, 2008-11-02T02:45Z, 2008-11-02T02:30Z, 2008-11-03T03:30Z",
            "DAYS, America/St_Johns, 2008-11-02T02:29:59Z, 2008-11-01T02:30Z, 2008-11-02T02:30Z",
            // a date that was left out
            "DAYS, Pacific/Apia, 2011-12-30T09:59:59Z, 2011-12-29T10:00Z, 2011-12-30T10:00Z",
            "DAYS, Pacific/Apia, 2011-12-30T10:00Z, 2011-12-30T10:00Z, 2011-12-31T10:00Z",
            // half an hour
            "DAYS, Australia/Lord_Howe, 2026-04-05T00:00Z, 2026-04-04T13:00Z, 2026-04-05T13:30Z",
            "HOURS, Australia/Lord_Howe, 2026-04-04T14:30Z, 2026-04-04T14:00Z, 2026-04-04T15:30Z",
            "HOURS, Australia/Lord_Howe, 2026-04-04T15:10Z, 2026-04-04T14:00Z, 2026-04-04T15:30Z",
            "HOURS, Australia/Lord_Howe, 2026-10-03T15:40Z, 2026-10-03T14:30Z, 2026-10-03T16:00Z",
            // half an hour that ends at a full one
            "HOURS, America/Caracas, 2016-05-01T06:45Z, 2016-05-01T06:30Z, 2016-05-01T08:00Z",
            "HOURS, America/Caracas, 2016-05-01T07:30Z, 2016-05-01T06:30Z, 2016-05-01T08:00Z",
            "HOURS, Asia/Pyongyang, 2018-05-04T14:59Z, 2018-05-04T14:30Z, 2018-05-04T16:00Z",
            "HOURS, America/Barbados, 1944-09-10T06:10Z, 1944-09-10T05:30Z, 1944-09-10T07:00Z",
            // the hour that is shown twice is two hours
            "HOURS, Europe/Berlin, 2026-10-25T00:30Z, 2026-10-25T00:00Z, 2026-10-25T01:00Z",
            "HOURS, Europe/Berlin, 2026-10-25T01:30Z, 2026-10-25T01:00Z, 2026-10-25T02:00Z",
            "HOURS, Europe/Berlin, 2026-03-29T00:30Z, 2026-03-29T00:00Z, 2026-03-29T01:00Z",
            "HOURS, Asia/Kathmandu, 2026-01-01T00:00Z, 2025-12-31T23:15Z, 2026-01-01T00:15Z",
            "MINUTES, Asia/Kathmandu, 2026-01-01T00:00:59.999Z, 2026-01-01T00:00Z, 2026-01-01T00:01Z",
            "WEEKS, Europe/Berlin, 2026-03-29T10:00Z, 2026-03-22T23:00Z, 2026-03-29T22:00Z",
            "WEEKS, UTC, 2026-01-01T00:00Z, 2025-12-29T00:00Z, 2026-01-05T00:00Z",
            "MONTHS, Europe/Berlin, 2026-03-15T00:00Z, 2026-02-28T23:00Z, 2026-03-31T22:00Z",
            "MONTHS, UTC, 2024-02-29T00:00Z, 2024-02-01T00:00Z, 2024-03-01T00:00Z",
            "MONTHS, UTC, 1969-12-31T23:59:59.999Z, 1969-12-01T00:00Z, 1970-01-01T00:00Z",
        })
        void begin_and_end_with_the_calendar_of_the_zone(
                ChronoUnit unit, ZoneId zone, OffsetDateTime at, OffsetDateTime start, OffsetDateTime end) {
            CalendarPeriod period = CalendarPeriod.of(at.toInstant().toEpochMilli(), unit, zone);
            assertThat(Instant.ofEpochMilli(period.start())).isEqualTo(start.toInstant());
            assertThat(Instant.ofEpochMilli(period.end())).isEqualTo(end.toInstant());
        }

        @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
        void each_moment_is_in_one_and_they_follow_each_other(@ForAll long seed) {
            MeterHistory draw = new MeterHistory(seed);
            CalendarLimit limit = draw.calendar();
            long millis = Instant.parse("1900-01-01T00:00:00Z").toEpochMilli() + draw.magnitude(1L << 43);
            CalendarPeriod period = CalendarPeriod.of(millis, limit.unit(), limit.zone());
            assertThat(millis).isBetween(period.start(), period.end() - 1);
            assertThat(CalendarPeriod.of(period.start(), limit.unit(), limit.zone()))
                    .isEqualTo(period);
            assertThat(CalendarPeriod.of(period.end() - 1, limit.unit(), limit.zone()))
                    .isEqualTo(period);
            assertThat(CalendarPeriod.of(period.end(), limit.unit(), limit.zone())
                            .start())
                    .isEqualTo(period.end());
            if (limit.unit() == ChronoUnit.HOURS) {
                assertThat(period.end() - period.start())
                        .isGreaterThanOrEqualTo(Duration.ofHours(1).toMillis());
            }
        }

        @Test
        void every_day_of_two_centuries_is_where_the_calendar_has_it() {
            ZoneId zone = ZoneId.of("Europe/Berlin");
            for (LocalDate day = LocalDate.of(1901, 1, 1); day.getYear() < 2100; day = day.plusDays(1)) {
                long start = day.atStartOfDay(zone).toInstant().toEpochMilli();
                long end = day.plusDays(1).atStartOfDay(zone).toInstant().toEpochMilli();
                assertThat(CalendarPeriod.of(start, ChronoUnit.DAYS, zone)).isEqualTo(new CalendarPeriod(start, end));
            }
        }
    }

    @Nested
    class AWallClock {
        private final ManualTime time = new ManualTime();
        private final AtomicReference<Instant> wall = new AtomicReference<>(Instant.parse("2026-03-28T22:00:00Z"));
        private final RateLimiter limiter = RateLimiter.of(
                "plan",
                config -> config.limit(Limit.calendar(3, ChronoUnit.DAYS, ZoneId.of("Europe/Berlin")))
                        .maxDebt(1_000_000),
                time.environment().toBuilder().wallClock(wall::get).build());

        private void set(String instant) {
            wall.set(Instant.parse(instant));
        }

        private long taken() {
            long taken = 0;
            while (limiter.tryAcquire()) {
                taken++;
            }
            return taken;
        }

        @Test
        void a_new_quota_is_there_at_midnight_of_the_zone() {
            assertThat(taken()).isEqualTo(3);
            assertThat(limiter.tryAcquireOrWaitNanos())
                    .isEqualTo(Duration.ofHours(1).toNanos());
            set("2026-03-28T22:59:59.999Z");
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(1_000_000);
            set("2026-03-28T23:00:00Z");
            assertThat(taken()).isEqualTo(3);
            assertThat(limiter.tryAcquireOrWaitNanos())
                    .as("a day of 23 hours")
                    .isEqualTo(Duration.ofHours(23).toNanos());
        }

        @Test
        void a_clock_that_is_set_back_mints_nothing() {
            assertThat(taken()).isEqualTo(3);
            set("2026-03-28T23:00:01Z");
            assertThat(limiter.tryAcquire()).isTrue();
            set("2026-03-28T22:30:00Z");
            assertThat(taken()).as("what is left of the day that has begun").isEqualTo(2);
            set("2020-01-01T00:00:00Z");
            assertThat(taken()).isZero();
            set("2026-03-29T21:59:59Z");
            assertThat(taken()).isZero();
            set("2026-03-29T22:00:00Z");
            assertThat(taken()).isEqualTo(3);
        }

        @Test
        void a_clock_that_swings_about_midnight_gives_one_quota_to_each_day() {
            long taken = 0;
            for (int swing = 0; swing < 100; swing++) {
                set(swing % 2 == 0 ? "2026-03-28T23:00:00Z" : "2026-03-28T22:59:59Z");
                taken += taken();
            }
            assertThat(taken).isEqualTo(3);
        }

        @Test
        void a_clock_beyond_what_can_be_counted_moves_nothing() {
            assertThat(taken()).isEqualTo(3);
            wall.set(Instant.MAX);
            assertThat(taken()).isZero();
            wall.set(Instant.MIN);
            assertThat(taken()).isZero();
            set("2026-03-28T23:00:00Z");
            assertThat(taken()).isEqualTo(3);
        }

        @Test
        void what_was_not_sent_comes_back_within_its_day_only() {
            long stamp = limiter.tryEnter(time.nanoTime());
            assertThat(limiter.availablePermits()).isEqualTo(2);
            limiter.cancel(stamp, 0);
            assertThat(limiter.availablePermits()).isEqualTo(3);
            long yesterday = limiter.tryEnter(time.nanoTime());
            time.advance(Duration.ofHours(2));
            set("2026-03-29T00:00:00Z");
            assertThat(limiter.tryAcquire()).isTrue();
            limiter.cancel(yesterday, 0);
            assertThat(limiter.availablePermits()).isEqualTo(2);
        }

        @Test
        void a_debt_is_paid_by_the_days_that_follow() {
            ((AbstractLimiter) limiter).charge(time.nanoTime(), 8);
            assertThat(limiter.availablePermits()).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos())
                    .isEqualTo(Duration.ofHours(1 + 23).toNanos());
            set("2026-03-29T22:00:00Z");
            assertThat(taken()).isEqualTo(1);
        }

        @Test
        void many_days_without_a_call_pay_a_debt() {
            ((AbstractLimiter) limiter).charge(time.nanoTime(), 3 * 5_000 + 3 + 2);
            set("2036-03-29T00:00:00Z");
            assertThat(limiter.availablePermits()).isZero();
            set("2046-03-29T00:00:00Z");
            assertThat(limiter.availablePermits()).isEqualTo(3);
        }
    }

    @Test
    void limits_out_of_range_are_named() {
        assertThatThrownBy(() -> Limit.calendar(0, ChronoUnit.DAYS, ZoneOffset.UTC))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("permits")
                .hasMessageContaining("but was 0");
        assertThatThrownBy(() -> Limit.calendar(1, ChronoUnit.SECONDS, ZoneOffset.UTC))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unit must be one of [Minutes, Hours, Days, Weeks, Months], but was Seconds");
        assertThatThrownBy(() -> Limit.calendar(1, null, ZoneOffset.UTC)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> Limit.calendar(1, ChronoUnit.DAYS, null)).isInstanceOf(NullPointerException.class);
        assertThat(Limit.calendar(5, ChronoUnit.DAYS, ZoneId.of("Europe/Berlin")))
                .hasToString("5 per day of Europe/Berlin");
    }
}

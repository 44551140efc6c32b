package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** What holds for the meter of every limit, for every history of calls and every reading of the clock. */
@SuppressWarnings("NarrowCalculation")
class MeterPropertyTest {
    private static final int CALLS = 60;

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void no_window_admits_more_than_the_limit_documents(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            long origin = draw.origin();
            Meter meter = MeterHistory.meter(limit, origin);
            AdmissionHistory history = AdmissionHistory.of(limit);
            BigInteger elapsed = BigInteger.ZERO;
            for (int call = 0; call < CALLS; call++) {
                long permits = draw.permits(limit);
                if (meter.take(origin + elapsed.longValue(), permits) == 0) {
                    history.admitted(elapsed, permits);
                }
                elapsed = elapsed.add(BigInteger.valueOf(draw.step(limit)));
            }
            if (!(limit instanceof CalendarLimit)) { // its periods have no rate
                history.check();
            }
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void readings_that_are_late_or_run_back_are_only_stricter(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            if (limit instanceof CalendarLimit) {
                continue; // its clock is another one
            }
            long origin = draw.origin();
            Meter meter = MeterHistory.meter(limit, origin);
            AdmissionHistory history = AdmissionHistory.of(limit);
            BigInteger elapsed = BigInteger.ZERO;
            BigInteger turn = null; // a reading from before a window that has begun counts as its start
            BigInteger window = BigInteger.valueOf(MeterHistory.window(limit));
            for (int call = 0; call < CALLS; call++) {
                BigInteger late = draw.random().nextInt(3) > 0
                        ? BigInteger.ZERO
                        : BigInteger.valueOf(
                                draw.magnitude(Math.min(40 * MeterHistory.YEAR, 2 * MeterHistory.window(limit))));
                BigInteger stamp = elapsed.subtract(late);
                long permits = draw.permits(limit);
                boolean admitted = meter.take(origin + stamp.longValue(), permits) == 0;
                if (limit instanceof SlidingWindowLimit) {
                    BigInteger begun = stamp.signum() < 0
                            ? BigInteger.ZERO
                            : stamp.divide(window).multiply(window);
                    turn = turn == null ? begun : turn.max(begun);
                    stamp = stamp.max(turn);
                } else if (limit instanceof SlidingLogLimit) { // and one from before another one as that one
                    turn = turn == null ? stamp : turn.max(stamp);
                    stamp = turn;
                }
                if (admitted) {
                    history.admitted(stamp, permits);
                }
                elapsed = elapsed.add(BigInteger.valueOf(draw.step(limit)));
            }
            history.check();
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void a_wait_is_the_shortest_after_which_the_permits_are_there(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            long now = draw.origin();
            Meter meter = MeterHistory.meter(limit, now);
            for (int call = 0; call < CALLS; call++) {
                long permits = draw.permits(limit);
                if (draw.random().nextInt(20) == 0) {
                    meter.charge(now, draw.magnitude(Math.max(1, Math.min(1L << 60, limit.capacity()) * 2)));
                }
                long peeked = meter.waitNanos(now, permits);
                Meter copy = meter.copy(now);
                long wait = meter.take(now, permits);
                assertThat(peeked).as("%s", limit).isEqualTo(wait);
                if (wait > 0 && wait < Meter.NEVER) {
                    long tick = limit instanceof CalendarLimit ? WallTime.NANOS_PER_MILLI : 1;
                    assertThat(copy.copy(now).waitNanos(now + wait - tick, permits))
                            .as("%s: a moment before %s", limit, wait)
                            .isPositive();
                    assertThat(copy.copy(now).take(now + wait, permits))
                            .as("%s: after %s", limit, wait)
                            .isZero();
                }
                now += draw.step(limit);
            }
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void what_is_available_can_be_taken_and_no_more(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            long now = draw.origin();
            Meter meter = MeterHistory.meter(limit, now);
            for (int call = 0; call < CALLS; call++) {
                meter.take(now, draw.permits(limit));
                long available = meter.available(now);
                assertThat(available).as("%s", limit).isBetween(0L, limit.capacity());
                if (available > 0) {
                    assertThat(meter.copy(now).take(now, available))
                            .as("%s", limit)
                            .isZero();
                }
                if (available < limit.capacity()) {
                    assertThat(meter.copy(now).take(now, available + 1))
                            .as("%s", limit)
                            .isPositive();
                }
                long reset = meter.resetNanos(now);
                if (reset < Meter.NEVER) {
                    assertThat(meter.copy(now).available(now + reset))
                            .as("%s", limit)
                            .isEqualTo(limit.capacity());
                }
                if (reset > 0 && !(limit instanceof CalendarLimit)) {
                    assertThat(meter.copy(now).resetNanos(now + reset - 1))
                            .as("%s", limit)
                            .isPositive();
                }
                now += draw.step(limit);
            }
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void what_is_given_back_at_once_is_there_again(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            long now = draw.origin();
            Meter meter = MeterHistory.meter(limit, now);
            for (int call = 0; call < CALLS; call++) {
                long permits = draw.permits(limit);
                long before = meter.available(now);
                if (meter.take(now, permits) == 0) {
                    if (draw.random().nextBoolean()) {
                        meter.giveBack(now, now, permits);
                        assertThat(meter.available(now)).as("%s", limit).isEqualTo(before);
                    }
                }
                now += draw.step(limit);
            }
        }
    }

    /** Any calls turn out not to have been sent, at any time; those that were sent keep within the bound. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void what_is_given_back_late_mints_nothing(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            if (limit instanceof CalendarLimit) {
                continue;
            }
            long origin = draw.origin();
            Meter meter = MeterHistory.meter(limit, origin);
            List<long[]> out = new ArrayList<>();
            AdmissionHistory history = AdmissionHistory.of(limit);
            BigInteger elapsed = BigInteger.ZERO;
            for (int call = 0; call < CALLS; call++) {
                long now = origin + elapsed.longValue();
                long permits = draw.permits(limit);
                if (meter.take(now, permits) == 0) {
                    if (draw.random().nextBoolean()) {
                        history.admitted(elapsed, permits);
                    } else {
                        out.add(new long[] {now, permits});
                    }
                }
                elapsed = elapsed.add(BigInteger.valueOf(draw.step(limit)));
                if (!out.isEmpty() && draw.random().nextBoolean()) {
                    long[] unsent = out.remove(draw.random().nextInt(out.size()));
                    meter.giveBack(origin + elapsed.longValue(), unsent[0], unsent[1]);
                }
            }
            history.check();
        }
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void after_290_years_nothing_is_used_and_no_more_than_the_capacity_is_there(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            long now = draw.origin();
            Meter meter = MeterHistory.meter(limit, now);
            meter.take(now, limit.capacity());
            now += 290 * MeterHistory.YEAR;
            assertThat(meter.available(now)).as("%s", limit).isEqualTo(limit.capacity());
            assertThat(meter.take(now, limit.capacity())).as("%s", limit).isZero();
            assertThat(meter.take(now, 1)).as("%s", limit).isPositive();
        }
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void time_that_runs_back_or_stands_still_mints_nothing(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            long now = draw.origin();
            Meter meter = MeterHistory.meter(limit, now);
            assertThat(meter.take(now, limit.capacity())).as("%s", limit).isZero();
            // A time that is 146 years or more ahead is taken for one that has passed; what is paced waits up to 144.
            long most = limit instanceof PacedLimit ? MeterHistory.YEAR : 40 * MeterHistory.YEAR;
            for (int call = 0; call < CALLS; call++) {
                long back = draw.random().nextBoolean() ? 0 : draw.magnitude(most);
                assertThat(meter.take(now - back, 1))
                        .as("%s, %s back", limit, back)
                        .isPositive();
                assertThat(meter.available(now - back))
                        .as("%s, %s back", limit, back)
                        .isZero();
            }
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void a_meter_that_was_closed_says_what_was_used_and_never_changes(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            long now = draw.origin();
            Meter meter = MeterHistory.meter(limit, now);
            for (int call = 0; call < 5; call++) {
                meter.take(now, draw.permits(limit));
                now += draw.step(limit);
            }
            long available = meter.available(now);
            long used = meter.close(now);
            if (!(limit instanceof PacedLimit || limit instanceof WarmUpLimit)) {
                assertThat(used).as("%s", limit).isEqualTo(limit.capacity() - available);
            }
            for (int call = 0; call < 5; call++) {
                assertThat(meter.take(now, 1)).as("%s", limit).isEqualTo(Meter.CLOSED);
                assertThat(meter.waitNanos(now, 1)).as("%s", limit).isEqualTo(Meter.CLOSED);
                assertThat(meter.charge(now, 1)).as("%s", limit).isEqualTo(Meter.CLOSED);
                meter.giveBack(now, now, 1);
                assertThat(meter.close(now)).as("%s", limit).isLessThanOrEqualTo(used);
                now += draw.step(limit);
            }
        }
    }

    /** A debt is paid by what the following windows do not admit, none of it is forgiven. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void a_debt_is_paid_to_the_end(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        for (Limit limit : draw.limits()) {
            if (limit instanceof CalendarLimit) {
                continue;
            }
            long origin = draw.origin();
            Meter meter = MeterHistory.meter(limit, origin);
            long debt = limit.capacity() > 1L << 40
                    ? limit.capacity() * 2
                    : limit.capacity() * (1 + draw.random().nextInt(5));
            if (debt > (1L << 60) / (MeterHistory.window(limit) / limit.permits() + 1) / 10) {
                continue; // longer than a time can be
            }
            meter.charge(origin, debt);
            AdmissionHistory history = AdmissionHistory.of(limit);
            BigInteger elapsed = BigInteger.ZERO;
            for (int call = 0; call < CALLS; call++) {
                long permits = draw.permits(limit);
                if (meter.take(origin + elapsed.longValue(), permits) == 0) {
                    history.admitted(elapsed, permits);
                }
                elapsed = elapsed.add(BigInteger.valueOf(draw.step(limit)));
            }
            BigInteger per = BigInteger.valueOf(MeterHistory.window(limit));
            BigInteger allowed = BigInteger.valueOf(limit.capacity())
                    .add(BigInteger.valueOf(limit.permits()).multiply(elapsed).divide(per))
                    .add(limit instanceof FixedWindowLimit ? BigInteger.valueOf(limit.permits()) : BigInteger.ZERO)
                    .add(BigInteger.ONE);
            assertThat(history.sum().add(history.sum().signum() == 0 ? BigInteger.ZERO : BigInteger.valueOf(debt)))
                    .as("%s, debt %s", limit, debt)
                    .isLessThanOrEqualTo(allowed);
        }
    }

    @Property(tries = 20, edgeCases = EdgeCasesMode.NONE)
    void a_meter_that_forgets_at_the_turn_is_caught_by_the_checker(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        SlidingWindowLimit limit = Limit.slidingWindow(10, Duration.ofSeconds(1));
        AdmissionHistory history = AdmissionHistory.of(limit);
        long window = MeterHistory.window(limit);
        Meter meter = MeterHistory.meter(limit, 0);
        long now = window - 1 - draw.random().nextInt(1_000);
        for (int call = 0; call < 40; call++) {
            if (now >= window && now - 100_000 < window) {
                meter = MeterHistory.meter(limit, now); // the planted bug: a new window that knows nothing of the last
            }
            if (meter.take(now, 1) == 0) {
                history.admitted(now, 1);
            }
            now += 50_000L * (call % 10 == 9 ? 1 : 0);
        }
        assertThatThrownBy(history::check)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("permits more than 10");
    }
}

package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Nested;

/** The contract of every gate, for the limiter of every limit. Those that pace admit no four calls at once. */
class MeteredGateTest {
    abstract static class OfALimit extends GateContract {
        abstract Limit limit();

        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return RateLimiter.of("l", limit(), environment);
        }

        /** A permit is consumed when the call is admitted. */
        @Override
        protected long held(Gate gate) {
            return 0;
        }
    }

    @Nested
    class OfASlidingWindow extends OfALimit {
        @Override
        Limit limit() {
            return Limit.slidingWindow(4, Duration.ofSeconds(1));
        }
    }

    @Nested
    class OfASlidingLog extends OfALimit {
        @Override
        Limit limit() {
            return Limit.slidingLog(4, Duration.ofSeconds(1));
        }
    }

    @Nested
    class OfAFixedWindow extends OfALimit {
        @Override
        Limit limit() {
            return Limit.fixedWindow(4, Duration.ofSeconds(1));
        }
    }

    @Nested
    class OfTheCalendar extends OfALimit {
        @Override
        Limit limit() {
            return Limit.calendar(4, ChronoUnit.DAYS, ZoneOffset.UTC);
        }
    }

    @Nested
    class OfACombination extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return RateLimiter.allOf(
                    "both",
                    RateLimiter.of("a", Limit.perSecond(1).burst(4), environment),
                    RateLimiter.of("b", Limit.slidingWindow(4, Duration.ofSeconds(1)), environment));
        }

        @Override
        protected long held(Gate gate) {
            return 0;
        }
    }
}

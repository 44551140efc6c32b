package dev.levee.ratelimit;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Nested;

/** The contract of every gate, for the limiter of every limit. For those that pace, time passes between calls. */
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
    class OfAPace extends OfALimit {
        @Override
        Limit limit() {
            return Limit.paced(1, Duration.ofSeconds(1));
        }

        @Override
        protected void makeRoom() {
            time.advance(Duration.ofSeconds(1));
        }
    }

    @Nested
    class OfAWarmUp extends OfALimit {
        @Override
        Limit limit() {
            return Limit.warmUp(1, Duration.ofSeconds(1), Duration.ofSeconds(10));
        }

        /** Three times as long as when it is warm. */
        @Override
        protected void makeRoom() {
            time.advance(Duration.ofSeconds(3));
        }
    }

    /** Its calls wait for the pace, on manual time: the first one does not. */
    @Nested
    class OfAPaceThatWaits extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return RateLimiter.of(
                    "l",
                    config ->
                            config.limit(Limit.paced(1, Duration.ofSeconds(1))).maxWait(Deadline.FOREVER),
                    environment);
        }

        @Override
        protected long held(Gate gate) {
            return ((RateLimiter) gate).waiting();
        }

        @Override
        protected void makeRoom() {
            time.advance(Duration.ofSeconds(1));
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

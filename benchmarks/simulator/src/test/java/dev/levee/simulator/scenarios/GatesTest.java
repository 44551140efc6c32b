package dev.levee.simulator.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.simulator.report.Subject;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What the balancers must reach: short forms of the scenarios, so that a change that loses one fails the build. */
class GatesTest {

    @Nested
    class One_slow_replica_of_eleven {
        private double success(Subject subject) {
            return SlowReplica.run(subject, 1, 1, Long.MAX_VALUE, SlowReplica.PUBLISHED)
                    .get(Measures.SUCCESS);
        }

        @Test
        void round_robin_loses_what_arithmetic_says() {
            assertThat(success(Strategies.ROUND_ROBIN)).isCloseTo(95.45, within(0.15));
        }

        @Test
        void calls_in_flight_reach_the_published_99_5_per_cent() {
            assertThat(success(Strategies.LEAST_CONNECTIONS)).isCloseTo(99.55, within(0.15));
            assertThat(success(Strategies.TWO_CHOICES)).isCloseTo(99.5, within(0.15));
        }

        @Test
        void the_same_seed_gives_the_same_result() {
            assertThat(success(Strategies.TWO_CHOICES)).isEqualTo(success(Strategies.TWO_CHOICES));
        }
    }
}

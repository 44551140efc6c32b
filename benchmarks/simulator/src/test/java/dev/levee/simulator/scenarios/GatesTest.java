package dev.levee.simulator.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Subject;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
        void least_time_reaches_the_published_99_9_per_cent() {
            assertThat(success(Strategies.LEAST_TIME)).isGreaterThanOrEqualTo(99.9);
        }

        @Test
        void the_same_seed_gives_the_same_result() {
            assertThat(success(Strategies.TWO_CHOICES)).isEqualTo(success(Strategies.TWO_CHOICES));
        }
    }

    @Nested
    class A_server_that_fails_within_a_millisecond {
        private double success(Subject subject) {
            return Sinkhole.run(subject, 1, 0.2, 20).get(Measures.SUCCESS);
        }

        @Test
        void draws_no_more_calls_to_itself_under_least_time() {
            assertThat(success(Strategies.LEAST_TIME)).isGreaterThan(99.5);
        }

        @Test
        void costs_round_robin_its_share() {
            assertThat(success(Strategies.ROUND_ROBIN)).isCloseTo(99, within(0.05));
        }
    }

    @Nested
    class A_retry_storm {
        private double success(Subject subject) {
            return Cascade.run(subject, 1, 10).get(Cascade.AFTER);
        }

        @Test
        void ends_with_its_cause_if_retries_have_a_budget() {
            assertThat(success(Cascade.BUDGET)).isGreaterThan(99);
        }
    }

    @Nested
    class Hot_keys {

        @ParameterizedTest
        @ValueSource(doubles = {0.1, 0.25, 1.0})
        void never_fill_a_server_beyond_its_bound(double excess) {
            assertThat(ZipfKeys.run(ZipfKeys.bounded(excess), 1, 0.05).get(ZipfKeys.ABOVE))
                    .isZero();
        }
    }

    @Nested
    class A_set_that_changes_ten_times_a_second {

        @Test
        void is_never_seen_torn_and_leaves_no_call_counted() {
            Figures figures = Flapping.picks(Strategies.LEAST_TIME, 1, 0.2);

            assertThat(figures.get(Flapping.WRONG)).isZero();
            assertThat(figures.get(Flapping.LEFT_OVER)).isZero();
        }
    }

    @Nested
    class An_ill_database_behind_all_servers {

        @Test
        void has_nobody_ejected() {
            assertThat(SharedFault.database(SharedFault.ALL_WATCHED, 1, 0.5).get(SharedFault.EJECTIONS))
                    .isZero();
        }

        @Test
        void is_told_from_one_ill_server() {
            assertThat(SharedFault.database(SharedFault.ONE_WATCHED, 1, 0.5).get(SharedFault.EJECTIONS))
                    .isPositive();
        }
    }

    @Nested
    class Breakers_of_the_endpoints {

        @ParameterizedTest
        @ValueSource(longs = {1, 2})
        void refuse_nearly_nothing_after_a_fault_of_all(long seed) {
            Figures together = EndpointBreakers.fault(EndpointBreakers.DEFAULT, seed, 0.3);
            Figures alone = EndpointBreakers.fault(EndpointBreakers.NOT_PASSED, seed, 0.3);

            assertThat(together.get(EndpointBreakers.REFUSED)).isLessThan(0.1);
            assertThat(together.get(EndpointBreakers.AFTER)).isGreaterThan(99.5);
            assertThat(alone.get(EndpointBreakers.REFUSED)).isGreaterThan(90);
        }

        @ParameterizedTest
        @ValueSource(longs = {1, 2})
        void refuse_nothing_after_stalls_of_the_client(long seed) {
            Figures knowing = EndpointBreakers.stalls(EndpointBreakers.DEFAULT, seed, 0.3);
            Figures unknowing = EndpointBreakers.stalls(EndpointBreakers.NEITHER, seed, 0.3);

            assertThat(knowing.get(EndpointBreakers.REFUSED_IN_STALLS)).isZero();
            assertThat(knowing.get(EndpointBreakers.REFUSED)).isZero();
            assertThat(knowing.get(EndpointBreakers.AFTER)).isGreaterThan(99.5);
            assertThat(unknowing.get(EndpointBreakers.REFUSED)).isGreaterThan(90);
        }

        @ParameterizedTest
        @ValueSource(longs = {1, 2})
        void refuse_nothing_after_stalls_of_less_than_a_tenth_of_a_second(long seed) {
            Figures knowing = EndpointBreakers.shortStalls(EndpointBreakers.NOT_PASSED, seed, 0.1);
            Figures unknowing = EndpointBreakers.shortStalls(EndpointBreakers.NEITHER, seed, 0.1);

            assertThat(unknowing.get(EndpointBreakers.REFUSED)).isGreaterThan(50);
            assertThat(knowing.get(EndpointBreakers.REFUSED)).isZero();
            assertThat(knowing.get(EndpointBreakers.REFUSED_IN_STALLS)).isZero();
        }

        @ParameterizedTest
        @ValueSource(longs = {1, 2})
        void open_by_no_stall_even_if_none_may_be_passed(long seed) {
            assertThat(EndpointBreakers.stalls(EndpointBreakers.NOT_PASSED, seed, 0.3)
                            .get(EndpointBreakers.REFUSED))
                    .isZero();
        }
    }

    @Nested
    class A_rolling_deploy {

        @Test
        void gives_no_cold_server_more_than_one_and_a_half_times_the_mean() {
            assertThat(RollingDeploy.run(RollingDeploy.slowly(Strategies.TWO_CHOICES), 1, true)
                            .get(RollingDeploy.BUSIEST))
                    .isLessThanOrEqualTo(1.5);
            assertThat(RollingDeploy.run(Strategies.LEAST_TIME, 1, true).get(RollingDeploy.BUSIEST))
                    .isLessThanOrEqualTo(1.5);
        }
    }
}

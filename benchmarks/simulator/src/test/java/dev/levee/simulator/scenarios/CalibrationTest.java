package dev.levee.simulator.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** The simulator against results that are exact, before anything that it says about strategies is believed. */
class CalibrationTest {

    @Test
    void two_choices_leave_no_bin_with_more_than_four_balls_and_one_choice_does() {
        assertThat(BallsInBins.run(Strategies.TWO_CHOICES, 1, 1 << 16).get(BallsInBins.FULLEST))
                .isBetween(3.0, 4.0);
        assertThat(BallsInBins.run(Strategies.RANDOM, 1, 1 << 16).get(BallsInBins.FULLEST))
                .isBetween(7.0, 10.0);
        assertThat(BallsInBins.run(Strategies.RANDOM, 1, 1 << 16).get(BallsInBins.EMPTY))
                .isCloseTo(100 / Math.E, within(0.5));
    }

    @Test
    void queues_of_two_choices_have_the_lengths_of_the_supermarket_model() {
        double[] measured = Supermarket.tail(Strategies.TWO_CHOICES, 1, 0.9, 2000, 150, 450);
        double[] exact = Supermarket.exact(0.9, true);

        for (int k = 1; k <= 5; k++) {
            assertThat(measured[k]).as("queues of " + k).isCloseTo(exact[k], within(0.015));
        }
    }

    @Test
    void queues_of_one_choice_have_geometric_lengths() {
        double[] measured = Supermarket.tail(Strategies.RANDOM, 1, 0.5, 1000, 50, 200);
        double[] exact = Supermarket.exact(0.5, false);

        for (int k = 1; k <= 5; k++) {
            assertThat(measured[k]).as("queues of " + k).isCloseTo(exact[k], within(0.015));
        }
    }
}

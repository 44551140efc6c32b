package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PositionHistoryTest {
    private static final long START = Long.MAX_VALUE - 1_000; // the clock wraps meanwhile

    @Test
    void ages_are_never_taken_for_shorter_than_they_are() {
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            PositionHistory history = new PositionHistory();
            long[] positions = new long[3_000];
            long position = 0;
            for (int i = 0; i < positions.length; i++) {
                position += random.nextInt(3) * random.nextLong(50);
                positions[i] = position;
                history.add(position, START + i);
                long asked = random.nextLong(position + 20);
                int exact = i;
                while (exact >= 0 && positions[exact] > asked) {
                    exact--;
                }
                int reached = history.reached(asked);
                if (reached >= 0) {
                    assertThat(history.time(reached) - START).isLessThanOrEqualTo(exact);
                }
                assertThat(history.time(history.reached(position)) - START)
                        .as("the last one")
                        .isEqualTo(i);
            }
        }
    }

    @Test
    void what_is_behind_all_samples_is_not_dated_and_a_lower_position_changes_nothing() {
        PositionHistory history = new PositionHistory();
        assertThat(history.reached(5)).isNegative();
        history.add(10, 1);
        history.add(9, 2);
        history.add(10, 3);
        history.add(10, 2);
        assertThat(history.reached(9)).isNegative();
        assertThat(history.time(history.reached(10))).isEqualTo(3);
        history.clear();
        assertThat(history.isEmpty()).isTrue();
    }
}

package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class LostClicksTest {
    @Test
    void more_than_was_counted_for_one_link_makes_up_for_no_other() {
        LostClicks clicks = LostClicks.compare(Map.of("a", 3L, "b", 2L, "c", 1L), Map.of("a", 9L, "b", 1L, "", 4L));

        assertThat(clicks).isEqualTo(new LostClicks(6, 2, 4));
    }
}

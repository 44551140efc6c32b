package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ZipfTest {
    @Test
    void the_share_of_a_rank_is_inverse_to_it() {
        Zipf zipf = new Zipf(100);
        Random random = new Random(1);
        int[] drawn = new int[100];
        for (int i = 0; i < 1_000_000; i++) {
            drawn[zipf.draw(random)]++;
        }

        double harmonic = 5.187; // the sum of 1/k for k from 1 to 100
        assertThat(drawn[0] / 1e6).isCloseTo(1 / harmonic, within(0.002));
        assertThat(drawn[9] / 1e6).isCloseTo(0.1 / harmonic, within(0.002));
        assertThat(drawn[99] / 1e6).isCloseTo(0.01 / harmonic, within(0.001));
    }

    @Test
    void a_single_rank_is_always_drawn() {
        assertThat(new Zipf(1).draw(new Random(1))).isZero();
    }
}

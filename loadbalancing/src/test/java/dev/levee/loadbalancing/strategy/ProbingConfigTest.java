package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ProbingConfigTest {
    @Test
    void what_is_out_of_range_is_refused() {
        ProbingConfig.Builder builder = ProbingConfig.builder();
        for (double bad : new double[] {0, -1, 17, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> builder.probesPerCall(bad))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("probesPerCall")
                    .hasMessageContaining("" + bad);
        }
        for (double bad : new double[] {-0.01, 1.01, Double.NaN}) {
            assertThatThrownBy(() -> builder.hotQuantile(bad))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("hotQuantile");
        }
        assertThatThrownBy(() -> builder.poolSize(1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.poolSize(65)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.maxAge(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.timeout(Duration.ofMillis(-1))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_configuration_can_be_changed_for_another() {
        ProbingConfig config = ProbingConfig.builder()
                .probesPerCall(1)
                .poolSize(8)
                .hotQuantile(0.5)
                .maxAge(Duration.ofSeconds(5))
                .timeout(Duration.ofMillis(3))
                .build()
                .toBuilder()
                .poolSize(9)
                .build();
        assertThat(config.probesPerCall()).isEqualTo(1);
        assertThat(config.poolSize()).isEqualTo(9);
        assertThat(config.hotQuantile()).isEqualTo(0.5);
        assertThat(config.maxAge()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.timeout()).isEqualTo(Duration.ofMillis(3));
        assertThat(config.maxAgeNanos()).isEqualTo(5_000_000_000L);
        assertThat(config.timeoutNanos()).isEqualTo(3_000_000L);
        assertThat(config.probe()).isNull();
        assertThat(config.responses()).isNull();
    }

    @Test
    void a_strategy_is_built_from_a_configuration() {
        ProbingConfig config = ProbingConfig.builder().responses(result -> null).build();
        assertThat(config.toBuilder().build().responses()).isSameAs(config.responses());
        assertThat(BalancingStrategy.probing(config)).hasToString("probing by responses");
    }

    @Test
    @SuppressWarnings("NullAway") // that is what is tested
    void null_is_refused_by_name() {
        ProbingConfig none = null;
        Consumer<ProbingConfig.Builder> nothing = null;
        assertThatThrownBy(() -> BalancingStrategy.probing(none))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("config");
        assertThatThrownBy(() -> BalancingStrategy.probing(nothing))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("configure");
        assertThatThrownBy(() -> BalancingStrategy.priority(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("inner");
        assertThatThrownBy(() -> BalancingStrategy.sticky(null, 1))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("forNewKeys");
        assertThatThrownBy(() -> BalancingStrategy.leastTime(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("decay");
    }
}

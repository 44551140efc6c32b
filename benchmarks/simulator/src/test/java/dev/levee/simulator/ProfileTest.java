package dev.levee.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProfileTest {

    @Test
    void draws_from_measured_latencies() {
        Profile profile = Profile.of(List.of("# ms", "30", "10 # fast", "", "20"));

        assertThat(profile.millisAt(0)).isEqualTo(10);
        assertThat(profile.millisAt(0.5)).isEqualTo(20);
        assertThat(profile.millisAt(1)).isEqualTo(30);
    }

    @Test
    void interpolates_between_quantiles() {
        Profile profile = Profile.of(List.of("0.5 10", "0.99 108", "0 2"));

        assertThat(profile.millisAt(0.25)).isEqualTo(6);
        assertThat(profile.millisAt(0.5)).isEqualTo(10);
        assertThat(profile.millisAt(1)).isEqualTo(108);
    }

    @Test
    void refuses_what_is_no_profile() {
        assertThatIllegalArgumentException().isThrownBy(() -> Profile.of(List.of("# nothing")));
        assertThatIllegalArgumentException().isThrownBy(() -> Profile.of(List.of("1", "2 3")));
        assertThatIllegalArgumentException().isThrownBy(() -> Profile.of(List.of("fast")));
    }
}

package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.ShortForms;
import org.junit.jupiter.api.Test;

/** The static factories of this module. */
class RedisShortFormsTest {

    /** A test in manual time needs no longer form than the code that it tests. */
    @Test
    void every_short_form_has_one_with_an_environment() {
        assertThat(ShortForms.missing(RedisQuotaStore.class)).isEmpty();
    }
}

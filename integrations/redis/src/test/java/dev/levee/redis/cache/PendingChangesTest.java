package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.redis.cache.PendingChanges.ChangedKey;
import dev.levee.redis.cache.PendingChanges.PendingChange;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PendingChangesTest {
    private final PendingChanges pending = new PendingChanges(2);

    private static ChangedKey key(String name) {
        return new ChangedKey(ByteBuffer.wrap(name.getBytes(StandardCharsets.UTF_8)), false);
    }

    @Test
    void are_told_in_their_order() {
        pending.add(key("a"));
        pending.add(key("b"));
        PendingChange first = pending.first();
        assertThat(first.of()).isEqualTo(key("a"));
        assertThat(pending.first()).isEqualTo(first);
        pending.told(first);
        assertThat(pending.first().of()).isEqualTo(key("b"));
        pending.told(pending.first());
        assertThat(pending.first()).isNull();
        assertThat(pending.size()).isZero();
    }

    @Test
    void one_that_is_added_again_while_it_is_told_is_told_again() {
        pending.add(key("a"));
        PendingChange told = pending.first();
        pending.add(key("a")); // of a change that came after what Redis was told of
        pending.told(told);
        assertThat(pending.size()).isEqualTo(1);
        pending.told(pending.first());
        assertThat(pending.size()).isZero();
    }

    @Test
    void that_of_all_keys_which_is_added_again_while_it_is_told_is_told_again() {
        pending.addAll();
        PendingChange told = pending.first();
        pending.addAll();
        pending.told(told);
        assertThat(pending.first().of()).isNull();
        pending.told(pending.first());
        assertThat(pending.first()).isNull();
    }

    @Test
    void more_than_may_wait_are_one_of_all_keys() {
        pending.add(key("a"));
        PendingChange told = pending.first();
        pending.add(key("b"));
        pending.add(key("c"));
        assertThat(pending.size()).isEqualTo(2);
        pending.told(told);
        assertThat(pending.first().of()).isNull();
    }
}

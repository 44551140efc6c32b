package dev.levee.contextpropagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.ContextCarrier;
import dev.levee.core.Environment;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Retry;
import dev.levee.core.testing.ManualTime;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshotFactory;
import io.micrometer.context.ThreadLocalAccessor;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PropagatedContextTest {
    private static final ThreadLocal<String> USER = new ThreadLocal<>();
    private static final ThreadLocal<String> LOCALE = new ThreadLocal<>();

    private final ManualTime time = new ManualTime();
    private final Queue<Runnable> handed = new ArrayDeque<>();
    private final Environment environment = time.environment().toBuilder()
            .executor(handed::add)
            .context(PropagatedContext.carrier())
            .build();

    @BeforeEach
    void register() {
        ContextRegistry.getInstance().registerThreadLocalAccessor("user", USER);
        ContextRegistry.getInstance().registerThreadLocalAccessor("locale", LOCALE);
    }

    @AfterEach
    void remove() {
        ContextRegistry.getInstance().removeThreadLocalAccessor("user");
        ContextRegistry.getInstance().removeThreadLocalAccessor("locale");
        USER.remove();
        LOCALE.remove();
    }

    @Test
    void what_is_registered_is_seen_by_each_attempt_and_the_thread_gets_back_its_own() {
        Retry retry = Retry.of(
                "catalog", config -> config.maxAttempts(3).backoff(Backoff.fixed(Duration.ofMillis(1))), environment);
        List<String> seen = new ArrayList<>();
        List<CompletableFuture<String>> stages = new ArrayList<>();
        USER.set("caller");
        CompletableFuture<String> call = retry.callAsync(() -> {
            seen.add(USER.get() + " " + LOCALE.get());
            CompletableFuture<String> stage = new CompletableFuture<>();
            stages.add(stage);
            return stage;
        });
        USER.remove();
        LOCALE.set("that of the thread");
        for (int i = 0; i < 2; i++) {
            stages.get(i).completeExceptionally(new IOException("down"));
            time.advance(Duration.ofMillis(1));
            handed.remove().run();
        }
        stages.get(2).complete("answer");

        assertThat(call).isCompletedWithValue("answer");
        assertThat(seen).hasSize(3).containsOnly("caller null");
        assertThat(USER.get()).isNull();
        assertThat(LOCALE.get()).isEqualTo("that of the thread");
    }

    @Test
    void an_accessor_that_throws_leaves_nothing_on_the_thread_for_its_next_task() {
        for (boolean atClose : new boolean[] {false, true}) {
            FailingAccessor failing = new FailingAccessor(atClose);
            ContextRegistry.getInstance().registerThreadLocalAccessor(failing);
            try {
                USER.set("caller");
                ContextCarrier.Captured captured = PropagatedContext.carrier().capture();
                USER.remove();
                LOCALE.set("that of the thread");
                assertThatThrownBy(() -> captured.restore().close()).hasMessage("failing");
                assertThat(USER.get()).isNull();
                assertThat(LOCALE.get()).isEqualTo("that of the thread");
            } finally {
                ContextRegistry.getInstance().removeThreadLocalAccessor(failing.key());
            }
        }
    }

    @Test
    void a_factory_says_what_is_carried() {
        ContextSnapshotFactory factory = ContextSnapshotFactory.builder()
                .clearMissing(true)
                .captureKeyPredicate(key -> key.equals("user"))
                .build();
        Environment chosen = time.environment().toBuilder()
                .context(PropagatedContext.carrier(factory))
                .build();
        USER.set("caller");
        LOCALE.set("that of the caller");
        Runnable task = chosen.carry(() -> assertThat(USER.get()).isEqualTo("caller"));
        USER.set("stranger");

        task.run();

        assertThat(USER.get()).isEqualTo("stranger");
        assertThatNullPointerException().isThrownBy(() -> PropagatedContext.carrier(null));
    }

    /** Throws when a value is set, or when that of before comes back. */
    private record FailingAccessor(boolean atClose) implements ThreadLocalAccessor<String> {
        @Override
        public Object key() {
            return "failing";
        }

        @Override
        public String getValue() {
            return "value";
        }

        @Override
        public void setValue(String value) {
            if (!atClose) {
                throw new IllegalStateException("failing");
            }
        }

        @Override
        public void setValue() {
            setValue("");
        }

        @Override
        public void restore(String value) {
            throw new IllegalStateException("failing");
        }
    }
}

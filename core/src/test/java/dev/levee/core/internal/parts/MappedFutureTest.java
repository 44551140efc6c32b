package dev.levee.core.internal.parts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class MappedFutureTest {
    private final CompletableFuture<String> from = new CompletableFuture<>();
    private final MappedFuture<Integer> length = MappedFuture.of(from, String::length);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    @Test
    void is_what_the_function_makes() {
        from.complete("four");
        assertThat(length).isCompletedWithValue(4);
    }

    @Test
    void fails_with_the_failure_itself() {
        IOException reset = new IOException("reset");
        MappedFuture<Integer> ofDependent = MappedFuture.of(from.thenApply(each -> each), String::length);
        ofDependent.whenComplete((result, thrown) -> failure.set(thrown));

        from.completeExceptionally(reset);

        assertThat(failure).hasValue(reset);
    }

    @Test
    void fails_with_what_the_function_throws() {
        length.whenComplete((result, thrown) -> failure.set(thrown));
        from.complete(null);
        assertThat(failure.get()).isInstanceOf(NullPointerException.class);
    }

    @Test
    void a_cancel_goes_on_to_the_other() {
        assertThat(length.cancel(true)).isTrue();
        assertThat(from).isCancelled();
    }

    @Test
    void what_is_done_cancels_nothing() {
        length.complete(7);
        assertThat(length.cancel(true)).isFalse();
        assertThat(from).isNotDone();
    }
}

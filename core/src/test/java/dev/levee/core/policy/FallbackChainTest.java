package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A fallback with several sources: cache, then replica, then a value. */
class FallbackChainTest {
    private final ManualTime time = new ManualTime();
    private final RecordingListener heard = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(heard).build();
    private final IOException down = new IOException("down");
    private final RuntimeException noCache = new IllegalStateException("no cache");
    private final RuntimeException noReplica = new IllegalArgumentException("no replica");
    private final List<String> asked = new ArrayList<>();
    private final Operation<String, IOException> failing = () -> {
        throw down;
    };

    private Fallback chain(Consumer<FallbackConfig.Builder> configure) {
        return Fallback.chain("f", configure, environment);
    }

    private Object ask(String source, Throwable failure) {
        asked.add(source + " " + failure.getMessage());
        throw source.equals("cache") ? noCache : noReplica;
    }

    private Map<String, Double> metrics(Fallback fallback) {
        Map<String, Double> all = new TreeMap<>();
        fallback.measure((policy, metric, value) -> all.put(metric, value));
        return all;
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isDone();
        return FutureWait.failureOf(future);
    }

    @AfterEach
    void noTimerIsLeft() {
        assertThat(time.pendingTimers()).isZero();
    }

    @Nested
    class Blocking {
        @Test
        void a_value_answers() throws IOException {
            assertThat(Fallback.value("f", "guest").call(failing)).isEqualTo("guest");
            assertThat(Fallback.value("f", null).call(failing)).isNull();
        }

        @Test
        void sources_are_asked_in_turn_with_the_original_failure_until_one_answers() throws IOException {
            Fallback fallback = chain(c -> c.then("cache", e -> ask("cache", e))
                    .then("replica", e -> "from replica")
                    .thenValue("default", "none"));
            assertThat(fallback.call(failing)).isEqualTo("from replica");
            assertThat(asked).containsExactly("cache down");
        }

        @Test
        void the_source_that_answered_is_published_and_counted() throws IOException {
            Fallback fallback = chain(c -> c.then("cache", e -> ask("cache", e)).thenValue("default", "none"));
            fallback.call(failing);
            fallback.call(() -> "fresh");
            assertThat(heard.events()).containsExactly("fallback f degraded by default: java.io.IOException: down");
            assertThat(metrics(fallback))
                    .containsEntry("fallback.degraded", 1.0)
                    .containsEntry("fallback.substitutes.cache", 0.0)
                    .containsEntry("fallback.substitutes.default", 1.0)
                    .containsEntry("fallback.failed", 0.0);
        }

        @Test
        void if_none_answers_the_last_failure_carries_the_original_and_the_others() {
            Fallback fallback = chain(c -> c.then("cache", e -> ask("cache", e)).then("replica", e -> {
                throw new IllegalArgumentException("no replica");
            }));
            Throwable thrown = catchThrowable(() -> fallback.call(failing));
            assertThat(thrown).hasMessage("no replica");
            assertThat(thrown.getSuppressed()).containsExactly(down, noCache);
            assertThat(metrics(fallback)).containsEntry("fallback.failed", 1.0);
            assertThat(heard.events()).isEmpty();
        }

        @Test
        void a_source_may_throw_the_original_again() {
            Fallback fallback = chain(c -> c.then("cache", e -> {
                throw Unchecked.<RuntimeException>asDeclared(e);
            }));
            assertThat(catchThrowable(() -> fallback.call(failing))).isSameAs(down);
            assertThat(down.getSuppressed()).isEmpty();
        }

        @Test
        void only_failures_of_a_chosen_class_are_replaced() {
            Fallback fallback = chain(c -> c.when(IllegalStateException.class).thenValue("default", "none"));
            assertThat(catchThrowable(() -> fallback.call(failing))).isSameAs(down);
        }

        @Test
        void an_error_in_a_source_ends_the_chain() {
            Fallback fallback = chain(c -> c.then("cache", e -> {
                        throw new StackOverflowError();
                    })
                    .thenValue("default", "none"));
            assertThat(catchThrowable(() -> fallback.call(failing)))
                    .isInstanceOf(StackOverflowError.class)
                    .hasSuppressedException(down);
        }

        @Test
        void an_asynchronous_source_is_waited_for() throws Exception {
            CompletableFuture<String> replica = new CompletableFuture<>();
            Fallback fallback = chain(c -> c.thenAsync("replica", e -> replica));
            List<Object> results = new ArrayList<>();
            Thread caller = time.start(() -> results.add(catchOrGet(fallback)));
            time.awaitSleepers(1);
            replica.complete("late");
            caller.join();
            assertThat(results).containsExactly("late");
        }

        private Object catchOrGet(Fallback fallback) {
            try {
                return fallback.call(failing);
            } catch (Throwable thrown) {
                return thrown;
            }
        }

        @Test
        void an_asynchronous_source_is_not_waited_for_after_the_deadline() throws IOException {
            time.autoAdvance();
            CompletableFuture<String> replica = new CompletableFuture<>();
            Fallback fallback = chain(c -> c.thenAsync("replica", e -> replica).thenValue("default", "none"));
            Deadline deadline = Deadline.after(Duration.ofSeconds(1), environment.clock());
            String result = CallContext.current().withDeadline(deadline).call(() -> fallback.call(failing));
            assertThat(result).isEqualTo("none");
            assertThat(replica).isCancelled();
            assertThat(time.elapsed()).isEqualTo(Duration.ofSeconds(1));
        }

        @ParameterizedTest
        @ValueSource(booleans = {false, true})
        void it_is_not_waited_for_after_the_deadline_of_an_asynchronous_call_either(boolean onExecutor) {
            CompletableFuture<String> replica = new CompletableFuture<>();
            Fallback fallback = chain(c -> c.thenAsync("replica", e -> replica).thenValue("default", "none"));
            Fallback alone = chain(c -> c.thenAsync("replica", e -> new CompletableFuture<>()));
            CallContext context =
                    CallContext.current().withDeadline(Deadline.after(Duration.ofSeconds(1), environment.clock()));
            List<CompletableFuture<String>> results = Stream.of(fallback, alone)
                    .map(each -> context.call(() -> onExecutor
                            ? each.callAsync(Runnable::run, failing)
                            : each.callAsync(() -> CompletableFuture.<String>failedFuture(down))))
                    .toList();
            time.advance(Duration.ofMillis(999));
            assertThat(results).noneMatch(CompletableFuture::isDone);
            time.advance(Duration.ofMillis(1));
            assertThat(results.get(0)).isCompletedWithValue("none");
            assertThat(results.get(1)).isCompletedExceptionally();
            assertThat(catchThrowable(results.get(1)::join))
                    .hasRootCauseMessage(
                            "fallback \"f\": source \"replica\" had no answer when the deadline of the call"
                                    + " passed");
            assertThat(replica).isCancelled();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void no_timer_is_left_of_a_source_that_answers_in_time() {
            CompletableFuture<String> replica = new CompletableFuture<>();
            Fallback fallback = chain(c -> c.thenAsync("replica", e -> replica));
            CompletableFuture<String> result = CallContext.current()
                    .withDeadline(Deadline.after(Duration.ofSeconds(1), environment.clock()))
                    .call(() -> fallback.callAsync(() -> CompletableFuture.<String>failedFuture(down)));
            assertThat(time.pendingTimers()).isEqualTo(1);
            replica.complete("from the replica");
            assertThat(result).isCompletedWithValue("from the replica");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void an_interrupt_cancels_the_source_and_keeps_both_failures() {
            CompletableFuture<String> replica = new CompletableFuture<>();
            Fallback fallback = chain(c -> c.thenAsync("replica", e -> replica).thenValue("default", "none"));
            Thread.currentThread().interrupt();
            Throwable thrown = catchThrowable(() -> fallback.call(failing));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(thrown).isSameAs(down);
            assertThat(down).as("not made by this call").hasNoSuppressedExceptions();
            assertThat(replica).isCancelled();
        }

        @Test
        void an_interruptible_call_throws_the_interrupt_itself() {
            Fallback fallback = chain(c -> c.thenAsync("replica", e -> new CompletableFuture<>()));
            Thread.currentThread().interrupt();
            Throwable thrown = catchThrowable(() -> fallback.callInterruptibly(() -> {
                throw down;
            }));
            assertThat(thrown).isInstanceOf(InterruptedException.class).hasSuppressedException(down);
            assertThat(Thread.interrupted()).isFalse();
        }
    }

    @Nested
    class Asynchronous {
        private final CompletableFuture<String> cache = new CompletableFuture<>();
        private final CompletableFuture<String> replica = new CompletableFuture<>();
        private final Fallback fallback = chain(c -> c.thenAsync("cache", e -> cache)
                .then("middle", e -> ask("replica", e))
                .thenAsync("replica", e -> replica));

        private CompletableFuture<String> fail() {
            return CompletableFuture.failedFuture(down);
        }

        @Test
        void no_thread_waits_while_sources_are_asked() {
            CompletableFuture<String> future = fallback.callAsync(this::fail);
            assertThat(future).isNotDone();
            cache.completeExceptionally(noCache);
            assertThat(asked).containsExactly("replica down");
            replica.complete("yes");
            assertThat(future).isCompletedWithValue("yes");
            assertThat(heard.events()).containsExactly("fallback f degraded by replica: java.io.IOException: down");
        }

        @Test
        void if_none_answers_the_last_failure_is_given_as_it_is() {
            CompletableFuture<String> future = fallback.callAsync(this::fail);
            cache.completeExceptionally(noCache);
            RuntimeException last = new IllegalStateException("last");
            replica.completeExceptionally(last);
            assertThat(failureOf(future)).isSameAs(last);
            assertThat(last).hasNoSuppressedExceptions();
        }

        @Test
        void a_cancel_reaches_the_source_that_runs_and_asks_no_other() {
            CompletableFuture<String> future = fallback.callAsync(this::fail);
            future.cancel(true);
            assertThat(cache).isCancelled();
            assertThat(asked).isEmpty();
            assertThat(heard.events()).isEmpty();
        }

        @Test
        void a_cancel_from_further_out_ends_when_the_source_has_ended() {
            Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), environment);
            CompletableFuture<String> future = Pipeline.of(timeout, fallback).callAsync(this::fail);
            time.advance(Duration.ofSeconds(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
            assertThat(cache).isCancelled();
            assertThat(asked).isEmpty();
        }

        @Test
        void a_source_that_is_cancelled_by_itself_ends_the_chain() {
            CompletableFuture<String> future = fallback.callAsync(this::fail);
            cache.cancel(true);
            assertThat(failureOf(future)).isInstanceOf(CancellationException.class);
        }

        @Test
        void a_source_without_a_stage_is_a_source_that_fails() {
            CompletableFuture<String> future = chain(
                            c -> c.thenAsync("none", e -> null).thenValue("default", "yes"))
                    .callAsync(this::fail);
            assertThat(future).isCompletedWithValue("yes");
        }

        @Test
        void sources_see_the_context_of_the_call() {
            CompletableFuture<String> work = new CompletableFuture<>();
            Fallback attempt = chain(c -> c.then(
                            "attempt", e -> "attempt " + CallContext.current().attempt())
                    .thenValue("default", "no"));
            CompletableFuture<String> future =
                    CallContext.current().withAttempt(3).call(() -> attempt.callAsync(() -> work));
            work.completeExceptionally(down);
            assertThat(future).isCompletedWithValue("attempt 3");
        }
    }

    @Nested
    class Settings {
        @Test
        void without_a_source_or_with_two_of_one_name_are_refused() {
            assertThatThrownBy(() -> chain(c -> {}))
                    .hasMessage("fallback \"f\": number of sources must be from 1 to 7, but was 0");
            assertThatThrownBy(() -> chain(c -> c.thenValue("a", 1).thenValue("a", 2)))
                    .hasMessage("fallback \"f\": names of sources must differ, but \"a\" is there twice");
        }

        @Test
        void survive_the_round_trip() {
            FallbackConfig config = FallbackConfig.builder().thenValue("a", 1).build();
            assertThat(config.toBuilder().thenValue("b", 2).build().sources()).containsExactly("a", "b");
            assertThat(config.sources()).containsExactly("a");
        }

        @Test
        void can_be_read() {
            Predicate<Throwable> when = IOException.class::isInstance;
            Function<Throwable, Object> now = error -> 1;
            Function<Throwable, CompletableFuture<Object>> later = error -> CompletableFuture.completedFuture(2);
            FallbackConfig config = FallbackConfig.builder()
                    .when(when)
                    .then("now", now)
                    .thenAsync("later", later)
                    .build();
            assertThat(config.when()).isSameAs(when);
            assertThat(config.source("now")).isSameAs(now);
            assertThat(config.source("later")).isNull();
            assertThat(config.asyncSource("later")).isSameAs(later);
            assertThat(config.asyncSource("now")).isNull();
            assertThatThrownBy(() -> config.source("other"))
                    .hasMessage("name must be one of [now, later], but was \"other\"");
        }
    }
}

package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Invocation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A fallback around a wrapped client, which knows the method and the arguments. */
class FallbackByCallTest {
    private static final ManualTime TIME = new ManualTime();
    private static final Environment ENVIRONMENT = TIME.environment();

    private final IOException down = new IOException("down");
    private final Client failing = new FailingClient();

    interface Client {
        String name(String id) throws IOException, InterruptedException;

        int stock(String id, int... sizes) throws IOException;

        void ping() throws IOException;

        CompletableFuture<String> nameLater(String id);

        CompletionStage<Integer> stockLater(String id);

        Future<String> nameSome(String id);
    }

    private class FailingClient implements Client {
        @Override
        public String name(String id) throws IOException {
            throw down;
        }

        @Override
        public int stock(String id, int... sizes) throws IOException {
            throw down;
        }

        @Override
        public void ping() throws IOException {
            throw down;
        }

        @Override
        public CompletableFuture<String> nameLater(String id) {
            return CompletableFuture.failedFuture(down);
        }

        @Override
        public CompletionStage<Integer> stockLater(String id) {
            return CompletableFuture.failedFuture(down);
        }

        @Override
        public Future<String> nameSome(String id) {
            return CompletableFuture.failedFuture(down);
        }
    }

    private static final class Stale implements Client {
        @Override
        public String name(String id) {
            return "stale " + id;
        }

        @Override
        public int stock(String id, int... sizes) {
            return sizes.length;
        }

        @Override
        public void ping() {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<String> nameLater(String id) {
            return CompletableFuture.completedFuture("later " + id);
        }

        @Override
        public CompletionStage<Integer> stockLater(String id) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Future<String> nameSome(String id) {
            FutureTask<String> task = new FutureTask<>(() -> "some " + id);
            task.run();
            return task;
        }
    }

    @Nested
    class Another_client {
        private final Client safe =
                Fallback.client("f", Client.class, new Stale(), ENVIRONMENT).wrap(Client.class, failing);

        @Test
        void is_asked_for_the_same_method_with_the_same_arguments() throws Exception {
            assertThat(safe.name("a")).isEqualTo("stale a");
            assertThat(safe.stock("a", 1, 2, 3)).isEqualTo(3);
            assertThat(safe.stock("a")).isZero();
            assertThat(safe.nameLater("a")).isCompletedWithValue("later a");
            assertThat(safe.nameSome("a").get()).isEqualTo("some a");
        }

        @Test
        void lets_the_failure_through_for_a_method_that_it_does_not_support() {
            assertThat(catchThrowable(safe::ping)).isSameAs(down);
            assertThat(FutureWait.failureOf(safe.stockLater("a").toCompletableFuture()))
                    .isSameAs(down);
        }

        @Test
        void must_have_the_interface_that_is_wrapped() {
            Policy other = Fallback.client("f", Supplier.class, () -> "x", ENVIRONMENT);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> other.wrap(Client.class, failing))
                    .withMessageContaining("fallback \"f\": source \"f\"")
                    .withMessageContaining("which has no Client.");
        }

        @Test
        void must_be_there_and_have_an_interface() {
            assertThatThrownBy(() -> Fallback.client("f", Client.class, null)).hasMessage("substitute");
            assertThatThrownBy(() -> Fallback.client("f", null, failing)).hasMessage("type");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Fallback.client("f", String.class, "x"))
                    .withMessage("type must be an interface, but was java.lang.String");
        }

        @Test
        void is_no_answer_for_calls_that_are_made_in_another_way() {
            Policy fallback = Fallback.client("f", Client.class, new Stale(), ENVIRONMENT);
            assertThatThrownBy(() -> fallback.call(() -> {
                        throw down;
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("wrapped clients")
                    .hasSuppressedException(down);
        }
    }

    private List<Object> seen(Invocation call) {
        List<Object> all = new ArrayList<>(List.of(call.method().getName()));
        call.arguments().forEach(each -> all.add(each instanceof int[] numbers ? Arrays.toString(numbers) : each));
        all.add(call.resultType());
        return all;
    }

    @Nested
    class A_source {
        @Test
        void sees_the_method_its_arguments_and_the_failure() throws Exception {
            List<Object> calls = new ArrayList<>();
            Fallback fallback = Fallback.chain(
                    "f",
                    c -> c.thenFor("each", (call, failure) -> {
                        calls.add(seen(call));
                        assertThat(failure).isSameAs(down);
                        return call.resultType() == String.class ? "text" : 7;
                    }),
                    ENVIRONMENT);
            Client safe = fallback.wrap(Client.class, failing);
            assertThat(safe.name(null)).isEqualTo("text");
            assertThat(safe.stock("b", 1, 2)).isEqualTo(7);
            safe.ping();
            assertThat(safe.nameLater("c")).isCompletedWithValue("text");
            assertThat(safe.stockLater("d").toCompletableFuture()).isCompletedWithValue(7);
            assertThat(safe.nameSome("e").get()).isEqualTo("text");
            assertThat(calls)
                    .containsExactly(
                            Arrays.asList("name", null, String.class),
                            List.of("stock", "b", "[1, 2]", int.class),
                            List.of("ping", void.class),
                            List.of("nameLater", "c", String.class),
                            List.of("stockLater", "d", Integer.class),
                            List.of("nameSome", "e", String.class));
        }

        @Test
        void cannot_change_the_arguments() throws Exception {
            Fallback fallback = Fallback.chain(
                    "f",
                    c -> c.thenFor("each", (call, failure) -> {
                        call.arguments().set(0, "other");
                        return "text";
                    }));
            assertThatThrownBy(() -> fallback.wrap(Client.class, failing).name("a"))
                    .isInstanceOf(UnsupportedOperationException.class);
        }

        @Test
        void whose_answer_does_not_fit_is_named_and_the_next_is_asked() throws Exception {
            Fallback fallback = Fallback.chain(
                    "f",
                    c -> c.then("numbers", failure -> 1)
                            .thenAsync("later", failure -> CompletableFuture.completedFuture(2))
                            .thenFor("each", (call, failure) -> call.arguments().get(0)),
                    ENVIRONMENT);
            Client safe = fallback.wrap(Client.class, failing);
            assertThat(safe.name("a")).isEqualTo("a");
            assertThat(safe.nameLater("b")).isCompletedWithValue("b");
        }

        @Test
        void whose_answer_does_not_fit_fails_the_call_by_its_name() {
            Client safe = Fallback.of("f", failure -> "text", ENVIRONMENT).wrap(Client.class, failing);
            String message = "fallback \"f\": source \"f\" answers with a java.lang.String, but ";
            assertThatThrownBy(() -> safe.stock("a"))
                    .isInstanceOf(ClassCastException.class)
                    .hasMessage(message + "Client.stock(String, int[]) needs a int")
                    .hasSuppressedException(down);
            assertThat(FutureWait.failureOf(safe.stockLater("a").toCompletableFuture()))
                    .isInstanceOf(ClassCastException.class)
                    .hasMessage(message + "Client.stockLater(String) needs a java.lang.Integer")
                    .hasSuppressedException(down);
            assertThatThrownBy(() -> Fallback.of("f", failure -> null, ENVIRONMENT)
                            .wrap(Client.class, failing)
                            .stock("a"))
                    .hasMessageContaining("answers with null");
        }
    }

    @Nested
    class A_value {
        @Test
        void that_does_not_fit_a_method_is_refused_when_the_client_is_wrapped() {
            Policy guard = Pipeline.of(Fallback.value("guest", "guest"), Retry.of("r"));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> guard.wrap(Client.class, failing))
                    .withMessageContaining("fallback \"guest\": source \"guest\" answers with a java.lang.String")
                    .withMessageContaining("Client.stock");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Policy.wrap(
                            Client.class,
                            failing,
                            method -> method.getName().equals("stock") ? Fallback.value("none", null) : null))
                    .withMessageContaining("answers with null");
        }

        @Test
        void that_fits_its_methods_is_not() throws Exception {
            Client safe = Policy.wrap(Client.class, failing, method -> switch (method.getName()) {
                case "stock", "stockLater" -> Fallback.value("stock", 0);
                default -> Fallback.value("name", "guest");
            });
            assertThat(safe.name("a")).isEqualTo("guest");
            assertThat(safe.stock("a")).isZero();
            safe.ping();
            assertThat(safe.nameLater("a")).isCompletedWithValue("guest");
            assertThat(safe.stockLater("a").toCompletableFuture()).isCompletedWithValue(0);
        }
    }

    static Stream<Policy> insideAndOutside() {
        return Stream.of(
                Retry.of("r", c -> c.maxAttempts(1), ENVIRONMENT),
                Timeout.of("t", Duration.ofHours(1), ENVIRONMENT),
                Hedge.of("h", c -> c.maxAttempts(1), ENVIRONMENT),
                Bulkhead.of("b", 3, ENVIRONMENT),
                Fallback.of("other", failure -> failure instanceof Error, failure -> "never", ENVIRONMENT),
                Faults.of("faults", ENVIRONMENT),
                Translate.of("translate", failure -> null, ENVIRONMENT));
    }

    @ParameterizedTest
    @MethodSource("insideAndOutside")
    void the_call_is_seen_through_every_policy(Policy other) throws Exception {
        Fallback fallback = Fallback.client("f", Client.class, new Stale(), ENVIRONMENT);
        for (Policy guard : List.of(Pipeline.of(other, fallback), Pipeline.of(fallback, other))) {
            Client safe = guard.wrap(Client.class, failing);
            assertThat(safe.name("a")).isEqualTo("stale a");
            assertThat(safe.stock("a", 1)).isOne();
            assertThat(safe.nameLater("a")).isCompletedWithValue("later a");
        }
    }

    @Test
    void the_call_is_seen_through_a_policy_that_is_neither_gate_nor_around() throws Exception {
        Policy plain = new PlainPolicy();
        Fallback fallback = Fallback.client("f", Client.class, new Stale(), plain.environment());
        Client safe = Pipeline.of(plain, fallback).wrap(Client.class, failing);
        assertThat(safe.name("a")).isEqualTo("stale a");
        assertThat(safe.stock("a", 1)).isOne();
        assertThat(safe.nameLater("a")).isCompletedWithValue("later a");
    }

    private static final class PlainPolicy implements Policy {
        @Override
        public String name() {
            return "plain";
        }

        @Override
        public <T, X extends Throwable> T call(dev.levee.core.Operation<T, X> operation) throws X {
            return operation.run();
        }

        @Override
        public <T> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation) {
            return operation.get().toCompletableFuture();
        }
    }

    @Test
    void an_around_of_a_user_finds_the_call() throws Exception {
        List<String> names = new ArrayList<>();
        Around around = new Around() {
            @Override
            public <T, X extends Throwable> T around(
                    dev.levee.core.Inner inner, dev.levee.core.Operation<T, X> operation) throws X {
                names.add(((Invocation) operation).method().getName());
                return inner.call(operation);
            }

            @Override
            public <T> CompletableFuture<T> aroundAsync(
                    dev.levee.core.Inner inner, Supplier<? extends CompletionStage<T>> operation) {
                names.add(((Invocation) operation).method().getName());
                return inner.callAsync(operation);
            }

            @Override
            public String name() {
                return "own";
            }
        };
        Client safe = around.wrap(Client.class, new Stale());
        assertThat(safe.name("a")).isEqualTo("stale a");
        assertThat(safe.nameLater("a")).isCompletedWithValue("later a");
        assertThat(names).containsExactly("name", "nameLater");
    }
}

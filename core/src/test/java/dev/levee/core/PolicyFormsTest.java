package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** How calls are written: this file is proof by the compiler as much as by running. */
class PolicyFormsTest {
    private final Bulkhead policy = Bulkhead.of("forms", 1);

    @Nested
    class Inference {
        @Test
        void of_one_checked_exception() {
            SQLException thrown = new SQLException("gone");
            try {
                policy.call(() -> query(thrown));
            } catch (SQLException caught) {
                assertThat((Throwable) caught).isSameAs(thrown);
            }
        }

        private String query(SQLException thrown) throws SQLException {
            throw thrown;
        }

        @Test
        void of_a_checked_exception_and_an_interrupt() throws InterruptedException {
            IOException thrown = new IOException("gone");
            try {
                policy.callInterruptibly(() -> read(thrown));
            } catch (IOException caught) {
                assertThat(caught).isSameAs(thrown);
            }
        }

        private String read(IOException thrown) throws IOException, InterruptedException {
            throw thrown;
        }

        @Test
        void of_none() {
            String result = policy.call(() -> "yes");
            assertThat(result).isEqualTo("yes");
        }

        @Test
        void of_a_null_result() {
            String result = policy.call(() -> null);
            assertThat(result).isNull();
        }

        @Test
        void of_an_action_with_and_without_a_checked_exception() {
            List<String> ran = new ArrayList<>();
            policy.run(() -> ran.add("plain"));
            try {
                policy.run(() -> write(ran));
            } catch (IOException expected) {
                ran.add(expected.getMessage());
            }
            assertThat(ran).containsExactly("plain", "checked", "disk");
        }

        private void write(List<String> ran) throws IOException {
            ran.add("checked");
            throw new IOException("disk");
        }
    }

    @Nested
    class Functional {
        @Test
        void forms_run_under_the_policy() throws Exception {
            Supplier<Integer> supplier = policy.decorateSupplier(policy::inFlight);
            Callable<Integer> callable = policy.decorateCallable(policy::inFlight);
            Function<Integer, Integer> function = policy.decorateFunction(add -> policy.inFlight() + add);
            Supplier<CompletableFuture<Integer>> stage =
                    policy.decorateStage(() -> CompletableFuture.completedFuture(policy.inFlight()));
            List<Integer> seen = new ArrayList<>();
            policy.decorateRunnable(() -> seen.add(policy.inFlight())).run();
            assertThat(supplier.get()).isOne();
            assertThat(callable.call()).isOne();
            assertThat(function.apply(10)).isEqualTo(11);
            assertThat(stage.get()).isCompletedWithValue(1);
            assertThat(seen).containsExactly(1);
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void a_callable_keeps_its_checked_exception() {
            IOException thrown = new IOException("disk");
            Callable<String> callable = policy.decorateCallable(() -> {
                throw thrown;
            });
            assertThat(catchThrowable(callable::call)).isSameAs(thrown);
        }
    }

    interface Client {
        String fetch(String key) throws IOException;

        CompletionStage<String> fetchStage(String key);

        CompletableFuture<String> fetchFuture(String key);

        Future<String> fetchOldFuture(String key);

        int load(int add);

        void ping() throws InterruptedException;

        default String greet(String name) {
            return "default " + name;
        }

        static String helper() {
            return "static";
        }
    }

    private class RealClient implements Client {
        private final String id;

        RealClient(String id) {
            this.id = id;
        }

        @Override
        public String fetch(String key) throws IOException {
            if (key.isEmpty()) {
                throw new IOException("no key");
            }
            return key + policy.inFlight();
        }

        @Override
        public CompletionStage<String> fetchStage(String key) {
            return CompletableFuture.completedFuture(key + policy.inFlight());
        }

        @Override
        public CompletableFuture<String> fetchFuture(String key) {
            throw new IllegalStateException("before a stage: " + key);
        }

        @Override
        public Future<String> fetchOldFuture(String key) {
            return CompletableFuture.completedFuture(key + policy.inFlight());
        }

        @Override
        public int load(int add) {
            return policy.inFlight() + add;
        }

        @Override
        public void ping() throws InterruptedException {
            throw new InterruptedException();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof RealClient real && real.id.equals(id);
        }

        @Override
        public int hashCode() {
            return id.hashCode();
        }

        @Override
        public String toString() {
            return "client " + id;
        }
    }

    @Nested
    class WrappedClients {
        private final Client real = new RealClient("a");
        private final Client safe = policy.wrap(Client.class, real);

        @Test
        void run_each_method_under_the_policy() throws Exception {
            assertThat(safe.fetch("k")).isEqualTo("k1");
            assertThat(safe.load(10)).isEqualTo(11);
            assertThat(safe.fetchStage("k").toCompletableFuture()).isCompletedWithValue("k1");
            assertThat(safe.fetchOldFuture("k").get()).isEqualTo("k1");
            assertThat(policy.inFlight()).isZero();
        }

        @Test
        void throw_what_the_target_threw() {
            assertThatThrownBy(() -> safe.fetch(""))
                    .isInstanceOf(IOException.class)
                    .hasMessage("no key");
            assertThatThrownBy(safe::ping).isInstanceOf(InterruptedException.class);
        }

        @Test
        void fail_the_future_when_a_method_throws_before_it_returns_one() {
            assertThat(safe.fetchFuture("k"))
                    .isCompletedExceptionally()
                    .failsWithin(0, java.util.concurrent.TimeUnit.SECONDS)
                    .withThrowableThat()
                    .withMessageContaining("before a stage: k");
        }

        @Test
        void refuse_in_the_form_of_the_method() throws Exception {
            policy.run(() -> {
                assertThatThrownBy(() -> safe.fetch("k")).isInstanceOf(BulkheadFullException.class);
                assertThat(safe.fetchStage("k").toCompletableFuture()).isCompletedExceptionally();
                assertThat(safe.toString()).as("not guarded").isEqualTo("client a");
            });
        }

        @Test
        void run_default_methods_of_the_target() {
            assertThat(safe.greet("you")).isEqualTo("default you");
        }

        @Test
        void equal_what_their_targets_equal() {
            Client other = policy.wrap(Client.class, new RealClient("a"));
            assertThat(safe).isEqualTo(real).isEqualTo(other).hasSameHashCodeAs(real);
            assertThat(safe).isNotEqualTo(policy.wrap(Client.class, new RealClient("b")));
            assertThat(safe.equals(null)).isFalse();
            assertThat(safe).hasToString("client a");
        }

        @Test
        void choose_a_policy_for_each_method() throws Exception {
            Client chosen =
                    Policy.wrap(Client.class, real, method -> method.getName().equals("fetch") ? policy : null);
            assertThat(chosen.fetch("k")).isEqualTo("k1");
            assertThat(chosen.load(10)).as("unguarded").isEqualTo(10);
        }

        @Test
        void must_be_interfaces() {
            assertThatThrownBy(() -> policy.wrap(String.class, "no"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("java.lang.String");
        }
    }
}

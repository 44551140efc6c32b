package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallFuture;
import dev.levee.core.Verdict;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class AsyncCallsTest {
    private final Balancers nodes = Balancers.over(BalancingStrategy.roundRobin(), 3);
    private final LoadBalancer<String> balancer = nodes.balancer;
    private final CompletableFuture<String> stage = new CompletableFuture<>();

    private List<Verdict> verdicts() {
        List<Verdict> all = new ArrayList<>();
        nodes.everyGate.forEach(gate -> all.addAll(gate.verdicts()));
        return all;
    }

    @AfterEach
    void nothing_is_left_in_flight_and_every_stamp_has_come_back_once() {
        assertThat(nodes.inFlight()).isZero();
        assertThat(nodes.gatesAreSettled()).isTrue();
    }

    @Test
    void a_call_is_in_flight_until_its_stage_has_ended() {
        CompletableFuture<String> call = balancer.forKey("key").callAsync(address -> stage);
        assertThat(nodes.inFlight()).isEqualTo(1);
        assertThat(call).isNotDone();
        stage.complete("done");
        assertThat(call).isCompletedWithValue("done");
        assertThat(verdicts()).containsExactly(Verdict.SUCCESS);
    }

    @Test
    void a_result_may_be_null() {
        assertThat(balancer.forKey(7).callAsync(address -> CompletableFuture.completedStage(null)))
                .isCompletedWithValue(null);
    }

    @Test
    void what_a_stage_fails_with_is_taken_out_of_its_wrapper() {
        IOException failure = new IOException("gone");
        CompletableFuture<String> call = balancer.callAsync(
                address -> stage.thenApply(text -> text + "!").whenComplete((text, error) -> {}));
        stage.completeExceptionally(new CompletionException(failure));
        assertThatThrownBy(call::get).isInstanceOf(ExecutionException.class).hasCause(failure);
        assertThat(verdicts()).containsExactly(Verdict.FAILURE);
    }

    @Test
    void an_exchange_that_throws_fails_the_future() {
        IllegalStateException thrown = new IllegalStateException("no");
        CompletableFuture<String> call = balancer.callAsync(address -> {
            throw thrown;
        });
        assertThatThrownBy(call::get).hasCause(thrown);
        Error error = new AssertionError("no");
        CompletableFuture<String> worse = balancer.callAsync(address -> {
            throw error;
        });
        assertThatThrownBy(worse::get).hasCause(error);
        assertThat(verdicts()).containsExactly(Verdict.FAILURE, Verdict.FAILURE);
    }

    @Test
    void an_exchange_that_returns_null_fails_the_future() {
        CompletableFuture<String> call = balancer.callAsync(address -> null);
        assertThatThrownBy(call::get).hasCauseInstanceOf(NullPointerException.class);
        assertThat(verdicts()).containsExactly(Verdict.FAILURE);
    }

    @Test
    void a_refusal_fails_the_future() {
        nodes.shut(0, 1, 2);
        assertThatThrownBy(balancer.callAsync(address -> stage)::get).hasCauseInstanceOf(NoEndpointException.class);
    }

    @Nested
    class Cancelling {
        @Test
        void cancels_the_stage_and_is_no_evidence() {
            CompletableFuture<String> call = balancer.callAsync(address -> stage);
            assertThat(call.cancel(true)).isTrue();
            assertThat(stage).isCancelled();
            assertThat(verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void is_no_evidence_whatever_the_rule_says() {
            nodes.everyGate.forEach(gate -> gate.rule = (result, error) -> Verdict.FAILURE);
            balancer.callAsync(address -> stage).cancel(true);
            assertThat(verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void holds_the_endpoint_until_work_that_cannot_be_cancelled_has_ended() {
            CompletableFuture<String> stubborn = new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean mayInterruptIfRunning) {
                    return false;
                }
            };
            CompletableFuture<String> call = balancer.callAsync(address -> stubborn);
            call.cancel(true);
            assertThat(call).isCancelled();
            assertThat(nodes.inFlight()).isEqualTo(1);
            stubborn.completeExceptionally(new IOException("late"));
            assertThat(nodes.inFlight()).isZero();
            assertThat(verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void because_of_a_timeout_is_evidence_whatever_the_work_says_later() {
            CompletableFuture<String> stubborn = new CompletableFuture<>();
            CompletableFuture<String> call = balancer.callAsync(address -> new CallFuture<>() {
                {
                    stubborn.whenComplete(this::finish);
                }
            });
            CallFuture.requestCancel(call, new TimeoutException());
            assertThat(nodes.inFlight()).isEqualTo(1);
            stubborn.complete("after all");
            assertThat(call).isCompletedWithValue("after all");
            assertThat(verdicts()).containsExactly(Verdict.FAILURE);
        }

        @Test
        void after_the_end_does_nothing() {
            CompletableFuture<String> call = balancer.callAsync(address -> stage);
            stage.complete("done");
            assertThat(call.cancel(true)).isFalse();
            assertThat(verdicts()).containsExactly(Verdict.SUCCESS);
        }

        @Test
        void shows_as_cancelled_to_code_that_waits() {
            CompletableFuture<String> call = balancer.callAsync(address -> stage);
            call.cancel(false);
            assertThatThrownBy(call::join).isInstanceOf(CancellationException.class);
        }
    }

    @Test
    void an_operation_goes_to_another_endpoint_each_time_it_is_started_also_at_the_same_time() {
        Set<String> seen = new HashSet<>();
        Supplier<CompletableFuture<String>> operation = balancer.forKey("key").operationAsync(address -> {
            seen.add(address);
            return stage;
        });
        List<CompletableFuture<String>> calls = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            calls.add(operation.get());
        }
        assertThat(seen).hasSize(3);
        assertThat(nodes.inFlight()).isEqualTo(3);
        calls.add(operation.get());
        assertThat(nodes.inFlight()).isEqualTo(4);
        stage.complete("done");
        assertThat(calls).allSatisfy(call -> assertThat(call).isCompletedWithValue("done"));
    }

    @Test
    void operations_take_no_key_and_numbers_too() {
        assertThat(balancer.operationAsync(CompletableFuture::completedStage).get())
                .isCompleted();
        assertThat(balancer.forKey(3)
                        .operationAsync(CompletableFuture::completedStage)
                        .get())
                .isCompleted();
    }
}

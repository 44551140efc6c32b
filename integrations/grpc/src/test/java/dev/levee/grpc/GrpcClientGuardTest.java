package dev.levee.grpc;

import static dev.levee.grpc.GrpcTestServer.ASK;
import static dev.levee.grpc.GrpcTestServer.CHAT;
import static dev.levee.grpc.GrpcTestServer.SAY;
import static dev.levee.grpc.GrpcTestServer.STALL;
import static dev.levee.grpc.GrpcTestServer.in;
import static dev.levee.grpc.GrpcTestServer.reply;
import static dev.levee.grpc.GrpcTestServer.until;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.ListenableFuture;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.CallContext;
import dev.levee.core.CapturedLog;
import dev.levee.core.Criticality;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GrpcClientGuardTest {
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<Verdict> verdicts = new CopyOnWriteArrayList<>();

    /** The rule, which also notes what it says of each attempt. */
    private final OutcomeRule noting = new OutcomeRule() {
        @Override
        public Verdict judge(Object result, Throwable error) {
            Verdict verdict = GrpcOutcomes.rule().judge(result, error);
            verdicts.add(verdict);
            return verdict;
        }

        @Override
        public long retryAfterNanos(Object result, Throwable error) {
            return GrpcOutcomes.rule().retryAfterNanos(result, error);
        }
    };

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private <T extends AutoCloseable> T keep(T closeable) {
        open.add(0, closeable);
        return closeable;
    }

    private GrpcTestServer server(GrpcTestServer.Answer answer) {
        return keep(new GrpcTestServer(answer));
    }

    private ManagedChannel bare(int port) {
        ManagedChannel channel = GrpcTestServer.channelTo(port);
        keep(() -> channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS));
        return channel;
    }

    private Channel guarded(int port, Policy policy) {
        return ClientInterceptors.intercept(bare(port), GrpcClientGuard.of(policy));
    }

    private Retry retry(int attempts, Duration pause) {
        return Retry.of(
                "r", c -> c.maxAttempts(attempts).backoff(Backoff.fixed(pause)).outcomes(noting));
    }

    private Retry retry() {
        return retry(3, ofMillis(1));
    }

    private static StatusRuntimeException failing(ThrowingCallable call) {
        return catchThrowableOfType(StatusRuntimeException.class, call);
    }

    private static GrpcTestServer.Answer failingFirst(int failures, Status status, Metadata trailers) {
        return (call, message, number) -> {
            if (number <= failures) {
                call.close(status, trailers);
            } else {
                reply(call, message + number);
            }
        };
    }

    @Test
    void blocking_future_and_asynchronous_stubs_are_repeated_alike() throws Exception {
        GrpcTestServer server = server((call, message, number) -> {
            if (number % 2 == 1) {
                call.close(Status.UNAVAILABLE, new Metadata());
            } else {
                reply(call, message);
            }
        });
        Channel channel = guarded(server.port(), retry());

        assertThat(ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"))
                .isEqualTo("a");
        assertThat(ClientCalls.blockingV2UnaryCall(channel, ASK, CallOptions.DEFAULT, "b"))
                .isEqualTo("b");
        assertThat(ClientCalls.futureUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "c")
                        .get(30, TimeUnit.SECONDS))
                .isEqualTo("c");
        List<String> events = new CopyOnWriteArrayList<>();
        ClientCalls.asyncUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "d", observer(events));
        until(() -> events.size() == 2);
        assertThat(events).containsExactly("d", "completed");
        assertThat(server.received).hasValue(8);
    }

    private static StreamObserver<String> observer(List<String> events) {
        return new StreamObserver<>() {
            @Override
            public void onNext(String value) {
                events.add(value);
            }

            @Override
            public void onError(Throwable t) {
                events.add("failed");
            }

            @Override
            public void onCompleted() {
                events.add("completed");
            }
        };
    }

    /** Notes what a listener gets, and on which thread. */
    private static final class Noting extends ClientCall.Listener<String> {
        final List<String> events = new CopyOnWriteArrayList<>();
        final List<String> threads = new CopyOnWriteArrayList<>();
        final AtomicReference<Status> status = new AtomicReference<>();

        @Override
        public void onHeaders(Metadata headers) {
            add("headers " + headers.get(Metadata.Key.of("head", Metadata.ASCII_STRING_MARSHALLER)));
        }

        @Override
        public void onMessage(String message) {
            add("message " + message);
        }

        @Override
        public void onClose(Status ended, Metadata trailers) {
            add("close " + ended.getCode() + " "
                    + trailers.get(Metadata.Key.of("tail", Metadata.ASCII_STRING_MARSHALLER)));
            status.set(ended);
        }

        private void add(String event) {
            threads.add(Thread.currentThread().getName());
            events.add(event);
        }

        boolean closed() {
            return status.get() != null;
        }
    }

    private static Noting send(ClientCall<String, String> call, String message) {
        Noting listener = new Noting();
        call.start(listener, new Metadata());
        call.request(2);
        call.sendMessage(message);
        call.halfClose();
        return listener;
    }

    @Test
    void headers_message_and_status_come_in_order_on_the_executor_of_the_call() {
        GrpcTestServer server = server(failingFirst(1, Status.UNAVAILABLE, new Metadata()));
        ExecutorService executor = Executors.newSingleThreadExecutor(task -> new Thread(task, "of the call"));
        keep(executor::shutdownNow);
        Noting listener =
                send(guarded(server.port(), retry()).newCall(ASK, CallOptions.DEFAULT.withExecutor(executor)), "a");
        until(listener::closed);
        assertThat(listener.events).containsExactly("headers a2", "message a2", "close OK a2");
        assertThat(listener.threads).containsOnly("of the call");
    }

    @Test
    void a_message_waits_until_it_is_requested_and_the_end_waits_for_the_message() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        ClientCall<String, String> call = guarded(server.port(), retry()).newCall(ASK, CallOptions.DEFAULT);
        Noting listener = new Noting();
        call.start(listener, new Metadata());
        call.sendMessage("a");
        call.halfClose();
        until(() -> !listener.events.isEmpty());
        assertThat(listener.events).containsExactly("headers a");
        call.request(1);
        until(listener::closed);
        assertThat(listener.events).containsExactly("headers a", "message a", "close OK a");
    }

    @Test
    void a_cancel_wins_over_a_message_that_was_not_requested_yet() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        ClientCall<String, String> call = guarded(server.port(), retry()).newCall(ASK, CallOptions.DEFAULT);
        Noting listener = new Noting();
        call.start(listener, new Metadata());
        call.sendMessage("a");
        call.halfClose();
        until(() -> !listener.events.isEmpty());
        call.cancel("enough", null);
        until(listener::closed);
        call.request(1);
        assertThat(listener.events).containsExactly("headers a", "close CANCELLED null");
    }

    @Test
    void an_executor_that_rejects_does_not_keep_the_end_from_the_listener() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        Noting listener = send(
                guarded(server.port(), retry()).newCall(ASK, CallOptions.DEFAULT.withExecutor(task -> {
                    throw new RejectedExecutionException("closed");
                })),
                "a");
        until(listener::closed);
        assertThat(listener.events).last().isEqualTo("close OK a");
    }

    @Test
    void a_listener_that_throws_gets_one_end() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        AtomicInteger closes = new AtomicInteger();
        AtomicReference<Status> status = new AtomicReference<>();
        ClientCall<String, String> call = guarded(server.port(), retry()).newCall(ASK, CallOptions.DEFAULT);
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(String message) {
                        throw new IllegalStateException("not this");
                    }

                    @Override
                    public void onClose(Status ended, Metadata trailers) {
                        status.set(ended);
                        closes.incrementAndGet();
                        throw new IllegalStateException("nor this");
                    }
                },
                new Metadata());
        call.request(2);
        call.sendMessage("a");
        call.halfClose();
        until(() -> status.get() != null);
        assertThat(status.get().getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(closes).hasValue(1);
    }

    @Test
    void a_method_that_is_not_idempotent_is_not_repeated_after_a_failure() {
        GrpcTestServer server = server(failingFirst(1, Status.UNAVAILABLE, new Metadata()));
        Channel channel = guarded(server.port(), retry());
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, SAY, CallOptions.DEFAULT, "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(server.received).hasValue(1);
        Channel named = ClientInterceptors.intercept(
                bare(server(failingFirst(1, Status.UNAVAILABLE, new Metadata())).port()),
                GrpcClientGuard.of(retry(), method -> method.equals(SAY)));
        assertThat(ClientCalls.blockingUnaryCall(named, SAY, CallOptions.DEFAULT, "a"))
                .isEqualTo("a2");
    }

    @Test
    void policies_without_a_rule_of_their_own_go_by_that_of_grpc() {
        GrpcTestServer server = server((call, message, number) ->
                call.close(message.equals("missing") ? Status.NOT_FOUND : Status.UNAVAILABLE, new Metadata()));
        CircuitBreaker breaker = CircuitBreaker.of("b", c -> c.consecutiveFailures(3));
        Retry retry = Retry.of("r", c -> c.maxAttempts(2).backoff(Backoff.fixed(ofMillis(1))));
        Channel channel = guarded(server.port(), Pipeline.of(retry, breaker));

        for (int i = 0; i < 5; i++) {
            assertThat(failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "missing"))
                            .getStatus()
                            .getCode())
                    .isEqualTo(Status.Code.NOT_FOUND);
        }
        assertThat(server.received).hasValue(5); // an answer is not repeated, and opens no breaker
        assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.CLOSED);

        failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "x"));
        assertThat(server.received).hasValue(7);
    }

    @Test
    void a_pushback_holds_for_policies_without_a_rule_too() {
        Metadata trailers = new Metadata();
        trailers.put(Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER), "-1");
        GrpcTestServer server = server(failingFirst(1, Status.UNAVAILABLE, trailers));
        Retry retry = Retry.of("r", c -> c.maxAttempts(3).backoff(Backoff.fixed(ofMillis(1))));
        Channel channel = guarded(server.port(), retry);
        failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "x"));
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_call_that_says_so_is_not_repeated_whatever_its_method() {
        GrpcTestServer server = server(failingFirst(1, Status.UNAVAILABLE, new Metadata()));
        Channel channel = guarded(server.port(), retry());
        failing(() ->
                CallContext.notIdempotent(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a")));
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_server_that_dies_after_it_has_read_the_message_is_not_taken_as_not_sent() {
        AtomicReference<CutProxy> line = new AtomicReference<>();
        GrpcTestServer server = server((call, message, number) -> {
            if (number == 1) {
                line.get().cut();
            } else {
                reply(call, message + number);
            }
        });
        line.set(keep(new CutProxy(server.port())));
        Channel channel = guarded(line.get().port(), retry());

        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, SAY, CallOptions.DEFAULT, "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(verdicts).containsExactly(Verdict.FAILURE);
        assertThat(server.received).hasValue(1);

        server.received.set(0);
        assertThat(ClientCalls.blockingUnaryCall(channel, ASK, in(ofSeconds(30)).withWaitForReady(), "b"))
                .isEqualTo("b2");
    }

    @Test
    void a_server_that_was_never_connected_is_not_sent_and_repeated_whatever_the_method() throws Exception {
        int nobodyListens;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobodyListens = socket.getLocalPort();
        }
        Channel channel = guarded(nobodyListens, retry());
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, SAY, CallOptions.DEFAULT, "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(verdicts).isNotEmpty().containsOnly(Verdict.NOT_SENT);
        assertThat(verdicts.size()).isEqualTo(3);
        assertThat(thrown.getStatus().getCause()).isNotNull(); // the connection refused, or the earlier attempts
    }

    @Test
    void a_frozen_server_ends_at_the_deadline_and_it_may_have_run() {
        GrpcTestServer server = server((call, message, number) -> {});
        Channel channel = guarded(server.port(), retry());
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, in(ofSeconds(2)), "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        until(() -> server.cancelled.get() == 1);
        assertThat(verdicts).doesNotContain(Verdict.NOT_SENT, Verdict.SUCCESS);
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_machine_that_accepts_and_never_speaks_has_not_got_the_call() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Channel channel = guarded(silent.getLocalPort(), CircuitBreaker.of("b", c -> c.outcomes(noting)));
            StatusRuntimeException thrown =
                    failing(() -> ClientCalls.blockingUnaryCall(channel, SAY, in(ofMillis(200)), "a"));
            assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            until(() -> !verdicts.isEmpty());
            assertThat(verdicts).doesNotContain(Verdict.SUCCESS);
        }
    }

    @Test
    void a_timeout_bounds_each_attempt_and_the_attempt_carries_it() {
        GrpcTestServer server = server((call, message, number) -> {
            if (number > 1) {
                reply(call, message + number);
            }
        });
        Channel channel = guarded(server.port(), Pipeline.of(retry(9, ofMillis(1)), Timeout.of("t", ofMillis(200))));
        assertThat(ClientCalls.blockingUnaryCall(channel, ASK, in(ofSeconds(60)), "a"))
                .startsWith("a");
        Metadata.Key<String> timeout = Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER);
        assertThat(server.headers)
                .hasSizeGreaterThan(1)
                .allSatisfy(each -> assertThat(
                                Deadline.ofHeader(each.get(timeout), () -> 0).remainingNanos())
                        .isPositive()
                        .isLessThanOrEqualTo(ofMillis(200).toNanos()));
    }

    @Test
    void the_deadline_of_the_caller_and_of_the_gRPC_context_reach_the_server() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        Channel channel = guarded(server.port(), retry());
        Metadata.Key<String> timeout = Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER);
        Deadline ours = Deadline.after(ofSeconds(50), Environment.system().clock());

        CallContext.current().withDeadline(ours).run(() -> {
            ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a");
            ClientCalls.blockingUnaryCall(channel, ASK, in(ofSeconds(20)), "a");
        });
        var scheduler = Executors.newSingleThreadScheduledExecutor();
        keep(scheduler::shutdownNow);
        try (Context.CancellableContext context =
                Context.current().withDeadlineAfter(10, TimeUnit.SECONDS, scheduler)) {
            context.run(() -> ClientCalls.blockingUnaryCall(channel, ASK, in(ofSeconds(20)), "a"));
        }
        ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a");

        List<Long> seconds = server.headers.stream()
                .limit(3)
                .map(each -> Deadline.ofHeader(each.get(timeout), () -> 0).remainingNanos())
                .toList();
        assertThat(seconds.get(0))
                .isBetween(ofSeconds(20).toNanos(), ofSeconds(50).toNanos());
        assertThat(seconds.get(1))
                .isBetween(ofSeconds(10).toNanos(), ofSeconds(20).toNanos());
        assertThat(seconds.get(2)).isBetween(0L, ofSeconds(10).toNanos());
        assertThat(server.headers.get(3).containsKey(timeout)).isFalse();
    }

    @Test
    void a_deadline_spans_attempts_and_the_pauses_between_them() {
        GrpcTestServer server = server(failingFirst(9, Status.UNAVAILABLE, new Metadata()));
        Channel channel = guarded(server.port(), retry(9, ofSeconds(60)));
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, in(ofSeconds(20)), "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE); // no time for the pause
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_deadline_that_has_passed_sends_nothing() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        Channel channel = guarded(server.port(), retry());
        StatusRuntimeException thrown = failing(() ->
                ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT.withDeadlineAfter(Duration.ZERO), "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(server.received).hasValue(0);
    }

    @Test
    void a_pushback_that_is_negative_or_cannot_be_read_stops() {
        for (String pushback : List.of("-1", "soon", "", "99999999999999999999", "1.5")) {
            Metadata trailers = new Metadata();
            trailers.put(RetryDetails.PUSHBACK, pushback);
            GrpcTestServer server = server(failingFirst(1, Status.UNAVAILABLE, trailers));
            Channel channel = guarded(server.port(), retry());
            failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"));
            assertThat(server.received).as(pushback).hasValue(1);
        }
    }

    @Test
    void a_pushback_of_some_milliseconds_is_waited_for() {
        Metadata trailers = new Metadata();
        trailers.put(RetryDetails.PUSHBACK, "40");
        GrpcTestServer server = server(failingFirst(1, Status.UNAVAILABLE, trailers));
        Channel channel = guarded(server.port(), retry());
        long start = System.nanoTime();
        assertThat(ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"))
                .isEqualTo("a2");
        assertThat(System.nanoTime() - start)
                .isGreaterThanOrEqualTo(ofMillis(40).toNanos());
        assertThat(verdicts).containsExactly(Verdict.THROTTLED, Verdict.SUCCESS);
    }

    @Test
    void nothing_is_sent_after_headers_of_a_response_whatever_the_rule() {
        for (OutcomeRule rule : List.of(GrpcOutcomes.rule(), OutcomeRule.standard())) {
            GrpcTestServer server = server((call, message, number) -> {
                call.sendHeaders(new Metadata());
                call.close(Status.UNAVAILABLE, new Metadata());
            });
            Retry retry =
                    Retry.of("r", c -> c.backoff(Backoff.fixed(ofMillis(1))).outcomes(rule));
            Channel channel = guarded(server.port(), retry);
            StatusRuntimeException thrown =
                    failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"));
            assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(server.received).as("%s", rule).hasValue(1);
        }
    }

    @Test
    void an_attempt_that_stalls_after_its_headers_ends_by_its_timeout_and_is_not_sent_again() {
        GrpcTestServer server = server((call, message, number) -> {
            if (message.equals("warm")) {
                reply(call, message);
                return;
            }
            call.sendHeaders(new Metadata());
            call.sendMessage("half");
        });
        Channel channel = guarded(server.port(), Pipeline.of(retry(), Timeout.of("t", ofSeconds(3))));
        assertThat(ClientCalls.blockingUnaryCall(channel, STALL, CallOptions.DEFAULT.withWaitForReady(), "warm"))
                .isEqualTo("warm");
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, STALL, CallOptions.DEFAULT, "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(server.received).hasValue(2);
    }

    @Test
    void a_request_of_two_messages_or_a_response_of_none_is_no_unary_call() {
        GrpcTestServer none = server((call, message, number) -> {
            call.sendHeaders(new Metadata());
            call.close(Status.OK, new Metadata());
        });
        Channel channel = guarded(none.port(), retry());
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"));
        assertThat(thrown.getStatus().getCode()).isNotEqualTo(Status.Code.OK);
        ClientCall<String, String> call = channel.newCall(ASK, CallOptions.DEFAULT);
        call.start(new Noting(), new Metadata());
        call.sendMessage("a");
        assertThatIllegalStateException().isThrownBy(() -> call.sendMessage("b"));
        call.cancel("enough", null);
    }

    @Test
    void trailers_of_the_last_attempt_reach_the_stub_with_its_status() {
        Metadata trailers = new Metadata();
        trailers.put(Metadata.Key.of("why", Metadata.ASCII_STRING_MARSHALLER), "because");
        GrpcTestServer server = server(failingFirst(9, Status.INTERNAL.withDescription("broken"), trailers));
        Channel channel = guarded(server.port(), retry(2, ofMillis(1)));
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"));
        assertThat(thrown.getStatus().getDescription()).isEqualTo("broken");
        assertThat(thrown.getTrailers().get(Metadata.Key.of("why", Metadata.ASCII_STRING_MARSHALLER)))
                .isEqualTo("because");
        assertThat(thrown.getStatus().getCause().getSuppressed()).hasSize(1); // the attempt before
    }

    @Test
    void cancelling_the_future_cancels_the_call_at_the_server_and_repeats_nothing() {
        GrpcTestServer server = server((call, message, number) -> {});
        Bulkhead inFlight = Bulkhead.of("b", 10);
        Channel channel = guarded(server.port(), Pipeline.of(retry(), inFlight));
        ListenableFuture<String> future = ClientCalls.futureUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "a");
        until(() -> server.received.get() == 1);
        assertThat(inFlight.inFlight()).isEqualTo(1);
        future.cancel(true);
        until(() -> server.cancelled.get() == 1);
        until(() -> inFlight.inFlight() == 0);
        assertThat(server.received).hasValue(1);
        assertThat(verdicts).doesNotContain(Verdict.FAILURE);
    }

    @Test
    void a_cancel_between_attempts_ends_the_call_and_nothing_more_is_sent() {
        GrpcTestServer server = server(failingFirst(9, Status.UNAVAILABLE, new Metadata()));
        ClientCall<String, String> call =
                guarded(server.port(), retry(9, ofSeconds(60))).newCall(ASK, CallOptions.DEFAULT);
        Noting listener = send(call, "a");
        until(() -> verdicts.size() == 1);
        call.cancel("enough", null);
        until(listener::closed);
        assertThat(listener.status.get().getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(listener.status.get().getDescription()).isEqualTo("enough");
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_gRPC_context_that_is_cancelled_between_attempts_ends_the_call() {
        GrpcTestServer server = server(failingFirst(9, Status.UNAVAILABLE, new Metadata()));
        Channel channel = guarded(server.port(), retry(9, ofSeconds(60)));
        Context.CancellableContext context = Context.current().withCancellation();
        AtomicReference<Noting> listener = new AtomicReference<>();
        context.run(() -> listener.set(send(channel.newCall(ASK, CallOptions.DEFAULT), "a")));
        until(() -> verdicts.size() == 1);
        context.cancel(null);
        until(listener.get()::closed);
        assertThat(listener.get().events).containsExactly("close CANCELLED null");
    }

    @Test
    void later_attempts_run_in_the_gRPC_context_of_the_caller() {
        GrpcTestServer server = server((call, message, number) -> {
            if (number == 1) {
                call.close(Status.UNAVAILABLE, new Metadata());
            } // and then nothing
        });
        Channel channel = guarded(server.port(), retry());
        Context.CancellableContext context = Context.current().withCancellation();
        AtomicReference<Noting> listener = new AtomicReference<>();
        context.run(() -> listener.set(send(channel.newCall(ASK, CallOptions.DEFAULT), "a")));
        until(() -> server.received.get() == 2);
        context.cancel(null);
        until(() -> server.cancelled.get() == 1);
        until(listener.get()::closed);
    }

    @Test
    void interceptors_below_see_the_values_of_the_callers_context_in_each_attempt() {
        Context.Key<String> user = Context.key("user");
        List<String> seen = new CopyOnWriteArrayList<>();
        ClientInterceptor below = new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(
                    MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
                seen.add(String.valueOf(user.get()));
                return next.newCall(method, options);
            }
        };
        GrpcTestServer server = server(failingFirst(2, Status.UNAVAILABLE, new Metadata()));
        Channel channel = ClientInterceptors.intercept(
                ClientInterceptors.intercept(bare(server.port()), below), GrpcClientGuard.of(retry(3, ofMillis(5))));
        AtomicReference<Noting> listener = new AtomicReference<>();
        Context.current()
                .withValue(user, "ann")
                .run(() -> listener.set(send(channel.newCall(ASK, CallOptions.DEFAULT), "a")));
        until(listener.get()::closed);
        assertThat(seen).containsExactly("ann", "ann", "ann");
    }

    @Test
    void a_cancel_before_the_request_is_complete_ends_the_call_unsent() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        ClientCall<String, String> call = guarded(server.port(), retry()).newCall(ASK, CallOptions.DEFAULT);
        Noting listener = new Noting();
        call.start(listener, new Metadata());
        call.cancel("enough", new IllegalStateException("no more"));
        call.halfClose();
        until(listener::closed);
        assertThat(listener.events).containsExactly("close CANCELLED null");
        assertThat(listener.status.get().getCause()).hasMessage("no more");
        assertThat(server.received).hasValue(0);
    }

    @Test
    void a_hedge_answers_once_and_the_slower_attempt_is_cancelled_and_gives_its_permit_back() {
        GrpcTestServer server = server((call, message, number) -> {
            if (number > 1) {
                reply(call, message + number);
            }
        });
        Bulkhead inFlight = Bulkhead.of("b", 10);
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(20)).outcomes(GrpcOutcomes.rule()));
        Channel channel = guarded(server.port(), Pipeline.of(hedge, inFlight));
        assertThat(ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"))
                .startsWith("a");
        until(() -> server.cancelled.get() >= 1);
        until(() -> inFlight.inFlight() == 0);
    }

    @Test
    void a_refusal_is_UNAVAILABLE_with_the_refusal_as_its_cause() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        CircuitBreaker breaker = CircuitBreaker.of("catalog");
        breaker.forceOpen();
        Channel channel = guarded(server.port(), breaker);
        StatusRuntimeException thrown =
                failing(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(thrown).hasCauseInstanceOf(RefusedException.class);
        assertThat(GrpcOutcomes.rule().judge(null, thrown)).isEqualTo(Verdict.NOT_SENT);
        assertThat(server.received).hasValue(0);
    }

    @Test
    void a_fallback_answers_with_empty_headers() {
        GrpcTestServer server = server(failingFirst(9, Status.INTERNAL, new Metadata()));
        Noting listener =
                send(guarded(server.port(), Fallback.value("f", "spare")).newCall(ASK, CallOptions.DEFAULT), "a");
        until(listener::closed);
        assertThat(listener.events).containsExactly("headers null", "message spare", "close OK null");
    }

    @Test
    void a_stream_passes_through_with_the_deadline_of_the_caller() {
        GrpcTestServer server = server((call, message, number) -> reply(call, message));
        CircuitBreaker breaker = CircuitBreaker.of("open");
        breaker.forceOpen();
        Channel channel = guarded(server.port(), breaker);
        List<String> events = new CopyOnWriteArrayList<>();
        CallContext.current()
                .withDeadline(Deadline.after(ofSeconds(50), Environment.system().clock()))
                .run(() -> {
                    StreamObserver<String> requests = ClientCalls.asyncBidiStreamingCall(
                            channel.newCall(CHAT, CallOptions.DEFAULT), observer(events));
                    requests.onNext("a");
                    requests.onCompleted();
                });
        until(() -> events.size() == 2);
        assertThat(events).containsExactly("a", "completed");
        assertThat(server.headers.get(0).containsKey(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER)))
                .isTrue();
    }

    @Test
    void attempts_after_the_first_and_an_unusual_criticality_show_in_the_metadata() {
        GrpcTestServer server = server(failingFirst(2, Status.UNAVAILABLE, new Metadata()));
        Channel channel = guarded(server.port(), retry());
        CallContext.current()
                .withCriticality(Criticality.SHEDDABLE)
                .run(() -> ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"));
        assertThat(server.headers)
                .extracting(each -> each.get(GrpcAttempt.PREVIOUS_ATTEMPTS))
                .containsExactly(null, "1", "2");
        assertThat(server.headers)
                .extracting(each -> each.get(GrpcAttempt.CRITICALITY))
                .containsOnly("sheddable");
    }

    @Test
    void a_channel_that_repeats_by_itself_is_reported_once() {
        GrpcTestServer server = server(failingFirst(3, Status.UNAVAILABLE, new Metadata()));
        Map<String, Object> policy = Map.of(
                "maxAttempts",
                3.0,
                "initialBackoff",
                "0.001s",
                "maxBackoff",
                "0.001s",
                "backoffMultiplier",
                1.0,
                "retryableStatusCodes",
                List.of("UNAVAILABLE"));
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))
                .usePlaintext()
                .enableRetry()
                .defaultServiceConfig(
                        Map.of("methodConfig", List.of(Map.of("name", List.of(Map.of()), "retryPolicy", policy))))
                .build();
        keep(() -> channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS));
        try (CapturedLog log = new CapturedLog(GrpcClientGuard.class)) {
            Channel guarded = ClientInterceptors.intercept(channel, GrpcClientGuard.of(retry()));
            ClientCalls.blockingUnaryCall(guarded, ASK, CallOptions.DEFAULT, "a");
            assertThat(log.lines())
                    .filteredOn(it -> it.contains("disableRetry"))
                    .hasSize(1);
        }
    }

    @Test
    void whatever_races_each_call_ends_once_and_no_permit_is_kept() {
        AtomicBoolean flaky = new AtomicBoolean(true);
        GrpcTestServer server = server((call, message, number) -> {
            if (flaky.get() && number % 5 == 0) {
                return; // until it is cancelled
            }
            if (number % 3 == 0) {
                call.close(Status.UNAVAILABLE, new Metadata());
            } else {
                reply(call, message);
            }
        });
        Bulkhead inFlight = Bulkhead.of("b", 1000);
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(3)).outcomes(GrpcOutcomes.rule()));
        Retry retry = Retry.of("r", c -> c.backoff(Backoff.fixed(ofMillis(1))).outcomes(GrpcOutcomes.rule()));
        Channel channel = guarded(server.port(), Pipeline.of(retry, hedge, inFlight));
        AtomicInteger ends = new AtomicInteger();
        List<String> wrong = new CopyOnWriteArrayList<>();
        int calls = 400;
        for (int i = 0; i < calls; i++) {
            ClientCall<String, String> call = channel.newCall(ASK, in(ofMillis(20 + i % 60)));
            call.start(
                    new ClientCall.Listener<>() {
                        private boolean message;
                        private boolean closed;

                        @Override
                        public void onMessage(String arrived) {
                            if (message || closed) {
                                wrong.add("message");
                            }
                            message = true;
                        }

                        @Override
                        public void onClose(Status ended, Metadata trailers) {
                            if (closed || (ended.isOk() && !message)) {
                                wrong.add("close " + ended);
                            }
                            closed = true;
                            ends.incrementAndGet();
                        }
                    },
                    new Metadata());
            call.request(2);
            call.sendMessage("m" + i);
            call.halfClose();
            if (i % 4 == 0) {
                call.cancel("enough", null);
            }
        }
        until(() -> ends.get() >= calls);
        until(() -> inFlight.inFlight() == 0);
        assertThat(ends).hasValue(calls);
        assertThat(wrong).isEmpty();
    }
}

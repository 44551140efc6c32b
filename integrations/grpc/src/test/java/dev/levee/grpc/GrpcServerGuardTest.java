package dev.levee.grpc;

import static dev.levee.grpc.GrpcTestServer.ASK;
import static dev.levee.grpc.GrpcTestServer.CHAT;
import static dev.levee.grpc.GrpcTestServer.in;
import static dev.levee.grpc.GrpcTestServer.reply;
import static dev.levee.grpc.GrpcTestServer.until;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.rpc.RetryInfo;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.CallContext;
import dev.levee.core.CapturedLog;
import dev.levee.core.Criticality;
import dev.levee.core.Deadline;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GrpcServerGuardTest {
    private static final Metadata.Key<String> USER = Metadata.Key.of("user", Metadata.ASCII_STRING_MARSHALLER);

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private GrpcTestServer server(GrpcTestServer.Answer answer, ServerInterceptor... guards) {
        GrpcTestServer server = new GrpcTestServer(answer, guards);
        open.add(server);
        return server;
    }

    private ManagedChannel channel(GrpcTestServer server) {
        ManagedChannel channel = server.channel();
        open.add(0, () -> channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS));
        return channel;
    }

    private static StatusRuntimeException failing(ManagedChannel channel, CallOptions options) {
        return catchThrowableOfType(
                StatusRuntimeException.class, () -> ClientCalls.blockingUnaryCall(channel, ASK, options, "a"));
    }

    /** Makes a call, however it ends. */
    private static void end(ManagedChannel channel, CallOptions options, String message) {
        try {
            ClientCalls.blockingUnaryCall(channel, ASK, options, message);
        } catch (StatusRuntimeException failed) {
            // as wanted
        }
    }

    private static RetryInfo retryInfo(StatusRuntimeException thrown) throws Exception {
        com.google.rpc.Status status = StatusProto.fromThrowable(thrown);
        assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED.value());
        return status.getDetails(0).unpack(RetryInfo.class);
    }

    @Test
    void a_limit_answers_RESOURCE_EXHAUSTED_with_the_wait_in_both_forms() throws Exception {
        RateLimiter limiter = RateLimiter.of("secret name", Limit.of(1, ofSeconds(100)));
        GrpcTestServer server = server((call, message, number) -> reply(call, message), GrpcServerGuard.of(limiter));
        ManagedChannel channel = channel(server);
        assertThat(ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a"))
                .isEqualTo("a");

        StatusRuntimeException thrown = failing(channel, CallOptions.DEFAULT);
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(thrown.getStatus().getDescription()).doesNotContain("secret");
        assertThat(retryInfo(thrown).getRetryDelay().getSeconds()).isBetween(1L, 100L);
        assertThat(Long.parseLong(thrown.getTrailers().get(RetryDetails.PUSHBACK)))
                .isBetween(1000L, 100_000L);
        assertThat(GrpcOutcomes.rule().judge(null, thrown)).isEqualTo(Verdict.THROTTLED);
        assertThat(GrpcOutcomes.rule().retryAfterNanos(null, thrown)).isPositive();
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_gate_that_does_not_know_the_wait_asks_for_a_second_or_so() throws Exception {
        Bulkhead full = Bulkhead.of("b", 1);
        assertThat(full.tryEnter(0)).isNotZero();
        ManagedChannel channel =
                channel(server((call, message, number) -> reply(call, message), GrpcServerGuard.of(full)));
        StatusRuntimeException thrown = failing(channel, CallOptions.DEFAULT);
        assertThat(retryInfo(thrown).getRetryDelay().getSeconds()).isEqualTo(1);
        assertThat(Long.parseLong(thrown.getTrailers().get(RetryDetails.PUSHBACK)))
                .isBetween(1000L, 1500L);
    }

    @Test
    void keys_have_limits_of_their_own_and_a_call_without_a_key_has_none() {
        KeyedRateLimiter<String> perUser = KeyedRateLimiter.of("users", Limit.of(1, ofSeconds(100)));
        ManagedChannel channel = channel(server(
                (call, message, number) -> reply(call, message),
                GrpcServerGuard.limiting(perUser, (call, headers) -> headers.get(USER))));
        assertThat(askAs(channel, "ann")).isNull();
        assertThat(askAs(channel, "bob")).isNull();
        assertThat(askAs(channel, "ann").getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(failing(channel, CallOptions.DEFAULT)).isNull();
        assertThat(failing(channel, CallOptions.DEFAULT)).isNull();
    }

    @Test
    void a_call_whose_deadline_has_passed_takes_no_permit_and_asks_for_no_policy() {
        KeyedRateLimiter<String> perUser = KeyedRateLimiter.of("users", Limit.of(1, ofSeconds(100)));
        AtomicInteger asked = new AtomicInteger();
        CallContext late = CallContext.current().withDeadline(Deadline.afterNanos(-1, NanoClock.system()));
        for (GrpcServerGuard guard : List.of(
                GrpcServerGuard.limiting(perUser, (call, headers) -> "ann"),
                GrpcServerGuard.choosing((call, headers) -> {
                    asked.getAndIncrement();
                    return null;
                }))) {
            FakeCall call = new FakeCall();
            late.run(() -> guard.interceptCall(call, new Metadata(), (begun, headers) -> {
                throw new AssertionError("the handler of a late call has begun");
            }));
            assertThat(call.ends).extracting(Status::getCode).containsExactly(Status.Code.DEADLINE_EXCEEDED);
        }
        assertThat(asked).hasValue(0);
        assertThat(perUser.tryAcquire("ann")).isTrue();
    }

    private static StatusRuntimeException askAs(ManagedChannel channel, String user) {
        Metadata headers = new Metadata();
        headers.put(USER, user);
        return catchThrowableOfType(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(
                        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
                        ASK,
                        CallOptions.DEFAULT,
                        "a"));
    }

    /** A call of a server of which only the end is noted. */
    private static final class FakeCall extends ServerCall<String, String> {
        final List<Status> ends = new CopyOnWriteArrayList<>();

        @Override
        public void request(int numMessages) {}

        @Override
        public void sendHeaders(Metadata headers) {}

        @Override
        public void sendMessage(String message) {}

        @Override
        public void close(Status status, Metadata trailers) {
            ends.add(status);
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public MethodDescriptor<String, String> getMethodDescriptor() {
            return ASK;
        }
    }

    @Test
    void a_handler_that_fails_at_an_event_that_has_waited_still_learns_of_the_end() {
        Bulkhead one = Bulkhead.of("b", c -> c.maxConcurrent(1).queue(10, ofSeconds(60)));
        List<String> events = new CopyOnWriteArrayList<>();
        AtomicReference<ServerCall.Listener<String>> guarded = new AtomicReference<>();
        ServerCallHandler<String, String> handler = (call, headers) -> {
            guarded.get().onMessage("a"); // before the handler is there, as on another thread
            guarded.get().onHalfClose();
            return new ServerCall.Listener<>() {
                @Override
                public void onMessage(String message) {
                    events.add("message");
                    throw new IllegalStateException("the handler is broken");
                }

                @Override
                public void onHalfClose() {
                    events.add("half close");
                }

                @Override
                public void onComplete() {
                    events.add("complete");
                }
            };
        };
        long held = one.tryEnter(0);
        FakeCall call = new FakeCall();
        guarded.set(GrpcServerGuard.of(one).interceptCall(call, new Metadata(), handler));
        one.exit(held, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        until(() -> !call.ends.isEmpty());
        guarded.get().onComplete();

        assertThat(events).containsExactly("message", "half close", "complete");
        assertThat(call.ends).singleElement().extracting(Status::getCode).isEqualTo(Status.Code.UNKNOWN);
        until(() -> one.inFlight() == 0);
    }

    @Test
    void a_permit_is_held_until_the_call_has_ended_however_it_ends() {
        Bulkhead inFlight = Bulkhead.of("b", 10);
        AtomicReference<ServerCall<String, String>> held = new AtomicReference<>();
        GrpcTestServer server = server(
                (call, message, number) -> {
                    switch (message) {
                        case "hold" -> held.set(call);
                        case "fail" -> call.close(Status.INTERNAL, new Metadata());
                        case "throw" -> throw new IllegalStateException("the handler is broken");
                        default -> reply(call, message);
                    }
                },
                GrpcServerGuard.of(inFlight));
        ManagedChannel channel = channel(server);
        ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a");
        until(() -> inFlight.inFlight() == 0);
        for (String bad : List.of("fail", "throw")) {
            end(channel, CallOptions.DEFAULT, bad);
            until(() -> inFlight.inFlight() == 0);
        }
        ListenableFuture<String> future =
                ClientCalls.futureUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "hold");
        until(() -> held.get() != null);
        assertThat(inFlight.inFlight()).isEqualTo(1);
        future.cancel(true);
        until(() -> inFlight.inFlight() == 0);

        held.set(null);
        end(channel, in(Duration.ofMillis(150)), "hold");
        until(() -> inFlight.inFlight() == 0);
    }

    @Test
    void a_stream_holds_its_permit_until_it_ends() {
        Bulkhead inFlight = Bulkhead.of("b", 1);
        ManagedChannel channel =
                channel(server((call, message, number) -> reply(call, message), GrpcServerGuard.of(inFlight)));
        List<String> events = new CopyOnWriteArrayList<>();
        StreamObserver<String> requests =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(CHAT, CallOptions.DEFAULT), new StreamObserver<>() {
                    @Override
                    public void onNext(String value) {
                        events.add(value);
                    }

                    @Override
                    public void onError(Throwable t) {
                        events.add("failed " + t);
                    }

                    @Override
                    public void onCompleted() {
                        events.add("completed");
                    }
                });
        requests.onNext("a");
        until(() -> inFlight.inFlight() == 1);
        assertThat(failing(channel, CallOptions.DEFAULT).getStatus().getCode())
                .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        requests.onCompleted();
        until(() -> events.size() == 2);
        until(() -> inFlight.inFlight() == 0);
        assertThat(failing(channel, CallOptions.DEFAULT)).isNull();
    }

    @Test
    void the_outcome_is_judged_by_the_status_of_the_handler() {
        List<Verdict> verdicts = new CopyOnWriteArrayList<>();
        OutcomeRule noting = new OutcomeRule() {
            @Override
            public Verdict judge(Object result, Throwable error) {
                Verdict verdict = GrpcOutcomes.rule().judge(result, error);
                verdicts.add(verdict);
                return verdict;
            }
        };
        CircuitBreaker learner = CircuitBreaker.of("l", c -> c.outcomes(noting));
        ManagedChannel channel = channel(server(
                (call, message, number) -> {
                    switch (message) {
                        case "missing" -> call.close(Status.NOT_FOUND, new Metadata());
                        case "broken" -> call.close(Status.INTERNAL, new Metadata());
                        default -> reply(call, message);
                    }
                },
                GrpcServerGuard.of(learner)));
        int ended = 0;
        for (String each : List.of("fine", "missing", "broken")) {
            end(channel, CallOptions.DEFAULT, each);
            int expected = ++ended;
            until(() -> verdicts.size() == expected);
        }
        assertThat(verdicts).containsExactly(Verdict.SUCCESS, Verdict.SUCCESS, Verdict.FAILURE);
    }

    @Test
    void a_handler_that_throws_has_failed_as_what_it_throws_says() {
        List<Verdict> verdicts = new CopyOnWriteArrayList<>();
        Bulkhead one = Bulkhead.of("b", 1);
        CircuitBreaker learner = CircuitBreaker.of("l", c -> c.outcomes(noting(verdicts)));
        ManagedChannel channel = channel(server(
                (call, message, number) -> {
                    switch (message) {
                        case "missing" -> throw Status.NOT_FOUND.asRuntimeException();
                        case "broken" -> throw new IllegalStateException("a fault of the handler");
                        case "error" -> throw new AssertionError("a fault of the handler");
                        default -> {
                            reply(call, message);
                            throw new IllegalStateException("after the answer");
                        }
                    }
                },
                GrpcServerGuard.of(Pipeline.of(learner, one))));
        int ended = 0;
        for (String each : List.of("broken", "missing", "error", "fine")) {
            end(channel, CallOptions.DEFAULT, each);
            int expected = ++ended;
            until(() -> verdicts.size() == expected);
        }
        assertThat(verdicts).containsExactly(Verdict.FAILURE, Verdict.SUCCESS, Verdict.FAILURE, Verdict.SUCCESS);
        until(() -> one.inFlight() == 0);
    }

    private static OutcomeRule noting(List<Verdict> verdicts) {
        return (result, error) -> {
            Verdict verdict = GrpcOutcomes.rule().judge(result, error);
            verdicts.add(verdict);
            return verdict;
        };
    }

    @Test
    void calls_that_wait_in_a_queue_begin_later_and_one_that_is_cancelled_leaves_it() {
        Bulkhead one = Bulkhead.of("b", c -> c.maxConcurrent(1).queue(10, ofSeconds(60)));
        List<ServerCall<String, String>> begun = new CopyOnWriteArrayList<>();
        GrpcTestServer server = server(
                (call, message, number) -> {
                    begun.add(call);
                    if (!message.equals("hold")) {
                        reply(call, message);
                    }
                },
                GrpcServerGuard.of(one));
        ManagedChannel channel = channel(server);
        ClientCalls.futureUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "hold");
        until(() -> begun.size() == 1);
        ListenableFuture<String> second =
                ClientCalls.futureUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "second");
        until(() -> one.waiting() == 1);
        ListenableFuture<String> third =
                ClientCalls.futureUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "third");
        until(() -> one.waiting() == 2);
        second.cancel(true);
        until(() -> one.waiting() == 1);
        assertThat(begun).hasSize(1);
        reply(begun.get(0), "held");
        until(third::isDone);
        assertThat(third).succeedsWithin(ofSeconds(20)).isEqualTo("third");
        until(() -> one.inFlight() == 0);
        assertThat(server.received).hasValue(2);
    }

    @Test
    void a_call_that_waits_too_long_is_refused_with_a_wait() throws Exception {
        Bulkhead one = Bulkhead.of("b", c -> c.maxConcurrent(1).queue(10, Duration.ofMillis(50)));
        assertThat(one.tryEnter(0)).isNotZero();
        ManagedChannel channel =
                channel(server((call, message, number) -> reply(call, message), GrpcServerGuard.of(one)));
        StatusRuntimeException thrown = failing(channel, CallOptions.DEFAULT);
        assertThat(retryInfo(thrown).getRetryDelay().getSeconds()).isEqualTo(1);
    }

    @Test
    void the_handler_sees_the_deadline_of_the_call_and_a_criticality_that_is_not_raised() {
        List<CallContext> contexts = new CopyOnWriteArrayList<>();
        ManagedChannel channel = channel(server(
                (call, message, number) -> {
                    contexts.add(CallContext.current());
                    reply(call, message);
                },
                GrpcServerGuard.choosing((call, headers) -> message(headers) ? null : Bulkhead.of("b", 10))));
        for (String criticality : List.of("sheddable-plus", "critical-plus", "nonsense")) {
            Metadata headers = new Metadata();
            headers.put(GrpcAttempt.CRITICALITY, criticality);
            ClientCalls.blockingUnaryCall(
                    ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
                    ASK,
                    in(ofSeconds(40)),
                    "a");
        }
        ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, "a");
        assertThat(contexts)
                .extracting(CallContext::criticality)
                .containsExactly(
                        Criticality.SHEDDABLE_PLUS, Criticality.CRITICAL, Criticality.CRITICAL, Criticality.CRITICAL);
        assertThat(contexts.subList(0, 3))
                .allSatisfy(each -> assertThat(each.deadline().remainingNanos())
                        .isBetween(0L, ofSeconds(40).toNanos()));
        assertThat(contexts.get(3).deadline()).isNull();
    }

    /** Some calls have no policy, and their handlers see the same context. */
    private static boolean message(Metadata headers) {
        return "sheddable-plus".equals(headers.get(GrpcAttempt.CRITICALITY));
    }

    @Test
    void a_choice_that_throws_refuses_and_is_logged_once() {
        GrpcTestServer server =
                server((call, message, number) -> reply(call, message), GrpcServerGuard.choosing((call, headers) -> {
                    throw new IllegalStateException("no tenant");
                }));
        ManagedChannel channel = channel(server);
        try (CapturedLog log = new CapturedLog(GrpcServerGuard.class)) {
            for (int i = 0; i < 3; i++) {
                StatusRuntimeException thrown = failing(channel, CallOptions.DEFAULT);
                assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
                assertThat(thrown.getStatus().getDescription()).doesNotContain("tenant");
            }
            assertThat(log.lines()).hasSize(1);
        }
        assertThat(server.received).hasValue(0);
    }

    @Test
    void a_handler_that_cannot_begin_gives_its_permit_back() {
        Bulkhead inFlight = Bulkhead.of("b", 10);
        AtomicInteger starts = new AtomicInteger();
        ServerInterceptor broken = new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                starts.incrementAndGet();
                throw new IllegalStateException("no start");
            }
        };
        // The last interceptor is asked first.
        ManagedChannel channel =
                channel(server((call, message, number) -> reply(call, message), broken, GrpcServerGuard.of(inFlight)));
        StatusRuntimeException thrown = failing(channel, CallOptions.DEFAULT);
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNKNOWN);
        until(() -> inFlight.inFlight() == 0);
        assertThat(starts).hasValue(1);
    }

    @Test
    void a_retry_around_a_handler_does_not_run_it_twice() {
        Retry retry = Retry.of("r", c -> c.backoff(Backoff.fixed(Duration.ofMillis(1))));
        GrpcTestServer server = server(
                (call, message, number) -> call.close(Status.INTERNAL, new Metadata()), GrpcServerGuard.of(retry));
        StatusRuntimeException thrown = failing(channel(server), CallOptions.DEFAULT);
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
        assertThat(server.received).hasValue(1);
    }

    @Test
    void whatever_races_permits_come_back() {
        Bulkhead few = Bulkhead.of("b", c -> c.maxConcurrent(3).queue(20, Duration.ofMillis(30)));
        GrpcTestServer server = server(
                (call, message, number) -> {
                    if (number % 3 != 0) {
                        reply(call, message);
                    } // else until it is cancelled
                },
                GrpcServerGuard.of(few));
        ManagedChannel channel = channel(server);
        AtomicInteger ends = new AtomicInteger();
        int calls = 300;
        for (int i = 0; i < calls; i++) {
            ClientCall<String, String> call = channel.newCall(ASK, in(Duration.ofMillis(20 + i % 50)));
            call.start(
                    new ClientCall.Listener<>() {
                        @Override
                        public void onClose(Status ended, Metadata trailers) {
                            ends.incrementAndGet();
                        }
                    },
                    new Metadata());
            call.request(2);
            call.sendMessage("m");
            call.halfClose();
            if (i % 5 == 0) {
                call.cancel("enough", null);
            }
        }
        until(() -> ends.get() == calls);
        until(() -> few.inFlight() == 0 && few.waiting() == 0);
    }
}

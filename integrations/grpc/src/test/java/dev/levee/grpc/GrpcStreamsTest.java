package dev.levee.grpc;

import static dev.levee.grpc.GrpcTestServer.CHAT;
import static dev.levee.grpc.GrpcTestServer.SAY;
import static dev.levee.grpc.GrpcTestServer.in;
import static dev.levee.grpc.GrpcTestServer.reply;
import static dev.levee.grpc.GrpcTestServer.until;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.CallContext;
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
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls that stream, under a policy of their own. */
class GrpcStreamsTest {
    private final List<AutoCloseable> open = new ArrayList<>();
    private final Queue<ServerCall<String, String>> calls = new ConcurrentLinkedQueue<>();

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

    private Channel guarded(GrpcTestServer.Answer answer, Policy policy) {
        GrpcTestServer server = keep(new GrpcTestServer(answer));
        return guarded(server, policy);
    }

    private Channel guarded(GrpcTestServer server, Policy policy) {
        ManagedChannel channel = GrpcTestServer.channelTo(server.port());
        keep(() -> channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS));
        return ClientInterceptors.intercept(
                channel, GrpcClientGuard.of(Pipeline.of()).withStreams(policy));
    }

    /** Keeps the calls, and answers none. */
    private final GrpcTestServer.Answer holding = (call, message, number) -> calls.add(call);

    private static final class Listening extends ClientCall.Listener<String> {
        final List<String> events = new CopyOnWriteArrayList<>();
        final AtomicReference<Status> status = new AtomicReference<>();

        @Override
        public void onHeaders(Metadata headers) {
            events.add("headers");
        }

        @Override
        public void onMessage(String message) {
            events.add(message);
        }

        @Override
        public void onClose(Status ended, Metadata trailers) {
            events.add(ended.getCode().toString());
            status.set(ended);
        }

        Status end() {
            until(() -> status.get() != null);
            return status.get();
        }
    }

    private static Listening send(ClientCall<String, String> call, String... messages) {
        Listening listener = new Listening();
        call.start(listener, new Metadata());
        call.request(5);
        for (String message : messages) {
            call.sendMessage(message);
        }
        call.halfClose();
        return listener;
    }

    private static MethodDescriptor<String, String> chat(MethodDescriptor.MethodType type) {
        return CHAT.toBuilder().setType(type).build();
    }

    @ParameterizedTest
    @EnumSource(
            value = MethodDescriptor.MethodType.class,
            names = {"CLIENT_STREAMING", "SERVER_STREAMING", "BIDI_STREAMING"})
    void a_stream_holds_its_permit_to_its_end_and_one_more_is_refused(MethodDescriptor.MethodType type) {
        Bulkhead seats = Bulkhead.of("seats", 1);
        Channel channel = guarded(holding, seats);

        Listening first = send(channel.newCall(chat(type), CallOptions.DEFAULT), "a");
        until(() -> !calls.isEmpty());
        assertThat(seats.inFlight()).isEqualTo(1);
        Listening second = send(channel.newCall(chat(type), CallOptions.DEFAULT), "b");
        assertThat(second.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(second.end().getCause()).isInstanceOf(RefusedException.class);
        assertThat(second.events).containsExactly("UNAVAILABLE");

        reply(calls.remove(), "answer");
        assertThat(first.end().isOk()).isTrue();
        assertThat(first.events).containsExactly("headers", "answer", "OK");
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void a_breaker_learns_from_the_status_of_streams_and_refuses_when_it_is_open() {
        CircuitBreaker breaker = CircuitBreaker.of("chat", c -> c.consecutiveFailures(2));
        GrpcTestServer server =
                keep(new GrpcTestServer((call, message, number) -> call.close(Status.INTERNAL, new Metadata())));
        Channel channel = guarded(server, breaker);

        for (int i = 0; i < 2; i++) {
            assertThat(send(channel.newCall(CHAT, CallOptions.DEFAULT), "a")
                            .end()
                            .getCode())
                    .isEqualTo(Status.Code.INTERNAL);
        }
        assertThat(breaker.state()).isEqualTo(State.OPEN);
        assertThat(send(channel.newCall(CHAT, CallOptions.DEFAULT), "a").end().getCode())
                .isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(server.received).hasValue(2);
    }

    @Test
    void an_answer_of_the_server_that_is_no_failure_opens_no_breaker() {
        CircuitBreaker breaker = CircuitBreaker.of("chat", c -> c.consecutiveFailures(2));
        Channel channel = guarded((call, message, number) -> call.close(Status.NOT_FOUND, new Metadata()), breaker);
        for (int i = 0; i < 5; i++) {
            assertThat(send(channel.newCall(CHAT, CallOptions.DEFAULT), "a")
                            .end()
                            .getCode())
                    .isEqualTo(Status.Code.NOT_FOUND);
        }
        assertThat(breaker.state()).isEqualTo(State.CLOSED);
    }

    @Test
    void what_is_sent_while_the_call_waits_to_be_admitted_comes_in_order() {
        Bulkhead seats = Bulkhead.of("seats", c -> c.maxConcurrent(1).queue(1, ofSeconds(60)));
        List<String> arrived = new CopyOnWriteArrayList<>();
        GrpcTestServer server = keep(new GrpcTestServer((call, message, number) -> {
            arrived.add(message);
            calls.add(call);
        }));
        Channel channel = guarded(server, seats);
        Listening first = send(channel.newCall(CHAT, CallOptions.DEFAULT), "a");
        until(() -> !calls.isEmpty());

        ClientCall<String, String> waiting = channel.newCall(CHAT, CallOptions.DEFAULT);
        Listening second = send(waiting, "b", "c");
        until(() -> seats.waiting() == 1);
        assertThat(waiting.isReady()).isFalse();
        assertThat(server.received).hasValue(1);

        reply(calls.remove(), "one");
        assertThat(first.end().isOk()).isTrue();
        until(() -> !calls.isEmpty());
        reply(calls.remove(), "two");
        assertThat(second.end().isOk()).isTrue();
        assertThat(second.events).containsExactly("headers", "two", "OK");
        assertThat(arrived).containsExactly("a", "c"); // the server keeps the last message
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void a_stream_that_is_cancelled_while_it_waits_leaves_the_queue_and_is_never_sent() {
        Bulkhead seats = Bulkhead.of("seats", c -> c.maxConcurrent(1).queue(2, ofSeconds(60)));
        GrpcTestServer server = keep(new GrpcTestServer(holding));
        Channel channel = guarded(server, seats);
        Listening first = send(channel.newCall(CHAT, CallOptions.DEFAULT), "a");
        until(() -> !calls.isEmpty());

        ClientCall<String, String> call = channel.newCall(CHAT, CallOptions.DEFAULT);
        Listening second = send(call, "b");
        Context.CancellableContext context = Context.current().withCancellation();
        Listening third = new Listening();
        context.run(() -> {
            ClientCall<String, String> other = channel.newCall(CHAT, CallOptions.DEFAULT);
            other.start(third, new Metadata());
        });
        until(() -> seats.waiting() == 2);
        call.cancel("enough", null);
        context.cancel(null);
        assertThat(second.end().getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(second.end().getDescription()).isEqualTo("enough");
        assertThat(third.end().getCode()).isEqualTo(Status.Code.CANCELLED);
        until(() -> seats.waiting() == 0);

        reply(calls.remove(), "one");
        first.end();
        until(() -> seats.inFlight() == 0);
        assertThat(server.received).hasValue(1);
        assertThat(second.events).containsExactly("CANCELLED");
    }

    @Test
    void a_cancel_ends_the_stream_at_the_server_and_gives_the_permit_back() {
        Bulkhead seats = Bulkhead.of("seats", 1);
        GrpcTestServer server = keep(new GrpcTestServer(holding));
        ClientCall<String, String> call = guarded(server, seats).newCall(CHAT, CallOptions.DEFAULT);
        Listening listener = send(call, "a");
        until(() -> !calls.isEmpty());
        call.cancel("enough", null);
        assertThat(listener.end().getCode()).isEqualTo(Status.Code.CANCELLED);
        until(() -> server.cancelled.get() == 1);
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void a_timeout_in_the_policy_bounds_the_stream() {
        Bulkhead seats = Bulkhead.of("seats", 1);
        GrpcTestServer server = keep(new GrpcTestServer(holding));
        Channel channel = guarded(server, Pipeline.of(Timeout.of("t", ofMillis(50)), seats));
        Listening listener = send(channel.newCall(CHAT, CallOptions.DEFAULT), "a");
        assertThat(listener.end().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        until(() -> server.cancelled.get() == 1);
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void the_deadline_of_the_caller_bounds_the_wait_and_the_stream() {
        Bulkhead seats = Bulkhead.of("seats", c -> c.maxConcurrent(1).queue(1, ofSeconds(60)));
        GrpcTestServer server = keep(new GrpcTestServer(holding));
        Channel channel = guarded(server, seats);
        Listening first = CallContext.current()
                .withDeadline(Deadline.after(ofMillis(400), Environment.system().clock()))
                .<Listening, RuntimeException>call(() -> send(channel.newCall(CHAT, CallOptions.DEFAULT), "a"));
        until(() -> !calls.isEmpty());
        Listening second = send(channel.newCall(CHAT, in(ofMillis(50))), "b");
        // Which of the two, the gate or the deadline, gives up first is not said.
        assertThat(second.end().getCode()).isIn(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED);
        assertThat(first.end().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        until(() -> seats.inFlight() == 0);
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_stream_is_sent_once_whatever_the_policy_repeats() {
        GrpcTestServer server =
                keep(new GrpcTestServer((call, message, number) -> call.close(Status.UNAVAILABLE, new Metadata())));
        Retry retry = Retry.of("r", c -> c.idempotent(true).maxAttempts(5).backoff(Backoff.fixed(ofMillis(1))));
        Listening listener = send(guarded(server, retry).newCall(CHAT, CallOptions.DEFAULT), "a");
        assertThat(listener.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(listener.events).containsExactly("UNAVAILABLE");
        assertThat(server.received).hasValue(1);
    }

    @Test
    void a_fallback_cannot_answer_a_stream() {
        CircuitBreaker breaker = CircuitBreaker.of("chat");
        breaker.forceOpen();
        Channel channel = guarded(holding, Pipeline.of(Fallback.of("f", error -> "substitute"), breaker));
        Listening listener = send(channel.newCall(CHAT, CallOptions.DEFAULT), "a");
        assertThat(listener.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(listener.end().getDescription()).contains("no policy can answer a stream");
    }

    @Test
    void an_iterator_that_is_dropped_gives_its_permit_back_at_its_deadline() {
        Bulkhead seats = Bulkhead.of("seats", 1);
        MethodDescriptor<String, String> method = chat(MethodDescriptor.MethodType.SERVER_STREAMING);
        Iterator<String> dropped =
                ClientCalls.blockingServerStreamingCall(guarded(holding, seats), method, in(ofMillis(200)), "a");
        assertThat(dropped).isNotNull();
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void an_iterator_that_is_dropped_when_the_server_has_ended_gives_its_permit_back_at_its_deadline() {
        Bulkhead seats = Bulkhead.of("seats", 1);
        MethodDescriptor<String, String> method = chat(MethodDescriptor.MethodType.SERVER_STREAMING);
        GrpcTestServer.Answer ending = (call, message, number) -> call.close(Status.UNAVAILABLE, new Metadata());
        Iterator<String> dropped =
                ClientCalls.blockingServerStreamingCall(guarded(ending, seats), method, in(ofMillis(500)), "a");
        assertThat(dropped).isNotNull();
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void an_iterator_that_is_dropped_when_the_server_has_ended_gives_its_permit_back_with_its_context() {
        Bulkhead seats = Bulkhead.of("seats", 1);
        MethodDescriptor<String, String> method = chat(MethodDescriptor.MethodType.SERVER_STREAMING);
        GrpcTestServer server = keep(new GrpcTestServer((call, message, number) -> {
            if (number == 1) {
                reply(call, message);
            } else {
                call.close(Status.UNAVAILABLE, new Metadata());
                calls.add(call);
            }
        }));
        Channel channel = guarded(server, seats);
        assertThat(ClientCalls.blockingUnaryCall(channel, SAY, CallOptions.DEFAULT, "a"))
                .isEqualTo("a");
        Context.CancellableContext within = Context.current().withCancellation();
        CallOptions runningNothing = CallOptions.DEFAULT.withExecutor(task -> {});
        within.run(() -> ClientCalls.blockingServerStreamingCall(channel, method, runningNothing, "a"));
        until(() -> !calls.isEmpty());
        within.cancel(null);
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void a_stream_holds_its_permit_also_if_the_channel_has_cut_off_another_attempt_of_it() {
        GrpcTestServer server = keep(new GrpcTestServer((call, message, number) -> {
            calls.add(call);
            if (number == 2) {
                call.sendHeaders(new Metadata());
                call.sendMessage("first");
            }
        }));
        Map<String, Object> twice =
                Map.of("maxAttempts", 2.0, "hedgingDelay", "0.01s", "nonFatalStatusCodes", List.of("UNAVAILABLE"));
        ManagedChannel hedging = NettyChannelBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))
                .usePlaintext()
                .enableRetry()
                .disableServiceConfigLookUp()
                .defaultServiceConfig(
                        Map.of("methodConfig", List.of(Map.of("name", List.of(Map.of()), "hedgingPolicy", twice))))
                .build();
        keep(() -> hedging.shutdownNow().awaitTermination(20, TimeUnit.SECONDS));
        Bulkhead seats = Bulkhead.of("seats", 1);
        Channel channel = ClientInterceptors.intercept(
                hedging, GrpcClientGuard.of(Pipeline.of()).withStreams(seats));

        Listening listener = send(channel.newCall(CHAT, CallOptions.DEFAULT), "a");
        until(() -> server.cancelled.get() == 1);
        until(() -> listener.events.contains("first"));
        assertThat(seats.inFlight()).isEqualTo(1);
        calls.forEach(call -> call.close(Status.OK, new Metadata()));
        assertThat(listener.end().isOk()).isTrue();
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void a_stream_that_cannot_be_started_ends_whatever_the_policy_repeats() {
        Retry retry = Retry.of(
                "r",
                c -> c.outcomes(OutcomeRule.standard().onError(IllegalStateException.class, Verdict.NOT_SENT))
                        .backoff(Backoff.fixed(ofMillis(1))));
        Bulkhead seats = Bulkhead.of("seats", 1);
        Channel broken = new Channel() {
            @Override
            public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
                throw new IllegalStateException("shut");
            }

            @Override
            public String authority() {
                return "none";
            }
        };
        Channel channel = ClientInterceptors.intercept(
                broken, GrpcClientGuard.of(Pipeline.of()).withStreams(Pipeline.of(retry, seats)));
        Listening listener = new Listening();
        channel.newCall(CHAT, CallOptions.DEFAULT).start(listener, new Metadata());
        assertThat(listener.end().getCode()).isEqualTo(Status.Code.UNKNOWN);
        assertThat(listener.events).containsExactly("UNKNOWN");
        until(() -> seats.inFlight() == 0);
    }

    @Test
    void a_blocking_stub_reads_a_stream_and_gets_its_refusal() {
        Bulkhead seats = Bulkhead.of("seats", 1);
        MethodDescriptor<String, String> method = chat(MethodDescriptor.MethodType.SERVER_STREAMING);
        Channel channel = guarded((call, message, number) -> reply(call, message), seats);
        Iterator<String> answers = ClientCalls.blockingServerStreamingCall(channel, method, CallOptions.DEFAULT, "a");
        assertThat(answers.next()).isEqualTo("a");
        assertThat(answers.hasNext()).isFalse();
        until(() -> seats.inFlight() == 0);
        StatusRuntimeException refused = catchThrowableOfType(StatusRuntimeException.class, () -> {
            CircuitBreaker open = CircuitBreaker.of("chat");
            open.forceOpen();
            ClientCalls.blockingServerStreamingCall(guarded(holding, open), method, CallOptions.DEFAULT, "a")
                    .next();
        });
        assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }
}

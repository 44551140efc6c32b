package dev.levee.grpc.balancing;

import static dev.levee.grpc.GrpcTestServer.ASK;
import static dev.levee.grpc.GrpcTestServer.SAY;
import static dev.levee.grpc.GrpcTestServer.reply;
import static dev.levee.grpc.GrpcTestServer.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.core.Measured;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.grpc.GrpcClientGuard;
import dev.levee.grpc.GrpcOutcomes;
import dev.levee.grpc.GrpcTestServer;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.LoadBalancerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.NameResolverRegistry;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChannelBalancerTest {
    private final List<AutoCloseable> open = new ArrayList<>();
    private final FixedAddresses addresses = new FixedAddresses();
    private final String target = "fixed:///" + UUID.randomUUID();

    /** Calls of each server, by its port. */
    private final Map<Integer, AtomicInteger> calls = new ConcurrentHashMap<>();

    private static LeveeLoadBalancerProvider provider() {
        return (LeveeLoadBalancerProvider)
                LoadBalancerRegistry.getDefaultRegistry().getProvider("levee");
    }

    @BeforeEach
    void register() {
        NameResolverRegistry.getDefaultRegistry().register(addresses);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        NameResolverRegistry.getDefaultRegistry().deregister(addresses);
    }

    private GrpcTestServer server(GrpcTestServer.Answer answer) {
        return server(0, answer);
    }

    private GrpcTestServer server(int port, GrpcTestServer.Answer answer) {
        AtomicInteger counter = new AtomicInteger();
        GrpcTestServer server = new GrpcTestServer(port, (call, message, number) -> {
            counter.incrementAndGet();
            answer.to(call, message, number);
        });
        calls.put(server.port(), counter);
        open.add(server);
        return server;
    }

    private GrpcTestServer echo() {
        return server((call, message, number) -> reply(call, message));
    }

    private ManagedChannel channel(Map<String, ?> config) {
        ManagedChannel channel = NettyChannelBuilder.forTarget(target)
                .usePlaintext()
                .disableRetry()
                .defaultServiceConfig(Map.of("loadBalancingConfig", List.of(Map.of("levee", config))))
                .build();
        open.add(0, () -> channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS));
        return channel;
    }

    private static String ask(Channel channel) {
        return ClientCalls.blockingUnaryCall(
                channel, ASK, CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS), "a");
    }

    /** The figures of this test's channel by their flat names. */
    private Map<String, Double> figures() {
        Map<String, Double> figures = new ConcurrentHashMap<>();
        Measured.Sink sink = (policy, metric, value) -> {
            if (policy.startsWith(target)) {
                figures.merge(metric, value, Double::sum);
            }
        };
        provider().measure(sink);
        return figures;
    }

    private double inFlight() {
        return figures().getOrDefault("endpoint.in.flight", -1.0);
    }

    private void untilAllReady(int number) {
        until(() -> figures().getOrDefault("balancer.candidates", 0.0) >= number);
    }

    @Test
    void gRPC_finds_it_by_its_name() {
        assertThat(LoadBalancerRegistry.getDefaultRegistry().getProvider("levee"))
                .isInstanceOf(LeveeLoadBalancerProvider.class);
    }

    @Test
    void round_robin_reaches_all_servers_and_nothing_stays_in_flight() {
        addresses.set(echo().port(), echo().port(), echo().port());
        ManagedChannel channel = channel(Map.of("strategy", "round_robin"));
        ask(channel);
        untilAllReady(3);
        for (int i = 0; i < 30; i++) {
            ask(channel);
        }
        assertThat(calls.values()).allSatisfy(each -> assertThat(each).hasValueGreaterThan(5));
        until(() -> inFlight() == 0);
    }

    @Test
    void it_works_by_its_name_alone_with_its_defaults() {
        addresses.set(echo().port());
        ManagedChannel channel = NettyChannelBuilder.forTarget(target)
                .usePlaintext()
                .defaultLoadBalancingPolicy("levee")
                .build();
        open.add(0, () -> channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS));
        assertThat(ask(channel)).isEqualTo("a");
        until(() -> inFlight() == 0);
    }

    @Test
    void least_connections_goes_around_the_server_that_holds_calls() {
        List<ServerCall<String, String>> held = new CopyOnWriteArrayList<>();
        GrpcTestServer slow = server((call, message, number) -> held.add(call));
        GrpcTestServer fast = echo();
        addresses.set(slow.port(), fast.port());
        ManagedChannel channel = channel(Map.of("strategy", "least_connections"));
        until(() -> {
            ClientCalls.futureUnaryCall(channel.newCall(ASK, CallOptions.DEFAULT), "h");
            return !held.isEmpty() && calls.get(fast.port()).get() > 0; // both are connected
        });
        until(() -> inFlight() == held.size());
        int before = calls.get(slow.port()).get();
        for (int i = 0; i < 20; i++) {
            ask(channel);
        }
        assertThat(calls.get(slow.port())).hasValue(before);
        held.forEach(call -> reply(call, "late"));
        until(() -> inFlight() == 0);
    }

    @Test
    void a_retry_goes_to_another_subchannel() {
        GrpcTestServer bad = server((call, message, number) -> call.close(Status.UNAVAILABLE, new Metadata()));
        GrpcTestServer alsoBad = server((call, message, number) -> call.close(Status.UNAVAILABLE, new Metadata()));
        GrpcTestServer good = echo();
        addresses.set(bad.port(), alsoBad.port(), good.port());
        Retry retry = Retry.of(
                "r",
                c -> c.maxAttempts(3)
                        .backoff(Backoff.fixed(Duration.ofMillis(1)))
                        .budget(RetryBudget.of("b", 1.0, 1000))
                        .outcomes(GrpcOutcomes.rule()));
        ManagedChannel bare = channel(Map.of("strategy", "random", "ejection", false));
        Channel channel = ClientInterceptors.intercept(bare, GrpcClientGuard.of(retry));
        until(() -> {
            try {
                ask(channel);
            } catch (StatusRuntimeException notReady) {
                // some are connecting still
            }
            return figures().getOrDefault("balancer.candidates", 0.0) >= 3;
        });
        for (int i = 0; i < 40; i++) {
            assertThat(ask(channel)).isEqualTo("a"); // never twice to the same one: three attempts find the good one
        }
        until(() -> inFlight() == 0);
    }

    @Test
    void a_server_that_fails_is_ejected() {
        GrpcTestServer bad = server((call, message, number) -> call.close(Status.UNAVAILABLE, new Metadata()));
        int[] ports = new int[5];
        ports[0] = bad.port();
        for (int i = 1; i < ports.length; i++) {
            ports[i] = echo().port();
        }
        addresses.set(ports);
        ManagedChannel channel = channel(Map.of(
                "strategy",
                "round_robin",
                "ejection",
                Map.of("consecutiveFailures", 3.0, "ejectFor", "100s", "maxEjectFor", "200s", "maxEjected", 0.5)));
        AtomicInteger failures = new AtomicInteger();
        until(() -> {
            try {
                ask(channel);
            } catch (StatusRuntimeException failed) {
                failures.incrementAndGet();
            }
            return figures().getOrDefault("balancer.ejected", 0.0) >= 1;
        });
        int before = calls.get(bad.port()).get();
        for (int i = 0; i < 30; i++) {
            assertThat(ask(channel)).isEqualTo("a");
        }
        assertThat(calls.get(bad.port())).hasValue(before);
    }

    @Test
    void a_key_from_a_header_goes_to_one_server() {
        addresses.set(echo().port(), echo().port(), echo().port());
        ManagedChannel bare = channel(Map.of("strategy", "rendezvous", "hashHeader", "user"));
        ask(bare);
        untilAllReady(3);
        calls.values().forEach(each -> each.set(0));
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("user", Metadata.ASCII_STRING_MARSHALLER), "ann");
        Channel channel = ClientInterceptors.intercept(bare, MetadataUtils.newAttachHeadersInterceptor(headers));
        for (int i = 0; i < 20; i++) {
            ask(channel);
        }
        assertThat(calls.values().stream().map(AtomicInteger::get)).containsExactlyInAnyOrder(0, 0, 20);
    }

    @Test
    void no_server_is_UNAVAILABLE_with_its_reason_and_a_call_that_waits_is_served_when_one_comes() throws Exception {
        GrpcTestServer gone = echo();
        int port = gone.port();
        gone.close();
        addresses.set(port);
        ManagedChannel channel = channel(Map.of());
        StatusRuntimeException thrown = catchThrowableOfType(StatusRuntimeException.class, () -> ask(channel));
        assertThat(thrown.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        var waiting =
                ClientCalls.futureUnaryCall(channel.newCall(SAY, CallOptions.DEFAULT.withWaitForReady()), "patient");
        addresses.set(port, echo().port());
        assertThat(waiting.get(30, TimeUnit.SECONDS)).isEqualTo("patient");
        until(() -> inFlight() == 0);
    }

    @Test
    void another_strategy_replaces_the_balancer_and_open_calls_end_where_they_are() throws Exception {
        ChannelBalancerHarness harness = new ChannelBalancerHarness();
        harness.resolve(BalancerSettings.parse(Map.of("strategy", "round_robin")), 1, 2);
        harness.becomeReady(1);
        PickedStreamHandle call = harness.pick();
        harness.resolve(BalancerSettings.parse(Map.of("strategy", "random")), 1, 2);
        assertThat(harness.pick().port()).isEqualTo(1);
        call.close(Status.OK);
    }

    @Test
    void nothing_is_published_after_shutdown() {
        ChannelBalancerHarness harness = new ChannelBalancerHarness();
        harness.resolve(BalancerSettings.DEFAULT, 1, 2);
        harness.becomeReady(1);
        int published = harness.published();
        harness.balancer.shutdown();
        harness.becomeReady(2);
        harness.balancer.handleNameResolutionError(Status.UNAVAILABLE);
        harness.resolve(BalancerSettings.DEFAULT, 1, 2, 3);
        assertThat(harness.published()).isEqualTo(published);
        harness.balancer.shutdown();
    }

    @Test
    void a_pick_goes_to_a_subchannel_that_is_ready_as_long_as_there_is_one() {
        ChannelBalancerHarness harness = new ChannelBalancerHarness();
        harness.resolve(BalancerSettings.parse(Map.of("strategy", "round_robin")), 1, 2, 3);
        assertThat(harness.tryPick()).isNull();
        harness.becomeReady(2);
        Set<Integer> picked = new HashSet<>();
        for (int i = 0; i < 9; i++) {
            PickedStreamHandle handle = harness.pick();
            picked.add(handle.port());
            handle.close(Status.OK);
        }
        assertThat(picked).containsExactly(2);
        var stale = harness.picker();
        harness.becomeReady(3);
        harness.becomeIdle(2);
        // Also by a picker from before the change, which a thread may still hold.
        assertThat(harness.portOf(stale.pickSubchannel(harness.args()))).isEqualTo(3);
        assertThat(harness.pick().port()).isEqualTo(3);
    }

    @Test
    void a_call_that_waits_while_what_is_ready_is_ejected_is_picked_for_again() {
        ChannelBalancerHarness harness = new ChannelBalancerHarness();
        Map<String, Object> ejection = new HashMap<>(Map.of("ejectFor", "10s", "maxEjectFor", "10s"));
        ejection.putAll(Map.of("consecutiveFailures", 3.0, "maxEjected", 0.5, "panicBelow", 0.0));
        harness.resolve(BalancerSettings.parse(Map.of("strategy", "round_robin", "ejection", ejection)), 1, 2);
        harness.becomeReady(1);
        harness.becomeReady(2);
        Set<Integer> last = new HashSet<>();
        for (int i = 0; i < 60; i++) {
            PickedStreamHandle call = harness.pick();
            call.tracer().outboundHeaders();
            call.close(call.port() == 1 ? Status.UNAVAILABLE : Status.OK);
            harness.time.advance(Duration.ofMillis(10));
            if (i > 50) {
                last.add(call.port());
            }
        }
        assertThat(last).as("the first one is ejected").containsExactly(2);
        harness.becomeIdle(2);
        assertThat(harness.tryPick()).isNull();

        int published = harness.published();
        harness.time.advance(Duration.ofSeconds(1));
        assertThat(harness.published()).as("no call waits").isEqualTo(published);
        CallOptions waiting = CallOptions.DEFAULT.withWaitForReady();
        boolean picked = false;
        for (int i = 0; i < 200 && !picked; i++) {
            if (harness.published() > published || i == 0) { // as a channel does with each new picker
                published = harness.published();
                picked = harness.picker().pickSubchannel(harness.args(waiting)).getSubchannel() != null;
            }
            harness.time.advance(Duration.ofMillis(100));
        }
        assertThat(picked).isTrue();
    }

    @Test
    void a_pick_that_the_channel_drops_is_given_back_and_a_stream_ends_once() {
        ChannelBalancerHarness harness = new ChannelBalancerHarness();
        harness.resolve(BalancerSettings.DEFAULT, 1);
        harness.becomeReady(1);
        harness.picker().pickSubchannel(harness.args()); // no stream is made of it
        PickedStreamHandle stream = harness.pick();
        assertThat(harness.inFlight()).isEqualTo(2);
        harness.becomeIdle(1); // the connection was lost, which is why
        harness.time.advance(Duration.ofSeconds(3));
        assertThat(harness.inFlight()).isEqualTo(1);
        stream.close(Status.OK);
        stream.close(Status.UNAVAILABLE);
        assertThat(harness.inFlight()).isZero();
    }

    @Test
    void churn_of_addresses_under_load_answers_every_call_once_and_leaves_nothing_in_flight() throws Exception {
        List<GrpcTestServer> servers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            servers.add(echo());
        }
        servers.sort(Comparator.comparingInt(GrpcTestServer::port));
        addresses.set(servers.get(0).port(), servers.get(1).port());
        Retry retry = Retry.of(
                "r",
                c -> c.maxAttempts(4)
                        .backoff(Backoff.fixed(Duration.ofMillis(1)))
                        .outcomes(GrpcOutcomes.rule()));
        Channel channel = ClientInterceptors.intercept(channel(Map.of()), GrpcClientGuard.of(retry));
        ask(channel);
        AtomicInteger started = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        AtomicInteger wrong = new AtomicInteger();
        List<Status> failures = new CopyOnWriteArrayList<>();
        for (int round = 0; round < 60; round++) {
            for (int i = 0; i < 20; i++) {
                started.incrementAndGet();
                ClientCall<String, String> call =
                        channel.newCall(ASK, CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS));
                AtomicInteger closes = new AtomicInteger();
                call.start(
                        new ClientCall.Listener<>() {
                            @Override
                            public void onClose(Status status, Metadata trailers) {
                                if (closes.incrementAndGet() > 1) {
                                    wrong.incrementAndGet();
                                }
                                if (!status.isOk()) {
                                    failures.add(status);
                                }
                                ended.incrementAndGet();
                            }
                        },
                        new Metadata());
                call.request(2);
                call.sendMessage("m");
                call.halfClose();
            }
            int a = round % 4;
            int b = (round + 1 + round / 4 % 3) % 4;
            addresses.set(servers.get(a).port(), servers.get(b).port());
            int enough = started.get() - 40;
            until(() -> ended.get() >= enough);
        }
        until(() -> ended.get() == started.get());
        assertThat(wrong).hasValue(0);
        assertThat(failures).isEmpty();
        until(() -> inFlight() == 0);
    }

    @Test
    void servers_that_die_and_come_back_under_load_answer_every_call_once() throws Exception {
        GrpcTestServer stable = echo();
        GrpcTestServer dying = echo();
        int port = dying.port();
        addresses.set(stable.port(), port);
        ManagedChannel bare = channel(Map.of("strategy", "round_robin", "ejection", false));
        ask(bare);
        AtomicInteger started = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < 60; i++) {
                started.incrementAndGet();
                ClientCall<String, String> call =
                        bare.newCall(ASK, CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS));
                call.start(
                        new ClientCall.Listener<>() {
                            @Override
                            public void onClose(Status status, Metadata trailers) {
                                ended.incrementAndGet();
                            }
                        },
                        new Metadata());
                call.request(2);
                call.sendMessage("m");
                call.halfClose();
                if (i == 30) {
                    dying.close();
                }
            }
            until(() -> ended.get() == started.get());
            dying = server(port, (call, message, number) -> reply(call, message));
        }
        until(() -> inFlight() == 0);
    }

    @Test
    void a_config_that_is_wrong_names_the_property() {
        for (Map<String, ?> wrong : List.<Map<String, ?>>of(
                Map.of("strategy", "fastest"),
                Map.of("strategy", 5.0),
                Map.of("strateggy", "random"),
                Map.of("hashHeader", "bad name"),
                Map.of("hashHeader", "key-bin"),
                Map.of("ejection", "on"),
                Map.of("ejection", Map.of("ejectFor", "30")),
                Map.of("ejection", Map.of("ejectFor", "-1s")),
                Map.of("ejection", Map.of("ejectFor", "soon", "x", 1)),
                Map.of("ejection", Map.of("consecutiveFailures", 2.5)),
                Map.of("ejection", Map.of("maxEjected", 1.5)))) {
            var parsed = provider().parseLoadBalancingPolicyConfig(wrong);
            assertThat(parsed.getConfig()).as("%s", wrong).isNull();
            String property = wrong.keySet().iterator().next();
            String inner = wrong.get(property) instanceof Map<?, ?> map
                    ? String.valueOf(map.keySet().stream()
                            .sorted(Comparator.comparing(String::valueOf))
                            .findFirst()
                            .get())
                    : property;
            assertThat(parsed.getError().getDescription())
                    .contains("policy \"levee\"")
                    .contains(inner);
        }
        assertThat(provider()
                        .parseLoadBalancingPolicyConfig(Map.of(
                                "strategy",
                                "consistent_hash",
                                "ejection",
                                Map.of("ejectFor", "1.5s", "slowStart", "10s")))
                        .getError())
                .isNull();
    }
}

package dev.levee.grpc.balancing;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Text;
import dev.levee.loadbalancing.HealthConfig;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.Status;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The load balancer of one channel: a {@code pick_first} for each endpoint, and one of our balancers over those that
 * are READY.
 *
 * <p>Invariants: all methods run in the synchronization context of the channel, and pickers, which run anywhere, touch
 * only what is immutable or thread-safe; nothing is published after {@link #shutdown}. An endpoint that is not READY
 * stays in our balancer with weight 0, so that its health and its calls in flight are not forgotten. See ADR 134.
 */
final class ChannelBalancer extends LoadBalancer {
    /** How often calls that wait are picked for again. */
    static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final VarHandle PLANNED = Handles.field(MethodHandles.lookup(), "planned", boolean.class);

    private final Helper helper;
    private final Environment environment;
    private final LoadBalancerProvider pickFirst;
    private final String name;
    private final Consumer<? super ChannelBalancer> onShutdown;
    private final Map<List<SocketAddress>, ChannelEndpoint> endpoints = new LinkedHashMap<>();
    private final UnclaimedPicks unclaimed;

    private BalancerSettings settings = BalancerSettings.DEFAULT;

    /** Ours; another one for another strategy or other settings. Read by pickers that keep it, and for figures. */
    private volatile @Nullable Balancing balancing;

    /** Whether a publication is on its way for calls that wait. */
    @SuppressWarnings("UnusedVariable") // written through PLANNED
    private volatile boolean planned;

    private boolean resolving;
    private boolean shutdown;

    /** One of our balancers, and where it gets its endpoints from. */
    private record Balancing(
            UpdatableEndpoints<ChannelEndpoint> source,
            dev.levee.loadbalancing.LoadBalancer<ChannelEndpoint> balancer,
            @Nullable String hashHeader) {}

    ChannelBalancer(
            Helper helper,
            LoadBalancerProvider pickFirst,
            Environment environment,
            Consumer<? super ChannelBalancer> onShutdown) {
        this.helper = helper;
        this.pickFirst = pickFirst;
        this.environment = environment;
        this.onShutdown = onShutdown;
        String target = helper.getChannelTarget();
        this.name = target.isBlank() ? "channel" : Text.printable(target);
        this.unclaimed = new UnclaimedPicks(environment);
    }

    Helper helper() {
        return helper;
    }

    @Override
    public Status acceptResolvedAddresses(ResolvedAddresses resolved) {
        if (shutdown) {
            return Status.OK;
        }
        if (resolved.getAddresses().isEmpty()) {
            Status none = Status.UNAVAILABLE.withDescription(
                    "balancer \"" + name + "\": name resolution returned no address");
            handleNameResolutionError(none);
            return none;
        }
        BalancerSettings next = resolved.getLoadBalancingPolicyConfig() instanceof BalancerSettings given
                ? given
                : BalancerSettings.DEFAULT;
        if (balancing == null || !next.equals(settings)) {
            settings = next;
            replaceBalancing();
        }
        resolving = true;
        List<ChannelEndpoint> gone;
        Status status = Status.OK;
        try {
            Map<List<SocketAddress>, EquivalentAddressGroup> wanted = new LinkedHashMap<>();
            resolved.getAddresses().forEach(each -> wanted.putIfAbsent(each.getAddresses(), each));
            gone = removeAllBut(wanted.keySet());
            for (Map.Entry<List<SocketAddress>, EquivalentAddressGroup> each : wanted.entrySet()) {
                ChannelEndpoint endpoint = endpoints.get(each.getKey());
                if (endpoint == null) {
                    endpoint = new ChannelEndpoint(this, pickFirst, idOf(each.getKey()));
                    endpoints.put(each.getKey(), endpoint);
                }
                Status accepted = endpoint.accept(resolved.toBuilder()
                        .setAddresses(List.of(each.getValue()))
                        .setAttributes(resolved.getAttributes().toBuilder()
                                .set(IS_PETIOLE_POLICY, true)
                                .build())
                        .setLoadBalancingPolicyConfig(null)
                        .build());
                status = accepted.isOk() ? status : accepted;
            }
        } finally {
            resolving = false;
        }
        publish();
        gone.forEach(ChannelEndpoint::shutdown); // after no picker names them any more
        return status;
    }

    /** Addresses that differ may read the same; ids must not. */
    private String idOf(List<SocketAddress> addresses) {
        String text = addresses.toString();
        String id = text;
        int number = 1;
        while (isTaken(id)) {
            number++;
            id = text + "#" + number;
        }
        return id;
    }

    private boolean isTaken(String id) {
        return endpoints.values().stream().anyMatch(each -> each.id.equals(id));
    }

    private List<ChannelEndpoint> removeAllBut(Collection<List<SocketAddress>> wanted) {
        List<ChannelEndpoint> gone = new ArrayList<>();
        endpoints.entrySet().removeIf(each -> {
            boolean leaves = !wanted.contains(each.getKey());
            if (leaves) {
                gone.add(each.getValue());
            }
            return leaves;
        });
        return gone;
    }

    private void replaceBalancing() {
        Balancing before = balancing;
        UpdatableEndpoints<ChannelEndpoint> source = EndpointSource.updatable(described());
        LoadBalancerConfig.Builder<ChannelEndpoint> config = LoadBalancerConfig.<ChannelEndpoint>builder()
                .lease(Deadline.FOREVER) // the channel says when a stream ends, however long it is
                .outcomes(VerdictRule.INSTANCE);
        HealthConfig<ChannelEndpoint> health = settings.health();
        if (health != null) {
            config.health(health);
        }
        balancing = new Balancing(
                source,
                dev.levee.loadbalancing.LoadBalancer.of(name, settings.strategy(), source, config.build(), environment),
                settings.hashHeader());
        if (before != null) {
            before.balancer.close();
        }
    }

    @Override
    public void handleNameResolutionError(Status error) {
        if (!shutdown && endpoints.values().stream().noneMatch(ChannelEndpoint::isReady)) {
            helper.updateBalancingState(
                    ConnectivityState.TRANSIENT_FAILURE, new FixedResultPicker(PickResult.withError(error)));
        }
    }

    @Override
    public void requestConnection() {
        // Each endpoint asks for a connection by itself when it has none.
    }

    @Override
    public void shutdown() {
        if (shutdown) {
            return;
        }
        shutdown = true;
        endpoints.values().forEach(ChannelEndpoint::shutdown);
        endpoints.clear();
        Balancing last = balancing;
        if (last != null) {
            last.balancer.close();
        }
        unclaimed.sweepSoon();
        onShutdown.accept(this);
    }

    /** An endpoint has another state or picker. */
    void childChanged() {
        if (!resolving) {
            publish();
        }
    }

    private List<Endpoint<ChannelEndpoint>> described() {
        return endpoints.values().stream()
                .map(each -> new Endpoint<>(each.id, each, each.isReady() ? 1 : 0))
                .toList();
    }

    private void publish() {
        Balancing now = balancing;
        if (shutdown || now == null) {
            return;
        }
        now.source.set(described());
        boolean connecting = false;
        ChannelEndpoint failing = null;
        List<ChannelEndpoint> ready = new ArrayList<>();
        for (ChannelEndpoint each : endpoints.values()) {
            switch (each.state()) {
                case READY -> ready.add(each);
                case CONNECTING, IDLE -> connecting = true;
                default -> failing = each;
            }
        }
        if (!ready.isEmpty()) {
            helper.updateBalancingState(
                    ConnectivityState.READY,
                    new ChannelPicker(now.balancer, now.hashHeader, List.copyOf(ready), unclaimed, this::publishSoon));
        } else if (connecting || failing == null) {
            helper.updateBalancingState(ConnectivityState.CONNECTING, new FixedResultPicker(PickResult.withNoResult()));
        } else {
            helper.updateBalancingState(ConnectivityState.TRANSIENT_FAILURE, failing.picker());
        }
        unclaimed.sweepSoon();
    }

    /**
     * Publishes again in a while, for calls that wait for an endpoint and were refused: that an ejection has ended
     * tells no channel to pick for them again. Called by any thread.
     */
    private void publishSoon() {
        if (PLANNED.compareAndSet(this, false, true)) {
            try {
                environment.schedule(
                        () -> environment.handOver(() -> {
                            planned = false;
                            helper.getSynchronizationContext().execute(this::publish);
                        }),
                        AGAIN_NANOS);
            } catch (Throwable noTimer) { // an environment that was closed; the next call tries again
                planned = false;
            }
        }
    }

    void measure(Measured.Sink sink) {
        Balancing now = balancing;
        if (now != null) {
            now.balancer.measure(sink);
        }
    }

    @Override
    public String toString() {
        return "balancer \"" + name + "\"";
    }

    /** Streams hand their verdict to our balancer as a result: they have judged already. */
    private enum VerdictRule implements OutcomeRule {
        INSTANCE;

        @Override
        public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
            return result instanceof Verdict verdict
                    ? verdict
                    : OutcomeRule.standard().judge(result, error);
        }

        @Override
        public String toString() {
            return "grpc stream";
        }
    }
}

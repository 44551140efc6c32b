package dev.levee.benchmarks;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ChannelLogger;
import io.grpc.ClientStreamTracer;
import io.grpc.ConnectivityState;
import io.grpc.ConnectivityStateInfo;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.NameResolver.ConfigOrError;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.xds.LeastRequestLoadBalancerProvider;
import io.grpc.xds.WeightedRoundRobinLoadBalancerProvider;
import io.grpc.xds.shaded.com.github.xds.data.orca.v3.OrcaLoadReport;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * One of gRPC's own balancers over subchannels that are always ready: what {@link #pick} asks is the picker that it
 * gives to a channel. Connections do not exist, and a call is what the picker's tracer hears of it.
 */
final class GrpcBalancer {
    private static final Arguments ARGUMENTS = new Arguments();
    private static final ClientStreamTracer.StreamInfo STREAM =
            ClientStreamTracer.StreamInfo.newBuilder().build();

    private final SynchronizationContext context = new SynchronizationContext((thread, failure) -> {
        throw new IllegalStateException(failure);
    });
    private final LoadBalancer balancer;
    private final LoadBalancer.ResolvedAddresses addresses;
    private LoadBalancer.SubchannelPicker picker =
            new LoadBalancer.FixedResultPicker(LoadBalancer.PickResult.withNoResult());

    private GrpcBalancer(LoadBalancerProvider provider, Map<String, ?> config, int endpoints) {
        List<EquivalentAddressGroup> groups = new ArrayList<>();
        for (int i = 0; i < endpoints; i++) {
            groups.add(new EquivalentAddressGroup(InetSocketAddress.createUnresolved("host", 1 + i)));
        }
        ConfigOrError parsed = provider.parseLoadBalancingPolicyConfig(config);
        Check.that(parsed.getError() == null, "gRPC refuses the configuration: " + parsed.getError());
        addresses = LoadBalancer.ResolvedAddresses.newBuilder()
                .setAddresses(groups)
                .setLoadBalancingPolicyConfig(parsed.getConfig())
                .build();
        balancer = provider.newLoadBalancer(new FakeChannel());
        resolve();
        Check.that(pick().hasResult() && pick().getSubchannel() != null, "gRPC's balancer is not ready");
    }

    static GrpcBalancer roundRobin(int endpoints) {
        LoadBalancerProvider provider = Objects.requireNonNull(
                LoadBalancerRegistry.getDefaultRegistry().getProvider("round_robin"), "gRPC has no round_robin");
        return new GrpcBalancer(provider, Map.of(), endpoints);
    }

    /** Draws N with replacement and takes the one with the fewest open streams. */
    static GrpcBalancer leastRequest(int endpoints, int choices) {
        return new GrpcBalancer(
                new LeastRequestLoadBalancerProvider(), Map.of("choiceCount", (double) choices), endpoints);
    }

    /** Its servers report their load at the end of each call, which is how a weight comes to be known. */
    static GrpcBalancer weightedRoundRobin(int endpoints, IntToDoubleFunction weight) {
        GrpcBalancer made = new GrpcBalancer(
                new WeightedRoundRobinLoadBalancerProvider(), Map.of("blackoutPeriod", "0s"), endpoints);
        for (int picks = 0; picks < 20 * endpoints; picks++) {
            LoadBalancer.PickResult picked = made.pick();
            int port = port(picked);
            made.report(picked, weight.applyAsDouble(port - 1));
        }
        made.resolve(); // which looks at the weights
        int[] counts = new int[endpoints];
        for (int picks = 0; picks < 1_000 * endpoints; picks++) {
            counts[port(made.pick()) - 1]++;
        }
        Check.that(
                counts[endpoints - 1] > 0.5 * counts[0] * weight.applyAsDouble(endpoints - 1),
                "gRPC's weights are not in use: " + Arrays.toString(counts));
        return made;
    }

    private static int port(LoadBalancer.PickResult picked) {
        LoadBalancer.Subchannel subchannel = Objects.requireNonNull(picked.getSubchannel());
        return ((InetSocketAddress) subchannel.getAddresses().getAddresses().get(0)).getPort();
    }

    private void report(LoadBalancer.PickResult picked, double weight) {
        Metadata trailers = new Metadata();
        trailers.put(
                Metadata.Key.of(
                        "endpoint-load-metrics-bin",
                        ProtoUtils.metadataMarshaller(OrcaLoadReport.getDefaultInstance())),
                OrcaLoadReport.newBuilder()
                        .setRpsFractional(100 * weight)
                        .setApplicationUtilization(0.5)
                        .build());
        ClientStreamTracer tracer = open(picked);
        tracer.inboundTrailers(trailers);
        tracer.streamClosed(Status.OK);
    }

    private void resolve() {
        context.execute(() -> {
            Status status = balancer.acceptResolvedAddresses(addresses);
            Check.that(status.isOk(), "gRPC's balancer takes no addresses: " + status);
        });
    }

    LoadBalancer.PickResult pick() {
        return picker.pickSubchannel(ARGUMENTS);
    }

    /** What a channel does when it makes a stream for a pick. */
    ClientStreamTracer open(LoadBalancer.PickResult picked) {
        ClientStreamTracer tracer = Objects.requireNonNull(picked.getStreamTracerFactory())
                .newClientStreamTracer(STREAM, ARGUMENTS.headers);
        tracer.streamCreated(Attributes.EMPTY, ARGUMENTS.headers);
        return tracer;
    }

    /** A call: pick, open, close. */
    LoadBalancer.@Nullable Subchannel call() {
        LoadBalancer.PickResult picked = pick();
        open(picked).streamClosed(Status.OK);
        return picked.getSubchannel();
    }

    private static final class Arguments extends LoadBalancer.PickSubchannelArgs {
        final Metadata headers = new Metadata();

        @Override
        public CallOptions getCallOptions() {
            return CallOptions.DEFAULT;
        }

        @Override
        public Metadata getHeaders() {
            return headers;
        }

        @Override
        public MethodDescriptor<?, ?> getMethodDescriptor() {
            throw new UnsupportedOperationException();
        }
    }

    private final class FakeChannel extends LoadBalancer.Helper {
        private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });

        @Override
        public LoadBalancer.Subchannel createSubchannel(LoadBalancer.CreateSubchannelArgs args) {
            return new ReadySubchannel(args.getAddresses(), args.getAttributes());
        }

        @Override
        public void updateBalancingState(ConnectivityState state, LoadBalancer.SubchannelPicker next) {
            picker = next;
        }

        @Override
        public SynchronizationContext getSynchronizationContext() {
            return context;
        }

        @Override
        public ScheduledExecutorService getScheduledExecutorService() {
            return timer;
        }

        @Override
        public ManagedChannel createOobChannel(EquivalentAddressGroup group, String authority) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String getAuthority() {
            return "authority";
        }

        @Override
        public String getChannelTarget() {
            return "target";
        }

        @Override
        public ChannelLogger getChannelLogger() {
            return new Silence();
        }
    }

    private final class ReadySubchannel extends LoadBalancer.Subchannel {
        private List<EquivalentAddressGroup> groups;
        private final Attributes attributes;
        private LoadBalancer.@Nullable SubchannelStateListener listener;

        ReadySubchannel(List<EquivalentAddressGroup> groups, Attributes attributes) {
            this.groups = groups;
            this.attributes = attributes;
        }

        @Override
        public void start(LoadBalancer.SubchannelStateListener target) {
            listener = target;
        }

        @Override
        public void requestConnection() {
            LoadBalancer.SubchannelStateListener target = listener;
            context.execute(() -> {
                if (target != null) {
                    target.onSubchannelState(ConnectivityStateInfo.forNonError(ConnectivityState.CONNECTING));
                    target.onSubchannelState(ConnectivityStateInfo.forNonError(ConnectivityState.READY));
                }
            });
        }

        @Override
        public void shutdown() {}

        @Override
        public void updateAddresses(List<EquivalentAddressGroup> others) {
            groups = others;
        }

        @Override
        public List<EquivalentAddressGroup> getAllAddresses() {
            return groups;
        }

        @Override
        public Attributes getAttributes() {
            return attributes;
        }

        @Override
        public Attributes getConnectedAddressAttributes() {
            return Attributes.EMPTY;
        }

        @Override
        public ChannelLogger getChannelLogger() {
            return new Silence();
        }
    }

    private static final class Silence extends ChannelLogger {
        @Override
        public void log(ChannelLogLevel level, String message) {}

        @Override
        public void log(ChannelLogLevel level, String messageFormat, Object... args) {}
    }
}

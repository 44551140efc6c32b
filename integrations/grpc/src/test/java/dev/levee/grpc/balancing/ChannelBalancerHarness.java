package dev.levee.grpc.balancing;

import dev.levee.core.Measured;
import dev.levee.core.testing.ManualTime;
import dev.levee.grpc.GrpcTestServer;
import io.grpc.CallOptions;
import io.grpc.ChannelLogger;
import io.grpc.ClientStreamTracer;
import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.ResolvedAddresses;
import io.grpc.LoadBalancer.SubchannelPicker;
import io.grpc.LoadBalancerProvider;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A balancer of a channel that is not there: a test says which subchannels are ready. */
final class ChannelBalancerHarness {
    final ManualTime time = new ManualTime();
    final ChannelBalancer balancer;

    private final SynchronizationContext context = new SynchronizationContext((thread, thrown) -> {
        throw new AssertionError(thrown);
    });
    private final Map<Integer, LoadBalancer.Helper> children = new HashMap<>();
    private final Map<LoadBalancer.Subchannel, Integer> ports = new HashMap<>();
    private SubchannelPicker picker;
    private int published;

    ChannelBalancerHarness() {
        balancer = new ChannelBalancer(new Helper(), new Children(), time.environment(), gone -> {});
    }

    void resolve(BalancerSettings settings, int... wanted) {
        context.execute(() -> balancer.acceptResolvedAddresses(ResolvedAddresses.newBuilder()
                .setAddresses(IntStream.of(wanted)
                        .mapToObj(port -> new EquivalentAddressGroup(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), port)))
                        .toList())
                .setLoadBalancingPolicyConfig(settings)
                .build()));
    }

    void becomeReady(int port) {
        LoadBalancer.Subchannel subchannel = new FakeSubchannel();
        ports.put(subchannel, port);
        update(port, ConnectivityState.READY, PickResult.withSubchannel(subchannel));
    }

    void becomeIdle(int port) {
        update(port, ConnectivityState.IDLE, PickResult.withNoResult());
    }

    private void update(int port, ConnectivityState state, PickResult result) {
        context.execute(
                () -> children.get(port).updateBalancingState(state, new LoadBalancer.FixedResultPicker(result)));
    }

    int published() {
        return published;
    }

    SubchannelPicker picker() {
        return picker;
    }

    /** Picks as a channel does; null if the call would be buffered. */
    PickedStreamHandle tryPick() {
        PickResult result = picker.pickSubchannel(args());
        if (result.getSubchannel() == null) {
            return null;
        }
        ClientStreamTracer tracer = result.getStreamTracerFactory()
                .newClientStreamTracer(
                        ClientStreamTracer.StreamInfo.newBuilder().build(), new Metadata());
        return new PickedStreamHandle(ports.get(result.getSubchannel()), tracer);
    }

    PickedStreamHandle pick() {
        PickedStreamHandle picked = tryPick();
        if (picked == null) {
            throw new AssertionError("the call would be buffered");
        }
        return picked;
    }

    int portOf(PickResult result) {
        return ports.get(result.getSubchannel());
    }

    int inFlight() {
        double[] sum = {0};
        Measured.Sink sink = (policy, metric, value) -> {
            if (metric.equals("endpoint.in.flight")) {
                sum[0] += value;
            }
        };
        balancer.measure(sink);
        return (int) sum[0];
    }

    LoadBalancer.PickSubchannelArgs args() {
        return args(CallOptions.DEFAULT);
    }

    LoadBalancer.PickSubchannelArgs args(CallOptions options) {
        return new LoadBalancer.PickSubchannelArgs() {
            @Override
            public CallOptions getCallOptions() {
                return options;
            }

            @Override
            public Metadata getHeaders() {
                return new Metadata();
            }

            @Override
            public MethodDescriptor<?, ?> getMethodDescriptor() {
                return GrpcTestServer.ASK;
            }
        };
    }

    private static final class FakeSubchannel extends LoadBalancer.Subchannel {
        @Override
        public void shutdown() {}

        @Override
        public void requestConnection() {}

        @Override
        public io.grpc.Attributes getAttributes() {
            return io.grpc.Attributes.EMPTY;
        }
    }

    private final class Helper extends LoadBalancer.Helper {
        @Override
        public ManagedChannel createOobChannel(EquivalentAddressGroup group, String authority) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void updateBalancingState(ConnectivityState state, SubchannelPicker next) {
            published++;
            picker = next;
        }

        @Override
        public SynchronizationContext getSynchronizationContext() {
            return context;
        }

        @Override
        public String getAuthority() {
            return "test";
        }

        @Override
        public String getChannelTarget() {
            return "fake";
        }

        @Override
        public ChannelLogger getChannelLogger() {
            throw new UnsupportedOperationException();
        }
    }

    /** In place of pick_first. */
    private final class Children extends LoadBalancerProvider {
        @Override
        public boolean isAvailable() {
            return true;
        }

        @Override
        public int getPriority() {
            return 5;
        }

        @Override
        public String getPolicyName() {
            return "fake";
        }

        @Override
        public LoadBalancer newLoadBalancer(LoadBalancer.Helper helper) {
            return new LoadBalancer() {
                @Override
                public Status acceptResolvedAddresses(ResolvedAddresses resolved) {
                    List<EquivalentAddressGroup> one = resolved.getAddresses();
                    InetSocketAddress address =
                            (InetSocketAddress) one.get(0).getAddresses().get(0);
                    children.put(address.getPort(), helper);
                    return Status.OK;
                }

                @Override
                public void handleNameResolutionError(Status error) {}

                @Override
                public void requestConnection() {}

                @Override
                public void shutdown() {}
            };
        }
    }
}

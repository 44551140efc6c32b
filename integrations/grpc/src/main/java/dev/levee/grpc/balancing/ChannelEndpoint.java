package dev.levee.grpc.balancing;

import io.grpc.ConnectivityState;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancer.FixedResultPicker;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.ResolvedAddresses;
import io.grpc.LoadBalancer.SubchannelPicker;
import io.grpc.LoadBalancerProvider;
import io.grpc.Status;
import io.grpc.util.ForwardingLoadBalancerHelper;

/**
 * One endpoint of a channel: the addresses of one server, and the {@code pick_first} policy that keeps a connection to
 * it. Changed only within the synchronization context; pickers read {@link #picker} from any thread.
 */
final class ChannelEndpoint {
    final String id;

    private final ChannelBalancer owner;
    private final LoadBalancer pickFirst;

    /** Of the synchronization context. */
    private ConnectivityState state = ConnectivityState.CONNECTING;

    private boolean removed;

    private volatile SubchannelPicker picker = new FixedResultPicker(PickResult.withNoResult());

    ChannelEndpoint(ChannelBalancer owner, LoadBalancerProvider pickFirst, String id) {
        this.id = id;
        this.owner = owner;
        this.pickFirst = pickFirst.newLoadBalancer(new ChildHelper());
    }

    Status accept(ResolvedAddresses one) {
        return pickFirst.acceptResolvedAddresses(one);
    }

    ConnectivityState state() {
        return state;
    }

    SubchannelPicker picker() {
        return picker;
    }

    boolean isReady() {
        return state == ConnectivityState.READY && !removed;
    }

    void shutdown() {
        removed = true;
        pickFirst.shutdown();
    }

    private void update(ConnectivityState next, SubchannelPicker nextPicker) {
        if (removed) {
            return;
        }
        if (next == ConnectivityState.IDLE) {
            owner.helper().getSynchronizationContext().execute(() -> {
                if (!removed) {
                    pickFirst.requestConnection();
                }
            });
        }
        boolean failing = state == ConnectivityState.TRANSIENT_FAILURE;
        if (failing && (next == ConnectivityState.CONNECTING || next == ConnectivityState.IDLE)) {
            return; // it counts as failing until it works again, so that calls fail fast
        }
        state = next;
        picker = nextPicker;
        owner.childChanged();
    }

    @Override
    public String toString() {
        return id;
    }

    private final class ChildHelper extends ForwardingLoadBalancerHelper {
        @Override
        protected LoadBalancer.Helper delegate() {
            return owner.helper();
        }

        @Override
        public void updateBalancingState(ConnectivityState next, SubchannelPicker nextPicker) {
            update(next, nextPicker);
        }
    }
}

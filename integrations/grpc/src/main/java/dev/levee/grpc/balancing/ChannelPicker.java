package dev.levee.grpc.balancing;

import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.grpc.AttemptMemory;
import dev.levee.loadbalancing.BalancedCalls;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.PickSubchannelArgs;
import io.grpc.LoadBalancer.SubchannelPicker;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Picks among the endpoints of a channel that are READY, by one of our balancers. Called by any thread. */
final class ChannelPicker extends SubchannelPicker {
    private final LoadBalancer<ChannelEndpoint> balancer;
    private final Metadata.@Nullable Key<String> hashKey;
    private final List<ChannelEndpoint> ready;
    private final UnclaimedPicks unclaimed;
    private final Runnable onWaiting;

    /** Starts a run of a call that remembers where it went, and says which endpoint it has come to. */
    private static final class Runs {
        /** The run that begins on a thread, from the balancer's answer to the pick; empty otherwise. */
        private static final ThreadLocal<@Nullable BegunRun> BEGUN = new ThreadLocal<>();

        private final Supplier<CompletableFuture<Verdict>> next;

        private record BegunRun(ChannelEndpoint endpoint, CompletableFuture<Verdict> end) {}

        Runs(BalancedCalls<ChannelEndpoint> calls) {
            next = calls.operationAsync(endpoint -> {
                CompletableFuture<Verdict> end = new CompletableFuture<>();
                BEGUN.set(new BegunRun(endpoint, end));
                return end;
            });
        }

        PickedStream pick(UnclaimedPicks unclaimed) {
            CompletableFuture<Verdict> refused;
            BegunRun run;
            BEGUN.remove(); // of a pick that ended without memory, or without a stack
            try {
                refused = next.get();
                run = BEGUN.get();
            } finally {
                BEGUN.remove();
            }
            if (run == null) {
                throw refused.handle((verdict, error) ->
                                error instanceof RuntimeException thrown ? thrown : new IllegalStateException(error))
                        .join();
            }
            return new PickedStream(run.endpoint, unclaimed, null, run.end);
        }
    }

    ChannelPicker(
            LoadBalancer<ChannelEndpoint> balancer,
            @Nullable String hashHeader,
            List<ChannelEndpoint> ready,
            UnclaimedPicks unclaimed,
            Runnable onWaiting) {
        this.balancer = balancer;
        this.hashKey = hashHeader == null ? null : Metadata.Key.of(hashHeader, Metadata.ASCII_STRING_MARSHALLER);
        this.ready = ready;
        this.unclaimed = unclaimed;
        this.onWaiting = onWaiting;
    }

    @Override
    public PickResult pickSubchannel(PickSubchannelArgs args) {
        try {
            // An endpoint may have left READY since this picker was made; then another one is asked.
            for (int i = 0; i <= ready.size(); i++) {
                PickedStream picked = pick(args);
                PickResult result = picked.endpoint.picker().pickSubchannel(args);
                if (result.getSubchannel() != null) {
                    unclaimed.add(picked);
                    return result.copyWithStreamTracerFactory(picked);
                }
                picked.dropped();
            }
            for (ChannelEndpoint each : ready) {
                PickResult result = each.picker().pickSubchannel(args);
                if (result.getSubchannel() != null) {
                    return result; // not counted, but sent
                }
            }
            return PickResult.withNoResult();
        } catch (RefusedException refused) {
            if (args.getCallOptions().isWaitForReady()) { // it stays with the channel until there is another picker
                onWaiting.run();
            }
            return PickResult.withError(
                    Status.UNAVAILABLE.withDescription(refused.getMessage()).withCause(refused));
        }
    }

    private PickedStream pick(PickSubchannelArgs args) {
        AttemptMemory memory = args.getCallOptions().getOption(AttemptMemory.OPTION);
        if (memory != null) {
            return memory.of(balancer, Runs.class, () -> new Runs(calls(args))).pick(unclaimed);
        }
        Ticket<ChannelEndpoint> ticket = calls(args).pick();
        return new PickedStream(ticket.endpoint().address(), unclaimed, ticket, null);
    }

    private BalancedCalls<ChannelEndpoint> calls(PickSubchannelArgs args) {
        String key = hashKey == null ? null : args.getHeaders().get(hashKey);
        return key == null ? balancer : balancer.forKey(key);
    }

    @Override
    public String toString() {
        return "ChannelPicker" + ready;
    }
}

package dev.levee.simulator;

import dev.levee.core.Policy;
import dev.levee.loadbalancing.LoadBalancer;
import java.util.concurrent.CompletableFuture;

/**
 * A client whose calls go through policies that ship, such as a retry with its budget, and from there through the
 * balancer, each attempt to another server. An attempt that is cancelled goes on at its server.
 */
public final class PolicyClient implements Client {
    private final VirtualTime time;
    private final Policy guard;
    private final LoadBalancer<Server> balancer;
    private final Recorder recorder;
    private final long oneWayNanos;
    private long attempts;

    /** A client at that distance. */
    public PolicyClient(World world, Policy guard, LoadBalancer<Server> balancer, Recorder recorder, long oneWayNanos) {
        this.time = world.time();
        this.guard = guard;
        this.balancer = balancer;
        this.recorder = recorder;
        this.oneWayNanos = oneWayNanos;
    }

    /** How many calls have left for a server: more than were made, if some are repeated. */
    public long attempts() {
        return attempts;
    }

    @Override
    public void call(double work, long key) {
        recorder.opened();
        long intended = time.now();
        guard.callAsync(balancer.operationAsync((Server server) -> new Attempt(server, work, key).answer))
                .whenComplete((result, error) -> recorder.ended(intended, error == null));
    }

    private final class Attempt extends Call {
        private final CompletableFuture<Object> answer = new CompletableFuture<>();

        Attempt(Server server, double work, long key) {
            attempts++;
            send(time, server, work, key, oneWayNanos);
        }

        @Override
        protected void answered(boolean success) {
            if (success) {
                answer.complete(TicketClient.ANSWER);
            } else {
                answer.completeExceptionally(new CallFailed("the server failed"));
            }
        }
    }
}

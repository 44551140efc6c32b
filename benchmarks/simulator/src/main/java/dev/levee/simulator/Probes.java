package dev.levee.simulator;

import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.strategy.ServerLoad;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Probes that travel as calls do, and are answered at once. */
public final class Probes {
    private Probes() {}

    /** What asks a server at that distance how busy it is, for the configuration of a strategy that probes. */
    public static CompletionStage<ServerLoad> send(World world, Endpoint<?> endpoint, long oneWayNanos) {
        VirtualTime time = world.time();
        CompletableFuture<ServerLoad> answer = new CompletableFuture<>();
        time.after(oneWayNanos, Event.of(() -> {
            ServerLoad load = ((Server) endpoint.address()).load();
            time.after(oneWayNanos, Event.of(() -> answer.complete(load)));
        }));
        return answer;
    }
}

package dev.levee.simulator;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/** Servers and the balancers in front of them. */
public final class Cluster<S extends Server> {
    private final World world;
    private final List<S> servers;
    private final List<Endpoint<Server>> endpoints = new ArrayList<>();

    private Cluster(World world, List<S> servers) {
        this.world = world;
        this.servers = servers;
        for (Server server : servers) {
            endpoints.add(new Endpoint<>(server.name(), server, 1));
        }
    }

    /** A cluster of N servers. */
    public static <S extends Server> Cluster<S> of(World world, int count, IntFunction<S> make) {
        List<S> servers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            servers.add(make.apply(i));
        }
        return new Cluster<>(world, servers);
    }

    /** The name of the server with that number; names are in the order of numbers. */
    public static String name(int number) {
        return String.format(Locale.ROOT, "server-%05d", number);
    }

    /** The servers. */
    public List<S> servers() {
        return servers;
    }

    /** One endpoint for each server; may be replaced one by one before balancers are made, for weights and labels. */
    public List<Endpoint<Server>> endpoints() {
        return endpoints;
    }

    /** The balancer of a client. */
    public LoadBalancer<Server> balancer(int client, BalancingStrategy strategy) {
        return balancer(client, strategy, EndpointSource.of(endpoints), config -> {});
    }

    /** The balancer of a client. */
    public LoadBalancer<Server> balancer(
            int client,
            BalancingStrategy strategy,
            EndpointSource<Server> source,
            Consumer<? super LoadBalancerConfig.Builder<Server>> configure) {
        return LoadBalancer.of("client-" + client, strategy, source, configure, world.environment("client " + client));
    }

    /** Clients that make each call once, by tickets. */
    public List<Client> clients(
            int count, BalancingStrategy strategy, Recorder recorder, long oneWayNanos, long timeoutNanos) {
        List<Client> clients = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            clients.add(new TicketClient(world, balancer(i, strategy), recorder, oneWayNanos, timeoutNanos));
        }
        return clients;
    }
}

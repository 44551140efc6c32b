package dev.levee.console;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;

import dev.levee.cache.Cache;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.signals.CallMeter;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A console of a service that does something, so that there is something to see: pages are tried against it. */
final class RehearsedService implements AutoCloseable {
    static final String TOKEN = "rehearsal-token-0123456789";

    final Console console;
    final CircuitBreaker breaker;
    final Faults outage;
    volatile boolean nodeDown;
    volatile boolean flooded;
    private final ExecutorService workers = Executors.newFixedThreadPool(8);
    private final Pipeline payments;
    private final Pipeline catalog;
    private final LoadBalancer<Integer> nodes;
    private final Cache<Integer, String> products;
    private final KeyedRateLimiter<String> clients;
    private final Keyed<Integer, CircuitBreaker> tenants;

    RehearsedService(int port) {
        console = Console.start(config -> config.port(port).title("Shop").token(TOKEN));
        Environment environment =
                Environment.builder().listener(console.listener()).build();
        breaker = CircuitBreaker.of(
                "payments",
                config -> config.countWindow(20)
                        .minCalls(10)
                        .openFor(ofSeconds(2))
                        .totals(true),
                environment);
        outage = Faults.of("payments outage", environment, Fault.failure(() -> new IOException("secret of the fault")));
        payments = Pipeline.of(
                CallMeter.of("payments", environment),
                Fallback.of("payments queue", failure -> "later", environment),
                Retry.of("payments", config -> config.maxAttempts(2).idempotent(true), environment),
                breaker,
                Timeout.of("payments", ofSeconds(1), environment),
                Bulkhead.of("payments", 8, environment),
                outage);
        catalog = Pipeline.of(
                CallMeter.of("catalog", environment),
                Hedge.of("catalog", config -> config.delay(ofMillis(12)), environment),
                CircuitBreaker.of("catalog", config -> config.totals(true), environment));
        nodes = LoadBalancer.of(
                "shop",
                BalancingStrategy.leastTime(),
                EndpointSource.of(List.of(
                        new Endpoint<>("node-1", 1, 1),
                        new Endpoint<>("node-2", 2, 1),
                        new Endpoint<>("node-3", 3, 1))),
                config -> config.totals(true).health(health -> health.consecutiveFailures(5)),
                environment);
        products = Cache.of("products", config -> config.maxSize(500).totals(true), environment);
        clients = KeyedRateLimiter.of(
                "clients", config -> config.limit(Limit.perSecond(5).burst(20)).totals(true), environment);
        tenants = Keyed.of(
                "tenants",
                20_000,
                ofMinutes(10),
                tenant -> CircuitBreaker.of("tenant-" + tenant, config -> {}, environment),
                10_000,
                environment);
        console.show(payments, catalog)
                .show("shop", nodes, products)
                .show("limits", clients)
                .show(tenants)
                .toggle("Kill node-2", on -> nodeDown = on, () -> nodeDown)
                .toggle("Flood one client", on -> flooded = on, () -> flooded)
                .action("Clear the cache", products::invalidateAll);
        for (int tenant = 0; tenant < 10_000; tenant++) {
            tenants.get(tenant);
        }
        for (int worker = 0; worker < 8; worker++) {
            Random random = new Random(worker);
            Work work = worker < 4 ? this::pay : this::browse;
            workers.execute(() -> repeat(work, random));
        }
    }

    /** What is done again and again. */
    private interface Work {
        void once(Random random) throws Exception;
    }

    private void repeat(Work work, Random random) {
        try {
            while (!workers.isShutdown()) {
                work.once(random);
                TimeUnit.MILLISECONDS.sleep(10);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void pay(Random random) throws InterruptedException {
        quietly(() -> payments.call(() -> pause(random, 4)));
    }

    private void browse(Random random) throws InterruptedException {
        quietly(() -> catalog.call(() -> pause(random, random.nextInt(20) == 0 ? 40 : 6)));
        int product = (int) Math.abs(random.nextGaussian() * 300);
        quietly(() -> products.get(
                product,
                key -> nodes.call(node -> {
                    if (node == 2 && nodeDown) {
                        throw new IOException("secret of the node");
                    }
                    return pause(random, node * 2);
                })));
        client("client-" + random.nextInt(200));
        for (int i = 0; flooded && i < 20; i++) {
            client("greedy");
        }
        tenants.get(random.nextInt(10_000)).call(() -> "");
    }

    private void client(String name) {
        if (!clients.tryAcquire(name)) {
            console.hotKeys("limits").count(name);
        }
    }

    private static String pause(Random random, int millis) throws IOException {
        try {
            TimeUnit.MICROSECONDS.sleep((long) (millis * 1000 * (0.5 + random.nextDouble())));
            return "done";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static void quietly(Operation<Object, Exception> operation) throws InterruptedException {
        try {
            operation.run();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            // That calls fail is what is shown.
        }
    }

    @Override
    public void close() {
        workers.shutdownNow();
        console.close();
        nodes.close();
        products.close();
    }

    /** Serves until it is stopped, for a look at the page. */
    public static void main(String[] args) throws InterruptedException {
        try (RehearsedService service = new RehearsedService(args.length == 0 ? 8090 : Integer.parseInt(args[0]))) {
            System.out.println(service.console.address() + "#token=" + TOKEN);
            Thread.currentThread().join();
        }
    }
}

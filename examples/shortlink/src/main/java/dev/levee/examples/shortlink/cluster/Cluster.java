package dev.levee.examples.shortlink.cluster;

import dev.levee.core.Measured;
import dev.levee.examples.shortlink.Engines;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.Without;
import dev.levee.examples.shortlink.database.DatabaseServer;
import dev.levee.examples.shortlink.engines.PostgresEngine;
import dev.levee.examples.shortlink.engines.RedisEngine;
import dev.levee.examples.shortlink.node.LinkTable;
import java.net.URI;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One database, three nodes and a front, each a process of its own on the loopback interface; with Redis a second
 * front, and with replicas a PostgreSQL of two servers as the database.
 *
 * <p>Not thread-safe, except {@link #close}.
 */
public final class Cluster implements AutoCloseable {
    /** How many nodes there are. */
    public static final int NODES = 3;

    /** The argument of a process for what is not there. */
    public static final String NONE = "-";

    private final Path data;
    private final Without without;
    private final Engines engines;
    private final Events events;
    private final int[] ports = new int[NODES];
    private final AtomicReferenceArray<@Nullable ChildProcess> nodes = new AtomicReferenceArray<>(NODES);
    private final List<ChildProcess> fronts = new ArrayList<>();
    private final List<URI> frontUris = new ArrayList<>();
    private final List<ChildProcess> all = new ArrayList<>();
    private @Nullable ChildProcess database;
    private @Nullable ChildProcess replica;
    private @Nullable ChildProcess redis;
    private int databasePort;
    private int replicaPort;
    private int redisPort;
    private boolean closed;

    private Cluster(Path data, Without without, Engines engines, Events events) {
        this.data = data;
        this.without = without;
        this.engines = engines;
        this.events = events;
    }

    /**
     * Starts all processes, and sees to it that they end with this one.
     *
     * @param port of the front, 0 for any
     * @param data where the database keeps its file
     * @param urls what has a link from the beginning
     * @param without what is taken out
     * @param engines which servers it runs on
     * @param events hears what happens in the processes
     * @return the cluster, serving and warm
     * @throws UsageException if one cannot start; none is left then
     * @throws InterruptedException if the thread is interrupted
     */
    public static Cluster start(int port, Path data, List<String> urls, Without without, Engines engines, Events events)
            throws UsageException, InterruptedException {
        Cluster cluster = new Cluster(data, without, engines, events);
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "stop cluster"));
        boolean started = false;
        try {
            cluster.startAll(port, urls);
            started = true;
            return cluster;
        } finally {
            if (!started) {
                cluster.close();
            }
        }
    }

    private void startAll(int port, List<String> urls) throws UsageException, InterruptedException {
        startDatabase();
        if (engines.redis()) {
            startRedis();
        }
        try {
            LinkTable.seed(database(), urls);
        } catch (SQLException e) {
            throw new UsageException("cannot store the URLs: " + e.getMessage());
        }
        if (engines.replicas()) {
            startReplica(true); // a copy of what is there now
        }
        for (int node = 0; node < NODES; node++) {
            launchNode(node);
        }
        for (int node = 0; node < NODES; node++) {
            awaitNode(node);
        }
        startFronts(port);
        for (URI front : frontUris) {
            WarmUp.of(front, urls);
        }
    }

    private void startFronts(int port) throws UsageException, InterruptedException {
        String uris = String.join(
                ",",
                Arrays.stream(ports).mapToObj(it -> loopback(it).toString()).toList());
        int count = engines.redis() ? 2 : 1;
        for (int i = 0; i < count; i++) {
            ChildProcess front = launch(
                    count == 1 ? "front" : "front-" + (i + 1),
                    "front",
                    String.valueOf(i == 0 ? port : 0),
                    uris,
                    without.name(),
                    redisUrl(),
                    String.valueOf(count));
            fronts.add(front);
        }
        for (ChildProcess front : fronts) {
            frontUris.add(loopback(front.port()));
        }
    }

    /** Starts the database, at its old port if it had one. */
    public void startDatabase() throws UsageException, InterruptedException {
        database = engines.replicas()
                ? launchPostgres("primary", databasePort, 0, false)
                : launch("database", "database", String.valueOf(databasePort), data.toString());
        databasePort = database.port();
    }

    /** Starts the replica again, after it was killed, at its old port and with what it had. */
    public void startReplica() throws UsageException, InterruptedException {
        startReplica(false);
    }

    private void startReplica(boolean copy) throws UsageException, InterruptedException {
        replica = launchPostgres("replica", replicaPort, databasePort, copy);
        replicaPort = replica.port();
    }

    private ChildProcess launchPostgres(String name, int port, int primary, boolean copy) throws UsageException {
        return launch(
                name,
                "postgres",
                String.valueOf(port),
                data.resolve("postgres-" + name).toString(),
                String.valueOf(primary),
                String.valueOf(copy));
    }

    /** Starts Redis, at its old port if it had one, and empty. */
    public void startRedis() throws UsageException, InterruptedException {
        redis = launch(
                "redis",
                "redis",
                String.valueOf(redisPort),
                data.resolve("redis").toString());
        redisPort = redis.port();
    }

    /** Sends SIGKILL to Redis. */
    public void killRedis() {
        Objects.requireNonNull(redis).killKept();
    }

    /** Sends SIGKILL to the replica of the database. */
    public void killReplica() {
        Objects.requireNonNull(replica).killKept();
    }

    /**
     * Lets the replica take up what the primary has done, or lets it fall behind; it answers in any case.
     *
     * @param replays whether it takes that up
     * @throws UsageException if it cannot be told
     */
    public void setReplayed(boolean replays) throws UsageException {
        try {
            PostgresEngine.setReplayed(replicaPort, replays);
        } catch (SQLException e) {
            throw new UsageException("the replica cannot be told: " + e.getMessage());
        }
    }

    /**
     * Where the database is that takes writes.
     *
     * @return a JDBC URL
     */
    public String database() {
        return engines.replicas() ? PostgresEngine.url(databasePort) : DatabaseServer.url(databasePort);
    }

    private String redisUrl() {
        return engines.redis() ? RedisEngine.url(redisPort) : NONE;
    }

    /**
     * Which servers it runs on.
     *
     * @return as it was started
     */
    public Engines engines() {
        return engines;
    }

    /** Sends SIGKILL to the database, if it is H2. */
    public void killDatabase() {
        Objects.requireNonNull(database).kill();
    }

    /**
     * Makes every statement of the database take longer, if it is H2.
     *
     * @param delay by how much; zero for none
     */
    public void slowDatabase(Duration delay) {
        Objects.requireNonNull(database).tell("slow " + delay.toMillis());
    }

    /** Sends SIGKILL to a node. */
    public void killNode(int node) {
        child(node).kill();
    }

    /** Starts a node that was killed, at its old port. */
    public void startNode(int node) throws UsageException, InterruptedException {
        launchNode(node);
        awaitNode(node);
    }

    /**
     * What a node calls itself in its answers: it changes when the node is started again, since its cache is empty
     * then.
     *
     * @param node which one
     * @return the name
     */
    public String incarnation(int node) {
        return name(node) + "/" + child(node).pid();
    }

    /**
     * Where the first front serves.
     *
     * @return its address, without a path
     */
    public URI front() {
        return frontUris.get(0);
    }

    /**
     * Where the fronts serve.
     *
     * @return their addresses, one or two
     */
    public List<URI> fronts() {
        return List.copyOf(frontUris);
    }

    /**
     * What runs.
     *
     * @return a line for each process, with its process id
     */
    public String processes() {
        synchronized (all) {
            return all.stream()
                    .map(child -> "  %-10s pid %d%n".formatted(child.name(), child.pid()))
                    .collect(Collectors.joining());
        }
    }

    private static URI loopback(int port) {
        return URI.create("http://127.0.0.1:" + port);
    }

    private static String name(int node) {
        return "node-" + (node + 1);
    }

    private void launchNode(int node) throws UsageException {
        ChildProcess child = launch(
                name(node),
                "node",
                name(node),
                String.valueOf(ports[node]),
                data.resolve("clicks").resolve(name(node)).toString(),
                without.name(),
                database(),
                engines.replicas() ? PostgresEngine.url(replicaPort) : NONE,
                redisUrl());
        nodes.set(node, child);
    }

    private ChildProcess child(int node) {
        return Objects.requireNonNull(nodes.get(node));
    }

    /**
     * What the policies of a node measure, also after it was started again.
     *
     * @param node which one
     * @return the figures; none while it is down
     */
    public Measured nodeFigures(int node) {
        return sink -> child(node).measure(sink);
    }

    /**
     * What the policies of a front measure.
     *
     * @param front which one, from 0
     * @return the figures
     */
    public Measured frontFigures(int front) {
        return fronts.get(front);
    }

    private void awaitNode(int node) throws UsageException, InterruptedException {
        ports[node] = child(node).port();
    }

    private ChildProcess launch(String name, String... arguments) throws UsageException {
        synchronized (all) {
            if (closed) {
                throw new UsageException("stopped");
            }
            ChildProcess child = ChildProcess.start(name, events, arguments);
            all.add(child);
            return child;
        }
    }

    /** Ends all processes; returns when the last one has ended. */
    @Override
    public void close() {
        synchronized (all) {
            closed = true;
            all.forEach(ChildProcess::cutLifeline);
            all.forEach(ChildProcess::close);
        }
    }
}
